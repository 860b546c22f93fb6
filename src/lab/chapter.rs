//! Which of the workshop's chapters a lab is at the end of.

use crate::{
    server::stage::Stage,
    support::error::{Exit, Failure},
    zone::seed::id,
};

/// A chapter of the workshop, by its number from 0 to 8; a lab is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chapter(u8);

impl Chapter {
    /// Before anything is done.
    pub const FIRST: Self = Self(0);
    /// The zone's objects are made.
    pub const YOUR_ZONE: Self = Self(1);
    /// The policy limits the scopes.
    pub const LIMIT: Self = Self(7);
    /// Everything is done.
    pub const LAST: Self = Self(8);

    /// The chapter with this number.
    ///
    /// # Errors
    /// If there is none.
    pub fn new(number: u8) -> Result<Self, Failure> {
        if number <= Self::LAST.0 {
            return Ok(Self(number));
        }
        Err(Failure::new(
            Exit::Usage,
            format!("There is no chapter {number}"),
            "the workshop has the chapters 0 to 8",
            "choose one of them",
        ))
    }

    /// Every chapter in turn.
    pub fn all() -> impl Iterator<Item = Self> {
        (Self::FIRST.0..=Self::LAST.0).map(Self)
    }

    /// The chapter before it.
    #[must_use]
    pub fn before(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// From 0 to 8.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The server's code at its end.
    #[must_use]
    pub const fn stage(self) -> Stage {
        Stage::of_chapter(self.0)
    }

    /// The policy set that is active at its end.
    #[must_use]
    pub const fn policy_set(self) -> &'static str {
        if self.is_limited() {
            id::WORKSHOP_SET
        } else {
            id::DEFAULT_SET
        }
    }

    /// Whether `limit-linear-scopes` is in force.
    #[must_use]
    pub const fn is_limited(self) -> bool {
        self.0 >= Self::LIMIT.0
    }
}
