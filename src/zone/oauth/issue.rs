//! The grants that the zone issues by itself: authorization code, refresh token, client credentials.
//!
//! As with an exchange, every decision rests on one snapshot of the directory, and the answer leaves
//! only after its audit row is durable and what it rests on still stood. Once it is known who is
//! asked for, a refusal is a row too.

pub(super) mod application;

use std::sync::Arc;

use super::{
    Front,
    authorize::signs_for,
    form::Params,
    pkce::CodeChallenge,
    token::{Asked, Tokens},
    transaction::{active_session, fresh_secret},
};
use crate::{
    protocol::{
        audit::{AuditEvent, IdentityChain},
        console::{LifeStatus, Session},
        oauth::ErrorCode,
        secret::Secret,
    },
    zone::{
        audit::{Draft, resource_ref, user_agent_party, user_party},
        directory::{
            AuthorizationCode, Change, Directory, Object, RefreshStatus, RefreshToken, Resource,
            Stored as _, User, UserAgent,
        },
        exchange::{Obtain, lifetime_of, signed},
        keys::SigningKey,
        policy::{self, Caller, Question},
        refusal::Refusal,
        settled::settled,
        store::Commit,
        tokens::SubProfile,
        vault::SecretHash,
    },
};

/// A decision, with what it changes and what it rests on.
struct Decision {
    outcome: Result<Tokens, Refusal>,
    unchanged: Vec<Object>,
    changes: Vec<Change>,
    draft: Draft,
}

/// Decides until a decision stands.
async fn settle(
    front: &Front,
    decide: impl Fn(&Directory, &SigningKey) -> Result<Decision, Refusal>,
) -> Result<Tokens, Refusal> {
    let key = front.zone.keys.signing().await?;
    let (_, outcome) = settled(&front.zone, |directory| {
        let Decision {
            outcome,
            unchanged,
            changes,
            mut draft,
        } = decide(directory, &key)?;
        if let Err(refusal) = &outcome {
            draft.refuse(refusal);
        }
        let commit = Commit {
            based_on: Some(directory.generation()),
            unchanged,
            changes,
            audit: vec![draft],
        };
        Ok((commit, outcome))
    })
    .await?;
    outcome
}

fn invalid_grant(text: &str) -> Refusal {
    Refusal::new(ErrorCode::InvalidGrant, text)
}

/// What a code or a refresh token stands for.
struct Standing<'a> {
    agent: &'a UserAgent,
    client_id: &'a str,
    user_id: &'a str,
    session_id: &'a str,
    resource_id: &'a str,
    scopes: &'a [String],
}

impl Standing<'_> {
    fn draft(&self, directory: &Directory, asked: &Asked, grant_type: &str) -> Draft {
        let mut draft = Draft::new(
            AuditEvent::CredentialsIssue,
            asked.request_id.clone(),
            asked.started,
        );
        draft.resource = directory
            .resources
            .get(self.resource_id)
            .map(|resource| resource_ref(resource));
        draft.scopes = self.scopes.to_vec();
        draft.actor = IdentityChain {
            application: Some(user_agent_party(self.agent)),
            user: directory
                .users
                .get(self.user_id)
                .map(|user| user_party(user)),
        };
        draft.session_id = Some(self.session_id.to_owned());
        draft.grant_type = Some(grant_type.to_owned());
        draft.trace_parent = asked.trace_parent;
        draft
    }

    /// Checks what is common to both grants, and finds what they are about.
    fn check(
        &self,
        front: &Front,
        directory: &Directory,
        form: &Params,
    ) -> Result<Bearing, Refusal> {
        if self.client_id != self.agent.identifier {
            return Err(invalid_grant("This was given to another client"));
        }
        let now = front.zone.config.clock.now();
        let (session, user) = active_session(directory, now, self.session_id)
            .ok_or_else(|| invalid_grant("The session has ended; sign in again"))?;
        let resource = directory
            .resources
            .get(self.resource_id)
            .ok_or_else(|| invalid_grant("The resource is not there any more"))?;
        // RFC 8707, section 2.2: it may be named again, but not changed.
        if form
            .all("resource")
            .iter()
            .any(|named| *named != resource.identifier)
        {
            return Err(Refusal::new(
                ErrorCode::InvalidTarget,
                "The sign-in was for another resource",
            ));
        }
        signs_for(directory, resource)?;
        let application = resource
            .application_id
            .as_ref()
            .and_then(|id| directory.applications.get(id));
        if !directory.consented(application.map(AsRef::as_ref), &user.id, &resource.id) {
            return Err(invalid_grant("The consent does not hold; sign in again"));
        }
        Ok(Bearing {
            session,
            user,
            resource: resource.clone(),
        })
    }

    /// Asks policy, and signs.
    fn mint(
        &self,
        front: &Front,
        directory: &Directory,
        key: &SigningKey,
        draft: &mut Draft,
        bearing: &Bearing,
    ) -> Result<Tokens, Refusal> {
        let Self { agent, scopes, .. } = self;
        let Bearing {
            session,
            user,
            resource,
        } = bearing;
        let answer = policy::decide(
            directory,
            &Question {
                user: Some(user),
                impersonate: false,
                caller: Caller::UserAgent(agent),
                resource,
                scopes,
            },
        );
        let verdict = answer.verdict();
        draft.decision = Some(answer.decision);
        verdict?;
        let obtained = signed(
            &front.zone,
            key,
            &Obtain {
                resource,
                grant: None,
                sub: &user.identifier,
                sub_profile: SubProfile::User,
                client_id: &agent.identifier,
                application_id: None,
                scopes,
                session_id: Some(&session.id),
                subject: None,
            },
        )?;
        draft.credential = Some(obtained.view());
        Ok(Tokens {
            access_token: obtained.token,
            refresh_token: None,
            expires_in: obtained.expires_in,
            scope: (!scopes.is_empty()).then(|| scopes.join(" ")),
            issued_token_type: None,
        })
    }
}

/// What a standing that was found good is about.
struct Bearing {
    session: Arc<Session>,
    user: Arc<User>,
    resource: Arc<Resource>,
}

/// Takes back what came of one sign-in: its refresh tokens, and its session, without which its
/// access tokens can be exchanged for nothing.
fn revocation(directory: &Directory, family: Option<&str>, session_id: &str) -> Vec<Change> {
    let tokens = directory
        .refresh_tokens
        .values()
        .filter(|token| family == Some(&token.family))
        .filter(|token| token.status != RefreshStatus::Revoked)
        .map(|token| {
            Change::put(RefreshToken {
                status: RefreshStatus::Revoked,
                ..RefreshToken::clone(token)
            })
        });
    let session = directory.sessions.get(session_id).map(|session| {
        Change::put(Session {
            status: LifeStatus::Revoked,
            ..Session::clone(session)
        })
    });
    tokens.chain(session).collect()
}

/// RFC 6749, section 4.1.3, with PKCE (RFC 7636, section 4.5).
pub(super) async fn authorization_code(
    front: &Front,
    agent: &UserAgent,
    form: &Params,
    asked: &Asked,
) -> Result<Tokens, Refusal> {
    let code = Secret::from(form.required("code")?);
    let verifier = Secret::from(form.required("code_verifier")?);
    let redirect_uri = form.required("redirect_uri")?;
    let id = SecretHash::of(&code);
    settle(front, |directory, key| {
        let now = front.zone.config.clock.now();
        let row = directory
            .authorization_codes
            .get(id.as_str())
            .ok_or_else(|| invalid_grant("The code is not known, or it has expired"))?;
        let standing = Standing {
            agent,
            client_id: &row.client_id,
            user_id: &row.user_id,
            session_id: &row.session_id,
            resource_id: &row.resource_id,
            scopes: &row.scopes,
        };
        let mut draft = standing.draft(directory, asked, "authorization_code");
        let mut changes = Vec::new();
        let mut decide = || {
            // Before anything else: only the one who has the code could be asking twice.
            if row.used_at.is_some() && row.client_id == agent.identifier {
                changes = revocation(directory, row.family.as_deref(), &row.session_id);
                return Err(invalid_grant(
                    "The code was used already, so what it gave was taken back",
                ));
            }
            let bearing = standing.check(front, directory, form)?;
            if row.expires_at <= now {
                return Err(invalid_grant("The code has expired"));
            }
            if row.redirect_uri != redirect_uri {
                return Err(invalid_grant("The redirect URI is not the code's"));
            }
            if !CodeChallenge::stored(&row.code_challenge)
                .is_some_and(|challenge| challenge.accepts(verifier.expose()))
            {
                return Err(invalid_grant("The code_verifier is not the code's"));
            }
            let mut tokens = standing.mint(front, directory, key, &mut draft, &bearing)?;
            let family = front.zone.config.ids.short();
            changes.push(Change::put(AuthorizationCode {
                used_at: Some(now),
                // A second use is noticed as long as the first token may live.
                expires_at: now + lifetime_of(&bearing.resource),
                family: Some(family.clone()),
                ..AuthorizationCode::clone(row)
            }));
            if agent
                .grant_types
                .iter()
                .any(|grant| grant == "refresh_token")
            {
                let token = fresh_secret(&front.zone);
                changes.push(Change::put(RefreshToken {
                    id: SecretHash::of(&token),
                    family,
                    client_id: row.client_id.clone(),
                    user_id: row.user_id.clone(),
                    session_id: row.session_id.clone(),
                    resource_id: row.resource_id.clone(),
                    scopes: row.scopes.clone(),
                    status: RefreshStatus::Current,
                    created_at: now,
                    expires_at: bearing.session.expires_at,
                }));
                tokens.refresh_token = Some(token);
            }
            Ok(tokens)
        };
        let outcome = decide();
        Ok(Decision {
            outcome,
            unchanged: vec![row.clone().wrap()],
            changes,
            draft,
        })
    })
    .await
}

/// RFC 6749, section 6. The refresh token is replaced each time (RFC 9700, section 4.14.2).
pub(super) async fn refresh_token(
    front: &Front,
    agent: &UserAgent,
    form: &Params,
    asked: &Asked,
) -> Result<Tokens, Refusal> {
    let presented = Secret::from(form.required("refresh_token")?);
    let narrowed = form.scopes()?;
    let id = SecretHash::of(&presented);
    settle(front, |directory, key| {
        let now = front.zone.config.clock.now();
        let row = directory
            .refresh_tokens
            .get(id.as_str())
            .ok_or_else(|| invalid_grant("The refresh token is not known, or it has expired"))?;
        let standing = Standing {
            agent,
            client_id: &row.client_id,
            user_id: &row.user_id,
            session_id: &row.session_id,
            resource_id: &row.resource_id,
            scopes: narrowed.as_deref().unwrap_or(&row.scopes),
        };
        let mut draft = standing.draft(directory, asked, "refresh_token");
        let mut changes = Vec::new();
        let mut decide = || {
            match row.status {
                RefreshStatus::Current => {}
                RefreshStatus::Rotated if row.client_id == agent.identifier => {
                    changes = revocation(directory, Some(&row.family), &row.session_id);
                    return Err(invalid_grant(
                        "The refresh token was used already, so the sign-in was ended",
                    ));
                }
                RefreshStatus::Rotated | RefreshStatus::Revoked => {
                    return Err(invalid_grant("The refresh token was revoked"));
                }
            }
            let bearing = standing.check(front, directory, form)?;
            if row.expires_at <= now {
                return Err(invalid_grant("The refresh token has expired"));
            }
            if standing
                .scopes
                .iter()
                .any(|scope| !row.scopes.contains(scope))
            {
                return Err(Refusal::new(
                    ErrorCode::InvalidScope,
                    "A refresh may narrow the scopes, not widen them",
                ));
            }
            let mut tokens = standing.mint(front, directory, key, &mut draft, &bearing)?;
            let next = fresh_secret(&front.zone);
            changes.push(Change::put(RefreshToken {
                status: RefreshStatus::Rotated,
                ..RefreshToken::clone(row)
            }));
            changes.push(Change::put(RefreshToken {
                id: SecretHash::of(&next),
                created_at: now,
                ..RefreshToken::clone(row)
            }));
            tokens.refresh_token = Some(next);
            Ok(tokens)
        };
        let outcome = decide();
        Ok(Decision {
            outcome,
            unchanged: vec![row.clone().wrap()],
            changes,
            draft,
        })
    })
    .await
}
