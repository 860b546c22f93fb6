//! The management API as its caller sees it.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use hoptrail::zone::Zone;
use serde_json::Value;
use tower::ServiceExt as _;

/// The API as its caller sees it.
pub struct Api {
    pub router: Router,
    pub token: String,
}

impl Api {
    pub async fn of(zone: &Zone) -> Self {
        let router = zone.router();
        let credential = zone.console_credential();
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            credential.client_id.replace(':', "%3A"),
            credential.client_secret.expose()
        );
        let answer = router
            .clone()
            .oneshot(
                Request::post("/service-account-token")
                    .header(header::HOST, "127.0.0.1:4100")
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(Body::from(form))
                    .unwrap(),
            )
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let body: Value =
            serde_json::from_slice(&to_bytes(answer.into_body(), 9_999).await.unwrap()).unwrap();
        let token = body["access_token"].as_str().unwrap().to_owned();
        Self { router, token }
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:4100")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::ACCEPT, "application/json");
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 9_999_999).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let (status, body) = self.send("GET", path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        serde_json::from_value(body).unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.send("POST", path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{path}: {body}");
        body
    }
}
