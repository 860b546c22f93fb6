//! What a run is pointed at: a lab of its own, one that runs already, or somebody's server.

use std::{path::PathBuf, sync::Arc};

use url::Url;

use super::{Options, TargetChoice, env_read, moved};
use crate::{
    client::{
        http::{ActorMap, DOCUMENT_LIMIT, Outgoing, TracedHttp},
        url_policy::{UrlPolicy, bare, server_address, shown},
    },
    lab::{self, LabConfig, LabHandle},
    protocol::{
        oauth::ClientCredential,
        observed::{LAB_PATH, LabEndpoints, ServedBy},
    },
    support::error::{Exit, Failure},
    trace::{
        Actor, Fact,
        event::{ConsoleDoor, EnvSide, Leg, Target},
        sink::{Report, SharedSink},
    },
};

/// What a lab with a server of its own is called.
const LAB: &str = "LAB";

/// What is known of the place that the client works against.
pub(super) struct Surroundings {
    pub server: String,
    pub actors: ActorMap,
    pub endpoints: Option<LabEndpoints>,
    pub lab: Option<LabHandle>,
    pub console: Option<ClientCredential>,
}

impl Surroundings {
    /// Finds or makes what the options name, and tells what it is.
    pub async fn of(options: &Options, sink: &SharedSink) -> Result<Self, Failure> {
        match &options.target {
            TargetChoice::Embedded => start_lab(options, Some(options.state.clone()), sink).await,
            TargetChoice::Fresh => start_lab(options, None, sink).await,
            TargetChoice::Lab(zone) => find_lab(zone, options, sink).await,
            TargetChoice::Server(url) => {
                let address = server_address(url)?;
                sink.report(Report::new(
                    Actor::Client,
                    Fact::RunStarted(Target {
                        lab: false,
                        name: host(&address),
                        server: bare(&address),
                        console: ConsoleDoor::Closed,
                    }),
                ));
                Ok(Self {
                    server: url.clone(),
                    actors: ActorMap::default(),
                    endpoints: None,
                    lab: None,
                    console: None,
                })
            }
        }
    }
}

async fn start_lab(
    options: &Options,
    state: Option<PathBuf>,
    sink: &SharedSink,
) -> Result<Surroundings, Failure> {
    sink.report(Report::new(
        Actor::Client,
        Fact::RunStarted(Target {
            lab: true,
            name: LAB.to_owned(),
            server: String::new(),
            console: ConsoleDoor::Open,
        }),
    ));
    let lab = lab::start(LabConfig {
        stage: options.lab.stage,
        objects: options.lab.objects,
        ..LabConfig::new(state, Arc::clone(&options.clock), options.ids.clone())
    })
    .await?;
    sink.report(Report::new(
        Actor::Zone,
        Fact::LabStarted(lab.endpoints.clone()),
    ));
    let now = match options.lab.stage {
        Some(chapter) => lab.env_of(chapter),
        None => lab.env_after.clone(),
    };
    for (which, lines) in [
        (EnvSide::Before, lab.env_before.clone()),
        (EnvSide::After, now),
    ] {
        sink.report(Report::new(Actor::Server, env_read(which, lines)));
    }
    if let Some(chapter) = options.lab.stage {
        sink.report(Report::new(Actor::Server, moved(chapter)));
    }
    Ok(Surroundings {
        server: lab.endpoints.server.clone(),
        actors: actors(&lab.endpoints)?,
        endpoints: Some(lab.endpoints.clone()),
        console: lab.console.clone(),
        lab: Some(lab),
    })
}

/// Asks a running lab's zone where the other parts are.
async fn find_lab(
    zone: &str,
    options: &Options,
    sink: &SharedSink,
) -> Result<Surroundings, Failure> {
    let zone = parse(zone)?;
    let http = TracedHttp::new(
        UrlPolicy::for_server(&zone),
        Arc::clone(sink),
        options.ids.clone(),
        ActorMap::default(),
    )?;
    http.actors().learn(&zone, Actor::Zone);
    let url = zone
        .join(LAB_PATH)
        .map_err(|e| not_a_url(zone.as_str(), e))?;
    let no_lab = |why: String| {
        Failure::new(
            Exit::Unreachable,
            format!("No lab answers at {}", bare(&zone)),
            why,
            "start one with `hoptrail lab` and take the zone's URL from what it prints",
        )
    };
    let answer = http
        .exchange(
            Outgoing::new(http::Method::GET, url, Leg::Console),
            DOCUMENT_LIMIT,
        )
        .await
        .map_err(|e| no_lab(e.why))?;
    if !answer.status.is_success() {
        return Err(no_lab(format!("it answered {}", answer.status)));
    }
    let endpoints: LabEndpoints =
        serde_json::from_slice(&answer.body).map_err(|e| no_lab(e.to_string()))?;
    sink.report(Report::new(
        Actor::Client,
        Fact::RunStarted(found(&endpoints, options.console.as_ref())),
    ));
    sink.report(Report::new(
        Actor::Zone,
        Fact::LabStarted(endpoints.clone()),
    ));
    Ok(Surroundings {
        server: endpoints.server.clone(),
        actors: actors(&endpoints)?,
        endpoints: Some(endpoints),
        lab: None,
        console: options.console.clone(),
    })
}

/// What a run is told that it is pointed at, when a lab was found: the lab, unless the server is
/// somebody's own.
fn found(endpoints: &LabEndpoints, console: Option<&ClientCredential>) -> Target {
    Target {
        lab: true,
        name: match endpoints.served_by {
            ServedBy::Lab => LAB.to_owned(),
            ServedBy::Yours => parse(&endpoints.server)
                .as_ref()
                .map_or_else(|_| LAB.to_owned(), host),
        },
        server: endpoints.server.clone(),
        console: match console {
            Some(_) => ConsoleDoor::Open,
            None => ConsoleDoor::Closed,
        },
    }
}

/// The host of a URL with its port, where it names one.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn actors(endpoints: &LabEndpoints) -> Result<ActorMap, Failure> {
    let actors = ActorMap::default();
    for (url, actor) in [
        (&endpoints.server, Actor::Server),
        (&endpoints.zone, Actor::Zone),
        (&endpoints.supabase, Actor::Supabase),
        (&endpoints.anthropic, Actor::Anthropic),
        (&endpoints.linear, Actor::Linear),
    ] {
        actors.learn(&parse(url)?, actor);
    }
    Ok(actors)
}

pub(super) fn parse(url: &str) -> Result<Url, Failure> {
    Url::parse(url).map_err(|e| not_a_url(url, e))
}

fn not_a_url(url: &str, error: url::ParseError) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("{} is not a URL", shown(url)),
        error.to_string(),
        "write it whole, like http://127.0.0.1:8000/mcp",
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::protocol::secret::Secret;

    #[rstest]
    #[case::the_labs_server(ServedBy::Lab, "http://127.0.0.1:8000/mcp", "LAB")]
    #[case::ones_own(ServedBy::Yours, "http://localhost:8000/mcp", "localhost:8000")]
    #[case::ones_own_on_the_usual_port(ServedBy::Yours, "http://[::1]/mcp", "[::1]")]
    #[case::what_is_no_url(ServedBy::Yours, "mcp", "LAB")]
    fn a_lab_is_called_by_the_server_that_it_stands_behind(
        #[case] served_by: ServedBy,
        #[case] server: &str,
        #[case] name: &str,
    ) {
        let target = found(&endpoints(served_by, server), None);
        assert_eq!((target.name.as_str(), target.lab), (name, true));
        assert_eq!(target.server, server);
    }

    #[test]
    fn the_zone_is_told_of_only_with_a_credential_for_its_console() {
        let endpoints = endpoints(ServedBy::Yours, "http://localhost:8000/mcp");
        let access = ClientCredential {
            client_id: "console".to_owned(),
            client_secret: Secret::from("not-a-real-secret"),
        };
        assert!(found(&endpoints, Some(&access)).tells_of_the_zone());
        assert!(!found(&endpoints, None).tells_of_the_zone());
    }

    fn endpoints(served_by: ServedBy, server: &str) -> LabEndpoints {
        let origin = "http://127.0.0.1:8100".to_owned();
        LabEndpoints {
            server: server.to_owned(),
            zone: origin.clone(),
            supabase: origin.clone(),
            anthropic: origin.clone(),
            linear: origin,
            stand_ins: Vec::new(),
            served_by,
        }
    }
}
