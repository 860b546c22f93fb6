//! The two documents that anyone may read: what this server is (RFC 9728), and the zone's metadata
//! for clients that look for it here.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use tower_http::cors::{Any, CorsLayer};
use url::Url;

use super::{
    discovery::Discovery,
    settings::{Address, Gate, MCP_PATH},
};
use crate::protocol::oauth::{
    ProtectedResourceMetadata, WELL_KNOWN_AUTHORIZATION_SERVER, WELL_KNOWN_PROTECTED_RESOURCE,
};

/// What a client may ask for. `write` is not among them: nobody should hold it by default.
const SCOPES: [&str; 2] = ["read", "issues:create"];
const NAME: &str = "Support Escalation MCP";

struct Documents {
    zone: Arc<Discovery>,
    resource: Address,
    described: ProtectedResourceMetadata,
}

/// Where the resource's metadata is: RFC 9728, section 3.1, puts the well-known part before the path.
pub(super) fn url(resource: &Address) -> String {
    let mut url = resource.url.clone();
    url.set_path(&format!(
        "{WELL_KNOWN_PROTECTED_RESOURCE}{}",
        resource.url.path()
    ));
    url.to_string()
}

/// Serves both documents, readable from any web page.
pub(super) fn router(gate: &Gate, zone: Arc<Discovery>) -> Router {
    let documents = Documents {
        zone,
        resource: gate.resource.clone(),
        // The workshop's SDK builds `resource` from the Host header. A client that called
        // 127.0.0.1 is then sent to the zone for a resource that the zone does not know. Ours is
        // MCP_RESOURCE_URL, the only audience that the bearer check accepts: a client that came
        // by another name learns here, at the first step, which name is the right one.
        described: ProtectedResourceMetadata {
            resource: gate.resource.text.clone(),
            authorization_servers: vec![gate.zone.text.clone()],
            scopes_supported: SCOPES.map(str::to_owned).to_vec(),
            resource_name: Some(NAME.to_owned()),
        },
    };
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET])
        .allow_headers(Any);
    let mut router = Router::new()
        .route(WELL_KNOWN_PROTECTED_RESOURCE, get(describe))
        .route(
            &format!("{WELL_KNOWN_PROTECTED_RESOURCE}{MCP_PATH}"),
            get(describe),
        )
        .route(WELL_KNOWN_AUTHORIZATION_SERVER, get(forward));
    let path = gate.resource.url.path();
    let plain = path.chars().all(|c| !matches!(c, '{' | '}'));
    if !matches!(path, "/" | MCP_PATH) && plain {
        router = router.route(
            &format!("{WELL_KNOWN_PROTECTED_RESOURCE}{path}"),
            get(describe),
        );
    }
    router.layer(cors).with_state(Arc::new(documents))
}

async fn describe(State(documents): State<Arc<Documents>>) -> Json<ProtectedResourceMetadata> {
    Json(documents.described.clone())
}

/// The zone's metadata, for clients from before RFC 9728 that ask the server itself.
async fn forward(State(documents): State<Arc<Documents>>) -> Response {
    let mut metadata = match documents.zone.metadata().await {
        Ok(known) => known.document.clone(),
        Err(failure) => {
            tracing::warn!(%failure, "the zone gave no metadata");
            let body = Json(json!({"error": "Failed to fetch AS metadata from issuer"}));
            return (StatusCode::BAD_GATEWAY, body).into_response();
        }
    };
    if let Some(Value::String(endpoint)) = metadata.get_mut("authorization_endpoint")
        && let Ok(mut url) = Url::parse(endpoint)
    {
        let origin = documents.resource.url.origin().ascii_serialization();
        url.query_pairs_mut().append_pair("resource", &origin);
        *endpoint = url.into();
    }
    Json(metadata).into_response()
}
