//! Two tokens side by side: what one says before the exchange, and what the other says after it.

use chrono::DateTime;
use ratatui::{
    style::Style,
    text::{Line, Span},
};
use serde_json::Value;

use crate::{
    projection::Projection,
    protocol::{
        audit::{AuditRecord, CredentialSource},
        jwt::TokenView,
    },
    support::text::{one_line, truncate, width},
    ui::{
        look::{Look, Role},
        widgets::put::span,
    },
};

/// Cells for a claim's name.
const NAME: usize = 12;
/// Cells for what a claim is for.
const MEANING: usize = 24;

/// The claims that a reader looks for first.
const FIRST: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "azp",
    "client_id",
    "act",
    "scope",
    "exp",
];

/// The token that came in beside the credential that went out.
#[must_use]
pub fn exchange(
    record: &AuditRecord,
    seen: &Projection,
    cells: usize,
    look: &Look,
) -> Vec<Line<'static>> {
    let before = record.subject_token.as_ref();
    let after = record.credential.as_ref();
    let column = cells.saturating_sub(NAME + 4) / 2;
    let head = |token: Option<&TokenView>, none: &str| match token {
        Some(token) => named(seen, token, look),
        None => vec![span(none.to_owned(), look.style(Role::Dim))],
    };
    let mut lines = vec![
        row(
            vec![span("", Style::new())],
            vec![span(
                "Before: the caller's token",
                look.style(Role::Heading),
            )],
            vec![span(
                "After: the credential issued",
                look.style(Role::Heading),
            )],
            column,
        ),
        row(
            vec![span("token", look.style(Role::Dim))],
            head(before, "not observed"),
            head(
                after.map(|credential| &credential.token),
                "none: it was refused",
            ),
            column,
        ),
        row(
            vec![span("kind", look.style(Role::Dim))],
            vec![Span::raw(before.map_or(String::new(), kind))],
            vec![Span::raw(
                after.map_or(String::new(), |c| source(c.source).to_owned()),
            )],
            column,
        ),
        Line::raw(""),
    ];
    let empty = serde_json::Map::new();
    let old = before.map_or(&empty, |token| &token.claims);
    let new = after.map_or(&empty, |credential| &credential.token.claims);
    let mut names: Vec<&str> = FIRST
        .iter()
        .copied()
        .filter(|name| old.contains_key(*name) || new.contains_key(*name))
        .collect();
    for name in old.keys().chain(new.keys()) {
        if !names.contains(&name.as_str()) && names.len() < 60 {
            names.push(name);
        }
    }
    for name in names {
        let (a, b) = (old.get(name), new.get(name));
        let changed = a != b;
        let style = if changed {
            look.style(Role::Heading)
        } else {
            Style::new()
        };
        lines.push(row(
            vec![span(one_line(name), look.style(Role::Key))],
            vec![shown(name, a, Style::new(), look)],
            vec![shown(name, b, style, look)],
            column,
        ));
    }
    if new.is_empty() && after.is_some() {
        lines.push(Line::raw(""));
        lines.push(Line::styled(
            "The credential is opaque: it has no claims to read.",
            look.style(Role::Dim),
        ));
    }
    lines
}

/// What a token says that the client was given for its person.
#[must_use]
pub fn issued(
    token: &TokenView,
    seen: &Projection,
    cells: usize,
    look: &Look,
) -> Vec<Line<'static>> {
    let mut head = vec![span(
        "The token that the client got: ",
        look.style(Role::Heading),
    )];
    head.extend(named(seen, token, look));
    let mut lines = vec![Line::from(head), Line::raw(kind(token)), Line::raw("")];
    let first = FIRST.iter().copied();
    let rest = token.claims.keys().map(String::as_str);
    let rest = rest.filter(|name| !FIRST.contains(name));
    for name in first.chain(rest).take(60) {
        let Some(value) = token.claims.get(name) else {
            continue;
        };
        let mut spans = padded(vec![span(one_line(name), look.style(Role::Key))], NAME);
        spans.extend(padded(
            vec![span(meaning(name), look.style(Role::Dim))],
            MEANING,
        ));
        let value = shown(name, Some(value), Style::new(), look);
        let room = cells.saturating_sub(NAME + MEANING);
        spans.push(span(
            truncate(&value.content, room).into_owned(),
            value.style,
        ));
        lines.push(Line::from(spans));
    }
    if token.claims.is_empty() {
        lines.push(Line::styled(
            "It is opaque to the client: it has no claims to read.",
            look.style(Role::Dim),
        ));
    }
    lines
}

/// What a claim is for (RFC 9068, section 2.2).
const fn meaning(name: &str) -> &'static str {
    match name.as_bytes() {
        b"iss" => "who signed it",
        b"sub" => "whose it is",
        b"aud" => "what it is good for",
        b"client_id" => "who asked for it",
        b"scope" => "what it allows",
        b"exp" => "when it ends",
        b"iat" => "when it was made",
        b"sid" => "the session it is of",
        _ => "",
    }
}

fn kind(token: &TokenView) -> String {
    if token.claims.is_empty() {
        return "opaque".to_owned();
    }
    let of = |name: &str| token.header.get(name).and_then(Value::as_str).unwrap_or("");
    one_line(format!("JWT {} {}", of("alg"), of("typ")).trim())
}

/// Where a credential comes from, in words.
#[must_use]
pub const fn source(source: CredentialSource) -> &'static str {
    match source {
        CredentialSource::KeycardSts => "signed by the zone",
        CredentialSource::KeycardVault => "from the vault, verbatim",
        CredentialSource::External => "the provider's own, for that user",
    }
}

/// A token's letter and fingerprint.
#[must_use]
pub fn named(seen: &Projection, token: &TokenView, look: &Look) -> Vec<Span<'static>> {
    let letter = seen
        .credentials()
        .letter(token.fingerprint)
        .map_or(String::new(), |letter| format!("{letter} "));
    vec![
        span(letter, look.bold(Role::Masked)),
        span(token.fingerprint.to_string(), look.style(Role::Masked)),
    ]
}

/// A claim's value; a NumericDate (RFC 7519, section 2) also as a time of day.
fn shown(name: &str, value: Option<&Value>, style: Style, look: &Look) -> Span<'static> {
    let Some(value) = value else {
        return span(look.glyphs.dash, look.style(Role::Dim));
    };
    let time = ["exp", "iat", "nbf", "auth_time"]
        .contains(&name)
        .then(|| DateTime::from_timestamp(value.as_i64()?, 0))
        .flatten();
    let text = match (value, time) {
        (number, Some(time)) => format!("{number}  {}", time.format("%H:%M:%S UTC")),
        (Value::String(text), None) => one_line(text),
        (other, None) => one_line(&other.to_string()),
    };
    span(text, style)
}

fn row(
    name: Vec<Span<'static>>,
    left: Vec<Span<'static>>,
    right: Vec<Span<'static>>,
    column: usize,
) -> Line<'static> {
    let mut spans = padded(name, NAME);
    spans.push(Span::raw("  "));
    spans.extend(padded(left, column));
    spans.push(Span::raw("  "));
    spans.extend(padded(right, column));
    Line::from(spans)
}

/// Cuts or fills spans to exactly `cells`.
fn padded(spans: Vec<Span<'static>>, cells: usize) -> Vec<Span<'static>> {
    let mut room = cells;
    let mut out = Vec::new();
    for piece in spans {
        let cut = truncate(&piece.content, room).into_owned();
        room -= width(&cut).min(room);
        out.push(span(cut, piece.style));
    }
    out.push(Span::raw(" ".repeat(room)));
    out
}
