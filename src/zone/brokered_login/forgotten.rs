//! Tokens that their provider no longer knows: a stand-in whose file was removed or put back.

use crate::{
    protocol::{console::LifeStatus, secret::Secret},
    support::error::Failure,
    zone::{
        Zone, ZoneState,
        directory::{Change, GRANT_ACCESS_TOKEN, GRANT_REFRESH_TOKEN, Grant, Provider},
        settled::until_settled,
        store::Commit,
        vault::{Belongs, Sealed},
    },
};

/// Expires the grants of the provider at `origin` whose tokens it does not know, so that the person is
/// asked again at the next sign-in. Without this every exchange would hand out what nobody takes.
///
/// # Errors
/// If the zone keeps changing, or cannot be written.
pub async fn expire_unknown(
    zone: &Zone,
    origin: &str,
    is_known: impl Fn(&Secret) -> bool,
) -> Result<(), Failure> {
    let state = zone.state();
    let is_there = |provider: &Provider| {
        provider
            .oauth
            .as_ref()
            .and_then(|oauth| oauth.token_endpoint.strip_prefix(origin))
            .is_some_and(|rest| rest.starts_with('/'))
    };
    until_settled(state, |directory| {
        let changes = directory
            .grants
            .values()
            .filter(|grant| grant.status == LifeStatus::Active)
            .filter(|grant| {
                let provider = grant.provider_id.as_ref();
                let provider = provider.and_then(|id| directory.providers.get(id));
                provider.is_some_and(|provider| is_there(provider))
            })
            .filter(|grant| !tokens(state, grant).any(|token| is_known(&token)))
            .map(|grant| {
                Change::put(Grant {
                    status: LifeStatus::Expired,
                    access_token: None,
                    refresh_token: None,
                    ..Grant::clone(grant)
                })
            })
            .collect();
        let commit = Commit {
            based_on: Some(directory.generation()),
            changes,
            ..Commit::default()
        };
        Ok::<_, Failure>((commit, ()))
    })
    .await?;
    Ok(())
}

/// What the provider gave for a grant; what does not open is nothing to go by.
fn tokens(state: &ZoneState, grant: &Grant) -> impl Iterator<Item = Secret> {
    let open = |sealed: &Option<Sealed>, to| {
        let belongs = Belongs { to, id: &grant.id };
        state.vault.unseal(sealed.as_ref()?, belongs).ok()
    };
    [
        open(&grant.access_token, GRANT_ACCESS_TOKEN),
        open(&grant.refresh_token, GRANT_REFRESH_TOKEN),
    ]
    .into_iter()
    .flatten()
}
