//! Tries the values of the `.env`, live, as the credential of Supabase, Anthropic and Linear.
//!
//! A value goes to the services that the `.env` (or the lab) names and to no other. To one on this
//! computer every value goes; to one elsewhere only what could be its own key, for all the rest is a
//! secret between others. What a service shows is thrown away. Asks only reading questions.

use futures::stream::{self, StreamExt as _};
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::{Value, json};
use url::Url;

use crate::{
    chapters::{
        Reading,
        expect::Service,
        probe::{Trial, TrialEnd, Untried},
    },
    client::http::{ANSWER_LIMIT, Answer, Outgoing},
    protocol::{
        env::{EnvFile, could_open},
        secret::Secret,
    },
    support::{loopback::is_loopback, text::one_line},
    trace::event::Leg,
};

use super::{PATIENCE, ProbeTargets, env, failed};

/// Requests under way at a time.
const AT_ONCE: usize = 4;

pub(super) async fn run(around: &ProbeTargets) -> Reading<Vec<Trial>> {
    let file = match env::open(&around.env).told() {
        Ok(file) => file,
        Err(untold) => return untold,
    };
    let services = match services(&file, around) {
        Ok(services) => services,
        Err(because) => return failed(because),
    };
    let values: Vec<(String, Secret)> = file
        .entries
        .iter()
        .filter(|entry| !entry.value.expose().is_empty())
        .map(|entry| (one_line(&entry.name), entry.value.clone()))
        .collect();
    let pairs = values.iter().flat_map(|(variable, value)| {
        services
            .iter()
            .map(move |(service, url)| (variable, value, *service, url))
    });
    let trials: Vec<Result<Trial, String>> = stream::iter(pairs)
        .map(async |(variable, value, service, url)| {
            if let Some(why) = untried(variable, value, service, url) {
                return Ok(Trial {
                    variable: variable.clone(),
                    service,
                    ended: TrialEnd::NotTried(why),
                });
            }
            let ended = tokio::time::timeout(PATIENCE, present(value, service, url, around)).await;
            match ended {
                Ok(Ok(ended)) => Ok(Trial {
                    variable: variable.clone(),
                    service,
                    ended,
                }),
                Ok(Err(because)) => Err(because),
                Err(_) => Err(format!("{} gave no answer in time", service.name())),
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    match trials.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(trials) => Reading::Told(trials),
        Err(because) => failed(because),
    }
}

/// Where the three services are. All of them must be known: what was not asked proves nothing.
fn services(file: &EnvFile, around: &ProbeTargets) -> Result<Vec<(Service, Url)>, String> {
    let lab = around.lab.as_ref();
    let named = [
        (
            Service::Supabase,
            "SUPABASE_URL",
            lab.map(|lab| &lab.supabase),
        ),
        (
            Service::Anthropic,
            "ANTHROPIC_API_URL",
            lab.map(|lab| &lab.anthropic),
        ),
        (
            Service::Linear,
            "LINEAR_API_URL",
            lab.map(|lab| &lab.linear),
        ),
    ];
    named
        .into_iter()
        .map(|(service, name, lab)| {
            let url = env::value(file, name).map(|url| url.expose().clone());
            let url = url.or_else(|| lab.cloned()).ok_or_else(|| {
                format!(
                    "{name} is not set in .env, so {} cannot be asked",
                    service.name()
                )
            })?;
            Url::parse(&url)
                .map(|url| (service, url))
                .map_err(|_| format!("{name} in .env is no URL"))
        })
        .collect()
}

/// Why a value stays here; `None` if the service is asked.
fn untried(variable: &str, value: &Secret, service: Service, url: &Url) -> Option<Untried> {
    let own = could_open(variable, value).map(Service::from);
    if !is_loopback(url) && own != Some(service) {
        return Some(Untried::NotItsOwn);
    }
    let fits = HeaderValue::from_str(value.expose()).is_ok();
    (!fits).then_some(Untried::FitsNoHeader)
}

async fn present(
    value: &Secret,
    service: Service,
    url: &Url,
    around: &ProbeTargets,
) -> Result<TrialEnd, String> {
    around.http.masker().pin(value.expose());
    let bearer = Secret::new(format!("Bearer {}", value.expose()));
    match service {
        // The MCP server is no upstream: it takes tokens, and none lies in a .env.
        Service::McpServer => Ok(TrialEnd::Refused),
        Service::Supabase => {
            let outgoing = get(url, "rest/v1/tickets", "select=id&limit=1")
                .header(HeaderName::from_static("apikey"), value.expose())
                .header(header::AUTHORIZATION, bearer.expose());
            let answer = send(outgoing, service, around).await?;
            // A publishable key is let in and shown nothing: row-level security is on.
            let rows = parsed(&answer).as_array().map(Vec::len);
            let opened = rows.is_some_and(|rows| rows > 0 || is_secret_key(value));
            let shown = if opened {
                Shown::Something
            } else {
                Shown::of(rows == Some(0))
            };
            judge(&answer, service, shown)
        }
        Service::Anthropic => {
            let outgoing = get(url, "v1/models", "limit=1")
                .header(HeaderName::from_static("x-api-key"), value.expose())
                .header(HeaderName::from_static("anthropic-version"), "2023-06-01");
            let answer = send(outgoing, service, around).await?;
            judge(&answer, service, Shown::Something)
        }
        Service::Linear => {
            // A key goes bare, a token as a Bearer.
            for authorization in [value, &bearer] {
                let mut url = url.clone();
                url.set_path(&below(&url, "graphql"));
                let body = json!({ "query": "{ viewer { id } }" }).to_string();
                let outgoing = Outgoing::new(Method::POST, url, Leg::Mcp)
                    .header(header::AUTHORIZATION, authorization.expose())
                    .body("application/json", body.into_bytes());
                let answer = send(outgoing, service, around).await?;
                let said = parsed(&answer);
                let shown = if said["data"]["viewer"].is_object() {
                    Shown::Something
                } else {
                    Shown::of(
                        said["errors"]
                            .as_array()
                            .is_some_and(|errors| !errors.is_empty()),
                    )
                };
                if judge(&answer, service, shown)? == TrialEnd::Opened {
                    return Ok(TrialEnd::Opened);
                }
            }
            Ok(TrialEnd::Refused)
        }
    }
}

fn get(url: &Url, path: &str, query: &str) -> Outgoing {
    let mut url = url.clone();
    url.set_path(&below(&url, path));
    url.set_query(Some(query));
    Outgoing::new(Method::GET, url, Leg::Mcp)
}

fn below(url: &Url, path: &str) -> String {
    format!("{}/{path}", url.path().trim_end_matches('/'))
}

async fn send(
    outgoing: Outgoing,
    service: Service,
    around: &ProbeTargets,
) -> Result<Answer, String> {
    around
        .http
        .exchange(around.marked(outgoing), ANSWER_LIMIT)
        .await
        .map_err(|error| format!("{} could not be asked: {}", service.name(), error.why))
}

fn parsed(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// What an answer says, in its service's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// What only a key lets one see.
    Something,
    /// That this value lets one see nothing.
    Nothing,
    /// Neither: whatever it is, it is not this service's answer.
    Neither,
}

impl Shown {
    const fn of(nothing: bool) -> Self {
        if nothing {
            Self::Nothing
        } else {
            Self::Neither
        }
    }
}

/// A key that row-level security does not bind sees whatever there is, even where that is nothing.
fn is_secret_key(value: &Secret) -> bool {
    value.expose().starts_with("sb_secret_")
}

fn judge(answer: &Answer, service: Service, shown: Shown) -> Result<TrialEnd, String> {
    let status = answer.status;
    match (status.as_u16(), shown) {
        (200..=299, Shown::Something) => Ok(TrialEnd::Opened),
        // Linear says 400 to what is no key at all.
        (401 | 403, _) | (200..=299 | 400, Shown::Nothing) => Ok(TrialEnd::Refused),
        // Busy, broken, or not that service: nobody has refused anything.
        _ => Err(format!(
            "{} answered {status}, which is no refusal",
            service.name()
        )),
    }
}
