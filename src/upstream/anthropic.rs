//! temp
use super::{faults::Faults, feed::Feed};
use crate::{
    protocol::{observed::Upstream, secret::Secret},
    support::{clock::SharedClock, ids::Ids},
};
use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
pub struct Config {
    pub api_key: Secret,
    pub feed: Feed,
    pub faults: Faults,
    pub clock: SharedClock,
    pub ids: Ids,
}
pub fn error_body(_: http::StatusCode) -> Value {
    json!({})
}
pub fn router(c: Config) -> Router {
    let r = Router::new().route("/v1/messages", post(|| async { Json(json!({"type":"message","role":"assistant","model":"stub","content":[{"type":"text","text":"{\"title\":\"Retry charges card twice\",\"maskedText\":\"[NAME_1] was charged twice\",\"detectedEntities\":[{\"type\":\"NAME\",\"placeholder\":\"[NAME_1]\"}],\"labels\":[\"payments\"]}"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}})) }));
    super::stand_in(r, Upstream::Anthropic, &c.feed, &c.faults)
}
