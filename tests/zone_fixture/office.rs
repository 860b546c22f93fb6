//! A workshop zone with one person who is signed in and has consented to everything.

use std::{path::Path, sync::Arc};

use chrono::TimeDelta;
use hoptrail::{
    protocol::{
        audit::AuditRecord,
        console::{LifeStatus, SessionType},
        oauth::{ClientCredential, TOKEN_TYPE_ACCESS_TOKEN},
        secret::Secret,
    },
    support::{
        clock::{FakeClock, Stopwatch},
        error::Failure,
        ids::Ids,
    },
    zone::{
        Config, IdentityProvider, Zone,
        directory::{Change, GRANT_ACCESS_TOKEN, Grant, Session, User},
        exchange::{ExchangeRequest, ExchangeResponse, exchange},
        keys::{Keys, SigningKey},
        refusal::Refusal,
        seed::{self, FirstPolicy, LinearOAuth, Workshop, id},
        store::AuditRow,
        tokens::{SubProfile, TokenRequest},
        vault::Belongs,
    },
};

pub const ISSUER: &str = "http://127.0.0.1:4100";
pub const SERVER: &str = "http://127.0.0.1:8000/mcp";
pub const SUPABASE: &str = "http://127.0.0.1:9302";
pub const ANTHROPIC: &str = "http://127.0.0.1:9303";
pub const LINEAR: &str = "http://127.0.0.1:9304";
pub const SUPABASE_KEY: &str = "sb_secret_the-ticket-database";
pub const ANTHROPIC_KEY: &str = "sk-ant-the-model";
pub const LINEAR_TOKEN: &str = "lin_oauth_of-marisol";
pub const PROVIDER_SECRET: &str = "linear-client-secret-value";
pub const USER: &str = "user-marisol";
pub const SESSION: &str = "session-1";

pub struct Office {
    pub zone: Zone,
    pub clock: Arc<FakeClock>,
    pub seeded: ClientCredential,
}

pub fn config(state: Option<&Path>, clock: Arc<FakeClock>, seed: u64) -> Config {
    Config {
        issuer: ISSUER.into(),
        state: state.map(Path::to_path_buf),
        clock,
        ids: Ids::seeded(seed),
        identity_provider: IdentityProvider {
            name: "GitHub".into(),
            authorize_url: "http://127.0.0.1:9305/login/oauth/authorize".into(),
            token_url: "http://127.0.0.1:9305/login/oauth/access_token".into(),
            user_url: "http://127.0.0.1:9305/user".into(),
            emails_url: None,
            user_identifier: hoptrail::zone::UserIdentifier::ZoneId,
            client_id: "github-client".into(),
            client_secret: "github-secret".into(),
        },
    }
}

pub fn key() -> SigningKey {
    SigningKey::from_pkcs8(include_bytes!("../fixtures/zone_signing_key.pk8")).unwrap()
}

pub fn workshop(first_policy: FirstPolicy) -> Workshop {
    Workshop {
        server: SERVER.into(),
        supabase: SUPABASE.into(),
        anthropic: ANTHROPIC.into(),
        linear: LINEAR.into(),
        supabase_secret: SUPABASE_KEY.into(),
        anthropic_secret: ANTHROPIC_KEY.into(),
        linear_oauth: LinearOAuth {
            authorization_endpoint: format!("{LINEAR}/oauth/authorize"),
            token_endpoint: format!("{LINEAR}/oauth/token"),
            client_id: "linear-client".into(),
            client_secret: PROVIDER_SECRET.into(),
        },
        first_policy,
    }
}

/// A zone in memory.
pub async fn office(first_policy: FirstPolicy) -> Office {
    let office = open(None, FakeClock::shared(), 1, first_policy)
        .await
        .unwrap();
    sign_in(&office).await;
    office
}

/// A zone in a folder, nobody signed in.
pub async fn open(
    state: Option<&Path>,
    clock: Arc<FakeClock>,
    seed: u64,
    first_policy: FirstPolicy,
) -> Result<Office, Failure> {
    let config = config(state, clock.clone(), seed);
    let zone = Zone::open_with(config, Keys::ready(key())).await?;
    let seeded = seed::workshop(&zone, workshop(first_policy)).await?;
    Ok(Office {
        zone,
        clock,
        seeded,
    })
}

/// What the sign-in pages leave behind.
pub async fn sign_in(office: &Office) {
    let state = office.zone.state();
    let now = state.config.clock.now();
    let mut changes = vec![
        Change::put(User {
            id: USER.into(),
            identifier: "kc-user-marisol".into(),
            email: "marisol@example.test".into(),
            name: "Marisol".into(),
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
            expires_at: now + TimeDelta::days(30),
            status: LifeStatus::Active,
        }),
    ];
    for resource in [id::SUPABASE, id::ANTHROPIC, id::LINEAR, id::MCP_SERVER] {
        changes.push(Change::put(grant(office, resource)));
    }
    state.store.change(changes).await.unwrap();
}

pub fn grant(office: &Office, resource: &str) -> Grant {
    let state = office.zone.state();
    let grant_id = format!("grant-{resource}");
    let access_token = (resource == id::LINEAR).then(|| {
        state.vault.seal(
            &Secret::from(LINEAR_TOKEN),
            Belongs {
                to: GRANT_ACCESS_TOKEN,
                id: &grant_id,
            },
        )
    });
    Grant {
        id: grant_id,
        user_id: USER.into(),
        resource_id: resource.into(),
        provider_id: state
            .directory()
            .resources
            .get(resource)
            .and_then(|resource| resource.credential_provider_id.clone()),
        scopes: state
            .directory()
            .resources
            .get(resource)
            .map(|resource| resource.scopes.clone())
            .unwrap_or_default(),
        status: LifeStatus::Active,
        created_at: state.config.clock.now(),
        access_token,
        refresh_token: None,
        expires_at: None,
    }
}

impl Office {
    /// The token that the person's client holds.
    pub fn user_token(&self) -> Secret {
        self.token(|_| {})
    }

    pub fn token(&self, change: impl FnOnce(&mut TokenRequest)) -> Secret {
        let mut request = TokenRequest {
            sub: "kc-user-marisol".into(),
            sub_profile: SubProfile::User,
            client_id: "ua:1".into(),
            keycard_app_id: None,
            resource: SERVER.into(),
            scopes: vec!["read".into()],
            session_id: Some(SESSION.into()),
            lifetime: TimeDelta::hours(1),
        };
        change(&mut request);
        self.zone
            .state()
            .tokens
            .mint(&key(), request)
            .unwrap()
            .token
    }

    pub fn request(&self, resource: &str, scope: Option<&str>) -> ExchangeRequest {
        let directory = self.zone.state().directory();
        ExchangeRequest {
            credential: directory.application_credentials[&self.seeded.client_id].clone(),
            subject_token: Some(self.user_token()),
            subject_token_type: Some(TOKEN_TYPE_ACCESS_TOKEN.into()),
            requested_token_type: None,
            actor_token: false,
            resources: vec![resource.into()],
            audience: None,
            scope: scope.map(Into::into),
            trace_parent: Some(
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
                    .parse()
                    .unwrap(),
            ),
            request_id: "request-1".into(),
            started: Stopwatch::start(),
        }
    }

    pub async fn exchange(
        &self,
        resource: &str,
        scope: Option<&str>,
    ) -> Result<ExchangeResponse, Refusal> {
        exchange(self.zone.state(), self.request(resource, scope)).await
    }

    /// All audit rows.
    pub async fn audit(&self) -> Vec<AuditRecord> {
        let store = &self.zone.state().store;
        let rows = store.audit_after(0, 10_000).await.unwrap();
        let read = |row: &Arc<AuditRow>| serde_json::from_str(row.json.get()).unwrap();
        rows.iter().map(read).collect()
    }

    pub async fn change(&self, changes: Vec<Change>) {
        self.zone.state().store.change(changes).await.unwrap();
    }
}
