//! What the server answered to probes.

use super::{Seen, Status};
use crate::{
    chapters::{
        evidence::Evidence,
        expect::{Answer, Challenge, MetadataSays},
        probe::{HttpAnswer, HttpProbe, Probe, Reading, ResourceMetadata},
    },
    protocol::challenge,
    support::{loopback::is_loopback, text::one_line},
};

/// The HTTP status of a path that nothing stands at.
const NOT_FOUND: u16 = 404;

/// The path under which a protected resource's metadata is (RFC 9728, section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What to do about a server that gives no answer.
const SILENT: &str =
    "Start your server, see what it prints, and compare its port with the URL here";

/// What to do about a server that breaks where it should refuse.
const BROKEN: &str = "Your server broke over the request: read what it prints, and see whether it \
                      can reach its zone";

/// What to do about an answer that no MCP endpoint gives.
const ELSEWHERE: &str = "Compare the URL here with the one that your server prints when it starts: the \
                         port, and the path, which is mostly /mcp";

/// What to do about a challenge that leads elsewhere.
const POINT_AT_IT: &str = "Let it point to the document of the URL that agents call, host, port and /mcp \
                           included";

/// What to do about a server that looks at no token at all.
const UNASKED: &str = "Put requireBearerAuth before POST /mcp: the server answers whoever comes, with a \
                       token or without";

impl Seen<'_> {
    pub(super) fn answer(self, expected: &Answer) -> Status {
        let probe = expected.probe;
        let reading = self.results.http.get(&probe).unwrap_or(&Reading::NotAsked);
        let answer = match told(reading, probe.words()) {
            Ok(answer) => answer,
            Err(status) => return self.unless_silent(status),
        };
        if answer.status != expected.status {
            let (asked, got, wanted) = (probe.words(), answer.status, expected.status);
            // Nothing that the bearer check is told would help where there is none.
            let (because, fix) = if probe != HttpProbe::NoToken && self.lets_in(answer) {
                let because = format!("{asked} was answered with {got}, like one without a token");
                (because, UNASKED)
            } else {
                let because = format!("{asked} was answered with {got} and not with {wanted}");
                let fix = match got {
                    NOT_FOUND => ELSEWHERE,
                    500.. => BROKEN,
                    _ => "",
                };
                (because, fix)
            };
            return Status::Failed {
                because,
                fix: fix.to_owned(),
            };
        }
        match expected.challenge {
            Some(Challenge::ResourceMetadata) => self.challenge(answer, probe.words()),
            None => Status::passed([]),
        }
        .with(Evidence::Probe(Probe::Http(probe)))
    }

    /// Whether a server that let this request in lets in anybody.
    fn lets_in(self, answer: &HttpAnswer) -> bool {
        let good = |answer: &HttpAnswer| answer.status < 300;
        let knock = self.results.http.get(&HttpProbe::NoToken);
        good(answer) && matches!(knock, Some(Reading::Told(knock)) if good(knock))
    }

    /// A server that gives no answer at all has no fault in how it looks at tokens.
    fn unless_silent(self, status: Status) -> Status {
        let knock = self.results.http.get(&HttpProbe::NoToken);
        match (status, knock) {
            (Status::Failed { because, .. }, Some(Reading::Failed { .. })) => Status::Failed {
                because,
                fix: SILENT.to_owned(),
            },
            (Status::Failed { because, .. }, Some(Reading::Told(answer)))
                if answer.status == NOT_FOUND =>
            {
                Status::Failed {
                    because,
                    fix: ELSEWHERE.to_owned(),
                }
            }
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
        let server = server.and_then(|server| url::Url::parse(server).ok());
        let url = server.map(|server| {
            let origin = server.origin().ascii_serialization();
            let path = server.path().trim_end_matches('/');
            format!("{origin}{WELL_KNOWN}{path}")
        });
        let Some(pointer) = challenge::pointer(header).filter(|pointer| !pointer.is_empty()) else {
            return Status::failed("WWW-Authenticate does not say where the metadata document is");
        };
        match url {
            Some(url) if pointer == url => Status::passed([]),
            None if pointer.contains(WELL_KNOWN) => Status::passed([]),
            url => Status::Failed {
                because: format!(
                    "WWW-Authenticate points to {} and not to {}",
                    one_line(&pointer),
                    url.as_deref().unwrap_or(WELL_KNOWN)
                ),
                fix: self.other_name().unwrap_or_else(|| POINT_AT_IT.to_owned()),
            },
        }
    }

    /// What to do about a server that is reached by another name than it gives itself.
    fn other_name(self) -> Option<String> {
        let Reading::Told(metadata) = &self.results.metadata else {
            return None;
        };
        let fix = other_name(&metadata.resource, &metadata.server);
        (metadata.resource != metadata.server && !fix.is_empty()).then_some(fix)
    }

    pub(super) fn metadata(self, expected: &MetadataSays) -> Status {
        let metadata = match told(&self.results.metadata, "the server's metadata document") {
            Ok(metadata) => metadata,
            Err(status) => return self.unless_silent(status),
        };
        if expected.names_the_server && metadata.resource != metadata.server {
            let because = format!(
                "the document names {} and not {}",
                metadata.resource, metadata.server
            );
            return Status::Failed {
                because,
                fix: other_name(&metadata.resource, &metadata.server),
            };
        }
        if expected.names_a_zone && metadata.authorization_servers.is_empty() {
            return Status::failed("the document names no authorization server");
        }
        if expected.names_a_zone
            && let Some(status) = self.other_zone(metadata)
        {
            return status;
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

    /// What is wrong with the zone that a metadata document names.
    fn other_zone(self, metadata: &ResourceMetadata) -> Option<Status> {
        let named = metadata.authorization_servers.first()?;
        let is = |zone: &str| zone.trim_end_matches('/') == named.trim_end_matches('/');
        let because = match (self.projection.lab(), &metadata.issuer) {
            (Some(lab), _) if !is(&lab.zone) => {
                format!(
                    "the document names {named}, and the lab's zone is {}",
                    lab.zone
                )
            }
            (_, None) => format!("the document names {named}, and no zone answers there"),
            (_, Some(issuer)) if !is(issuer) => {
                format!("the document names {named}, and the zone there calls itself {issuer}")
            }
            (_, Some(_)) => return None,
        };
        Some(Status::Failed {
            because,
            fix: "Copy the zone's issuer into KEYCARD_URL, exactly, and start the server again"
                .to_owned(),
        })
    }
}

/// What to do about a server that is reached by another name than it gives itself.
fn other_name(named: &str, reached: &str) -> String {
    let (Ok(own), Ok(here)) = (url::Url::parse(named), url::Url::parse(reached)) else {
        return String::new();
    };
    // To a token's audience `localhost` and `127.0.0.1` are two names (facts/keycard.md, 2.11).
    let is_same_host = own.host() == here.host() || (is_loopback(&own) && is_loopback(&here));
    let is_same_path = own.path() == here.path() || here.path() == "/";
    let port = |url: &url::Url| url.port_or_known_default();
    if is_same_host && is_same_path && port(&own) == port(&here) {
        return format!("Call the server by the name that it gives itself: --server {named}");
    }
    String::new()
}

impl Status {
    /// One more thing to look at, if it passed.
    pub(super) fn with(self, one: Evidence) -> Self {
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
pub(super) fn told<'a, T>(reading: &'a Reading<T>, waiting_for: &str) -> Result<&'a T, Status> {
    match reading {
        Reading::Told(told) => Ok(told),
        Reading::NotAsked => Err(Status::pending(waiting_for)),
        Reading::Unavailable { look_at } => Err(Status::not_observable(look_at.clone())),
        Reading::Failed { because } => Err(Status::failed(because.clone())),
    }
}
