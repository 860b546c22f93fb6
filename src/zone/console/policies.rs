//! Policies and their versions.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ApiError, Body, OneId, Shared, TwoIds, change, clean_name, page::Window, readable_id, settle,
};
use crate::{
    protocol::console::{self, Owner, Page},
    zone::{
        ZoneState,
        directory::{Change, Directory, Policy, PolicyVersion, Stored as _},
        policy::{
            POLICY_SCHEMA_VERSION, PolicyFault, SCHEMA_TEXT, check,
            lifecycle::{latest_policy_version, next_policy_version},
            text_of_json,
        },
    },
};

pub(super) fn router() -> Router<Arc<ZoneState>> {
    Router::new()
        .route("/policy-schemas", get(list_schemas))
        .route("/policies", get(list_policies).post(create_policy))
        .route("/policies/{id}", get(one_policy))
        .route(
            "/policies/{id}/versions",
            get(list_policy_versions).post(create_policy_version),
        )
        .route("/policies/{id}/versions/{version}", get(one_policy_version))
}

#[derive(Serialize)]
struct SchemaView {
    version: &'static str,
    status: &'static str,
    cedar_raw: &'static str,
}

async fn list_schemas() -> Json<Page<SchemaView>> {
    Json(Page {
        items: vec![SchemaView {
            version: POLICY_SCHEMA_VERSION,
            status: "active",
            cedar_raw: SCHEMA_TEXT,
        }],
        pagination: console::Pagination::default(),
    })
}

fn version_view(version: &PolicyVersion) -> console::PolicyVersion {
    console::PolicyVersion {
        id: version.id.clone(),
        version: version.version,
        cedar_raw: version.cedar_raw.clone(),
        schema_version: version.schema_version.clone(),
        sha: version.sha.clone(),
    }
}

/// A policy with its newest version; one that has none yet is not shown.
fn policy_view(directory: &Directory, policy: &Policy) -> Option<console::Policy> {
    latest_policy_version(directory, &policy.id).map(|latest| policy_at(policy, latest))
}

pub(super) fn policy_at(policy: &Policy, version: &PolicyVersion) -> console::Policy {
    console::Policy {
        id: policy.id.clone(),
        name: policy.name.clone(),
        owner_type: policy.owner,
        latest_version: version_view(version),
    }
}

async fn list_policies(
    State(state): Shared,
    window: Window,
) -> Result<Json<Page<console::Policy>>, ApiError> {
    let directory = state.directory();
    window
        .cut(&directory.policies, |p| policy_view(&directory, p))
        .map(Json)
}

async fn one_policy(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<Json<console::Policy>, ApiError> {
    let directory = state.directory();
    directory
        .policies
        .get(&id)
        .and_then(|policy| policy_view(&directory, policy))
        .map(Json)
        .ok_or_else(|| ApiError::not_found("policy"))
}

#[derive(Deserialize)]
struct NewPolicy {
    name: String,
    #[serde(flatten)]
    version: NewPolicyVersion,
}

async fn create_policy(
    State(state): Shared,
    Body(body): Body<NewPolicy>,
) -> Result<(StatusCode, Json<console::Policy>), ApiError> {
    let name = clean_name(&body.name)?;
    // The name becomes part of a determining policy's id, `set::name`.
    if !name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    {
        return Err(ApiError::invalid(
            "A policy's name has letters, digits, hyphens, dots and underscores.",
        ));
    }
    let text = body.version.checked_text()?;
    let view = settle(&state, |directory| {
        if directory.policies.values().any(|p| p.name == name) {
            return Err(ApiError::conflict("Another policy has this name already."));
        }
        let policy = Policy {
            id: readable_id(&state, &name, |id| directory.policies.contains_key(id)),
            name: name.clone(),
            owner: Owner::Customer,
        };
        let version = next_policy_version(
            directory,
            &policy,
            state.config.ids.short(),
            &text,
            state.config.clock.now(),
        );
        let view = policy_at(&policy, &version);
        Ok((vec![Change::put(policy), Change::put(version)], view))
    })
    .await?;
    Ok((StatusCode::CREATED, Json(view)))
}

impl NewPolicyVersion {
    /// The policy as text, in whichever of the two forms it came (facts/keycard.md, 3.4).
    fn checked_text(self) -> Result<String, ApiError> {
        same_schema(self.schema_version.as_deref())?;
        let text = match (self.cedar_raw, self.cedar_json) {
            (Some(text), None) => text,
            (None, Some(json)) => text_of_json(json).map_err(|fault| no_policy(&[fault]))?,
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "A policy is cedar_raw or cedar_json, not both.",
                ));
            }
            (None, None) => {
                return Err(ApiError::invalid(
                    "A policy's text is missing: cedar_raw or cedar_json.",
                ));
            }
        };
        check(&text).map_err(|faults| no_policy(&faults))?;
        Ok(text)
    }
}

fn no_policy(faults: &[PolicyFault]) -> ApiError {
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_policy",
        faults.join("\n"),
    )
}

pub(super) fn same_schema(version: Option<&str>) -> Result<(), ApiError> {
    if version.is_none_or(|version| version == POLICY_SCHEMA_VERSION) {
        Ok(())
    } else {
        Err(ApiError::invalid(format!(
            "The zone's only schema version is {POLICY_SCHEMA_VERSION}."
        )))
    }
}

async fn list_policy_versions(
    State(state): Shared,
    Path((_, id)): OneId,
    window: Window,
) -> Result<Json<Page<console::PolicyVersion>>, ApiError> {
    let directory = state.directory();
    if !directory.policies.contains_key(&id) {
        return Err(ApiError::not_found("policy"));
    }
    window
        .cut(&directory.policy_versions, |version| {
            (version.policy_id == id).then(|| version_view(version))
        })
        .map(Json)
}

#[derive(Deserialize)]
struct NewPolicyVersion {
    cedar_raw: Option<String>,
    cedar_json: Option<Value>,
    schema_version: Option<String>,
}

async fn create_policy_version(
    State(state): Shared,
    Path((_, id)): OneId,
    Body(body): Body<NewPolicyVersion>,
) -> Result<(StatusCode, Json<console::PolicyVersion>), ApiError> {
    let directory = state.directory();
    let policy = directory
        .policies
        .get(&id)
        .ok_or_else(|| ApiError::not_found("policy"))?;
    match policy.owner {
        Owner::Platform => return Err(ApiError::read_only("policy")),
        Owner::Customer => {}
    }
    let text = body.checked_text()?;
    let version = next_policy_version(
        &directory,
        policy,
        state.config.ids.short(),
        &text,
        state.config.clock.now(),
    );
    let view = version_view(&version);
    // The policy is written again too, so that of two editors one is told.
    let changes = vec![Change::put((**policy).clone()), Change::put(version)];
    change(&state, vec![policy.clone().wrap()], changes).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

async fn one_policy_version(
    State(state): Shared,
    Path((_, id, version)): TwoIds,
) -> Result<Json<console::PolicyVersion>, ApiError> {
    state
        .directory()
        .policy_versions
        .values()
        .find(|v| v.policy_id == id && named(&version, &v.id, v.version))
        .map(|version| Json(version_view(version)))
        .ok_or_else(|| ApiError::not_found("policy version"))
}

/// A version is named by its id or by its number.
pub(super) fn named(wanted: &str, id: &str, number: u32) -> bool {
    wanted == id || wanted.parse() == Ok(number)
}
