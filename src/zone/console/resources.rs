//! Providers, resources and vaulted secrets.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    protocol::{audit::CredentialSource, console, secret::Secret},
    zone::{
        ZoneState,
        directory::{
            Change, Directory, Kind, Object, PROVIDER_SECRET, Provider, ProviderOAuth, Resource,
            Stored as _, VAULT_TOKEN, VaultSecret, pair,
        },
        vault::Belongs,
    },
};

use super::{ApiError, Body, OneId, Shared, change, clean_name, page::Window, readable_id};

pub(super) fn router() -> Router<Arc<ZoneState>> {
    Router::new()
        .route("/providers", get(list_providers).post(create_provider))
        .route("/providers/{id}", get(one_provider).delete(delete_provider))
        .route("/resources", get(list_resources).post(create_resource))
        .route(
            "/resources/{id}",
            get(one_resource)
                .patch(update_resource)
                .delete(delete_resource),
        )
        .route("/secrets", get(list_secrets).post(create_secret))
        .route("/secrets/{id}", get(one_secret).delete(delete_secret))
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
    let id = readable_id(&state, &name, |id| {
        state.directory().providers.contains_key(id)
    });
    let oauth = match (body.kind, body.oauth) {
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
        name,
        kind: body.kind,
        oauth,
    };
    let view = provider_view(&provider);
    change(&state, Vec::new(), vec![Change::put(provider)]).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

fn provider_oauth(
    state: &ZoneState,
    id: &str,
    oauth: NewProviderOAuth,
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
        authorization_endpoint: oauth.authorization_endpoint,
        token_endpoint: oauth.token_endpoint,
        client_id: oauth.client_id,
        client_secret: oauth
            .client_secret
            .map(|secret| state.vault.seal(&secret, belongs)),
        authorization_parameters: oauth.authorization_parameters,
        scope_separator: oauth.scope_separator.unwrap_or_else(|| " ".to_owned()),
    })
}

async fn delete_provider(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<StatusCode, ApiError> {
    let directory = state.directory();
    let provider = directory
        .providers
        .get(&id)
        .ok_or_else(|| ApiError::not_found("provider"))?;
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
    let read = vec![provider.clone().wrap()];
    change(&state, read, vec![Change::Delete(Kind::Provider, id)]).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_resources(
    State(state): Shared,
    window: Window,
) -> Result<Json<console::Page<Resource>>, ApiError> {
    window
        .cut(&state.directory().resources, |r| Some(r.clone()))
        .map(Json)
}

async fn one_resource(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<Json<Resource>, ApiError> {
    state
        .directory()
        .resources
        .get(&id)
        .map(|resource| Json((**resource).clone()))
        .ok_or_else(|| ApiError::not_found("resource"))
}

#[derive(Deserialize)]
struct NewResource {
    name: String,
    identifier: String,
    application_id: Option<String>,
    credential_provider_id: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    credential_lifetime_seconds: Option<u64>,
}

async fn create_resource(
    State(state): Shared,
    Body(body): Body<NewResource>,
) -> Result<(StatusCode, Json<Resource>), ApiError> {
    let name = clean_name(&body.name)?;
    let resource = Resource {
        id: readable_id(&state, &name, |id| {
            state.directory().resources.contains_key(id)
        }),
        name,
        identifier: body.identifier,
        application_id: body.application_id,
        credential_provider_id: body.credential_provider_id,
        scopes: body.scopes,
        credential_lifetime_seconds: body.credential_lifetime_seconds,
    };
    check_resource(&state.directory(), &resource)?;
    change(&state, Vec::new(), vec![Change::put(resource.clone())]).await?;
    Ok((StatusCode::CREATED, Json(resource)))
}

/// The members to change; `null` takes an optional one away.
#[derive(Deserialize)]
struct ResourcePatch {
    name: Option<String>,
    identifier: Option<String>,
    #[serde(default)]
    application_id: Patch<String>,
    #[serde(default)]
    credential_provider_id: Patch<String>,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    credential_lifetime_seconds: Patch<u64>,
}

/// An optional member of a patch: absent, `null` and a value are three things.
#[derive(Default)]
enum Patch<T> {
    #[default]
    Keep,
    Set(Option<T>),
}

impl<T> Patch<T> {
    fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Set(value) => *to = value,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Set)
    }
}

async fn update_resource(
    State(state): Shared,
    Path((_, id)): OneId,
    Body(patch): Body<ResourcePatch>,
) -> Result<Json<Resource>, ApiError> {
    let directory = state.directory();
    let before = directory
        .resources
        .get(&id)
        .ok_or_else(|| ApiError::not_found("resource"))?;
    let mut resource = (**before).clone();
    if let Some(name) = patch.name {
        resource.name = clean_name(&name)?;
    }
    if let Some(identifier) = patch.identifier {
        resource.identifier = identifier;
    }
    if let Some(scopes) = patch.scopes {
        resource.scopes = scopes;
    }
    patch.application_id.apply(&mut resource.application_id);
    patch
        .credential_provider_id
        .apply(&mut resource.credential_provider_id);
    patch
        .credential_lifetime_seconds
        .apply(&mut resource.credential_lifetime_seconds);
    check_resource(&directory, &resource)?;
    let read = vec![before.clone().wrap()];
    change(&state, read, vec![Change::put(resource.clone())]).await?;
    Ok(Json(resource))
}

fn check_resource(directory: &Directory, resource: &Resource) -> Result<(), ApiError> {
    // Keycard's console: from one minute to a day.
    const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=86_400;
    if resource.identifier.is_empty() || resource.identifier.chars().any(char::is_whitespace) {
        return Err(ApiError::invalid("A resource's identifier is a URI."));
    }
    let taken = directory
        .resource_identified(&resource.identifier)
        .is_some_and(|other| other.id != resource.id);
    if taken {
        return Err(ApiError::conflict(
            "Another resource has this identifier already.",
        ));
    }
    if resource
        .application_id
        .as_ref()
        .is_some_and(|id| !directory.applications.contains_key(id))
    {
        return Err(ApiError::invalid("application_id names no application."));
    }
    if resource
        .credential_provider_id
        .as_ref()
        .is_some_and(|id| !directory.providers.contains_key(id))
    {
        return Err(ApiError::invalid(
            "credential_provider_id names no provider.",
        ));
    }
    if resource
        .credential_lifetime_seconds
        .is_some_and(|seconds| !LIFETIMES.contains(&seconds))
    {
        return Err(ApiError::invalid(
            "credential_lifetime_seconds is from 60 to 86400.",
        ));
    }
    Ok(())
}

async fn delete_resource(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<StatusCode, ApiError> {
    let directory = state.directory();
    let resource = directory
        .resources
        .get(&id)
        .ok_or_else(|| ApiError::not_found("resource"))?;
    let mut changes = vec![
        Change::Delete(Kind::Resource, id.clone()),
        Change::Delete(Kind::VaultSecret, id.clone()),
    ];
    for dependency in directory.dependencies.values() {
        if dependency.resource_id == id {
            let key = pair(&dependency.application_id, &id);
            changes.push(Change::Delete(Kind::Dependency, key));
        }
    }
    for grant in directory.grants.values() {
        if grant.resource_id == id {
            changes.push(Change::Delete(Kind::Grant, pair(&grant.user_id, &id)));
        }
    }
    change(&state, vec![resource.clone().wrap()], changes).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A vaulted secret without the secret.
#[derive(Serialize)]
struct SecretView {
    id: String,
    name: String,
    entity_id: String,
    created_at: DateTime<Utc>,
}

impl SecretView {
    fn of(secret: &VaultSecret) -> Self {
        Self {
            id: secret.id.clone(),
            name: secret.name.clone(),
            entity_id: secret.entity_id.clone(),
            created_at: secret.created_at,
        }
    }
}

async fn list_secrets(
    State(state): Shared,
    window: Window,
) -> Result<Json<console::Page<SecretView>>, ApiError> {
    window
        .cut(&state.directory().vault_secrets, |s| {
            Some(SecretView::of(s))
        })
        .map(Json)
}

async fn one_secret(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<Json<SecretView>, ApiError> {
    let directory = state.directory();
    secret_with_id(&directory, &id).map(|secret| Json(SecretView::of(secret)))
}

fn secret_with_id<'a>(
    directory: &'a Directory,
    id: &str,
) -> Result<&'a Arc<VaultSecret>, ApiError> {
    directory
        .vault_secrets
        .values()
        .find(|secret| secret.id == id)
        .ok_or_else(|| ApiError::not_found("secret"))
}

#[derive(Deserialize)]
struct NewSecret {
    name: String,
    entity_id: String,
    data: SecretData,
}

/// Keycard also knows secrets of type `password`; the workshop's are tokens.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SecretData {
    Token { token: Secret },
}

async fn create_secret(
    State(state): Shared,
    Body(body): Body<NewSecret>,
) -> Result<(StatusCode, Json<SecretView>), ApiError> {
    let directory = state.directory();
    let SecretData::Token { token } = body.data;
    if token.expose().is_empty() {
        return Err(ApiError::invalid("The secret is empty."));
    }
    let resource = directory
        .resources
        .get(&body.entity_id)
        .ok_or_else(|| ApiError::invalid("entity_id names no resource."))?;
    let vaulted = resource
        .credential_provider_id
        .as_ref()
        .and_then(|id| directory.providers.get(id))
        .is_some_and(|provider| provider.kind == CredentialSource::KeycardVault);
    if !vaulted {
        return Err(ApiError::conflict(
            "This resource does not get its credentials from a vault.",
        ));
    }
    let belongs = Belongs {
        to: VAULT_TOKEN,
        id: &resource.id,
    };
    let secret = VaultSecret {
        id: state.config.ids.short(),
        name: clean_name(&body.name)?,
        entity_id: resource.id.clone(),
        token: state.vault.seal(&token, belongs),
        created_at: state.config.clock.now(),
    };
    let view = SecretView::of(&secret);
    let read: Vec<Object> = vec![resource.clone().wrap()];
    change(&state, read, vec![Change::put(secret)]).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

async fn delete_secret(State(state): Shared, Path((_, id)): OneId) -> Result<StatusCode, ApiError> {
    let directory = state.directory();
    let secret = secret_with_id(&directory, &id)?;
    let gone = Change::Delete(Kind::VaultSecret, secret.entity_id.clone());
    change(&state, vec![secret.clone().wrap()], vec![gone]).await?;
    Ok(StatusCode::NO_CONTENT)
}
