//! Who is calling and what they may do: Linear's OAuth scopes and the caller of one request.

use std::{fmt, sync::Arc};

use super::{refusal::Refusal, workspace::Member};

/// What a token may be used for. Linear has more of them; these are the ones the lab knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// See the workspace. Linear grants it with every token.
    Read,
    /// Change anything in the workspace.
    Write,
    /// File new issues and nothing else; a sibling of `write`, not a part of it on the wire.
    IssuesCreate,
    /// Write new comments and nothing else.
    CommentsCreate,
    /// Everything, administration included.
    Admin,
}

impl Scope {
    /// Every scope, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Write,
        Self::IssuesCreate,
        Self::CommentsCreate,
        Self::Admin,
    ];

    /// The scope as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::IssuesCreate => "issues:create",
            Self::CommentsCreate => "comments:create",
            Self::Admin => "admin",
        }
    }

    /// What it lets an application do, for the person who is asked.
    #[must_use]
    pub const fn in_plain_words(self) -> &'static str {
        match self {
            Self::Read => "See issues, labels, teams and people",
            Self::Write => "Change and delete anything you can change or delete",
            Self::IssuesCreate => "File new issues in your name",
            Self::CommentsCreate => "Write new comments in your name",
            Self::Admin => "Do everything, administration included",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

/// A word that is none of the lab's scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScope(pub String);

impl Scopes {
    /// Only `read`, which every token has.
    pub const READ: Self = Self(Scope::Read.bit());

    /// What a personal API key may do: all that its owner may.
    pub const ALL: Self = Self(0b1_1111);

    /// Reads a scope string, separated by blanks (RFC 6749, section 3.3) or, as Linear also
    /// documents it, by commas. `read` is always in the result.
    pub fn parse(text: &str) -> Result<Self, UnknownScope> {
        text.split([' ', ','])
            .filter(|word| !word.is_empty())
            .try_fold(Self::READ, |all, word| {
                Scope::ALL
                    .into_iter()
                    .find(|scope| scope.as_str() == word)
                    .map(|scope| Self(all.0 | scope.bit()))
                    .ok_or_else(|| UnknownScope(word.to_owned()))
            })
    }

    /// Whether this very scope was granted.
    #[must_use]
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether what was granted is enough for something that `scope` is made for.
    #[must_use]
    pub const fn allow(self, scope: Scope) -> bool {
        self.has(scope)
            || self.has(Scope::Admin)
            || (matches!(scope, Scope::IssuesCreate | Scope::CommentsCreate)
                && self.has(Scope::Write))
    }

    /// Whether `other` asks for nothing that is not here (RFC 6749, section 6).
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The scopes, in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

/// The person a request acts as, and what its credential may do.
#[derive(Debug, Clone)]
pub struct Caller {
    pub member: Arc<Member>,
    pub scopes: Scopes,
}

impl Caller {
    /// Passes if the credential is good for `scope`.
    ///
    /// # Errors
    /// [`Refusal::MissingScope`] otherwise.
    pub const fn must_have(&self, scope: Scope) -> Result<(), Refusal> {
        if self.scopes.allow(scope) {
            Ok(())
        } else {
            Err(Refusal::MissingScope(scope))
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("read", "read")]
    #[case("", "read")]
    #[case("issues:create", "read issues:create")]
    #[case("read,write", "read write")]
    #[case("write  read, admin", "read write admin")]
    fn scopes_are_read_with_blanks_or_commas(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(Scopes::parse(text).unwrap().to_string(), shown);
    }

    #[test]
    fn an_unknown_scope_is_named() {
        assert_eq!(
            Scopes::parse("read everything"),
            Err(UnknownScope("everything".into()))
        );
    }

    #[rstest]
    #[case("read", Scope::Write, false)]
    #[case("read", Scope::IssuesCreate, false)]
    #[case("issues:create", Scope::IssuesCreate, true)]
    #[case("issues:create", Scope::Write, false)]
    #[case("issues:create", Scope::CommentsCreate, false)]
    #[case("write", Scope::IssuesCreate, true)]
    #[case("write", Scope::CommentsCreate, true)]
    #[case("write", Scope::Admin, false)]
    #[case("admin", Scope::Write, true)]
    fn what_a_scope_is_good_for(#[case] has: &str, #[case] needs: Scope, #[case] enough: bool) {
        assert_eq!(Scopes::parse(has).unwrap().allow(needs), enough);
    }
}
