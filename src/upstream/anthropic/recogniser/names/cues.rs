//! Names behind words that say that one follows, and common given names.

use std::ops::Range;

use crate::upstream::anthropic::recogniser::{
    lexicon::{is_ambiguous, is_given_name, is_never_name, is_place},
    people::{Fit, is_title},
    scan::{Shape, line_before, window_after},
    span::Weight,
};

use super::{Finder, Single};

impl Finder<'_, '_> {
    /// What stands before a name and says that one follows; and given names.
    pub(super) fn cues(&mut self) {
        let mut index = 0;
        while index < self.folded.len() {
            match self.cue(index) {
                Some((range, weight)) => {
                    let next = self.scan.word_at(range.end);
                    self.push(range, weight, Fit::Parts);
                    index = next.max(index + 1);
                }
                None => index += 1,
            }
        }
    }

    fn cue(&self, index: usize) -> Option<(Range<usize>, Weight)> {
        let word = &self.scan.words[index];
        let before =
            |n: usize| -> &str { index.checked_sub(n).map_or("", |i| self.folded[i].as_str()) };
        let gap = if index > 0 {
            self.scan.gap(index - 1, index)
        } else {
            ""
        };
        if word.shape == Shape::Lower {
            return self.lower(index, gap);
        }
        if word.glued {
            return None;
        }
        let close = matches!(
            gap,
            " " | ". " | ", " | ": " | " (" | "\n" | " \"" | ", \"" | " – " | " - "
        );
        if close
            && is_title(before(1))
            && matches!(gap, " " | ". ")
            // `1017 DR Amsterdam` is no doctor.
            && self.scan.words[index - 1].shape == Shape::Capitalised
        {
            return self
                .name_at(index, Single::Any)
                .map(|r| (r, Weight::Context));
        }
        if gap == " " {
            let introduces = (before(1) == "is" && before(2) == "name")
                || (before(1) == "name" && matches!(before(2), "my" | "his" | "her" | "their"))
                || (matches!(before(1), "named" | "called") && is_given_name(&self.folded[index]))
                || is_i_am_called(before(1));
            if introduces {
                return self
                    .name_at(index, Single::Any)
                    .map(|r| (r, Weight::Context));
            }
        }
        // `our receptionist Gwenllian`, `her daughter Cerys`: who they are is said.
        if gap == " " && is_person(before(1)) && is_possessive(before(2)) {
            return self
                .name_at(index, Single::Any)
                .map(|r| (r, Weight::Context));
        }
        if close && is_role(before(1)) || gap == " " && is_lead(before(1), before(2)) {
            let found = self.name_at(index, Single::Given);
            if let Some(range) = found
                && !(is_ambiguous(&self.folded[index]) && self.scan.word_at(range.end) == index + 1)
            {
                return Some((range, Weight::Context));
            }
        }
        if let Some(range) = self.shouted(index)
            && is_given_name(&self.folded[index])
            && !is_ambiguous(&self.folded[index])
        {
            return Some((range, Weight::Shape));
        }
        self.given(index).or_else(|| self.acting(index))
    }

    /// A name in lower case, of which the given one is known: `my name is tom baker`.
    fn lower(&self, index: usize, gap: &str) -> Option<(Range<usize>, Weight)> {
        let given = &self.folded[index];
        let half = given
            .split_once('-')
            .is_some_and(|(left, _)| is_given_name(left));
        if is_never_name(given) || !(is_given_name(given) || half) {
            return None;
        }
        let before =
            |n: usize| -> &str { index.checked_sub(n).map_or("", |i| self.folded[i].as_str()) };
        // `its tom baker`, `my husband tom`
        let named = gap == " "
            && (before(1) == "is" && before(2) == "name"
                || is_i_am_called(before(1))
                || (matches!(before(1), "its" | "it's" | "i'm" | "im")
                    || is_role(before(1)) && is_possessive(before(2)))
                    && !is_ambiguous(given));
        let family = self.scan.words.get(index + 1).is_some_and(|next| {
            next.shape == Shape::Lower
                && !next.glued
                && self.scan.gap(index, index + 1) == " "
                && !is_never_name(&self.folded[index + 1])
                && next.text.len() > 2
        });
        if named {
            let end = index + 1 + usize::from(family);
            return Some((self.range(index, end), Weight::Context));
        }
        // `this is tom baker, …`, `hello, tom baker here`: who speaks says so, and the name ends there.
        let introduces = gap == " "
            && (before(1) == "is" && matches!(before(2), "this" | "here") || before(1) == "am");
        let begins = self.scan.begins_sentence(self.scan.words[index].start)
            || matches!(gap, ", " | "! " | " - ")
            || gap == " " && matches!(before(1), "hi" | "hello" | "hey" | "yo");
        if !family || is_ambiguous(given) || !(introduces || begins) {
            return None;
        }
        let range = self.range(index, index + 2);
        let rest = window_after(self.scan.text, range.end, 16);
        let next = rest
            .trim_start()
            .split(|c: char| !c.is_alphabetic())
            .next()
            .unwrap_or_default();
        let speaks = matches!(next, "here" | "speaking" | "writing" | "calling" | "again");
        let ends = rest.is_empty()
            || rest.starts_with(['.', ',', '!', '\n', '('])
            || matches!(next, "from" | "at" | "and" | "with" | "i");
        (speaks || introduces && ends).then_some((range, Weight::Context))
    }

    /// `Fen Okafor (on call) confirmed …`: two words that do what only people do.
    fn acting(&self, index: usize) -> Option<(Range<usize>, Weight)> {
        let end = self.run(index)?;
        if end - index < 2 {
            return None;
        }
        let range = self.range(index, end);
        self.acts(range.end).then_some((range, Weight::Shape))
    }

    /// Whether what ends at `end` does what only people do.
    pub(super) fn acts(&self, end: usize) -> bool {
        let verb = || {
            let rest = window_after(self.scan.text, end, 48).strip_prefix(' ')?;
            let rest = match rest.strip_prefix('(') {
                Some(inside) => inside.split_once(") ")?.1,
                None => rest,
            };
            rest.split(|c: char| !c.is_alphabetic()).next()
        };
        verb().is_some_and(is_human_verb)
    }

    /// A common given name, alone or with what follows.
    fn given(&self, index: usize) -> Option<(Range<usize>, Weight)> {
        let folded = &self.folded[index];
        let word = &self.scan.words[index];
        if word.shape != Shape::Capitalised || !is_given_name(folded) && !is_double_given(folded) {
            return None;
        }
        let end = self.run(index)?;
        let range = self.range(index, end);
        if !is_ambiguous(folded) {
            return Some((range, Weight::Shape));
        }
        // `Will Harper`, but neither `Will` nor `Austin, Texas` nor `Mark Export` at a beginning.
        let sure = end - index > 1
            && !is_place(&self.folded[end - 1])
            && self.scan.words[end - 1].text.len() > 1
            && (!self.scan.begins_sentence(word.start)
                || is_given_name(&self.folded[index + 1])
                || line_before(self.scan.text, word.start, 4).trim().is_empty()
                    && self.scan.text[range.end..].starts_with(['\n', ',']));
        sure.then_some((range, Weight::Shape))
    }
}

/// Words for what only a person is, before the name: `our CTO Fen Okafor`.
fn is_person(folded: &str) -> bool {
    matches!(
        folded,
        "ceo"
            | "cto"
            | "cfo"
            | "coo"
            | "manager"
            | "director"
            | "engineer"
            | "developer"
            | "analyst"
            | "consultant"
            | "assistant"
            | "officer"
            | "president"
            | "founder"
            | "cofounder"
            | "accountant"
            | "nurse"
            | "doctor"
            | "teacher"
            | "colleague"
            | "boss"
            | "deputy"
            | "patient"
            | "employee"
            | "intern"
            | "wife"
            | "husband"
            | "son"
            | "daughter"
            | "mother"
            | "father"
            | "sister"
            | "brother"
            | "friend"
            | "student"
            | "cashier"
            | "clerk"
            | "attendee"
            | "speaker"
            | "secretary"
            | "bookkeeper"
            | "designer"
            | "treasurer"
            | "coordinator"
            | "supervisor"
            | "technician"
            | "pharmacist"
            | "lawyer"
            | "attorney"
            | "architect"
            | "professor"
            | "teammate"
            | "receptionist"
            | "grandmother"
            | "grandfather"
            | "uncle"
            | "aunt"
            | "cousin"
            | "niece"
            | "nephew"
            | "neighbour"
            | "neighbor"
            | "fiance"
            | "fiancee"
            | "dentist"
            | "trainer"
            | "electrician"
            | "plumber"
            | "landlord"
    )
}

/// Words for what a person or a company is, before the name: `customer Fen Okafor`.
fn is_role(folded: &str) -> bool {
    is_person(folded)
        || matches!(
            folded,
            "driver"
                | "customer"
                | "client"
                | "contractor"
                | "partner"
                | "admin"
                | "administrator"
                | "lead"
                | "user"
                | "member"
                | "tenant"
                | "guest"
                | "subscriber"
                | "buyer"
                | "seller"
                | "owner"
                | "agent"
                | "rep"
                | "representative"
                | "cc"
                | "contact"
                | "colleagues"
        )
}

fn is_possessive(folded: &str) -> bool {
    matches!(folded, "my" | "our" | "his" | "her" | "their" | "your")
}

/// Words that lead to a name: `ask for …`, `signed by …`, `call …`.
fn is_lead(last: &str, before: &str) -> bool {
    match last {
        "for" => matches!(
            before,
            "ask" | "asked" | "asking" | "account" | "record" | "card"
        ),
        "to" | "with" => matches!(
            before,
            "speak"
                | "talk"
                | "spoke"
                | "speaking"
                | "talking"
                | "belongs"
                | "belonging"
                | "assigned"
                | "registered"
                | "issued"
                | "talked"
                | "addressed"
                | "delivered"
                | "refund"
                | "write"
                | "reply"
                | "replied"
                | "working"
                | "worked"
                | "thanks"
        ),
        "of" => matches!(
            before,
            "behalf" | "name" | "attention" | "account" | "wife" | "records"
        ),

        "is" => matches!(
            before,
            "this" | "manager" | "owner" | "contact" | "holder" | "here" | "boss"
        ),
        "by" | "am" | "i'm" | "call" | "phone" | "ring" | "contact" | "tell" | "told" | "reach"
        | "text" | "inform" | "notify" | "invited" | "invite" | "cc'ing" | "ccing" | "looping"
        | "loop" | "hired" | "attn" | "asked" | "emailed" | "impersonating" => true,
        _ => false,
    }
}

/// `Anne-Marie`: two given names in one.
fn is_double_given(folded: &str) -> bool {
    folded
        .split_once('-')
        .is_some_and(|(left, right)| is_given_name(left) && is_given_name(right))
}

/// `Ich heiße …`, `je m'appelle …`, `soy …`, `меня зовут …`: the folded word before a name.
fn is_i_am_called(word: &str) -> bool {
    matches!(
        word,
        "heisse" | "llamo" | "appelle" | "m'appelle" | "soy" | "chamo" | "зовут"
    )
}

/// What people do and programs do not.
fn is_human_verb(word: &str) -> bool {
    matches!(
        word,
        "says"
            | "said"
            | "told"
            | "tells"
            | "wrote"
            | "writes"
            | "asked"
            | "asks"
            | "confirmed"
            | "mentioned"
            | "noticed"
            | "wants"
            | "wanted"
            | "signed"
            | "muted"
            | "approved"
            | "lives"
            | "complained"
            | "requested"
            | "saw"
            | "sees"
            | "thinks"
            | "thought"
            | "called"
            | "rang"
            | "phoned"
            | "emailed"
            | "joined"
            | "tried"
            | "ordered"
            | "paid"
            | "bought"
            | "replied"
            | "complains"
            | "insists"
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::upstream::anthropic::recogniser::spans;

    fn found(text: &str) -> Vec<&str> {
        spans(text).into_iter().map(|s| &text[s.range]).collect()
    }

    #[rstest]
    #[case("hello, john baker here. Thanks! J. Baker", &["john baker", "J. Baker"])]
    #[case("hi john baker here", &["john baker"])]
    #[case("this is john baker, the export fails", &["john baker"])]
    #[case("hey - anna zorvin speaking, from A.Zorvin and A. Corp", &["anna zorvin", "A.Zorvin"])]
    #[case("i am anna zorvin from acme", &["anna zorvin"])]
    #[case("Mail from Anna Zorvin (Z. Anna), not B. Zorvin", &["Anna Zorvin", "Z. Anna", "Zorvin"])]
    #[case("Fatima bint Yusuf sees it", &["Fatima bint Yusuf"])]
    #[case("my name is jean-luc picard, soy maria garcia", &["jean-luc picard", "maria garcia"])]
    #[case("je m'appelle pierre dupont. Меня зовут Иван Петров", &["pierre dupont", "Иван Петров"])]
    #[case("tell Fatima al-Rashid and Maria d'Angelo", &["Fatima al-Rashid", "Maria d'Angelo"])]
    #[case("I asked her assistant Ben today. Ben said no. Ben", &["Ben", "Ben"])]
    #[case("Hi Mark Vexley here. Mark said so. Mark the issue", &["Mark Vexley", "Mark"])]
    fn names_in_lower_case_and_with_initials(#[case] text: &str, #[case] names: &[&str]) {
        assert_eq!(found(text), names);
    }

    #[rstest]
    #[case("this is mark down here, it is all right here")]
    #[case("this is table x. J. Doe is a placeholder, plan B. Export")]
    #[case("hello, export here. hello, page speaking of which")]
    fn other_words_in_lower_case_stay(#[case] text: &str) {
        assert!(found(text).is_empty(), "{:?}", found(text));
    }
}
