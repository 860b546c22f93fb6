//! Anthropic: messages, schemas, streams.

use crate::*;

fn lab() -> (Router, Feed, Faults) {
    let clock: SharedClock = FakeClock::shared();
    let feed = Feed::new(clock);
    let faults = Faults::new(anthropic::error_body);
    let router = anthropic::router(anthropic::Config {
        api_key: Secret::from(ANTHROPIC),
        feed: feed.clone(),
        faults: faults.clone(),
        ids: Ids::seeded(2),
    });
    (router, feed, faults)
}

const HEADERS: &[(&str, &str)] = &[
    ("x-api-key", ANTHROPIC),
    ("anthropic-version", "2023-06-01"),
];

/// The workshop's schema (facts/wire.md, 4).
fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": false,
        "required": ["title", "maskedText", "detectedEntities", "labels"],
        "properties": {
            "title": {"type": "string"}, "maskedText": {"type": "string"},
            "detectedEntities": {"type": "array", "items": {"type": "object", "required": ["type", "placeholder"],
                "additionalProperties": false, "properties": {
                    "type": {"type": "string", "enum": ["NAME", "EMAIL", "PHONE", "SSN", "ADDRESS", "CREDIT_CARD", "CREDENTIAL"]},
                    "placeholder": {"type": "string"}}}},
            "labels": {"type": "array", "items": {"type": "string", "enum":
                ["payments", "webhooks", "data-export", "auth", "frontend", "api", "infrastructure", "notifications"]}}
        }
    })
}

fn body(schema: Option<Value>) -> Value {
    let mut body = json!({
        "model": "claude-haiku-4-5", "max_tokens": 64000,
        "system": [{"type": "text", "text": "Mask it."}],
        "messages": [{"role": "user", "content": [{"type": "text",
            "text": "Subject: Checkout fails for Ana Ruiz\n\nHi,\ncard 4242 4242 4242 4242 of ana@acme.example was charged twice.\n\nThanks,\nAna Ruiz"}]}],
    });
    if let Some(schema) = schema {
        body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
    }
    body
}

async fn post(body: &Value) -> Answer {
    let (router, _, _) = lab();
    send(
        &router,
        request(Method::POST, "/v1/messages", HEADERS, &body.to_string()),
    )
    .await
}

fn structured(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str(answer.json()["content"][0]["text"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_workshops_schema_is_filled() {
    let answer = post(&body(Some(schema()))).await;
    let message = answer.json();
    assert_eq!(message["type"], "message");
    assert_eq!(message["stop_reason"], "end_turn");
    assert_eq!(
        message["model"],
        "claude-haiku-4-5 (hoptrail lab: rules, not a model)"
    );
    assert!(
        message["usage"]["input_tokens"].is_u64() && message["usage"]["output_tokens"].is_u64()
    );
    assert!(answer.header("request-id").starts_with("req_"));
    assert_eq!(
        structured(&answer),
        json!({
            "title": "Checkout fails",
            "maskedText": "Hi,\ncard [CREDIT_CARD_1] of [EMAIL_1] was charged twice.\n\nThanks,\n[NAME_1]",
            "detectedEntities": [
                {"type": "CREDIT_CARD", "placeholder": "[CREDIT_CARD_1]"},
                {"type": "EMAIL", "placeholder": "[EMAIL_1]"},
                {"type": "NAME", "placeholder": "[NAME_1]"},
            ],
            "labels": ["payments"],
        })
    );
}

#[tokio::test]
async fn another_schema_is_filled_where_rules_can() {
    let other = json!({"type": "object", "additionalProperties": false, "required": ["headline", "redacted_text", "pii", "entity_count", "category", "has_pii"],
        "properties": {
            "headline": {"type": "string"},
            "redacted_text": {"type": "string"},
            "pii": {"type": "array", "items": {"$ref": "#/$defs/entity"}},
            "entity_count": {"type": "integer"},
            "category": {"enum": ["billing", "security", "other"]},
            "has_pii": {"type": "boolean"},
            "mood": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "weather": {"type": "string"},
        },
        "$defs": {"entity": {"type": "object", "additionalProperties": false, "required": ["kind", "replacement"], "properties": {
            "kind": {"enum": ["PERSON", "EMAIL_ADDRESS", "OTHER"]}, "replacement": {"type": "string"}}}}});
    let filled = structured(&post(&body(Some(other))).await);
    assert_eq!(filled["headline"], "Checkout fails");
    assert_eq!(
        filled["pii"][0],
        json!({"kind": "OTHER", "replacement": "[CREDIT_CARD_1]"})
    );
    assert_eq!(filled["pii"][2]["kind"], "PERSON");
    assert_eq!(filled["entity_count"], 3);
    assert_eq!(filled["category"], "billing");
    assert_eq!(filled["has_pii"], true);
    assert_eq!(filled["mood"], Value::Null);
    assert!(filled.get("weather").is_none());
}

#[rstest]
#[case(json!({"type": "object", "additionalProperties": false, "required": ["weather"], "properties": {"weather": {"type": "string"}}}), ".properties.weather:")]
#[case(json!({"type": "object", "additionalProperties": false, "required": ["a"], "properties": {"a": {"type": "object", "additionalProperties": false, "required": ["sentiment"], "properties": {"sentiment": {"type": "number"}}}}}), ".properties.a.properties.sentiment:")]
#[case(json!({"type": "object", "additionalProperties": false, "required": ["entities"], "properties": {"entities": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["value"], "properties": {"value": {"type": "string"}}}}}}), ".properties.entities.properties.value:")]
#[case(json!({"$ref": "#"}), "nested too deeply")]
#[case(json!({"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": vec![json!({"$ref": "#/$defs/A"}); 8]}}}), "more options than")]
#[case(json!({"type": "object", "properties": {}}), ": For 'object' type, 'additionalProperties' must be")]
#[case(json!({"type": "array", "maxItems": 3, "items": {"type": "string"}}), ": For 'array' type, property 'maxItems' is not supported")]
#[case(json!({"type": "array", "minItems": 2, "items": {"type": "string"}}), ": For 'array' type, 'minItems' values")]
#[case(json!({"type": "object", "additionalProperties": false, "properties": {"title": {"type": "string", "maxLength": 5}}}), ": For 'string' type, property 'maxLength'")]
#[case(json!({"type": "object", "additionalProperties": false, "properties": {"title": {"$ref": "#/$defs/T"}}, "$defs": {"T": {"type": "string", "pattern": "^X"}}}), "cannot keep to a 'pattern'")]
#[tokio::test]
async fn a_schema_that_asks_for_more_is_refused_by_name(
    #[case] schema: Value,
    #[case] named: &str,
) {
    let answer = post(&body(Some(schema))).await;
    let error = answer.json();
    // An object without `properties` of a list's items names the list alone.
    assert_eq!(
        (answer.status.as_u16(), error["error"]["type"].as_str()),
        (400, Some("invalid_request_error")),
        "{error}"
    );
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("output_config.format.schema") && message.contains(named),
        "{message}"
    );
    assert_eq!(error["request_id"], answer.header("request-id"));
}

#[tokio::test]
async fn without_a_schema_it_answers_in_prose_and_says_what_it_is() {
    let answer = post(&body(None)).await.json();
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("rules stand in for a model") && text.contains("[EMAIL_1]"),
        "{text}"
    );
}

#[tokio::test]
async fn a_forced_tool_gets_its_input() {
    let mut body = body(None);
    body["tools"] = json!([{"name": "json", "input_schema": schema()}]);
    body["tool_choice"] = json!({"type": "tool", "name": "json"});
    let answer = post(&body).await.json();
    assert_eq!(answer["stop_reason"], "tool_use");
    assert_eq!(answer["content"][0]["input"]["labels"], json!(["payments"]));
}

#[tokio::test]
async fn a_stream_has_the_events_in_order_and_the_same_text() {
    let mut body = body(Some(schema()));
    let whole = post(&body).await.json()["content"][0]["text"].clone();
    body["stream"] = json!(true);
    let answer = post(&body).await;
    assert!(
        answer
            .header("content-type")
            .starts_with("text/event-stream")
    );
    let mut names: Vec<&str> = answer
        .text
        .lines()
        .filter_map(|l| l.strip_prefix("event: "))
        .collect();
    names.dedup();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    let text: String = answer
        .text
        .lines()
        .filter_map(|l| l.strip_prefix("data: "))
        .map(|data| serde_json::from_str::<Value>(data).unwrap())
        .filter_map(|event| event["delta"]["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(json!(text), whole);
}

#[tokio::test]
async fn too_few_tokens_cut_the_answer() {
    let mut body = body(Some(schema()));
    body["max_tokens"] = json!(5);
    let answer = post(&body).await.json();
    assert_eq!(answer["stop_reason"], "max_tokens");
    assert_eq!(answer["usage"]["output_tokens"], 5);
}

#[rstest]
#[case(&[("anthropic-version", "2023-06-01")], 401, "authentication_error", "x-api-key header is required")]
#[case(&[("x-api-key", "wrong"), ("anthropic-version", "2023-06-01")], 401, "authentication_error", "invalid x-api-key")]
#[case(&[("authorization", "Bearer wrong"), ("anthropic-version", "2023-06-01")], 401, "authentication_error", "invalid bearer token")]
#[case(&[("x-api-key", ANTHROPIC)], 400, "invalid_request_error", "anthropic-version: header is required")]
#[case(&[("x-api-key", ANTHROPIC), ("anthropic-version", "latest")], 400, "invalid_request_error", "anthropic-version: \"latest\" is not a valid version")]
#[tokio::test]
async fn key_and_version_are_checked(
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
    #[case] kind: &str,
    #[case] message: &str,
) {
    let (router, feed, _) = lab();
    let answer = send(
        &router,
        request(
            Method::POST,
            "/v1/messages",
            headers,
            &body(None).to_string(),
        ),
    )
    .await;
    assert_eq!(answer.status.as_u16(), status);
    assert_eq!(
        answer.json()["error"],
        json!({"type": kind, "message": message})
    );
    assert_eq!(requests(&feed)[0].error.as_deref(), Some(message));
}

#[tokio::test]
async fn a_bearer_key_and_a_newer_version_are_welcome() {
    let (router, feed, _) = lab();
    let bearer = format!("Bearer {ANTHROPIC}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("anthropic-version", "2026-10-21"),
    ];
    let answer = send(
        &router,
        request(
            Method::POST,
            "/v1/messages",
            &headers,
            &body(None).to_string(),
        ),
    )
    .await;
    assert_eq!(answer.status, 200);
    let seen = requests(&feed);
    assert_eq!(seen[0].operation, "messages");
    assert_eq!(
        seen[0].credential,
        Some(Fingerprint::of(ANTHROPIC.as_bytes()))
    );
}

#[rstest]
#[case("{", 400, "not valid JSON")]
#[case("[]", 400, "must be a JSON object")]
#[case(r#"{"max_tokens":1,"messages":[]}"#, 400, "model: Field required")]
#[case(
    r#"{"model":"gpt-x","max_tokens":1,"messages":[{"role":"user","content":"x"}]}"#,
    404,
    "model: gpt-x"
)]
#[case(
    r#"{"model":"claude-nonsense-9","max_tokens":1,"messages":[{"role":"user","content":"x"}]}"#,
    404,
    "model: claude-nonsense-9"
)]
#[case(
    r#"{"model":"claude-haiku-9","messages":[{"role":"user","content":"x"}]}"#,
    400,
    "max_tokens: Field required"
)]
#[case(
    r#"{"model":"claude-haiku-9","max_tokens":0,"messages":[{"role":"user","content":"x"}]}"#,
    400,
    "max_tokens: Input"
)]
#[case(
    r#"{"model":"claude-haiku-9","max_tokens":1}"#,
    400,
    "messages: Field required"
)]
#[case(
    r#"{"model":"claude-haiku-9","max_tokens":1,"messages":[]}"#,
    400,
    "messages: at least one"
)]
#[case(
    r#"{"model":"claude-haiku-9","max_tokens":1,"messages":[{"role":"cat","content":"x"}]}"#,
    400,
    "messages.0.role:"
)]
#[case(
    r#"{"model":"claude-haiku-9","max_tokens":1,"messages":[{"role":"user"}]}"#,
    400,
    "messages.0.content: Field required"
)]
#[case(r#"{"model":"claude-haiku-9","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image"}]}]}"#, 400, "messages.0.content.0.type:")]
#[case(r#"{"model":"claude-haiku-9","max_tokens":1,"messages":[{"role":"user","content":"x"}],"output_config":{"format":{"type":"xml"}}}"#, 400, "output_config.format.type:")]
#[case(r#"{"model":"claude-haiku-9","max_tokens":1,"messages":[{"role":"user","content":"x"}],"stream":"yes"}"#, 400, "stream:")]
#[tokio::test]
async fn requests_that_are_wrong_are_told_where(
    #[case] body: &str,
    #[case] status: u16,
    #[case] message: &str,
) {
    let (router, _, _) = lab();
    let answer = send(
        &router,
        request(Method::POST, "/v1/messages", HEADERS, body),
    )
    .await;
    assert_eq!(answer.status.as_u16(), status);
    let error = answer.json();
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains(message),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_too_long_is_refused_and_not_read() {
    let long = body(None)
        .to_string()
        .replace("charged", &"x".repeat(4 << 20));
    let (router, _, _) = lab();
    let answer = send(
        &router,
        request(Method::POST, "/v1/messages", HEADERS, &long),
    )
    .await;
    assert!(
        answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("prompt is too long:")
    );
    let longer = "x".repeat((32 << 20) + 1);
    let answer = send(
        &router,
        request(Method::POST, "/v1/messages", HEADERS, &longer),
    )
    .await;
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.json()["error"]["type"].as_str()
        ),
        (413, Some("request_too_large"))
    );
}

#[tokio::test]
async fn models_tokens_and_unknown_paths() {
    let (router, _, faults) = lab();
    let models = send(&router, request(Method::GET, "/v1/models", HEADERS, ""))
        .await
        .json();
    assert!(
        models["data"][0]["display_name"]
            .as_str()
            .unwrap()
            .contains("not a model")
    );
    let one = send(
        &router,
        request(Method::GET, "/v1/models/claude-haiku-4-5", HEADERS, ""),
    )
    .await;
    assert_eq!(one.json()["type"], "model");
    let counted = send(
        &router,
        request(
            Method::POST,
            "/v1/messages/count_tokens",
            HEADERS,
            &body(None).to_string(),
        ),
    )
    .await;
    let used = post(&body(None)).await.json()["usage"]["input_tokens"].clone();
    assert_eq!(counted.json()["input_tokens"], used);
    assert!(used.as_u64().unwrap() > 10);
    let lost = send(&router, request(Method::POST, "/messages", HEADERS, "{}")).await;
    assert_eq!(
        (lost.status.as_u16(), lost.json()["error"]["type"].as_str()),
        (404, Some("not_found_error"))
    );
    faults.push(Fault::status(529));
    let busy = send(&router, request(Method::GET, "/v1/models", HEADERS, "")).await;
    assert_eq!(
        (
            busy.status.as_u16(),
            busy.json()["error"]["message"].as_str()
        ),
        (529, Some("Overloaded"))
    );
}

#[tokio::test]
async fn what_is_wrong_is_quoted_in_a_few_words_however_long_it_was() {
    let (router, feed, _) = lab();
    let mut body = body(None);
    body["model"] = json!("x".repeat(1 << 20));
    let sent = request(Method::POST, "/v1/messages", HEADERS, &body.to_string());
    let answer = send(&router, sent).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.len() < 2_000, "{}", answer.text.len());
    let told = format!("{:?}", requests(&feed));
    assert!(told.len() < 2_000, "{}", told.len());
}
