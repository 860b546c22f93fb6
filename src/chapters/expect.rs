//! What a check may expect: a closed list, written in a front matter. Never a command to run.
//!
//! "Latest" is meant wherever a call, an issue or a token is spoken of: a check tells how things
//! are now. That something was so once is for `progress` to remember.

mod asks;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::probe::HttpProbe;
use crate::{
    protocol::{
        audit::{AuditEvent, AuditStatus, CredentialSource},
        console::Consent,
        observed::Upstream,
        tickets::EntityKind,
    },
    trace::event::{CallOutcome, Leg},
};

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expect {
    /// All of them hold.
    All(Vec<Expect>),
    /// One of them is enough.
    Any(Vec<Expect>),
    /// It was seen, and is not so.
    Not(Box<Expect>),
    /// Somebody is signed in.
    SignedIn,
    /// 401, both metadata documents, a registered client, the browser there and back, a token.
    DiscoveryWalked,
    /// `tools/list` was answered.
    ToolsListed(ToolsListed),
    /// The latest call of a tool ended so.
    ToolCall(ToolCall),
    /// Hops of this kind were seen.
    Hop(HopSeen),
    /// Audit rows of this kind were seen, so many.
    Audit(AuditRows),
    /// The latest calls of these tools caused exactly these rows, in this order.
    AuditOrder(AuditOrder),
    /// What the token in hand says.
    Token(TokenClaim),
    /// How the issue that was filed last looks.
    Issue(IssueLooks),
    /// What a `.env` says.
    Env(EnvSays),
    /// The active policy set carries these policies.
    ActivePolicies(Vec<String>),
    /// The active policy set carries these, and each of them forbids.
    ForbiddingPolicies(Vec<String>),
    /// What the text of an active forbid says of scopes.
    PolicyScopes(PolicyScopes),
    /// The zone lists sessions.
    Sessions(AtLeast),
    /// A refusal or a failure said this.
    Said(Words),
    /// What a failed call asked for in vain, the zone issues when hoptrail asks: in a mistake's `when` only.
    ExchangesWork,
    /// What the server answered to a probe.
    Answer(Answer),
    /// What the server's metadata document says.
    Metadata(MetadataSays),
    /// A resource of the zone.
    Resource(ResourceIs),
    /// The application of the zone.
    Application(ApplicationIs),
    /// A Linear credential with this scope is refused.
    ScopeRefused(ScopeRefused),
    /// No secret of this service in the project's `.env` or files.
    NoSecretOf(Service),
    /// Every value of the finished `.env` was tried on the services, and refused. Not observable where
    /// some were not tried.
    NothingOpens,
}

/// What the checks call the places that credentials are for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    McpServer,
    Supabase,
    Anthropic,
    Linear,
}

impl Service {
    /// The name as people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::McpServer => "the MCP server",
            Self::Supabase => "Supabase",
            Self::Anthropic => "Anthropic",
            Self::Linear => "Linear",
        }
    }
}

impl From<Upstream> for Service {
    fn from(upstream: Upstream) -> Self {
        match upstream {
            Upstream::Supabase => Self::Supabase,
            Upstream::Anthropic => Self::Anthropic,
            Upstream::Linear => Self::Linear,
        }
    }
}

/// Whether a request carried a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenUse {
    Without,
    With,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolsListed {
    /// Tools that are among them.
    #[serde(default)]
    pub names: Vec<String>,
    pub token: Option<TokenUse>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    pub name: String,
    pub outcome: CallOutcome,
    pub token: Option<TokenUse>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HopSeen {
    pub leg: Option<Leg>,
    pub to: Option<Service>,
    pub status: Option<u16>,
    #[serde(default = "one")]
    pub at_least: usize,
}

const fn one() -> usize {
    1
}

/// A row of the audit log. What is not given may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditRows {
    #[serde(default = "credentials_issue")]
    pub event: AuditEvent,
    pub resource: Option<Service>,
    /// The scopes as asked, separated by blanks.
    pub scope: Option<String>,
    #[serde(default = "issued")]
    pub status: AuditStatus,
    pub chain: Option<Chain>,
    /// The policy that refused it.
    pub policy: Option<String>,
    #[serde(default)]
    pub per: Per,
    /// The tools whose calls count, with `per = "call"`.
    #[serde(default)]
    pub tools: Vec<String>,
    pub exactly: Option<usize>,
    #[serde(default = "one")]
    pub at_least: usize,
}

const fn credentials_issue() -> AuditEvent {
    AuditEvent::CredentialsIssue
}

const fn issued() -> AuditStatus {
    AuditStatus::Issued
}

/// Within what rows are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    #[default]
    Run,
    /// The latest call of each of the tools.
    Call,
    /// The rows that issued the token in hand.
    Token,
}

/// Who acted for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chain {
    /// The MCP client, for the person who signed in.
    ClientAndUser,
    /// The server's application, for the person whose token it was given.
    ApplicationAndUser,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditOrder {
    pub tools: Vec<String>,
    pub rows: Vec<OrderedRow>,
}

/// A row that must stand in its place; without `scope` none was asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderedRow {
    pub resource: Service,
    #[serde(default)]
    pub scope: String,
    #[serde(default = "issued")]
    pub status: AuditStatus,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenClaim {
    pub claim: String,
    pub is: ClaimIs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimIs {
    Present,
    /// The MCP server's resource identifier.
    McpServer,
    /// The zone's issuer.
    Zone,
}

/// How an issue looks; everything that is given holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IssueLooks {
    /// Personal data of the ticket that stands in it, word for word.
    pub carries: Vec<EntityKind>,
    /// Personal data of the ticket that does not.
    pub hides: Vec<EntityKind>,
    pub author: Option<Author>,
    /// Words that its text or title has.
    pub contains: Vec<String>,
    pub title_begins: Option<String>,
    /// The title is not the ticket's subject.
    pub titled_anew: bool,
    /// At least one `[CREDIT_CARD_1]`.
    pub placeholders: bool,
    /// From so many labels to so many.
    pub labels: Option<(usize, usize)>,
    /// 1 urgent … 4 low.
    pub priority: Option<u8>,
    pub whereabouts: Option<IssuePlace>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The person for whom the zone issued the credential that filed it.
    You,
    /// Whoever made the one Linear key.
    KeyOwner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IssuePlace {
    There,
    Trashed,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvSays {
    pub name: String,
    pub is: Option<EnvState>,
    /// That the value is what somebody else says it is.
    pub matches: Option<Matches>,
    #[serde(default)]
    pub side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnvState {
    Set,
    /// No such line, or nothing behind the `=`.
    Absent,
    /// Set, and opens something by itself.
    Secret,
    /// Set, and only names something.
    Identifier,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matches {
    /// The resource that the server's metadata names.
    McpServer,
    /// The URL that hoptrail calls the server by.
    CalledUrl,
    /// The issuer that the server's metadata names.
    Zone,
    /// The client id of one of the zone's applications, where the zone can be read.
    Credential,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The file as the workshop ships it.
    Before,
    /// The file as the workshop ends.
    After,
    /// The file that the server uses now.
    #[default]
    Now,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtLeast {
    pub at_least: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub contains: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub probe: HttpProbe,
    pub status: u16,
    pub challenge: Option<Challenge>,
}

/// What a 401 must say in `WWW-Authenticate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Challenge {
    /// `Bearer`, and where the metadata document is (RFC 9728, section 5.1).
    ResourceMetadata,
}

/// What the protected resource metadata must say (RFC 9728, section 2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataSays {
    /// `resource` is the very URL of the endpoint.
    pub names_the_server: bool,
    /// One authorization server is named.
    pub names_a_zone: bool,
    pub scopes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceIs {
    pub service: Service,
    pub provider: CredentialSource,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApplicationIs {
    pub consent: Option<Consent>,
    pub depends_on: Vec<Service>,
    pub has_credential: bool,
}

/// Scopes that an active forbid lets through, and scopes that it does not, as far as its text lists
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyScopes {
    pub policy: String,
    #[serde(default)]
    pub allows: Vec<String>,
    #[serde(default)]
    pub refuses: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeRefused {
    pub scope: String,
    pub policy: String,
}
