//! The zone's audit rows as OCSF 1.7.0 events, one JSON object a line.
//!
//! Which class, and why:
//! - `credentials:issue` is **API Activity (6003), Create**. It has an actor with a user, an
//!   application and authorizations, the resource, the request id and the answer's error: all of a
//!   delegated issuance. Authentication (3002) knows log-ons and Kerberos tickets, and nobody is
//!   authenticated by a token exchange; Authorize Session (3003) demands privileges or a group,
//!   which a credential without scopes does not have.
//! - `users:authorize` is **Authentication (3002), Logon**, over OAuth 2.0.
//! - `delegated_grants:create` is **Entity Management (3004), Create**, `delegated_grants:revoke` its
//!   Deactivate: the consent is an entity of the zone, and the user's own privileges stay what they
//!   are, so not User Access Management.
//! - `policy_sets:activate` is **Entity Management (3004), Activate** of a policy.
//!
//! Profiles: `security_control` where policy was asked, `trace` where the row names a trace. What
//! OCSF has no attribute for stands in `unmapped`. Absent facts stay absent.

use std::io;

use serde_json::{Map, Value, json};

use crate::{
    projection::{AuditRow, Projection, policy_name},
    protocol::{
        audit::{AuditEvent, AuditRecord, AuditStatus, Effect, PolicyDecision},
        traceparent::TraceParent,
    },
    support::text::sanitize,
    trace::Fact,
};

/// The version of the schema that the events follow.
pub const VERSION: &str = "1.7.0";

/// Writes every audit row of the run.
///
/// # Errors
/// What the writer says.
pub fn write(out: &mut impl io::Write, projection: &Projection) -> io::Result<()> {
    for row in projection.audit().rows() {
        if let Some(event) = event(row, projection) {
            writeln!(out, "{event}")?;
        }
    }
    Ok(())
}

/// A class of the schema, and what was done in its terms.
struct Class {
    category: (u32, &'static str),
    uid: u32,
    name: &'static str,
    activity: (u32, &'static str),
}

impl Class {
    fn of(record: &AuditRecord) -> Self {
        let entity = |activity| Self {
            category: (3, "Identity & Access Management"),
            uid: 3004,
            name: "Entity Management",
            activity,
        };
        match record.told() {
            AuditEvent::CredentialsIssue => Self {
                category: (6, "Application Activity"),
                uid: 6003,
                name: "API Activity",
                activity: (1, "Create"),
            },
            AuditEvent::UsersAuthorize => Self {
                category: (3, "Identity & Access Management"),
                uid: 3002,
                name: "Authentication",
                activity: (1, "Logon"),
            },
            AuditEvent::DelegatedGrantsCreate => entity((1, "Create")),
            AuditEvent::DelegatedGrantsRevoke => entity((11, "Deactivate")),
            AuditEvent::PolicySetsActivate => entity((10, "Activate")),
        }
    }
}

fn event(row: &AuditRow, projection: &Projection) -> Option<Value> {
    let Some(Fact::AuditRecorded(record)) = projection.log().event(row.evidence).map(|e| e.fact)
    else {
        return None;
    };
    let class = Class::of(&record);
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        if !value.is_null() {
            out.insert(key.to_owned(), value);
        }
    };
    put("activity_id", json!(class.activity.0));
    put("activity_name", json!(class.activity.1));
    put("category_uid", json!(class.category.0));
    put("category_name", json!(class.category.1));
    put("class_uid", json!(class.uid));
    put("class_name", json!(class.name));
    put("type_uid", json!(class.uid * 100 + class.activity.0));
    put(
        "type_name",
        json!(format!("{}: {}", class.name, class.activity.1)),
    );
    put("time", json!(record.occurred_at.timestamp_millis()));
    // Milliseconds; what took less took none that OCSF could tell.
    put("duration", json!(record.duration_us / 1_000));
    let (severity, severity_name) = match record.status {
        AuditStatus::Issued => (1, "Informational"),
        AuditStatus::Failure => (2, "Low"),
    };
    put("severity_id", json!(severity));
    put("severity", json!(severity_name));
    let (status, status_name) = match record.status {
        AuditStatus::Issued => (1, "Success"),
        AuditStatus::Failure => (2, "Failure"),
    };
    put("status_id", json!(status));
    put("status", json!(status_name));
    put("status_code", text(record.error.as_deref()));
    put("status_detail", text(record.reason.as_deref()));
    put("message", json!(sentence(&record)));
    put("metadata", metadata(&record));
    put("actor", actor(&record));
    let zone = projection.lab().map(|lab| sanitize(&lab.zone));
    match record.told() {
        AuditEvent::CredentialsIssue => {
            put("api", api(&record));
            // The zone's log does not tell the caller's address: its name must do.
            let caller = record.actor.application.as_ref();
            let caller = caller.map_or("not observed", |application| &application.name);
            put("src_endpoint", json!({ "svc_name": sanitize(caller) }));
            put("resources", resources(&record));
        }
        AuditEvent::UsersAuthorize => {
            put(
                "user",
                user(&record).unwrap_or_else(|| json!({ "name": "not observed" })),
            );
            put("auth_protocol_id", json!(6));
            put("auth_protocol", json!("OAUTH 2.0"));
            put("is_remote", json!(true));
            put("service", json!({ "name": "zone", "uid": zone }));
            put("session", session(&record));
        }
        AuditEvent::DelegatedGrantsCreate | AuditEvent::DelegatedGrantsRevoke => {
            put("entity", grant(&record));
        }
        AuditEvent::PolicySetsActivate => put("entity", policy_set(&record)),
    }
    if let Some(decision) = &record.decision {
        let (action, disposition) = match decision.effect {
            Effect::Allow => ((1, "Allowed"), (1, "Allowed")),
            Effect::Deny => ((2, "Denied"), (2, "Blocked")),
        };
        put("action_id", json!(action.0));
        put("action", json!(action.1));
        put("disposition_id", json!(disposition.0));
        put("disposition", json!(disposition.1));
        put("authorizations", authorizations(decision));
        put(
            "policy",
            policy(decision, decision.determining.first().map(String::as_str)),
        );
    }
    if class.uid == 6003
        && let Some(TraceParent { trace, .. }) = record.trace_parent
    {
        put("trace", json!({ "uid": trace.to_string() }));
    }
    put("unmapped", unmapped(&record, row));
    Some(without_nulls(Value::Object(out)))
}

fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, |value| json!(sanitize(value)))
}

/// What happened, in a sentence of ours.
fn sentence(record: &AuditRecord) -> String {
    let application = record
        .actor
        .application
        .as_ref()
        .map_or("someone", |a| &a.name);
    let who = match &record.actor.user {
        Some(user) => format!("{application}, for {},", user.name),
        None => application.to_owned(),
    };
    let person = record.actor.user.as_ref().map_or("someone", |u| &u.name);
    let resource = record
        .resource
        .as_ref()
        .map_or("no named resource", |r| &r.name);
    let scopes = match record.scopes.as_slice() {
        [] => String::new(),
        scopes => format!(" with {}", scopes.join(" ")),
    };
    let set = record
        .activated()
        .map_or("a policy set".to_owned(), |set| format!("policy set {set}"));
    let sentence = match (record.told(), record.status) {
        (AuditEvent::CredentialsIssue, AuditStatus::Issued) => {
            format!("{who} was issued a credential for {resource}{scopes}")
        }
        (AuditEvent::CredentialsIssue, AuditStatus::Failure) => {
            format!("{who} was refused a credential for {resource}{scopes}")
        }
        (AuditEvent::UsersAuthorize, AuditStatus::Issued) => {
            format!("{person} signed in for {application}")
        }
        (AuditEvent::UsersAuthorize, AuditStatus::Failure) => {
            format!("{person} did not sign in for {application}")
        }
        (AuditEvent::DelegatedGrantsRevoke, AuditStatus::Issued) => {
            format!("the consent for {resource}{scopes} was revoked")
        }
        (AuditEvent::DelegatedGrantsRevoke, AuditStatus::Failure) => {
            format!("the consent for {resource}{scopes} was not revoked")
        }
        (AuditEvent::DelegatedGrantsCreate, AuditStatus::Issued) => {
            format!("{who} was given consent for {resource}{scopes}")
        }
        (AuditEvent::DelegatedGrantsCreate, AuditStatus::Failure) => {
            format!("{who} was not given consent for {resource}{scopes}")
        }
        (AuditEvent::PolicySetsActivate, AuditStatus::Issued) => {
            format!("{who} activated {set}")
        }
        (AuditEvent::PolicySetsActivate, AuditStatus::Failure) => {
            format!("{who} could not activate {set}")
        }
    };
    sanitize(&sentence).into_owned()
}

fn metadata(record: &AuditRecord) -> Value {
    let mut profiles = Vec::new();
    if record.decision.is_some() {
        profiles.push("security_control");
    }
    if record.event == AuditEvent::CredentialsIssue && record.trace_parent.is_some() {
        profiles.push("trace");
    }
    json!({
        "version": VERSION,
        "uid": sanitize(&record.id),
        "sequence": record.sequence,
        "correlation_uid": sanitize(&record.request_id),
        "event_code": record.event.as_str(),
        "log_name": "zone audit log",
        "original_time": record.occurred_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        "profiles": profiles,
        "product": {
            "name": "hoptrail",
            "vendor_name": "hoptrail",
            "version": env!("CARGO_PKG_VERSION"),
        },
    })
}

/// The application that acted, for whom, under what was decided.
fn actor(record: &AuditRecord) -> Value {
    let application = record.actor.application.as_ref();
    if application.is_none() && record.actor.user.is_none() {
        // The schema wants one of them named; nobody was observed.
        return json!({ "app_name": "not observed" });
    }
    json!({
        "app_name": application.map(|a| sanitize(&a.name)),
        "app_uid": application.map(|a| sanitize(&a.identifier)),
        "user": user(record),
        "session": session(record),
        "authorizations": record.decision.as_ref().map(authorizations),
    })
}

fn user(record: &AuditRecord) -> Option<Value> {
    record.actor.user.as_ref().map(|user| {
        let email = is_email(&user.name).then_some(&user.name);
        json!({
            "name": sanitize(&user.name),
            "uid": sanitize(&user.identifier),
            "email_addr": email,
            "type_id": 1,
            "type": "User",
        })
    })
}

/// Whether the schema would take it for one; it is stricter than the mail standards.
fn is_email(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let host = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    name.split_once('@').is_some_and(|(local, domain)| {
        let (first, rest) = domain.split_once('.').unwrap_or_default();
        !local.is_empty()
            && !first.is_empty()
            && !rest.is_empty()
            && local.chars().all(plain)
            && domain.chars().all(host)
    })
}

fn session(record: &AuditRecord) -> Value {
    record
        .session_id
        .as_deref()
        .map_or(Value::Null, |id| json!({ "uid": sanitize(id) }))
}

fn api(record: &AuditRecord) -> Value {
    json!({
        "operation": record.event.as_str(),
        "service": { "name": "zone" },
        "request": { "uid": sanitize(&record.request_id) },
        "response": record.error.as_deref().map(|error| json!({
            "error": sanitize(error),
            "error_message": record.reason.as_deref().map(sanitize),
        })),
    })
}

fn resources(record: &AuditRecord) -> Value {
    record.resource.as_ref().map_or(Value::Null, |resource| {
        json!([{
            "name": sanitize(&resource.name),
            "uid": sanitize(&resource.identifier),
            "uid_alt": sanitize(&resource.id),
            "type": "OAuth protected resource",
            "role_id": 1,
            "role": "Target",
        }])
    })
}

/// A determining policy within its set.
fn policy(decision: &PolicyDecision, id: Option<&str>) -> Value {
    let set = decision.policy_set.as_ref();
    if id.is_none() && set.is_none() {
        return Value::Null;
    }
    let group = set.map(|set| json!({ "name": sanitize(&set.name), "uid": sanitize(&set.id) }));
    let name = id.map_or_else(
        || set.map(|set| set.name.as_str()),
        |id| Some(policy_name(id)),
    );
    let uid = id.map_or_else(|| set.map(|set| set.id.as_str()), Some);
    json!({
        "name": name.map(sanitize),
        "uid": uid.map(sanitize),
        "version": set.map(|set| set.version.to_string()),
        "group": group,
        "type": "Cedar",
        "is_applied": true,
    })
}

fn authorizations(decision: &PolicyDecision) -> Value {
    let word = match decision.effect {
        Effect::Allow => "allowed",
        Effect::Deny => "denied",
    };
    let each = |id| without_nulls(json!({ "decision": word, "policy": policy(decision, id) }));
    if decision.determining.is_empty() {
        return json!([each(None)]);
    }
    let of = decision
        .determining
        .iter()
        .map(|id| each(Some(id.as_str())));
    Value::Array(of.collect())
}

fn grant(record: &AuditRecord) -> Value {
    let resource = record.resource.as_ref();
    let of = resource.map_or("the zone itself", |resource| &resource.name);
    json!({
        "name": format!("delegated grant for {}", sanitize(of)),
        "type_id": 99,
        "type": "Delegated Grant",
        "data": { "scopes": clean(&record.scopes) },
        "user": user(record),
    })
}

fn policy_set(record: &AuditRecord) -> Value {
    let set = record.decision.as_ref().and_then(|d| d.policy_set.as_ref());
    match set {
        Some(set) => json!({
            "name": sanitize(&set.name),
            "uid": sanitize(&set.id),
            "version": set.version.to_string(),
            "type_id": 5,
            "type": "Policy",
        }),
        None => json!({ "name": "policy set", "type_id": 5, "type": "Policy" }),
    }
}

fn clean(texts: &[String]) -> Vec<String> {
    texts
        .iter()
        .map(|text| sanitize(text).into_owned())
        .collect()
}

fn unmapped(record: &AuditRecord, row: &AuditRow) -> Value {
    let credential = record.credential.as_ref().map(|credential| {
        json!({
            "fingerprint": credential.fingerprint().to_string(),
            "source": credential.source,
            "expires_in": credential.expires_in,
        })
    });
    let subject = record.subject_token.as_ref();
    let scopes = (!record.scopes.is_empty()).then(|| clean(&record.scopes));
    let fields = json!({
        "tool": row.tool.as_deref(),
        "scopes": scopes,
        "grant_type": record.grant_type.as_deref().map(sanitize),
        "subject_token_fingerprint": subject.map(|token| token.fingerprint.to_string()),
        "credential": credential,
        "span_id": record.trace_parent.map(|parent| parent.span.to_string()),
        "duration_us": record.duration_us,
    });
    without_nulls(fields)
}

/// Absent is absent: `null` is no value that the schema knows.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, without_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
