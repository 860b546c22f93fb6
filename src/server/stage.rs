//! How far the server has come: the workshop's chapters, as far as its code tells them apart.
//!
//! Must not know of policy: whether chapter 6 or 7 is on is the zone's matter, the server's code is
//! the same.

/// A state of the server's code. Chapters 1, 3 and 7 change what is around it and not the code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Chapters 0 and 1: anyone may call, tickets come with the code and go to Linear as they are,
    /// with the one key that opens all of it.
    Open,
    /// Chapters 2 and 3: a caller needs a token of the zone; nothing else is different.
    Protected,
    /// Chapter 4: tickets come from Supabase, with a credential from the zone's vault.
    Datastore,
    /// Chapter 5: a model masks the ticket before anything is filed.
    Masked,
    /// Chapters 6 and 7, the finished server: Linear too gets a credential per call.
    #[default]
    Delegated,
}

impl Stage {
    /// All of them, in the workshop's order.
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::Protected,
        Self::Datastore,
        Self::Masked,
        Self::Delegated,
    ];

    /// The code as it stands at the end of `chapter`; whatever comes after chapter 6 is finished.
    #[must_use]
    pub const fn of_chapter(chapter: u8) -> Self {
        match chapter {
            0 | 1 => Self::Open,
            2 | 3 => Self::Protected,
            4 => Self::Datastore,
            5 => Self::Masked,
            _ => Self::Delegated,
        }
    }

    /// What the server does at this stage, for people.
    #[must_use]
    pub const fn in_plain_words(self) -> &'static str {
        match self {
            Self::Open => {
                "open to anyone; one key opens Linear; tickets are filed as the customer wrote them"
            }
            Self::Protected => {
                "callers need a token; one key opens Linear; tickets are filed as the customer wrote them"
            }
            Self::Datastore => {
                "Supabase through the zone's vault; one key opens Linear; tickets are filed as the customer wrote them"
            }
            Self::Masked => {
                "Supabase and the model through the zone's vault; tickets are masked; one key opens Linear"
            }
            Self::Delegated => {
                "every credential is issued by the zone, for one call, on the caller's behalf"
            }
        }
    }

    /// Whether `/mcp` asks who is calling.
    #[must_use]
    pub const fn demands_bearer(self) -> bool {
        !matches!(self, Self::Open)
    }

    /// Whether tickets are read from Supabase, and so whether anything is exchanged at all.
    #[must_use]
    pub const fn reads_datastore(self) -> bool {
        matches!(self, Self::Datastore | Self::Masked | Self::Delegated)
    }

    /// Whether a ticket is masked before it is filed.
    #[must_use]
    pub const fn masks(self) -> bool {
        matches!(self, Self::Masked | Self::Delegated)
    }

    /// Whether Linear is called for the caller, and not for the owner of `LINEAR_API_KEY`.
    #[must_use]
    pub const fn delegates_linear(self) -> bool {
        matches!(self, Self::Delegated)
    }

    /// The variables that the server cannot start without.
    #[must_use]
    pub const fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Open => &["LINEAR_API_KEY", "LINEAR_TEAM_ID"],
            Self::Protected => &[
                "KEYCARD_URL",
                "MCP_RESOURCE_URL",
                "LINEAR_API_KEY",
                "LINEAR_TEAM_ID",
            ],
            // The model's address is a constant in the code of chapter 5.
            Self::Datastore | Self::Masked => &[
                "KEYCARD_URL",
                "MCP_RESOURCE_URL",
                "KEYCARD_CLIENT_ID",
                "KEYCARD_CLIENT_SECRET",
                "SUPABASE_URL",
                "LINEAR_API_KEY",
                "LINEAR_TEAM_ID",
            ],
            Self::Delegated => &[
                "KEYCARD_URL",
                "MCP_RESOURCE_URL",
                "KEYCARD_CLIENT_ID",
                "KEYCARD_CLIENT_SECRET",
                "SUPABASE_URL",
                "ANTHROPIC_API_URL",
                "LINEAR_API_URL",
                "LINEAR_TEAM_ID",
            ],
        }
    }
}
