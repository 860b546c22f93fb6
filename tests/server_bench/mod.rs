//! A server on stubs of everything around it, ready to be called. Every item is used by both test
//! programs about the tools.

#[path = "../server_stub/mod.rs"]
pub mod server_stub;

use axum::Router;
use hoptrail::support::clock::FakeClock;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use server_stub::{
    Answer, Recorded, Stub, good_claims, good_header, post, server, settings, sign, text, zone,
};

pub const ID: &str = "3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d";

pub struct Bench {
    pub zone: Stub,
    pub supabase: Stub,
    pub anthropic: Stub,
    pub linear: Stub,
    pub server: Router,
    pub token: String,
}

pub fn ticket() -> Value {
    json!({
        "id": ID, "created_at": "2026-06-02T14:23:00+00:00", "customer_name": "Marisol Vexley",
        "email": "marisol@vexley.example", "phone": "+1-202-555-0143", "plan_tier": "enterprise",
        "severity": "critical", "status": "open", "subject": "Card charged twice",
        "body": "Marisol Vexley here, my card was charged twice.", "unknown_column": 1,
    })
}

pub fn rows(_: &Recorded) -> Answer {
    (200, json!([ticket()]).to_string())
}

pub fn mask() -> Value {
    json!({
        "title": "Retry charges the card twice",
        "maskedText": "[NAME_1] here, my card was charged twice.",
        "detectedEntities": [{"type": "NAME", "placeholder": "[NAME_1]"}],
        "labels": ["payments", "api"],
    })
}

pub fn message(answer: &Value) -> Value {
    json!({
        "type": "message",
        "content": [{"type": "text", "text": answer.to_string()}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 20},
    })
}

pub fn graphql(request: &Recorded) -> Answer {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let query = body["query"].as_str().unwrap();
    let data = if query.contains("issueLabels") {
        json!({"issueLabels": {"nodes": [{"id": "label-1"}, {"id": "label-2"}]}})
    } else if query.contains("issueCreate") {
        json!({"issueCreate": {"success": true, "issue": {
            "id": "issue-1", "identifier": "ENG-1", "url": "https://linear.example/ENG-1"
        }}})
    } else {
        json!({"issueDelete": {"success": true}})
    };
    (200, json!({"data": data}).to_string())
}

impl Bench {
    pub async fn start() -> Self {
        let zone = Stub::start(zone).await;
        let supabase = Stub::start(rows).await;
        let anthropic = Stub::start(|_| (200, message(&mask()).to_string())).await;
        let linear = Stub::start(graphql).await;
        let settings = settings(&zone.url, &supabase.url, &anthropic.url, &linear.url);
        Self {
            token: sign(&good_header(), &good_claims(&zone.url)),
            server: server(settings, FakeClock::shared()),
            zone,
            supabase,
            anthropic,
            linear,
        }
    }

    /// Everything that came back, message by message.
    pub async fn send(&self, message: &Value) -> Vec<Value> {
        let request = post(Some(&self.token), message);
        let response = self.server.clone().oneshot(request).await.unwrap();
        let body = text(response).await;
        for secret in ["cred-", "s3cr3t", &self.token] {
            assert!(!body.contains(secret), "a secret came back: {body}");
        }
        body.lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter(|data| !data.trim().is_empty())
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        let mut messages = self.send(&tool_call(tool, &arguments, &json!({}))).await;
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)["result"].take()
    }

    pub async fn escalate(&self) -> Value {
        self.call("escalate_ticket", json!({"ticketId": ID})).await
    }

    /// The text of a call that failed.
    pub async fn failing(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert!(result.get("structuredContent").is_none(), "{result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// The exchanges, as (resource, scope).
    pub fn exchanges(&self) -> Vec<(String, Option<String>)> {
        let seen = self.zone.seen.lock().unwrap();
        seen.iter()
            .filter(|request| request.line.starts_with("POST"))
            .map(|request| {
                let form: Vec<(String, String)> =
                    url::form_urlencoded::parse(request.body.as_bytes())
                        .into_owned()
                        .collect();
                let get = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
                (get("resource").unwrap(), get("scope"))
            })
            .collect()
    }

    pub fn zone_refuses(&self, status: u16, body: &'static str) {
        self.zone
            .answers(move |request| match request.line.as_str() {
                "POST /oauth/2/token" => (status, body.to_owned()),
                _ => zone(request),
            });
    }
}

pub fn tool_call(tool: &str, arguments: &Value, meta: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments, "_meta": meta}})
}
