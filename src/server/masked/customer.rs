//! What is known of the customer for sure, the columns of the row, looked for in what is to be filed.
//!
//! Ours; the workshop's server checks the shape only. It knows less of names than a model does and
//! more of this one: each part of it counts, in any order and however it is accented.

use super::Unfit;
use crate::{
    protocol::tickets::Ticket,
    support::text::{fold, is_hostile},
};

/// Fewer digits than this are any number.
const SHORTEST_PHONE: usize = 7;

/// A shorter part of a name is too many other things.
const SHORTEST_PART: usize = 4;

/// How far apart the halves of a rewritten address stand: `ana.ruiz at firma.de`.
const REWRITTEN: usize = 12;

pub(super) struct Customer {
    /// The name's words as the column has them, and folded.
    name: Vec<(String, String)>,
    email: String,
    phone: String,
}

impl Customer {
    pub fn of(ticket: &Ticket) -> Self {
        let digits: String = ticket.phone.chars().filter(char::is_ascii_digit).collect();
        // The country code is often left out.
        let national = digits.len().saturating_sub(10);
        let name = plain(&ticket.customer_name);
        Self {
            name: words(&name)
                .filter(|(_, word)| word.chars().all(char::is_alphabetic))
                .map(|(_, word)| (word.to_owned(), fold(word)))
                .collect(),
            email: fold(plain(&ticket.email).trim()),
            phone: digits[national..].to_owned(),
        }
    }

    /// Whether nothing of the customer stands in `text`.
    pub fn absent_from(&self, place: &'static str, text: &str) -> Result<(), Unfit> {
        let leak = |what| Err(Unfit::Leak { place, what });
        let text = plain(text);
        let line = fold(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        if self.has_email(&line) {
            return leak("e-mail address");
        }
        if self.phone.len() >= SHORTEST_PHONE
            && digit_runs(&line).any(|run| run.contains(&self.phone))
        {
            return leak("phone number");
        }
        if self.has_name(&text) {
            return leak("name");
        }
        Ok(())
    }

    fn has_email(&self, line: &str) -> bool {
        if self.email.is_empty() {
            return false;
        }
        if line.contains(&self.email) {
            return true;
        }
        let Some((local, domain)) = self.email.split_once('@') else {
            return false;
        };
        local.len() > 2
            && !domain.is_empty()
            && line.match_indices(domain).any(|(at, _)| {
                let before = &line[..at];
                let room = local.chars().count() + REWRITTEN;
                let start = before.char_indices().rev().take(room).last();
                // `api.firma.de` is another host.
                !before.ends_with(|c: char| c.is_alphanumeric() || "._-".contains(c))
                    && start.is_some_and(|(start, _)| before[start..].contains(local))
            })
    }

    fn has_name(&self, text: &str) -> bool {
        let whole: Vec<&str> = self.name.iter().map(|(_, folded)| &**folded).collect();
        if whole.is_empty() {
            return false;
        }
        if whole.iter().any(|part| part.contains(without_blanks)) {
            let name = whole.concat();
            let line: String = text.split_whitespace().collect();
            return name.chars().count() > 1 && fold(&line).contains(&name);
        }
        let folded: Vec<(usize, &str, String)> = words(text)
            .map(|(at, word)| (at, word, fold(word)))
            .collect();
        let in_order = |name: &[&str]| {
            name.len() > 1
                && folded.windows(name.len()).any(|run| {
                    run.iter()
                        .zip(name)
                        .all(|((_, _, word), part)| word == part)
                })
        };
        let mut family_first = whole.clone();
        family_first.rotate_right(1);
        in_order(&whole)
            || in_order(&family_first)
            || folded
                .iter()
                .any(|(at, word, folded)| self.has_part(text, *at, word, folded))
    }

    /// Whether the word at `at` is a part of the name that tells who it is.
    fn has_part(&self, text: &str, at: usize, word: &str, folded: &str) -> bool {
        let Some((written, _)) = self.name.iter().find(|(_, part)| part == folded) else {
            return false;
        };
        let long = folded.chars().count() >= SHORTEST_PART;
        // `van der`, and whatever else stands small beside the name.
        let small = written.starts_with(char::is_lowercase)
            && self
                .name
                .iter()
                .any(|(part, _)| part.starts_with(char::is_uppercase));
        if small || !long && self.name.len() > 1 {
            return false;
        }
        if long && !EVERYDAY.contains(&folded) {
            return true;
        }
        let capital = word.starts_with(char::is_uppercase);
        capital
            && (written == word || written.starts_with(char::is_lowercase))
            && !begins_sentence(text, at)
    }
}

/// Names that are words too: they count only where nothing but a name is written with a capital.
const EVERYDAY: &[&str] = &[
    "art", "baker", "bell", "bill", "black", "bond", "booth", "brook", "brooks", "brown", "bush",
    "carter", "case", "chance", "chase", "cook", "cross", "dale", "dawn", "dean", "drew", "early",
    "faith", "field", "fields", "fisher", "forest", "frank", "good", "grace", "grant", "gray",
    "green", "hall", "head", "hill", "hope", "house", "hunter", "jack", "june", "kelly", "king",
    "lane", "little", "long", "mark", "marks", "mason", "miles", "mills", "miller", "moss",
    "north", "page", "park", "parks", "paris", "pierce", "post", "potter", "price", "reed", "rich",
    "rivers", "rob", "robin", "rose", "ruby", "sharp", "short", "skip", "small", "smart", "steel",
    "stone", "summer", "taylor", "turner", "victor", "wade", "walker", "wall", "ward", "waters",
    "west", "white", "will", "wise", "wood", "woods", "young", "april", "august", "major",
    "marina",
];

fn begins_sentence(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t', '"', '\'', '*', '-', '>', '(']);
    before.is_empty() || before.ends_with(['.', '!', '?', ':', '\n', '•', '#', '|'])
}

/// Nothing invisible, one kind of dash, no wide letters and no loose accents: none of them hides a
/// name.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_whitespace() || !is_hostile(*c))
        .filter_map(|c| match c {
            '\u{300}'..='\u{36f}' => None,
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => Some('-'),
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0),
            c => Some(c),
        })
        .collect()
}

/// Letters of scripts that put no blanks between words.
fn without_blanks(c: char) -> bool {
    matches!(
        c,
        '\u{e00}'..='\u{eff}' | '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
    )
}

/// The words of `text` and where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let between = |c: char| !c.is_alphanumeric();
    let mut end = 0;
    text.split_inclusive(between).filter_map(move |piece| {
        let start = end;
        end += piece.len();
        let word = piece.trim_end_matches(between);
        (!word.is_empty()).then_some((start, word))
    })
}

/// The digits of each stretch of text that could be a phone number.
fn digit_runs(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_ascii_digit() || " +-()./".contains(c)))
        .map(|run| run.chars().filter(char::is_ascii_digit).collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::server::masked::tests::ticket;

    fn customer(name: &str) -> Customer {
        let mut ticket = ticket();
        name.clone_into(&mut ticket.customer_name);
        "ana.ruiz@firma.example".clone_into(&mut ticket.email);
        Customer::of(&ticket)
    }

    fn found(name: &str, text: &str) -> bool {
        customer(name).absent_from("text", text).is_err()
    }

    #[rstest]
    #[case::surname(
        "Anneliese van der Zwaag-Öztürk",
        "| Full name | [NAME_1] van der Zwaag |"
    )]
    #[case::surname_first("Zorblax Quendle", "Reported by: Quendle, Zorblax")]
    #[case::one_part("Zorblax Quendle", "Export fails for Zorblax")]
    #[case::in_lower_case("Zorblax Quendle", "says zorblax")]
    #[case::other_accents("José Nuñez", "says josé nuñez")]
    #[case::no_accents("José Nuñez", "User Nunez")]
    #[case::loose_accents("José Nuñez", "User Nun\u{303}ez")]
    #[case::vietnamese("Nguyễn Thị Ánh", "user nguyen")]
    #[case::sharp_s("Gregor Preuß", "PREUSS wrote")]
    #[case::short_names("Li Wu", "says Li Wu")]
    #[case::short_names_turned("Li Wu", "says Wu, Li")]
    #[case::no_blanks("山田 太郎", "山田太郎の輸出")]
    #[case::with_blanks("김민지", "담당 김 민지는")]
    #[case::cyrillic("Иван Петров", "сказал Петров")]
    #[case::a_word_that_is_a_name("Will", "we told Will to wait")]
    #[case::a_word_that_is_part_of_a_name("Will Quendle", "we told Will to wait")]
    #[case::phone_with_dashes("Bo", "ring 202–555–0143")]
    #[case::phone_with_unbroken_hyphens("Bo", "ring 202\u{2011}555\u{2011}0143")]
    #[case::phone_in_wide_digits("Bo", "ring ２０２ ５５５ ０１４３")]
    #[case::email_written_out("Bo", "write to ana.ruiz at firma.example")]
    #[case::email_in_brackets("Bo", "write to ana.ruiz (at) firma.example")]
    #[case::email_wide("Bo", "write to ana.ruiz＠firma.example")]
    fn each_way_to_write_the_customer_is_found(#[case] name: &str, #[case] text: &str) {
        assert!(found(name, text), "{text}");
    }

    #[rstest]
    #[case::a_word("Will", "The export will fail at row 10000")]
    #[case::a_word_at_a_beginning("Will", "It broke. Will it be fixed?")]
    #[case::a_short_part("Ana Li", "Li-ion cells, see ana_export")]
    #[case::something_small_beside_the_name(
        "Zorblax (owned) [31m Quendle",
        "a page [31m owned by nobody"
    )]
    #[case::a_particle("Jan van der Aa", "the van is late, der Fehler")]
    #[case::part_of_a_word("Zorblax Quendle", "Quendleton exports")]
    #[case::another_host("Bo", "the ana.ruiz job at api.firma.example fails")]
    #[case::half_a_name_without_blanks("山田 太郎", "山形の輸出")]
    fn what_only_looks_like_the_customer_passes(#[case] name: &str, #[case] text: &str) {
        assert!(!found(name, text), "{text}");
    }
}
