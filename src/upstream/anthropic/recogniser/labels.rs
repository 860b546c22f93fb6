//! Which part of a product a ticket is about, by a weighted vocabulary.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use foldhash::fast::FixedState;
use regex::Regex;

mod vocabulary;

use super::scan::fold;
use vocabulary::VOCABULARY;

/// The workshop's labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    Payments,
    Webhooks,
    DataExport,
    Auth,
    Frontend,
    Api,
    Infrastructure,
    Notifications,
}

impl Label {
    pub const ALL: [Self; 8] = [
        Self::Payments,
        Self::Webhooks,
        Self::DataExport,
        Self::Auth,
        Self::Frontend,
        Self::Api,
        Self::Infrastructure,
        Self::Notifications,
    ];

    /// The label as Linear has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Webhooks => "webhooks",
            Self::DataExport => "data-export",
            Self::Auth => "auth",
            Self::Frontend => "frontend",
            Self::Api => "api",
            Self::Infrastructure => "infrastructure",
            Self::Notifications => "notifications",
        }
    }
}

/// A word in the subject says more than one in the body.
const SUBJECT: u32 = 3;
/// A word that is repeated counts this often at most.
const MOST: u32 = 3;

type Table<Key, Entry> = HashMap<Key, Vec<Entry>, FixedState>;

#[derive(Default)]
struct Vocabulary {
    whole: Table<&'static str, (Label, u32)>,
    /// By their first three letters.
    prefixes: Table<[u8; 3], (&'static str, Label, u32)>,
}

static INDEX: LazyLock<Vocabulary> = LazyLock::new(|| {
    let mut index = Vocabulary::default();
    for (label, words) in VOCABULARY {
        for (word, weight) in *words {
            match word.strip_suffix('*') {
                Some(prefix) => {
                    let bytes = prefix.as_bytes();
                    if let [a, b, c, ..] = *bytes {
                        index
                            .prefixes
                            .entry([a, b, c])
                            .or_default()
                            .push((prefix, *label, *weight));
                    }
                }
                None => index.whole.entry(word).or_default().push((*label, *weight)),
            }
        }
    }
    index
});

impl Vocabulary {
    fn look_up(&self, word: &str, mut found: impl FnMut(&'static str, Label, u32)) {
        if let Some((known, entries)) = self.whole.get_key_value(word) {
            for (label, weight) in entries {
                found(known, *label, *weight);
            }
        }
        if let [a, b, c, ..] = *word.as_bytes()
            && let Some(entries) = self.prefixes.get(&[a, b, c])
        {
            for (prefix, label, weight) in entries {
                if word.starts_with(prefix) {
                    found(prefix, *label, *weight);
                }
            }
        }
    }
}

/// `[CREDIT_CARD_1]` says what somebody pasted and nothing about the trouble.
fn without_placeholders(text: &str) -> Cow<'_, str> {
    static PLACEHOLDER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\[[A-Z_]{3,11}_[0-9]+\]").expect("a constant pattern"));
    PLACEHOLDER.replace_all(text, " ")
}

/// One to three labels, the best first. `subject` and `body` are masked already, so that a name or
/// an address does not decide.
pub fn labels(subject: &str, body: &str) -> Vec<Label> {
    let mut counts: HashMap<(&'static str, Label), u32> = HashMap::new();
    let mut scores: HashMap<Label, u32> = HashMap::new();
    for (text, factor) in [(subject, SUBJECT), (body, 1)] {
        let folded = fold(&without_placeholders(text));
        let (mut previous, mut pair) = ("", String::new());
        for word in folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty() && word.len() <= 32)
        {
            let mut count = |known: &'static str, label: Label, weight: u32| {
                let times = counts.entry((known, label)).or_default();
                if *times < MOST {
                    *times += 1;
                    *scores.entry(label).or_default() += weight * factor;
                }
            };
            INDEX.look_up(word, &mut count);
            if !previous.is_empty() && previous.len() + word.len() < 32 {
                pair.clear();
                pair.extend([previous, " ", word]);
                INDEX.look_up(&pair, |known, label, weight| {
                    if known.contains(' ') {
                        count(known, label, weight);
                    }
                });
            }
            previous = word;
        }
    }
    let mut ranked: Vec<(Label, u32)> = scores.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let best = ranked.first().map_or(0, |(_, score)| *score);
    let hint = ranked.first().map(|(label, _)| *label);
    let chosen: Vec<Label> = ranked
        .into_iter()
        .filter(|(_, score)| *score >= 5 && *score * 5 >= best * 2)
        .map(|(label, _)| label)
        .take(3)
        .collect();
    if chosen.is_empty() {
        // Somebody must look at it; what nobody recognises is most often seen in the interface.
        return vec![hint.unwrap_or(Label::Frontend)];
    }
    chosen
}
