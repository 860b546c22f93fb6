//! The lab's sample people, as GitHub and Linear both know them.

/// A person who can sign in to the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Full name, on GitHub and as the author of Linear issues.
    pub name: &'static str,
    /// Primary and verified e-mail address; the same on all services.
    pub email: &'static str,
    /// GitHub login.
    pub login: &'static str,
    /// GitHub's number of the account.
    pub id: u32,
    /// What Linear shows beside a comment.
    pub linear_display_name: &'static str,
}

/// Everybody; the first is who signs in when nobody chooses.
pub const PEOPLE: &[Person] = &[
    Person {
        name: "Ada Lindqvist",
        email: "ada@lab.example",
        login: "ada-lindqvist",
        id: 9001,
        linear_display_name: "ada",
    },
    Person {
        name: "Noor Haddad",
        email: "noor@lab.example",
        login: "noor-haddad",
        id: 9002,
        linear_display_name: "noor",
    },
    Person {
        name: "Tomás Rivera",
        email: "tomas@lab.example",
        login: "tomas-rivera",
        id: 9003,
        linear_display_name: "tomas",
    },
];
