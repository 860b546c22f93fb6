//! A zone in memory, asked as its clients ask it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hoptrail::{
    protocol::{
        audit::{AuditRecord, CredentialSource},
        console::{Application, Consent, Manifest, ManifestEntry, Owner, Resource},
        jwt::TokenView,
        page::PageForm,
        secret::Secret,
    },
    support::{clock::FakeClock, ids::Ids},
    zone::{
        Config, IdentityProvider, Zone,
        directory::{
            ActiveBinding, ApplicationCredential, Change, CredentialKind, Dependency,
            PROVIDER_SECRET, Policy, PolicySet, PolicySetVersion, PolicyVersion, Provider,
            ProviderOAuth, VAULT_TOKEN, VaultSecret,
        },
        keys::{Keys, SigningKey},
        policy::POLICY_SCHEMA_VERSION,
        seed,
        store::AuditRow,
        vault::{Belongs, SecretHash},
    },
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::stand_ins::Upstreams;

pub const ISSUER: &str = "http://127.0.0.1:9301";
pub const MCP: &str = "http://127.0.0.1:8000/mcp";
pub const SUPABASE: &str = "http://127.0.0.1:9302";
pub const ANTHROPIC: &str = "http://127.0.0.1:9303";
pub const LINEAR: &str = "http://127.0.0.1:9304";
pub const REDIRECT: &str = "http://127.0.0.1:39998/cb";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const TRACE_PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub const APP_ID: &str = "app-client";
pub const APP_SECRET: &str = "app secret: 100% s3cret";

pub struct Lab {
    pub zone: Zone,
    pub router: Router,
    pub clock: Arc<FakeClock>,
    pub upstreams: Arc<Upstreams>,
    pub upstream_origin: String,
}

/// An answer, with its body read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> String {
        self.headers
            .get(header::LOCATION)
            .unwrap_or_else(|| panic!("no redirect but {} {}", self.status, self.body))
            .to_str()
            .unwrap()
            .to_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }

    pub fn form(&self) -> PageForm {
        serde_json::from_value(self.json()).unwrap_or_else(|_| panic!("no form: {}", self.body))
    }

    pub fn token(&self) -> Secret {
        Secret::from(self.json()["access_token"].as_str().unwrap())
    }

    pub fn claims(&self) -> TokenView {
        TokenView::of(&self.token())
    }
}

/// The query of a URL.
pub fn query(url: &str) -> BTreeMap<String, String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs()
        .map(|(k, v)| (k.into_owned(), v.into_owned()))
        .collect()
}

pub fn encode(pairs: &[(&str, &str)]) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(pairs);
    out.finish()
}

impl Lab {
    pub async fn open() -> Self {
        let lab = Self::bare().await;
        lab.seed().await;
        lab
    }

    /// A zone as it is at its first start.
    pub async fn bare() -> Self {
        let upstreams = Arc::new(Upstreams::default());
        let upstream_origin = upstreams.clone().serve().await;
        let clock = FakeClock::shared();
        let config = Config {
            issuer: ISSUER.into(),
            state: None,
            clock: clock.clone(),
            ids: Ids::seeded(7),
            identity_provider: IdentityProvider {
                name: "GitHub".into(),
                authorize_url: format!("{upstream_origin}/login/oauth/authorize"),
                token_url: format!("{upstream_origin}/login/oauth/access_token"),
                user_url: format!("{upstream_origin}/user"),
                emails_url: None,
                user_identifier: hoptrail::zone::UserIdentifier::ZoneId,
                client_id: "zone-at-github".into(),
                client_secret: "github-secret".into(),
            },
        };
        let key =
            SigningKey::from_pkcs8(include_bytes!("../fixtures/zone_signing_key.pk8")).unwrap();
        let zone = Zone::open_with(config, Keys::ready(key)).await.unwrap();
        Self {
            router: zone.router(),
            zone,
            clock,
            upstreams,
            upstream_origin,
        }
    }

    /// The workshop's own objects and policies; the application's client id and secret.
    pub async fn seed_workshop(&self) -> (String, Secret) {
        let origin = &self.upstream_origin;
        let seeded = seed::workshop(
            &self.zone,
            seed::Workshop {
                server: MCP.into(),
                supabase: SUPABASE.into(),
                anthropic: ANTHROPIC.into(),
                linear: LINEAR.into(),
                supabase_secret: "sb_secret_vaulted".into(),
                anthropic_secret: "sk-ant-vaulted".into(),
                linear_oauth: seed::LinearOAuth {
                    authorization_endpoint: format!("{origin}/oauth/authorize"),
                    token_endpoint: format!("{origin}/oauth/token"),
                    client_id: "zone-at-linear".into(),
                    client_secret: "linear-secret".into(),
                },
                first_policy: seed::FirstPolicy::Limited,
            },
        )
        .await
        .unwrap();
        (seeded.client_id, seeded.client_secret)
    }

    pub async fn change(&self, changes: Vec<Change>) {
        self.zone.state().store.change(changes).await.unwrap();
    }

    async fn seed(&self) {
        let state = self.zone.state();
        let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let provider = |id: &str, name: &str, kind| Provider {
            id: id.into(),
            name: name.into(),
            kind,
            oauth: None,
        };
        let linear = Provider {
            oauth: Some(ProviderOAuth {
                authorization_endpoint: format!("{}/oauth/authorize", self.upstream_origin),
                token_endpoint: format!("{}/oauth/token", self.upstream_origin),
                client_id: "zone-at-linear".into(),
                client_secret: Some(state.vault.seal(
                    &Secret::from("linear-secret"),
                    Belongs {
                        to: PROVIDER_SECRET,
                        id: "p-linear",
                    },
                )),
                authorization_parameters: BTreeMap::from([
                    ("actor".into(), "user".into()),
                    ("prompt".into(), "consent".into()),
                ]),
                scope_separator: ",".into(),
            }),
            ..provider("p-linear", "Linear", CredentialSource::External)
        };
        let mut changes = vec![
            Change::put(provider(
                "p-sts",
                "Zone Provider",
                CredentialSource::KeycardSts,
            )),
            Change::put(provider("p-vault", "Vault", CredentialSource::KeycardVault)),
            Change::put(linear),
            Change::put(Application {
                id: "a-mcp".into(),
                name: "Support Escalation".into(),
                identifier: "urn:app:support-escalation".into(),
                consent: Consent::Required,
            }),
            Change::put(ApplicationCredential {
                id: "c-mcp".into(),
                application_id: "a-mcp".into(),
                kind: CredentialKind::Password,
                identifier: APP_ID.into(),
                secret: Some(SecretHash::of(&Secret::from(APP_SECRET))),
                sealed: None,
                created_at: now,
            }),
            resource("r-mcp", "Workshop MCP Server", MCP, Some("p-sts"), &[]),
            resource(
                "r-supabase",
                "Supabase Database",
                SUPABASE,
                Some("p-vault"),
                &[],
            ),
            resource(
                "r-linear",
                "Linear API",
                LINEAR,
                Some("p-linear"),
                &["read", "write", "issues:create"],
            ),
            resource("r-bare", "Bare", "http://127.0.0.1:9309", None, &[]),
            Change::put(VaultSecret {
                id: "v-supabase".into(),
                name: "supabase".into(),
                entity_id: "r-supabase".into(),
                token: state.vault.seal(
                    &Secret::from("sb_secret_vaulted"),
                    Belongs {
                        to: VAULT_TOKEN,
                        id: "r-supabase",
                    },
                ),
                created_at: now,
            }),
        ];
        changes.extend(["r-supabase", "r-linear"].map(depends));
        changes.extend(policies("permit(principal, action, resource);"));
        self.change(changes).await;
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path).body(Body::empty()).unwrap())
            .await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        let request = request("POST", path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// A token request without client authentication in the header.
    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.token_as(None, form).await
    }

    /// A token request with `Authorization: Basic`, the pair as it is.
    pub async fn token_as(&self, basic: Option<&str>, form: &[(&str, &str)]) -> Answer {
        let mut request = request("POST", "/oauth/2/token")
            .header("traceparent", TRACE_PARENT)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(pair) = basic {
            let value = format!("Basic {}", STANDARD.encode(pair));
            request = request.header(header::AUTHORIZATION, value);
        }
        self.send(request.body(Body::from(encode(form))).unwrap())
            .await
    }

    /// A request to the management API, as the console sends it.
    pub async fn as_console(&self, method: &str, path: &str, body: &Value) -> Answer {
        let credential = self.zone.console_credential();
        let account = encode(&[
            ("grant_type", "client_credentials"),
            ("client_id", &credential.client_id),
            ("client_secret", credential.client_secret.expose()),
        ]);
        let ask = request("POST", "/service-account-token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let token = self
            .send(ask.body(Body::from(account)).unwrap())
            .await
            .token();
        let ask = request(method, &format!("/zones/lab{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
            .header(header::CONTENT_TYPE, "application/json");
        self.send(ask.body(Body::from(body.to_string())).unwrap())
            .await
    }

    pub async fn register(&self) -> String {
        self.register_as("MCP CLI Proxy", REDIRECT).await
    }

    pub async fn register_as(&self, name: &str, redirect: &str) -> String {
        let answer = self
            .post_json(
                "/oauth/2/registration",
                &json!({"client_name": name, "redirect_uris": [redirect],
                        "grant_types": ["authorization_code", "refresh_token"],
                        "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            )
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.json()["client_id"].as_str().unwrap().to_owned()
    }

    pub async fn audit(&self) -> Vec<AuditRecord> {
        let rows = self.zone.state().store.audit_after(0, 1_000).await.unwrap();
        let read = |row: &Arc<AuditRow>| serde_json::from_str(row.json.get()).unwrap();
        rows.iter().map(read).collect()
    }

    /// Redeems a code as the client does.
    pub async fn redeem(&self, client: &str, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT),
            ("resource", MCP),
            ("client_id", client),
        ])
        .await
    }

    pub async fn refresh(&self, client: &str, token: &str) -> Answer {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", client),
        ])
        .await
    }

    pub async fn exchange(&self, subject: &Secret, resource: &str) -> Answer {
        self.exchange_by("resource", subject, resource).await
    }

    /// An exchange for a scope.
    pub async fn exchange_for(&self, subject: &Secret, resource: &str, scope: &str) -> Answer {
        self.exchange_with(subject, &[("resource", resource), ("scope", scope)])
            .await
    }

    /// An exchange that names its target by `parameter`.
    pub async fn exchange_by(&self, parameter: &str, subject: &Secret, target: &str) -> Answer {
        self.exchange_with(subject, &[(parameter, target)]).await
    }

    async fn exchange_with(&self, subject: &Secret, more: &[(&str, &str)]) -> Answer {
        self.token_as(
            Some(&format!("{APP_ID}:{APP_SECRET}")),
            &[
                &[
                    (
                        "grant_type",
                        "urn:ietf:params:oauth:grant-type:token-exchange",
                    ),
                    ("subject_token", subject.expose().as_str()),
                    (
                        "subject_token_type",
                        "urn:ietf:params:oauth:token-type:access_token",
                    ),
                ],
                more,
            ]
            .concat(),
        )
        .await
    }
}

pub fn request(method: &str, path: &str) -> http::request::Builder {
    let path = path.strip_prefix(ISSUER).unwrap_or(path);
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1:9301")
}

pub fn resource(
    id: &str,
    name: &str,
    identifier: &str,
    provider: Option<&str>,
    scopes: &[&str],
) -> Change {
    Change::put(Resource {
        id: id.into(),
        name: name.into(),
        identifier: identifier.into(),
        application_id: (id == "r-mcp").then(|| "a-mcp".into()),
        credential_provider_id: provider.map(str::to_owned),
        scopes: scopes.iter().map(|&s| s.to_owned()).collect(),
        credential_lifetime_seconds: None,
    })
}

pub fn depends(resource_id: &str) -> Change {
    Change::put(Dependency {
        application_id: "a-mcp".into(),
        resource_id: resource_id.into(),
    })
}

/// Makes one policy the active set.
pub fn policies(cedar: &str) -> Vec<Change> {
    let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
    vec![
        Change::put(Policy {
            id: "pol".into(),
            name: "all".into(),
            owner: Owner::Customer,
        }),
        Change::put(PolicyVersion {
            id: "pol-1".into(),
            policy_id: "pol".into(),
            version: 1,
            cedar_raw: cedar.into(),
            schema_version: POLICY_SCHEMA_VERSION.into(),
            sha: "sha".into(),
            created_at: now,
        }),
        Change::put(PolicySet {
            id: "set".into(),
            name: "set".into(),
            owner: Owner::Customer,
        }),
        Change::put(PolicySetVersion {
            id: "set-1".into(),
            policy_set_id: "set".into(),
            version: 1,
            schema_version: POLICY_SCHEMA_VERSION.into(),
            manifest: Manifest {
                entries: vec![ManifestEntry {
                    policy_id: "pol".into(),
                    policy_version_id: "pol-1".into(),
                    sha: "sha".into(),
                }],
            },
            manifest_sha: "sha".into(),
            created_at: now,
        }),
        Change::put(ActiveBinding {
            policy_set_version_id: "set-1".into(),
            activated_at: now,
        }),
    ]
}
