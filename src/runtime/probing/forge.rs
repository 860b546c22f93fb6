//! Makes tokens that no server should take, and the zone of somebody else.
//!
//! The key is made once for a run and opens nothing anywhere: no zone publishes it.

use std::{net::Ipv4Addr, sync::Arc};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use axum::{Json, Router, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::OnceCell, task::AbortHandle};

use crate::protocol::secret::Secret;

/// The name of the key in its own key set.
pub(super) const KID: &str = "hoptrail-probe";

/// A key pair that signs for nobody.
#[derive(Debug, Clone)]
pub(super) struct Forge(Option<Arc<RsaKeyPair>>);

impl Forge {
    /// The run's forge. Making the key takes a tenth of a second or more, so it is made once.
    pub async fn get() -> Self {
        static FORGE: OnceCell<Forge> = OnceCell::const_new();
        FORGE
            .get_or_init(async || {
                let made =
                    tokio::task::spawn_blocking(|| RsaKeyPair::generate(KeySize::Rsa2048)).await;
                Self(made.ok().and_then(Result::ok).map(Arc::new))
            })
            .await
            .clone()
    }

    /// A signed token with these claims that names `kid`; `None` if the library refuses.
    pub fn token(&self, kid: &str, claims: &Value) -> Option<Secret> {
        let pair = self.0.as_ref()?;
        let header = json!({ "alg": "RS256", "kid": kid, "typ": "at+jwt" });
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = SystemRandom::new();
        pair.sign(&RSA_PKCS1_SHA256, &random, token.as_bytes(), &mut signature)
            .ok()?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
        Some(Secret::new(token))
    }

    fn jwks(&self) -> Value {
        let Some(pair) = &self.0 else {
            return json!({ "keys": [] });
        };
        let public = pair.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KID,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        }] })
    }
}

/// Another zone, with metadata and keys, for the server that believes whatever a token names. It
/// listens on this computer as long as it is held.
#[derive(Debug)]
pub(super) struct ForeignZone {
    pub issuer: String,
    serving: AbortHandle,
}

impl ForeignZone {
    pub async fn open(forge: &Forge) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/oauth/2/authorize"),
            "token_endpoint": format!("{issuer}/oauth/2/token"),
            "jwks_uri": format!("{issuer}/openidconnect/jwks"),
            "response_types_supported": ["code"],
        });
        let keys = forge.jwks();
        let told = move |answer: Value| get(async move || Json(answer));
        let router = Router::new()
            .route(
                "/.well-known/oauth-authorization-server",
                told(document.clone()),
            )
            .route("/.well-known/openid-configuration", told(document))
            .route("/openidconnect/jwks", told(keys));
        let serving = tokio::spawn(async move {
            // It ends with the probe; whatever it says before is of no interest.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            issuer,
            serving: serving.abort_handle(),
        })
    }
}

impl Drop for ForeignZone {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
