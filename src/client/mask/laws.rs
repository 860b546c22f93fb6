//! However a secret is written in JSON, and wherever it stands below a secret's name, it is hidden.

use std::fmt::Write as _;

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::{Masker, names::SECRET_MEMBERS};
use crate::trace::event::Leg;

/// A character as JSON may write it: as it is, with the short escape, or by its number.
fn written(secret: &str, ways: &[u8]) -> String {
    let mut out = String::new();
    for (place, letter) in secret.chars().enumerate() {
        match (ways[place % ways.len()] % 3, letter) {
            (1, '/' | '"' | '\\') | (0, '"' | '\\') => write!(out, "\\{letter}").unwrap(),
            (2, _) => write!(out, "\\u{:04x}", u32::from(letter)).unwrap(),
            (_, _) => out.push(letter),
        }
    }
    out
}

/// All strings of a JSON text, those of JSON within them too.
fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if let Ok(inner) = serde_json::from_str::<Value>(text) {
                strings(&inner, out);
            }
            out.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(members) => members.values().for_each(|member| strings(member, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn tells(shown: &str, secret: &str) -> bool {
    let mut all = vec![shown.to_owned()];
    if let Ok(value) = serde_json::from_str(shown) {
        strings(&value, &mut all);
    }
    all.iter().any(|text| text.contains(secret))
}

/// A name as another language writes it.
fn spelled(name: &str, how: u8) -> String {
    let words = name.split('_');
    let capital = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
    match how % 5 {
        0 => name.to_owned(),
        1 => words
            .enumerate()
            .map(|(place, word)| match place {
                0 => word.to_owned(),
                _ => capital(word),
            })
            .collect(),
        2 => words.map(capital).collect(),
        3 => name.replace('_', "-"),
        _ => name.to_uppercase(),
    }
}

/// Any value whose strings are `secret`.
fn nested(secret: String) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => Just(Value::String(secret)),
        1 => Just(json!(7)),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            vec(("[a-z]{1,8}|type", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

const SECRET: &str = "[!-~]{12,40}";
const LEGS: [Leg; 4] = [Leg::Mcp, Leg::Console, Leg::Token, Leg::Discovery];

proptest! {
    #[test]
    fn a_known_secret_is_found_however_it_is_escaped(
        secret in SECRET,
        ways in vec(any::<u8>(), 1..8),
        leg in prop::sample::select(LEGS.to_vec()),
    ) {
        let masker = Masker::default();
        masker.remember(&secret);
        let whole = format!(r#"{{"echo":["you sent {}",1]}}"#, written(&secret, &ways));
        let inner = json!({"content": [{"type": "text", "text": whole}]}).to_string();
        let alone = format!("\"{}\"", written(&secret, &ways));
        for text in [&whole, &inner, &alone] {
            prop_assert!(serde_json::from_str::<Value>(text).is_ok());
            let shown = masker.json(text, leg);
            prop_assert!(!tells(&shown, &secret), "{shown}");
        }
        let value = masker.value(&json!({"echo": secret}), leg).to_string();
        prop_assert!(!tells(&value, &secret), "{value}");
    }

    #[test]
    fn a_known_secret_is_found_in_half_a_text_too(
        secret in "[A-Za-z0-9._~+/=-]{12,40}",
        ways in vec(any::<u8>(), 1..8),
    ) {
        let masker = Masker::default();
        masker.remember(&secret);
        let half = format!(r#"{{"echo":["you sent {}"#, written(&secret, &ways));
        let shown = masker.json(&half, Leg::Mcp);
        prop_assert!(!shown.contains(&secret), "{shown}");
        prop_assert!(shown.contains('‹'), "{shown}");
    }

    #[test]
    fn a_secrets_name_may_be_spelled_in_any_way(
        name in prop::sample::select(SECRET_MEMBERS.to_vec()),
        how in any::<u8>(),
        secret in SECRET,
        leg in prop::sample::select(LEGS.to_vec()),
    ) {
        let whole = json!({spelled(name, how): secret, "name": "open"}).to_string();
        let inner = json!({"text": whole}).to_string();
        let quoted = format!("it said {whole}");
        let half = &whole[..whole.find("\",\"name").unwrap()];
        let written = &json!(secret).to_string();
        for text in [&whole, &inner, &quoted, half] {
            let masker = Masker::default();
            let shown = masker.json(text, leg);
            prop_assert!(!tells(&shown, &secret), "{shown}");
            prop_assert!(!shown.contains(&written[1..written.len() - 1]), "{shown}");
        }
    }

    #[test]
    fn what_stands_below_a_secrets_name_is_hidden_at_any_depth(
        name in prop::sample::select(SECRET_MEMBERS.to_vec()),
        how in any::<u8>(),
        (secret, below) in SECRET.prop_flat_map(|secret| (Just(secret.clone()), nested(secret))),
        parent in "[a-z]{1,8}|properties",
    ) {
        let text = json!({"name": "stays open", (parent): {"a": [{spelled(name, how): [below]}]}});
        let masker = Masker::default();
        let shown = masker.json(&text.to_string(), Leg::Mcp);
        prop_assert!(!tells(&shown, &secret), "{shown}");
        prop_assert!(shown.contains("stays open"), "{shown}");
        let value = masker.value(&text, Leg::Mcp).to_string();
        prop_assert!(!tells(&value, &secret), "{value}");
    }

    #[test]
    fn where_nothing_is_secret_the_text_stays_as_it_came(
        text in "[a-z ]{0,12}",
        number in any::<i32>(),
    ) {
        let pretty = format!("{{\n  \"name\": \"{text}\",\n  \"number\": {number}\n}}");
        prop_assert_eq!(Masker::default().json(&pretty, Leg::Mcp), pretty);
    }
}

#[test]
fn what_a_tools_parameter_is_stays_readable() {
    let schema = r#"{"inputSchema":{"properties":{"token":{"type":"string","description":"which seat"},"secret":{"$ref":"\#/$defs/Seat"}}}}"#.replace("\\#", "#");
    assert_eq!(Masker::default().json(&schema, Leg::Mcp), schema);
}
