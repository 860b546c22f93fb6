//! The zone's management API, as far as the product reads and changes it (Keycard facts 2.12, 3.4
//! and 5).
//!
//! Signs in as a service account, which is not the person: what is read here is what an operator
//! sees in the console.

mod objects;
mod sessions;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::{Method, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::Mutex;
use url::Url;

pub use objects::{
    CreatedCredential, CredentialKind, NewApplication, NewProvider, NewResource, ProviderOAuth,
    VaultedSecret,
};

use super::{
    http::{ANSWER_LIMIT, Answer, DOCUMENT_LIMIT, Outgoing, TracedHttp},
    store::renew_at,
};
use crate::{
    protocol::{
        console::{Page, Policy, PolicyOverview, PolicySet, PolicySetVersion},
        hold::GATE_PATH,
        oauth::ClientCredential,
        oauth::TokenResponse,
        secret::Secret,
    },
    support::{
        cause::misfit,
        clock::SharedClock,
        error::{Exit, Failure},
    },
    trace::{Actor, Fact, event::Leg},
};

/// More pages than a workshop's zone has.
const MOST_PAGES: usize = 100;

/// The management API of one zone. Cloning shares the token.
#[derive(Debug, Clone)]
pub struct Console {
    api: Url,
    zone: String,
    credential: ClientCredential,
    http: TracedHttp,
    clock: SharedClock,
    token: Arc<Mutex<Option<Token>>>,
    sessions: Arc<Mutex<sessions::Known>>,
}

#[derive(Debug, Clone)]
struct Token {
    access: Secret,
    renew_at: Option<DateTime<Utc>>,
}

/// A refusal: the token endpoint has OAuth's words for it, the API its own.
#[derive(Deserialize)]
struct Said {
    error: String,
    error_description: Option<String>,
    message: Option<String>,
}

/// A refusal, by what can be made of it.
enum Fault {
    /// A second token may cure it.
    Unauthorized(Failure),
    /// There is no such object.
    Missing(Failure),
    Other(Failure),
}

/// An answer, or that there is no such object.
enum Found {
    Answer(Answer),
    Nothing(Failure),
}

impl Console {
    /// The console at `api` (the lab's zone, or Keycard's management API) for one zone.
    #[must_use]
    pub fn new(
        api: Url,
        zone: impl Into<String>,
        credential: ClientCredential,
        http: TracedHttp,
        clock: SharedClock,
    ) -> Self {
        http.policy().addresses().allow(&api);
        http.actors().learn(&api, Actor::Zone);
        http.masker().pin(credential.client_secret.expose());
        Self {
            api,
            zone: zone.into(),
            credential,
            http,
            clock,
            token: Arc::default(),
            sessions: Arc::default(),
        }
    }

    /// The same console through another seam, with the token that is there already: what goes
    /// through it is told to whom that seam tells.
    #[must_use]
    pub fn through(&self, http: TracedHttp) -> Self {
        http.policy().addresses().allow(&self.api);
        http.actors().learn(&self.api, Actor::Zone);
        http.masker().pin(self.credential.client_secret.expose());
        Self {
            http,
            ..self.clone()
        }
    }

    /// The seam.
    #[must_use]
    pub const fn http(&self) -> &TracedHttp {
        &self.http
    }

    /// Where the API is.
    #[must_use]
    pub const fn api(&self) -> &Url {
        &self.api
    }

    /// The service account's token, fetched if need be.
    ///
    /// # Errors
    /// If the zone gives none.
    pub async fn bearer(&self) -> Result<Secret, Failure> {
        let mut token = self.token.lock().await;
        let now = self.clock.now();
        if let Some(token) = token.as_ref()
            && token.renew_at.is_none_or(|at| at > now)
        {
            return Ok(token.access.clone());
        }
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.credential.client_id)
            .append_pair("client_secret", self.credential.client_secret.expose())
            .finish();
        let url = self.url(&["service-account-token"])?;
        let answer = self
            .http
            .exchange(
                Outgoing::new(Method::POST, url, Leg::Console)
                    .body("application/x-www-form-urlencoded", form.into_bytes()),
                DOCUMENT_LIMIT,
            )
            .await
            .map_err(|error| error.failure("The zone's console cannot be reached"))?;
        if !answer.status.is_success() {
            return Err(self.refused("The console does not take the service account", &answer));
        }
        let response: TokenResponse = parse(&answer)?;
        *token = Some(Token {
            access: response.access_token.clone(),
            renew_at: renew_at(now, response.expires_in),
        });
        Ok(response.access_token)
    }

    /// Forgets a token that was refused.
    pub async fn forget(&self, refused: &Secret) {
        let mut token = self.token.lock().await;
        if token.as_ref().is_some_and(|one| one.access == *refused) {
            *token = None;
        }
    }

    /// Reads the policy sets and the active one's policies, and reports them.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn read_policy(&self) -> Result<PolicyOverview, Failure> {
        let sets: Vec<PolicySet> = self.list(&["policy-sets"]).await?;
        let active = sets
            .iter()
            .find_map(|set| set.active_version.map(|version| (set.id.clone(), version)));
        let active_policies = match active {
            None => Vec::new(),
            Some((set, version)) => {
                let versions: Vec<PolicySetVersion> =
                    self.list(&["policy-sets", &set, "versions"]).await?;
                match versions.into_iter().find(|one| one.version == version) {
                    None => Vec::new(),
                    Some(found) => self.policies_of(&set, &found).await?,
                }
            }
        };
        let overview = PolicyOverview {
            sets,
            active_policies,
        };
        self.http
            .report(Actor::Zone, Fact::PolicyRead(overview.clone()));
        Ok(overview)
    }

    async fn policies_of(
        &self,
        set: &str,
        version: &PolicySetVersion,
    ) -> Result<Vec<Policy>, Failure> {
        // Lists leave the manifest out, the single read has it (Keycard facts, 3.4).
        let manifest = if let Some(manifest) = &version.manifest {
            manifest.clone()
        } else {
            let whole: PolicySetVersion = self
                .get(&["policy-sets", set, "versions", &version.id])
                .await?;
            match whole.manifest {
                Some(manifest) => manifest,
                None => return Ok(Vec::new()),
            }
        };
        let all: Vec<Policy> = self.list(&["policies"]).await?;
        let mut policies = Vec::new();
        for entry in &manifest.entries {
            let Some(mut policy) = all.iter().find(|one| one.id == entry.policy_id).cloned() else {
                continue;
            };
            // What is active is what counts, and that may be an older version of the policy.
            if policy.latest_version.id != entry.policy_version_id {
                policy.latest_version = self
                    .get(&["policies", &policy.id, "versions", &entry.policy_version_id])
                    .await?;
            }
            policies.push(policy);
        }
        Ok(policies)
    }

    /// The versions of a policy set, newest or oldest first as the zone lists them.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn versions(&self, set: &str) -> Result<Vec<PolicySetVersion>, Failure> {
        self.list(&["policy-sets", set, "versions"]).await
    }

    /// Makes a policy set version the active one, then reads the policy again. There is no way to
    /// switch policy off: rolling back is activating an earlier version.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn activate(&self, set: &str, version: &str) -> Result<PolicyOverview, Failure> {
        let url = self.zone_url(&["policy-sets", set, "versions", version])?;
        self.request(|| {
            Outgoing::new(Method::PATCH, url.clone(), Leg::Console)
                .body("application/json", br#"{"active":true}"#.to_vec())
        })
        .await?;
        self.read_policy().await
    }

    /// Lets an exchange go that waits at the zone's gate.
    ///
    /// # Errors
    /// If the zone refuses or does not answer.
    pub async fn let_go(&self, id: &str) -> Result<(), Failure> {
        let mut path: Vec<&str> = GATE_PATH
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        path.extend([id, "release"]);
        let url = self.url(&path)?;
        self.request(|| Outgoing::new(Method::POST, url.clone(), Leg::Console))
            .await
            .map(drop)
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        let url = self.zone_url(path)?;
        let answer = self
            .request(|| Outgoing::new(Method::GET, url.clone(), Leg::Console))
            .await?;
        parse(&answer)
    }

    async fn list<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>, Failure> {
        self.list_where(path, &[]).await
    }

    /// A list of what the parameters leave of it.
    async fn list_where<T: DeserializeOwned>(
        &self,
        path: &[&str],
        parameters: &[(&str, &str)],
    ) -> Result<Vec<T>, Failure> {
        let mut url = self.zone_url(path)?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        let mut items = Vec::new();
        for _ in 0..MOST_PAGES {
            let answer = self
                .request(|| Outgoing::new(Method::GET, url.clone(), Leg::Console))
                .await?;
            let page: Page<T> = parse(&answer)?;
            items.extend(page.items);
            match page.pagination.after_cursor {
                Some(cursor) => {
                    url.query_pairs_mut()
                        .clear()
                        .extend_pairs(parameters)
                        .append_pair("after", &cursor);
                }
                None => return Ok(items),
            }
        }
        Err(Failure::new(
            Exit::Failed,
            "The console's list has no end",
            format!(
                "after {MOST_PAGES} pages of {} it names another one",
                path.join("/")
            ),
            "start the zone anew; a list of the lab has a few pages",
        ))
    }

    /// Sends with the token; a token that is refused is fetched anew once.
    async fn request(&self, make: impl Fn() -> Outgoing) -> Result<Answer, Failure> {
        self.request_or_missing(make)
            .await
            .and_then(|found| match found {
                Found::Answer(answer) => Ok(answer),
                Found::Nothing(failure) => Err(failure),
            })
    }

    /// [`Self::request`] where there may be no such object.
    async fn request_or_missing(&self, make: impl Fn() -> Outgoing) -> Result<Found, Failure> {
        match self.try_request(&make).await {
            Err(Fault::Unauthorized(_)) => self.try_request(&make).await,
            other => other,
        }
        .map(Found::Answer)
        .or_else(|fault| match fault {
            Fault::Missing(failure) => Ok(Found::Nothing(failure)),
            Fault::Unauthorized(failure) | Fault::Other(failure) => Err(failure),
        })
    }

    async fn try_request(&self, make: impl Fn() -> Outgoing) -> Result<Answer, Fault> {
        let bearer = self.bearer().await.map_err(Fault::Other)?;
        let outgoing = make().header(
            header::AUTHORIZATION,
            &format!("Bearer {}", bearer.expose()),
        );
        let answer = self
            .http
            .exchange(outgoing, ANSWER_LIMIT)
            .await
            .map_err(|error| Fault::Other(error.failure("The zone's console cannot be reached")))?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let failure = self.refused("The console refused the request", &answer);
        if answer.status == StatusCode::UNAUTHORIZED {
            self.forget(&bearer).await;
            return Err(Fault::Unauthorized(failure));
        }
        Err(if answer.status == StatusCode::NOT_FOUND {
            Fault::Missing(failure)
        } else {
            Fault::Other(failure)
        })
    }

    fn refused(&self, what: &str, answer: &Answer) -> Failure {
        let said = serde_json::from_slice::<Said>(&answer.body).map(|said| {
            let text = said
                .message
                .or(said.error_description)
                .unwrap_or(said.error);
            self.http.clean(&text)
        });
        let is_about_content = matches!(
            answer.status,
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
        );
        // What was asked for is at fault, and not who asked: the zone's own words come first.
        if let (Ok(said), true) = (&said, is_about_content) {
            return Failure::new(
                Exit::Failed,
                what,
                format!("{said} ({} from {})", answer.status, path_of(&answer.url)),
                "change that, and try again",
            );
        }
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        Failure::new(
            if answer.status.is_server_error() {
                Exit::Unreachable
            } else {
                Exit::Failed
            },
            what,
            format!("{} answered {}{said}", answer.url, answer.status),
            if answer.status.is_server_error() {
                // What it could not do stands in its words: a full disk, most often.
                "put right what the zone says of itself, then try again"
            } else {
                "check that the service account belongs to this zone; a lab that was started anew has another, so start hoptrail again as it prints"
            },
        )
    }

    fn zone_url(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut whole = vec!["zones", self.zone.as_str()];
        whole.extend_from_slice(path);
        self.url(&whole)
    }

    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.api.clone();
        url.path_segments_mut()
            .map_err(|()| {
                Failure::new(
                    Exit::Usage,
                    "The zone's address cannot be used",
                    format!("{} has no path", self.api),
                    "give it as http://HOST:PORT",
                )
            })?
            .pop_if_empty()
            .extend(path);
        Ok(url)
    }
}

/// The path of an address that may be shown.
fn path_of(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.path().to_owned())
}

fn parse<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        Failure::new(
            Exit::Failed,
            "The console's answer cannot be read",
            format!("{}: {}", answer.url, misfit(&error)),
            "look at the hop to see what came",
        )
    })
}
