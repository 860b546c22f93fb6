//! A span's attributes by their names in the semantic conventions.

use serde_json::{Value, json};
use url::Url;

use crate::{
    projection::{Hop, HopKind, Projection},
    protocol::observed::{Upstream, UpstreamRequest},
    support::text::one_line,
    trace::{
        Actor, Fact,
        event::{Body, Leg},
    },
};

/// The methods that the conventions know; any other is `_OTHER`.
const METHODS: [&str; 10] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE",
];

/// Attributes in the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<Value>);

impl Attributes {
    pub(super) fn into_value(self) -> Value {
        Value::Array(self.0)
    }

    /// A text; an empty one says nothing and is left out.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            let value = json!({ "stringValue": one_line(value) });
            self.0.push(json!({ "key": key, "value": value }));
        }
    }

    pub(super) fn number(&mut self, key: &str, value: i64) {
        let value = json!({ "intValue": value.to_string() });
        self.0.push(json!({ "key": key, "value": value }));
    }

    /// `server.address` and `server.port` of a URL.
    pub(super) fn server(&mut self, url: &str) {
        let Ok(url) = Url::parse(url) else { return };
        if let Some(host) = url.host_str() {
            self.text("server.address", host);
            if let Some(port) = url.port_or_known_default() {
                self.number("server.port", i64::from(port));
            }
        }
    }

    fn method(&mut self, method: &str) {
        let upper = method.to_ascii_uppercase();
        if METHODS.contains(&upper.as_str()) {
            self.text("http.request.method", &upper);
        } else {
            self.text("http.request.method", "_OTHER");
            self.text("http.request.method_original", method);
        }
    }

    /// Everything about a hop.
    pub(super) fn hop(&mut self, hop: &Hop, projection: &Projection) {
        let sent = hop
            .evidence
            .sent
            .and_then(|seq| projection.log().event(seq));
        if let Some(Fact::HopSent {
            leg,
            method,
            url,
            headers,
            body,
            ..
        }) = sent.map(|event| event.fact)
        {
            self.method(&method);
            // Masked when it was recorded.
            self.text("url.full", &url);
            self.server(&url);
            // A call has a span of its own for the MCP side.
            if leg == Leg::Mcp && hop.call.is_none() {
                self.mcp(&headers, body.as_ref());
            }
        } else if hop.kind == HopKind::Upstream {
            self.upstream(hop, projection);
        } else if hop.kind == HopKind::Exchange
            && let Some(lab) = projection.lab()
        {
            self.server(&lab.zone);
        }
        if let Some(status) = hop.status {
            self.number("http.response.status_code", i64::from(status));
        }
        self.text("hoptrail.from", hop.from.name());
        self.text("hoptrail.to", hop.to.name());
        self.text("hoptrail.verdict", hop.verdict.word());
        for (key, value) in [
            ("hoptrail.resource", &hop.resource),
            ("hoptrail.scope", &hop.scope),
            ("hoptrail.policy", &hop.policy),
            ("hoptrail.acted_as", &hop.acted_as),
        ] {
            self.text(key, value.as_deref().unwrap_or(""));
        }
        for (key, value) in [
            ("hoptrail.subject_token.fingerprint", hop.subject),
            ("hoptrail.credential.fingerprint", hop.credential),
        ] {
            if let Some(credential) = value {
                self.text(key, &credential.fingerprint.to_string());
            }
        }
    }

    /// A service's request: the stand-in told its line, the lab where it stands.
    fn upstream(&mut self, hop: &Hop, projection: &Projection) {
        let seen = hop
            .evidence
            .upstream
            .and_then(|seq| projection.log().event(seq));
        let Some(Fact::UpstreamAnswered(request)) = seen.map(|event| event.fact) else {
            return;
        };
        let UpstreamRequest {
            upstream,
            method,
            path,
            ..
        } = &request;
        self.method(method);
        let base = projection.lab().map(|lab| match upstream {
            Upstream::Supabase => &lab.supabase,
            Upstream::Anthropic => &lab.anthropic,
            Upstream::Linear => &lab.linear,
        });
        if let Some(base) = base {
            self.text("url.full", &format!("{}{path}", base.trim_end_matches('/')));
            self.server(base);
        }
        // The GenAI conventions for Anthropic's Messages API.
        if hop.to == Actor::Anthropic && path.starts_with("/v1/messages") {
            self.text("gen_ai.operation.name", "chat");
            self.text("gen_ai.provider.name", "anthropic");
        }
    }

    /// What the JSON-RPC message says of itself.
    fn mcp(&mut self, headers: &[(String, String)], body: Option<&Body>) {
        let message = body
            .filter(|body| !body.cut)
            .and_then(|body| serde_json::from_str::<Value>(&body.text).ok());
        let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, v)| v);
        let method = message
            .as_ref()
            .and_then(|message| message["method"].as_str().map(str::to_owned))
            .or_else(|| header("mcp-method").cloned());
        self.text("mcp.method.name", method.as_deref().unwrap_or(""));
        match message.as_ref().map(|message| &message["id"]) {
            Some(Value::String(id)) => self.text("jsonrpc.request.id", id),
            Some(Value::Number(id)) => self.text("jsonrpc.request.id", &id.to_string()),
            _ => {}
        }
        if let Some(version) = header("mcp-protocol-version") {
            self.text("mcp.protocol.version", version);
        }
    }
}

/// A count as OTLP's signed integer.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
