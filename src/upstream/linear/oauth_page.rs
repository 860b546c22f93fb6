//! The page on which a person lets an application act as them: `/oauth/authorize` (RFC 6749,
//! section 4.1).
//!
//! Ours: there are no passwords, one says who one is. Programs get the same page as a
//! [`PageForm`] (`Accept: application/json`).

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use axum::{
    Json,
    extract::{Form, Query, State, rejection::FormRejection, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use url::Url;

use super::{
    Inner,
    access::{Scopes, UnknownScope},
    html::{Width, escape, page},
    workspace::{Member, WORKSPACE_NAME},
};
use crate::protocol::{
    oauth::{ErrorCode, ErrorResponse},
    page::{PageChoice, PageDetail, PageForm, PageKind, PageMethod},
};

/// The request's parameters.
#[derive(Debug, Deserialize)]
pub struct Parameters {
    client_id: Option<String>,
    redirect_uri: Option<String>,
    response_type: Option<String>,
    scope: Option<String>,
    state: Option<String>,
    actor: Option<String>,
    login_hint: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// The person's answer.
#[derive(Debug, Deserialize)]
pub struct Answer {
    request: String,
    person: Option<String>,
    decision: Decision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Allow,
    Deny,
}

/// `GET /oauth/authorize`: shows the page, or says why not.
pub async fn ask(
    State(lab): State<Arc<Inner>>,
    headers: HeaderMap,
    query: Result<Query<Parameters>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = query else {
        return stop(
            &headers,
            ErrorCode::InvalidRequest,
            "A parameter was given twice.",
        );
    };
    // RFC 6749, section 4.1.2.1: without a known client and redirect there is nowhere to send an
    // error, so the person is told.
    if asked.client_id.as_deref() != Some(lab.oauth_client.id.as_str()) {
        return stop(
            &headers,
            ErrorCode::InvalidRequest,
            "This workspace does not know the application that sent you here.",
        );
    }
    let Some(redirect_uri) = asked
        .redirect_uri
        .filter(|uri| lab.oauth_client.redirect_uris.contains(uri))
    else {
        return stop(
            &headers,
            ErrorCode::InvalidRequest,
            "The address to return to is not one that the application registered.",
        );
    };
    let back = |code: ErrorCode, why: &str| {
        let pairs = [("error", code.as_str()), ("error_description", why)];
        send_back(&redirect_uri, &pairs, asked.state.as_deref())
    };
    match asked.response_type.as_deref() {
        Some("code") => {}
        Some(_) => {
            return back(
                ErrorCode::UnsupportedResponseType,
                "Only response_type=code is known here.",
            );
        }
        None => return back(ErrorCode::InvalidRequest, "The response_type is missing."),
    }
    let scopes = match Scopes::parse(asked.scope.as_deref().unwrap_or_default()) {
        Ok(scopes) => scopes,
        Err(UnknownScope(word)) => {
            let word = crate::support::text::one_line(&word);
            return back(
                ErrorCode::InvalidScope,
                &format!("The scope {word} is not known here."),
            );
        }
    };
    if !matches!(asked.actor.as_deref(), None | Some("user")) {
        return back(
            ErrorCode::InvalidRequest,
            "The stand-in knows actor=user only.",
        );
    }
    let challenge = match (asked.code_challenge, asked.code_challenge_method.as_deref()) {
        (None, None) => None,
        (Some(challenge), Some("S256")) if challenge.len() == 43 => Some(challenge),
        _ => {
            return back(
                ErrorCode::InvalidRequest,
                "PKCE needs a code_challenge and code_challenge_method=S256.",
            );
        }
    };
    let hint = asked.login_hint.as_deref().unwrap_or_default();
    let Some(proposed) = lab
        .workspace
        .people()
        .find(|member| {
            [
                &member.email,
                &member.display_name,
                &member.name,
                &member.id,
            ]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(hint))
        })
        .or_else(|| lab.workspace.people().next())
    else {
        return back(ErrorCode::AccessDenied, "Nobody can sign in here.");
    };
    let request = lab.ask(redirect_uri, scopes, asked.state, challenge);
    let form = form(&lab, request, scopes, proposed);
    if wants_json(&headers) {
        return ([(header::CACHE_CONTROL, "no-store")], Json(form)).into_response();
    }
    show(&lab, &form, scopes, proposed)
}

fn form(lab: &Inner, request: String, scopes: Scopes, proposed: &Member) -> PageForm {
    let button = |value: &str, label: &str, default| PageChoice {
        name: "decision".into(),
        value: value.into(),
        label: label.into(),
        default,
    };
    let mut details = vec![
        PageDetail {
            label: "Application".into(),
            value: lab.oauth_client.name.clone(),
        },
        PageDetail {
            label: "Acts as".into(),
            value: format!("{} <{}>", proposed.name, proposed.email),
        },
    ];
    details.extend(scopes.iter().map(|scope| PageDetail {
        label: scope.as_str().into(),
        value: scope.in_plain_words().into(),
    }));
    PageForm {
        page: PageKind::Consent,
        title: format!(
            "Allow {} to act as you in the workspace {WORKSPACE_NAME}?",
            lab.oauth_client.name
        ),
        action: format!("{}/oauth/authorize", lab.base_url),
        method: PageMethod::Post,
        fields: BTreeMap::from([
            ("request".into(), request),
            ("person".into(), proposed.id.clone()),
        ]),
        choices: vec![
            button("allow", "Allow", true),
            button("deny", "Deny", false),
        ],
        details,
    }
}

fn show(lab: &Inner, form: &PageForm, scopes: Scopes, proposed: &Member) -> Response {
    let mut body = String::new();
    let action = escape(&form.action);
    // Writing into a `String` cannot fail.
    let _ = write!(body, "<form method=\"post\" action=\"{action}\">");
    if let Some(request) = form.fields.get("request") {
        let _ = write!(
            body,
            "<input type=\"hidden\" name=\"request\" value=\"{}\">",
            escape(request)
        );
    }
    body.push_str("<fieldset><legend>Who are you?</legend>");
    for member in lab.workspace.people() {
        let checked = if member.id == proposed.id {
            " checked"
        } else {
            ""
        };
        let _ = write!(
            body,
            "<label><input type=\"radio\" name=\"person\" value=\"{}\"{checked}> \
             <span>{} <span class=\"soft\">{}</span></span></label>",
            escape(&member.id),
            escape(&member.name),
            escape(&member.email)
        );
    }
    let app = escape(&lab.oauth_client.name);
    let _ = write!(
        body,
        "</fieldset>\n<p>If you allow it, {app} can do this in your name:</p>\n<ul>"
    );
    for scope in scopes.iter() {
        let _ = write!(
            body,
            "<li>{} <code>{}</code></li>",
            scope.in_plain_words(),
            scope.as_str()
        );
    }
    body.push_str("</ul>\n<div class=\"buttons\">");
    for choice in &form.choices {
        let class = if choice.default { " class=\"yes\"" } else { "" };
        let _ = write!(
            body,
            "<button name=\"{}\" value=\"{}\"{class}>{}</button>",
            escape(&choice.name),
            escape(&choice.value),
            escape(&choice.label)
        );
    }
    body.push_str("</div></form>");
    page(StatusCode::OK, Width::Dialog, &form.title, &body)
}

/// `POST /oauth/authorize`: sends the person back with a code, or with their refusal.
pub async fn decide(
    State(lab): State<Arc<Inner>>,
    headers: HeaderMap,
    form: Result<Form<Answer>, FormRejection>,
) -> Response {
    let Ok(Form(answer)) = form else {
        return stop(
            &headers,
            ErrorCode::InvalidRequest,
            "That was not an answer to this page.",
        );
    };
    // Looked up before the request is used up, so that a wrong name can be put right.
    let person = match answer.person.as_deref() {
        Some(id) => lab.workspace.person(id),
        None => lab.workspace.people().next(),
    };
    let Some(person) = person else {
        return stop(
            &headers,
            ErrorCode::InvalidRequest,
            "Nobody of that name can sign in here.",
        );
    };
    let Some(asked) = lab.answered(&answer.request) else {
        return stop(
            &headers,
            ErrorCode::InvalidRequest,
            "This page was answered before or is too old. Start again from the application.",
        );
    };
    let state = asked.state.as_deref();
    match answer.decision {
        Decision::Allow => {
            let code = lab.code(&asked, person.id.clone());
            send_back(&asked.redirect_uri, &[("code", &code)], state)
        }
        Decision::Deny => {
            let pairs = [
                ("error", ErrorCode::AccessDenied.as_str()),
                ("error_description", "The person did not allow it."),
            ];
            send_back(&asked.redirect_uri, &pairs, state)
        }
    }
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.trim_start().starts_with("application/json"))
}

/// A redirect with `pairs` and the state added to the registered address.
fn send_back(redirect_uri: &str, pairs: &[(&str, &str)], state: Option<&str>) -> Response {
    let Ok(mut url) = Url::parse(redirect_uri) else {
        return stop(
            &HeaderMap::new(),
            ErrorCode::ServerError,
            "The application registered an address that is none.",
        );
    };
    url.query_pairs_mut()
        .extend_pairs(pairs.iter().copied())
        .extend_pairs(state.map(|state| ("state", state)));
    (
        // Not 302 or 307: the browser must not send the form along (RFC 9700, section 4.12).
        StatusCode::SEE_OTHER,
        [
            (header::LOCATION, url.as_str()),
            (header::CACHE_CONTROL, "no-store"),
        ],
    )
        .into_response()
}

/// The end of the road, told to the person.
fn stop(headers: &HeaderMap, code: ErrorCode, why: &str) -> Response {
    let status = match code {
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    if wants_json(headers) {
        let body = ErrorResponse {
            error: code.as_str().to_owned(),
            error_description: Some(why.to_owned()),
            error_uri: None,
        };
        return (status, Json(body)).into_response();
    }
    page(
        status,
        Width::Dialog,
        "This cannot go on",
        &format!("<p>{}</p>", escape(why)),
    )
}
