//! `tools/list` at the MCP endpoint, with a token that should not do or with none.

use http::{Method, header};
use serde_json::{Value, json};
use url::Url;

use crate::{
    chapters::{
        Reading,
        probe::{HttpAnswer, HttpProbe},
    },
    client::{
        http::{DOCUMENT_LIMIT, Outgoing, Reply, content_type},
        url_policy::bare,
    },
    protocol::{
        challenge,
        observed::{LAB_TOKENS_PATH, StrayToken, another_resource},
        secret::Secret,
    },
    support::text::{one_line, truncate},
    trace::event::Leg,
};

use super::{
    ProbeTargets, failed,
    forge::{ForeignZone, Forge, KID},
    metadata::Named,
};

const HOUR: i64 = 3_600;
/// Headers longer than this say nothing more.
const LONGEST_HEADER: usize = 2_000;

/// Whether the zone itself signed a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signed {
    ByTheZone,
    ByUs,
}

pub(super) async fn run(
    probe: HttpProbe,
    issuer: &Named,
    forge: Option<&Forge>,
    around: &ProbeTargets,
) -> Reading<HttpAnswer> {
    let Some(forge) = forge.filter(|_| probe != HttpProbe::NoToken) else {
        return send(None, around).await;
    };
    let foreign = match probe {
        HttpProbe::ForeignIssuer => match ForeignZone::open(forge).await {
            Ok(zone) => Some(zone),
            Err(error) => {
                return failed(format!("another zone could not be played: {error}"));
            }
        },
        HttpProbe::NoToken
        | HttpProbe::ForgedToken
        | HttpProbe::ExpiredToken
        | HttpProbe::WrongAudience => None,
    };
    let stray = match probe {
        HttpProbe::ExpiredToken => ask(StrayToken::Expired, issuer, around).await,
        HttpProbe::WrongAudience => ask(StrayToken::OtherAudience, issuer, around).await,
        HttpProbe::NoToken | HttpProbe::ForgedToken | HttpProbe::ForeignIssuer => None,
    };
    let (token, signed) = if let Some(token) = stray {
        (Some(token), Signed::ByTheZone)
    } else {
        let claims = claims(probe, issuer, foreign.as_ref(), around);
        let kid = match probe {
            HttpProbe::ForeignIssuer => KID,
            HttpProbe::NoToken
            | HttpProbe::ForgedToken
            | HttpProbe::ExpiredToken
            | HttpProbe::WrongAudience => issuer.kid.as_deref().unwrap_or(KID),
        };
        (forge.token(kid, &claims), Signed::ByUs)
    };
    let Some(token) = token else {
        return failed("a token to try could not be signed");
    };
    let answer = send(Some(&token), around).await;
    match (probe, signed, answer) {
        (HttpProbe::ExpiredToken, Signed::ByUs, answer) => believe(answer, "expired", "expiry"),
        (HttpProbe::WrongAudience, Signed::ByUs, answer) => believe(answer, "audience", "audience"),
        (_, _, answer) => answer,
    }
}

/// A token that is not the zone's own is refused for its signature by any good server, so its
/// refusal proves no more than that, unless the server says what it looked at.
fn believe(answer: Reading<HttpAnswer>, word: &str, what: &str) -> Reading<HttpAnswer> {
    match answer {
        Reading::Told(answer) if answer.status == 401 => {
            let says = answer
                .www_authenticate
                .as_deref()
                .and_then(|challenge| challenge::parameter(challenge, "error_description"))
                .is_some_and(|words| words.to_lowercase().contains(word));
            if says {
                return Reading::Told(answer);
            }
            Reading::Unavailable {
                look_at: format!(
                    "how your server checks a token's {what}: it refused one that hoptrail signed \
                     itself, and a zone signs no wrong ones to try with"
                ),
            }
        }
        other => other,
    }
}

/// Asks a lab's zone for a token with its own signature.
async fn ask(kind: StrayToken, issuer: &Named, around: &ProbeTargets) -> Option<Secret> {
    let mut url: Url = issuer.lab.clone()?;
    url.set_path(&format!("{LAB_TOKENS_PATH}/{}", kind.name()));
    let outgoing = Outgoing::new(Method::GET, url, Leg::Discovery);
    let answer = around.http.exchange(outgoing, DOCUMENT_LIMIT).await.ok()?;
    let text = answer
        .status
        .is_success()
        .then(|| String::from_utf8(answer.body).ok())??;
    around.http.masker().remember(&text);
    Some(Secret::new(text))
}

/// Right in every way but one.
fn claims(
    probe: HttpProbe,
    issuer: &Named,
    foreign: Option<&ForeignZone>,
    around: &ProbeTargets,
) -> Value {
    let now = around.clock.now().timestamp();
    let audience = match (probe, &issuer.audience) {
        (HttpProbe::WrongAudience, _) => another_resource(around.server.as_str()),
        (_, Some(audience)) => audience.clone(),
        (_, None) => around.server.to_string(),
    };
    let iss = match (foreign, &issuer.zone) {
        (Some(foreign), _) => foreign.issuer.clone(),
        (None, Some(issuer)) => issuer.clone(),
        (None, None) => "https://zone.invalid".to_owned(),
    };
    let iat = match probe {
        HttpProbe::ExpiredToken => now - 2 * HOUR,
        _ => now,
    };
    json!({
        "iss": iss,
        "sub": "hoptrail-probe",
        "sub_profile": "user",
        "client_id": "hoptrail-probe",
        "aud": audience,
        "scope": "read issues:create",
        "iat": iat,
        "exp": iat + HOUR,
        "jti": around.ids.short(),
    })
}

async fn send(token: Option<&Secret>, around: &ProbeTargets) -> Reading<HttpAnswer> {
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let mut outgoing = Outgoing::new(Method::POST, around.server.clone(), Leg::Mcp)
        .header(header::ACCEPT, "application/json, text/event-stream")
        .body("application/json", list.to_string().into_bytes());
    if let Some(token) = token {
        around.http.masker().remember(token.expose());
        outgoing = outgoing.header(header::AUTHORIZATION, &format!("Bearer {}", token.expose()));
    }
    let reply = match around.http.send(outgoing).await {
        Ok(reply) => reply,
        Err(error) => {
            return failed(format!(
                "the MCP server at {} did not answer: {}",
                bare(&around.server),
                error.why
            ));
        }
    };
    let answer = HttpAnswer {
        status: reply.status.as_u16(),
        www_authenticate: around
            .http
            .masker()
            .headers(&reply.headers)
            .into_iter()
            .find(|(name, _)| name == header::WWW_AUTHENTICATE.as_str())
            .map(|(_, value)| truncate(&one_line(&value), LONGEST_HEADER).into_owned()),
        outcome: None,
    };
    if !reply.status.is_success() {
        return Reading::Told(answer);
    }
    let media_type = content_type(&reply.headers).to_ascii_lowercase();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    match no_answer(reply, media_type).await {
        Some(what) => failed(format!(
            "{} answered {} with {what}, which is no answer of an MCP server",
            bare(&around.server),
            answer.status
        )),
        None => Reading::Told(answer),
    }
}

/// What a success is that gives no list of tools; `None` for one that may. A stream is not waited for.
async fn no_answer(reply: Reply, media_type: &str) -> Option<String> {
    match media_type {
        "application/json" => {
            let answer = reply.read(DOCUMENT_LIMIT).await.ok()?;
            let Ok(answer) = serde_json::from_slice::<Value>(&answer.body) else {
                return Some("what is no JSON".to_owned());
            };
            let error = answer
                .get("error")
                .filter(|_| answer.get("result").is_none())?;
            let said = error["message"].as_str().unwrap_or("no message");
            Some(format!(
                "a JSON-RPC error ({})",
                truncate(&one_line(said), 80)
            ))
        }
        "text/event-stream" => None,
        "" => Some("nothing that says what it is".to_owned()),
        other => Some(one_line(other)),
    }
}
