//! The sign-in page, as HTML without a script and as a form that a program can send.

use crate::{
    protocol::page::{PageChoice, PageForm, PageKind, PageMethod},
    support::html::escape,
    upstream::people::Person,
};
use axum::{
    http::{HeaderValue, header},
    response::{Html, Response},
};

use super::{AUTHORIZE, Config};

const PAGE: &str = include_str!("../../../assets/lab/github.html");

/// The page as a form.
pub fn form(config: &Config, client: &str, ticket: &str) -> PageForm {
    PageForm {
        page: PageKind::SignIn,
        title: format!("Sign in to {client} (stand-in for GitHub)"),
        action: format!("{}{AUTHORIZE}", config.base_url),
        method: PageMethod::Post,
        fields: [("ticket".to_owned(), ticket.to_owned())].into(),
        choices: config
            .users
            .iter()
            .enumerate()
            .map(|(index, person)| PageChoice {
                name: "login".to_owned(),
                value: person.login.to_owned(),
                label: format!("{} <{}>", person.name, person.email),
                default: index == 0,
            })
            .collect(),
        details: Vec::new(),
    }
}

/// The page as HTML.
pub fn html(form: &PageForm, client: &str, users: &[Person]) -> Html<String> {
    let people: String = users
        .iter()
        .enumerate()
        .map(|(index, person)| {
            format!(
                "<button name=\"login\" value=\"{}\"{}>{}<small>{}</small></button>\n",
                escape(person.login),
                if index == 0 { " autofocus" } else { "" },
                escape(person.name),
                escape(person.email),
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let ticket = form.fields.get("ticket").map_or("", String::as_str);
    Html(
        PAGE.replace("{{people}}", people.trim_end())
            .replace("{{client}}", &escape(client))
            .replace("{{action}}", AUTHORIZE)
            .replace("{{ticket}}", &escape(ticket)),
    )
}

/// A page that says one thing.
pub fn message(text: &str) -> Html<String> {
    let head = PAGE.split("<main>").next().unwrap_or_default();
    Html(format!(
        "{head}<main>\n<div class=\"note\">Stand-in for GitHub in the hoptrail lab</div>\n<h1>That did not work</h1>\n<p>{}</p>\n</main>\n</body>\n</html>\n",
        escape(text)
    ))
}

/// No script, no frame, no cache. Chromium holds every redirect after a form to `form-action`, and
/// the way leads on over the zone to whichever port the client listens on.
pub fn protect(response: &mut Response) {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
        form-action 'self' http://127.0.0.1:* http://localhost:*; \
        frame-ancestors 'none'; base-uri 'none'";
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Not `no-referrer`: the form would then be sent with `Origin: null`, which the guard refuses.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
}
