//! The questions that checks may have asked of the world, and the answers as facts.
//!
//! Nothing is asked here. No answer holds a secret: only whether one is there and of what kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    projection::{Projection, Seq},
    protocol::{audit::CredentialSource, console::Consent, env::EnvLine},
    support::text::one_line,
    trace::event::CallOutcome,
};

use super::expect::Service;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Probe {
    /// A request to the MCP endpoint.
    Http(HttpProbe),
    /// The protected resource metadata of the endpoint.
    Metadata,
    /// The `.env` that the server uses now.
    Env,
    /// The project's files.
    Folder,
    /// The zone's resources, applications and credentials, by its management API.
    Zone,
    /// Whether the zone takes the application's id and secret in the `.env`.
    Client,
    /// An exchange for Linear with this scope, as the application, for the person signed in.
    Scope(String),
    /// The exchange that a tool asks for, to hear from the zone itself why a tool had none.
    Exchange(Exchange),
    /// Every value of the `.env`, tried on every service; on a service that is not on this computer
    /// only what could be its own key.
    Trials,
}

/// A request to the MCP endpoint with a token that should not do, or with none.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum HttpProbe {
    /// `tools/list` without a token.
    NoToken,
    /// Signed with a key that the issuer does not publish.
    ForgedToken,
    ExpiredToken,
    /// Good, but from another zone.
    ForeignIssuer,
    /// Good, but for another resource.
    WrongAudience,
}

impl HttpProbe {
    /// The request in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoToken => "a request without a token",
            Self::ForgedToken => "a request with a forged token",
            Self::ExpiredToken => "a request with an expired token",
            Self::ForeignIssuer => "a request with a token of another zone",
            Self::WrongAudience => "a request with a token for another resource",
        }
    }
}

/// An exchange as the application asks for it, for the person signed in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exchange {
    pub service: Service,
    /// The scope that is asked for; the vault's keys have none.
    pub scope: Option<&'static str>,
}

/// What the zone said to exchanges.
pub type Answers = BTreeMap<Exchange, Reading<ExchangeAnswer>>;

/// What became of a question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T> {
    #[default]
    NotAsked,
    Told(T),
    /// It cannot be asked from here; what a person can look at instead.
    Unavailable {
        look_at: String,
    },
    /// It was asked, and no answer came.
    Failed {
        because: String,
    },
}

/// Everything that was asked, beside the trace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeResults {
    /// Where the reader began the chapter: older calls and rows do not count for checks that say
    /// `within = "chapter"`.
    #[serde(with = "place")]
    pub since: Option<Seq>,
    /// Whether the chapter was begun again there: then nothing older counts for any check.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun_again: bool,
    /// Where the lab's server became another one: what was called before was another server's.
    #[serde(skip)]
    pub changed: Option<Seq>,
    pub http: BTreeMap<HttpProbe, Reading<HttpAnswer>>,
    pub metadata: Reading<ResourceMetadata>,
    pub env: Reading<Vec<EnvLine>>,
    pub folder: Reading<Folder>,
    pub zone: Reading<Zone>,
    pub scopes: BTreeMap<String, Reading<ScopeAnswer>>,
    /// What the zone was asked itself, by where the call ended that it was asked about.
    #[serde(skip)]
    pub doubts: BTreeMap<Seq, Answers>,
    pub trials: Reading<Vec<Trial>>,
    #[serde(default)]
    pub client: Reading<ClientAnswer>,
}

/// An answer of the MCP endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpAnswer {
    pub status: u16,
    pub www_authenticate: Option<String>,
    /// What a tool call came to, where one was made.
    pub outcome: Option<CallOutcome>,
}

/// The server's protected resource metadata (RFC 9728), and what it was asked of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceMetadata {
    /// The endpoint that was asked for.
    pub server: String,
    pub resource: String,
    pub authorization_servers: Vec<String>,
    /// What the first of them calls itself in its own metadata (RFC 8414), where it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    pub scopes: Vec<String>,
}

/// What the project's folder shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Secrets in files, by what they open; never the secret.
    pub secrets: Vec<FoundSecret>,
    /// How far the code has come, by facts/keycard.md 1.1: the chapter and the file that shows it.
    pub reached: Vec<(u8, String)>,
    /// Files of text that were too long to be looked through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// A secret in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundSecret {
    pub file: String,
    pub line: usize,
    pub opens: Service,
}

/// What the zone's management API tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    pub resources: Vec<ZoneResource>,
    pub applications: Vec<ZoneApplication>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneResource {
    pub service: Option<Service>,
    pub identifier: String,
    pub provider: Option<CredentialSource>,
    /// Whether a key for it lies in the vault.
    pub key_in_vault: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneApplication {
    pub name: String,
    pub consent: Consent,
    pub depends_on: Vec<Service>,
    /// The client ids of its credentials.
    pub credentials: Vec<String>,
}

/// What the zone said to an exchange with a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScopeAnswer {
    Issued,
    /// With the short name of the policy that refused it, where the zone told.
    Refused {
        policy: Option<String>,
    },
}

/// What the zone said to the application's id and secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientAnswer {
    /// It did not refuse them.
    Known,
    Refused,
    /// The `.env` does not say yet who and where to ask, or the zone decided nothing.
    NotTried,
}

/// What the zone said to an exchange as a tool asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeAnswer {
    Issued,
    Refused {
        /// The OAuth error code (RFC 6749, section 5.2).
        error: String,
        /// In the zone's words; may be empty.
        description: String,
    },
}

impl ExchangeAnswer {
    /// Why it was refused, without a full stop.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let Self::Refused { error, description } = self else {
            return None;
        };
        let said = [error.trim(), description.trim().trim_end_matches('.')];
        let said: Vec<String> = said
            .into_iter()
            .filter(|words| !words.is_empty())
            .map(one_line)
            .collect();
        (!said.is_empty()).then(|| said.join(": "))
    }

    /// Whether somebody told the reason already, in these words.
    #[must_use]
    pub fn is_told_in(&self, text: &str) -> bool {
        let Self::Refused { error, description } = self else {
            return false;
        };
        let reason = if description.is_empty() {
            error
        } else {
            description
        };
        text.contains(reason.trim_end_matches('.'))
    }
}

/// What became of a value of the `.env` as the credential of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    pub variable: String,
    pub service: Service,
    pub ended: TrialEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrialEnd {
    Refused,
    Opened,
    NotTried(Untried),
}

/// Why a value was not presented to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Untried {
    /// The service is not on this computer, and the value is nothing that could be its key: it is
    /// none of that service's business.
    NotItsOwn,
    /// It is of several lines or has other characters that fit into no HTTP header.
    FitsNoHeader,
}

impl Untried {
    /// The reason, after "was not tried: ".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotItsOwn => "nothing of its own, and it is not on this computer",
            Self::FitsNoHeader => "it fits into no HTTP header",
        }
    }
}

impl<T> Reading<T> {
    /// What was told; else why not, for the question that rests on it.
    ///
    /// # Errors
    /// The reading itself, where nothing was told.
    pub fn told<U>(self) -> Result<T, Reading<U>> {
        match self {
            Self::Told(told) => Ok(told),
            Self::NotAsked => Err(Reading::NotAsked),
            Self::Unavailable { look_at } => Err(Reading::Unavailable { look_at }),
            Self::Failed { because } => Err(Reading::Failed { because }),
        }
    }

    /// The reading of what follows from what was told.
    #[must_use]
    pub fn map<U>(self, follows: impl FnOnce(T) -> U) -> Reading<U> {
        match self.told() {
            Ok(told) => Reading::Told(follows(told)),
            Err(untold) => untold,
        }
    }

    const fn was_asked(&self) -> bool {
        !matches!(self, Self::NotAsked)
    }

    const fn is_failed(&self) -> bool {
        match self {
            Self::Failed { .. } => true,
            Self::NotAsked | Self::Told(_) | Self::Unavailable { .. } => false,
        }
    }
}

impl ProbeResults {
    /// What the zone said last to an exchange.
    #[must_use]
    pub fn exchange(&self, exchange: &Exchange) -> Option<&Reading<ExchangeAnswer>> {
        let mut latest_first = self.doubts.values().rev();
        latest_first.find_map(|answers| answers.get(exchange))
    }

    /// Whether a question got no answer.
    #[must_use]
    pub fn failed(&self, probe: &Probe) -> bool {
        match probe {
            Probe::Http(knock) => self.http.get(knock).is_some_and(Reading::is_failed),
            Probe::Metadata => self.metadata.is_failed(),
            Probe::Env => self.env.is_failed(),
            Probe::Folder => self.folder.is_failed(),
            Probe::Zone => self.zone.is_failed(),
            Probe::Scope(scope) => self.scopes.get(scope).is_some_and(Reading::is_failed),
            Probe::Exchange(one) => self.exchange(one).is_some_and(Reading::is_failed),
            Probe::Trials => self.trials.is_failed(),
            Probe::Client => self.client.is_failed(),
        }
    }

    /// Whether a question was asked, whatever came of it.
    #[must_use]
    pub fn was_asked(&self, probe: &Probe) -> bool {
        match probe {
            Probe::Http(knock) => self.http.get(knock).is_some_and(Reading::was_asked),
            Probe::Metadata => self.metadata.was_asked(),
            Probe::Env => self.env.was_asked(),
            Probe::Folder => self.folder.was_asked(),
            Probe::Zone => self.zone.was_asked(),
            Probe::Scope(scope) => self.scopes.get(scope).is_some_and(Reading::was_asked),
            Probe::Exchange(one) => self.exchange(one).is_some_and(Reading::was_asked),
            Probe::Trials => self.trials.was_asked(),
            Probe::Client => self.client.was_asked(),
        }
    }

    /// What a trace of a finished lab answers by itself: the `.env` that its server uses.
    #[must_use]
    pub fn of_trace(projection: &Projection) -> Self {
        let lab = projection.target().is_some_and(|target| target.lab);
        let env = match projection.env().after().filter(|_| lab) {
            Some(file) => Reading::Told(file.lines.clone()),
            None => Reading::NotAsked,
        };
        Self {
            env,
            ..Self::default()
        }
    }
}

/// A place of the trace as its index.
mod place {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::projection::Seq;

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's signature"
    )]
    pub fn serialize<S: Serializer>(seq: &Option<Seq>, to: S) -> Result<S::Ok, S::Error> {
        seq.map(Seq::index).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Seq>, D::Error> {
        Ok(Option::<usize>::deserialize(from)?.map(Seq::at))
    }
}
