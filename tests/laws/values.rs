//! What facts are made of: texts, moments, identifiers, tokens; however odd.

use chrono::{DateTime, Utc};
use hoptrail::protocol::{
    jwt::TokenView,
    observed::Upstream,
    secret::Fingerprint,
    traceparent::{SpanId, TraceId, TraceParent},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// Small pools, so that ids meet; and texts that would like to drive a terminal.
pub fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        3 => select(vec![
            "", " ", "escalate_ticket", "delete_issue", "get_support_tickets", "limit-linear-scopes",
            "set::limit-linear-scopes", "policy0", "Linear API", "http://127.0.0.1:1", "http://[::1",
            "\u{1b}]0;x\u{7}", "\u{202e}evil", "a\r\nb\tc", "é://ü", "日本語", "access_denied",
            "5b0f6f0e-6a5c-4d0b-9a53-2f6c1f0f7a11", "grant_type=refresh_token", "{\"method\":\"tools/call\"}",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => (0usize..2000).prop_map(|n| "x".repeat(n)),
    ]
}

pub fn span() -> impl Strategy<Value = SpanId> {
    prop_oneof![(0u64..6).prop_map(SpanId), any::<u64>().prop_map(SpanId)]
}

pub fn call() -> impl Strategy<Value = TraceId> {
    prop_oneof![
        (0u128..3).prop_map(TraceId),
        any::<u128>().prop_map(TraceId)
    ]
}

pub fn parent() -> impl Strategy<Value = TraceParent> {
    (call(), span()).prop_map(|(trace, span)| TraceParent { trace, span })
}

pub fn micros() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..5_000_000, any::<u64>()]
}

pub fn wall() -> impl Strategy<Value = DateTime<Utc>> {
    prop_oneof![
        1_795_510_800i64..1_795_510_900,
        -62_000_000_000i64..250_000_000_000,
    ]
    .prop_map(|seconds| DateTime::from_timestamp(seconds, 123_456_000).unwrap_or_default())
}

pub fn fingerprint() -> impl Strategy<Value = Fingerprint> {
    (0u8..5).prop_map(|n| Fingerprint::of(&[n]))
}

pub fn upstream() -> impl Strategy<Value = Upstream> {
    select(vec![
        Upstream::Supabase,
        Upstream::Anthropic,
        Upstream::Linear,
    ])
}

pub fn token() -> impl Strategy<Value = TokenView> {
    (fingerprint(), text(), any::<i64>()).prop_map(|(fingerprint, sub, exp)| {
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), sub.into());
        claims.insert("exp".to_owned(), exp.into());
        TokenView {
            fingerprint,
            header: Map::new(),
            claims,
        }
    })
}

pub fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
        text().prop_map(|text| json!({"ticketId": text, "issueId": text})),
        text().prop_map(|text| json!({"success": true, "issueId": text})),
        (text(), text()).prop_map(|(id, url)| json!({
            "ticketId": "5b0f6f0e-6a5c-4d0b-9a53-2f6c1f0f7a11", "issueId": id, "identifier": url, "url": url,
        })),
        Just(json!({"tickets": []})),
        vec(text(), 0..3).prop_map(|items| json!({"tickets": items})),
    ]
}
