//! Finds a ticket's personal data again in another text. Only says whether, never what.

use std::sync::LazyLock;

use regex::Regex;

use crate::protocol::tickets::{EntityKind, Ticket};

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns of this file are tested")
}

static CARD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}\b"));
static SSN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b\d{3}-\d{2}-\d{4}\b"));
static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"));
static KEY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(whsec|sk|sb_secret|lin_api|ghp)_[A-Za-z0-9_]{6,}"));
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[[A-Z_]+(_\d+)?\]"));

/// The kind as a person says it.
pub(super) const fn words(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Name => "name",
        EntityKind::Email => "e-mail address",
        EntityKind::Phone => "phone number",
        EntityKind::Ssn => "social security number",
        EntityKind::Address => "postal address",
        EntityKind::CreditCard => "card number",
        EntityKind::Credential => "secret key",
    }
}

/// What the ticket holds of a kind. Postal addresses have no form to go by, so none are found.
pub(super) fn of(ticket: &Ticket, kind: EntityKind) -> Vec<String> {
    let in_body = |pattern: &Regex| -> Vec<String> {
        [&ticket.subject, &ticket.body]
            .into_iter()
            .flat_map(|text| pattern.find_iter(text))
            .map(|found| found.as_str().to_owned())
            .collect()
    };
    match kind {
        EntityKind::Name => vec![ticket.customer_name.clone()],
        EntityKind::Email => {
            let mut found = in_body(&EMAIL);
            found.push(ticket.email.clone());
            found
        }
        EntityKind::Phone => vec![ticket.phone.clone()],
        EntityKind::Ssn => in_body(&SSN),
        EntityKind::Address => Vec::new(),
        EntityKind::CreditCard => in_body(&CARD),
        EntityKind::Credential => in_body(&KEY),
    }
}

/// Whether a value stands in a text; numbers also when they are grouped another way.
pub(super) fn stands_in(text: &str, kind: EntityKind, value: &str) -> bool {
    let grouped = matches!(
        kind,
        EntityKind::Phone | EntityKind::Ssn | EntityKind::CreditCard
    );
    let plain = |text: &str| -> String {
        if grouped {
            let filler = |c: &char| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '+' | '/');
            text.chars().filter(filler).collect()
        } else {
            text.to_lowercase()
        }
    };
    let value = plain(value.trim());
    !value.is_empty() && plain(text).contains(&value)
}

/// Whether a text has something like `[CREDIT_CARD_1]`.
pub(super) fn has_placeholder(text: &str) -> bool {
    PLACEHOLDER.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_it_is_grouped() {
        let card = "4242 4242 4242 4242";
        assert!(CARD.is_match(card));
        assert!(stands_in(
            "paid with 4242-4242-4242-4242.",
            EntityKind::CreditCard,
            card
        ));
        assert!(!stands_in(
            "paid with [CREDIT_CARD_1].",
            EntityKind::CreditCard,
            card
        ));
        assert!(stands_in(
            "Write to A.B@MAIL.EXAMPLE",
            EntityKind::Email,
            "a.b@mail.example"
        ));
        assert!(!stands_in("anything", EntityKind::Name, " "));
    }

    #[test]
    fn patterns_find_what_they_are_for() {
        assert!(SSN.is_match("900-12-3456") && EMAIL.is_match("x@y.example"));
        assert!(KEY.is_match("whsec_test_abc123"));
        assert!(has_placeholder("to [CREDIT_CARD_1]") && !has_placeholder("[x]"));
    }
}
