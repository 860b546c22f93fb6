//! Token exchange (RFC 8693): the caller's token for a credential of one service.
//!
//! Nothing is ever cached: a grant that was revoked, or a policy that was activated, counts on the
//! very next call. What passes through our hands is zeroed afterwards; copies in the HTTP client's
//! own buffers are beyond our reach.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{
    discovery::Discovery,
    http::{Answer, Http, SMALL_BODY, send, sensitive, trace_header},
    settings::{Address, Application},
};
use crate::{
    protocol::{
        basic,
        oauth::{
            ErrorCode, ErrorResponse, GRANT_TOKEN_EXCHANGE, TOKEN_TYPE_ACCESS_TOKEN, TokenResponse,
        },
        observed::{StepOutcome, Upstream},
        secret::Secret,
        traceparent::TraceParent,
    },
    support::error::{Exit, Failure},
};

pub(super) struct Exchanger {
    http: Http,
    discovery: Arc<Discovery>,
    client_id: String,
    basic: HeaderValue,
}

/// What a credential is wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub upstream: Upstream,
    /// The service as the zone knows it.
    pub resource: &'a Address,
    /// A vault resource has none, and then none is sent.
    pub scope: Option<&'a str>,
}

/// Why no credential was issued.
#[derive(Debug)]
pub(super) struct NotIssued {
    pub failure: Failure,
    /// Refused by the zone, or failed on the way.
    pub outcome: StepOutcome,
    /// The zone's own words, for the trace.
    pub detail: String,
}

/// The error of a token endpoint; `error` is all that RFC 6749, section 5.2, insists on.
#[derive(Deserialize)]
struct MaybeError {
    #[serde(default)]
    error: Option<serde_json::Value>,
}

/// The name that a service has at the zone and in the audit log.
pub(super) const fn resource_name(upstream: Upstream) -> &'static str {
    match upstream {
        Upstream::Supabase => "Supabase Database",
        Upstream::Anthropic => "Anthropic API",
        Upstream::Linear => "Linear API",
    }
}

const fn variable(upstream: Upstream) -> &'static str {
    match upstream {
        Upstream::Supabase => "SUPABASE_URL",
        Upstream::Anthropic => "ANTHROPIC_API_URL",
        Upstream::Linear => "LINEAR_API_URL",
    }
}

/// `Linear API (scope write)`.
pub(super) fn wanted(upstream: Upstream, scope: Option<&str>) -> String {
    let name = resource_name(upstream);
    scope.map_or_else(
        || name.to_owned(),
        |scope| format!("{name} (scope {scope})"),
    )
}

impl Exchanger {
    pub fn new(
        http: Http,
        discovery: Arc<Discovery>,
        application: &Application,
    ) -> Result<Self, Failure> {
        let pair = basic::plain(&application.client_id, &application.client_secret);
        let value = Zeroizing::new(format!("Basic {}", pair.expose()));
        let basic = sensitive(&value).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                "KEYCARD_CLIENT_SECRET is malformed",
                "it does not fit into a header",
                "copy the secret again from the console",
            )
        })?;
        Ok(Self {
            http,
            discovery,
            client_id: application.client_id.clone(),
            basic,
        })
    }

    /// One exchange of `subject` for what is `wish`ed.
    pub async fn exchange(
        &self,
        subject: &Secret,
        wish: Wish<'_>,
        hop: TraceParent,
        limit: Duration,
    ) -> Result<Secret, NotIssued> {
        let Wish {
            upstream, scope, ..
        } = wish;
        let asked = wanted(upstream, scope);
        let failed = |why: String, next: &str| NotIssued {
            detail: why.clone(),
            outcome: StepOutcome::Failed,
            failure: Failure::new(
                Exit::Unreachable,
                format!("No credential for {asked} could be asked for"),
                why,
                next,
            ),
        };
        let unusable = |failure: Failure| failed(failure.why, &failure.next);
        let metadata = self.discovery.metadata().await.map_err(unusable)?;
        let endpoint = metadata.token_endpoint().map_err(unusable)?;

        let form = form(subject, wish);
        let (trace_name, trace_value) = trace_header(hop);
        let request = self
            .http
            .post(endpoint.as_str())
            .header(AUTHORIZATION, self.basic.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(trace_name, trace_value)
            .body(form);
        let answer = send(request, limit, SMALL_BODY).await.map_err(|trouble| {
            failed(
                format!("the zone at {endpoint}: {trouble}"),
                "check that the zone is up, then call the tool again",
            )
        })?;

        let says_error = answer
            .json::<MaybeError>()
            .is_ok_and(|body| body.error.is_some());
        if answer.status.is_success() && !says_error {
            return match answer.json::<TokenResponse>() {
                Ok(token) if !token.access_token.expose().is_empty() => Ok(token.access_token),
                // The body might still hold a credential in another place: it is not quoted.
                _ => Err(failed(
                    format!(
                        "the zone answered {} without an access_token",
                        answer.status
                    ),
                    "ask who runs the zone; its token endpoint does not follow RFC 6749",
                )),
            };
        }
        Err(match answer.json::<ErrorResponse>() {
            Ok(error) => self.not_issued(wish, &error, &answer),
            Err(_) => failed(
                format!("the zone answered {}: {}", answer.status, answer.quote()),
                "check that KEYCARD_URL is a zone's issuer, and that the zone is up",
            ),
        })
    }

    /// What the zone's error tells. One that could not answer has refused nothing.
    fn not_issued(&self, wish: Wish<'_>, error: &ErrorResponse, answer: &Answer) -> NotIssued {
        let Wish {
            upstream, scope, ..
        } = wish;
        let code = answer.quoted(&error.error);
        let said = error.error_description.as_deref();
        let said = said.map(|said| answer.quoted(said));
        let why = match &said {
            Some(said) => said.clone(),
            None => format!("it gave the error {code} and no reason"),
        };
        let name = resource_name(upstream);
        let by_policy = said.as_deref().is_some_and(|text| {
            text.contains("denied by policy") || text.contains("is denied by Policy")
        });
        let next = match code.as_str() {
            "access_denied" if by_policy => {
                "A policy of the zone decided this, so neither another \
                sign-in nor another scope will help. Ask who runs the zone if it should be allowed."
                    .to_owned()
            }
            "access_denied" => format!(
                "Make {name} a dependency of the application {} at the zone.",
                self.client_id
            ),
            "insufficient_authorization" => {
                format!("Sign in again and consent to {name}, then call the tool again.")
            }
            "invalid_target" => format!(
                "Compare {} with the resource's identifier at the zone, character by character; if they \
                 are the same, see that the zone's vault holds the key of {name}.",
                variable(upstream)
            ),
            "invalid_grant" => "Sign in again. If that does not help, check at the zone that the \
                resource in MCP_RESOURCE_URL is provided by the application in KEYCARD_CLIENT_ID."
                .to_owned(),
            "invalid_client" | "unauthorized_client" => "Make new credentials for the application \
                at the zone, set KEYCARD_CLIENT_ID and KEYCARD_CLIENT_SECRET, and start the server \
                again."
                .to_owned(),
            "invalid_scope" => format!(
                "Add the scope {} to {name} at the zone.",
                scope.unwrap_or("that was asked for")
            ),
            code if ErrorCode::is_own_fault(code) => {
                "Check that the zone is up and look at its audit log, then call the tool again."
                    .to_owned()
            }
            _ => "Look at the zone's audit log for this call.".to_owned(),
        };
        let broke = answer.status.is_server_error() || ErrorCode::is_own_fault(&code);
        let (outcome, exit, did) = if broke {
            (StepOutcome::Failed, Exit::Unreachable, "issued no")
        } else {
            (StepOutcome::Refused, Exit::Refused, "refused a")
        };
        NotIssued {
            detail: format!("{code}: {why}"),
            outcome,
            failure: Failure::new(
                exit,
                format!("The zone {did} credential for {}", wanted(upstream, scope)),
                why,
                next,
            ),
        }
    }
}

fn form(subject: &Secret, wish: Wish<'_>) -> Bytes {
    // Room enough that the text never moves and leaves a copy of the token behind.
    let room = 3 * subject.expose().len() + 1024;
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(room));
    form.append_pair("grant_type", GRANT_TOKEN_EXCHANGE)
        .append_pair("subject_token", subject.expose())
        .append_pair("subject_token_type", TOKEN_TYPE_ACCESS_TOKEN)
        .append_pair("resource", &wish.resource.text);
    if let Some(scope) = wish.scope {
        form.append_pair("scope", scope);
    }
    Bytes::from_owner(Zeroizing::new(form.finish().into_bytes()))
}
