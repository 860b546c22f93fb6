//! The names under which secrets travel, and the ones under which none does.

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
    "limit",
    "status",
    "expand[]",
    "filter[active]",
    "decision",
    "action",
    "person",
    "user",
    "login",
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

/// JSON members (and members of forms inside JSON) that carry a secret.
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
    "apikey",
    "private_key",
    "csrf",
    "csrf_token",
    "csrftoken",
];

/// Members that carry a secret in OAuth, but a plain word in a tool's arguments or result.
const SECRET_MEMBERS_OF_OAUTH: &[&str] = &["code", "state", "code_challenge", "nonce"];

/// Whether a JSON member carries a secret in this part of the conversation.
pub(super) fn is_secret_member(name: &str, leg: Leg) -> bool {
    let lower = name.to_ascii_lowercase();
    if SECRET_MEMBERS.contains(&lower.as_str()) {
        return true;
    }
    match leg {
        Leg::Mcp | Leg::Console | Leg::Discovery => false,
        Leg::Registration | Leg::Authorization | Leg::Callback | Leg::Token => {
            SECRET_MEMBERS_OF_OAUTH.contains(&lower.as_str())
        }
    }
}
