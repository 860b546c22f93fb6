//! Who drives: the sign-in, leg by leg, and what discovery found on the way.

use std::sync::Arc;

use super::{
    Moment,
    credentials::{Credential, Credentials},
    index::KeyMap,
    log::Seq,
    names::{Name, Names},
};
use crate::{
    protocol::{audit::AuditRecord, jwt::TokenView},
    support::error::Failure,
    trace::event::{BrowserLeg, ClientGrant, Fact, MetadataDocument},
};

/// The identity pane's data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    pub state: SignIn,
    pub discovery: Discovery,
    /// How often the client refreshed its token.
    pub refreshes: u32,
    /// When somebody came or went last, or tried to; a token that is renewed changes nothing of it.
    pub changed: Option<Seq>,
    /// Whom the audit log named, by `sub`: its rows of a sign-in come before the token does.
    people: Arc<KeyMap<Name, Name>>,
}

/// More people than sign in to a workshop's zone; a hostile log may claim any number.
const MOST_PEOPLE: usize = 256;

/// Where the sign-in is.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum SignIn {
    #[default]
    SignedOut,
    SigningIn {
        leg: SignInLeg,
        /// When it began, in microseconds of the run.
        since_us: u64,
    },
    SignedIn(Box<User>),
    /// The server takes anyone.
    NotNeeded,
    /// Somebody was signed in, and the token is renewed no longer.
    Ended(Box<Failure>),
    Refused(Box<Failure>),
    Cancelled,
}

/// What the sign-in waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInLeg {
    /// The resource's metadata (RFC 9728).
    ResourceMetadata,
    /// The issuer's metadata (RFC 8414).
    IssuerMetadata,
    /// Registration (RFC 7591), or the client to take up the one it has.
    Registration,
    /// The person, in the browser or before the URL that was shown.
    Browser(BrowserLeg),
    /// The token endpoint.
    Token,
}

impl SignInLeg {
    /// A few words for a status line.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ResourceMetadata => "asking the server who protects it",
            Self::IssuerMetadata => "reading the zone's metadata",
            Self::Registration => "registering with the zone",
            Self::Browser(BrowserLeg::Opened) => "waiting for your browser",
            Self::Browser(BrowserLeg::Shown) => "waiting for you to open the URL",
            Self::Browser(BrowserLeg::Headless) => "the sample user is consenting",
            Self::Token => "trading the code for a token",
        }
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// An e-mail address where the token or the audit log tells one, else what the token calls them.
    pub name: Name,
    pub token: TokenView,
    pub credential: Credential,
    pub scope: Option<Name>,
    pub refreshable: bool,
    pub grant: ClientGrant,
    pub evidence: Seq,
}

/// What the client found out before anybody was asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Discovery {
    /// The MCP endpoint that is signed in to.
    pub server: Option<Name>,
    pub resource: Option<Document>,
    pub issuer: Option<Document>,
    pub registration: Option<Registration>,
}

/// A metadata document that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub url: Name,
    /// `resource` or `issuer`.
    pub subject: Name,
    pub scopes: Vec<Name>,
    pub evidence: Seq,
}

/// A dynamic registration.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    pub client_id: Name,
    pub issuer: Name,
    pub evidence: Seq,
}

impl Identity {
    /// The one who is signed in.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match &self.state {
            SignIn::SignedIn(user) => Some(user),
            SignIn::SignedOut
            | SignIn::SigningIn { .. }
            | SignIn::NotNeeded
            | SignIn::Ended(_)
            | SignIn::Refused(_)
            | SignIn::Cancelled => None,
        }
    }

    /// Whether the server takes the client as it is: somebody is signed in, or nobody has to be.
    #[must_use]
    pub fn is_let_in(&self) -> bool {
        matches!(self.state, SignIn::SignedIn(_) | SignIn::NotNeeded)
    }

    /// The lab's server is another one now; what the one before asked for says nothing of it.
    pub(super) fn lab_moved(&mut self) {
        if self.state == SignIn::NotNeeded {
            self.state = SignIn::SignedOut;
        }
    }

    fn become_at(&mut self, at: &Moment, state: SignIn) {
        self.state = state;
        self.changed = Some(at.seq);
    }

    fn advance(&mut self, leg: SignInLeg) {
        if let SignIn::SigningIn { leg: current, .. } = &mut self.state {
            *current = leg;
        }
    }

    pub(super) fn apply(
        &mut self,
        at: &Moment,
        fact: &Fact,
        names: &Names,
        credentials: &mut Credentials,
    ) {
        match fact {
            Fact::SignInStarted { server } => {
                self.state = SignIn::SigningIn {
                    leg: SignInLeg::ResourceMetadata,
                    since_us: at.at_us,
                };
                self.discovery = Discovery {
                    server: Some(names.get(server)),
                    ..Discovery::default()
                };
            }
            Fact::MetadataRead {
                document,
                url,
                subject,
                scopes,
            } => {
                let read = Document {
                    url: names.get(url),
                    subject: names.get(subject),
                    scopes: scopes.iter().map(|scope| names.get(scope)).collect(),
                    evidence: at.seq,
                };
                match document {
                    MetadataDocument::ProtectedResource => {
                        self.discovery.resource = Some(read);
                        self.advance(SignInLeg::IssuerMetadata);
                    }
                    MetadataDocument::AuthorizationServer => {
                        self.discovery.issuer = Some(read);
                        self.advance(SignInLeg::Registration);
                    }
                }
            }
            Fact::ClientRegistered { client_id, issuer } => {
                self.discovery.registration = Some(Registration {
                    client_id: names.get(client_id),
                    issuer: names.get(issuer),
                    evidence: at.seq,
                });
            }
            Fact::BrowserOpened { how, .. } => self.advance(SignInLeg::Browser(*how)),
            Fact::CallbackReceived { .. } => self.advance(SignInLeg::Token),
            Fact::TokenIssued {
                token,
                scope,
                refreshable,
                grant,
                ..
            } => {
                if *grant == ClientGrant::RefreshToken {
                    self.refreshes = self.refreshes.saturating_add(1);
                } else {
                    self.changed = Some(at.seq);
                }
                let told = ["email", "name", "preferred_username", "sub"]
                    .into_iter()
                    .find_map(|claim| token.claim(claim).filter(|text| !text.trim().is_empty()));
                let logged = token.claim("sub").and_then(|sub| self.people.get(sub));
                let name = match (told, logged, self.user()) {
                    (Some(told), _, _) if token.claim("email").is_some() => names.get(told),
                    (Some(_), Some(logged), _) => logged.clone(),
                    (Some(_), None, Some(user))
                        if token.claim("sub") == user.token.claim("sub") =>
                    {
                        user.name.clone()
                    }
                    (Some(told), None, _) => names.get(told),
                    (None, _, Some(user)) => user.name.clone(),
                    (None, _, None) => names.get("someone the token does not name"),
                };
                self.state = SignIn::SignedIn(Box::new(User {
                    name,
                    credential: credentials.note(token.fingerprint, at.seq),
                    token: token.clone(),
                    scope: names.maybe(scope.as_deref()),
                    refreshable: *refreshable,
                    grant: *grant,
                    evidence: at.seq,
                }));
            }
            // One that a call asked for: whoever was let in before still is.
            Fact::SignInRefused { .. } | Fact::SignInCancelled if self.is_let_in() => {}
            Fact::SignInRefused { failure } => {
                self.become_at(at, SignIn::Refused(Box::new(failure.clone())));
            }
            Fact::SignInCancelled => self.become_at(at, SignIn::Cancelled),
            // Each call of an open server finds it out anew.
            Fact::SignInNotNeeded if self.state == SignIn::NotNeeded => {}
            Fact::SignInNotNeeded => self.become_at(at, SignIn::NotNeeded),
            Fact::SignInEnded { failure } => {
                self.become_at(at, SignIn::Ended(Box::new(failure.clone())));
            }
            Fact::SignedOut => self.become_at(at, SignIn::SignedOut),
            Fact::AuditRecorded(record) => self.learn_name(record, names),
            _ => {}
        }
    }

    /// A zone's token may name its user by an opaque `sub` only; the audit log knows the person.
    fn learn_name(&mut self, record: &AuditRecord, names: &Names) {
        let Some(party) = &record.actor.user else {
            return;
        };
        let sub = names.get(&party.identifier);
        let name = names.get(&party.name);
        if self.people.get(&sub) != Some(&name)
            && (self.people.len() < MOST_PEOPLE || self.people.contains_key(&sub))
        {
            Arc::make_mut(&mut self.people).insert(sub, name);
        }
        let SignIn::SignedIn(user) = &mut self.state else {
            return;
        };
        if user.token.claim("email").is_none()
            && user.token.claim("sub") == Some(party.identifier.as_str())
        {
            user.name = names.get(&party.name);
        }
    }
}
