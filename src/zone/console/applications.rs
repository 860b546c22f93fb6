//! Applications, what they depend on, and how they authenticate.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, put},
};
use serde::{Deserialize, Serialize};

use crate::{
    protocol::{
        console::{self, Consent},
        secret::Secret,
    },
    zone::{
        ZoneState,
        directory::{
            APPLICATION_SECRET, Application, ApplicationCredential, Change, CredentialKind,
            Dependency, Directory, Kind, Resource, Stored as _, pair,
        },
        vault::{Belongs, SecretHash},
    },
};

use super::{
    ApiError, Body, OneId, Shared, TwoIds, change, clean_name, page::Window, readable_id, settle,
};

pub(super) fn router() -> Router<Arc<ZoneState>> {
    Router::new()
        .route("/applications", get(list).post(create))
        .route("/applications/{id}", get(one).patch(update).delete(delete))
        .route("/applications/{id}/dependencies", get(list_dependencies))
        .route(
            "/applications/{id}/dependencies/{resource}",
            put(add_dependency).delete(remove_dependency),
        )
        .route(
            "/application-credentials",
            get(list_credentials).post(create_credential),
        )
        .route(
            "/application-credentials/{id}",
            get(one_credential).delete(delete_credential),
        )
}

async fn list(
    State(state): Shared,
    window: Window,
) -> Result<Json<console::Page<Application>>, ApiError> {
    window
        .cut(&state.directory().applications, |a| Some(a.clone()))
        .map(Json)
}

async fn one(State(state): Shared, Path((_, id)): OneId) -> Result<Json<Application>, ApiError> {
    find(&state.directory(), &id).map(|application| Json((**application).clone()))
}

fn find<'a>(directory: &'a Directory, id: &str) -> Result<&'a Arc<Application>, ApiError> {
    directory
        .applications
        .get(id)
        .ok_or_else(|| ApiError::not_found("application"))
}

/// As at Keycard, `dependencies` in the body is ignored: only PUT adds one.
#[derive(Deserialize)]
struct NewApplication {
    name: String,
    identifier: Option<String>,
    consent: Option<Consent>,
}

async fn create(
    State(state): Shared,
    Body(body): Body<NewApplication>,
) -> Result<(StatusCode, Json<Application>), ApiError> {
    let name = clean_name(&body.name)?;
    let application = settle(&state, |directory| {
        let id = readable_id(&state, &name, |id| directory.applications.contains_key(id));
        let application = Application {
            name: name.clone(),
            identifier: body.identifier.clone().unwrap_or_else(|| id.clone()),
            consent: body.consent.unwrap_or(Consent::Required),
            id,
        };
        check(directory, &application)?;
        Ok((vec![Change::put(application.clone())], application))
    })
    .await?;
    Ok((StatusCode::CREATED, Json(application)))
}

fn check(directory: &Directory, application: &Application) -> Result<(), ApiError> {
    if application.identifier.trim().is_empty() {
        return Err(ApiError::invalid(
            "An application's identifier is not empty.",
        ));
    }
    let taken = directory
        .applications
        .values()
        .any(|other| other.identifier == application.identifier && other.id != application.id);
    if taken {
        return Err(ApiError::conflict(
            "Another application has this identifier already.",
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
struct ApplicationPatch {
    name: Option<String>,
    identifier: Option<String>,
    consent: Option<Consent>,
}

async fn update(
    State(state): Shared,
    Path((_, id)): OneId,
    Body(patch): Body<ApplicationPatch>,
) -> Result<Json<Application>, ApiError> {
    settle(&state, |directory| {
        let mut application = (**find(directory, &id)?).clone();
        if let Some(name) = &patch.name {
            application.name = clean_name(name)?;
        }
        if let Some(identifier) = &patch.identifier {
            application.identifier.clone_from(identifier);
        }
        if let Some(consent) = patch.consent {
            application.consent = consent;
        }
        check(directory, &application)?;
        Ok((vec![Change::put(application.clone())], application))
    })
    .await
    .map(Json)
}

async fn delete(State(state): Shared, Path((_, id)): OneId) -> Result<StatusCode, ApiError> {
    settle(&state, |directory| {
        find(directory, &id)?;
        Ok((without_application(directory, &id), ()))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes an application with its credentials and dependencies; its resources lose their provider.
fn without_application(directory: &Directory, id: &str) -> Vec<Change> {
    let mut changes = vec![Change::Delete(Kind::Application, id.to_owned())];
    for dependency in directory.dependencies.values() {
        if dependency.application_id == id {
            let key = pair(id, &dependency.resource_id);
            changes.push(Change::Delete(Kind::Dependency, key));
        }
    }
    for credential in directory.application_credentials.values() {
        if credential.application_id == id {
            changes.push(Change::Delete(
                Kind::ApplicationCredential,
                credential.identifier.clone(),
            ));
        }
    }
    for resource in directory.resources.values() {
        if resource.application_id.as_deref() == Some(id) {
            changes.push(Change::put(Resource {
                application_id: None,
                ..(**resource).clone()
            }));
        }
    }
    changes
}

async fn list_dependencies(
    State(state): Shared,
    Path((_, id)): OneId,
    window: Window,
) -> Result<Json<console::Page<Resource>>, ApiError> {
    let directory = state.directory();
    find(&directory, &id)?;
    window
        .cut(&directory.resources, |resource| {
            directory
                .depends(&id, &resource.id)
                .then(|| resource.clone())
        })
        .map(Json)
}

async fn add_dependency(
    State(state): Shared,
    Path((_, id, resource)): TwoIds,
) -> Result<StatusCode, ApiError> {
    let directory = state.directory();
    let application = find(&directory, &id)?;
    let found = directory
        .resources
        .get(&resource)
        .ok_or_else(|| ApiError::not_found("resource"))?;
    if directory.depends(&id, &resource) {
        return Ok(StatusCode::NO_CONTENT);
    }
    let read = vec![application.clone().wrap(), found.clone().wrap()];
    let added = Change::put(Dependency {
        application_id: id,
        resource_id: resource,
    });
    change(&state, read, vec![added]).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_dependency(
    State(state): Shared,
    Path((_, id, resource)): TwoIds,
) -> Result<StatusCode, ApiError> {
    settle(&state, |directory| {
        find(directory, &id)?;
        if !directory.depends(&id, &resource) {
            return Err(ApiError::not_found("dependency"));
        }
        let gone = Change::Delete(Kind::Dependency, pair(&id, &resource));
        Ok((vec![gone], ()))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn kind_word(kind: CredentialKind) -> String {
    match kind {
        CredentialKind::Password => "password",
        CredentialKind::Public => "public",
    }
    .to_owned()
}

fn credential_view(credential: &ApplicationCredential) -> console::ApplicationCredential {
    console::ApplicationCredential {
        id: credential.id.clone(),
        application_id: credential.application_id.clone(),
        kind: kind_word(credential.kind),
        identifier: credential.identifier.clone(),
        created_at: credential.created_at,
    }
}

async fn list_credentials(
    State(state): Shared,
    window: Window,
) -> Result<Json<console::Page<console::ApplicationCredential>>, ApiError> {
    window
        .cut(&state.directory().application_credentials, |c| {
            Some(credential_view(c))
        })
        .map(Json)
}

async fn one_credential(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<Json<console::ApplicationCredential>, ApiError> {
    let directory = state.directory();
    credential_with_id(&directory, &id).map(|credential| Json(credential_view(credential)))
}

fn credential_with_id<'a>(
    directory: &'a Directory,
    id: &str,
) -> Result<&'a Arc<ApplicationCredential>, ApiError> {
    directory
        .application_credentials
        .values()
        .find(|credential| credential.id == id)
        .ok_or_else(|| ApiError::not_found("application credential"))
}

#[derive(Deserialize)]
struct NewCredential {
    application_id: String,
    #[serde(rename = "type")]
    kind: CredentialKind,
    identifier: Option<String>,
}

/// A new credential; the only answer that ever shows its secret.
#[derive(Serialize)]
struct CreatedCredential {
    #[serde(flatten)]
    credential: console::ApplicationCredential,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

async fn create_credential(
    State(state): Shared,
    Body(body): Body<NewCredential>,
) -> Result<(StatusCode, Json<CreatedCredential>), ApiError> {
    let identifier = body.identifier.unwrap_or_else(|| state.config.ids.short());
    // A colon would end the client id of HTTP Basic, and SDKs do not encode it.
    if identifier.is_empty()
        || identifier
            .chars()
            .any(|c| c == ':' || !c.is_ascii_graphic())
    {
        return Err(ApiError::invalid(
            "A credential's identifier is printable ASCII without a colon.",
        ));
    }
    let password = match body.kind {
        CredentialKind::Password => Some(Secret::new(state.config.ids.token(32))),
        CredentialKind::Public => None,
    };
    let id = state.config.ids.short();
    let belongs = Belongs {
        to: APPLICATION_SECRET,
        id: &id,
    };
    let sealed = password.as_ref();
    let sealed = sealed.map(|password| state.vault.seal(password, belongs));
    let credential = ApplicationCredential {
        id,
        application_id: body.application_id,
        kind: body.kind,
        identifier,
        secret: password.as_ref().map(SecretHash::of),
        sealed,
        created_at: state.config.clock.now(),
    };
    let created = CreatedCredential {
        credential: credential_view(&credential),
        password: password.map(|password| password.expose().clone()),
    };
    settle(&state, |directory| {
        if !directory
            .applications
            .contains_key(&credential.application_id)
        {
            return Err(ApiError::invalid("application_id names no application."));
        }
        let ids = &directory.application_credentials;
        if ids.contains_key(&credential.identifier) {
            return Err(ApiError::conflict("This client id is taken."));
        }
        Ok((vec![Change::put(credential.clone())], ()))
    })
    .await?;
    Ok((StatusCode::CREATED, Json(created)))
}

async fn delete_credential(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<StatusCode, ApiError> {
    let directory = state.directory();
    let credential = credential_with_id(&directory, &id)?;
    let gone = Change::Delete(Kind::ApplicationCredential, credential.identifier.clone());
    change(&state, vec![credential.clone().wrap()], vec![gone]).await?;
    Ok(StatusCode::NO_CONTENT)
}
