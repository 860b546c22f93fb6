//! The directory as Cedar sees it. Built once and kept while nothing in it changes.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
};

use cedar_policy::{
    Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression as Value,
};

use super::{APPLICATION, RESOURCE, USER, strings, type_name, uid};
use crate::zone::directory::{CredentialKind, Kind, Tables};

/// Entities that are built when they are first asked for.
pub(in crate::zone) type EntityCache = Arc<OnceLock<Result<Entities, String>>>;

/// Whether a change of this kind makes the entities stale.
pub(in crate::zone) const fn stale_by(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::User
            | Kind::Application
            | Kind::ApplicationCredential
            | Kind::UserAgent
            | Kind::Resource
            | Kind::Dependency
    )
}

/// Builds the entities of all people, applications and resources.
pub(in crate::zone) fn build(tables: &Tables) -> Result<Entities, String> {
    let mut entities = Vec::new();
    for user in tables.users.values() {
        entities.push(entity(
            uid(&USER, &user.id),
            [
                ("identifier", string(&user.identifier)),
                ("email", string(&user.email)),
                // The lab's sign-in provider has no groups.
                ("groups", Value::new_set([])),
            ],
        )?);
    }
    for resource in tables.resources.values() {
        entities.push(entity(
            uid(&RESOURCE, &resource.id),
            [
                ("id", string(&resource.id)),
                ("identifier", string(&resource.identifier)),
                ("name", string(&resource.name)),
                ("scopes", strings(&resource.scopes)),
            ],
        )?);
    }
    let registration = type_name("Keycard::RegistrationMethod");
    let credential = type_name("Keycard::CredentialType");
    for application in tables.applications.values() {
        let dependencies = tables
            .dependencies
            .values()
            .filter(|d| d.application_id == application.id)
            .map(|d| Value::new_entity_uid(uid(&RESOURCE, &d.resource_id)));
        let kind = tables
            .application_credentials
            .values()
            .find(|c| c.application_id == application.id)
            .map_or(CredentialKind::Password, |c| c.kind);
        let kind = match kind {
            CredentialKind::Password => "password",
            CredentialKind::Public => "public",
        };
        entities.push(entity(
            uid(&APPLICATION, &application.id),
            [
                ("identifier", string(&application.identifier)),
                ("dependencies", Value::new_set(dependencies)),
                ("registration_method", word(&registration, "managed")),
                ("credential_type", word(&credential, kind)),
                ("traits", Value::new_set([])),
            ],
        )?);
    }
    for agent in tables.user_agents.values() {
        entities.push(entity(
            uid(&APPLICATION, &agent.id),
            [
                ("identifier", string(&agent.identifier)),
                ("dependencies", Value::new_set([])),
                ("registration_method", word(&registration, "dcr")),
                ("credential_type", word(&credential, "public")),
                ("traits", Value::new_set([])),
            ],
        )?);
    }
    Entities::from_entities(entities, None).map_err(|error| error.to_string())
}

fn entity<const N: usize>(
    uid: EntityUid,
    attributes: [(&str, Value); N],
) -> Result<Entity, String> {
    let attributes: HashMap<_, _> = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Entity::new(uid, attributes, HashSet::new()).map_err(|error| error.to_string())
}

fn string(text: &str) -> Value {
    Value::new_string(text.to_owned())
}

fn word(kind: &EntityTypeName, id: &str) -> Value {
    Value::new_entity_uid(EntityUid::from_type_name_and_id(
        kind.clone(),
        EntityId::new(id),
    ))
}
