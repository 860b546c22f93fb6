//! The names under which secrets travel, and the ones under which none does.

use serde_json::{Map, Value};

use crate::trace::event::Leg;

/// Query parameters and form fields whose values open nothing. Every other value is masked: the
/// parameters of a server that is not ours are not known, and one of them may be a key.
pub(super) const OPEN_FIELDS: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "resource",
    "audience",
    "code_challenge_method",
    "prompt",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "grant_type",
    "subject_token_type",
    "requested_token_type",
    "actor_token_type",
    "client_assertion_type",
    "after",
    "before",
    "latest",
    "limit",
    "status",
    "expand[]",
    "filter[active]",
    "decision",
    "action",
    "person",
    "user",
    "login",
    "login_hint",
    "email",
    "actor",
];

/// Words in the name of a field whose value is looked for everywhere after. A value under another
/// name is masked where it stands and no more: it may be an ordinary word or an identifier, and
/// hiding that everywhere would hide the story.
pub(super) const SECRET_WORDS: &[&str] = &[
    "token",
    "secret",
    "csrf",
    "code",
    "state",
    "nonce",
    "verifier",
    "transaction",
    "session",
    "key",
    "password",
    "assertion",
];

/// JSON members (and members of forms inside JSON) that carry a secret, however their words are
/// joined: `access_token` is `accessToken` and `Access-Token` too.
pub(super) const SECRET_MEMBERS: &[&str] = &[
    "access_token",
    "refresh_token",
    "id_token",
    "token",
    "subject_token",
    "actor_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code_verifier",
    "device_code",
    "registration_access_token",
    "authorization",
    "password",
    "secret",
    "api_key",
    "private_key",
    "csrf",
    "csrf_token",
];

/// Members that carry a secret in OAuth, but a plain word in a tool's arguments or result.
const SECRET_MEMBERS_OF_OAUTH: &[&str] = &["code", "state", "code_challenge", "nonce"];

/// Whether a JSON member carries a secret in this part of the conversation.
pub(super) fn is_secret_member(name: &str, leg: Leg) -> bool {
    if is_one_of(SECRET_MEMBERS, name) {
        return true;
    }
    match leg {
        Leg::Mcp | Leg::Console | Leg::Discovery => false,
        Leg::Registration | Leg::Authorization | Leg::Callback | Leg::Token => {
            is_one_of(SECRET_MEMBERS_OF_OAUTH, name)
        }
    }
}

/// Compared letter by letter: this is asked of every member of every message.
fn is_one_of(known: &[&str], name: &str) -> bool {
    known.iter().any(|one| bare(one).eq(bare(name)))
}

/// A name's letters without what joins its words.
fn bare(name: &str) -> impl Iterator<Item = u8> {
    name.bytes()
        .filter(|byte| !matches!(byte, b'_' | b'-'))
        .map(|byte| byte.to_ascii_lowercase())
}

/// What finds a secret member's name in text that is no whole JSON.
pub(super) fn pattern() -> String {
    let names: Vec<String> = SECRET_MEMBERS
        .iter()
        .map(|name| name.replace('_', "[_-]*"))
        .collect();
    format!("(?i:{}|code|state)", names.join("|"))
}

/// Whether an object describes a value and is none: a parameter of a tool may be called `token`.
pub(super) fn is_schema(members: &Map<String, Value>) -> bool {
    ["type", "$ref", "anyOf", "oneOf", "allOf"]
        .iter()
        .any(|word| members.contains_key(*word))
}
