//! What an author is told, and what is kept of a reader.

use hoptrail::chapters::{
    Chapter, Fault, Progress, Segment,
    lint::lint,
    parse,
    progress::{ChapterState, Passed},
    text::{Fold, render},
};
use proptest::prelude::*;
use rstest::rstest;

use crate::{all, book};

pub const HEAD: &str = r#"+++
id = "a"
title = "A"
minutes = 5
pane = "flow"
stage = 0
question = "Why?"
answer = "So."

[[checks]]
id = "one"
title = "One"
hints = ["do it"]
expect = "signed_in"
+++
"#;

const BODY: &str = "<!-- check: one -->\n";

/// What every chapter has.
pub const SECTIONS: &str = "\n## What you will see\n\n## Why it matters\n\n## Steps\n";

fn faults(head: &str, body: &str) -> Vec<Fault> {
    let text = format!("{head}{body}{SECTIONS}");
    lint([("00-a.md", text.as_str())])
}

#[rstest]
#[case::unknown_key(("id = \"a\"", "id = \"a\"\nminuets = 3"), BODY, "00-a.md:3:1: unknown field `minuets`")]
#[case::unknown_expectation(("\"signed_in\"", "\"signed_on\""), BODY, "00-a.md:14:10: unknown variant `signed_on`")]
#[case::unknown_stage(("stage = 0", "stage = 3"), BODY, "00-a.md:6:9: there is no stage 3")]
#[case::no_toml(("minutes = 5", "minutes = five"), BODY, "00-a.md:4:11: ")]
#[case::no_front_matter(("+++", "---"), BODY, "00-a.md:1:1: a chapter begins with a line of +++")]
#[case::unknown_check(("", ""), "<!-- check: one -->\n<!-- check: two -->\n", "00-a.md:17:1: there is no check two")]
#[case::placed_twice(("", ""), "<!-- check: one -->\n<!-- check: one -->\n", "00-a.md:17:1: the check one has a place already")]
#[case::no_place(("", ""), "text\n", "00-a.md:11:6: the check has no place in the text")]
#[case::unknown_directive(("", ""), "<!-- check: one -->\n  <!-- chek: one -->\n", "00-a.md:17:3: there is no directive `chek`")]
#[case::unknown_try(("", ""), "<!-- check: one -->\n<!-- try: rm -rf -->\n", "00-a.md:17:1: nothing called `rm -rf` can be tried")]
#[case::unknown_pane(("", ""), "<!-- check: one -->\n<!-- show: flaw -->\n", "00-a.md:17:1: there is no pane `flaw`")]
#[case::comment_in_text(("", ""), "<!-- check: one --> and text\n", "00-a.md:16:1: a comment stands alone")]
#[case::open_code(("", ""), "<!-- check: one -->\n```\ncode\n", "00-a.md:17:1: this block of code has no end")]
#[case::dead_link(("", ""), "<!-- check: one -->\nSee [b](01-b.md).\n", "00-a.md:17:9: the link leads nowhere")]
#[case::dead_heading(("", ""), "<!-- check: one -->\n# A b\n[x](#a-c)\n", "00-a.md:18:5: there is no heading #a-c")]
#[case::no_answer(("answer = \"So.\"", ""), BODY, "00-a.md:7:12: the question has no answer")]
#[case::no_question(("question = \"Why?\"\nanswer = \"So.\"", ""), BODY, "00-a.md:2:6: the chapter has no question")]
#[case::no_hint(("hints = [\"do it\"]", ""), BODY, "00-a.md:11:6: the check has no hint")]
#[case::expects_nothing(("\"signed_in\"", "{ all = [] }"), BODY, "00-a.md:11:6: the check expects nothing")]
#[case::unreachable(("minutes = 5", "minutes = 5\nrequires = [\"b\"]"), BODY, "00-a.md:5:13: there is no chapter b")]
#[case::itself(("minutes = 5", "minutes = 5\nrequires = [\"a\"]"), BODY, "00-a.md:5:13: a does not come before this chapter")]
#[case::no_minutes(("minutes = 5", "minutes = 0"), BODY, "00-a.md:4:11: ")]
#[case::unknown_tool(("\"signed_in\"", "{ tool_call = { name = \"close_ticket\", outcome = \"succeeded\" } }"), BODY, "00-a.md:11:6: there is no tool close_ticket")]
#[case::passes_by_itself(("\"signed_in\"", "{ audit = { exactly = 0 } }"), BODY, "00-a.md:11:6: the check passes before anything")]
#[case::html(("", ""), "<!-- check: one -->\na <b>bold</b> word, and `<i>`\n", "00-a.md:17:3: HTML is not laid out")]
fn an_author_is_told_what_and_where(
    #[case] (old, new): (&str, &str),
    #[case] body: &str,
    #[case] expected: &str,
) {
    let head = HEAD.replacen(old, new, 1);
    let faults = faults(&head, body);
    let told = all(&faults);
    assert!(told.starts_with(expected), "{told}");
    assert_eq!(faults.len(), 1, "{told}");
    let line = format!("{head}{body}");
    let line = line.lines().nth(faults[0].place.line - 1).unwrap();
    assert_eq!(faults[0].text, line);
}

#[test]
fn what_is_right_is_left_in_peace() {
    let body = "# A b\n\nSee [here](#a-b), [there](https://a.example) and `[no](link)`.\n\n\
                <!-- a word to authors -->\n```html\n<!-- check: two -->\n```\n<!-- check: one -->\n";
    assert_eq!(faults(HEAD, body), []);
}

#[test]
fn a_body_is_looked_at_although_the_head_cannot_be_read() {
    let head = HEAD.replacen("minutes = 5", "minutes = five", 1);
    let faults = faults(&head, "<!-- chek: one -->\n");
    let told = all(&faults);
    assert!(told.contains("00-a.md:4:11: "), "{told}");
    assert!(
        told.contains("00-a.md:16:1: there is no directive"),
        "{told}"
    );
}

#[test]
fn a_control_character_is_found_in_the_text_and_shown_harmless() {
    let told = all(&faults(HEAD, &format!("{BODY}a \u{1b}[31m\n")));
    assert_eq!(
        told,
        "00-a.md:17:3: there is a control character in this line\n  17 | a ␛[31m"
    );
}

#[test]
fn a_section_that_every_chapter_has_is_missed() {
    let text = format!("{HEAD}{BODY}{SECTIONS}").replace("## Steps\n", "");
    let told = all(&lint([("00-a.md", text.as_str())]));
    assert!(
        told.starts_with("00-a.md:2:6: the chapter has no section “## Steps”"),
        "{told}"
    );
}

#[test]
fn code_that_is_too_wide_is_shown_with_its_column() {
    let body = format!("{BODY}```\n{}\n```\n", "x".repeat(77));
    let faults = faults(HEAD, &body);
    assert!(all(&faults).starts_with("00-a.md:18:77: this line of code takes 77 columns"));
}

#[test]
fn ids_and_numbers_are_taken_once() {
    let text = format!("{HEAD}{BODY}");
    let twice = lint([("00-a.md", text.as_str()), ("00-b.md", text.as_str())]);
    let told = all(&twice);
    assert!(
        told.contains("00-b.md:2:6: the id a is taken by 00-a.md"),
        "{told}"
    );
    assert!(told.contains("the number 0 is taken by 00-a.md"), "{told}");
}

#[test]
fn a_chapter_without_a_number_is_none() {
    let text = format!("{HEAD}{BODY}");
    assert!(all(&lint([("intro.md", text.as_str())])).contains("begins with the chapter's number"));
}

fn small(text: &str) -> Chapter {
    parse::chapter("00-a.md", text).unwrap()
}

#[test]
fn progress_is_kept_and_read_again() {
    let book = book();
    let chapter = &book.chapters[0];
    let mut progress = Progress::default();
    assert_eq!(progress.resume(&book).unwrap().number, 0);
    for check in &chapter.checks {
        assert_eq!(progress.standing(chapter), ChapterState::Open);
        progress.pass(chapter, check, Passed::Told);
    }
    assert_eq!(progress.standing(chapter), ChapterState::Done);
    progress.skip(&book.chapters[1]);
    assert_eq!(progress.standing(&book.chapters[1]), ChapterState::Skipped);
    assert_eq!(progress.resume(&book).unwrap().number, 2);
    progress.pass(chapter, &chapter.checks[0], Passed::Seen);
    progress.pass(chapter, &chapter.checks[0], Passed::Told);
    let again = Progress::parse(&progress.to_toml(), "progress.toml").unwrap();
    assert_eq!(again, progress);
    assert_eq!(
        again.passed(chapter, &chapter.checks[0].id),
        Some(Passed::Seen)
    );
    assert_eq!(
        again.passed(chapter, &chapter.checks[1].id),
        Some(Passed::Told)
    );
}

#[test]
fn a_changed_chapter_begins_anew() {
    let old = small(&format!("{HEAD}{BODY}"));
    let new = small(&format!("{HEAD}{BODY}More.\n"));
    let mut progress = Progress::default();
    progress.pass(&old, &old.checks[0], Passed::Seen);
    assert_eq!(progress.standing(&old), ChapterState::Done);
    assert_eq!(progress.standing(&new), ChapterState::Open);
}

#[rstest]
#[case("version = 1\nchaptres = 3\n", "line 2, column 1")]
#[case("version = 2\n", "it has version 2")]
fn progress_that_cannot_be_read_says_why(#[case] text: &str, #[case] why: &str) {
    let failure = Progress::parse(text, "progress.toml").unwrap_err();
    assert!(failure.why.contains(why), "{failure}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "(\\PC|\\n|<!--|-->|\\+\\+\\+|```|`|\\]\\(|check:){0,200}") {
        let _ = lint([("00-a.md", text.as_str())]);
        let behind = format!("{HEAD}{text}");
        let faults = lint([("00-a.md", behind.as_str())]);
        for fault in faults {
            prop_assert!(fault.place.line <= behind.lines().count().max(1));
        }
        let before = format!("+++\n{text}\n+++\n");
        let _ = lint([("00-a.md", before.as_str())]);
        let _ = Progress::parse(&text, "progress.toml");
        if let Ok(chapter) = parse::chapter("00-a.md", &behind) {
            let _ = render(&chapter, Fold::Open);
        }
    }

    #[test]
    fn nothing_of_a_body_is_lost(lines in proptest::collection::vec("[a-z #`|-]{0,20}", 0..20)) {
        let body = lines.join("\n");
        if let Ok(chapter) = parse::chapter("00-a.md", &format!("{HEAD}{body}")) {
            let kept: String = chapter.segments.iter().map(|segment| match segment {
                Segment::Markdown { text, .. } => text.as_str(),
                Segment::Check { .. } | Segment::Try { .. } | Segment::Show { .. } => "",
            }).collect();
            prop_assert_eq!(kept.trim(), body.trim());
        }
    }
}

#[test]
fn a_row_of_a_table_that_lacks_a_cell_is_shown_with_its_line() {
    let body = format!("{BODY}| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |\n");
    let faults = faults(HEAD, &body);
    assert_eq!(faults.len(), 1, "{}", all(&faults));
    let told = "this row has 1 cells, and the table's first has 2";
    assert!(all(&faults).contains(told), "{}", all(&faults));
    assert_eq!(faults[0].text, "| 3 |");
}
