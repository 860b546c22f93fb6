//! What a person is told when something went wrong: what happened, why, what to do next.

use std::{fmt, io};

use serde::{Deserialize, Deserializer, Serialize};

/// How the process ends; the numbers are part of the command line's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// 0: everything was as expected.
    Ok,
    /// 1: an expectation or a check failed.
    Failed,
    /// 2: the command line, a file or a setting was wrong.
    Usage,
    /// 3: something could not be reached.
    Unreachable,
    /// 4: the sign-in was refused.
    Refused,
}

impl Exit {
    /// The process exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Refused => 4,
        }
    }
}

/// A failure that a person can act on. Never holds a secret; text from outside
/// is sanitised on the way in (`support::text::sanitize`), also that of a trace's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What happened, one sentence without a full stop.
    pub what: String,
    /// Why, as far as it is known.
    pub why: String,
    /// What to do next: a key, a command, a setting.
    pub next: String,
    /// The exit code if this ends the process.
    pub exit: Exit,
    /// What hoptrail itself must know of it; the words are for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<FailureKind>,
}

/// A failure that hoptrail tells from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The server wants to know who calls, and was shown no token.
    SignInRequired,
}

impl<'de> Deserialize<'de> for Failure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Failure")]
        struct Written {
            what: String,
            why: String,
            next: String,
            exit: Exit,
            kind: Option<FailureKind>,
        }
        let Written {
            what,
            why,
            next,
            exit,
            kind,
        } = Written::deserialize(deserializer)?;
        Ok(Self {
            kind,
            ..Self::new(exit, what, why, next)
        })
    }
}

impl Failure {
    /// A failure in its three parts.
    pub fn new(
        exit: Exit,
        what: impl Into<String>,
        why: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        let clean = |text: String| {
            let text = super::text::sanitize(&text).into_owned();
            super::cause::without_number(&text).into_owned()
        };
        Self {
            what: clean(what.into()),
            why: clean(why.into()),
            next: clean(next.into()),
            exit,
            kind: None,
        }
    }

    /// Standard output did not take what was said.
    #[must_use]
    pub fn unwritten(error: &io::Error) -> Self {
        Self::new(
            Exit::Usage,
            "The output could not be written",
            error.to_string(),
            "check the pipe or the disk behind standard output",
        )
    }

    /// A task panicked, which Tokio swallows unless somebody looks at the join error.
    #[must_use]
    pub fn task_stopped() -> Self {
        Self::new(
            Exit::Failed,
            "A task of hoptrail stopped unexpectedly",
            "this is a mistake in hoptrail",
            "try again; start with --log FILE to have the details for a report",
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\n  why:  {}\n  next: {}",
            self.what, self.why, self.next
        )
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_of_a_failure_is_made_harmless() {
        let text = r#"{"what":"a\u001b[2J","why":"b\u202ec","next":"d","exit":"failed"}"#;
        let read: Failure = serde_json::from_str(text).unwrap();
        assert_eq!(
            read,
            Failure::new(Exit::Failed, "a\u{1b}[2J", "b\u{202e}c", "d")
        );
        assert!(!read.to_string().contains(['\u{1b}', '\u{202e}']));
        let locked = Failure {
            kind: Some(FailureKind::SignInRequired),
            ..read.clone()
        };
        for failure in [read, locked] {
            let again = serde_json::to_string(&failure).unwrap();
            assert_eq!(again.contains("kind"), failure.kind.is_some());
            assert_eq!(serde_json::from_str::<Failure>(&again).unwrap(), failure);
        }
    }
}
