//! The lab's sample user, who answers the lab's pages without a browser (`--headless`).
//!
//! Walks only on this computer and only through the lab's page contract
//! ([`crate::protocol::page`]); it is no way around anybody's consent.

use std::collections::BTreeMap;

use http::{Method, header};
use url::Url;

use super::{
    http::{Answer as HttpAnswer, DOCUMENT_LIMIT, Outgoing, TracedHttp},
    oauth_seam::{has_failed, server_failed},
};
use crate::{
    protocol::{
        oauth::ErrorResponse,
        page::{PageChoice, PageForm, PageKind, PageMethod},
    },
    support::{
        error::{Exit, Failure},
        loopback::is_loopback,
    },
    trace::{Actor, event::Leg},
};

/// More pages than any lab has; a loop of redirects ends here.
const MOST_STEPS: usize = 24;

/// What the sample user answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Which of the sample users: the login, or a part of the name or e-mail address on the sign-in
    /// page that only one of them has. The page's own default if `None`.
    pub user: Option<String>,
    /// What to say on the zone's own consent page. The providers behind it (GitHub, Linear) are
    /// always agreed to: denying there is another story.
    pub consent: Consent,
}

/// What the sample user says on a consent page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Consent {
    #[default]
    Give,
    Deny,
}

/// Walks from the authorization endpoint to `redirect_uri`, and calls that.
///
/// # Errors
/// If a page says no, is no page of the lab, or leads away from this computer.
pub async fn walk(
    http: &TracedHttp,
    start: Url,
    redirect_uri: &str,
    answer: &Answer,
) -> Result<(), Failure> {
    let mut jar = Jar::default();
    let home = start.origin();
    let mut next = page_request(start);
    for _ in 0..MOST_STEPS {
        if !is_loopback(&next.url) {
            return Err(lost(format!(
                "the way leads to {}, away from this computer",
                http.masker().url(&next.url)
            )));
        }
        let at = next.url.clone();
        let is_end = at
            .as_str()
            .split('?')
            .next()
            .is_some_and(|path| path == redirect_uri);
        if is_end {
            next.leg = Leg::Callback;
        } else if let Some(cookies) = jar.of(&at) {
            next = next.header(header::COOKIE, &cookies);
        }
        let reply = http
            .exchange(next, DOCUMENT_LIMIT)
            .await
            .map_err(|error| error.failure("The sample user could not sign in"))?;
        if is_end {
            return Ok(());
        }
        jar.take(&at, &reply);
        let consent = if at.origin() == home {
            answer.consent
        } else {
            Consent::Give
        };
        let here = Answer {
            user: answer.user.clone(),
            consent,
        };
        next = follow(http, &at, &reply, &here)?;
    }
    Err(lost(format!("no end after {MOST_STEPS} pages")))
}

fn page_request(url: Url) -> Outgoing {
    let mut outgoing = Outgoing::new(Method::GET, url, Leg::Authorization);
    outgoing.from = Actor::You;
    outgoing
}

/// Where a page leads.
fn follow(
    http: &TracedHttp,
    at: &Url,
    reply: &HttpAnswer,
    answer: &Answer,
) -> Result<Outgoing, Failure> {
    if reply.status.is_redirection() {
        let location = reply
            .headers
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| at.join(value).ok())
            .ok_or_else(|| lost(format!("{} redirects to nowhere", reply.url)))?;
        return Ok(page_request(location));
    }
    if !reply.status.is_success() {
        let why = match serde_json::from_slice::<ErrorResponse>(&reply.body) {
            Ok(error) => http.clean(&match error.error_description {
                Some(description) => format!("{}: {description}", error.error),
                None => error.error,
            }),
            Err(_) => format!("{} answered {}", reply.url, reply.status),
        };
        if has_failed(reply) {
            return Err(server_failed(why));
        }
        return Err(Failure::new(
            Exit::Refused,
            "The authorization server refused the sign-in",
            why,
            "check the lab's state, then sign in again",
        ));
    }
    let form: PageForm = serde_json::from_slice(&reply.body)
        .map_err(|_| lost(format!("{} is no page of the lab", reply.url)))?;
    submit(http, at, &form, answer)
}

fn submit(
    http: &TracedHttp,
    at: &Url,
    form: &PageForm,
    answer: &Answer,
) -> Result<Outgoing, Failure> {
    let action = at
        .join(&form.action)
        .map_err(|_| lost("a page's form leads nowhere".to_owned()))?;
    let fields = fields(form, answer)?;
    for choice in &form.choices {
        http.masker().open_field(&choice.name);
    }
    let encoded = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&fields)
        .finish();
    match form.method {
        PageMethod::Get => {
            let mut action = action;
            action.set_query(Some(&encoded));
            Ok(page_request(action))
        }
        PageMethod::Post => {
            let mut outgoing = page_request(action)
                .header(header::ORIGIN, &at.origin().ascii_serialization())
                .body("application/x-www-form-urlencoded", encoded.into_bytes());
            outgoing.method = Method::POST;
            Ok(outgoing)
        }
    }
}

fn fields(form: &PageForm, answer: &Answer) -> Result<BTreeMap<String, String>, Failure> {
    let mut fields = form.submission();
    let wanted = match (form.page, &answer.user, answer.consent) {
        // "Continue with GitHub" alone is no question of who.
        (PageKind::SignIn, Some(user), _) if form.choices.len() > 1 => person(form, user),
        (PageKind::Consent, _, Consent::Deny) => form
            .choices
            .iter()
            .find(|choice| choice.value == "deny")
            .or_else(|| form.choices.iter().find(|choice| !choice.default)),
        (PageKind::SignIn | PageKind::Consent | PageKind::Other, _, _) => return Ok(fields),
    };
    let Some(choice) = wanted else {
        let offered: Vec<&str> = form
            .choices
            .iter()
            .map(|choice| choice.label.as_str())
            .collect();
        return Err(Failure::new(
            Exit::Usage,
            "The page does not offer that answer",
            format!("it offers: {}", offered.join(", ")),
            "name one of these",
        ));
    };
    fields.insert(choice.name.clone(), choice.value.clone());
    Ok(fields)
}

/// Who is meant: by the login, or else by a part of what the page says of one of them and of no other.
fn person<'a>(form: &'a PageForm, user: &str) -> Option<&'a PageChoice> {
    let user = user.to_lowercase();
    let of_value = form
        .choices
        .iter()
        .find(|choice| choice.value.to_lowercase() == user);
    of_value.or_else(|| {
        let mut like = form
            .choices
            .iter()
            .filter(|choice| choice.label.to_lowercase().contains(&user));
        like.next().filter(|_| like.next().is_none())
    })
}

fn lost(why: String) -> Failure {
    Failure::new(
        Exit::Failed,
        "The sample user lost the way",
        why,
        "look at the hops; sign in with a browser instead",
    )
}

/// Cookies by origin; all of them last as long as the walk.
#[derive(Debug, Default)]
struct Jar(BTreeMap<String, BTreeMap<String, String>>);

impl Jar {
    fn take(&mut self, at: &Url, reply: &HttpAnswer) {
        let jar = self.0.entry(at.origin().ascii_serialization()).or_default();
        for cookie in reply.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap_or_default().split(';').next();
            if let Some((name, value)) = pair.and_then(|pair| pair.split_once('=')) {
                if value.is_empty() {
                    jar.remove(name.trim());
                } else {
                    jar.insert(name.trim().to_owned(), value.trim().to_owned());
                }
            }
        }
    }

    fn of(&self, at: &Url) -> Option<String> {
        let jar = self.0.get(&at.origin().ascii_serialization())?;
        let pairs: Vec<String> = jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(page: &str, choices: &[(&str, bool)]) -> PageForm {
        let choices: Vec<_> = choices
            .iter()
            .map(|(value, default)| {
                serde_json::json!({"name": "choice", "value": value, "label": value, "default": default})
            })
            .collect();
        serde_json::from_value(serde_json::json!({
            "page": page, "title": "t", "action": "http://127.0.0.1:1/", "method": "POST",
            "fields": {"csrf": "c"}, "choices": choices,
        }))
        .unwrap()
    }

    fn chosen(form: &PageForm, user: Option<&str>, consent: Consent) -> Option<String> {
        let answer = Answer {
            user: user.map(str::to_owned),
            consent,
        };
        fields(form, &answer)
            .ok()
            .map(|fields| fields["choice"].clone())
    }

    #[test]
    fn the_sample_user_is_chosen_by_a_part_of_the_name() {
        let people = page(
            "sign_in",
            &[("ada@example.com", true), ("Grace Hopper", false)],
        );
        assert_eq!(
            chosen(&people, None, Consent::Give).as_deref(),
            Some("ada@example.com")
        );
        assert_eq!(
            chosen(&people, Some("grace"), Consent::Give).as_deref(),
            Some("Grace Hopper")
        );
        assert_eq!(chosen(&people, Some("nobody"), Consent::Give), None);
        assert_eq!(chosen(&people, Some("a"), Consent::Give), None, "both");
        let provider = page("sign_in", &[("github", true)]);
        assert_eq!(
            chosen(&provider, Some("grace"), Consent::Give).as_deref(),
            Some("github")
        );
    }

    #[test]
    fn denying_takes_the_button_that_denies() {
        let consent = page("consent", &[("allow", true), ("deny", false)]);
        assert_eq!(
            chosen(&consent, None, Consent::Deny).as_deref(),
            Some("deny")
        );
        assert_eq!(
            chosen(&consent, None, Consent::Give).as_deref(),
            Some("allow")
        );
    }
}
