//! The server's protected resource metadata, and the zone that it names.

use http::Method;
use serde_json::Value;
use url::Url;

use crate::{
    chapters::{Reading, probe::ResourceMetadata},
    client::{
        http::{DOCUMENT_LIMIT, Outgoing},
        url_policy::bare,
    },
    protocol::oauth::ProtectedResourceMetadata,
    support::text::one_line,
    trace::event::Leg,
};

use super::{ProbeTargets, env, failed};

/// RFC 9728, section 3.
const RESOURCE: &str = "/.well-known/oauth-protected-resource";
/// RFC 8414, section 3.
const SERVER: &str = "/.well-known/oauth-authorization-server";

/// Asks where RFC 9728 has it: before the endpoint's path, then without that path.
pub(super) async fn fetch(around: &ProbeTargets) -> Reading<ResourceMetadata> {
    let server = &around.server;
    let path = server.path().trim_end_matches('/');
    let mut last = failed("the server has no metadata document");
    for place in [format!("{RESOURCE}{path}"), RESOURCE.to_owned()] {
        let mut url = server.clone();
        url.set_path(&place);
        url.set_query(None);
        match document(&url, around).await {
            Ok(value) => match serde_json::from_value::<ProtectedResourceMetadata>(clean(value)) {
                Ok(document) => {
                    let shown = |items: &[String]| items.iter().map(|i| one_line(i)).collect();
                    let zone = document.authorization_servers.first();
                    return Reading::Told(ResourceMetadata {
                        issuer: issuer(zone, around).await,
                        server: bare(server),
                        resource: one_line(&document.resource),
                        authorization_servers: shown(&document.authorization_servers),
                        scopes: shown(&document.scopes_supported),
                    });
                }
                Err(error) => {
                    return failed(format!(
                        "the document at {} is no resource metadata: {}",
                        bare(&url),
                        one_line(&error.to_string())
                    ));
                }
            },
            // What the first place says is the news; the second is only tried for old servers.
            Err(because) => {
                if place != RESOURCE {
                    last = failed(because);
                }
            }
        }
    }
    last
}

/// What a zone calls itself, asked at the name that the server gives it.
async fn issuer(named: Option<&String>, around: &ProbeTargets) -> Option<String> {
    let url = of_zone(&Url::parse(named?).ok()?);
    let document = document(&url, around).await.ok()?;
    document["issuer"].as_str().map(one_line)
}

/// Where a zone takes token requests, by its own word. A secret goes there: so only for a zone that is
/// who it was called.
pub(super) async fn token_endpoint(zone: &Url, around: &ProbeTargets) -> Result<Url, String> {
    let document = document(&of_zone(zone), around).await?;
    let issuer = document["issuer"].as_str().unwrap_or_default();
    let plain = |text: &str| text.trim_end_matches('/').to_owned();
    if plain(issuer) != plain(zone.as_str()) {
        let zone = bare(zone);
        return Err(format!(
            "the zone at {zone} calls itself {}",
            one_line(issuer)
        ));
    }
    let endpoint = document["token_endpoint"].as_str().unwrap_or_default();
    let policy = around.http.policy();
    policy
        .accept("token endpoint", endpoint)
        .map_err(|failure| failure.why)
}

/// Where a zone's metadata is: before the issuer's path (RFC 8414, section 3.1).
fn of_zone(issuer: &Url) -> Url {
    let mut url = issuer.clone();
    url.set_path(&format!("{SERVER}{}", issuer.path().trim_end_matches('/')));
    url
}

/// Lists that are null are empty ones.
fn clean(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}

/// A JSON document, or why there is none.
async fn document(url: &Url, around: &ProbeTargets) -> Result<Value, String> {
    let answer = around
        .http
        .exchange(
            Outgoing::new(Method::GET, url.clone(), Leg::Discovery),
            DOCUMENT_LIMIT,
        )
        .await
        .map_err(|error| format!("{} did not answer: {}", bare(url), error.why))?;
    if !answer.status.is_success() {
        return Err(format!("{} answered {}", bare(url), answer.status));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| format!("what {} answered is no JSON document", bare(url)))
}

/// The zone whose tokens the server takes.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    pub zone: Option<String>,
    /// What tokens for the server have as their audience.
    pub audience: Option<String>,
    /// The name of the key that the zone signs with.
    pub kid: Option<String>,
    /// Whether it is a lab's, which hands out stray tokens.
    pub lab: Option<Url>,
}

impl Named {
    /// Nobody says which zone it is.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// By the metadata, else by the `.env`, else by the lab.
    pub async fn find(
        metadata: &Reading<ResourceMetadata>,
        around: &ProbeTargets,
    ) -> Reading<Self> {
        let file = match env::open(&around.env) {
            Reading::Told(file) => Some(file),
            Reading::NotAsked | Reading::Unavailable { .. } | Reading::Failed { .. } => None,
        };
        let in_env = |name: &str| {
            let value = env::value(file.as_ref()?, name)?;
            Some(value.expose().clone())
        };
        let document = match metadata {
            Reading::Told(document) => Some(document),
            Reading::NotAsked | Reading::Unavailable { .. } | Reading::Failed { .. } => None,
        };
        let zone = document
            .and_then(|document| document.authorization_servers.first().cloned())
            .or_else(|| in_env("KEYCARD_URL"))
            .or_else(|| around.lab.as_ref().map(|lab| lab.zone.clone()));
        let mut found = Self {
            audience: document
                .map(|document| document.resource.clone())
                .or_else(|| in_env("MCP_RESOURCE_URL")),
            zone,
            ..Self::default()
        };
        if let Some(zone) = found.zone.clone()
            && let Ok(url) = Url::parse(&zone)
        {
            found.learn(&url, around).await;
        }
        Reading::Told(found)
    }

    /// What the zone says of itself; a zone that says nothing can still be impersonated.
    async fn learn(&mut self, issuer: &Url, around: &ProbeTargets) {
        let Ok(document) = document(&of_zone(issuer), around).await else {
            return;
        };
        if document["hoptrail_lab"] == true {
            self.lab = Some(issuer.clone());
        }
        let keys = document["jwks_uri"].as_str().map(Url::parse);
        if let Some(Ok(keys)) = keys
            && let Ok(keys) = self::document(&keys, around).await
        {
            self.kid = keys["keys"][0]["kid"].as_str().map(str::to_owned);
        }
    }
}
