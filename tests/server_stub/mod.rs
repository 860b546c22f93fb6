//! Stand-ins for the zone and the services, as small as the server's tests allow: they record what
//! comes in and answer what they are told. Every item here is used by both test programs.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hoptrail::{
    protocol::secret::Secret,
    server::{Deps, Patience, Settings, router, stage::Stage},
    support::{clock::FakeClock, ids::Ids},
};
use serde_json::{Value, json};

pub const RESOURCE: &str = "http://localhost:8000/mcp";
/// Where the fake clock stands.
pub const NOW: i64 = 1_795_510_800;

#[derive(Debug, Clone)]
pub struct Recorded {
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

pub type Answer = (u16, String);
type Answerer = Box<dyn FnMut(&Recorded) -> Answer + Send>;

/// A server on loopback that records and answers.
#[derive(Clone)]
pub struct Stub {
    pub url: String,
    pub seen: Arc<Mutex<Vec<Recorded>>>,
    answerer: Arc<Mutex<Answerer>>,
}

impl Stub {
    pub async fn start(answerer: impl FnMut(&Recorded) -> Answer + Send + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            seen: Arc::default(),
            answerer: Arc::new(Mutex::new(Box::new(answerer))),
        };
        let shared = stub.clone();
        let app = Router::new().fallback(move |request: Request| shared.clone().handle(request));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        stub
    }

    async fn handle(self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let recorded = Recorded {
            line: format!("{} {}", parts.method, parts.uri),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        let (status, body) = (self.answerer.lock().unwrap())(&recorded);
        self.seen.lock().unwrap().push(recorded);
        let named = match status {
            // The body of a redirect is where it points to.
            300..400 => ("location", body.clone()),
            _ => ("content-type", "application/json".to_owned()),
        };
        Response::builder()
            .status(status)
            .header(named.0, named.1)
            .body(Body::from(body))
            .unwrap()
    }

    /// From now on it answers so.
    pub fn answers(&self, answerer: impl FnMut(&Recorded) -> Answer + Send + 'static) {
        *self.answerer.lock().unwrap() = Box::new(answerer);
    }

    pub fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|r| r.line.clone()).collect()
    }
}

static KEY: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

/// The public half as a JWK. Modulus and exponent are cut out of the DER, whose shape is fixed for
/// a 2048 bit key: the modulus is the 256 bytes before `02 03 01 00 01`.
pub fn jwk(kid: &str) -> Value {
    let der = KEY.public_key().as_der().unwrap();
    let der = der.as_ref();
    let modulus = &der[der.len() - 5 - 256..der.len() - 5];
    json!({
        "kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig",
        "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB",
    })
}

pub fn metadata(base: &str) -> Value {
    json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/oauth/2/authorize"),
        "token_endpoint": format!("{base}/oauth/2/token"),
        "jwks_uri": format!("{base}/openidconnect/jwks"),
        "response_types_supported": ["code"],
    })
}

/// A well-behaved zone: each exchange issues a credential that names what it is for.
pub fn zone(request: &Recorded) -> Answer {
    let base = format!("http://{}", request.headers["host"]);
    match request.line.as_str() {
        "GET /.well-known/oauth-authorization-server" => (200, metadata(&base).to_string()),
        "GET /openidconnect/jwks" => {
            // Kinds of keys that we do not use must not spoil the set.
            let ed25519 = json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AAAA"});
            (200, json!({"keys": [ed25519, jwk("k1")]}).to_string())
        }
        "POST /oauth/2/token" => {
            let form: BTreeMap<String, String> =
                url::form_urlencoded::parse(request.body.as_bytes())
                    .into_owned()
                    .collect();
            let scope = form.get("scope").map_or("", String::as_str);
            let token = format!(
                "cred-{}-{scope}",
                form["resource"].rsplit(':').next().unwrap()
            );
            (
                200,
                json!({"access_token": token, "token_type": "Bearer"}).to_string(),
            )
        }
        other => (404, json!({"error": other}).to_string()),
    }
}

/// A token signed with the zone's key.
pub fn sign(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; KEY.public_modulus_len()];
    KEY.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub fn good_header() -> Value {
    json!({"alg": "RS256", "kid": "k1", "typ": "at+jwt"})
}

pub fn good_claims(issuer: &str) -> Value {
    json!({
        "iss": issuer, "sub": "user-1", "aud": RESOURCE, "client_id": "agent",
        "scope": "read issues:create", "iat": NOW - 10, "exp": NOW + 3600, "jti": "j",
    })
}

/// Settings for a zone and three services.
pub fn settings(zone: &str, supabase: &str, anthropic: &str, linear: &str) -> Settings {
    let vars = BTreeMap::from([
        ("KEYCARD_URL", zone),
        ("MCP_RESOURCE_URL", RESOURCE),
        ("KEYCARD_CLIENT_ID", "app-1"),
        ("KEYCARD_CLIENT_SECRET", "s3cr3t/+"),
        ("SUPABASE_URL", supabase),
        ("ANTHROPIC_API_URL", anthropic),
        ("LINEAR_API_URL", linear),
        ("LINEAR_TEAM_ID", "team-1"),
    ]);
    Settings::for_stage(Stage::Delegated, |name| {
        vars.get(name).map(|value| Secret::from(*value))
    })
    .unwrap()
}

/// The server, with a clock that stands still and no pauses between tries.
pub fn server(settings: Settings, clock: Arc<FakeClock>) -> Router {
    let mut deps = Deps::new(clock, Ids::seeded(1));
    deps.patience = Patience {
        supabase_pauses: vec![std::time::Duration::ZERO; 3],
        anthropic_pauses: vec![std::time::Duration::ZERO; 2],
        ..Patience::default()
    };
    router(settings, deps).unwrap()
}

/// A request as an MCP client sends it.
pub fn post(token: Option<&str>, message: &Value) -> Request {
    let mut request = Request::post("/mcp")
        .header("host", "localhost:8000")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::from(message.to_string())).unwrap()
}

pub fn list_tools() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
}

pub async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}
