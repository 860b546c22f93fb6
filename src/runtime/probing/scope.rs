//! Asks the zone for a Linear credential with some scope, as the application does it for the person
//! who is signed in. What comes is thrown away at once.

use http::{Method, header};
use url::Url;

use crate::{
    chapters::{Reading, probe::ScopeAnswer},
    client::http::{DOCUMENT_LIMIT, Outgoing},
    protocol::{
        basic,
        oauth::{ErrorResponse, GRANT_TOKEN_EXCHANGE, TOKEN_TYPE_ACCESS_TOKEN},
        secret::Secret,
    },
    trace::event::Leg,
};

use super::{Surroundings, env, failed, metadata};

pub(super) async fn ask(scope: &str, around: &Surroundings) -> Reading<ScopeAnswer> {
    // Nobody is signed in: then it is not the time to ask.
    let Some(person) = &around.person else {
        return Reading::NotAsked;
    };
    let file = match env::open(&around.env) {
        Reading::Told(file) => file,
        Reading::NotAsked => return Reading::NotAsked,
        Reading::Unavailable { look_at } => return Reading::Unavailable { look_at },
        Reading::Failed { because } => return failed(because),
    };
    let (Some(id), Some(secret)) = (
        env::value(&file, "KEYCARD_CLIENT_ID"),
        env::value(&file, "KEYCARD_CLIENT_SECRET"),
    ) else {
        return failed("KEYCARD_CLIENT_ID or KEYCARD_CLIENT_SECRET is not set in .env");
    };
    let zone = env::value(&file, "KEYCARD_URL")
        .map(|url| url.expose().clone())
        .or_else(|| around.lab.as_ref().map(|lab| lab.zone.clone()));
    let Some(Ok(zone)) = zone.map(|zone| Url::parse(&zone)) else {
        return failed("KEYCARD_URL is not set in .env");
    };
    let url = match metadata::token_endpoint(&zone, around).await {
        Ok(url) => url,
        Err(because) => return failed(because),
    };
    let linear = env::value(&file, "LINEAR_API_URL")
        .map(|url| url.expose().clone())
        .or_else(|| around.lab.as_ref().map(|lab| lab.linear.clone()))
        .unwrap_or_else(|| "https://api.linear.app".to_owned());
    let http = &around.http;
    http.masker().pin(secret.expose());
    http.masker().remember(person.expose());
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", GRANT_TOKEN_EXCHANGE)
        .append_pair("subject_token", person.expose())
        .append_pair("subject_token_type", TOKEN_TYPE_ACCESS_TOKEN)
        .append_pair("resource", &linear)
        .append_pair("scope", scope)
        .finish();
    let basic = basic::plain(id.expose(), &secret);
    let basic = Secret::new(format!("Basic {}", basic.expose()));
    let outgoing = Outgoing::new(Method::POST, url, Leg::Token)
        .header(header::AUTHORIZATION, basic.expose())
        .body("application/x-www-form-urlencoded", form.into_bytes());
    let answer = match http.exchange(around.marked(outgoing), DOCUMENT_LIMIT).await {
        Ok(answer) => answer,
        Err(error) => return failed(format!("the zone did not answer: {}", error.why)),
    };
    if answer.status.is_success() {
        return Reading::Told(ScopeAnswer::Issued);
    }
    let Ok(error) = serde_json::from_slice::<ErrorResponse>(&answer.body) else {
        return failed(format!(
            "the zone answered {} to the exchange",
            answer.status
        ));
    };
    let text = error.error_description.unwrap_or_default();
    let by_policy = error.error == "access_denied" && policy(&text).is_some();
    if by_policy {
        return Reading::Told(ScopeAnswer::Refused {
            policy: policy(&text),
        });
    }
    // Anything else says that the question was not good, not that the scope is limited.
    failed(format!(
        "the zone refused to exchange at all, with {}: {}",
        http.clean(&error.error),
        http.clean(text.trim_end_matches('.'))
    ))
}

/// The policy that a refusal names, in the workshop's words or in the later ones
/// (facts/keycard.md, 2.10). Policies that only permit contribute, too: the customer's own counts.
fn policy(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.split_once("Determining policies:") {
        let names = rest.trim().trim_end_matches('.');
        let mut names = names.split(',').map(str::trim).filter(|n| !n.is_empty());
        let first = names.clone().next();
        return names
            .find(|name| !name.contains("default-"))
            .or(first)
            .map(str::to_owned);
    }
    let (_, rest) = text.split_once("denied by Policy \"")?;
    rest.split_once('"').map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "Access denied by policy. Policy set: s. Policy set version: 1. Determining policies: s::limit-linear-scopes.",
        Some("s::limit-linear-scopes")
    )]
    #[case(
        "Access denied by policy. Determining policies: s::default-user-grants, s::mine.",
        Some("s::mine")
    )]
    #[case(
        "Access to \"Linear\" is denied by Policy \"limit\" in version 2 of Policy Set \"mine\".",
        Some("limit")
    )]
    #[case("User consent is required.", None)]
    fn a_refusal_names_its_policy(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(policy(text).as_deref(), expected);
    }
}
