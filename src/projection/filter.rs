//! Filters for lists: words that must all occur, and `field:value` where a field is meant.

use super::{
    audit::AuditRow,
    hops::{Hop, HopKind, Verdict},
};
use crate::protocol::audit::AuditStatus;

/// What was typed into a filter. Case does not matter; all terms must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    field: Option<Field>,
    /// In lower case.
    word: String,
    /// `-word`: must not occur.
    negated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Scope,
    Status,
    Tool,
    Resource,
    User,
    Application,
    Policy,
    Session,
    Actor,
    Kind,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "scope" => Self::Scope,
            "status" | "verdict" => Self::Status,
            "tool" => Self::Tool,
            "resource" => Self::Resource,
            "user" | "for" => Self::User,
            "app" | "application" => Self::Application,
            "policy" => Self::Policy,
            "session" => Self::Session,
            "actor" | "from" | "to" => Self::Actor,
            "kind" | "event" => Self::Kind,
            _ => return None,
        })
    }
}

impl Query {
    /// Reads what was typed. Anything is a query: an unknown field is part of a word.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let terms = text
            .split_whitespace()
            .filter_map(|word| {
                let (negated, word) = match word.strip_prefix('-') {
                    Some(rest) if !rest.is_empty() => (true, rest),
                    _ => (false, word),
                };
                let word = word.to_lowercase();
                let (field, word) = match word.split_once(':') {
                    Some((name, value)) => match Field::named(name) {
                        Some(field) => (Some(field), value.to_owned()),
                        None => (None, word),
                    },
                    None => (None, word),
                };
                (!word.is_empty()).then_some(Term {
                    field,
                    word,
                    negated,
                })
            })
            .collect();
        Self { terms }
    }

    /// True when nothing is asked, so that everything matches.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    fn all(&self, mut occurs: impl FnMut(&Term) -> bool) -> bool {
        self.terms.iter().all(|term| occurs(term) != term.negated)
    }
}

/// Whether `word`, which is in lower case, occurs in `text`.
fn contains(text: &str, word: &str) -> bool {
    if word.is_ascii() {
        return text
            .as_bytes()
            .windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    }
    text.to_lowercase().contains(word)
}

fn any_contains<'a>(texts: impl IntoIterator<Item = Option<&'a str>>, word: &str) -> bool {
    texts.into_iter().flatten().any(|text| contains(text, word))
}

impl Verdict {
    /// One word for a person; never the only sign of it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Denied => "denied",
        }
    }
}

impl HopKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Exchange => "exchange",
            Self::Upstream => "upstream",
            Self::Browser => "browser",
        }
    }
}

/// The word that stands in the audit log's status column.
#[must_use]
pub const fn status_word(status: AuditStatus) -> &'static str {
    match status {
        AuditStatus::Issued => "Issued",
        AuditStatus::Failure => "Failure",
    }
}

impl Hop {
    /// Whether the hop is one of those asked for. `tool` is the tool of its call, where known.
    #[must_use]
    pub fn matches(&self, query: &Query, tool: Option<&str>) -> bool {
        query.all(|term| {
            let word = term.word.as_str();
            let names = [Some(self.from.name()), Some(self.to.name())];
            let Some(field) = term.field else {
                let here = [
                    Some(&*self.title),
                    tool,
                    self.resource.as_deref(),
                    self.scope.as_deref(),
                    self.note.as_deref(),
                    self.policy.as_deref(),
                    self.acted_as.as_deref(),
                    Some(self.verdict.word()),
                ];
                return any_contains(here, word) || any_contains(names, word);
            };
            match field {
                Field::Scope => any_contains([self.scope.as_deref()], word),
                Field::Status => {
                    contains(self.verdict.word(), word)
                        || self.status.is_some_and(|s| s.to_string().starts_with(word))
                }
                Field::Tool => any_contains([tool], word),
                Field::Resource => any_contains([self.resource.as_deref()], word),
                Field::User => any_contains([self.acted_as.as_deref()], word),
                Field::Policy => any_contains([self.policy.as_deref()], word),
                Field::Actor => any_contains(names, word),
                Field::Kind => contains(self.kind.word(), word),
                Field::Application | Field::Session => false,
            }
        })
    }
}

impl AuditRow {
    /// Whether the row is one of those asked for.
    #[must_use]
    pub fn matches(&self, query: &Query) -> bool {
        let about = self.about();
        query.all(|term| {
            let word = term.word.as_str();
            let status = Some(status_word(self.status));
            // The other panes' word for it.
            let refused =
                (self.status == AuditStatus::Failure && !self.is_no_answer()).then_some("refused");
            let Some(field) = term.field else {
                let here = [
                    self.tool.as_deref(),
                    about.as_deref(),
                    self.scope.as_deref(),
                    status,
                    refused,
                    self.application.as_deref(),
                    self.user.as_deref(),
                    self.error.as_deref(),
                    self.reason.as_deref(),
                    self.policy.as_deref(),
                    Some(self.event.as_str()),
                ];
                return any_contains(here, word);
            };
            match field {
                Field::Scope => any_contains([self.scope.as_deref()], word),
                Field::Status => any_contains([status, refused, self.error.as_deref()], word),
                Field::Tool => any_contains([self.tool.as_deref()], word),
                Field::Resource => any_contains(
                    [about.as_deref(), self.resource_identifier.as_deref()],
                    word,
                ),
                Field::User => any_contains([self.user.as_deref()], word),
                Field::Application | Field::Actor => {
                    any_contains([self.application.as_deref()], word)
                }
                Field::Policy => any_contains([self.policy.as_deref()], word),
                Field::Session => any_contains([self.session.as_deref()], word),
                Field::Kind => contains(self.event.as_str(), word),
            }
        })
    }
}

impl super::Log {
    /// Whether an event's line holds all words. A raw line has no columns, so fields do not narrow.
    #[must_use]
    pub fn matches(&self, seq: super::Seq, query: &Query) -> bool {
        let Some(line) = self.line(seq) else {
            return false;
        };
        query.all(|term| contains(&line, &term.word))
    }
}
