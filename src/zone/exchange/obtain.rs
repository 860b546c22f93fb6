//! Where a credential comes from, once it may be had: the signer, the vault, or the person's own
//! token at the upstream provider.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    protocol::{
        audit::{CredentialSource, CredentialView},
        jwt::TokenView,
        oauth::ErrorCode,
        secret::Secret,
    },
    zone::{
        ZoneState,
        directory::{Directory, GRANT_ACCESS_TOKEN, Grant, Provider, Resource, VAULT_TOKEN},
        keys::SigningKey,
        refusal::Refusal,
        tokens::{ACCESS_TOKEN_LIFETIME, SubProfile, TokenRequest, VerifiedClaims},
        vault::Belongs,
    },
};

use super::no_consent;

/// A credential that was decided on.
#[derive(Debug)]
pub struct Obtained {
    pub token: Secret,
    pub source: CredentialSource,
    /// Seconds, where something ends it.
    pub expires_in: Option<u64>,
    /// What a token is for, of what was asked; a vaulted secret says that itself.
    pub scopes: Option<Vec<String>>,
}

impl Obtained {
    /// The credential as the log names it.
    #[must_use]
    pub fn view(&self) -> CredentialView {
        let token = match self.source {
            CredentialSource::KeycardSts => TokenView::of(&self.token),
            // Not ours to read, even if it is a JWT.
            CredentialSource::KeycardVault | CredentialSource::External => TokenView {
                fingerprint: self.token.fingerprint(),
                header: serde_json::Map::new(),
                claims: serde_json::Map::new(),
            },
        };
        CredentialView {
            source: self.source,
            token,
            expires_in: self.expires_in,
        }
    }
}

/// For whom and for what.
#[derive(Debug, Clone, Copy)]
pub struct Obtain<'a> {
    pub resource: &'a Resource,
    /// The person's consent, where there is a person.
    pub grant: Option<&'a Arc<Grant>>,
    /// The user's identifier, or the application's for itself.
    pub sub: &'a str,
    pub sub_profile: SubProfile,
    pub client_id: &'a str,
    /// The application's, where it is one that asks and not a person's user agent.
    pub application_id: Option<&'a str>,
    pub scopes: &'a [String],
    pub session_id: Option<&'a str>,
    /// The token that is exchanged, if one is.
    pub subject: Option<&'a VerifiedClaims>,
}

impl Obtain<'_> {
    /// What a signed token may be for: a scope that nobody consented to is stripped (keycard facts,
    /// 2.9 rule 5). For the resource that the subject token is for, that is what it says.
    fn permitted(&self) -> Vec<String> {
        let is_permitted = |scope: &&String| match (self.subject, self.grant) {
            (Some(subject), _) if subject.aud == self.resource.identifier => {
                subject.scopes().any(|one| one == **scope)
            }
            (_, Some(grant)) => grant.scopes.contains(scope),
            (_, None) => true,
        };
        self.scopes.iter().filter(is_permitted).cloned().collect()
    }

    /// How long a signed token lives: never longer than the one that it was exchanged for, which its
    /// client could otherwise renew for ever.
    fn lifetime(&self, now: DateTime<Utc>) -> TimeDelta {
        let own = lifetime_of(self.resource);
        let left = |subject: &VerifiedClaims| TimeDelta::try_seconds(subject.exp - now.timestamp());
        self.subject
            .and_then(left)
            .map_or(own, |left| own.min(left))
    }
}

impl Provider {
    /// Whether a credential of this provider exists only behind a person's consent.
    pub(super) const fn needs_grant(&self) -> bool {
        match self.kind {
            CredentialSource::External => true,
            CredentialSource::KeycardSts | CredentialSource::KeycardVault => false,
        }
    }
}

/// The provider that a resource's credentials come from.
pub(super) fn provider_of<'a>(
    directory: &'a Directory,
    resource: &Resource,
) -> Result<&'a Arc<Provider>, Refusal> {
    resource
        .credential_provider_id
        .as_ref()
        .and_then(|id| directory.providers.get(id))
        .ok_or_else(|| {
            Refusal::new(
                ErrorCode::InvalidTarget,
                format!(
                    "Resource \"{}\" is missing a credential provider",
                    resource.name
                ),
            )
        })
}

/// Gets the credential. Whether it may be had is decided before.
///
/// # Errors
/// If there is nothing to hand out: no stored secret, no upstream token, or it has expired.
pub fn obtain(
    state: &ZoneState,
    directory: &Directory,
    key: &SigningKey,
    wanted: &Obtain<'_>,
) -> Result<Obtained, Refusal> {
    let provider = provider_of(directory, wanted.resource)?;
    match provider.kind {
        CredentialSource::KeycardSts => signed(state, key, wanted),
        CredentialSource::KeycardVault => vaulted(state, directory, wanted.resource),
        CredentialSource::External => {
            let grant = wanted.grant.ok_or_else(no_consent)?;
            Ok(Obtained {
                // RFC 6749, section 5.1: the provider gave no more than the grant says.
                scopes: Some(wanted.permitted()),
                ..brokered(state, provider, grant)?
            })
        }
    }
}

/// How long a token for the resource lives.
#[must_use]
pub fn lifetime_of(resource: &Resource) -> TimeDelta {
    resource
        .credential_lifetime_seconds
        .and_then(|seconds| i64::try_from(seconds).ok())
        .and_then(TimeDelta::try_seconds)
        .unwrap_or(ACCESS_TOKEN_LIFETIME)
}

/// Signs a token. Whether it may be had is decided before.
///
/// # Errors
/// If the key cannot sign.
pub fn signed(
    state: &ZoneState,
    key: &SigningKey,
    wanted: &Obtain<'_>,
) -> Result<Obtained, Refusal> {
    let scopes = wanted.permitted();
    let minted = state
        .tokens
        .mint(
            key,
            TokenRequest {
                sub: wanted.sub.to_owned(),
                sub_profile: wanted.sub_profile,
                client_id: wanted.client_id.to_owned(),
                keycard_app_id: wanted.application_id.map(ToOwned::to_owned),
                resource: wanted.resource.identifier.clone(),
                scopes: scopes.clone(),
                session_id: wanted.session_id.map(ToOwned::to_owned),
                lifetime: wanted.lifetime(state.config.clock.now()),
            },
        )
        .map_err(|error| {
            tracing::error!(%error, "the zone could not sign");
            Refusal::new(ErrorCode::ServerError, "The zone could not sign a token.")
        })?;
    Ok(Obtained {
        token: minted.token,
        source: CredentialSource::KeycardSts,
        expires_in: Some(minted.expires_in),
        scopes: Some(scopes),
    })
}

fn vaulted(
    state: &ZoneState,
    directory: &Directory,
    resource: &Resource,
) -> Result<Obtained, Refusal> {
    let none = || {
        // Keycard's text is not known; the code is.
        Refusal::new(
            ErrorCode::InvalidTarget,
            format!("The vault holds no secret for \"{}\"", resource.name),
        )
    };
    let secret = directory.vault_secrets.get(&resource.id).ok_or_else(none)?;
    let token = state
        .vault
        .unseal(
            &secret.token,
            Belongs {
                to: VAULT_TOKEN,
                id: &resource.id,
            },
        )
        .map_err(|failure| not_opened(&failure))?;
    // A lab before a real service that was given no key: RFC 6749 knows no empty access token.
    if token.expose().is_empty() {
        return Err(none());
    }
    Ok(Obtained {
        token,
        source: CredentialSource::KeycardVault,
        expires_in: None,
        scopes: None,
    })
}

fn brokered(state: &ZoneState, provider: &Provider, grant: &Grant) -> Result<Obtained, Refusal> {
    let sealed = grant.access_token.as_ref().ok_or_else(no_consent)?;
    let left = grant
        .expires_at
        .map(|end| (end - state.config.clock.now()).num_seconds());
    if left.is_some_and(|seconds| seconds <= 0) {
        // It was to be renewed before this exchange was decided. The consent still holds.
        if grant.refresh_token.is_some() {
            return Err(Refusal::new(
                ErrorCode::ServerError,
                format!(
                    "The person's token at {} has ended and could not be renewed just now; try again.",
                    provider.name
                ),
            ));
        }
        return Err(no_consent());
    }
    let token = state
        .vault
        .unseal(
            sealed,
            Belongs {
                to: GRANT_ACCESS_TOKEN,
                id: &grant.id,
            },
        )
        .map_err(|failure| not_opened(&failure))?;
    Ok(Obtained {
        token,
        source: CredentialSource::External,
        expires_in: left.map(i64::unsigned_abs),
        scopes: None,
    })
}

fn not_opened(failure: &crate::support::error::Failure) -> Refusal {
    tracing::error!(%failure, "a sealed secret did not open");
    Refusal::new(
        ErrorCode::ServerError,
        "The zone could not open a stored secret.",
    )
}
