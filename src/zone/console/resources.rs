//! Resources and vaulted secrets.

use std::sync::Arc;

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
            Change, Directory, Kind, Object, Resource, Stored as _, VAULT_TOKEN, VaultSecret, pair,
        },
        scopes, sessions,
        vault::Belongs,
    },
};

use super::{ApiError, Body, OneId, Shared, change, clean_name, page::Window, readable_id, settle};

pub(super) fn router() -> Router<Arc<ZoneState>> {
    Router::new()
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
    #[serde(default)]
    prefix: bool,
}

/// Identifiers are matched letter by letter here. A resource that stands for all URLs behind its own
/// (facts/keycard.md, 2.8) would look made and never be found.
fn only_exact(prefix: bool) -> Result<(), ApiError> {
    if prefix {
        return Err(ApiError::invalid(
            "The lab's zone matches identifiers exactly; prefix resources it does not know.",
        ));
    }
    Ok(())
}

async fn create_resource(
    State(state): Shared,
    Body(body): Body<NewResource>,
) -> Result<(StatusCode, Json<Resource>), ApiError> {
    only_exact(body.prefix)?;
    let name = clean_name(&body.name)?;
    let asked = Resource {
        id: String::new(),
        name,
        identifier: body.identifier,
        application_id: body.application_id,
        credential_provider_id: body.credential_provider_id,
        scopes: body.scopes,
        credential_lifetime_seconds: body.credential_lifetime_seconds,
    };
    let resource = settle(&state, |directory| {
        let taken = |id: &str| directory.resources.contains_key(id);
        let resource = Resource {
            id: readable_id(&state, &asked.name, taken),
            ..asked.clone()
        };
        check_resource(directory, &resource)?;
        Ok((vec![Change::put(resource.clone())], resource))
    })
    .await?;
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
    #[serde(default)]
    prefix: bool,
}

/// An optional member of a patch: absent, `null` and a value are three things.
#[derive(Default)]
enum Patch<T> {
    #[default]
    Keep,
    Set(Option<T>),
}

impl<T: Clone> Patch<T> {
    fn apply(&self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Set(value) => to.clone_from(value),
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
    only_exact(patch.prefix)?;
    settle(&state, |directory| {
        let before = directory
            .resources
            .get(&id)
            .ok_or_else(|| ApiError::not_found("resource"))?;
        let mut resource = (**before).clone();
        if let Some(name) = &patch.name {
            resource.name = clean_name(name)?;
        }
        if let Some(identifier) = &patch.identifier {
            resource.identifier.clone_from(identifier);
        }
        if let Some(scopes) = &patch.scopes {
            resource.scopes.clone_from(scopes);
        }
        patch.application_id.apply(&mut resource.application_id);
        patch
            .credential_provider_id
            .apply(&mut resource.credential_provider_id);
        patch
            .credential_lifetime_seconds
            .apply(&mut resource.credential_lifetime_seconds);
        check_resource(directory, &resource)?;
        Ok((vec![Change::put(resource.clone())], resource))
    })
    .await
    .map(Json)
}

fn check_resource(directory: &Directory, resource: &Resource) -> Result<(), ApiError> {
    // Keycard's console: from one minute to a day.
    const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=86_400;
    const LONGEST_IDENTIFIER: usize = 2_048;
    // RFC 8707, section 2: a resource indicator is a URI without a fragment.
    let identifier = &resource.identifier;
    let is_uri = (1..=LONGEST_IDENTIFIER).contains(&identifier.len())
        && identifier
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !is_uri {
        return Err(ApiError::invalid(
            "A resource's identifier is a URI without a fragment.",
        ));
    }
    if scopes::parse(&resource.scopes.join(" ")).as_ref() != Ok(&resource.scopes) {
        return Err(ApiError::invalid(
            "scopes is a list of scope names, each once.",
        ));
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
    settle(&state, |directory| {
        if !directory.resources.contains_key(&id) {
            return Err(ApiError::not_found("resource"));
        }
        Ok((without_resource(directory, &id), ()))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a resource with all that is about it: another one may get its id.
fn without_resource(directory: &Directory, id: &str) -> Vec<Change> {
    let mut changes = vec![
        Change::Delete(Kind::Resource, id.to_owned()),
        Change::Delete(Kind::VaultSecret, id.to_owned()),
    ];
    for dependency in directory.dependencies.values() {
        if dependency.resource_id == id {
            let key = pair(&dependency.application_id, id);
            changes.push(Change::Delete(Kind::Dependency, key));
        }
    }
    for grant in directory.grants.values() {
        if grant.resource_id == id {
            changes.push(Change::Delete(Kind::Grant, pair(&grant.user_id, id)));
        }
    }
    changes.extend(sessions::tokens_revoked(directory, id));
    changes
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
