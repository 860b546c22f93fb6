//! Who is who: `Marisol`, `Ms Vexley`, `M. Vexley` and `mvexley` are one person.

use super::{
    lexicon::{is_never_name, is_particle},
    scan::fold,
};

/// The people of one text, told apart by the parts of their names.
#[derive(Debug, Default)]
pub struct People(Vec<Person>);

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
        self.0.push(Person { parts });
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
        self.0
            .iter()
            .position(|person| person.parts.iter().any(|part| part == folded))
    }

    /// The names by whose parts propagation may search.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
        self.0.iter().position(|person| {
            let [given, .., family] = person.parts.as_slice() else {
                return false;
            };
            let family: String = family.chars().filter(|c| c.is_alphabetic()).collect();
            let given: String = given.chars().filter(|c| c.is_alphabetic()).collect();
            let first = |name: &str| name.chars().take(1).collect::<String>();
            [
                format!("{given}{family}"),
                format!("{family}{given}"),
                format!("{}{family}", first(&given)),
                format!("{given}{}", first(&family)),
                format!("{family}{}", first(&given)),
            ]
            .contains(&handle)
        })
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
        let whole = self.0.iter().position(known);
        if whole.is_some() || fit == Fit::Parts {
            return whole;
        }
        let [nick] = parts else { return None };
        let head: String = nick.chars().take(3).collect();
        (head.chars().count() == 3)
            .then(|| {
                self.0.iter().position(|person| {
                    person.parts.len() > 1
                        && person.parts.first().is_some_and(|given| {
                            given.starts_with(&head) && given.len() > nick.len()
                        })
                })
            })
            .flatten()
    }
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
