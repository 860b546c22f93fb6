//! JSON Lines: a header, then an event a line.
//!
//! A reader must live with a torn last line, with damaged lines (named and skipped) and with
//! kinds that it does not know (kept as they are).

use std::fmt::Display;

use serde::{
    Deserialize, Serialize,
    de::{IntoDeserializer as _, value::StrDeserializer},
};
use serde_json::error::Category;

use super::{
    event::{Actor, Fact, TraceEvent, UnknownFact},
    skim::Skimmed,
};
use crate::{
    protocol::{observed::CallId, traceparent::SpanId},
    support::text::one_line,
};

/// What the first line says under `format`.
pub const FORMAT: &str = "hoptrail-trace";
/// The version of the format that is written; a reader takes this one and older.
pub const VERSION: u32 = 1;
/// The longest line that is read, in bytes: a ticket of 4 MB, escaped, fits.
pub const MAX_LINE: usize = 32 * 1024 * 1024;

/// The first line of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub format: String,
    pub version: u32,
    /// The program that wrote it, with its version.
    pub app: String,
    /// Wall clock at microsecond zero.
    pub started: chrono::DateTime<chrono::Utc>,
    /// A line for a person: what the trace shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl Header {
    /// The header of a trace that begins now.
    #[must_use]
    pub fn new(started: chrono::DateTime<chrono::Utc>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            app: concat!("hoptrail ", env!("CARGO_PKG_VERSION")).to_owned(),
            started,
            title: None,
        }
    }
}

/// Why a trace or a line of it could not be read. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("the file is empty")]
    Empty,
    #[error("line 1 is not a hoptrail trace header: {0}")]
    NotATrace(String),
    /// Its writer was stopped there, or has not finished the first line.
    #[error("the file ends within its first line, the header")]
    HeaderTorn,
    #[error("it is {0}, not plain UTF-8")]
    Foreign(&'static str),
    #[error("the trace has format version {found}; this hoptrail reads up to {VERSION}")]
    TooNew { found: u32 },
    #[error("line {line}, column {column}: {why}")]
    Damaged {
        line: u64,
        column: usize,
        why: String,
    },
}

/// Writes the header's line, with its line feed.
///
/// # Panics
/// Never: a header is always representable.
#[must_use]
pub fn encode_header(header: &Header) -> String {
    line(header)
}

/// Writes one event's line, with its line feed.
///
/// # Panics
/// Never: an event is always representable.
#[must_use]
pub fn encode(event: &TraceEvent) -> String {
    match &event.fact {
        Fact::Unknown(fact) => line(&Raw {
            seq: event.seq,
            at_us: event.at_us,
            span: event.span,
            call: event.call,
            actor: event.actor,
            fact: fact.clone(),
        }),
        _ => line(event),
    }
}

/// [`TraceEvent`] with a fact that is not understood.
#[derive(Serialize, Deserialize)]
struct Raw {
    seq: u64,
    at_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    span: Option<SpanId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<CallId>,
    actor: Actor,
    fact: UnknownFact,
}

fn line<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string(value).expect("plain data with string keys");
    text.push('\n');
    text
}

/// Reads the first line.
///
/// # Errors
/// If it is no header, not a whole one, or one of a newer format.
pub fn decode_header(text: &str) -> Result<Header, CodecError> {
    if text.trim().is_empty() {
        return Err(CodecError::Empty);
    }
    let header: Header = serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            CodecError::HeaderTorn
        } else {
            CodecError::NotATrace(why(&error))
        }
    })?;
    if header.format != FORMAT {
        return Err(CodecError::NotATrace(format!(
            "its format is \"{}\"",
            one_line(&header.format)
        )));
    }
    if header.version > VERSION {
        return Err(CodecError::TooNew {
            found: header.version,
        });
    }
    Ok(header)
}

/// Reads the event on line `number` (from 1, the header's).
///
/// # Errors
/// [`CodecError::Damaged`] with the column where reading stopped.
pub fn decode(text: &str, number: u64) -> Result<TraceEvent, CodecError> {
    serde_json::from_str(text).or_else(|error| {
        unknown(text).ok_or_else(|| CodecError::Damaged {
            line: number,
            column: error.column(),
            why: why(&error),
        })
    })
}

/// [`decode`] for folding: what no read model keeps is left out, which takes half the time.
///
/// # Errors
/// As [`decode`].
pub fn skim(text: &str, number: u64) -> Result<TraceEvent, CodecError> {
    match serde_json::from_str::<Skimmed>(text) {
        Ok(skimmed) => Ok(skimmed.into()),
        // A kind that is not known, or damage, which is to be named as ever.
        Err(_) => decode(text, number),
    }
}

/// What serde says without its own place: it counts the lines of one line.
fn why(error: &serde_json::Error) -> String {
    let text = one_line(&error.to_string());
    let why = match text.rsplit_once(" at line ") {
        Some((why, _)) => why.to_owned(),
        None => text,
    };
    match error.classify() {
        Category::Syntax => format!("no JSON: {why}"),
        Category::Eof => "it ends too soon".to_owned(),
        Category::Data | Category::Io => why,
    }
}

/// An event whose kind this version does not know; `None` if it is one that it should.
fn unknown(text: &str) -> Option<TraceEvent> {
    let raw: Raw = serde_json::from_str(text).ok()?;
    if is_known(raw.fact.kind()?) {
        return None;
    }
    Some(TraceEvent {
        seq: raw.seq,
        at_us: raw.at_us,
        span: raw.span,
        call: raw.call,
        actor: raw.actor,
        fact: Fact::Unknown(raw.fact),
    })
}

/// Asks serde itself, so that no second list of kinds can go stale.
fn is_known(kind: &str) -> bool {
    let asked: StrDeserializer<'_, Misfit> = kind.into_deserializer();
    !matches!(Fact::deserialize(asked), Err(Misfit::Kind))
}

/// Why a bare name is no [`Fact`].
#[derive(Debug, thiserror::Error)]
enum Misfit {
    #[error("no fact has this name")]
    Kind,
    #[error("the fact with this name says more")]
    Body,
}

impl serde::de::Error for Misfit {
    fn custom<T: Display>(_: T) -> Self {
        Self::Body
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::Kind
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn an_event_survives_a_round_trip() {
        let event = TraceEvent {
            seq: 7,
            at_us: 42,
            span: Some(crate::protocol::traceparent::SpanId(5)),
            call: None,
            actor: super::super::Actor::Client,
            fact: Fact::SignInCancelled,
        };
        let text = encode(&event);
        assert_eq!(decode(&text, 2).unwrap(), event);
    }

    #[rstest]
    #[case::that_says_something(r#"{"moon_rose":{"b":1,"a":[2]}}"#)]
    #[case::that_says_nothing(r#""moon_rose""#)]
    fn an_unknown_kind_survives_a_round_trip_to_the_byte(#[case] fact: &str) {
        let text = format!("{{\"seq\":1,\"at_us\":2,\"actor\":\"zone\",\"fact\":{fact}}}\n");
        let event = decode(&text, 2).unwrap();
        assert!(matches!(event.fact, Fact::Unknown(_)));
        assert_eq!(encode(&event), text);
    }

    #[rstest]
    #[case::of_another_type(r#"{"sign_in_started":{"server":5}}"#)]
    #[case::left_out(r#""sign_in_started""#)]
    #[case::where_none_belongs(r#"{"sign_in_cancelled":{"server":5}}"#)]
    #[case::twice(r#"{"sign_in_cancelled":null,"moon_rose":null}"#)]
    fn a_known_kind_with_a_wrong_body_is_damage_with_its_place(#[case] fact: &str) {
        let text = format!(r#"{{"seq":1,"at_us":2,"actor":"zone","fact":{fact}}}"#);
        let error = decode(&text, 9).unwrap_err();
        assert!(
            matches!(error, CodecError::Damaged { line: 9, column, .. } if column > 40),
            "{error}"
        );
    }

    #[test]
    fn a_newer_format_says_so() {
        let text = r#"{"format":"hoptrail-trace","version":9,"app":"hoptrail 9","started":"2026-11-24T09:00:00Z"}"#;
        assert_eq!(decode_header(text), Err(CodecError::TooNew { found: 9 }));
        assert_eq!(decode_header(""), Err(CodecError::Empty));
        assert!(matches!(decode_header("{}"), Err(CodecError::NotATrace(_))));
    }
}
