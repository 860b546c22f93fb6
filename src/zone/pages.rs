//! The pages that a person sees: sign-in, consent, error; each also as a [`PageForm`] for programs.
//!
//! Renders and escapes, decides nothing. No script, no foreign fonts, one embedded style sheet.

use std::{borrow::Cow, fmt::Write as _, sync::LazyLock};

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    protocol::{
        audit::CredentialSource,
        oauth::{ErrorCode, ErrorResponse},
        page::{PageChoice, PageDetail, PageForm, PageKind, PageMethod},
    },
    support::{digest::sha256, html::escape, text::one_line},
};

const LAYOUT: &str = include_str!("../../assets/zone/layout.html");
const STYLE: &str = include_str!("../../assets/zone/style.css");
const SIGN_IN: &str = include_str!("../../assets/zone/sign_in.html");
const CONSENT: &str = include_str!("../../assets/zone/consent.html");
const ERROR: &str = include_str!("../../assets/zone/error.html");

/// No `form-action`: Chromium applies it to the redirects that follow a form, and those lead to
/// whatever client or provider was registered.
static CONTENT_SECURITY_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(sha256(STYLE.as_bytes()));
    HeaderValue::try_from(format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'"
    ))
    .unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// Whether the asker wants a page to look at or one to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A browser: HTML.
    Person,
    /// `Accept: application/json`: the [`PageForm`] contract.
    Program,
}

impl Audience {
    /// From the `Accept` header: only who names JSON and not HTML is a program.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if accept.contains("application/json") && !accept.contains("text/html") {
            Self::Program
        } else {
            Self::Person
        }
    }
}

/// Where a page's form goes and what it carries along unseen.
#[derive(Debug, Clone)]
pub struct FormTarget {
    /// An absolute URL.
    pub action: String,
    /// The transaction's id.
    pub transaction: String,
    pub csrf: String,
    /// What the page says, so that nobody agrees to anything else.
    pub shown: Option<String>,
}

impl FormTarget {
    fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let shown = self.shown.as_deref().map(|shown| ("shown", shown));
        [
            ("transaction", self.transaction.as_str()),
            ("csrf", &self.csrf),
        ]
        .into_iter()
        .chain(shown)
    }

    fn hidden(&self) -> String {
        self.fields().fold(String::new(), |mut out, (name, value)| {
            let _ = write!(
                out,
                r#"<input type="hidden" name="{name}" value="{}">"#,
                escape(value)
            );
            out
        })
    }
}

/// The page that asks who is there.
#[derive(Debug, Clone)]
pub struct SignInPage {
    pub client_name: String,
    pub resource_name: String,
    /// The identity provider's name, such as `GitHub`.
    pub provider_name: String,
    pub target: FormTarget,
}

/// The page that asks whether a client may act for a person.
#[derive(Debug, Clone)]
pub struct ConsentPage {
    pub client_name: String,
    /// Host and port that the answer goes to.
    pub redirect_host: String,
    pub redirect_is_loopback: bool,
    /// The signed-in person's e-mail address.
    pub user_name: String,
    pub resource_name: String,
    pub resource_identifier: String,
    /// The scopes that the client asked for.
    pub scopes: Vec<String>,
    /// The application that provides the resource, if one does.
    pub application_name: Option<String>,
    pub dependencies: Vec<ConsentDependency>,
    pub target: FormTarget,
}

/// One thing that the application behind the resource uses on the person's behalf.
#[derive(Debug, Clone)]
pub struct ConsentDependency {
    pub name: String,
    pub kind: CredentialSource,
    /// The provider's name, such as `Linear`.
    pub provider_name: String,
    pub scopes: Vec<String>,
    /// True when the person must still sign in at the provider.
    pub sign_in_follows: bool,
}

impl ConsentDependency {
    fn in_plain_words(&self) -> String {
        match self.kind {
            CredentialSource::KeycardSts => "A token that this zone signs for you".into(),
            CredentialSource::KeycardVault => "A key that this zone keeps in its vault".into(),
            CredentialSource::External if self.sign_in_follows => format!(
                "Your own {0} account: {0} asks you next",
                self.provider_name
            ),
            CredentialSource::External => {
                format!("Your own {} account, already connected", self.provider_name)
            }
        }
    }
}

/// A page that ends the way.
#[derive(Debug, Clone)]
pub struct ErrorPage {
    pub status: StatusCode,
    pub code: ErrorCode,
    pub title: &'static str,
    pub description: String,
    pub next: &'static str,
}

impl SignInPage {
    /// As HTML or as a [`PageForm`].
    #[must_use]
    pub fn respond(&self, audience: Audience) -> Response {
        let title = "Sign in to continue";
        let label = format!("Continue with {}", self.provider_name);
        let provider_value = self.provider_name.to_lowercase();
        match audience {
            Audience::Program => form(PageForm {
                page: PageKind::SignIn,
                title: title.into(),
                action: self.target.action.clone(),
                method: PageMethod::Post,
                fields: owned(&self.target),
                choices: vec![choice("provider", &provider_value, &label, true)],
                details: vec![
                    detail("Client", &self.client_name),
                    detail("Resource", &self.resource_name),
                ],
            }),
            Audience::Person => page(
                StatusCode::OK,
                title,
                SIGN_IN,
                &[
                    ("title", title),
                    ("client", &one_line(&self.client_name)),
                    ("resource", &self.resource_name),
                    ("action", &self.target.action),
                    ("fields", &self.target.hidden()),
                    ("provider_value", &provider_value),
                    ("label", &label),
                ],
            ),
        }
    }
}

impl ConsentPage {
    /// As HTML or as a [`PageForm`].
    #[must_use]
    pub fn respond(&self, audience: Audience) -> Response {
        let title = format!("Allow {} to act for you?", one_line(&self.client_name));
        match audience {
            Audience::Program => form(PageForm {
                page: PageKind::Consent,
                title,
                action: self.target.action.clone(),
                method: PageMethod::Post,
                fields: owned(&self.target),
                choices: vec![
                    choice("decision", "allow", "Allow", true),
                    choice("decision", "deny", "Deny", false),
                ],
                details: self.details(),
            }),
            Audience::Person => page(
                StatusCode::OK,
                &title,
                CONSENT,
                &[
                    ("title", &title),
                    ("initial", &initial(&self.user_name)),
                    ("user", &one_line(&self.user_name)),
                    ("resource", &self.resource_name),
                    ("resource_identifier", &self.resource_identifier),
                    ("resource_scopes", &scope_list(&self.scopes)),
                    ("dependencies", &self.dependency_list()),
                    ("redirect_host", &one_line(&self.redirect_host)),
                    (
                        "redirect_note",
                        if self.redirect_is_loopback {
                            ", a program on this computer"
                        } else {
                            ""
                        },
                    ),
                    ("action", &self.target.action),
                    ("fields", &self.target.hidden()),
                ],
            ),
        }
    }

    fn details(&self) -> Vec<PageDetail> {
        let scoped = |text: &str, scopes: &[String]| {
            if scopes.is_empty() {
                text.to_owned()
            } else {
                format!("{text} ({})", scopes.join(" "))
            }
        };
        let mut details = vec![
            detail("Client", &self.client_name),
            detail("Redirect", &self.redirect_host),
            detail("Signed in as", &self.user_name),
            detail(
                "Resource",
                &scoped(
                    &format!("{}, {}", self.resource_name, self.resource_identifier),
                    &self.scopes,
                ),
            ),
        ];
        if let Some(application) = &self.application_name {
            details.push(detail("Application", application));
        }
        details.extend(self.dependencies.iter().map(|dependency| {
            detail(
                &dependency.name,
                &scoped(&dependency.in_plain_words(), &dependency.scopes),
            )
        }));
        details
    }

    fn dependency_list(&self) -> String {
        let mut out = String::new();
        let (Some(application), false) = (&self.application_name, self.dependencies.is_empty())
        else {
            return out;
        };
        let _ = write!(
            out,
            "<h2>Through it, {} may use for you</h2>\n<ul class=\"grants\">",
            escape(application)
        );
        for dependency in &self.dependencies {
            let _ = write!(
                out,
                "\n<li><b>{}</b><span class=\"kind\">{}</span>{}</li>",
                escape(&dependency.name),
                escape(&dependency.in_plain_words()),
                scope_list(&dependency.scopes)
            );
        }
        out.push_str("\n</ul>");
        out
    }
}

impl ErrorPage {
    /// As HTML or as an [`ErrorResponse`].
    #[must_use]
    pub fn respond(&self, audience: Audience) -> Response {
        match audience {
            Audience::Program => guarded(
                (
                    self.status,
                    Json(ErrorResponse {
                        error: self.code.as_str().into(),
                        error_description: Some(self.description.clone()),
                        error_uri: None,
                    }),
                )
                    .into_response(),
            ),
            Audience::Person => page(
                self.status,
                self.title,
                ERROR,
                &[
                    ("title", self.title),
                    ("description", &one_line(&self.description)),
                    ("next", self.next),
                    ("code", self.code.as_str()),
                ],
            ),
        }
    }
}

fn owned(target: &FormTarget) -> std::collections::BTreeMap<String, String> {
    target
        .fields()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn choice(name: &str, value: &str, label: &str, default: bool) -> PageChoice {
    PageChoice {
        name: name.into(),
        value: value.into(),
        label: label.into(),
        default,
    }
}

fn detail(label: &str, value: &str) -> PageDetail {
    PageDetail {
        label: one_line(label),
        value: one_line(value),
    }
}

fn initial(name: &str) -> String {
    name.chars()
        .find(|c| c.is_alphanumeric())
        .map_or_else(|| "?".into(), |c| c.to_uppercase().to_string())
}

fn scope_list(scopes: &[String]) -> String {
    if scopes.is_empty() {
        return String::new();
    }
    let mut out = String::from("<ul class=\"scopes\">");
    for scope in scopes {
        let _ = write!(out, "<li><code>{}</code></li>", escape(scope));
    }
    out.push_str("</ul>");
    out
}

fn form(form: PageForm) -> Response {
    guarded(Json(form).into_response())
}

fn page(status: StatusCode, title: &str, template: &str, values: &[(&str, &str)]) -> Response {
    let content = fill(template, values);
    let html = fill(
        LAYOUT,
        &[("title", title), ("style", STYLE), ("content", &content)],
    );
    guarded((status, Html(html)).into_response())
}

fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        CONTENT_SECURITY_POLICY.clone(),
    );
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: browsers then send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (header::VARY, "Accept"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Fills `{{name}}` with the escaped value and `{{{name}}}` with the value as it is.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + 256);
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        out.push_str(&rest[..start]);
        let raw = rest[start..].starts_with("{{{");
        let (open, close) = if raw { ("{{{", "}}}") } else { ("{{", "}}") };
        let inner = &rest[start + open.len()..];
        let Some(end) = inner.find(close) else {
            break;
        };
        let value = values
            .iter()
            .find(|(name, _)| *name == &inner[..end])
            .map_or("", |(_, value)| value);
        out.push_str(&if raw {
            Cow::Borrowed(value)
        } else {
            escape(value)
        });
        rest = &inner[end + close.len()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_become_markup() {
        assert_eq!(
            fill(
                "<b>{{a}}</b>{{{b}}}{{c}}",
                &[("a", "<i>\"'&"), ("b", "<u>")]
            ),
            "<b>&lt;i&gt;&quot;&#39;&amp;</b><u>"
        );
        assert_eq!(fill("{{a}}", &[("a", "{{b}}"), ("b", "x")]), "{{b}}");
    }

    #[test]
    fn every_placeholder_of_a_template_is_filled() {
        let target = FormTarget {
            action: "http://127.0.0.1:1/login/consent".into(),
            transaction: "t".into(),
            csrf: "c".into(),
            shown: None,
        };
        for template in [LAYOUT, SIGN_IN, CONSENT, ERROR] {
            assert!(!fill(template, &[]).contains("{{"));
        }
        assert!(target.hidden().contains(r#"name="csrf" value="c""#));
    }

    #[test]
    fn a_browser_is_a_person_and_only_a_json_reader_a_program() {
        let of = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            Audience::of(&headers)
        };
        assert_eq!(of("text/html,application/json;q=0.9"), Audience::Person);
        assert_eq!(of("*/*"), Audience::Person);
        assert_eq!(of("application/json"), Audience::Program);
    }
}
