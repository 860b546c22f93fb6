//! What a zone consists of: one type per kind of object, each with the key it is stored under.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    protocol::{
        audit::CredentialSource,
        console::{LifeStatus, Manifest, Owner},
    },
    zone::vault::{Sealed, SecretHash},
};

pub use crate::protocol::console::{Application, Resource, Session};

/// A kind of object: each has a table of its own in the [`super::Directory`].
pub trait Stored: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The kind.
    const KIND: Kind;
    /// The key within the kind.
    fn key(&self) -> Cow<'_, str>;
    /// The object as one of any kind.
    fn wrap(self: Arc<Self>) -> Object;
}

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident, $table:ident, $word:literal, |$this:ident| $key:expr;)*) => {
        /// The kinds of objects.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        /// An object of any kind.
        #[derive(Debug, Clone)]
        pub enum Object { $($(#[$doc])* $name(Arc<$name>),)* }

        impl Kind {
            /// The kind's name in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The kind of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                match name { $($word => Some(Self::$name),)* _ => None }
            }
        }

        impl Object {
            /// Its kind.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$name(_) => Kind::$name,)* }
            }

            /// Its key within the kind.
            #[must_use]
            pub fn key(&self) -> Cow<'_, str> {
                match self { $(Self::$name(object) => object.key(),)* }
            }

            /// Its JSON text, as stored.
            pub(in crate::zone) fn body(&self) -> serde_json::Result<String> {
                match self { $(Self::$name(object) => serde_json::to_string(&**object),)* }
            }

            /// Reads an object as stored.
            pub(in crate::zone) fn read(kind: Kind, body: &str) -> serde_json::Result<Self> {
                match kind {
                    $(Kind::$name => serde_json::from_str::<$name>(body).map(|o| Self::$name(Arc::new(o))),)*
                }
            }
        }

        $(impl From<$name> for Object {
            fn from(object: $name) -> Self { Self::$name(Arc::new(object)) }
        }

        impl Stored for $name {
            const KIND: Kind = Kind::$name;
            fn key(&self) -> Cow<'_, str> { let $this = self; $key.into() }
            fn wrap(self: Arc<Self>) -> Object { Object::$name(self) }
        })*

        /// The tables. A copy shares all of them until one is changed.
        #[derive(Debug, Clone, Default)]
        pub struct Tables { $($(#[$doc])* pub $table: Arc<BTreeMap<String, Arc<$name>>>,)* }

        impl Tables {
            pub(in crate::zone) fn put(&mut self, object: Object) {
                match object {
                    $(Object::$name(object) => {
                        let key = object.key().into_owned();
                        Arc::make_mut(&mut self.$table).insert(key, object);
                    })*
                }
            }

            pub(in crate::zone) fn remove(&mut self, kind: Kind, key: &str) -> bool {
                match kind {
                    $(Kind::$name => self.$table.contains_key(key)
                        && Arc::make_mut(&mut self.$table).remove(key).is_some(),)*
                }
            }

            /// Whether the table still holds this very object, unchanged since it was read.
            pub(in crate::zone) fn holds(&self, object: &Object) -> bool {
                match object {
                    $(Object::$name(object) => self.$table.get(object.key().as_ref())
                        .is_some_and(|current| Arc::ptr_eq(current, object)),)*
                }
            }
        }
    };
}

objects! {
    /// A credential provider.
    Provider, providers, "provider", |o| o.id.as_str();
    /// A protected resource.
    Resource, resources, "resource", |o| o.id.as_str();
    /// An application.
    Application, applications, "application", |o| o.id.as_str();
    /// An application's right to ask for a resource.
    Dependency, dependencies, "dependency", |o| pair(&o.application_id, &o.resource_id);
    /// An application's way to authenticate, by client id.
    ApplicationCredential, application_credentials, "application_credential", |o| o.identifier.as_str();
    /// A dynamically registered client, by client id.
    UserAgent, user_agents, "user_agent", |o| o.identifier.as_str();
    /// A person.
    User, users, "user", |o| o.id.as_str();
    /// A session.
    Session, sessions, "session", |o| o.id.as_str();
    /// A person's consent, by person and resource.
    Grant, grants, "grant", |o| pair(&o.user_id, &o.resource_id);
    /// A sign-in under way, by the hash of its handle.
    SignIn, sign_ins, "sign_in", |o| o.id.as_str();
    /// An authorization code, by its hash.
    AuthorizationCode, authorization_codes, "authorization_code", |o| o.id.as_str();
    /// A refresh token, by its hash.
    RefreshToken, refresh_tokens, "refresh_token", |o| o.id.as_str();
    /// A vaulted secret, by the resource it opens.
    VaultSecret, vault_secrets, "vault_secret", |o| o.entity_id.as_str();
    /// A policy.
    Policy, policies, "policy", |o| o.id.as_str();
    /// An immutable policy version.
    PolicyVersion, policy_versions, "policy_version", |o| o.id.as_str();
    /// A policy set.
    PolicySet, policy_sets, "policy_set", |o| o.id.as_str();
    /// An immutable policy set version.
    PolicySetVersion, policy_set_versions, "policy_set_version", |o| o.id.as_str();
    /// Which policy set version is active; one row at most.
    ActiveBinding, active_bindings, "active_binding", |_o| ACTIVE;
    /// A signing key, by key id.
    SigningKey, signing_keys, "signing_key", |o| o.id.as_str();
}

/// The key of the one [`ActiveBinding`].
pub const ACTIVE: &str = "active";

impl Kind {
    /// Whether a change of this kind can turn a decision around. Such changes make a new
    /// generation; the others come with every sign-in and must not send exchanges back.
    #[must_use]
    pub const fn bears_on_decisions(self) -> bool {
        match self {
            Self::SignIn | Self::AuthorizationCode | Self::RefreshToken => false,
            Self::Provider
            | Self::Resource
            | Self::Application
            | Self::Dependency
            | Self::ApplicationCredential
            | Self::UserAgent
            | Self::User
            | Self::Session
            | Self::Grant
            | Self::VaultSecret
            | Self::Policy
            | Self::PolicyVersion
            | Self::PolicySet
            | Self::PolicySetVersion
            | Self::ActiveBinding
            | Self::SigningKey => true,
        }
    }
}

/// The key of an object that joins two others. Ids hold no blanks.
#[must_use]
pub fn pair(left: &str, right: &str) -> String {
    format!("{left} {right}")
}

/// A credential provider: where credentials for a resource come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub kind: CredentialSource,
    /// How to get a token upstream; only for an `external` provider.
    #[serde(default)]
    pub oauth: Option<ProviderOAuth>,
}

/// The OAuth client that the zone is at an external provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderOAuth {
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub client_id: String,
    /// Sealed for [`PROVIDER_SECRET`] and the provider's id.
    #[serde(default)]
    pub client_secret: Option<Sealed>,
    /// Added to the authorization request as they are: Linear's `actor=user`.
    #[serde(default)]
    pub authorization_parameters: BTreeMap<String, String>,
    /// Between scopes: a blank by RFC 6749, a comma at Linear.
    #[serde(default = "blank")]
    pub scope_separator: String,
}

fn blank() -> String {
    " ".to_owned()
}

/// What a provider's client secret is sealed for.
pub const PROVIDER_SECRET: &str = "provider.client_secret";
/// What an application's secret is sealed for, with its credential's id.
pub const APPLICATION_SECRET: &str = "application_credential.secret";
/// What a vaulted secret is sealed for, with the resource's id.
pub const VAULT_TOKEN: &str = "vault_secret.token";
/// What a grant's upstream access token is sealed for, with the grant's id.
pub const GRANT_ACCESS_TOKEN: &str = "grant.access_token";
/// What a grant's upstream refresh token is sealed for, with the grant's id.
pub const GRANT_REFRESH_TOKEN: &str = "grant.refresh_token";
/// What a signing key is sealed for, with its key id.
pub const SIGNING_KEY: &str = "signing_key.private";

/// A row of what an application may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    pub application_id: String,
    pub resource_id: String,
}

/// An application's client id and the hash of its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationCredential {
    pub id: String,
    pub application_id: String,
    pub kind: CredentialKind,
    /// The client id.
    pub identifier: String,
    /// Absent for a public client.
    #[serde(default)]
    pub secret: Option<SecretHash>,
    /// The secret itself, sealed for [`APPLICATION_SECRET`] and the credential's id, so that the lab's
    /// next start goes on with it. Nothing but a start opens it; absent where the zone did not make it.
    #[serde(default)]
    pub sealed: Option<Sealed>,
    pub created_at: DateTime<Utc>,
}

/// How an application authenticates. Keycard has more (facts, 2.7); the lab needs these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// Client id and secret.
    Password,
    /// Client id and PKCE.
    Public,
}

/// A client that registered itself (RFC 7591): Keycard calls it a user agent. It is always public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserAgent {
    pub id: String,
    /// `ua:` and a SHA-256; serves as client id.
    pub identifier: String,
    pub name: String,
    pub redirect_uris: Vec<String>,
    #[serde(default)]
    pub grant_types: Vec<String>,
    pub created_at: DateTime<Utc>,
}

/// A person of the zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    /// What tokens call the person: `sub`.
    pub identifier: String,
    pub email: String,
    pub name: String,
    /// The person's id at the identity provider.
    pub subject: String,
    pub created_at: DateTime<Utc>,
}

/// A person's consent that a resource is used on their behalf, with the upstream tokens that
/// stand behind it for an external provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: String,
    pub user_id: String,
    pub resource_id: String,
    #[serde(default)]
    pub provider_id: Option<String>,
    #[serde(default)]
    pub scopes: Vec<String>,
    pub status: LifeStatus,
    pub created_at: DateTime<Utc>,
    /// Sealed for [`GRANT_ACCESS_TOKEN`] and the grant's id.
    #[serde(default)]
    pub access_token: Option<Sealed>,
    /// Sealed for [`GRANT_REFRESH_TOKEN`] and the grant's id.
    #[serde(default)]
    pub refresh_token: Option<Sealed>,
    /// When the upstream access token ends, where the provider said.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A sign-in under way. The data is the sign-in pages' own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The hash of the handle that the browser holds.
    pub id: SecretHash,
    pub expires_at: DateTime<Utc>,
    pub data: Value,
}

/// An authorization code. Used ones stay until they expire, to notice a second use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCode {
    /// The code's hash.
    pub id: SecretHash,
    pub client_id: String,
    pub redirect_uri: String,
    /// PKCE, always S256.
    pub code_challenge: String,
    pub user_id: String,
    pub session_id: String,
    /// The resource that the token will be for.
    pub resource_id: String,
    pub scopes: Vec<String>,
    #[serde(default)]
    pub nonce: Option<String>,
    pub expires_at: DateTime<Utc>,
    #[serde(default)]
    pub used_at: Option<DateTime<Utc>>,
    /// The refresh token family that came of it: revoked on a second use (RFC 6749, 4.1.2).
    #[serde(default)]
    pub family: Option<String>,
}

/// A refresh token. Rotated ones stay until they expire, to notice a second use (RFC 9700, 4.14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The token's hash.
    pub id: SecretHash,
    /// Shared by all tokens that descend from one sign-in.
    pub family: String,
    pub client_id: String,
    pub user_id: String,
    pub session_id: String,
    pub resource_id: String,
    pub scopes: Vec<String>,
    pub status: RefreshStatus,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Where a refresh token is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshStatus {
    Current,
    Rotated,
    Revoked,
}

/// A secret that the vault hands out verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultSecret {
    pub id: String,
    pub name: String,
    /// The resource.
    pub entity_id: String,
    /// Sealed for [`VAULT_TOKEN`] and the resource's id.
    pub token: Sealed,
    pub created_at: DateTime<Utc>,
}

/// A policy's name and owner; its text is in its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub id: String,
    pub name: String,
    pub owner: Owner,
}

/// A policy's text at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    pub id: String,
    pub policy_id: String,
    pub version: u32,
    pub cedar_raw: String,
    pub schema_version: String,
    pub sha: String,
    pub created_at: DateTime<Utc>,
}

/// A policy set's name and owner; its manifest is in its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySet {
    pub id: String,
    pub name: String,
    pub owner: Owner,
}

/// A policy set's manifest at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySetVersion {
    pub id: String,
    pub policy_set_id: String,
    pub version: u32,
    pub schema_version: String,
    pub manifest: Manifest,
    pub manifest_sha: String,
    pub created_at: DateTime<Utc>,
}

/// The policy set version that decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveBinding {
    pub policy_set_version_id: String,
    pub activated_at: DateTime<Utc>,
}

/// A key that the zone signs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// The key id (`kid`).
    pub id: String,
    /// PKCS#8 in DER, sealed for [`SIGNING_KEY`] and the key id.
    pub private: Sealed,
    pub created_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_as_it_was_stored_with_a_secret_and_metadata_is_read() {
        let stored = r#"{"id": "a1", "identifier": "ua:1", "name": "A client", "redirect_uris": [],
            "grant_types": ["authorization_code"], "secret": null, "metadata": null,
            "created_at": "2026-11-24T09:00:00Z"}"#;
        let read = Object::read(Kind::UserAgent, stored).unwrap();
        assert_eq!(read.key(), "ua:1");
        assert!(!read.body().unwrap().contains("metadata"));
    }
}
