//! Credential providers.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use serde::Deserialize;

use super::{ApiError, Body, OneId, Shared, clean_name, page::Window, readable_id, settle};
use crate::{
    protocol::{audit::CredentialSource, console, secret::Secret},
    zone::{
        ZoneState,
        directory::{Change, Kind, PROVIDER_SECRET, Provider, ProviderOAuth, pair},
        vault::Belongs,
    },
};

pub(super) fn router() -> Router<Arc<ZoneState>> {
    Router::new()
        .route("/providers", get(list_providers).post(create_provider))
        .route("/providers/{id}", get(one_provider).delete(delete_provider))
}

fn provider_view(provider: &Provider) -> console::Provider {
    console::Provider {
        id: provider.id.clone(),
        name: provider.name.clone(),
        kind: provider.kind,
    }
}

async fn list_providers(
    State(state): Shared,
    window: Window,
) -> Result<Json<console::Page<console::Provider>>, ApiError> {
    window
        .cut(&state.directory().providers, |p| Some(provider_view(p)))
        .map(Json)
}

async fn one_provider(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<Json<console::Provider>, ApiError> {
    state
        .directory()
        .providers
        .get(&id)
        .map(|provider| Json(provider_view(provider)))
        .ok_or_else(|| ApiError::not_found("provider"))
}

#[derive(Deserialize)]
struct NewProvider {
    name: String,
    #[serde(rename = "type")]
    kind: CredentialSource,
    /// Needed for an `external` provider. The member and its layout are ours.
    oauth: Option<NewProviderOAuth>,
}

#[derive(Deserialize)]
struct NewProviderOAuth {
    authorization_endpoint: String,
    token_endpoint: String,
    client_id: String,
    client_secret: Option<Secret>,
    #[serde(default)]
    authorization_parameters: BTreeMap<String, String>,
    scope_separator: Option<String>,
}

async fn create_provider(
    State(state): Shared,
    Body(body): Body<NewProvider>,
) -> Result<(StatusCode, Json<console::Provider>), ApiError> {
    let name = clean_name(&body.name)?;
    let view = settle(&state, |directory| {
        let id = readable_id(&state, &name, |id| directory.providers.contains_key(id));
        let oauth = match (body.kind, &body.oauth) {
            (CredentialSource::External, Some(oauth)) => Some(provider_oauth(&state, &id, oauth)?),
            (CredentialSource::External, None) => {
                return Err(ApiError::invalid(
                    "An external provider needs its oauth settings.",
                ));
            }
            (CredentialSource::KeycardSts | CredentialSource::KeycardVault, Some(_)) => {
                return Err(ApiError::invalid(
                    "Only an external provider has oauth settings.",
                ));
            }
            (CredentialSource::KeycardSts | CredentialSource::KeycardVault, None) => None,
        };
        let provider = Provider {
            id,
            name: name.clone(),
            kind: body.kind,
            oauth,
        };
        let view = provider_view(&provider);
        Ok((vec![Change::put(provider)], view))
    })
    .await?;
    Ok((StatusCode::CREATED, Json(view)))
}

fn provider_oauth(
    state: &ZoneState,
    id: &str,
    oauth: &NewProviderOAuth,
) -> Result<ProviderOAuth, ApiError> {
    for endpoint in [&oauth.authorization_endpoint, &oauth.token_endpoint] {
        let fine = url::Url::parse(endpoint)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !fine {
            return Err(ApiError::invalid(
                "A provider's endpoint is an http(s) URL.",
            ));
        }
    }
    let belongs = Belongs {
        to: PROVIDER_SECRET,
        id,
    };
    Ok(ProviderOAuth {
        authorization_endpoint: oauth.authorization_endpoint.clone(),
        token_endpoint: oauth.token_endpoint.clone(),
        client_id: oauth.client_id.clone(),
        client_secret: oauth
            .client_secret
            .as_ref()
            .map(|secret| state.vault.seal(secret, belongs)),
        authorization_parameters: oauth.authorization_parameters.clone(),
        scope_separator: oauth.scope_separator.as_deref().unwrap_or(" ").to_owned(),
    })
}

async fn delete_provider(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<StatusCode, ApiError> {
    settle(&state, |directory| {
        if !directory.providers.contains_key(&id) {
            return Err(ApiError::not_found("provider"));
        }
        let used = directory
            .resources
            .values()
            .find(|r| r.credential_provider_id.as_deref() == Some(&id));
        if let Some(resource) = used {
            return Err(ApiError::conflict(format!(
                "The resource \"{}\" gets its credentials from this provider.",
                resource.name
            )));
        }
        let mut changes = vec![Change::Delete(Kind::Provider, id.clone())];
        // Another provider may get its id, and must not be sent its tokens.
        for grant in directory.grants.values() {
            if grant.provider_id.as_ref() == Some(&id) {
                let key = pair(&grant.user_id, &grant.resource_id);
                changes.push(Change::Delete(Kind::Grant, key));
            }
        }
        Ok((changes, ()))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
