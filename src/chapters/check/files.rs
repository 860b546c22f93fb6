//! What stands in the attendee's files: the `.env`, keys that lie in the folder, and what became of
//! every value that was tried.

use super::{Seen, Status, outside::told};
use crate::{
    chapters::{
        evidence::Evidence,
        expect::{EnvSays, EnvState, Matches, Service, Side},
        probe::{FoundSecret, Probe, Reading, Trial, TrialEnd, Untried},
    },
    protocol::env::{EnvKind, EnvLine},
    support::text::one_line,
};

/// What to do about a folder that was not looked through.
const UNSEARCHED: &str =
    "Name the folder of your package.json with --project, and see that it can be read";

/// What to do about a `.env` that cannot be read.
const UNREADABLE: &str =
    "See that the folder of your package.json has a .env, a NAME=value on each line";

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
            if state == EnvState::Absent
                && let Some(left) = self.left_in_a_copy(expected)
            {
                return left;
            }
        }
        if expected.matches == Some(Matches::Credential) {
            return match set {
                None => Status::failed(format!("{name} is not set in .env")),
                Some(line) => {
                    let id = line.value.as_deref().unwrap_or_default();
                    let parts = [self.credential(name, id), self.client()];
                    super::all(parts.into_iter()).with(evidence)
                }
            };
        }
        if expected.matches == Some(Matches::CalledUrl) {
            let called = self.projection.target().map(|target| &*target.server);
            return match (set.and_then(|line| line.value.as_deref()), called) {
                // That it is set is another condition's matter.
                (None, _) => Status::pending(format!("{name} in .env")),
                (_, None) => Status::pending("the server"),
                (Some(value), Some(called)) if value == called => Status::passed([evidence]),
                (_, Some(called)) => {
                    Status::failed(format!("{name} is not {called}, which hoptrail calls"))
                }
            };
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
                    // Servers in Python write it so, and clients take it (wire facts, 2.1); tokens
                    // carry the zone's own name.
                    if slash && issuer == Some(value) {
                        continue;
                    }
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
            Matches::Credential | Matches::CalledUrl => None,
        }
    }

    /// A key that stands in a copy of the `.env`, such as `.env.example`, or behind a `#` in it: as far
    /// as the folder was looked through.
    fn left_in_a_copy(self, expected: &EnvSays) -> Option<Status> {
        let Reading::Told(folder) = &self.results.folder else {
            return None;
        };
        if expected.side == Side::Before {
            return None;
        }
        let is_copy = |found: &&FoundSecret| {
            let name = found.file.rsplit(['/', '\\']).next().unwrap_or_default();
            name.starts_with(".env") && expected.name.contains(word_of(found.opens))
        };
        let found = folder.secrets.iter().find(is_copy)?;
        Some(Status::failed(holds_a_key(found)))
    }

    pub(super) fn no_secret_of(self, service: Service) -> Status {
        let lines = match told(&self.results.env, ".env to be read") {
            Ok(lines) => lines,
            Err(status) => return status.mended_by(UNREADABLE),
        };
        let word = word_of(service);
        let in_env = lines.iter().find(|line| {
            line.set && line.kind == EnvKind::Secret && line.name.to_uppercase().contains(word)
        });
        if let Some(line) = in_env {
            return Status::failed(format!("{} is set in .env", line.name));
        }
        let folder = match told(&self.results.folder, "the project's folder to be read") {
            Ok(folder) => folder,
            Err(status) => return status.mended_by(UNSEARCHED),
        };
        match folder.secrets.iter().find(|found| found.opens == service) {
            Some(found) => Status::failed(holds_a_key(found)),
            None if !folder.unread.is_empty() => Status::not_observable(format!(
                "{}: too long to be looked through, and no key for {} may be in it",
                some_of(&folder.unread),
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

/// The word that the names of a service's variables have in common.
const fn word_of(service: Service) -> &'static str {
    match service {
        Service::McpServer => "KEYCARD",
        Service::Supabase => "SUPABASE",
        Service::Anthropic => "ANTHROPIC",
        Service::Linear => "LINEAR",
    }
}

fn holds_a_key(found: &FoundSecret) -> String {
    format!(
        "{}, line {}, holds a key for {}",
        one_line(&found.file),
        found.line,
        found.opens.name()
    )
}

/// The first of many names, and how many more there are.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let first: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| one_line(name))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
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
    /// What to do about it, if it failed and nothing better is known than the check's own hints.
    pub(super) fn mended_by(self, fix: &str) -> Self {
        match self {
            Self::Failed { because, .. } => Self::Failed {
                because,
                fix: fix.to_owned(),
            },
            other => other,
        }
    }
}
