//! One placeholder for one thing: the same value, or the same person, is the same number.

use std::{borrow::Cow, collections::HashMap, fmt::Write as _};

use crate::protocol::tickets::{DetectedEntity, EntityKind};

use super::{people::People, scan::fold, span::Span};

/// The word in a placeholder.
pub const fn word(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Name => "NAME",
        EntityKind::Email => "EMAIL",
        EntityKind::Phone => "PHONE",
        EntityKind::Ssn => "SSN",
        EntityKind::Address => "ADDRESS",
        EntityKind::CreditCard => "CREDIT_CARD",
        EntityKind::Credential => "CREDENTIAL",
    }
}

/// Replaces each span; gives the text and each placeholder once, in order of appearance.
pub fn mask(text: &str, spans: &[Span], people: &People) -> (String, Vec<DetectedEntity>) {
    let mut numbers = Numbers::new(text);
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        let number = numbers.of(span.kind, &text[span.range.clone()], people);
        masked.push_str(&text[at..span.range.start]);
        // Writing to a string cannot fail.
        let _ = write!(masked, "[{}_{number}]", word(span.kind));
        at = span.range.end;
    }
    masked.push_str(&text[at..]);
    (masked, numbers.entities)
}

struct Numbers {
    by_key: HashMap<(EntityKind, String), u32>,
    /// Phones and addresses may be a longer or shorter form of one another.
    long_keys: Vec<(EntityKind, String, u32)>,
    last: HashMap<EntityKind, u32>,
    entities: Vec<DetectedEntity>,
}

impl Numbers {
    /// Starts behind placeholders that the text already has, so that none means two things.
    fn new(text: &str) -> Self {
        let mut last = HashMap::new();
        for (at, _) in text.match_indices('[') {
            for kind in [
                EntityKind::Name,
                EntityKind::Email,
                EntityKind::Phone,
                EntityKind::Ssn,
                EntityKind::Address,
                EntityKind::CreditCard,
                EntityKind::Credential,
            ] {
                let number = text[at + 1..]
                    .strip_prefix(word(kind))
                    .and_then(|rest| rest.strip_prefix('_'))
                    .and_then(|rest| rest.split(']').next())
                    .filter(|digits| digits.len() <= 6)
                    .and_then(|digits| digits.parse::<u32>().ok());
                if let Some(number) = number {
                    let highest: &mut u32 = last.entry(kind).or_default();
                    *highest = (*highest).max(number);
                }
            }
        }
        Self {
            by_key: HashMap::new(),
            long_keys: Vec::new(),
            last,
            entities: Vec::new(),
        }
    }

    fn of(&mut self, kind: EntityKind, value: &str, people: &People) -> u32 {
        let key = key(kind, value, people);
        if let Some(number) = self.by_key.get(&(kind, key.clone().into_owned())) {
            return *number;
        }
        let related = matches!(kind, EntityKind::Phone | EntityKind::Address)
            .then(|| {
                self.long_keys
                    .iter()
                    .take(256)
                    .find(|(known, other, _)| *known == kind && same(kind, other, &key))
                    .map(|(_, _, number)| *number)
            })
            .flatten();
        let number = related.unwrap_or_else(|| {
            let next = self.last.entry(kind).or_default();
            *next += 1;
            self.entities.push(DetectedEntity {
                kind,
                placeholder: format!("[{}_{next}]", word(kind)),
            });
            *next
        });
        self.long_keys
            .push((kind, key.clone().into_owned(), number));
        self.by_key.insert((kind, key.into_owned()), number);
        number
    }
}

/// What makes two values the same.
fn key<'v>(kind: EntityKind, value: &'v str, people: &People) -> Cow<'v, str> {
    let kept = |keep: fn(&char) -> bool| value.chars().filter(keep).collect::<String>();
    match kind {
        EntityKind::Name => people
            .index(value)
            .map_or_else(|| fold(value), |index| format!("#{index}"))
            .into(),
        EntityKind::Email => value.replace("%40", "@").to_lowercase().into(),
        EntityKind::Phone => value
            .to_lowercase()
            .split(['x', 'e'])
            .next()
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
            .into(),
        EntityKind::CreditCard | EntityKind::Ssn => kept(char::is_ascii_alphanumeric).into(),
        EntityKind::Address => fold(value)
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
            .into(),
        EntityKind::Credential => value.into(),
    }
}

fn same(kind: EntityKind, left: &str, right: &str) -> bool {
    let (short, long) = if left.len() < right.len() {
        (left, right)
    } else {
        (right, left)
    };
    match kind {
        EntityKind::Phone => short.len() >= 7 && long.ends_with(short),
        EntityKind::Address => short.len() >= 10 && short.contains(' ') && long.starts_with(short),
        EntityKind::Name
        | EntityKind::Email
        | EntityKind::Ssn
        | EntityKind::CreditCard
        | EntityKind::Credential => false,
    }
}
