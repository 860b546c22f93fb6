//! W3C Trace Context: the identifiers that tie a hop to the tool call it belongs to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The header's name, and the member's of MCP's `_meta`.
pub const TRACEPARENT: &str = "traceparent";

/// Names one run of something that happened over several hops: 16 bytes, 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(pub u128);

/// The upper half of the ids of traces in which hoptrail asks for itself.
const OF_A_CHECK: u64 = u64::from_be_bytes(*b"hoptrail");

impl TraceId {
    /// A trace of a question that a chapter's check asks. It says so itself, so that the rows that it
    /// leaves in a log are taken for nobody's work.
    #[must_use]
    pub const fn of_check(random: u64) -> Self {
        Self((OF_A_CHECK as u128) << 64 | random as u128)
    }

    /// Whether it is such a trace.
    #[must_use]
    pub const fn is_check(self) -> bool {
        self.0 >> 64 == OF_A_CHECK as u128
    }
}

/// Names one hop within a trace: 8 bytes, 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(pub u64);

/// A `traceparent` header (W3C Trace Context, section 3.2), version 00, sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TraceParent {
    /// The trace that the hop belongs to.
    pub trace: TraceId,
    /// The hop itself.
    pub span: SpanId,
}

/// Why a `traceparent` could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent")]
pub struct NotATraceParent;

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-01", self.trace, self.span)
    }
}

impl FromStr for TraceParent {
    type Err = NotATraceParent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim().split('-');
        let mut next = |len: usize| {
            parts
                .next()
                .filter(|p| p.len() == len && p.bytes().all(|b| b.is_ascii_hexdigit()))
                .ok_or(NotATraceParent)
        };
        if next(2)? == "ff" {
            return Err(NotATraceParent);
        }
        let trace = u128::from_str_radix(next(32)?, 16).map_err(|_| NotATraceParent)?;
        let span = u64::from_str_radix(next(16)?, 16).map_err(|_| NotATraceParent)?;
        next(2)?;
        if trace == 0 || span == 0 {
            return Err(NotATraceParent);
        }
        Ok(Self {
            trace: TraceId(trace),
            span: SpanId(span),
        })
    }
}

macro_rules! hex_serde {
    ($name:ident, $number:ty) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                <$number>::from_str_radix(&text, 16)
                    .map(Self)
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}
hex_serde!(TraceId, u128);
hex_serde!(SpanId, u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_survives_a_round_trip() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(text.parse::<TraceParent>().unwrap().to_string(), text);
    }

    #[test]
    fn the_trace_of_a_check_says_so_on_the_wire() {
        let parent = TraceParent {
            trace: TraceId::of_check(7),
            span: SpanId(1),
        };
        let read: TraceParent = parent.to_string().parse().unwrap();
        assert!(read.trace.is_check());
        assert!(!TraceId(7).is_check());
    }

    #[test]
    fn what_is_not_one_is_refused() {
        for bad in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(NotATraceParent), "{bad}");
        }
    }
}
