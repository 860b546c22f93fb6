//! Starting a lab: every part is opened, told the others' URLs, and served.

mod places;
mod serving;

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use parking_lot::RwLock;

pub(super) use self::places::{PORTS_FILE, read_ports};
use self::{
    places::{Places, last_ports, make_folder, remember},
    serving::Serving,
};
use super::{
    BoundPort, Chapter, LabConfig, LabHandle, LinearService, ServerPart, Service, TEAM_ID,
    ZoneObjects, ZonePart,
    env_file::{self, Values},
    kept::LINEAR,
    server_of,
    switch::{Switch, ready},
};
use crate::{
    protocol::{
        oauth::ClientCredential,
        observed::{LAB_PATH, LabEndpoints, ServedBy, Upstream},
        secret::Secret,
    },
    server,
    support::{
        error::{Exit, Failure},
        ids::Ids,
    },
    upstream::{anthropic, faults::Faults, feed::Feed, github, linear, people::PEOPLE, supabase},
    zone::{
        self, IdentityProvider, UserIdentifier, Zone,
        brokered_login::forgotten::expire_unknown,
        seed::{self, Extent, FirstPolicy, LinearOAuth, Workshop},
    },
};

/// Secrets that the stand-ins and the zone agree on; made anew at each start.
struct Keys {
    supabase: Secret,
    supabase_publishable: Secret,
    anthropic: Secret,
    linear_client: Secret,
    linear_personal: Secret,
    github_client: Secret,
}

impl Keys {
    fn new(ids: &Ids) -> Self {
        let key = |prefix: &str| Secret::new(format!("{prefix}{}", ids.token(24)));
        Self {
            supabase: key("sb_secret_"),
            supabase_publishable: key("sb_publishable_"),
            anthropic: key("sk-ant-lab-"),
            linear_client: key(""),
            linear_personal: key("lin_api_"),
            github_client: key(""),
        }
    }
}

/// The client ids under which the zone is known at the stand-ins.
const LINEAR_CLIENT_ID: &str = "hoptrail-lab-zone";
const GITHUB_CLIENT_ID: &str = "hoptrail-lab-zone";
/// How the stand-ins' pages call the zone.
const ZONE_AT_OTHERS: &str = "The lab zone";

/// Opens every part and serves it, on the runtime that it is called on.
///
/// # Errors
/// If a port is taken, the state cannot be used, or a part does not fit the others.
pub(super) async fn start(config: LabConfig) -> Result<LabHandle, Failure> {
    let last = config.state.as_deref().map(last_ports).unwrap_or_default();
    let places = Places::open(&config, last).await?;
    let ports = places.ports();
    if let Some(state) = &config.state {
        make_folder(state)?;
    }
    let keys = Keys::new(&config.ids);
    let endpoints = endpoints(&config, &places);
    let serving = Serving::new(config.wire.clone());

    let (zone, workshop, seeded) = match &config.zone {
        ZonePart::StandIn => {
            let (zone, workshop, seeded) = open_zone(&config, &endpoints, &places, &keys).await?;
            (Some(zone), Some(workshop), seeded)
        }
        ZonePart::Real { credential, .. } => (None, None, Some(credential.clone())),
    };
    let console = zone.as_ref().map(|zone| zone.console_credential().clone());

    if let (Some(zone), Some(stage)) = (&zone, config.stage) {
        zone.activate(stage.policy_set()).await?;
    }
    let stage = config.stage.unwrap_or(Chapter::LAST);
    let at_the_end = ClientCredential {
        // What is made later is shown as what it will be: set.
        client_id: config.ids.short(),
        client_secret: Secret::new(config.ids.token(32)),
    };
    let env_after = values(
        &config,
        &endpoints,
        &places,
        &keys,
        seeded.clone().unwrap_or(at_the_end),
    )
    .shown(Chapter::LAST);
    let env = values(
        &config,
        &endpoints,
        &places,
        &keys,
        seeded.unwrap_or_else(|| ClientCredential {
            client_id: String::new(),
            client_secret: Secret::from(""),
        }),
    );
    // A URL with a line break in it is better found here than by whoever starts with the file.
    env_file::parse(&env.of(Chapter::LAST))?;
    let mut deps = server::Deps::new(Arc::clone(&config.clock), config.ids.clone());
    if zone.is_some() {
        // Somebody may hold an exchange at the lab's zone; the answer then takes as long as they like.
        deps.patience.zone = zone::gate::AT_MOST + deps.patience.zone;
    }

    let Places {
        server: server_place,
        zone: zone_place,
        supabase: supabase_place,
        anthropic: anthropic_place,
        linear: linear_place,
        github: github_place,
    } = places;
    let github = zone.is_some().then(|| github_place.origin.clone());
    let server = match config.server {
        ServerPart::Own => Some(Switch::new(server_of(&env, stage, &deps)?)),
        ServerPart::Yours(_) => None,
    };
    if let Some(switch) = &server {
        serving.serve(server_place, switch.clone());
    }
    let linear = serve_stand_ins(
        &config,
        &serving,
        keys,
        &zone_place.origin,
        StandInPlaces {
            supabase: supabase_place,
            anthropic: anthropic_place,
            linear: linear_place,
            github: github_place,
        },
    )
    .await?;
    if let (Some(zone), Some(linear)) = (&zone, &linear) {
        expire_unknown(zone, &endpoints.linear, |token| linear.knows(token)).await?;
    }
    // Only now: a start that fails, because another lab has the state, must not move that one's URLs.
    if let Some(state) = &config.state {
        remember(state, ports)?;
    }
    if let Some(zone) = &zone {
        let told = endpoints.clone();
        let ours = Router::new()
            .route(LAB_PATH, get(|| async { Json(told) }))
            .merge(super::stray::router(zone.clone(), &endpoints.server));
        serving.let_go_at_end(zone.clone());
        let (router, closing) = (ready(zone.router_with(ours)), zone.clone());
        serving.serve_then(zone_place, router, async move { closing.close().await });
    }
    Ok(LabHandle {
        endpoints,
        github,
        console,
        env_before: env.shown(Chapter::FIRST),
        env_after,
        env: RwLock::new(env),
        workshop,
        server,
        deps,
        zone,
        at: tokio::sync::Mutex::new(stage),
        stop: serving.stop,
        tasks: serving.tasks,
    })
}

fn endpoints(config: &LabConfig, places: &Places) -> LabEndpoints {
    let mut stand_ins = Vec::new();
    let mut service = |part: &Service, place: &BoundPort, upstream| match part {
        Service::StandIn => {
            stand_ins.push(upstream);
            place.origin.clone()
        }
        Service::Real { url, .. } => url.clone(),
    };
    let supabase = service(&config.supabase, &places.supabase, Upstream::Supabase);
    let anthropic = service(&config.anthropic, &places.anthropic, Upstream::Anthropic);
    let linear = match &config.linear {
        LinearService::StandIn => {
            stand_ins.push(Upstream::Linear);
            places.linear.origin.clone()
        }
        LinearService::Real { url, .. } => url.clone(),
    };
    LabEndpoints {
        server: match &config.server {
            ServerPart::Own => format!("{}/mcp", places.server.origin),
            ServerPart::Yours(url) => url.clone(),
        },
        zone: match &config.zone {
            ZonePart::StandIn => places.zone.origin.clone(),
            ZonePart::Real { url, .. } => url.clone(),
        },
        supabase,
        anthropic,
        linear,
        stand_ins,
        served_by: match &config.server {
            ServerPart::Own => ServedBy::Lab,
            ServerPart::Yours(_) => ServedBy::Yours,
        },
    }
}

async fn open_zone(
    config: &LabConfig,
    endpoints: &LabEndpoints,
    places: &Places,
    keys: &Keys,
) -> Result<(Zone, Workshop, Option<ClientCredential>), Failure> {
    let github = &places.github.origin;
    let zone = Zone::open(zone::Config {
        issuer: endpoints.zone.clone(),
        state: config.state.clone(),
        clock: Arc::clone(&config.clock),
        ids: config.ids.clone(),
        identity_provider: IdentityProvider {
            name: "GitHub".to_owned(),
            authorize_url: format!("{github}/login/oauth/authorize"),
            token_url: format!("{github}/login/oauth/access_token"),
            user_url: format!("{github}/user"),
            emails_url: Some(format!("{github}/user/emails")),
            // So that every screen says who it is about.
            user_identifier: UserIdentifier::Email,
            client_id: GITHUB_CLIENT_ID.to_owned(),
            client_secret: keys.github_client.clone(),
        },
    })
    .await?;
    let key_of = |part: &Service, own: &Secret| match part {
        Service::StandIn => own.clone(),
        // Without a key the vault hands out nothing that opens the real service; the service
        // itself then says so.
        Service::Real { key, .. } => key.clone().unwrap_or_else(|| Secret::from("")),
    };
    let linear_oauth = match &config.linear {
        LinearService::StandIn => LinearOAuth {
            authorization_endpoint: format!("{}/oauth/authorize", places.linear.origin),
            token_endpoint: format!("{}/oauth/token", places.linear.origin),
            client_id: LINEAR_CLIENT_ID.to_owned(),
            client_secret: keys.linear_client.clone(),
        },
        LinearService::Real { url, client, .. } => {
            let ClientCredential {
                client_id,
                client_secret,
            } = client.clone().ok_or_else(|| {
                Failure::new(
                    Exit::Usage,
                    "The real Linear needs an OAuth application",
                    "the zone brokers Linear's tokens through one",
                    "set LINEAR_CLIENT_ID and LINEAR_CLIENT_SECRET, with the callback <zone>/oauth/2/redirect",
                )
            })?;
            LinearOAuth {
                // Linear's own pages are not on its API's host.
                authorization_endpoint: "https://linear.app/oauth/authorize".to_owned(),
                token_endpoint: format!("{url}/oauth/token"),
                client_id,
                client_secret,
            }
        }
    };
    let workshop = Workshop {
        server: endpoints.server.clone(),
        supabase: endpoints.supabase.clone(),
        anthropic: endpoints.anthropic.clone(),
        linear: endpoints.linear.clone(),
        supabase_secret: key_of(&config.supabase, &keys.supabase),
        anthropic_secret: key_of(&config.anthropic, &keys.anthropic),
        linear_oauth,
        first_policy: match config.stage {
            Some(stage) if !stage.is_limited() => FirstPolicy::Defaults,
            Some(_) | None => FirstPolicy::Limited,
        },
    };
    let extent = match config.objects {
        ZoneObjects::Made => Extent::Missing,
        ZoneObjects::MadeInChapter1 => Extent::MissingObjects,
        ZoneObjects::AsLeft => Extent::AsLeft,
    };
    let seeded = seed::workshop_to(&zone, workshop.clone(), extent).await?;
    Ok((zone, workshop, seeded))
}

fn values(
    config: &LabConfig,
    endpoints: &LabEndpoints,
    places: &Places,
    keys: &Keys,
    seeded: ClientCredential,
) -> Values {
    let port = match &config.server {
        ServerPart::Own => places.server.port,
        ServerPart::Yours(url) => url::Url::parse(url)
            .ok()
            .and_then(|url| url.port_or_known_default())
            .unwrap_or(8000),
    };
    let linear_api_key = match &config.linear {
        LinearService::StandIn => keys.linear_personal.clone(),
        // As with the vault: without a key the real service says so itself. A variable must not be
        // blank, though.
        LinearService::Real { key, .. } => {
            key.clone().unwrap_or_else(|| keys.linear_personal.clone())
        }
    };
    Values {
        port,
        linear_api_key,
        keycard_url: endpoints.zone.clone(),
        mcp_resource_url: endpoints.server.clone(),
        client_id: seeded.client_id,
        client_secret: seeded.client_secret,
        supabase_url: endpoints.supabase.clone(),
        anthropic_url: endpoints.anthropic.clone(),
        linear_url: endpoints.linear.clone(),
        team_id: TEAM_ID.to_owned(),
    }
}

struct StandInPlaces {
    supabase: BoundPort,
    anthropic: BoundPort,
    linear: BoundPort,
    github: BoundPort,
}

/// Serves those parts that are stand-ins; gives Linear's, if it is one.
async fn serve_stand_ins(
    config: &LabConfig,
    serving: &Serving,
    keys: Keys,
    zone: &str,
    places: StandInPlaces,
) -> Result<Option<linear::Linear>, Failure> {
    let mut served = None;
    let feed = || serving.feed(Feed::new(Arc::clone(&config.clock)));
    if config.supabase == Service::StandIn {
        let router = supabase::router(supabase::Config {
            secret_key: keys.supabase,
            publishable_key: keys.supabase_publishable,
            feed: feed(),
            faults: Faults::new(supabase::error_body),
            clock: Arc::clone(&config.clock),
            ids: config.ids.clone(),
            tickets: supabase::sample_tickets(),
        });
        serving.serve(places.supabase, ready(router));
    }
    if config.anthropic == Service::StandIn {
        // The first ticket should not pay for the recogniser's expressions. Nobody waits for this:
        // whoever is earlier makes them itself.
        tokio::task::spawn_blocking(anthropic::recogniser::warm_up);
        let router = anthropic::router(anthropic::Config {
            api_key: keys.anthropic,
            feed: feed(),
            faults: Faults::new(anthropic::error_body),
            ids: config.ids.clone(),
        });
        serving.serve(places.anthropic, ready(router));
    }
    let callback = format!("{zone}/oauth/2/redirect");
    if config.linear == LinearService::StandIn {
        let linear = linear::open(linear::Config {
            base_url: places.linear.origin.clone(),
            state: config.state.as_ref().map(|dir| dir.join(LINEAR)),
            clock: Arc::clone(&config.clock),
            ids: config.ids.clone(),
            people: PEOPLE,
            team: linear::workspace::Team {
                id: TEAM_ID.to_owned(),
                ..linear::workspace::Team::default()
            },
            oauth_client: linear::OAuthClient {
                id: LINEAR_CLIENT_ID.to_owned(),
                secret: keys.linear_client,
                redirect_uris: vec![callback.clone()],
                name: ZONE_AT_OTHERS.to_owned(),
            },
            api_key: Some(keys.linear_personal),
            feed: feed(),
            faults: Faults::new(linear::error_body),
        })
        .await?;
        served = Some(linear.clone());
        let router = ready(linear.router());
        serving.serve_then(places.linear, router, async move { linear.close().await });
    }
    if config.zone == ZonePart::StandIn {
        let router = github::router(github::Config {
            base_url: places.github.origin.clone(),
            users: PEOPLE,
            clients: vec![github::Client {
                client_id: GITHUB_CLIENT_ID.to_owned(),
                client_secret: keys.github_client,
                name: ZONE_AT_OTHERS.to_owned(),
                redirect_uris: vec![callback],
            }],
            clock: Arc::clone(&config.clock),
            ids: config.ids.clone(),
        });
        serving.serve(places.github, ready(router));
    }
    Ok(served)
}
