//! Stand-ins for GitHub and Linear behind the zone.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse as _,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::{Barrier, Notify};

/// What the stand-ins were asked and what they answer.
#[derive(Debug, Default)]
pub struct Upstreams {
    pub linear_forms: Mutex<Vec<BTreeMap<String, String>>>,
    pub github_forms: Mutex<Vec<BTreeMap<String, String>>>,
    pub linear_answer: Mutex<Option<(u16, Value)>>,
    pub github_answer: Mutex<Option<Value>>,
    pub github_user: Mutex<Option<Value>>,
    meeting: Mutex<Option<Arc<Barrier>>>,
    linear_waits: Mutex<Option<Arc<Notify>>>,
}

impl Upstreams {
    /// From now on GitHub says who it is only when `many` have asked.
    pub fn meet_at_github(&self, many: usize) {
        *self.meeting.lock().unwrap() = Some(Arc::new(Barrier::new(many)));
    }

    /// The next who asks Linear gets an answer only when this is notified.
    pub fn hold_linear(&self) -> Arc<Notify> {
        let held = Arc::new(Notify::new());
        *self.linear_waits.lock().unwrap() = Some(held.clone());
        held
    }

    /// Serves both; gives their origin.
    pub async fn serve(self: Arc<Self>) -> String {
        let router = Router::new()
            .route("/login/oauth/access_token", post(github_token))
            .route("/user", get(github_user))
            .route("/oauth/token", post(linear_token))
            .with_state(self);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        origin
    }
}

async fn github_token(
    State(upstreams): State<Arc<Upstreams>>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Json<Value> {
    upstreams.github_forms.lock().unwrap().push(form);
    let set = upstreams.github_answer.lock().unwrap().clone();
    Json(set.unwrap_or_else(
        || json!({"access_token": "gho_token", "token_type": "bearer", "scope": "read:user"}),
    ))
}

async fn github_user(State(upstreams): State<Arc<Upstreams>>, headers: HeaderMap) -> Json<Value> {
    assert_eq!(headers[header::AUTHORIZATION], "Bearer gho_token");
    let meeting = upstreams.meeting.lock().unwrap().clone();
    if let Some(meeting) = meeting {
        meeting.wait().await;
    }
    let set = upstreams.github_user.lock().unwrap().clone();
    Json(set.unwrap_or_else(
        || json!({"login": "octavia", "id": 42, "name": "Octavia", "email": "octavia@example.com"}),
    ))
}

async fn linear_token(
    State(upstreams): State<Arc<Upstreams>>,
    Form(form): Form<BTreeMap<String, String>>,
) -> axum::response::Response {
    upstreams.linear_forms.lock().unwrap().push(form);
    let waits = upstreams.linear_waits.lock().unwrap().take();
    if let Some(waits) = waits {
        waits.notified().await;
    }
    let set = upstreams.linear_answer.lock().unwrap().clone();
    let (status, body) = set.unwrap_or_else(|| {
        (
            200,
            json!({"access_token": "lin_oauth_first", "token_type": "Bearer", "expires_in": 86_400,
                   "scope": "read write issues:create", "refresh_token": "lin_refresh_first"}),
        )
    });
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}
