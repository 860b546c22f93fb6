//! Finds a ticket's personal data again in another text. Only says whether, never what.

use std::sync::LazyLock;

use regex::Regex;

use crate::protocol::tickets::{EntityKind, Ticket};

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns of this file are tested")
}

// The word boundaries are ASCII's: with Unicode's, one letter beyond ASCII in a text would send the
// whole of it through the slowest of the engines.
static CARD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u:\b)[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,7}(?-u:\b)"));
static SSN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u:\b)[0-9]{3}-[0-9]{2}-[0-9]{4}(?-u:\b)"));
static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"));
static KEY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u:\b)(whsec|sk|sb_secret|lin_api|ghp)_[A-Za-z0-9_]{6,}"));
/// A postal address behind its label, or written in one line with state and ZIP code; otherwise it has no
/// form to go by.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?im)^[ \t>*-]*(?:postal |billing |shipping |home |mailing )?address:[ \t]*(\S.*[0-9].*\S)|(?-u:\b)([0-9]{1,5} [A-Z][^\n]{4,60}, [A-Z]{2} [0-9]{5})(?-u:\b)",
    )
});
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[[A-Z_]+(_\d+)?\]"));

static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    let area = r"(\+[0-9]{1,3}[ -])?(\([0-9]{3}\) ?|[0-9]{3}[-. ])?";
    pattern(&format!(r"{area}(?-u:\b)[0-9]{{3}}[-. ][0-9]{{4}}(?-u:\b)"))
});

/// The most of a text that is searched, in bytes: it is done for every frame.
const MOST: usize = 32 * 1024;

/// What in a ticket's texts is personal, word for word, for marking it. More may be in them.
#[must_use]
pub fn words_of(ticket: &Ticket) -> Vec<String> {
    let mut words = Vec::new();
    for text in [&ticket.subject, &ticket.body] {
        let text = &text[..text.floor_char_boundary(MOST)];
        for pattern in [&CARD, &SSN, &EMAIL, &PHONE, &KEY] {
            let found = pattern.find_iter(text);
            words.extend(found.map(|found| found.as_str().to_owned()));
        }
        words.extend(addresses(text).map(str::to_owned));
    }
    let own = [&ticket.customer_name, &ticket.email, &ticket.phone];
    words.extend(own.map(|word| word.trim().to_owned()));
    // Shorter ones would be found within anything.
    words.retain(|word| word.chars().count() > 2);
    words.sort_unstable();
    words.dedup();
    words
}

fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let found = ADDRESS.captures_iter(text);
    found.filter_map(|found| Some(found.get(1).or_else(|| found.get(2))?.as_str()))
}

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

/// Letters that a part of a name has at least: shorter ones stand in other words.
const PART_OF_A_NAME: usize = 4;

/// What the ticket holds of a kind.
pub(super) fn of(ticket: &Ticket, kind: EntityKind) -> Vec<String> {
    let in_body = |pattern: &Regex| -> Vec<String> {
        [&ticket.subject, &ticket.body]
            .into_iter()
            .flat_map(|text| pattern.find_iter(text))
            .map(|found| found.as_str().to_owned())
            .collect()
    };
    match kind {
        EntityKind::Name => {
            let name = &ticket.customer_name;
            let parts = name.split(|c: char| c.is_whitespace() || c == '-');
            let long = parts.filter(|part| part.chars().count() >= PART_OF_A_NAME);
            long.chain([name.as_str()]).map(str::to_owned).collect()
        }
        EntityKind::Email => {
            let mut found = in_body(&EMAIL);
            found.push(ticket.email.clone());
            found
        }
        EntityKind::Phone => vec![ticket.phone.clone()],
        EntityKind::Ssn => in_body(&SSN),
        EntityKind::Address => {
            // The street alone is enough to find a house.
            addresses(&ticket.body)
                .filter_map(|address| address.split(',').next())
                .map(|street| street.trim().to_owned())
                .filter(|street| street.chars().count() >= 8)
                .collect()
        }
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
    let text = plain(text);
    match kind {
        // A part of a name is no part of another word.
        EntityKind::Name => {
            let is_apart = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
            !value.is_empty()
                && text.match_indices(&value).any(|(at, found)| {
                    is_apart(text[..at].chars().next_back())
                        && is_apart(text[at + found.len()..].chars().next())
                })
        }
        _ => !value.is_empty() && text.contains(&value),
    }
}

/// Whether a text has something that looks like a secret key. A ticket's own are not known: the client
/// hides them.
pub(super) fn has_key(text: &str) -> bool {
    KEY.is_match(text)
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
    fn parts_of_a_name_and_a_street_are_found_and_parts_of_words_are_not() {
        let ticket: Ticket = serde_json::from_value(serde_json::json!({
            "id": "3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d",
            "created_at": "2026-06-02T14:23:00Z",
            "customer_name": "Ann Vance-Coleridge",
            "email": "ann@mail.example",
            "phone": "555-0142",
            "plan_tier": "pro",
            "severity": "low",
            "status": "open",
            "subject": "It",
            "body": "Name: Ann\nAddress:   18 Lantern Quay, Apt 4, Portland, OR 97203\nAddress: see above",
        }))
        .unwrap();
        let stands = |kind, text: &str| {
            let values = of(&ticket, kind);
            values.iter().any(|value| stands_in(text, kind, value))
        };
        assert!(stands(EntityKind::Name, "Coleridge, Ann"));
        assert!(stands(EntityKind::Name, "ann.vance says"));
        assert!(!stands(EntityKind::Name, "in advance, anno [NAME_1]"));
        assert!(stands(EntityKind::Address, "at 18 lantern quay"));
        assert!(!stands(EntityKind::Address, "at [ADDRESS_1], see above"));
        assert_eq!(of(&ticket, EntityKind::Address), ["18 Lantern Quay"]);
    }

    #[test]
    fn what_is_personal_in_a_ticket_is_found_whole() {
        let ticket: Ticket = serde_json::from_value(serde_json::json!({
            "id": uuid::Uuid::nil(), "created_at": "2026-11-29T09:00:00Z",
            "customer_name": "Ada Sample", "email": "ada@lab.example", "phone": "555-0142",
            "plan_tier": "pro", "severity": "high", "status": "open", "subject": "it is broken",
            "body": "Phone: (555) 555-0142\nCard: 4242 4242 4242 4242\n\
                     Address:      18 Lantern Quay, Apt 4\nSSN: 900-12-3456\ncall +1 555-555-0177",
        }))
        .unwrap();
        assert_eq!(
            words_of(&ticket),
            [
                "(555) 555-0142",
                "+1 555-555-0177",
                "18 Lantern Quay, Apt 4",
                "4242 4242 4242 4242",
                "555-0142",
                "900-12-3456",
                "Ada Sample",
                "ada@lab.example",
            ]
        );
    }

    #[test]
    fn patterns_find_what_they_are_for() {
        assert!(SSN.is_match("900-12-3456") && EMAIL.is_match("x@y.example"));
        assert!(KEY.is_match("whsec_test_abc123"));
        assert!(has_placeholder("to [CREDIT_CARD_1]") && !has_placeholder("[x]"));
    }
}
