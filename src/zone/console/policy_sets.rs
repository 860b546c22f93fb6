//! Policy sets, their versions and manifests, and which one is active.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use serde::Deserialize;

use super::{
    ApiError, Body, OneId, Shared, TwoIds, change, clean_name,
    page::Window,
    policies::{named, policy_at, same_schema},
    readable_id, settle,
};
use crate::{
    protocol::console::{self, Manifest, ManifestEntry, Owner, Page},
    support::{
        clock::Stopwatch,
        error::{Exit, Failure},
    },
    zone::{
        ZoneState,
        directory::{ACTIVE, Change, Directory, Object, PolicySet, PolicySetVersion, Stored as _},
        policy::lifecycle::{activation, entry, latest_set_version, next_set_version},
        store::{Commit, CommitError},
    },
};

pub(super) fn router() -> Router<Arc<ZoneState>> {
    Router::new()
        .route("/policy-sets", get(list_sets).post(create_set))
        .route("/policy-sets/{id}", get(one_set))
        .route("/policy-sets/{id}/policies", get(set_policies))
        .route(
            "/policy-sets/{id}/versions",
            get(list_set_versions).post(create_set_version),
        )
        .route(
            "/policy-sets/{id}/versions/{version}",
            get(one_set_version).patch(activate),
        )
}

fn active_version(directory: &Directory) -> Option<&Arc<PolicySetVersion>> {
    let binding = directory.active_bindings.get(ACTIVE)?;
    directory
        .policy_set_versions
        .get(&binding.policy_set_version_id)
}

fn set_view(directory: &Directory, set: &PolicySet) -> console::PolicySet {
    console::PolicySet {
        id: set.id.clone(),
        name: set.name.clone(),
        owner_type: set.owner,
        active_version: active_version(directory)
            .filter(|version| version.policy_set_id == set.id)
            .map(|version| version.version),
        latest_version: latest_set_version(directory, &set.id).map_or(0, |latest| latest.version),
    }
}

/// Whether a set version is shown with its manifest.
#[derive(Clone, Copy)]
enum Detail {
    Listed,
    Whole,
}

fn set_version_view(
    directory: &Directory,
    version: &PolicySetVersion,
    detail: Detail,
) -> console::PolicySetVersion {
    console::PolicySetVersion {
        id: version.id.clone(),
        policy_set_id: version.policy_set_id.clone(),
        version: version.version,
        active: active_version(directory).is_some_and(|active| active.id == version.id),
        schema_version: version.schema_version.clone(),
        manifest_sha: version.manifest_sha.clone(),
        manifest: match detail {
            Detail::Listed => None,
            Detail::Whole => Some(version.manifest.clone()),
        },
        created_at: version.created_at,
    }
}

async fn list_sets(
    State(state): Shared,
    window: Window,
) -> Result<Json<Page<console::PolicySet>>, ApiError> {
    let directory = state.directory();
    window
        .cut(&directory.policy_sets, |set| {
            Some(set_view(&directory, set))
        })
        .map(Json)
}

async fn one_set(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<Json<console::PolicySet>, ApiError> {
    let directory = state.directory();
    set_with_id(&directory, &id).map(|set| Json(set_view(&directory, set)))
}

fn set_with_id<'a>(directory: &'a Directory, id: &str) -> Result<&'a Arc<PolicySet>, ApiError> {
    directory
        .policy_sets
        .get(id)
        .ok_or_else(|| ApiError::not_found("policy set"))
}

/// The policies of the set's active version, or of its newest, in the manifest's order and in the
/// manifest's versions.
async fn set_policies(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<Json<Page<console::Policy>>, ApiError> {
    let directory = state.directory();
    set_with_id(&directory, &id)?;
    let version = active_version(&directory)
        .map(AsRef::as_ref)
        .filter(|version| version.policy_set_id == id)
        .or_else(|| latest_set_version(&directory, &id));
    let items = version
        .map(|version| version.manifest.entries.as_slice())
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| {
            let policy = directory.policies.get(&entry.policy_id)?;
            let version = directory.policy_versions.get(&entry.policy_version_id)?;
            Some(policy_at(policy, version))
        })
        .collect();
    Ok(Json(Page {
        items,
        pagination: console::Pagination::default(),
    }))
}

#[derive(Deserialize)]
struct NewSet {
    name: String,
}

async fn create_set(
    State(state): Shared,
    Body(body): Body<NewSet>,
) -> Result<(StatusCode, Json<console::PolicySet>), ApiError> {
    let name = clean_name(&body.name)?;
    let view = settle(&state, |directory| {
        if directory.policy_sets.values().any(|set| set.name == name) {
            return Err(ApiError::conflict(
                "Another policy set has this name already.",
            ));
        }
        let set = PolicySet {
            id: readable_id(&state, &name, |id| directory.policy_sets.contains_key(id)),
            name: name.clone(),
            owner: Owner::Customer,
        };
        let view = set_view(directory, &set);
        Ok((vec![Change::put(set)], view))
    })
    .await?;
    Ok((StatusCode::CREATED, Json(view)))
}

async fn list_set_versions(
    State(state): Shared,
    Path((_, id)): OneId,
    window: Window,
) -> Result<Json<Page<console::PolicySetVersion>>, ApiError> {
    let directory = state.directory();
    set_with_id(&directory, &id)?;
    window
        .cut(&directory.policy_set_versions, |version| {
            (version.policy_set_id == id)
                .then(|| set_version_view(&directory, version, Detail::Listed))
        })
        .map(Json)
}

#[derive(Deserialize)]
struct NewSetVersion {
    manifest: NewManifest,
    schema_version: Option<String>,
}

#[derive(Deserialize)]
struct NewManifest {
    entries: Vec<NewEntry>,
}

/// The hash may be left out; a wrong one is refused.
#[derive(Deserialize)]
struct NewEntry {
    policy_id: String,
    policy_version_id: String,
    sha: Option<String>,
}

async fn create_set_version(
    State(state): Shared,
    Path((_, id)): OneId,
    Body(body): Body<NewSetVersion>,
) -> Result<(StatusCode, Json<console::PolicySetVersion>), ApiError> {
    let directory = state.directory();
    let set = set_with_id(&directory, &id)?;
    match set.owner {
        Owner::Platform => return Err(ApiError::read_only("policy set")),
        Owner::Customer => {}
    }
    same_schema(body.schema_version.as_deref())?;
    let manifest = manifest(&directory, body.manifest)?;
    let version = next_set_version(
        &directory,
        set,
        state.config.ids.short(),
        manifest.entries,
        state.config.clock.now(),
    );
    let view = set_version_view(&directory, &version, Detail::Whole);
    let changes = vec![Change::put((**set).clone()), Change::put(version)];
    change(&state, vec![set.clone().wrap()], changes).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

fn manifest(directory: &Directory, wanted: NewManifest) -> Result<Manifest, ApiError> {
    let mut entries: Vec<ManifestEntry> = Vec::new();
    for line in wanted.entries {
        let version = directory
            .policy_versions
            .get(&line.policy_version_id)
            .filter(|version| version.policy_id == line.policy_id)
            .ok_or_else(|| ApiError::invalid("The manifest names no version of that policy."))?;
        if line.sha.is_some_and(|sha| sha != version.sha) {
            return Err(ApiError::invalid(
                "A hash in the manifest is not that version's.",
            ));
        }
        if entries.iter().any(|e| e.policy_id == version.policy_id) {
            return Err(ApiError::invalid("The manifest names a policy twice."));
        }
        entries.push(entry(version));
    }
    Ok(Manifest { entries })
}

fn set_version<'a>(
    directory: &'a Directory,
    set: &str,
    version: &str,
) -> Result<&'a Arc<PolicySetVersion>, ApiError> {
    directory
        .policy_set_versions
        .values()
        .find(|v| v.policy_set_id == set && named(version, &v.id, v.version))
        .ok_or_else(|| ApiError::not_found("policy set version"))
}

async fn one_set_version(
    State(state): Shared,
    Path((_, id, version)): TwoIds,
) -> Result<Json<console::PolicySetVersion>, ApiError> {
    let directory = state.directory();
    set_version(&directory, &id, &version)
        .map(|version| Json(set_version_view(&directory, version, Detail::Whole)))
}

#[derive(Deserialize)]
struct Activation {
    active: bool,
}

async fn activate(
    State(state): Shared,
    Path((_, id, version)): TwoIds,
    Body(body): Body<Activation>,
) -> Result<Json<console::PolicySetVersion>, ApiError> {
    let started = Stopwatch::start();
    if !body.active {
        return Err(ApiError::invalid(
            "A version is not made inactive; make another one active.",
        ));
    }
    let directory = state.directory();
    let set = set_with_id(&directory, &id)?;
    let version = set_version(&directory, &id, &version)?;
    let directory = make_active(&state, set, version, started).await?;
    Ok(Json(set_version_view(&directory, version, Detail::Whole)))
}

/// What the console's Activate does to the latest version of `set`. A set of which a version is
/// active already stays as it is, and then nothing is written into the log.
pub(in crate::zone) async fn activate_latest(state: &ZoneState, set: &str) -> Result<(), Failure> {
    let started = Stopwatch::start();
    let directory = state.directory();
    if active_version(&directory).is_some_and(|active| active.policy_set_id == set) {
        return Ok(());
    }
    let found = directory.policy_sets.get(set);
    let version = directory
        .policy_set_versions
        .values()
        .filter(|version| version.policy_set_id == set)
        .max_by_key(|version| version.version);
    let (Some(set), Some(version)) = (found, version) else {
        return Err(Failure::new(
            Exit::Failed,
            "The policy set cannot be made the active one",
            format!("the zone has no policy set {set}, or it was never published"),
            "make it again in the console, or start with `hoptrail lab --reset`",
        ));
    };
    make_active(state, set, version, started).await?;
    Ok(())
}

async fn make_active(
    state: &ZoneState,
    set: &Arc<PolicySet>,
    version: &Arc<PolicySetVersion>,
    started: Stopwatch,
) -> Result<Arc<Directory>, CommitError> {
    let (change, draft) = activation(
        set,
        version,
        state.console.party(),
        state.config.ids.short(),
        started,
        state.config.clock.now(),
    );
    let unchanged: Vec<Object> = vec![set.clone().wrap(), version.clone().wrap()];
    state
        .store
        .commit(Commit {
            unchanged,
            changes: vec![change],
            audit: vec![draft],
            ..Commit::default()
        })
        .await
}
