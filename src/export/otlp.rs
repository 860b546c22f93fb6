//! A run as OTLP/HTTP JSON: one `ExportTraceServiceRequest`, as a collector takes it at
//! `/v1/traces`.
//!
//! The run is one trace: a root span, a span per tool call, a span per hop. Names follow the
//! OpenTelemetry semantic conventions for HTTP, MCP and GenAI; what they have no word for stands
//! under `hoptrail.`. A span is grouped under the service that made the request (`CLIENT`), or
//! under the one that answered where only that one told of it (`SERVER`).
//!
//! Protobuf's JSON mapping, as OTLP amends it: lowerCamelCase, ids in hexadecimal, 64-bit integers
//! as strings, enums as numbers.

mod attributes;
mod live;

pub use live::{Request, Sent, Wanted, next};

use std::{borrow::Cow, io};

use serde_json::{Value, json};

use self::attributes::Attributes;
use crate::{
    projection::{Hop, HopKind, Projection, Verdict, tools::Call},
    support::{
        digest::{hex, sha256},
        text::one_line,
    },
    trace::{
        Actor,
        codec::{self, Header},
        event::{CallOutcome, Leg},
    },
};

/// `Span.SpanKind` and `Status.StatusCode` of `opentelemetry/proto/trace/v1/trace.proto`.
const KIND_INTERNAL: u8 = 1;
const KIND_SERVER: u8 = 2;
const KIND_CLIENT: u8 = 3;
const STATUS_OK: u8 = 1;
const STATUS_ERROR: u8 = 2;

/// Writes the whole run as one request, span by span.
///
/// # Errors
/// What the writer says.
pub fn write(out: &mut impl io::Write, header: &Header, projection: &Projection) -> io::Result<()> {
    let run = Run::new(header, projection);
    out.write_all(b"{\"resourceSpans\":[")?;
    let mut first = true;
    for service in Actor::ALL {
        let mut spans = run.spans_of(service).peekable();
        if spans.peek().is_none() {
            continue;
        }
        let resource = json!({ "attributes": run.resource(service) });
        let scope = json!({ "name": "hoptrail", "version": env!("CARGO_PKG_VERSION") });
        let comma = if std::mem::take(&mut first) { "" } else { "," };
        write!(
            out,
            "{comma}{{\"resource\":{resource},\"scopeSpans\":[{{\"scope\":{scope},\"spans\":["
        )?;
        for (place, span) in spans.enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(out, "{comma}{span}")?;
        }
        out.write_all(b"]}]}")?;
    }
    out.write_all(b"]}\n")
}

/// What every span of the run shares.
struct Run<'a> {
    header: &'a Header,
    projection: &'a Projection,
    trace: String,
    root: String,
}

impl<'a> Run<'a> {
    fn new(header: &'a Header, projection: &'a Projection) -> Self {
        // The same file gives the same trace, so sending it twice makes no second run.
        let mut seed = codec::encode_header(header);
        seed.push_str(&projection.log().lines().next().unwrap_or_default());
        let trace = hex(&sha256(seed.as_bytes())[..16]);
        let root = span_id(&trace, "run");
        Self {
            header,
            projection,
            trace,
            root,
        }
    }

    /// The service's spans; those of the client begin with the run and its calls.
    fn spans_of(&self, service: Actor) -> impl Iterator<Item = Value> {
        let calls = self.projection.tools().calls().iter().enumerate();
        let own = std::iter::once(self.root_span())
            .chain(calls.map(|(place, call)| self.call_span(place, call)))
            .filter(move |_| service == Actor::Client);
        let hops = self.projection.hops().in_order();
        let hops = hops.filter(move |hop| hop.leg != Some(Leg::Console) && told_by(hop) == service);
        own.chain(hops.map(|hop| self.hop_span(hop)))
    }

    fn resource(&self, service: Actor) -> Value {
        let mut of = Attributes::default();
        let server = self.projection.tools().server();
        of.text("service.namespace", "hoptrail");
        match (service, server) {
            (Actor::Server, Some(server)) => {
                of.text("service.name", &server.name);
                of.text("service.version", &server.version);
            }
            (Actor::Client, _) => {
                of.text("service.name", "hoptrail");
                of.text("service.version", env!("CARGO_PKG_VERSION"));
            }
            (other, _) => of.text("service.name", &service_name(other)),
        }
        of.into_value()
    }

    fn root_span(&self) -> Value {
        let mut of = Attributes::default();
        if let Some(target) = self.projection.target() {
            of.text("hoptrail.target", &target.name);
        }
        if let Some(title) = &self.header.title {
            of.text("hoptrail.title", title);
        }
        if let Some(user) = self.projection.identity().user() {
            of.text("hoptrail.user", &user.name);
        }
        let mut span = self.span(&self.root, "hoptrail run", KIND_INTERNAL, (0, None), of);
        span["endTimeUnixNano"] = json!(self.nanos(self.projection.now_us()));
        span
    }

    /// The MCP client span of a tool call.
    fn call_span(&self, place: usize, call: &Call) -> Value {
        let mut of = Attributes::default();
        of.text("mcp.method.name", "tools/call");
        of.text("gen_ai.operation.name", "execute_tool");
        of.text("gen_ai.tool.name", &call.tool);
        if let Some(server) = self.projection.tools().server() {
            of.text("mcp.protocol.version", &server.protocol);
        }
        let endpoint = self.projection.target().map_or("", |target| &target.server);
        of.server(endpoint);
        of.number("hoptrail.credentials.issued", i64::from(call.issued));
        of.number("hoptrail.credentials.refused", i64::from(call.refused));
        let error = match call.outcome {
            None | Some(CallOutcome::Succeeded) => None,
            // What the MCP conventions ask for when the result says `isError`.
            Some(CallOutcome::Failed) => Some("tool_error"),
            Some(CallOutcome::Broken) => Some("_OTHER"),
            Some(CallOutcome::Cancelled) => Some("cancelled"),
        };
        if let Some(error) = error {
            of.text("error.type", error);
        }
        let name = format!("tools/call {}", call.tool);
        let id = call_id(&self.trace, place);
        let times = (call.started_us, call.duration_us);
        let mut span = self.span(&id, &name, KIND_CLIENT, times, of);
        span["parentSpanId"] = json!(self.root);
        if error.is_some() {
            span["status"] = failed(call.text.as_deref().unwrap_or(""));
        }
        span
    }

    fn hop_span(&self, hop: &Hop) -> Value {
        let kind = kind_of(hop);
        let mut of = Attributes::default();
        of.hop(hop, self.projection);
        let failure = self.failure(hop, kind);
        if let Some(kind_of_error) = failure.as_ref().map(|(kind, _)| kind) {
            of.text("error.type", kind_of_error);
        }
        let id = span_id(&self.trace, &format!("hop {}", hop.id.index()));
        let times = (hop.started_us, hop.duration_us);
        let mut span = self.span(&id, &hop.title, kind, times, of);
        span["parentSpanId"] = json!(self.parent(hop));
        match failure {
            Some((_, message)) => span["status"] = failed(&message),
            None if hop.kind == HopKind::Exchange && hop.verdict == Verdict::Ok => {
                span["status"] = json!({ "code": STATUS_OK });
            }
            None => {}
        }
        // The context that really travelled: whoever traced the same call finds it by this.
        if let (Some(call), Some(wire)) = (hop.call, hop.span)
            && (call.0, wire.0) != (0, 0)
        {
            span["links"] = json!([{ "traceId": call.to_string(), "spanId": wire.to_string() }]);
        }
        if let Some(event) = self.discarded(hop) {
            span["events"] = json!([event]);
        }
        span
    }

    fn discarded(&self, hop: &Hop) -> Option<Value> {
        let credential = hop.credential.filter(|_| hop.kind == HopKind::Exchange)?;
        let at = self.projection.log().event(hop.evidence.discard?)?.at_us;
        let mut of = Attributes::default();
        of.text(
            "hoptrail.credential.fingerprint",
            &credential.fingerprint.to_string(),
        );
        of.number(
            "hoptrail.credential.lived_us",
            attributes::integer(hop.discarded?),
        );
        Some(json!({
            "timeUnixNano": self.nanos(at),
            "name": "hoptrail.credential.discarded",
            "attributes": of.into_value(),
        }))
    }

    /// The class of error and its sentence, where the hop is one for its kind of span.
    fn failure(&self, hop: &Hop, kind: u8) -> Option<(String, String)> {
        if hop.verdict <= Verdict::Ok {
            return None;
        }
        // HTTP conventions: an answer of 4xx is the client's error and not the server's.
        let blameless = kind == KIND_SERVER && hop.status.is_some_and(|s| (400..500).contains(&s));
        if blameless {
            return None;
        }
        // Rows are in order of their evidence.
        let rows = self.projection.audit().rows();
        let row = hop
            .evidence
            .audit
            .and_then(|seq| rows.binary_search_by_key(&seq, |row| row.evidence).ok());
        let code = row.and_then(|at| rows[at].error.as_deref().map(str::to_owned));
        let class = code
            .or_else(|| {
                // An answer of 200 may tell of a failure, but is none by itself.
                let status = hop.status.filter(|status| *status >= 400);
                status.map(|status| status.to_string())
            })
            .unwrap_or_else(|| "_OTHER".to_owned());
        let message = match (&hop.policy, &hop.note) {
            (Some(policy), _) => format!("denied by {policy}"),
            (None, Some(note)) => note.to_string(),
            (None, None) => String::new(),
        };
        Some((class, message))
    }

    fn parent(&self, hop: &Hop) -> Cow<'_, str> {
        hop.call
            .and_then(|id| self.projection.tools().place(id))
            .map_or(Cow::Borrowed(&*self.root), |place| {
                Cow::Owned(call_id(&self.trace, place))
            })
    }

    fn span(
        &self,
        id: &str,
        name: &str,
        kind: u8,
        (started_us, duration_us): (u64, Option<u64>),
        attributes: Attributes,
    ) -> Value {
        let ended_us = started_us.saturating_add(duration_us.unwrap_or(0));
        json!({
            "traceId": self.trace,
            "spanId": id,
            "name": one_line(name),
            "kind": kind,
            "startTimeUnixNano": self.nanos(started_us),
            "endTimeUnixNano": self.nanos(ended_us),
            "attributes": attributes.into_value(),
            "status": {},
        })
    }

    /// A moment of the run in nanoseconds since 1970, as OTLP's JSON writes a `fixed64`.
    fn nanos(&self, at_us: u64) -> String {
        let began = self
            .header
            .started
            .timestamp_micros()
            .max(0)
            .cast_unsigned();
        (u128::from(began.saturating_add(at_us)) * 1_000)
            .min(u128::from(u64::MAX))
            .to_string()
    }
}

/// Whoever made the request tells of it; where only the answering party told, it does.
fn told_by(hop: &Hop) -> Actor {
    match kind_of(hop) {
        KIND_SERVER => hop.to,
        _ => match hop.from {
            Actor::You => Actor::Client,
            other => other,
        },
    }
}

fn kind_of(hop: &Hop) -> u8 {
    let asked = hop.evidence.sent.is_some() || hop.evidence.step.is_some();
    match hop.kind {
        HopKind::Browser => KIND_INTERNAL,
        HopKind::Request | HopKind::Exchange | HopKind::Upstream if asked => KIND_CLIENT,
        HopKind::Request | HopKind::Exchange | HopKind::Upstream => KIND_SERVER,
    }
}

fn service_name(actor: Actor) -> String {
    actor.name().to_lowercase().replace(' ', "-")
}

fn failed(message: &str) -> Value {
    json!({ "code": STATUS_ERROR, "message": one_line(message) })
}

fn call_id(trace: &str, place: usize) -> String {
    span_id(trace, &format!("call {place}"))
}

/// Eight bytes that name a thing of this trace, never zero.
fn span_id(trace: &str, of: &str) -> String {
    hex(&sha256(format!("{trace} {of}").as_bytes())[..8])
}
