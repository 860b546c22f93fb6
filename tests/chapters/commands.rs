//! `hoptrail chapters` and `hoptrail check`, on the lab.

use std::fs;

use crate::{
    authors::{HEAD, SECTIONS},
    book,
    program::Home,
};

#[test]
fn lint_says_what_and_where_and_ends_with_1() {
    let home = Home::new();
    let well = home.run(&["chapters", "lint"]).exits_with(0);
    assert_eq!(well.out, "9 chapters, nothing to find fault with\n");
    let dir = home.file("mine");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("README.md"), "not a chapter").unwrap();
    let body = format!("<!-- check: two -->\n{SECTIONS}");
    fs::write(dir.join("00-a.md"), format!("{HEAD}{body}")).unwrap();
    fs::write(dir.join("b.md"), format!("{HEAD}{body}")).unwrap();
    let ended = home.run(&["chapters", "lint", "mine"]).exits_with(1);
    let lines: Vec<_> = ended.out.lines().collect();
    assert_eq!(
        lines,
        [
            "mine/00-a.md:11:6: the check has no place in the text: <!-- check: one -->",
            "  11 | id = \"one\"",
            "mine/00-a.md:16:1: there is no check two in the front matter",
            "  16 | <!-- check: two -->",
            "mine/b.md:1:1: the file's name begins with the chapter's number, as in 03-the-sign-in.md",
            "  1 | +++",
            "3 faults in 2 chapters",
        ]
    );
    let none = home.run(&["chapters", "lint", "nowhere"]).exits_with(2);
    assert!(none.err.contains("nowhere cannot be read"), "{}", none.err);
    fs::write(dir.join("01-c.md"), b"+++\ntitle = \"Gr\xfc\xdfe\"\n").unwrap();
    let latin = home.run(&["chapters", "lint", "mine"]).exits_with(2);
    assert!(
        latin.err.contains("mine/01-c.md:2:12 is not UTF-8"),
        "{}",
        latin.err
    );
}

#[test]
fn chapters_are_listed_and_shown() {
    let home = Home::new();
    let list = home.run(&["chapters", "list"]).exits_with(0).out;
    assert_eq!(list.lines().count(), 9);
    let shown = home.run(&["chapters", "show", "3"]).exits_with(0).out;
    assert!(
        shown.starts_with("3. Sign in, without a client id\n"),
        "{shown}"
    );
    assert!(!shown.contains("It knocked and was refused"));
    let answered = home
        .run(&["chapters", "show", "3", "--answer"])
        .exits_with(0)
        .out;
    assert!(answered.contains("It knocked and was refused"));
    let none = home.run(&["chapters", "show", "12"]).exits_with(2);
    assert!(none.err.contains("There is no chapter 12"), "{}", none.err);
}

#[test]
fn a_fresh_lab_goes_through_all_chapters_and_every_check_passes() {
    let home = Home::new();
    let ended = home.run(&["check", "--json"]).exits_with(0);
    let lines: Vec<serde_json::Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let checks: usize = book().chapters.iter().map(|one| one.checks.len()).sum();
    assert_eq!(lines.len(), checks);
    for line in &lines {
        assert_eq!(line["status"], "passed", "{line}");
        assert_ne!(line["evidence"], serde_json::json!([]), "{line}");
    }
    let left = fs::read_dir(home.state()).unwrap();
    assert_eq!(left.count(), 0, "the lab of a check is forgotten");
}

#[test]
fn one_chapter_is_checked_by_number_or_id() {
    let home = Home::new();
    let ended = home.run(&["check", "limit"]).exits_with(0);
    assert!(
        ended.out.starts_with("7  A limit that holds\n"),
        "{}",
        ended.out
    );
    assert!(
        ended
            .out
            .ends_with("5 passed, 0 failed, 0 pending, 0 not observable\n"),
        "{}",
        ended.out
    );
    let none = home.run(&["check", "limits"]).exits_with(2);
    assert!(
        none.err.contains("There is no chapter limits"),
        "{}",
        none.err
    );
}
