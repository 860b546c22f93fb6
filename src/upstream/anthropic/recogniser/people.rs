//! Who is who: `Marisol`, `Ms Vexley`, `M. Vexley` and `mvexley` are one person.

use std::collections::HashMap;

use super::{
    lexicon::{is_never_name, is_particle},
    scan::fold,
};

/// The people of one text, told apart by the parts of their names.
///
/// A list of thousands of people must not be gone through for each mention: the maps lead to the few
/// who may be meant.
#[derive(Debug, Default)]
pub struct People {
    all: Vec<Person>,
    /// Who has this part, or half of a double name, in the order in which they were added.
    by_part: HashMap<String, Vec<usize>>,
    /// Who would be given this login first.
    by_login: HashMap<String, usize>,
    /// Whose given name begins with these three letters.
    by_head: HashMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct Person {
    /// Folded names, the given one first as far as the text tells.
    parts: Vec<String>,
}

/// How freely a mention may be taken for someone who is known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// By the parts of the name.
    Parts,
    /// Also as a short form: who signs `Otti` is `Ottoline`.
    ShortForm,
}

impl People {
    /// Adds the person that `mention` names, or completes one that is known in part.
    /// Add long mentions first.
    pub fn add(&mut self, mention: &str, fit: Fit) {
        let parts = parts(mention);
        if parts.is_empty() || self.find(&parts, fit).is_some() {
            return;
        }
        let index = self.all.len();
        for part in &parts {
            let halves = part.split('-').filter(|half| *half != part.as_str());
            for key in std::iter::once(part.as_str()).chain(halves) {
                let having = self.by_part.entry(key.to_owned()).or_default();
                if having.last() != Some(&index) {
                    having.push(index);
                }
            }
        }
        if let [given, .., family] = parts.as_slice() {
            for login in logins(given, family) {
                self.by_login.entry(login).or_insert(index);
            }
            if let Some(head) = head(given) {
                self.by_head.entry(head).or_default().push(index);
            }
        }
        self.all.push(Person { parts });
    }

    /// Index of the person that `mention` names.
    pub fn index(&self, mention: &str) -> Option<usize> {
        let parts = parts(mention);
        self.find(&parts, Fit::Parts)
            .or_else(|| self.by_handle(mention))
            .or_else(|| self.find(&parts, Fit::ShortForm))
    }

    /// Index of the person who has this folded word in the name.
    pub fn with_part(&self, folded: &str) -> Option<usize> {
        let having = self.by_part.get(folded)?;
        having
            .iter()
            .copied()
            .find(|index| self.all[*index].parts.iter().any(|part| part == folded))
    }

    /// Whether one of those who have this folded word in the name has another part that begins so.
    pub fn has_initial(&self, folded: &str, initial: &str) -> bool {
        // Of thousands of one name the first few tell enough.
        let having = self.by_part.get(folded).map_or(&[][..], Vec::as_slice);
        having.iter().take(16).any(|index| {
            let parts = &self.all[*index].parts;
            parts
                .iter()
                .any(|part| part != folded && part.starts_with(initial))
        })
    }

    /// The names by whose parts propagation may search.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The person who would be given this login: `mvexley`, `marisol.vexley`, `marisolv`.
    pub fn by_handle(&self, handle: &str) -> Option<usize> {
        let handle: String = fold(handle)
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        if handle.chars().count() < 4 {
            return None;
        }
        self.by_login.get(&handle).copied()
    }

    fn find(&self, parts: &[String], fit: Fit) -> Option<usize> {
        let known = |person: &Person| {
            parts.iter().all(|part| {
                person.parts.iter().any(|own| {
                    own == part
                        // An initial stands for any part that begins with it.
                        || (part.chars().count() == 1 && parts.len() > 1 && own.starts_with(part.as_str()))
                        // One half of a double name.
                        || own.split('-').any(|half| half == part)
                })
            })
        };
        // Whoever is meant has each part that is more than an initial; the rarest leads to the fewest.
        let fewest = parts
            .iter()
            .filter(|part| part.chars().count() > 1 || parts.len() == 1)
            .map(|part| self.by_part.get(part).map_or(&[][..], Vec::as_slice))
            .min_by_key(|having| having.len());
        let whole = match fewest {
            Some(having) => having
                .iter()
                .copied()
                .find(|index| known(&self.all[*index])),
            None => self.all.iter().position(known),
        };
        if whole.is_some() || fit == Fit::Parts {
            return whole;
        }
        let [nick] = parts else { return None };
        let having = self.by_head.get(&head(nick)?)?;
        having.iter().copied().find(|index| {
            let given = self.all[*index].parts.first();
            given.is_some_and(|given| given.len() > nick.len())
        })
    }
}

/// The logins that a person of this name may have.
fn logins(given: &str, family: &str) -> [String; 5] {
    let letters = |name: &str| -> String { name.chars().filter(|c| c.is_alphabetic()).collect() };
    let (given, family) = (letters(given), letters(family));
    let first = |name: &str| name.chars().take(1).collect::<String>();
    [
        format!("{given}{family}"),
        format!("{family}{given}"),
        format!("{}{family}", first(&given)),
        format!("{given}{}", first(&family)),
        format!("{family}{}", first(&given)),
    ]
}

/// The first three letters of a name that has as many.
fn head(name: &str) -> Option<String> {
    let head: String = name.chars().take(3).collect();
    (head.chars().count() == 3).then_some(head)
}

/// The folded parts of a name, without titles and particles.
pub fn parts(mention: &str) -> Vec<String> {
    mention
        .split(|c: char| !(c.is_alphabetic() || matches!(c, '-' | '\'' | '’')))
        .map(|part| fold(part.trim_matches(['-', '\'', '’'])))
        .filter(|part| !part.is_empty() && !is_title(part) && !is_particle(part))
        .collect()
}

/// `Mr`, `Dr`, `Frau`: a person follows.
pub fn is_title(folded: &str) -> bool {
    matches!(
        folded,
        "mr" | "mrs"
            | "ms"
            | "miss"
            | "mx"
            | "dr"
            | "prof"
            | "professor"
            | "sir"
            | "herr"
            | "frau"
            | "mme"
            | "mlle"
            | "monsieur"
            | "madame"
            | "senor"
            | "senora"
            | "sra"
            | "signor"
            | "signora"
            | "dra"
            | "ing"
            | "rev"
            | "capt"
            | "sgt"
    )
}

/// Whether the folded word may be a part of a name by itself.
pub fn may_stand_alone(folded: &str) -> bool {
    folded.chars().count() >= 3 && !is_never_name(folded) && !is_particle(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_one_person_and_strangers_are_not() {
        let mut people = People::default();
        people.add("Marisol Vexley", Fit::Parts);
        people.add("Dashiell Okonkwo-Brandt", Fit::Parts);
        people.add("Tom Vexley", Fit::Parts);
        for mention in [
            "Marisol",
            "Ms Vexley",
            "M. Vexley",
            "mvexley",
            "Vexley, Marisol",
        ] {
            assert_eq!(people.index(mention), Some(0), "{mention}");
        }
        for mention in ["Dashiell", "Brandt", "dash", "Dash"] {
            assert_eq!(people.index(mention), Some(1), "{mention}");
        }
        assert_eq!(people.index("Tom Vexley"), Some(2));
        assert_eq!(people.index("Petronella"), None);
    }
}
