//! The Linear stand-in: OAuth, GraphQL with enforced scopes, and a page for every issue.
//!
//! Answers as `api.linear.app` answers the workshop's server and `@linear/sdk` 98, as far as the
//! facts know it (`wire.md`, section 5). What is ours is said where it is. Must not know where its
//! callers got their tokens from: a credential is good here because the stand-in issued it.

pub mod access;
mod bounds;
mod database;
mod graphql;
mod html;
pub mod links;
mod oauth;
mod oauth_page;
mod pages;
pub mod refusal;
pub mod schema;
pub mod store;
pub mod workspace;

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    http::StatusCode,
    middleware,
    routing::{get, post},
};

use self::{
    refusal::Refusal,
    schema::LinearSchema,
    store::{IssueRecord, Place, Store, TokenHash, token_hash},
    workspace::{Team, Workspace},
};
use super::{faults::Faults, feed::Feed, guard, people::Person};
use crate::{
    protocol::{
        observed::{Issue, Observation, Upstream},
        secret::Secret,
        traceparent::TraceParent,
    },
    support::{clock::SharedClock, error::Failure, ids::Ids},
};

/// How Linear words an error of a status, for scripted faults.
#[must_use]
pub fn error_body(status: StatusCode) -> serde_json::Value {
    Refusal::Scripted(status).body()
}

/// What the stand-in is to be.
#[derive(Debug)]
pub struct Config {
    /// Its origin, `http://127.0.0.1:PORT` without a slash at the end.
    pub base_url: String,
    /// The SQLite file; without one, everything is forgotten at the end.
    pub state: Option<PathBuf>,
    pub clock: SharedClock,
    pub ids: Ids,
    /// Who can sign in; the first is proposed.
    pub people: &'static [Person],
    pub team: Team,
    /// The application that may ask people for access: the zone's Linear provider.
    pub oauth_client: OAuthClient,
    /// The workshop's one key of chapter 0, which acts as "Workshop Admin".
    pub api_key: Option<Secret>,
    pub feed: Feed,
    pub faults: Faults,
}

/// An OAuth application that is registered with the stand-in.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    pub id: String,
    pub secret: Secret,
    /// Matched exactly.
    pub redirect_uris: Vec<String>,
    /// How the authorize page calls it.
    pub name: String,
}

/// How many issues of earlier starts followers are told of.
const STANDING: usize = 20;

/// The running stand-in. Cloning shares it.
#[derive(Clone)]
pub struct Linear {
    inner: Arc<Inner>,
    schema: LinearSchema,
}

impl std::fmt::Debug for Linear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Linear").finish_non_exhaustive()
    }
}

/// What all requests share.
#[derive(Debug)]
pub struct Inner {
    base_url: String,
    clock: SharedClock,
    ids: Ids,
    workspace: Workspace,
    store: Arc<Store>,
    oauth_client: OAuthClient,
    pending: oauth::Pending,
    api_key: Option<TokenHash>,
    feed: Feed,
    faults: Faults,
}

/// Opens the stand-in.
///
/// # Errors
/// If its state cannot be opened, read or written, or is from a newer version.
pub async fn open(config: Config) -> Result<Linear, Failure> {
    let store = Store::open(config.state.as_deref(), config.clock.now()).await?;
    let inner = Arc::new(Inner {
        base_url: config.base_url,
        clock: config.clock,
        ids: config.ids,
        workspace: Workspace::new(config.people, config.team),
        store,
        oauth_client: config.oauth_client,
        pending: oauth::Pending::default(),
        api_key: config.api_key.map(|key| token_hash(key.expose())),
        feed: config.feed,
        faults: config.faults,
    });
    inner.publish_standing();
    Ok(Linear {
        schema: schema::build(Arc::clone(&inner)),
        inner,
    })
}

impl Linear {
    /// Closes the file, so that what SQLite writes ahead is folded into it. What is written later
    /// is not kept.
    pub async fn close(&self) {
        self.inner.store.close().await;
    }

    /// Whether it issued `token`, and the token has not ended.
    #[must_use]
    pub fn knows(&self, token: &Secret) -> bool {
        let now = self.inner.clock.now();
        self.inner.store.token(token.expose(), now).is_some()
    }

    /// Everything that the stand-in serves.
    ///
    /// The pages that a person's browser opens are not observed: the query of the authorize page
    /// carries the `state` of somebody's sign-in.
    pub fn router(&self) -> Router {
        let service = Router::new()
            .route("/graphql", post(graphql::answer))
            .with_state(self.clone())
            .merge(
                Router::new()
                    .route("/oauth/token", post(oauth::token))
                    .route("/oauth/revoke", post(oauth::revoke))
                    .with_state(Arc::clone(&self.inner)),
            );
        let pages = Router::new()
            .route(
                "/oauth/authorize",
                get(oauth_page::ask).post(oauth_page::decide),
            )
            .route("/hoptrail-lab/issue/{identifier}", get(pages::issue))
            .route("/hoptrail-lab/issue/{identifier}/{slug}", get(pages::issue))
            .with_state(Arc::clone(&self.inner))
            .layer(middleware::from_fn(guard::loopback_only));
        super::stand_in(
            service,
            Upstream::Linear,
            &self.inner.feed,
            &self.inner.faults,
        )
        .merge(pages)
    }

    /// An issue as it stands, by id or identifier.
    #[must_use]
    pub fn issue(&self, id: &str) -> Option<Issue> {
        let record = self.inner.find(id)?;
        Some(self.inner.observed(&record, record.trace_parent))
    }

    /// All issues, the oldest first, trashed ones too.
    #[must_use]
    pub fn issues(&self) -> Vec<Issue> {
        let records: Vec<_> = self.inner.store.read().issues.values().cloned().collect();
        records
            .iter()
            .map(|record| self.inner.observed(record, record.trace_parent))
            .collect()
    }

    /// The workspace's fixed parts: people, labels, states.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.inner.workspace
    }

    /// The schema in GraphQL's own language.
    #[must_use]
    pub fn sdl(&self) -> String {
        self.schema.sdl()
    }
}

impl Inner {
    /// The issue with this id or identifier (`ENG-1`).
    fn find(&self, id: &str) -> Option<Arc<IssueRecord>> {
        let memory = self.store.read();
        if let Some(found) = memory.issue(id) {
            return Some(Arc::clone(found));
        }
        let (key, number) = id.rsplit_once('-')?;
        if !key.eq_ignore_ascii_case(&self.workspace.team.key) {
            return None;
        }
        memory.issues.get(&number.parse().ok()?).cloned()
    }

    fn identifier(&self, issue: &IssueRecord) -> String {
        format!("{}-{}", self.workspace.team.key, issue.number)
    }

    fn observed(&self, issue: &IssueRecord, trace_parent: Option<TraceParent>) -> Issue {
        Issue {
            id: issue.id.clone(),
            identifier: self.identifier(issue),
            url: links::issue(self, issue),
            title: issue.title.clone(),
            description: issue.description.clone().unwrap_or_default(),
            priority: issue.priority,
            labels: issue
                .label_ids
                .iter()
                .filter_map(|id| self.workspace.label(id))
                .map(|label| label.name.to_owned())
                .collect(),
            author: self
                .workspace
                .member(&issue.creator_id)
                .map_or_else(String::new, |member| member.name.clone()),
            created_at: issue.created_at,
            trashed: issue.place == Place::Trashed,
            trace_parent,
        }
    }

    /// Tells the feed of the issues that earlier starts left, the oldest first.
    fn publish_standing(&self) {
        let memory = self.store.read();
        let standing: Vec<_> = memory.issues.values().rev().take(STANDING).collect();
        for record in standing.into_iter().rev() {
            self.publish(record, record.trace_parent);
        }
    }

    /// Tells the feed how an issue stands and which request made it so.
    fn publish(&self, issue: &IssueRecord, trace_parent: Option<TraceParent>) {
        self.feed
            .publish(Observation::Issue(self.observed(issue, trace_parent)));
    }
}
