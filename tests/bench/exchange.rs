//! Token exchanges beside the peer: the zone with every check of the product and durable audit
//! rows, in a process of its own, under the same load in alternating rounds.

use std::{
    io::{self, Write as _},
    path::Path,
    process::Command,
};

use axum::serve::ListenerExt as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use hoptrail::{
    protocol::{
        console::{LifeStatus, SessionType},
        oauth::{GRANT_TOKEN_EXCHANGE, TOKEN_TYPE_ACCESS_TOKEN},
        secret::Secret,
    },
    support::{clock::SystemClock, ids::Ids},
    zone::{
        Config, IdentityProvider, UserIdentifier, Zone,
        directory::{Change, GRANT_ACCESS_TOKEN, Grant, Session, User},
        keys::{Keys, SigningKey},
        seed::{self, FirstPolicy, LinearOAuth, Workshop, id},
        tokens::{SubProfile, TokenRequest},
        vault::Belongs,
    },
};
use serde_json::json;

use super::{
    Measured,
    load::{self, Round},
    peer::{self, Ready, Server},
    process::resident,
    sample::Sample,
    table::Row,
};

/// The argument that makes this program the zone.
pub const ZONE_ROLE: &str = "--zone";

const ROUNDS: usize = 3;
const ROUND: u64 = 4_000_000;
const WARM_UP: u64 = 1_000_000;
const CONNECTIONS: usize = 8;

const SERVER: &str = "http://127.0.0.1:8000/mcp";
const SUPABASE: &str = "http://127.0.0.1:9302";
const ANTHROPIC: &str = "http://127.0.0.1:9303";
const LINEAR: &str = "http://127.0.0.1:9304";
const USER: &str = "user-robin";
const IDENTIFIER: &str = "kc-user-robin";
const SESSION: &str = "session-1";

/// What the story asks for: two secrets of the vault, and Linear twice.
const STORY: [(&str, Option<&str>); 4] = [
    (SUPABASE, None),
    (ANTHROPIC, None),
    (LINEAR, Some("read")),
    (LINEAR, Some("issues:create")),
];

pub fn measure() -> Measured {
    let state = tempfile::tempdir().map_err(|e| e.to_string())?;
    let this = std::env::current_exe().map_err(|e| e.to_string())?;
    let zone = Server::start(Command::new(this).arg(ZONE_ROLE).arg(state.path()))?;
    let other = peer::start();
    let ours = requests(&zone.ready, &STORY)?;
    let theirs = match &other {
        Ok(server) => requests(&server.ready, &[("http://127.0.0.1:9302", Some("read"))])?,
        Err(_) => Vec::new(),
    };
    let (mut us, mut them) = (Total::default(), Total::default());
    for round in 0..=ROUNDS {
        let micros = if round == 0 { WARM_UP } else { ROUND };
        let mine = load::round(port(&zone.ready)?, &ours, CONNECTIONS, micros)?;
        let yours = match &other {
            Ok(server) => load::round(port(&server.ready)?, &theirs, CONNECTIONS, micros)?,
            Err(_) => Round::default(),
        };
        if round > 0 {
            us.add(&mine);
            them.add(&yours);
        }
    }
    let alone = load::round(port(&zone.ready)?, &ours, 1, ROUND)?;
    if us.refused + alone.refused > 0 {
        return Err(format!(
            "{} exchanges were refused",
            us.refused + alone.refused
        ));
    }
    let mut rows = vec![
        Row::at_least(
            "token exchanges, 8 connections",
            6_000.0,
            us.per_second(),
            "/s",
        ),
        Row::told("  p50", us.answers.millis(50), "ms"),
        Row::told("  p99", us.answers.millis(99), "ms"),
        Row::told("  memory of the zone", resident(zone.pid())?, "MB"),
        Row::told("  1 connection", alone.per_second(), "/s"),
        Row::told("  1 connection, p50", alone.answers.millis(50), "ms"),
    ];
    match &other {
        Ok(server) if them.refused == 0 => rows.extend([
            Row::told("oidc-provider beside it", them.per_second(), "/s"),
            Row::told("  p99", them.answers.millis(99), "ms"),
            Row::told("  memory", resident(server.pid())?, "MB"),
            Row::at_least(
                "times as many as oidc-provider",
                3.0,
                us.per_second() / them.per_second(),
                "×",
            ),
        ]),
        Ok(_) => rows.push(Row::skipped("oidc-provider", "it refused exchanges")),
        Err(why) => rows.push(Row::skipped("oidc-provider", why)),
    }
    Ok(rows)
}

#[derive(Default)]
struct Total {
    answers: Sample,
    refused: usize,
    micros: u64,
}

impl Total {
    fn add(&mut self, round: &Round) {
        self.answers.extend(&round.answers);
        self.refused += round.refused;
        self.micros += round.micros;
    }

    #[expect(clippy::cast_precision_loss, reason = "a run is short")]
    fn per_second(&self) -> f64 {
        self.answers.len() as f64 / (self.micros as f64 / 1e6)
    }
}

fn port(ready: &Ready) -> Result<u16, String> {
    url::Url::parse(&ready.token_endpoint)
        .ok()
        .and_then(|url| url.port())
        .ok_or_else(|| format!("{} has no port", ready.token_endpoint))
}

/// One request for each resource and scope, as bytes.
fn requests(ready: &Ready, wanted: &[(&str, Option<&str>)]) -> Result<Vec<Vec<u8>>, String> {
    let url = url::Url::parse(&ready.token_endpoint).map_err(|e| e.to_string())?;
    let basic = STANDARD.encode(format!("{}:{}", ready.client_id, ready.client_secret));
    let one = |(resource, scope): &(&str, Option<&str>)| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", GRANT_TOKEN_EXCHANGE)
            .append_pair("subject_token", &ready.subject_token)
            .append_pair("subject_token_type", TOKEN_TYPE_ACCESS_TOKEN)
            .append_pair("resource", resource);
        if let Some(scope) = scope {
            form.append_pair("scope", scope);
        }
        let body = form.finish();
        format!(
            "POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Basic {basic}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            url.path(),
            url.port().unwrap_or_default(),
            body.len()
        )
        .into_bytes()
    };
    Ok(wanted.iter().map(one).collect())
}

/// Serves the workshop's zone, with a person who is signed in, until it is killed.
pub fn zone(state: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(serve(state));
}

async fn serve(state: &Path) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let issuer = format!(
        "http://{}",
        listener.local_addr().expect("a bound listener")
    );
    let key = SigningKey::generate().expect("a key");
    let config = Config {
        issuer: issuer.clone(),
        state: Some(state.to_path_buf()),
        clock: SystemClock::shared(),
        ids: Ids::system(),
        identity_provider: IdentityProvider {
            name: "GitHub".into(),
            authorize_url: "http://127.0.0.1:9305/login/oauth/authorize".into(),
            token_url: "http://127.0.0.1:9305/login/oauth/access_token".into(),
            user_url: "http://127.0.0.1:9305/user".into(),
            emails_url: None,
            user_identifier: UserIdentifier::ZoneId,
            client_id: "github-client".into(),
            client_secret: Secret::from("github-secret"),
        },
    };
    let zone = Zone::open_with(config, Keys::ready(key))
        .await
        .expect("a zone");
    let workshop = Workshop {
        server: SERVER.into(),
        supabase: SUPABASE.into(),
        anthropic: ANTHROPIC.into(),
        linear: LINEAR.into(),
        supabase_secret: Secret::from("sb_secret_of-the-bench"),
        anthropic_secret: Secret::from("sk-ant-of-the-bench"),
        linear_oauth: LinearOAuth {
            authorization_endpoint: format!("{LINEAR}/oauth/authorize"),
            token_endpoint: format!("{LINEAR}/oauth/token"),
            client_id: "linear-client".into(),
            client_secret: Secret::from("linear-secret"),
        },
        first_policy: FirstPolicy::Limited,
    };
    let seeded = seed::workshop(&zone, workshop)
        .await
        .expect("a seeded zone");
    let subject_token = sign_in(&zone).await;
    let ready = json!({
        "token_endpoint": format!("{issuer}/oauth/2/token"),
        "client_id": seeded.client_id,
        "client_secret": seeded.client_secret.expose(),
        "subject_token": subject_token.expose(),
    });
    let mut out = io::stdout();
    writeln!(out, "{ready}")
        .and_then(|()| out.flush())
        .expect("standard output is there");
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, zone.router())
        .await
        .expect("serving does not end");
}

/// Leaves behind what the sign-in pages leave behind, and gives the person's token.
async fn sign_in(zone: &Zone) -> Secret {
    let state = zone.state();
    let now = state.config.clock.now();
    let mut changes = vec![
        Change::put(User {
            id: USER.into(),
            identifier: IDENTIFIER.into(),
            email: "robin.sample@lab.example".into(),
            name: "Robin Sample".into(),
            subject: "github|1".into(),
            created_at: now,
        }),
        Change::put(Session {
            id: SESSION.into(),
            session_type: SessionType::User,
            user_id: Some(USER.into()),
            user_name: None,
            application_id: None,
            user_agent_id: None,
            initiator_name: None,
            parent_id: None,
            authenticated_at: now,
            expires_at: now + TimeDelta::days(1),
            status: LifeStatus::Active,
        }),
    ];
    for resource in [id::SUPABASE, id::ANTHROPIC, id::LINEAR, id::MCP_SERVER] {
        let grant_id = format!("grant-{resource}");
        let belongs = Belongs {
            to: GRANT_ACCESS_TOKEN,
            id: &grant_id,
        };
        let token = Secret::from("lin_oauth_of-the-bench");
        let access_token = (resource == id::LINEAR).then(|| state.vault.seal(&token, belongs));
        changes.push(Change::put(Grant {
            id: grant_id,
            user_id: USER.into(),
            resource_id: resource.into(),
            provider_id: state.directory().resources[resource]
                .credential_provider_id
                .clone(),
            scopes: Vec::new(),
            status: LifeStatus::Active,
            created_at: now,
            access_token,
            refresh_token: None,
            expires_at: None,
        }));
    }
    state
        .store
        .change(changes)
        .await
        .expect("a store that writes");
    let request = TokenRequest {
        sub: IDENTIFIER.into(),
        sub_profile: SubProfile::User,
        client_id: "ua:1".into(),
        keycard_app_id: None,
        resource: SERVER.into(),
        scopes: vec!["mcp:tools".into()],
        session_id: Some(SESSION.into()),
        lifetime: TimeDelta::hours(1),
    };
    let key = state.keys.signing().await.expect("the key is made");
    state.tokens.mint(&key, request).expect("a token").token
}
