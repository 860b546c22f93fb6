//! Policies and policy sets as they are made: immutable versions with their hashes, and the one
//! active version.

use chrono::{DateTime, Utc};

use crate::{
    protocol::{
        audit::{AuditEvent, Effect, IdentityChain, Party, PolicyDecision, PolicySetRef},
        console::{Manifest, ManifestEntry},
    },
    support::{
        clock::Stopwatch,
        digest::{hex, sha256},
    },
    zone::{
        audit::Draft,
        directory::{
            ActiveBinding, Change, Policy, PolicySet, PolicySetVersion, PolicyVersion, Tables,
        },
    },
};

use super::POLICY_SCHEMA_VERSION;

/// The next version of a policy. The text is checked by [`super::check`] before.
#[must_use]
pub fn next_policy_version(
    tables: &Tables,
    policy: &Policy,
    id: String,
    text: &str,
    now: DateTime<Utc>,
) -> PolicyVersion {
    PolicyVersion {
        id,
        policy_id: policy.id.clone(),
        version: latest_policy_version(tables, &policy.id).map_or(1, |latest| latest.version + 1),
        cedar_raw: text.to_owned(),
        schema_version: POLICY_SCHEMA_VERSION.to_owned(),
        sha: hex(&sha256(text.as_bytes())),
        created_at: now,
    }
}

/// The next version of a policy set.
#[must_use]
pub fn next_set_version(
    tables: &Tables,
    set: &PolicySet,
    id: String,
    entries: Vec<ManifestEntry>,
    now: DateTime<Utc>,
) -> PolicySetVersion {
    // The hash covers what the manifest says, line by line; its layout is ours.
    let mut listing = String::new();
    for entry in &entries {
        listing.push_str(&entry.policy_id);
        listing.push(' ');
        listing.push_str(&entry.policy_version_id);
        listing.push(' ');
        listing.push_str(&entry.sha);
        listing.push('\n');
    }
    PolicySetVersion {
        id,
        policy_set_id: set.id.clone(),
        version: latest_set_version(tables, &set.id).map_or(1, |latest| latest.version + 1),
        schema_version: POLICY_SCHEMA_VERSION.to_owned(),
        manifest_sha: hex(&sha256(listing.as_bytes())),
        manifest: Manifest { entries },
        created_at: now,
    }
}

/// The manifest's line for a policy version.
#[must_use]
pub fn entry(version: &PolicyVersion) -> ManifestEntry {
    ManifestEntry {
        policy_id: version.policy_id.clone(),
        policy_version_id: version.id.clone(),
        sha: version.sha.clone(),
    }
}

/// The newest version of a policy.
#[must_use]
pub fn latest_policy_version<'a>(tables: &'a Tables, policy_id: &str) -> Option<&'a PolicyVersion> {
    tables
        .policy_versions
        .values()
        .filter(|version| version.policy_id == policy_id)
        .max_by_key(|version| version.version)
        .map(AsRef::as_ref)
}

/// The newest version of a policy set.
#[must_use]
pub fn latest_set_version<'a>(tables: &'a Tables, set_id: &str) -> Option<&'a PolicySetVersion> {
    tables
        .policy_set_versions
        .values()
        .filter(|version| version.policy_set_id == set_id)
        .max_by_key(|version| version.version)
        .map(AsRef::as_ref)
}

/// Makes a version the active one, which ends the one before in the same instant, and the row that
/// says so. The row's decision carries the set: it is what decides from here on.
#[must_use]
pub fn activation(
    set: &PolicySet,
    version: &PolicySetVersion,
    by: Party,
    request_id: String,
    started: Stopwatch,
    now: DateTime<Utc>,
) -> (Change, Draft) {
    let change = Change::put(ActiveBinding {
        policy_set_version_id: version.id.clone(),
        activated_at: now,
    });
    let mut draft = Draft::new(AuditEvent::PolicySetsActivate, request_id, started);
    draft.actor = IdentityChain {
        application: Some(by),
        user: None,
    };
    draft.decision = Some(PolicyDecision {
        effect: Effect::Allow,
        policy_set: Some(PolicySetRef {
            id: set.id.clone(),
            name: set.name.clone(),
            version: version.version,
        }),
        determining: Vec::new(),
    });
    (change, draft)
}
