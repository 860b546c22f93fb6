//! Whether the zone's policy lets some scope for Linear through.

use crate::chapters::{
    Reading,
    expect::Service,
    probe::{ExchangeAnswer, ScopeAnswer},
};

use super::{ProbeTargets, exchange, failed};

pub(super) async fn ask(scope: &str, around: &ProbeTargets) -> Reading<ScopeAnswer> {
    let answer = exchange::ask(Service::Linear, Some(scope), around).await;
    let answer = match answer.told() {
        Ok(answer) => answer,
        Err(untold) => return untold,
    };
    if let ExchangeAnswer::Refused { error, description } = &answer
        && error == "access_denied"
        && let Some(policy) = policy(description)
    {
        return Reading::Told(ScopeAnswer::Refused {
            policy: Some(policy),
        });
    }
    match answer.reason() {
        None => Reading::Told(ScopeAnswer::Issued),
        // Anything else says that the question was not good, not that the scope is limited.
        Some(reason) => failed(format!(
            "the zone refused to exchange at all, with {reason}"
        )),
    }
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
