//! The authorization server: registration, consent and tokens, checked as a real one would.

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::Shared;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/register", post(register))
        .route("/authorize", get(authorize))
        .route("/consent", post(consent))
        .route("/token", post(token))
        .with_state(shared)
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Response {
    let issuer = &shared.issuer;
    let script = shared.script.lock().unwrap();
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "registration_endpoint": format!("{issuer}/register"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["read", "issues:create", "write"],
        "authorization_response_iss_parameter_supported": true,
        "hoptrail_lab": true,
    });
    if let Some(edit) = &script.metadata {
        edit(&mut document);
    }
    Json(document).into_response()
}

async fn register(State(shared): State<Arc<Shared>>, Json(mut body): Json<Value>) -> Response {
    shared.saw(format!("register {body}"));
    if let Some(error) = scripted(shared.script.lock().unwrap().registration_error.as_ref()) {
        return error;
    }
    body["client_id"] = json!("client-of-the-workshop");
    (StatusCode::CREATED, Json(body)).into_response()
}

async fn authorize(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    shared.saw(format!("authorize {query:?}"));
    if let Some(error) = scripted(shared.script.lock().unwrap().page_error.as_ref()) {
        return error;
    }
    if shared.script.lock().unwrap().no_such_page {
        return "<html>sign in here</html>".into_response();
    }
    {
        let mut secrets = shared.secrets.lock().unwrap();
        secrets.push(query["state"].clone());
        secrets.push(query["code_challenge"].clone());
    }
    let csrf = shared.mint("csrf");
    let cookie = shared.mint("cookie");
    let form = json!({
        "page": "consent", "title": "Allow hoptrail?",
        "action": format!("{}/consent?next={csrf}", shared.issuer), "method": "POST",
        "fields": {
            "csrf": csrf, "redirect_uri": query["redirect_uri"], "state": query["state"],
            "code_challenge": query["code_challenge"], "cookie_was": cookie,
            "scope": query.get("scope").cloned().unwrap_or_default(),
        },
        "choices": [
            {"name": "decision", "value": "deny", "label": "Deny"},
            {"name": "decision", "value": "allow", "label": "Allow", "default": true},
        ],
    });
    (
        [(
            header::SET_COOKIE,
            format!("sid={cookie}; Path=/; HttpOnly"),
        )],
        Json(form),
    )
        .into_response()
}

async fn consent(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    assert_eq!(
        headers["cookie"].to_str().unwrap(),
        format!("sid={}", form["cookie_was"])
    );
    assert_eq!(headers["origin"].to_str().unwrap(), shared.issuer);
    let mut answer = url::form_urlencoded::Serializer::new(String::new());
    if form["decision"] == "allow" {
        let code = shared.mint("code");
        shared.grants.lock().unwrap().insert(
            code.clone(),
            (
                form["code_challenge"].clone(),
                form["redirect_uri"].clone(),
                form["scope"].clone(),
            ),
        );
        answer.append_pair("code", &code);
    } else {
        answer.append_pair("error", "access_denied");
        answer.append_pair("error_description", "the person said \u{1b}[31mno");
    }
    answer.append_pair("state", &form["state"]);
    answer.append_pair("iss", &shared.issuer);
    let mut query = answer.finish();
    if let Some(edit) = &shared.script.lock().unwrap().callback {
        query = edit(query);
    }
    (
        StatusCode::SEE_OTHER,
        [(
            header::LOCATION,
            format!("{}?{query}", form["redirect_uri"]),
        )],
    )
        .into_response()
}

async fn token(
    State(shared): State<Arc<Shared>>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    shared.saw(format!("token {}", form["grant_type"]));
    let waits = shared.script.lock().unwrap().token_waits;
    if waits {
        shared.token_asked.notify_one();
        shared.token_goes_on.notified().await;
    }
    let script = shared.script.lock().unwrap();
    if let Some(error) = scripted(script.token_error.as_ref()) {
        return error;
    }
    assert_eq!(form["resource"], shared.server);
    let scope = if form["grant_type"] == "authorization_code" {
        let verifier = &form["code_verifier"];
        shared.secrets.lock().unwrap().push(verifier.clone());
        let grant = shared.grants.lock().unwrap().remove(&form["code"]);
        let (challenge, redirect_uri, scope) = grant.expect("a code is used once");
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        assert_eq!(hash, challenge);
        assert_eq!(form["redirect_uri"], redirect_uri);
        scope
    } else {
        let mut live = shared.refresh.lock().unwrap();
        let known = live.iter().position(|one| *one == form["refresh_token"]);
        let Some(at) = known else {
            let spent = json!({"error": "invalid_grant", "error_description": "spent"});
            return (StatusCode::BAD_REQUEST, Json(spent)).into_response();
        };
        live.remove(at);
        "read issues:create".to_owned()
    };
    let access = shared.mint("access");
    let refresh = shared.mint("refresh");
    {
        let mut live = shared.access.lock().unwrap();
        live.clear();
        live.push(access.clone());
    }
    shared.refresh.lock().unwrap().push(refresh.clone());
    let mut answer = json!({
        "access_token": access, "token_type": "Bearer", "expires_in": 600,
        "refresh_token": refresh, "scope": scope,
    });
    if let Some(edit) = &script.token {
        edit(&mut answer);
    }
    Json(answer).into_response()
}

fn scripted(error: Option<&(u16, Value)>) -> Option<Response> {
    let (status, body) = error?;
    let status = StatusCode::from_u16(*status).unwrap();
    Some((status, Json(body.clone())).into_response())
}
