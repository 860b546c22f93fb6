//! What a variable of the workshop's `.env` is worth to a thief.

use super::{EnvKind, EnvLine};
use crate::{
    protocol::{observed::Upstream, secret::Secret},
    support::text::one_line,
};

/// How a known variable is told.
struct Known {
    name: &'static str,
    kind: EnvKind,
    note: &'static str,
    worth_stealing: bool,
}

const fn known(name: &'static str, kind: EnvKind, note: &'static str) -> Known {
    Known {
        name,
        kind,
        note,
        worth_stealing: false,
    }
}

const KNOWN: &[Known] = &[
    known("PORT", EnvKind::Config, "the port the server listens on"),
    Known {
        name: "LINEAR_API_KEY",
        kind: EnvKind::Secret,
        note: "opens all of Linear, whoever holds it",
        worth_stealing: true,
    },
    known(
        "LINEAR_TEAM_ID",
        EnvKind::Identifier,
        "the Linear team that gets the issues",
    ),
    known(
        "KEYCARD_CLIENT_ID",
        EnvKind::Identifier,
        "names the application at the zone",
    ),
    known(
        "KEYCARD_CLIENT_SECRET",
        EnvKind::Secret,
        "proves the application to the zone, where policy decides and the log tells",
    ),
    known(
        "KEYCARD_URL",
        EnvKind::Identifier,
        "the zone, issuer of every token",
    ),
    known(
        "MCP_RESOURCE_URL",
        EnvKind::Identifier,
        "the server's own name, the audience of tokens",
    ),
    known(
        "SUPABASE_URL",
        EnvKind::Identifier,
        "the ticket database, as registered at the zone",
    ),
    known(
        "ANTHROPIC_API_URL",
        EnvKind::Identifier,
        "the model, as registered at the zone",
    ),
    known(
        "LINEAR_API_URL",
        EnvKind::Identifier,
        "Linear, as registered at the zone",
    ),
    Known {
        name: "SUPABASE_SECRET_KEY",
        kind: EnvKind::Secret,
        note: "reads every row of the database",
        worth_stealing: true,
    },
    Known {
        name: "ANTHROPIC_API_KEY",
        kind: EnvKind::Secret,
        note: "calls the model at your cost",
        worth_stealing: true,
    },
];

/// Beginnings of keys that open a service by themselves.
const KEY_SHAPES: &[(&str, &str)] = &[
    ("sb_secret_", "a Supabase secret key: reads every row"),
    ("sk-ant-", "an Anthropic key: calls the model at your cost"),
    ("lin_api_", "a Linear key: opens all of Linear"),
    ("lin_oauth_", "a Linear token: acts as a Linear user"),
    ("ghp_", "a GitHub token"),
    ("github_pat_", "a GitHub token"),
    ("gho_", "a GitHub token"),
    ("sk_live_", "a Stripe key"),
    ("sk_test_", "a Stripe test key"),
    ("whsec_", "a webhook signing secret"),
    ("xoxb-", "a Slack token"),
    ("sk-", "an API key"),
    ("AKIA", "an AWS access key"),
    ("eyJ", "a signed token"),
];

/// Tells what `value` is. A secret's value is not in the answer.
///
/// The value's shape counts more than the name: a Linear key under a harmless name is still one.
#[must_use]
pub fn classify(name: &str, value: &Secret) -> EnvLine {
    let text = value.expose();
    let set = !text.is_empty();
    let shape = KEY_SHAPES.iter().find(|(head, _)| text.starts_with(head));
    let told = KNOWN.iter().find(|k| k.name == name);
    let (kind, note, worth_stealing) = match (shape, told) {
        (_, Some(known)) if known.kind == EnvKind::Secret => {
            (known.kind, known.note, known.worth_stealing)
        }
        (Some((_, note)), _) => (EnvKind::Secret, *note, true),
        (None, _) if has_password(text) => {
            (EnvKind::Secret, "an address with a password in it", true)
        }
        (None, Some(known)) => (known.kind, known.note, known.worth_stealing),
        (None, None) if sounds_secret(name) || looks_random(text) => (
            EnvKind::Secret,
            "not one of the workshop's; it looks like a key",
            true,
        ),
        (None, None) if is_address(text) => (
            EnvKind::Identifier,
            "not one of the workshop's; an address",
            false,
        ),
        (None, None) => (EnvKind::Config, "not one of the workshop's", false),
    };
    EnvLine {
        name: one_line(name),
        kind,
        value: (kind != EnvKind::Secret).then(|| one_line(text)),
        set,
        note: note.to_owned(),
        worth_stealing: worth_stealing && set,
    }
}

/// Beginnings of values by which the workshop's services know their own keys.
const SERVICE_SHAPES: &[(&str, Upstream)] = &[
    ("sb_secret_", Upstream::Supabase),
    ("sb_publishable_", Upstream::Supabase),
    ("sk-ant-", Upstream::Anthropic),
    ("lin_api_", Upstream::Linear),
    ("lin_oauth_", Upstream::Linear),
];

/// What a signed token begins with; older keys of Supabase are such, and much else.
const SIGNED: &str = "eyJ";

/// The service whose own key a value could be: by its shape, or else by what the variable is called.
/// Never the application's secret at the zone, which is no key of any service.
#[must_use]
pub fn could_open(name: &str, value: &Secret) -> Option<Upstream> {
    let text = value.expose();
    let name = name.to_ascii_uppercase();
    if text.is_empty() || name == "KEYCARD_CLIENT_SECRET" {
        return None;
    }
    let shape = SERVICE_SHAPES
        .iter()
        .find(|(head, _)| text.starts_with(head));
    if let Some((_, service)) = shape {
        return Some(*service);
    }
    let somebody_elses = KEY_SHAPES
        .iter()
        .any(|(head, _)| *head != SIGNED && text.starts_with(head));
    let words: Vec<&str> = name.split('_').collect();
    let is_key = words.iter().any(|word| matches!(*word, "KEY" | "TOKEN"));
    if somebody_elses || text.contains("://") || !is_key {
        return None;
    }
    [
        ("SUPABASE", Upstream::Supabase),
        ("ANTHROPIC", Upstream::Anthropic),
        ("LINEAR", Upstream::Linear),
    ]
    .into_iter()
    .find(|(word, _)| words.contains(word))
    .map(|(_, service)| service)
}

fn sounds_secret(name: &str) -> bool {
    name.to_ascii_uppercase().split('_').any(|word| {
        matches!(
            word,
            "KEY" | "SECRET" | "TOKEN" | "PASSWORD" | "PASS" | "CREDENTIAL"
        )
    })
}

/// Long, one word, with letters and digits mixed: nobody types that. A UUID names something and
/// is no key.
fn looks_random(text: &str) -> bool {
    text.len() >= 24
        && uuid::Uuid::try_parse(text).is_err()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-+/=.".contains(&b))
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_lowercase())
        && text.bytes().any(|b| b.is_ascii_uppercase())
}

/// `postgres://user:password@host`: the address itself is the key.
fn has_password(text: &str) -> bool {
    text.split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?', '#']).next()?.rsplit_once('@'))
        .is_some_and(|(user, _)| user.contains(':'))
}

fn is_address(text: &str) -> bool {
    text.contains("://") || uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("LINEAR_API_KEY", "anything", EnvKind::Secret, true)]
    #[case("KEYCARD_CLIENT_SECRET", "abc", EnvKind::Secret, false)]
    #[case("KEYCARD_CLIENT_ID", "abc", EnvKind::Identifier, false)]
    #[case("PORT", "8000", EnvKind::Config, false)]
    #[case("SUPABASE_URL", "https://x.supabase.co", EnvKind::Identifier, false)]
    #[case("SUPABASE_URL", "sb_secret_abcdef", EnvKind::Secret, true)]
    #[case("HARMLESS", "sk-ant-api03-abc", EnvKind::Secret, true)]
    #[case("HARMLESS", "lin_api_abc", EnvKind::Secret, true)]
    #[case("MY_TOKEN", "abc", EnvKind::Secret, true)]
    #[case("DB", "postgres://u:p@h/db", EnvKind::Secret, true)]
    #[case("SUPABASE_URL", "https://u:p@h", EnvKind::Secret, true)]
    #[case("DB", "postgres://h/db", EnvKind::Identifier, false)]
    #[case("X", "aB3aB3aB3aB3aB3aB3aB3aB3", EnvKind::Secret, true)]
    #[case(
        "X",
        "030eb113-b144-44f8-864f-c0507c21e80d",
        EnvKind::Identifier,
        false
    )]
    #[case("NODE_ENV", "production", EnvKind::Config, false)]
    fn a_variable_is_told_by_its_name_and_its_shape(
        #[case] name: &str,
        #[case] value: &str,
        #[case] kind: EnvKind,
        #[case] worth_stealing: bool,
    ) {
        let line = classify(name, &Secret::from(value));
        assert_eq!((line.kind, line.worth_stealing), (kind, worth_stealing));
        assert_eq!(line.value.is_none(), kind == EnvKind::Secret);
    }

    #[rstest]
    #[case("LINEAR_API_KEY", "anything", Some(Upstream::Linear))]
    #[case("HARMLESS", "lin_api_abc", Some(Upstream::Linear))]
    #[case("LINEAR_API_KEY", "sk-ant-api03-abc", Some(Upstream::Anthropic))]
    #[case("SUPABASE_URL", "sb_secret_abcdef", Some(Upstream::Supabase))]
    #[case("SUPABASE_SERVICE_ROLE_KEY", "eyJhbGciOi", Some(Upstream::Supabase))]
    #[case("anthropic_api_key", "abc", Some(Upstream::Anthropic))]
    #[case("KEYCARD_CLIENT_SECRET", "abc", None)]
    #[case("KEYCARD_CLIENT_SECRET", "lin_api_abc", None)]
    #[case("SESSION_TOKEN", "eyJhbGciOi", None)]
    #[case("LINEAR_TOKEN", "ghp_abc", None)]
    #[case("AWS_SECRET_ACCESS_KEY", "aB3aB3aB3aB3aB3aB3aB3aB3", None)]
    #[case("LINEAR_TEAM_ID", "030eb113-b144-44f8-864f-c0507c21e80d", None)]
    #[case("SUPABASE_URL", "https://x.supabase.co", None)]
    #[case("SUPABASE_DB_KEY", "postgres://u:p@h/db", None)]
    #[case("SUPABASE_DB_PASSWORD", "hunter2", None)]
    #[case("PORT", "8000", None)]
    #[case("LINEAR_API_KEY", "", None)]
    fn only_a_services_own_key_could_open_it(
        #[case] name: &str,
        #[case] value: &str,
        #[case] service: Option<Upstream>,
    ) {
        assert_eq!(could_open(name, &Secret::from(value)), service);
    }

    #[test]
    fn an_empty_key_is_not_worth_stealing() {
        let line = classify("LINEAR_API_KEY", &Secret::from(""));
        assert!(!line.set && !line.worth_stealing);
    }
}
