//! Reading an event for folding: what no read model keeps is read and not kept.
//!
//! Headers, bodies of answers and claims are more than a third of a trace. Here they pass the same
//! checks as when they are kept, so what is damaged for one reader is damaged for the other. Must not
//! leave out what a fold looks at: a law in the tests folds both and compares.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error as _, IntoDeserializer as _, MapAccess, SeqAccess,
        VariantAccess as _, Visitor,
        value::{CowStrDeserializer, EnumAccessDeserializer},
    },
};
use serde_json::value::RawValue;

use super::{
    Json,
    event::{Actor, Body, CallOutcome, Fact, Leg, TraceEvent},
};
use crate::protocol::{
    audit::AuditRecord, jwt::TokenView, observed::CallId, secret::Fingerprint, traceparent::SpanId,
};

/// Characters of a call's result that are kept; behind its blanks.
pub const HEAD: usize = 480;
/// The request headers that say what a request is.
pub const TELLING_HEADERS: [&str; 2] = ["mcp-method", "mcp-name"];

/// An event without what a fold does not look at.
#[derive(Deserialize)]
pub(super) struct Skimmed {
    seq: u64,
    at_us: u64,
    #[serde(default)]
    span: Option<SpanId>,
    #[serde(default)]
    call: Option<CallId>,
    actor: Actor,
    fact: SkimmedFact,
}

impl From<Skimmed> for TraceEvent {
    fn from(skimmed: Skimmed) -> Self {
        let Skimmed {
            seq,
            at_us,
            span,
            call,
            actor,
            fact: SkimmedFact(fact),
        } = skimmed;
        Self {
            seq,
            at_us,
            span,
            call,
            actor,
            fact,
        }
    }
}

struct SkimmedFact(Fact);

impl<'de> Deserialize<'de> for SkimmedFact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The names of the kinds are for formats that number them; JSON does not ask.
        deserializer.deserialize_enum("Fact", &[], OfKind)
    }
}

struct OfKind;

impl<'de> Visitor<'de> for OfKind {
    type Value = SkimmedFact;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fact")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<SkimmedFact, A::Error> {
        let (Word(kind), body) = data.variant::<Word<'de>>()?;
        let fact = match &*kind {
            "hop_sent" => body.newtype_variant::<Sent>()?.into(),
            "hop_returned" => body.newtype_variant::<Returned<'de>>()?.into(),
            "tool_call_finished" => body.newtype_variant::<Finished>()?.into(),
            "audit_recorded" => {
                let record = body.newtype_variant::<AuditRecord<Token>>()?;
                Fact::AuditRecorded(Box::new(record.with_token(Token::into)))
            }
            _ => Fact::deserialize(EnumAccessDeserializer::new(Again { kind, body }))?,
        };
        Ok(SkimmedFact(fact))
    }
}

/// A kind that was looked at, for whoever reads the whole fact.
struct Again<'de, B> {
    kind: Cow<'de, str>,
    body: B,
}

impl<'de, B: serde::de::VariantAccess<'de>> EnumAccess<'de> for Again<'de, B> {
    type Error = B::Error;
    type Variant = B;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, B), B::Error> {
        let kind: CowStrDeserializer<'_, B::Error> = self.kind.into_deserializer();
        Ok((seed.deserialize(kind)?, self.body))
    }
}

#[derive(Deserialize)]
struct Sent {
    to: Actor,
    leg: Leg,
    method: String,
    url: String,
    headers: TellingHeaders,
    #[serde(default)]
    body: Option<Body>,
}

impl From<Sent> for Fact {
    fn from(sent: Sent) -> Self {
        Self::HopSent {
            to: sent.to,
            leg: sent.leg,
            method: sent.method,
            url: sent.url,
            headers: sent.headers.0,
            body: sent.body,
        }
    }
}

#[derive(Deserialize)]
struct Returned<'a> {
    status: u16,
    #[serde(rename = "headers")]
    _headers: Vec<(Text, Text)>,
    #[serde(default, rename = "body", borrow)]
    _body: Option<AnyBody<'a>>,
    duration_us: u64,
}

impl From<Returned<'_>> for Fact {
    fn from(returned: Returned<'_>) -> Self {
        Self::HopReturned {
            status: returned.status,
            headers: Vec::new(),
            body: None,
            duration_us: returned.duration_us,
        }
    }
}

#[derive(Deserialize)]
struct AnyBody<'a> {
    #[serde(rename = "media_type")]
    _media_type: Text,
    #[serde(rename = "text", borrow)]
    _text: Written<'a>,
    #[serde(rename = "bytes")]
    _bytes: u64,
    #[serde(default, rename = "cut")]
    _cut: bool,
}

#[derive(Deserialize)]
struct Finished {
    tool: String,
    outcome: CallOutcome,
    text: Head,
    #[serde(default)]
    structured: Option<Json>,
    duration_us: u64,
}

impl From<Finished> for Fact {
    fn from(finished: Finished) -> Self {
        Self::ToolCallFinished {
            tool: finished.tool,
            outcome: finished.outcome,
            text: finished.text.0,
            structured: finished.structured,
            duration_us: finished.duration_us,
        }
    }
}

#[derive(Deserialize)]
struct Token {
    fingerprint: Fingerprint,
    #[serde(default, rename = "header")]
    _header: Members,
    #[serde(default, rename = "claims")]
    _claims: Members,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            fingerprint: token.fingerprint,
            header: serde_json::Map::new(),
            claims: serde_json::Map::new(),
        }
    }
}

/// A word that need not be copied where it is written plainly.
#[derive(Deserialize)]
struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

struct TellingHeaders(Vec<(String, String)>);

impl<'de> Deserialize<'de> for TellingHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(String, String)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of headers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
                let mut telling = Vec::new();
                while let Some((Word(name), Word(value))) = all.next_element()? {
                    if TELLING_HEADERS.contains(&&*name) {
                        telling.push((name.into_owned(), value.into_owned()));
                    }
                }
                Ok(telling)
            }
        }

        deserializer.deserialize_seq(Pairs).map(Self)
    }
}

/// The beginning of a text.
struct Head(String);

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        if let Some(head) = written.head() {
            return Ok(Self(head));
        }
        let text = written.read().map_err(D::Error::custom)?;
        let text = text.trim_start();
        let end = text
            .char_indices()
            .nth(HEAD)
            .map_or(text.len(), |(at, _)| at);
        Ok(Self(text[..end].to_owned()))
    }
}

/// A long text as it is written, between its quotes. Where escapes abound, looking over them is much
/// quicker than undoing them.
struct Written<'a>(&'a RawValue);

impl<'de: 'a, 'a> Deserialize<'de> for Written<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Self(<&RawValue>::deserialize(deserializer)?);
        // Whoever looks over a text does not see whether a surrogate stands alone.
        if !written.0.get().starts_with('"') || written.0.get().contains("\\u") {
            written.read().map_err(D::Error::custom)?;
        }
        Ok(written)
    }
}

impl Written<'_> {
    fn read(&self) -> Result<String, serde_json::Error> {
        serde_json::from_str(self.0.get())
    }

    /// The beginning, where it takes no more than a look: it is long, and does not begin with blanks.
    fn head(&self) -> Option<String> {
        let text = self.0.get().strip_prefix('"')?;
        let mut rest = text.char_indices();
        for _ in 0..HEAD {
            if let (_, '\\') = rest.next()?
                && let (_, 'u') = rest.next()?
            {
                return None;
            }
        }
        let (end, _) = rest.next()?;
        let head: String = serde_json::from_str(&format!("\"{}\"", &text[..end])).ok()?;
        (!head.starts_with(char::is_whitespace)).then_some(head)
    }
}

/// A text that is not kept.
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unkept;

        impl Visitor<'_> for Unkept {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, _: &str) -> Result<Text, E> {
                Ok(Text)
            }
        }

        deserializer.deserialize_str(Unkept)
    }
}

/// An object that is not kept.
#[derive(Default)]
struct Members;

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Unkept).map(|()| Self)
    }
}

/// A value that is not kept: `IgnoredAny` would let numbers and escapes pass that nobody can read.
struct Any;

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Unkept).map(|()| Self)
    }
}

struct Unkept;

impl<'de> Visitor<'de> for Unkept {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while all.next_element::<Any>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while all.next_entry::<Text, Any>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::HEAD;
    use crate::trace::{
        Fact,
        codec::{decode, skim},
    };

    #[test]
    fn of_a_long_text_the_beginning_is_kept() {
        let of = |text: &str| {
            let text = serde_json::to_string(text).unwrap();
            let line = format!(
                "{{\"seq\":1,\"at_us\":2,\"actor\":\"zone\",\"fact\":{{\"tool_call_finished\":\
                 {{\"tool\":\"t\",\"outcome\":\"failed\",\"text\":{text},\"duration_us\":1}}}}}}"
            );
            match skim(&line, 2).unwrap().fact {
                Fact::ToolCallFinished { text, .. } => text,
                other => panic!("{other:?}"),
            }
        };
        for unit in ["a", "\"", "\n\\", "ü", "\u{1}", "日本"] {
            for count in [0, 1, HEAD - 1, HEAD, HEAD + 1, 3 * HEAD] {
                for before in ["", " \n", "x"] {
                    let text = format!("{before}{}", unit.repeat(count));
                    let head: String = text.trim_start().chars().take(HEAD).collect();
                    assert_eq!(of(&text), head, "{unit:?} {count} {before:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_damaged_when_kept_is_damaged_when_it_is_not() {
        let line =
            |fact: &str| format!("{{\"seq\":1,\"at_us\":2,\"actor\":\"zone\",\"fact\":{fact}}}");
        let returned = |headers: &str, body: &str| {
            line(&format!(
                "{{\"hop_returned\":{{\"status\":200,\"headers\":{headers},\"body\":{body},\"duration_us\":1}}}}"
            ))
        };
        let body = |text: &str| format!("{{\"media_type\":\"a/b\",\"text\":{text},\"bytes\":1}}");
        let cases = [
            line("\"signed_out\""),
            line("{\"signed_out\":null}"),
            line("{\"signed_out\":1}"),
            line("\"hop_returned\""),
            line("{\"moon_rose\":{}}"),
            line("{\"hop_\\u0072eturned\":{\"status\":1,\"headers\":[],\"duration_us\":1}}"),
            line("{\"hop_returned\":[200,[],null,1]}"),
            line("{\"hop_returned\":{\"status\":1,\"headers\":[],\"duration_us\":1},\"a\":1}"),
            returned("[]", "null"),
            returned("[[\"a\",\"b\"]]", &body("\"\\ud83d\\ude00\"")),
            returned("[[\"a\",\"b\",\"c\"]]", "null"),
            returned("[[\"a\",1]]", "null"),
            returned("{}", "null"),
            returned("[]", &body("\"\\ud83d\"")),
            returned("[]", &body("7")),
            returned("[]", "{}"),
            line(
                "{\"tool_call_finished\":{\"tool\":\"t\",\"outcome\":\"failed\",\"text\":\"  x\",\"structured\":{\"a\":[1]},\"duration_us\":1}}",
            ),
            line(
                "{\"tool_call_finished\":{\"tool\":\"t\",\"outcome\":\"failed\",\"text\":\"x\",\"structured\":{\"a\":[1},\"duration_us\":1}}",
            ),
        ];
        for case in cases {
            let (kept, unkept) = (decode(&case, 2), skim(&case, 2));
            assert_eq!(kept.is_ok(), unkept.is_ok(), "{case}: {unkept:?}");
            assert_eq!(kept.err(), unkept.err(), "{case}");
        }
    }
}
