//! The zone's objects on the management API: reads of all of them, and what the workshop makes.
//!
//! Decides nothing: whether an object is there already is for the caller to find out.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Console, Outgoing, parse};
use crate::{
    protocol::{
        audit::CredentialSource,
        console::{
            Application, ApplicationCredential, Consent, Manifest, Policy, PolicySet,
            PolicySetVersion, PolicyVersion, Provider, Resource,
        },
        secret::Secret,
    },
    support::error::Failure,
    trace::event::Leg,
};

/// A provider to be made.
#[derive(Debug, Clone)]
pub struct NewProvider {
    pub name: String,
    pub kind: CredentialSource,
    /// For an external one.
    pub oauth: Option<ProviderOAuth>,
}

/// The OAuth client that the zone is at an external provider.
#[derive(Debug, Clone)]
pub struct ProviderOAuth {
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub authorization_parameters: BTreeMap<String, String>,
    pub scope_separator: String,
}

/// A resource to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewResource {
    pub name: String,
    pub identifier: String,
    /// The application that provides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
    pub credential_provider_id: String,
    pub scopes: Vec<String>,
}

/// An application to be made. Dependencies are added one by one: in the body they are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewApplication {
    pub name: String,
    pub consent: Consent,
}

/// A secret in the vault, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct VaultedSecret {
    pub id: String,
    pub name: String,
    /// The resource it is for.
    pub entity_id: String,
}

/// A client credential with its secret, which is answered this once.
#[derive(Debug, Clone)]
pub struct CreatedCredential {
    pub credential: ApplicationCredential,
    /// A public one has none.
    pub secret: Option<Secret>,
}

/// How an application shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// By a client id and a secret.
    Password,
    /// By its client id alone.
    Public,
}

impl CredentialKind {
    /// The zone's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Public => "public",
        }
    }
}

#[derive(Deserialize)]
struct CreatedAnswer {
    #[serde(flatten)]
    credential: ApplicationCredential,
    password: Option<Secret>,
}

/// Reads. Each fails if the zone does not answer.
impl Console {
    /// The credential providers.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn providers(&self) -> Result<Vec<Provider>, Failure> {
        self.list(&["providers"]).await
    }

    /// The resources.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn resources(&self) -> Result<Vec<Resource>, Failure> {
        self.list(&["resources"]).await
    }

    /// The applications.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn applications(&self) -> Result<Vec<Application>, Failure> {
        self.list(&["applications"]).await
    }

    /// What an application depends on.
    ///
    /// # Errors
    /// If the zone does not answer or knows no such application.
    pub async fn dependencies(&self, application: &str) -> Result<Vec<Resource>, Failure> {
        self.list(&["applications", application, "dependencies"])
            .await
    }

    /// Every application's credentials, without their secrets.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn credentials(&self) -> Result<Vec<ApplicationCredential>, Failure> {
        self.list(&["application-credentials"]).await
    }

    /// What lies in the vault, without the secrets.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn secrets(&self) -> Result<Vec<VaultedSecret>, Failure> {
        self.list(&["secrets"]).await
    }

    /// The policies, each with its newest version.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn policies(&self) -> Result<Vec<Policy>, Failure> {
        self.list(&["policies"]).await
    }

    /// The policy sets.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn policy_sets(&self) -> Result<Vec<PolicySet>, Failure> {
        self.list(&["policy-sets"]).await
    }

    /// A version of a policy set, whole.
    ///
    /// # Errors
    /// If the zone does not answer or has no such version.
    pub async fn policy_set_version(
        &self,
        set: &str,
        version: &str,
    ) -> Result<PolicySetVersion, Failure> {
        self.get(&["policy-sets", set, "versions", version]).await
    }
}

/// Changes. Each fails if the zone refuses or does not answer.
impl Console {
    /// Makes a provider.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn create_provider(&self, new: &NewProvider) -> Result<Provider, Failure> {
        let oauth = new.oauth.as_ref().map(|oauth| {
            self.http.masker().pin(oauth.client_secret.expose());
            json!({
                "authorization_endpoint": oauth.authorization_endpoint,
                "token_endpoint": oauth.token_endpoint,
                "client_id": oauth.client_id,
                "client_secret": oauth.client_secret.expose(),
                "authorization_parameters": oauth.authorization_parameters,
                "scope_separator": oauth.scope_separator,
            })
        });
        let body = json!({ "name": new.name, "type": new.kind, "oauth": oauth });
        self.post(&["providers"], &body).await
    }

    /// Deletes a provider.
    ///
    /// # Errors
    /// If the zone refuses, for instance because a resource uses it, or does not answer.
    pub async fn delete_provider(&self, id: &str) -> Result<(), Failure> {
        let url = self.zone_url(&["providers", id])?;
        self.request(|| Outgoing::new(Method::DELETE, url.clone(), Leg::Console))
            .await
            .map(drop)
    }

    /// Makes a resource.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn create_resource(&self, new: &NewResource) -> Result<Resource, Failure> {
        self.post(&["resources"], &json!(new)).await
    }

    /// Changes members of a resource.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn update_resource(&self, id: &str, patch: &Value) -> Result<Resource, Failure> {
        self.send(Method::PATCH, &["resources", id], patch).await
    }

    /// Makes an application.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn create_application(&self, new: &NewApplication) -> Result<Application, Failure> {
        self.post(&["applications"], &json!(new)).await
    }

    /// Sets whether an application asks for consent.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn set_consent(&self, id: &str, consent: Consent) -> Result<Application, Failure> {
        let patch = json!({ "consent": consent });
        self.send(Method::PATCH, &["applications", id], &patch)
            .await
    }

    /// Adds a dependency; one that is there already stays.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn add_dependency(&self, application: &str, resource: &str) -> Result<(), Failure> {
        let url = self.zone_url(&["applications", application, "dependencies", resource])?;
        self.request(|| Outgoing::new(Method::PUT, url.clone(), Leg::Console))
            .await
            .map(drop)
    }

    /// Takes a dependency away.
    ///
    /// # Errors
    /// If the zone refuses, for instance because there is no such dependency.
    pub async fn remove_dependency(
        &self,
        application: &str,
        resource: &str,
    ) -> Result<(), Failure> {
        let url = self.zone_url(&["applications", application, "dependencies", resource])?;
        self.request(|| Outgoing::new(Method::DELETE, url.clone(), Leg::Console))
            .await
            .map(drop)
    }

    /// Makes a client credential.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn create_credential(
        &self,
        application: &str,
        kind: CredentialKind,
    ) -> Result<CreatedCredential, Failure> {
        let body = json!({ "application_id": application, "type": kind });
        let created: CreatedAnswer = self.post(&["application-credentials"], &body).await?;
        if let Some(secret) = &created.password {
            self.http.masker().pin(secret.expose());
        }
        Ok(CreatedCredential {
            credential: created.credential,
            secret: created.password,
        })
    }

    /// Puts a token into the vault, for one resource; it takes the place of the one before.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn store_secret(
        &self,
        resource: &str,
        name: &str,
        token: &Secret,
    ) -> Result<VaultedSecret, Failure> {
        self.http.masker().pin(token.expose());
        let body = json!({
            "name": name,
            "entity_id": resource,
            "data": { "type": "token", "token": token.expose() },
        });
        self.post(&["secrets"], &body).await
    }

    /// Makes a policy with its first version.
    ///
    /// # Errors
    /// If the zone refuses, for instance because the text is no policy.
    pub async fn create_policy(&self, name: &str, text: &str) -> Result<Policy, Failure> {
        let body = json!({ "name": name, "cedar_raw": text });
        self.post(&["policies"], &body).await
    }

    /// Makes the next version of a policy.
    ///
    /// # Errors
    /// If the zone refuses, for instance because the text is no policy.
    pub async fn create_policy_version(
        &self,
        policy: &str,
        text: &str,
    ) -> Result<PolicyVersion, Failure> {
        let body = json!({ "cedar_raw": text });
        self.post(&["policies", policy, "versions"], &body).await
    }

    /// Makes a policy set without a version.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn create_policy_set(&self, name: &str) -> Result<PolicySet, Failure> {
        self.post(&["policy-sets"], &json!({ "name": name })).await
    }

    /// Publishes a version of a policy set; it counts only once it is activated.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn publish_policy_set(
        &self,
        set: &str,
        manifest: &Manifest,
    ) -> Result<PolicySetVersion, Failure> {
        let body = json!({ "manifest": manifest });
        self.post(&["policy-sets", set, "versions"], &body).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &[&str], body: &Value) -> Result<T, Failure> {
        self.send(Method::POST, path, body).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &Value,
    ) -> Result<T, Failure> {
        let url = self.zone_url(path)?;
        let body = Secret::new(body.to_string().into_bytes());
        let answer = self
            .request(|| {
                Outgoing::new(method.clone(), url.clone(), Leg::Console)
                    .body("application/json", body.expose().clone())
            })
            .await?;
        parse(&answer)
    }
}
