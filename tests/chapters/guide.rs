//! What `hoptrail chapters write` gives an author.

use hoptrail::chapters::{Attempt, Book, Expect, guide::guide, parse::DIRECTIVES};
use serde::Deserialize;
use serde_json::json;

use crate::program::Home;

/// The conditions by their names, as the reader of a front matter knows them.
fn conditions() -> Vec<String> {
    let refused = Expect::deserialize(json!({ "there is none": 0 })).unwrap_err();
    let names = refused.to_string();
    let (_, names) = names.split_once("expected one of ").expect("a list");
    names
        .split(", ")
        .map(|name| name.trim_matches('`').to_owned())
        .collect()
}

#[test]
fn the_guide_names_every_condition_directive_and_word() {
    let guide = guide();
    let conditions = conditions();
    assert!(conditions.len() > 20, "{conditions:?}");
    for name in conditions {
        assert!(guide.contains(&format!("\n### `{name}`\n")), "{name}");
    }
    for (name, _) in DIRECTIVES {
        assert!(guide.contains(&format!("<!-- {name}: ")), "{name}");
    }
    for attempt in Attempt::ALL {
        assert!(guide.contains(&format!("`{}`", attempt.name())));
    }
    // What stands in lists of tables is told as well, and what a word means.
    assert!(
        guide.contains("  - `scope` (may be left out): a text"),
        "{guide}"
    );
    assert!(guide.contains("- `absent`: No such line"), "{guide}");
}

/// The example in it is one that can be read.
#[test]
fn the_guides_example_is_a_check() {
    let guide = guide();
    let (_, rest) = guide.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let text = format!(
        "+++\nid = \"a\"\ntitle = \"A\"\nminutes = 1\npane = \"flow\"\nstage = 2\n{example}+++\n\
         <!-- check: listed -->\n"
    );
    let book = Book::parse([("00-a.md", text.as_str())]).unwrap();
    assert!(book.chapters[0].check("listed").is_some());
}

#[test]
fn the_chapters_are_written_into_a_new_folder_and_over_nothing() {
    let home = Home::new();
    let written = home.run(&["chapters", "write", "mine"]).exits_with(0);
    assert!(written.out.contains("9 chapters"), "{}", written.out);
    home.run(&["chapters", "lint", "mine"]).exits_with(0);
    let again = home.run(&["chapters", "write", "mine"]).exits_with(2);
    assert!(again.err.contains("mine is not empty"), "{}", again.err);
}
