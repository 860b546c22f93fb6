//! What probes brought back: the `.env`, the server's answers, the zone's objects, the trials.

use super::{ConsolePlace, Seen, Status};
use crate::{
    chapters::{
        evidence::Evidence,
        expect::{
            Answer, ApplicationIs, Challenge, EnvSays, EnvState, Matches, MetadataSays, ResourceIs,
            ScopeRefused, Service, Side,
        },
        probe::{HttpAnswer, HttpProbe, Probe, Reading, ScopeAnswer, Trial, TrialEnd, Untried},
    },
    projection::policy_name,
    protocol::{
        audit::CredentialSource,
        console::Consent,
        env::{EnvKind, EnvLine},
    },
};

/// The path under which a protected resource's metadata is (RFC 9728, section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What to do about a server that gives no answer.
const SILENT: &str =
    "Start your server, see what it prints, and compare its port with the URL here";

impl<'a> Seen<'a> {
    pub(super) fn env(self, expected: &EnvSays) -> Status {
        let (lines, evidence) = match self.side(expected.side) {
            Ok(found) => found,
            Err(status) => return status,
        };
        let name = expected.name.as_str();
        // As for a shell, the last of several lines wins.
        let line = lines.iter().rev().find(|line| line.name == name);
        let set = line.filter(|line| line.set);
        if let Some(state) = expected.is {
            let wrong = match (state, set) {
                (EnvState::Absent, None) | (EnvState::Set, Some(_)) => None,
                (EnvState::Absent, Some(_)) => Some("is still set"),
                (_, None) => Some("is not set"),
                (EnvState::Secret, Some(line)) => {
                    (line.kind != EnvKind::Secret).then_some("does not look like a secret")
                }
                (EnvState::Identifier, Some(line)) => {
                    (line.kind != EnvKind::Identifier).then_some("does not look like an identifier")
                }
            };
            if let Some(wrong) = wrong {
                return Status::failed(format!("{name} {wrong} in .env"));
            }
        }
        if let Some(matches) = expected.matches {
            let Some(value) = set.and_then(|line| line.value.as_deref()) else {
                return Status::failed(format!("{name} is not set in .env"));
            };
            let Some((said, whose)) = self.said_by_server(matches) else {
                return match &self.results.metadata {
                    Reading::Unavailable { look_at } => Status::not_observable(look_at.clone()),
                    // That there is none is another check's matter; here it leaves nothing to compare.
                    Reading::Failed { .. } | Reading::NotAsked | Reading::Told(_) => {
                        Status::pending("the server's metadata document")
                    }
                };
            };
            // Tokens carry the name that the zone gives itself, and the server compares letter by letter.
            let issuer = match (matches, &self.results.metadata) {
                (Matches::Zone, Reading::Told(metadata)) => metadata.issuer.as_deref(),
                _ => None,
            };
            let own = issuer.map(|issuer| (issuer, "the issuer that the zone names"));
            for (said, whose) in [Some((said, whose)), own].into_iter().flatten() {
                if said != value {
                    let slash = said.trim_end_matches('/') == value.trim_end_matches('/');
                    let how = if slash {
                        "differs by a slash at its end from"
                    } else {
                        "is not"
                    };
                    return Status::failed(format!("{name} {how} {whose}"));
                }
            }
        }
        Status::passed([evidence])
    }

    fn side(self, side: Side) -> Result<(&'a [EnvLine], Evidence), Status> {
        let env = self.projection.env();
        let (file, own) = match side {
            Side::Now => (None, true),
            Side::Before => (env.before(), false),
            // Of an attendee's own project there is one file, and it is the latest.
            Side::After => (env.after(), true),
        };
        match (file, &self.results.env) {
            (Some(file), _) => Ok((file.lines.as_slice(), Evidence::Event(file.evidence))),
            (None, reading) if own => {
                let lines = told(reading, ".env to be read")?;
                Ok((lines, Evidence::Probe(Probe::Env)))
            }
            (None, Reading::Told(_)) => Err(Status::not_observable(
                "the .env that you began with; it was not seen from here",
            )),
            (None, _) => Err(Status::pending(".env to be read")),
        }
    }

    /// What the server's metadata names, from a probe or from the client's own discovery.
    fn said_by_server(self, matches: Matches) -> Option<(&'a str, &'static str)> {
        let discovery = &self.projection.identity().discovery;
        let metadata = match &self.results.metadata {
            Reading::Told(metadata) => Some(metadata),
            Reading::NotAsked | Reading::Unavailable { .. } | Reading::Failed { .. } => None,
        };
        match matches {
            Matches::McpServer => metadata
                .map(|metadata| metadata.resource.as_str())
                .or_else(|| discovery.resource.as_ref().map(|read| &*read.subject))
                .map(|said| (said, "the resource that the server names")),
            Matches::Zone => metadata
                .and_then(|metadata| metadata.authorization_servers.first())
                .map(String::as_str)
                .or_else(|| discovery.issuer.as_ref().map(|read| &*read.subject))
                .map(|said| (said, "the zone that the server names")),
        }
    }

    pub(super) fn answer(self, expected: &Answer) -> Status {
        let probe = expected.probe;
        let reading = self.results.http.get(&probe).unwrap_or(&Reading::NotAsked);
        let answer = match told(reading, probe.words()) {
            Ok(answer) => answer,
            Err(status) => return self.unless_silent(status),
        };
        if answer.status != expected.status {
            return Status::failed(format!(
                "{} was answered with {} and not with {}",
                probe.words(),
                answer.status,
                expected.status
            ));
        }
        match expected.challenge {
            Some(Challenge::ResourceMetadata) => self.challenge(answer, probe.words()),
            None => Status::passed([]),
        }
        .with(Evidence::Probe(Probe::Http(probe)))
    }

    /// A server that gives no answer at all has no fault in how it looks at tokens.
    fn unless_silent(self, status: Status) -> Status {
        let knock = self.results.http.get(&HttpProbe::NoToken);
        match (status, knock) {
            (Status::Failed { because, .. }, Some(Reading::Failed { .. })) => Status::Failed {
                because,
                fix: SILENT.to_owned(),
            },
            (status, _) => status,
        }
    }

    fn challenge(self, answer: &HttpAnswer, request: &str) -> Status {
        let Some(header) = &answer.www_authenticate else {
            return Status::failed(format!("the answer to {request} has no WWW-Authenticate"));
        };
        let scheme = header.split_whitespace().next().unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Status::failed("WWW-Authenticate does not ask for a Bearer token");
        }
        let server = match &self.results.metadata {
            Reading::Told(metadata) => Some(metadata.server.as_str()),
            Reading::NotAsked | Reading::Unavailable { .. } | Reading::Failed { .. } => self
                .projection
                .target()
                .map(|target| target.server.as_str()),
        };
        let url = server
            .and_then(|server| url::Url::parse(server).ok())
            .map_or_else(
                || WELL_KNOWN.to_owned(),
                |server| {
                    let origin = server.origin().ascii_serialization();
                    let path = server.path().trim_end_matches('/');
                    format!("{origin}{WELL_KNOWN}{path}")
                },
            );
        if header.contains("resource_metadata=") && header.contains(&url) {
            Status::passed([])
        } else {
            Status::failed("WWW-Authenticate does not say where the metadata document is")
        }
    }

    pub(super) fn metadata(self, expected: &MetadataSays) -> Status {
        let metadata = match told(&self.results.metadata, "the server's metadata document") {
            Ok(metadata) => metadata,
            Err(status) => return self.unless_silent(status),
        };
        if expected.names_the_server && metadata.resource != metadata.server {
            return Status::failed(format!(
                "the document names {} and not {}",
                metadata.resource, metadata.server
            ));
        }
        if expected.names_a_zone && metadata.authorization_servers.is_empty() {
            return Status::failed("the document names no authorization server");
        }
        let lacking = expected
            .scopes
            .iter()
            .find(|scope| !metadata.scopes.contains(scope));
        match lacking {
            Some(scope) => Status::failed(format!("the document does not list the scope {scope}")),
            None => Status::passed([Evidence::Probe(Probe::Metadata)]),
        }
    }

    pub(super) fn resource(self, expected: &ResourceIs) -> Status {
        let zone = match told(&self.results.zone, "a read of the zone") {
            Ok(zone) => zone,
            Err(status) => return status,
        };
        let name = expected.service.name();
        let found = zone
            .resources
            .iter()
            .find(|resource| resource.service == Some(expected.service));
        let Some(resource) = found else {
            return Status::failed(format!("the zone has no resource for {name}"));
        };
        let wanted = provider(expected.provider);
        match resource.provider {
            Some(kind) if kind == expected.provider => {
                Status::passed([Evidence::Probe(Probe::Zone)])
            }
            Some(kind) => Status::failed(format!(
                "the credentials for {name} come from {} and not from {wanted}",
                provider(kind)
            )),
            None => Status::failed(format!("the resource for {name} has no provider")),
        }
    }

    pub(super) fn application(self, expected: &ApplicationIs) -> Status {
        let zone = match told(&self.results.zone, "a read of the zone") {
            Ok(zone) => zone,
            Err(status) => return status,
        };
        // Yours is the one that comes closest; the zone brings some of its own along.
        let lacking = zone
            .applications
            .iter()
            .map(|application| {
                let mut lacking = Vec::new();
                if let Some(consent) = expected.consent
                    && application.consent != consent
                {
                    let is = match consent {
                        Consent::Required => "its consent is implicit, not required",
                        Consent::Implicit => "its consent is required, not implicit",
                    };
                    lacking.push(is.to_owned());
                }
                for service in &expected.depends_on {
                    if !application.depends_on.contains(service) {
                        lacking.push(format!("it does not depend on {}", service.name()));
                    }
                }
                if expected.has_credential && application.credentials == 0 {
                    lacking.push("it has no client credential".to_owned());
                }
                (lacking, application)
            })
            .min_by_key(|(lacking, _)| lacking.len());
        match lacking {
            None => Status::failed("the zone has no application"),
            Some((lacking, _)) if lacking.is_empty() => {
                Status::passed([Evidence::Probe(Probe::Zone)])
            }
            Some((lacking, application)) => Status::failed(format!(
                "the application {} is not as it should be: {}",
                crate::support::text::one_line(&application.name),
                lacking.join(", ")
            )),
        }
    }

    pub(super) fn scope_refused(self, expected: &ScopeRefused) -> Status {
        let scope = expected.scope.as_str();
        let asked = self.results.scopes.get(scope).unwrap_or(&Reading::NotAsked);
        let waiting = format!("somebody to ask for {scope}");
        match told(asked, &waiting) {
            Err(status) => status,
            Ok(ScopeAnswer::Issued) => Status::failed(format!("{scope} was issued")),
            Ok(ScopeAnswer::Refused { policy }) => {
                match policy.as_deref().and_then(|id| self.name_of_policy(id)) {
                    Some(name) if name == expected.policy => {
                        Status::passed([Evidence::Probe(Probe::Scope(scope.to_owned()))])
                    }
                    Some(_) => Status::failed(format!(
                        "{scope} was refused, but not by {}",
                        expected.policy
                    )),
                    None if self.hears_the_zone() => {
                        Status::failed(format!("{scope} was refused, and no policy was named"))
                    }
                    None => self.untold(
                        ConsolePlace::AuditLog,
                        &format!(
                            "that {} is among the policies that refused {scope}",
                            expected.policy
                        ),
                    ),
                }
            }
        }
    }

    /// The short name of a determining policy. Cedar calls one without an id by its place, `policy0`:
    /// then only who reads the active set knows which it is.
    pub(super) fn name_of_policy<'b>(self, id: &'b str) -> Option<&'b str>
    where
        'a: 'b,
    {
        let name = policy_name(id);
        let place = name.strip_prefix("policy").and_then(|n| n.parse().ok());
        let Some(place): Option<usize> = place else {
            return Some(name);
        };
        let overview = self.projection.policies().overview()?;
        let policy = overview.active_policies.get(place)?;
        Some(&policy.name)
    }

    pub(super) fn no_secret_of(self, service: Service) -> Status {
        let lines = match told(&self.results.env, ".env to be read") {
            Ok(lines) => lines,
            Err(status) => return status,
        };
        let word = match service {
            Service::McpServer => "KEYCARD",
            Service::Supabase => "SUPABASE",
            Service::Anthropic => "ANTHROPIC",
            Service::Linear => "LINEAR",
        };
        let in_env = lines.iter().find(|line| {
            line.set && line.kind == EnvKind::Secret && line.name.to_uppercase().contains(word)
        });
        if let Some(line) = in_env {
            return Status::failed(format!("{} is set in .env", line.name));
        }
        let folder = match told(&self.results.folder, "the project's folder to be read") {
            Ok(folder) => folder,
            Err(status) => return status,
        };
        match folder.secrets.iter().find(|found| found.opens == service) {
            Some(found) => Status::failed(format!(
                "{}, line {}, holds a key for {}",
                crate::support::text::one_line(&found.file),
                found.line,
                service.name()
            )),
            None => Status::passed([Evidence::Probe(Probe::Env), Evidence::Probe(Probe::Folder)]),
        }
    }

    pub(super) fn nothing_opens(self) -> Status {
        let trials = match told(&self.results.trials, "the values of .env to be tried") {
            Ok(trials) => trials,
            Err(status) => return status,
        };
        if trials.is_empty() {
            return Status::pending("the values of .env to be tried");
        }
        match trials.iter().find(|trial| trial.ended == TrialEnd::Opened) {
            Some(trial) => Status::failed(format!(
                "the value of {} opens {}",
                trial.variable,
                trial.service.name()
            )),
            None => untried(trials).map_or_else(
                || Status::passed([Evidence::Probe(Probe::Trials)]),
                Status::not_observable,
            ),
        }
    }
}

/// What a person has to look at themselves of the `.env`; `None` if every value was tried.
fn untried(trials: &[Trial]) -> Option<String> {
    // Which services did not get a value, with the variables that have these in common.
    let mut kept: Vec<(Untried, Vec<&str>, Vec<&str>)> = Vec::new();
    for of_one in trials.chunk_by(|one, next| one.variable == next.variable) {
        for why in [Untried::NotItsOwn, Untried::FitsNoHeader] {
            let left = of_one
                .iter()
                .filter(|trial| trial.ended == TrialEnd::NotTried(why));
            let services: Vec<&str> = left.map(|trial| trial.service.name()).collect();
            let Some(name) = of_one.first().filter(|_| !services.is_empty()) else {
                continue;
            };
            let name = name.variable.as_str();
            let same = kept
                .iter_mut()
                .find(|(reason, whom, _)| *reason == why && *whom == services);
            match same {
                Some((_, _, names)) => names.push(name),
                None => kept.push((why, services, vec![name])),
            }
        }
    }
    let refused = trials
        .iter()
        .filter(|trial| trial.ended == TrialEnd::Refused)
        .count();
    let tried = match refused {
        0 => "nothing of it was tried".to_owned(),
        count => format!("{count} of {} trials were made, and refused", trials.len()),
    };
    let mut told = vec![format!("your .env yourself: {tried}")];
    for (why, services, names) in &kept {
        let reason = match why {
            Untried::NotItsOwn => {
                "not on this computer; only what could be their own key goes there"
            }
            Untried::FitsNoHeader => "it fits into no HTTP header",
        };
        let (services, names) = (services.join(", "), names.join(", "));
        told.push(format!("Not sent to {services} ({reason}): {names}"));
    }
    (!kept.is_empty()).then(|| told.join(". "))
}

impl Status {
    /// One more thing to look at, if it passed.
    fn with(self, one: Evidence) -> Self {
        match self {
            Self::Passed { mut evidence } => {
                evidence.push(one);
                Self::Passed { evidence }
            }
            other => other,
        }
    }
}

/// What a probe told, or how a check stands without it.
fn told<'a, T>(reading: &'a Reading<T>, waiting_for: &str) -> Result<&'a T, Status> {
    match reading {
        Reading::Told(told) => Ok(told),
        Reading::NotAsked => Err(Status::pending(waiting_for)),
        Reading::Unavailable { look_at } => Err(Status::not_observable(look_at.clone())),
        Reading::Failed { because } => Err(Status::failed(because.clone())),
    }
}

/// A provider kind as the console calls it.
const fn provider(kind: CredentialSource) -> &'static str {
    match kind {
        CredentialSource::KeycardSts => "the zone itself",
        CredentialSource::KeycardVault => "the vault",
        CredentialSource::External => "an OAuth provider",
    }
}
