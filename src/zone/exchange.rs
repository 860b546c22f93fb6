//! Token exchange (RFC 8693): a caller's token in, a credential for one other resource out.
//!
//! Every condition of facts/keycard.md 2.9 is checked on one snapshot of the directory, and the answer
//! leaves only after its audit row is durable and the snapshot was still the current one. A refusal
//! is a row too.

mod obtain;
mod subject;

use std::sync::Arc;

use crate::{
    protocol::{
        audit::{AuditEvent, IdentityChain, ResourceRef},
        console::LifeStatus,
        hold::Forecast,
        jwt::TokenView,
        oauth::{ErrorCode, GRANT_TOKEN_EXCHANGE, TOKEN_TYPE_ACCESS_TOKEN},
        secret::Secret,
        traceparent::TraceParent,
    },
    support::clock::Stopwatch,
};

use super::{
    ZoneState,
    audit::{Draft, application_party, resource_ref, user_party},
    directory::{Application, ApplicationCredential, Directory, Grant, Resource, User},
    keys::{NoKey, SigningKey},
    policy::{self, Caller, Question},
    refusal::Refusal,
    scopes,
    settled::settled,
    store::Commit,
    tokens::{SubProfile, VerifiedClaims},
};

pub use obtain::{Obtain, Obtained, lifetime_of, obtain, signed};
use subject::{Subject, subject_of};

/// A token exchange request whose client is authenticated. The parameters are as they came.
#[derive(Debug, Clone)]
pub struct ExchangeRequest {
    /// The credential that the client authenticated with.
    pub credential: Arc<ApplicationCredential>,
    pub subject_token: Option<Secret>,
    pub subject_token_type: Option<String>,
    pub requested_token_type: Option<String>,
    /// Whether an actor token came along; the zone has no use for one.
    pub actor_token: bool,
    /// Every `resource` parameter (RFC 8707 allows many; the zone answers for one).
    pub resources: Vec<String>,
    pub audience: Option<String>,
    pub scope: Option<String>,
    pub trace_parent: Option<TraceParent>,
    pub request_id: String,
    /// Runs since the request came in.
    pub started: Stopwatch,
}

impl ExchangeRequest {
    /// The identifier of the one resource that is asked for.
    ///
    /// # Errors
    /// If none is named, or more than one.
    pub fn target(&self) -> Result<&str, Refusal> {
        match (&*self.resources, &self.audience) {
            ([one], None) => Ok(one),
            // RFC 8693 lets a client name the target either way; both at once must agree.
            ([one], Some(audience)) if one == audience => Ok(one),
            ([], Some(audience)) => Ok(audience),
            ([], None) => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "resource is missing.",
            )),
            _ => Err(Refusal::new(
                ErrorCode::InvalidTarget,
                "One request is for one resource.",
            )),
        }
    }
}

/// A credential, which may now be handed out: its audit row is durable.
#[derive(Debug)]
pub struct ExchangeResponse {
    pub access_token: Secret,
    /// RFC 8693, section 2.2.1.
    pub issued_token_type: &'static str,
    /// Seconds; absent where nothing ends it, as with a vaulted secret.
    pub expires_in: Option<u64>,
    /// What was given of what was asked; absent when nothing was asked.
    pub scope: Option<String>,
}

/// Exchanges a token.
///
/// # Errors
/// The OAuth error to answer with; its audit row is durable unless the code is `server_error`.
pub async fn exchange(
    state: &ZoneState,
    request: ExchangeRequest,
) -> Result<ExchangeResponse, Refusal> {
    let key = state.keys.signing().await?;
    let scopes = scopes::parse(request.scope.as_deref().unwrap_or_default());
    let subject = subject_of(state, &key, &request);
    let (_, outcome) = settled(state, |directory| {
        let attempt = Attempt {
            state,
            directory,
            key: &key,
            request: &request,
            subject: &subject,
            scopes: &scopes,
        };
        let (outcome, draft) = attempt.run();
        let commit = Commit {
            based_on: Some(directory.generation()),
            audit: vec![draft],
            ..Commit::default()
        };
        Ok((commit, outcome))
    })
    .await?;
    let obtained = outcome?;
    let asked = scopes.ok().filter(|scopes| !scopes.is_empty());
    Ok(ExchangeResponse {
        access_token: obtained.token,
        issued_token_type: TOKEN_TYPE_ACCESS_TOKEN,
        expires_in: obtained.expires_in,
        scope: asked.map(|asked| obtained.scopes.unwrap_or(asked).join(" ")),
    })
}

/// What is known of an exchange before it is decided.
#[derive(Debug, Clone)]
pub struct Foreseen {
    pub actor: IdentityChain,
    pub resource: Option<ResourceRef>,
    pub scopes: Vec<String>,
    pub forecast: Forecast,
}

/// What would be decided now. Issues nothing and writes nothing; what is decided later is decided
/// anew.
///
/// # Errors
/// If the zone has no key: then nothing can be decided.
pub async fn foresee(state: &ZoneState, request: &ExchangeRequest) -> Result<Foreseen, NoKey> {
    let key = state.keys.signing().await?;
    let scopes = scopes::parse(request.scope.as_deref().unwrap_or_default());
    let subject = subject_of(state, &key, request);
    let directory = state.directory();
    let attempt = Attempt {
        state,
        directory: &directory,
        key: &key,
        request,
        subject: &subject,
        scopes: &scopes,
    };
    let mut draft = attempt.draft();
    let refusal = attempt.judge(&mut draft).err();
    if let Some(refusal) = &refusal {
        draft.refuse(refusal);
    }
    Ok(Foreseen {
        actor: draft.actor,
        resource: draft.resource,
        scopes: draft.scopes,
        forecast: Forecast {
            status: draft.status,
            decision: draft.decision,
            error: draft.error,
            reason: draft.reason,
        },
    })
}

/// One decision on one snapshot.
struct Attempt<'a> {
    state: &'a ZoneState,
    directory: &'a Directory,
    key: &'a SigningKey,
    request: &'a ExchangeRequest,
    subject: &'a Result<Subject, Refusal>,
    scopes: &'a Result<Vec<String>, Refusal>,
}

impl Attempt<'_> {
    fn draft(&self) -> Draft {
        let mut draft = Draft::new(
            AuditEvent::CredentialsIssue,
            self.request.request_id.clone(),
            self.request.started,
        );
        draft.grant_type = Some(GRANT_TOKEN_EXCHANGE.to_owned());
        draft.trace_parent = self.request.trace_parent;
        draft
    }

    fn run(&self) -> (Result<Obtained, Refusal>, Draft) {
        let mut draft = self.draft();
        let outcome = self.decide(&mut draft);
        match &outcome {
            Ok(obtained) => draft.credential = Some(obtained.view()),
            Err(refusal) => draft.refuse(refusal),
        }
        (outcome, draft)
    }

    fn decide(&self, draft: &mut Draft) -> Result<Obtained, Refusal> {
        let wanted = self.judge(draft)?;
        obtain(self.state, self.directory, self.key, &wanted)
    }

    /// Fills the row as far as the checks come, so that a refusal names what was known by then.
    /// Issues nothing.
    fn judge(&self, draft: &mut Draft) -> Result<Obtain<'_>, Refusal> {
        let credential = &self.request.credential;
        let application = self
            .directory
            .applications
            .get(&credential.application_id)
            // It authenticated a moment ago; its application was deleted since.
            .ok_or_else(|| Refusal::new(ErrorCode::InvalidClient, "The client is not known."))?;
        draft.actor = IdentityChain {
            application: Some(application_party(application, &credential.identifier)),
            user: None,
        };
        // An exchange may have been held since its client authenticated.
        if !self.directory.accepts(credential) {
            return Err(Refusal::new(
                ErrorCode::InvalidClient,
                "The client is not known.",
            ));
        }
        // Named first: a row without its resource says little.
        let resource = self.resource();
        if let Ok(resource) = &resource {
            draft.resource = Some(resource_ref(resource));
        }
        if let Ok(scopes) = self.scopes {
            draft.scopes.clone_from(scopes);
        }
        draft.subject_token = self.request.subject_token.as_ref().map(|token| {
            if let Ok(Subject::Token(_)) = self.subject {
                TokenView::of(token)
            } else {
                // What it says is anybody's word; only its name is ours.
                TokenView {
                    fingerprint: token.fingerprint(),
                    header: serde_json::Map::new(),
                    claims: serde_json::Map::new(),
                }
            }
        });

        let subject = self.subject.as_ref().map_err(Clone::clone)?;
        let claims = subject.claims();
        draft.session_id = claims.and_then(|claims| claims.sid.clone());
        let user = self.user(subject)?;
        draft.actor.user = Some(user_party(user));
        if let Some(claims) = claims {
            self.session(claims, user)?;
        }
        let scopes = self.scopes.as_ref().map_err(Clone::clone)?;
        if let Some(claims) = claims {
            let meant_for = self.directory.resource_identified(&claims.aud);
            ownership(meant_for, application)?;
        }
        let resource = resource?;
        let question = Question {
            user: Some(user),
            impersonate: subject.is_impersonation(),
            caller: Caller::Application(application),
            resource,
            scopes,
        };
        // Who may not impersonate learns nothing else either, as of who consented to what.
        if question.impersonate {
            self.permitted(&question, draft)?;
            ownership(Some(resource), application)?;
        }
        let provider = obtain::provider_of(self.directory, resource)?;
        if !self.directory.depends(&application.id, &resource.id) {
            return Err(Refusal::no_dependency(&application.name, &resource.name));
        }
        let grant = self.consent(application, user, resource, provider.needs_grant(), scopes)?;
        if !question.impersonate {
            self.permitted(&question, draft)?;
        }
        Ok(Obtain {
            resource,
            grant,
            sub: &user.identifier,
            sub_profile: SubProfile::User,
            client_id: &credential.identifier,
            application_id: Some(&application.id),
            scopes,
            session_id: claims.and_then(|claims| claims.sid.as_deref()),
            subject: claims,
        })
    }

    fn permitted(&self, question: &Question<'_>, draft: &mut Draft) -> Result<(), Refusal> {
        let answer = policy::decide(self.directory, question);
        let verdict = answer.verdict();
        draft.decision = Some(answer.decision);
        verdict
    }

    /// The one resource that is asked for, by its exact identifier.
    fn resource(&self) -> Result<&Arc<Resource>, Refusal> {
        let wanted = self.request.target()?;
        self.directory
            .resource_identified(wanted)
            .ok_or_else(|| Refusal::unknown_resource(wanted))
    }

    fn user(&self, subject: &Subject) -> Result<&Arc<User>, Refusal> {
        match subject {
            Subject::Token(claims) => match claims.sub_profile {
                SubProfile::User => self.directory.user_identified(&claims.sub),
                SubProfile::App => None,
            },
            Subject::Impersonated(sub) => self.directory.user_identified(sub),
        }
        .ok_or_else(|| {
            Refusal::new(
                ErrorCode::InvalidGrant,
                "The subject_token speaks for nobody in this zone.",
            )
        })
    }

    /// Signatures outlive sign-outs, so the session is asked each time.
    fn session(&self, claims: &VerifiedClaims, user: &User) -> Result<(), Refusal> {
        let session = claims
            .sid
            .as_ref()
            .and_then(|sid| self.directory.sessions.get(sid))
            .filter(|session| session.user_id.as_deref() == Some(&user.id));
        let alive = session.is_some_and(|session| {
            session.status == LifeStatus::Active
                && session.expires_at > self.state.config.clock.now()
        });
        if alive {
            Ok(())
        } else {
            Err(Refusal::new(
                ErrorCode::InvalidGrant,
                "The session behind the subject_token has ended.",
            ))
        }
    }

    fn consent(
        &self,
        application: &Application,
        user: &User,
        resource: &Resource,
        needs_grant: bool,
        scopes: &[String],
    ) -> Result<Option<&Arc<Grant>>, Refusal> {
        let grant = self.directory.active_grant(&user.id, &resource.id);
        let consented = self
            .directory
            .consented(Some(application), &user.id, &resource.id);
        // The person would be asked for it at the next sign-in, and was not asked yet. What nobody is
        // ever asked for is the policy's to refuse (facts/keycard.md, 2.9 rule 5).
        let is_missing = |scope: &String| {
            resource.scopes.contains(scope)
                && !grant.is_some_and(|grant| grant.scopes.contains(scope))
        };
        if !consented || (needs_grant && (grant.is_none() || scopes.iter().any(is_missing))) {
            return Err(no_consent());
        }
        Ok(grant)
    }
}

/// The token must have been meant for a resource that this very application provides; who impersonates
/// has none, and may ask for nothing else (facts/keycard.md, 2.9 rules 3 and 7).
fn ownership(resource: Option<&Arc<Resource>>, application: &Application) -> Result<(), Refusal> {
    let provides = resource
        .is_some_and(|resource| resource.application_id.as_deref() == Some(&application.id));
    if provides {
        Ok(())
    } else {
        Err(Refusal::new(
            ErrorCode::InvalidGrant,
            "Client is not allowed to exchange token for this resource",
        ))
    }
}

fn no_consent() -> Refusal {
    Refusal::new(
        ErrorCode::InsufficientAuthorization,
        "User consent is required.",
    )
}
