//! Stand-in for Anthropic's Messages API, with the rule-based [`recogniser`] where the model would
//! be. It never pretends to be one: `model` in every answer says what answered.
//!
//! Structured output (`output_config.format`, or a forced tool, as the AI SDK does for models it
//! does not know) is filled where rules can fill it; a schema that asks for more is refused with
//! the property's name. Must not keep anything of what it reads.

mod answer;
mod error;
mod fill;
pub mod recogniser;
mod request;

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::json;

use crate::{
    protocol::{observed::Upstream, secret::Secret},
    support::ids::Ids,
};

use self::{
    answer::Answer,
    error::ApiError,
    request::{Delivery, MessagesRequest},
};
use super::{
    faults::Faults,
    feed::Feed,
    observe::{Noted, bearer},
    stand_in,
};

pub use self::error::body_for_status as error_body;

/// The service's own limit.
const LONGEST_REQUEST: usize = 32 << 20;
/// A text longer than this is not read on the thread that serves others.
const SHORT_TEXT: usize = 8 << 10;
/// The models that the list names; others of their families are answered too.
const MODELS: &[(&str, &str)] = &[
    ("claude-haiku-4-5", "Claude Haiku 4.5"),
    ("claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
    ("claude-sonnet-4-5", "Claude Sonnet 4.5"),
];

/// What the stand-in needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The `sk-ant-…` key that is accepted.
    pub api_key: Secret,
    /// Where requests are told.
    pub feed: Feed,
    /// Scripted faults; made with [`error_body`].
    pub faults: Faults,
    /// Names messages and requests.
    pub ids: Ids,
}

#[derive(Debug)]
struct Service {
    api_key: Secret,
    ids: Ids,
}

/// The stand-in, complete with feed and fault script.
pub fn router(config: Config) -> Router {
    let Config {
        api_key,
        feed,
        faults,
        ids,
    } = config;
    let service = Arc::new(Service { api_key, ids });
    let routes = Router::new()
        .route("/v1/messages", post(messages))
        .route("/v1/messages/count_tokens", post(count_tokens))
        .route("/v1/models", get(models))
        .route("/v1/models/{model}", get(model))
        .fallback(|| async { ApiError::not_found("Not found").into_response() })
        .method_not_allowed_fallback(|| async { ApiError::method_not_allowed().into_response() })
        .layer(DefaultBodyLimit::max(LONGEST_REQUEST))
        .layer(middleware::from_fn_with_state(service.clone(), admit))
        .with_state(service);
    stand_in(routes, Upstream::Anthropic, &feed, &faults)
}

/// What model names an answer carries.
#[must_use]
pub fn stand_in_model(asked: &str) -> String {
    format!("{asked} (hoptrail lab: rules, not a model)")
}

/// Names the request, checks key and version, puts the request's name into errors.
async fn admit(
    State(service): State<Arc<Service>>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let request_id = format!("req_{}", service.ids.short());
    let mut response = match service.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        let mut named = (error.status(), Json(error.body(Some(&request_id)))).into_response();
        let noted = response
            .extensions_mut()
            .remove::<Noted>()
            .unwrap_or_default();
        named.extensions_mut().insert(noted.error(error.message()));
        response = named;
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("request-id", value);
    }
    response
}

impl Service {
    fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or_default());
        let fits = |key: &str| self.api_key.is(key);
        match (text("x-api-key"), text(header::AUTHORIZATION.as_str())) {
            (Some(key), _) if fits(key) => {}
            (Some(_), _) => return Err(ApiError::unauthenticated("invalid x-api-key")),
            (None, Some(value)) if bearer(value).is_some_and(fits) => {}
            (None, Some(_)) => return Err(ApiError::unauthenticated("invalid bearer token")),
            (None, None) => {
                return Err(ApiError::unauthenticated("x-api-key header is required"));
            }
        }
        match text("anthropic-version") {
            None => Err(ApiError::invalid("anthropic-version: header is required")),
            Some(version) if is_date(version) => Ok(()),
            Some(version) => Err(ApiError::invalid(format!(
                "anthropic-version: \"{version}\" is not a valid version"
            ))),
        }
    }
}

/// Versions are dates; which of them exist is not for the stand-in to know.
fn is_date(version: &str) -> bool {
    chrono::NaiveDate::parse_from_str(version, "%Y-%m-%d").is_ok() && version.len() == 10
}

async fn messages(
    State(service): State<Arc<Service>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let mut response = match answer_messages(&service, body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    };
    response
        .extensions_mut()
        .insert(Noted::operation("messages"));
    response
}

async fn answer_messages(
    service: &Service,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let request = MessagesRequest::read(&body.map_err(|e| ApiError::unreadable(&e))?)?;
    let max_tokens = request.max_tokens()?;
    let id = format!("msg_01{}", service.ids.short());
    let delivery = request.delivery;
    let answer = if request.text_length() > SHORT_TEXT {
        tokio::task::spawn_blocking(move || Answer::make(&request, id, max_tokens))
            .await
            .map_err(|_| ApiError::internal())?
    } else {
        Answer::make(&request, id, max_tokens)
    }?;
    Ok(match delivery {
        Delivery::Whole => Json(answer.json()).into_response(),
        Delivery::Stream => (
            [
                (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
                (header::CACHE_CONTROL, "no-cache"),
            ],
            answer.events(),
        )
            .into_response(),
    })
}

async fn count_tokens(body: Result<Bytes, BytesRejection>) -> Response {
    let counted = body
        .map_err(|error| ApiError::unreadable(&error))
        .and_then(|body| {
            let request = MessagesRequest::read(&body)?;
            Ok(request.input_tokens)
        });
    let mut response = match counted {
        Ok(input_tokens) => Json(json!({ "input_tokens": input_tokens })).into_response(),
        Err(error) => error.into_response(),
    };
    response
        .extensions_mut()
        .insert(Noted::operation("count_tokens"));
    response
}

fn model_json(id: &str, name: &str) -> serde_json::Value {
    json!({
        "type": "model",
        "id": id,
        "display_name": format!("{name} (hoptrail lab: rules, not a model)"),
        "created_at": "2025-10-01T00:00:00Z",
    })
}

async fn models() -> Response {
    let data: Vec<_> = MODELS
        .iter()
        .map(|(id, name)| model_json(id, name))
        .collect();
    let (first, last) = (MODELS.first(), MODELS.last());
    let mut response = Json(json!({
        "data": data,
        "has_more": false,
        "first_id": first.map(|(id, _)| id),
        "last_id": last.map(|(id, _)| id),
    }))
    .into_response();
    response.extensions_mut().insert(Noted::operation("models"));
    response
}

async fn model(Path(asked): Path<String>) -> Response {
    let mut response = match MODELS.iter().find(|(id, _)| *id == asked) {
        Some((id, name)) => Json(model_json(id, name)).into_response(),
        None => ApiError::not_found(format!("model: {asked}")).into_response(),
    };
    response.extensions_mut().insert(Noted::operation("models"));
    response
}
