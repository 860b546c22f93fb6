//! The management API's objects, on Keycard's paths and with Keycard's field names where they are
//! known (facts: providers, resources, applications, policies, sessions, delegated grants).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::audit::CredentialSource;

/// A list answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    #[serde(default)]
    pub pagination: Pagination,
}

/// The cursors of a list answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pagination {
    #[serde(default)]
    pub after_cursor: Option<String>,
    #[serde(default)]
    pub before_cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_count: Option<u64>,
}

/// A credential provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: CredentialSource,
}

/// A protected resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    pub id: String,
    pub name: String,
    /// The resource indicator, matched exactly.
    pub identifier: String,
    /// The application that provides it; an exchange needs this (facts/keycard.md, 2.9 rule 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_provider_id: Option<String>,
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_lifetime_seconds: Option<u64>,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    pub id: String,
    pub name: String,
    pub identifier: String,
    pub consent: Consent,
}

/// Whether a person must agree before an application acts for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    Implicit,
    Required,
}

/// An application's way to authenticate. The secret itself is answered once, at creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationCredential {
    pub id: String,
    pub application_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// The client id.
    pub identifier: String,
    pub created_at: DateTime<Utc>,
}

/// A policy and its newest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub id: String,
    pub name: String,
    pub owner_type: Owner,
    pub latest_version: PolicyVersion,
}

impl Policy {
    /// What the policy does where it matches; `None` for a text that is no Cedar policy.
    #[must_use]
    pub fn effect(&self) -> Option<PolicyEffect> {
        PolicyEffect::of(&self.latest_version.cedar_raw)
    }
}

/// What a Cedar policy does to a request that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyEffect {
    Permit,
    /// Overrides every permit.
    Forbid,
}

impl PolicyEffect {
    /// What a policy of this text does; `None` for a text that is no Cedar policy.
    #[must_use]
    pub fn of(cedar: &str) -> Option<Self> {
        let mut rest = cedar.trim_start();
        loop {
            if let Some(comment) = rest.strip_prefix("//") {
                rest = comment.split_once('\n')?.1.trim_start();
            } else if let Some(annotation) = rest.strip_prefix('@') {
                // `@id("…")`: its string may hold anything, a quote only behind a backslash.
                let (_, text) = annotation.split_once('"')?;
                let mut escaped = false;
                let end = text.find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                })?;
                rest = text[end + 1..].trim_start().strip_prefix(')')?.trim_start();
            } else {
                break;
            }
        }
        let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
        match word.as_str() {
            "permit" => Some(Self::Permit),
            "forbid" => Some(Self::Forbid),
            _ => None,
        }
    }

    /// As it is said of a policy.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Permit => "permits",
            Self::Forbid => "forbids",
        }
    }
}

/// An immutable policy version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    pub id: String,
    pub version: u32,
    /// Cedar source.
    pub cedar_raw: String,
    pub schema_version: String,
    pub sha: String,
}

/// Who may change a policy or a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    Platform,
    Customer,
}

/// A named policy set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySet {
    pub id: String,
    pub name: String,
    pub owner_type: Owner,
    /// The version that is active, if one of this set's is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_version: Option<u32>,
    pub latest_version: u32,
}

/// An immutable policy set version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySetVersion {
    pub id: String,
    pub policy_set_id: String,
    pub version: u32,
    pub active: bool,
    pub schema_version: String,
    pub manifest_sha: String,
    /// Absent in lists, present in a single read (as Keycard does).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Manifest>,
    pub created_at: DateTime<Utc>,
}

/// What a policy set version consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub entries: Vec<ManifestEntry>,
}

/// One policy version in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    pub policy_id: String,
    pub policy_version_id: String,
    pub sha: String,
}

/// A user's or an application's session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: String,
    pub session_type: SessionType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The person's e-mail address (ours: Keycard leaves it in `session_data`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent_id: Option<String>,
    /// The initiator's display name (ours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    pub authenticated_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub status: LifeStatus,
}

/// Whose session it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionType {
    User,
    Application,
}

/// Where a session or a grant is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifeStatus {
    Active,
    Expired,
    Revoked,
}

/// A person's consent that a resource may be used on their behalf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelegatedGrant {
    pub id: String,
    pub user_id: String,
    pub resource_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    #[serde(default)]
    pub scopes: Vec<String>,
    pub status: LifeStatus,
    pub created_at: DateTime<Utc>,
}

/// What the TUI shows of the active policy set: put together from the reads above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyOverview {
    /// Every set of the zone.
    pub sets: Vec<PolicySet>,
    /// The policies of the active version, in manifest order; empty when no set is active.
    pub active_policies: Vec<Policy>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(cedar: &str) -> Policy {
        Policy {
            id: "p".to_owned(),
            name: "p".to_owned(),
            owner_type: Owner::Customer,
            latest_version: PolicyVersion {
                id: "v".to_owned(),
                version: 1,
                cedar_raw: cedar.to_owned(),
                schema_version: "1".to_owned(),
                sha: String::new(),
            },
        }
    }

    #[test]
    fn a_policys_effect_is_its_first_word_behind_comments_and_annotations() {
        for (cedar, effect) in [
            (
                "forbid (principal, action, resource);",
                Some(PolicyEffect::Forbid),
            ),
            (
                "// permit\n\n@id(\"a \\\"permit\\\" )\")\n@advice(\"x\")\n  forbid(principal, action, resource);",
                Some(PolicyEffect::Forbid),
            ),
            (
                "  permit(principal, action, resource);",
                Some(PolicyEffect::Permit),
            ),
            ("forbidden", None),
            ("// forbid", None),
            ("@id(\"open", None),
            ("", None),
        ] {
            assert_eq!(policy(cedar).effect(), effect, "{cedar}");
        }
    }
}
