//! The sign-in, as the MCP specification prescribes it: challenge, resource metadata,
//! authorization server metadata, registration, browser, callback, token.
//!
//! rmcp makes the requests (through [`OAuthSeam`]); the choices are made here, so that nothing is
//! guessed: no legacy endpoints, no document that is about somebody else.

use std::{pin::pin, sync::Arc};

use rmcp::transport::auth::{
    AuthError, AuthorizationManager, AuthorizationMetadataSource, AuthorizationRequest,
    AuthorizationSession,
};
use tokio::sync::Notify;
use url::Url;

use super::{
    browser::{Browser, BrowserMode},
    callback::{Arrival, CallbackFault, Expected, Listener, Waiting},
    discovery::{Accepted, MissingPkceAllowed, accept_server, lies},
    http::TracedHttp,
    oauth_seam::{OAuthSeam, cleaned},
    robot,
    store::{Renewer, Tokens},
};
use crate::{
    protocol::{
        challenge::{parameter, pointer},
        secret::Secret,
    },
    support::{
        clock::SharedClock,
        error::{Exit, Failure},
    },
    trace::{
        Actor, Fact,
        event::{BrowserLeg, MetadataDocument},
    },
};

/// The name under which the client introduces itself.
const CLIENT_NAME: &str = "hoptrail";

/// What a sign-in needs.
#[derive(Debug)]
pub struct SignIn<'a> {
    pub http: &'a TracedHttp,
    pub server: &'a Url,
    pub tokens: &'a Tokens,
    pub clock: &'a SharedClock,
    pub mode: BrowserMode,
    pub browser: &'a Arc<dyn Browser>,
    pub answer: &'a robot::Answer,
    /// Told when the sample user shall answer in the place of a browser that is waited for.
    pub sample: &'a Notify,
    pub missing_pkce: &'a MissingPkceAllowed,
    /// Scopes of an earlier grant, which a step-up keeps.
    pub keep_scopes: &'a [String],
}

impl SignIn<'_> {
    /// Runs the sign-in from the server's challenge to the token.
    ///
    /// # Errors
    /// Why there is no token. Cancelling is dropping the future.
    pub async fn run(&self, challenge: Option<&str>) -> Result<Vec<String>, Failure> {
        let seam = Arc::new(OAuthSeam::new(
            self.http.clone(),
            self.server.clone(),
            Arc::clone(self.clock),
            self.tokens.begin(),
        ));
        let (manager, accepted) = self.discover(&seam, challenge).await?;
        let listener = Listener::bind().await?;
        let redirect_uri = listener.redirect_uri();
        let request = self.request(&redirect_uri, challenge);
        let session = self.register(&seam, manager, request, &accepted).await?;

        let url = self
            .http
            .policy()
            .accept("authorization endpoint", session.get_authorization_url())?;
        let query = |name: &str| {
            url.query_pairs()
                .find(|(found, _)| found == name)
                .map(|(_, value)| value.into_owned())
        };
        let state = Secret::new(query("state").unwrap_or_default());
        for secret in ["state", "code_challenge"] {
            self.http
                .masker()
                .remember(&query(secret).unwrap_or_default());
        }
        let asked: Vec<String> = query("scope")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        seam.set_asked(asked.clone());
        let waiting = listener.expect(Expected {
            state: state.clone(),
            issuer: accepted.issuer.clone(),
            iss: accepted.iss,
        });
        let arrived = self
            .answer_of(waiting, url, &redirect_uri, accepted.lab)
            .await?;
        let arrival = self.tell_callback(arrived)?;
        session
            .handle_callback_with_issuer(
                arrival.code.expose(),
                state.expose(),
                arrival.iss.as_deref(),
            )
            .await
            .map_err(|error| self.fault(&seam, &error))?;
        self.tokens.keep(Renewer {
            manager: session.auth_manager,
            seam,
        });
        Ok(asked)
    }

    /// Finds the authorization server that the challenge leads to.
    async fn discover(
        &self,
        seam: &Arc<OAuthSeam>,
        challenge: Option<&str>,
    ) -> Result<(AuthorizationManager, Accepted), Failure> {
        if let Some(pointer) = challenge.and_then(pointer) {
            // rmcp would step over a pointer that it does not trust, and guess.
            let url = self
                .server
                .join(&pointer)
                .map_or(pointer, |url| url.to_string());
            self.http
                .policy()
                .accept("resource metadata's address", &url)?;
        }
        let mut manager = AuthorizationManager::new_with_oauth_http_client(
            self.server.as_str(),
            Arc::clone(seam) as _,
        )
        .await
        .map_err(|error| self.fault(seam, &error))?;
        let resolution = manager
            .resolve_metadata_from_challenge(challenge)
            .await
            .map_err(|error| self.fault(seam, &error))?;
        match resolution.source {
            AuthorizationMetadataSource::ProtectedResourceMetadata
            | AuthorizationMetadataSource::AuthorizationServerMetadata => {}
            _ => {
                return Err(Failure::new(
                    Exit::Refused,
                    "The server does not say where to sign in",
                    "it asks for a token, but publishes no authorization server metadata",
                    "check the server's address; the server must serve \
                     /.well-known/oauth-protected-resource",
                ));
            }
        }
        let accepted = accept_server(self.http.policy(), &resolution.metadata, self.missing_pkce)?;
        self.tell_metadata(seam, &accepted);
        manager.set_metadata(resolution.metadata);
        Ok((manager, accepted))
    }

    /// What the client asks for.
    fn request(&self, redirect_uri: &str, challenge: Option<&str>) -> AuthorizationRequest {
        let request = AuthorizationRequest::new(redirect_uri)
            .with_initial_scope_selection()
            .with_client_name(CLIENT_NAME)
            .with_application_type("native");
        let wanted = challenge.and_then(|text| parameter(text, "scope"));
        let Some(wanted) = wanted.filter(|_| !self.keep_scopes.is_empty()) else {
            return request;
        };
        // Step-up: what was granted stays, what is missing comes on top.
        let mut union = self.keep_scopes.to_vec();
        union.extend(wanted.split_whitespace().map(str::to_owned));
        union.sort();
        union.dedup();
        request.with_scopes(union)
    }

    /// Registers the client.
    async fn register(
        &self,
        seam: &OAuthSeam,
        manager: AuthorizationManager,
        request: AuthorizationRequest,
        accepted: &Accepted,
    ) -> Result<AuthorizationSession, Failure> {
        let session = AuthorizationSession::new(manager, request)
            .await
            .map_err(|(_, error)| self.fault(seam, &error))?;
        let (client_id, _) = session
            .get_credentials()
            .await
            .map_err(|error| self.fault(seam, &error))?;
        self.http.report(
            Actor::Client,
            Fact::ClientRegistered {
                client_id: self.http.clean(&client_id),
                issuer: self.http.clean(&accepted.issuer),
            },
        );
        Ok(session)
    }

    fn tell_metadata(&self, seam: &OAuthSeam, accepted: &Accepted) {
        for url in [&accepted.authorization_endpoint, &accepted.token_endpoint] {
            self.http.actors().learn(url, Actor::Zone);
        }
        self.http.report(
            Actor::Client,
            Fact::MetadataRead {
                document: MetadataDocument::AuthorizationServer,
                url: seam.server_document().unwrap_or_default(),
                subject: self.http.clean(&accepted.issuer),
                scopes: cleaned(self.http, &accepted.scopes),
            },
        );
    }

    /// Has the person, or on a lab the sample user, answer at the authorization server.
    async fn answer_of(
        &self,
        waiting: Waiting,
        mut url: Url,
        redirect_uri: &str,
        lab: bool,
    ) -> Result<Result<Arrival, CallbackFault>, Failure> {
        let headless = self.mode == BrowserMode::Headless && lab;
        if headless && self.answer.consent == robot::Consent::Deny {
            // OpenID Connect Core, section 3.1.2.1: a zone that remembers an earlier yes asks again.
            url.query_pairs_mut().append_pair("prompt", "consent");
        }
        self.send_person(&url, headless);
        if !headless {
            return self.arrival(waiting, url, redirect_uri, lab).await;
        }
        robot::walk(self.http, url, redirect_uri, self.answer).await?;
        // The sample user comes once.
        Ok(waiting.arrived())
    }

    /// Brings the URL before the person, and says how.
    fn send_person(&self, url: &Url, headless: bool) {
        let how = match self.mode {
            BrowserMode::Headless if headless => BrowserLeg::Headless,
            BrowserMode::Open => match self.browser.open(url) {
                Ok(()) => BrowserLeg::Opened,
                Err(why) => {
                    tracing::info!(why, "no browser could be opened");
                    BrowserLeg::Shown
                }
            },
            BrowserMode::Show | BrowserMode::Headless => BrowserLeg::Shown,
        };
        self.http.report(
            Actor::Client,
            Fact::BrowserOpened {
                url: self.http.masker().url(url),
                how,
            },
        );
        if how == BrowserLeg::Shown {
            self.browser.show(url);
        }
    }

    /// Waits for the browser; on a lab somebody may have the sample user answer instead.
    async fn arrival(
        &self,
        waiting: Waiting,
        url: Url,
        redirect_uri: &str,
        lab: bool,
    ) -> Result<Result<Arrival, CallbackFault>, Failure> {
        let mut arrival = pin!(waiting.arrival());
        tokio::select! {
            biased;
            arrived = &mut arrival => return Ok(arrived),
            () = self.sample.notified(), if lab => {}
        }
        // To its end: the answer arrives before the page that thanks for it does.
        robot::walk(self.http, url, redirect_uri, self.answer).await?;
        Ok(arrival.await)
    }

    fn tell_callback(&self, arrived: Result<Arrival, CallbackFault>) -> Result<Arrival, Failure> {
        let (error, description) = match &arrived {
            Err(CallbackFault::Denied { error, description }) => (
                Some(self.http.clean(error)),
                description.as_deref().map(|text| self.http.clean(text)),
            ),
            Ok(_) | Err(_) => (None, None),
        };
        if let Ok(arrival) = &arrived {
            self.http.masker().remember(arrival.code.expose());
        }
        self.http
            .report(Actor::You, Fact::CallbackReceived { error, description });
        arrived.map_err(|fault| fault.failure())
    }

    /// The failure behind an error of rmcp's.
    fn fault(&self, seam: &OAuthSeam, error: &AuthError) -> Failure {
        if let Some(failure) = seam.take_trouble() {
            return failure;
        }
        // Without a word of the server's, rmcp takes it for its own authorization server, as MCP did in
        // its beginnings; what it finds there then says nothing.
        if let AuthError::AuthorizationServerMismatch { .. }
        | AuthError::AuthorizationServerMissingIssuer { .. } = error
            && let Some(why) = seam.no_resource_metadata()
        {
            return Failure::new(
                Exit::Refused,
                "The server does not say where to sign in",
                why,
                "the server must serve /.well-known/oauth-protected-resource with its \
                 authorization_servers",
            );
        }
        match error {
            AuthError::AuthorizationServerMismatch {
                expected_issuer,
                received_issuer,
            } => lies(
                "The authorization server's metadata is about somebody else",
                format!(
                    "it says {}, we asked {}",
                    self.http.clean(received_issuer),
                    self.http.clean(expected_issuer)
                ),
            ),
            AuthError::AuthorizationServerMissingIssuer { expected_issuer } => lies(
                "The authorization server does not say who it is",
                format!("we asked {}", self.http.clean(expected_issuer)),
            ),
            AuthError::AuthorizationServersUnavailable {
                authorization_servers,
                ..
            } => Failure::new(
                Exit::Unreachable,
                "The authorization server publishes no metadata",
                format!(
                    "the server names {}, and none of its well-known addresses has a document with \
                     the endpoints that RFC 8414 prescribes",
                    self.http.clean(&authorization_servers.join(", "))
                ),
                "check that the zone runs and that the server names the right one",
            ),
            AuthError::DiscoveryRequestFailed { url, source } => Failure::new(
                Exit::Unreachable,
                "The sign-in could not be prepared",
                format!(
                    "{}: {}",
                    self.http.masker().url(url),
                    self.http.clean(&source.to_string())
                ),
                "try again; the server's log may say more",
            ),
            other => Failure::new(
                Exit::Refused,
                "The sign-in did not come through",
                self.http.clean(&other.to_string()),
                "look at the hops to see how far it came",
            ),
        }
    }
}
