//! temp
use super::people::Person;
use crate::{
    protocol::secret::Secret,
    support::{clock::SharedClock, ids::Ids},
};
use axum::{
    Json, Router,
    extract::Query,
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use serde_json::json;
use std::collections::HashMap;
pub struct OAuthClient {
    pub id: String,
    pub secret: Secret,
    pub redirect_uris: Vec<String>,
}
pub struct Config {
    pub base_url: String,
    pub people: &'static [Person],
    pub client: OAuthClient,
    pub clock: SharedClock,
    pub ids: Ids,
}
pub fn router(_c: Config) -> Router {
    Router::new().route("/login/oauth/authorize", get(|Query(q): Query<HashMap<String,String>>| async move { Redirect::to(&format!("{}?code=x&state={}", q["redirect_uri"], q["state"])).into_response() }))
     .route("/login/oauth/access_token", post(|| async { Json(json!({"access_token":"gho_x","token_type":"bearer","scope":""})) }))
     .route("/user", get(|| async { Json(json!({"id":9001,"login":"ada-lindqvist","name":"Ada Lindqvist","email":"ada@lab.example"})) }))
}
