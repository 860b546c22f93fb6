//! The chapters: that ours are sound, that checks tell the truth about a run, and that an author
//! is told what is wrong and where.

mod authors;
mod commands;
mod doubted;
mod guide;
mod judging;
mod mistaken;
#[expect(dead_code, reason = "these tests only run commands to their end")]
#[path = "../program/mod.rs"]
mod program;
mod reached;
mod unseen;
mod walked;
mod yours;
mod zone;

use std::fs;

use hoptrail::{
    chapters::{
        Book, Fault, ProbeResults, Segment, Status, embed,
        lint::lint,
        text::{Fold, MEASURE, render},
    },
    projection::Projection,
    support::text::width,
    trace::codec,
};

fn book() -> Book {
    Book::embedded().unwrap_or_else(|faults| panic!("{}", all(&faults)))
}

fn all(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The run that `tests/traces/story.jsonl` recorded.
fn story() -> Projection {
    told_otherwise(|line| Some(line.to_owned()))
}

/// That run with its lines changed or left out.
fn told_otherwise(change: impl Fn(&str) -> Option<String>) -> Projection {
    let text = fs::read_to_string("tests/traces/story.jsonl").unwrap();
    let mut lines = text.lines();
    let header = codec::decode_header(lines.next().unwrap()).unwrap();
    let mut projection = Projection::starting(header.started);
    for line in lines.filter_map(change) {
        projection.apply(&codec::decode(&line, 2).unwrap());
    }
    projection
}

fn status(id: &str, check: &str, projection: &Projection, results: &ProbeResults) -> Status {
    let book = book();
    let chapter = book.get(id).unwrap();
    chapter.status(chapter.check(check).unwrap(), projection, results)
}

#[test]
fn our_own_chapters_have_no_fault() {
    let faults = lint(embed::FILES);
    assert!(faults.is_empty(), "{}", all(&faults));
    let book = book();
    let numbers: Vec<_> = book.chapters.iter().map(|c| c.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let minutes: u16 = book.chapters.iter().map(|c| c.minutes).sum();
    assert!(minutes <= 70, "an hour and a little: {minutes}");
}

#[test]
fn a_reader_finds_steps_and_something_to_try_in_every_chapter() {
    for chapter in book().chapters {
        let text = render(&chapter, Fold::Folded);
        for heading in ["What you will see", "Why it matters"] {
            assert!(text.contains(heading), "{} has no {heading}", chapter.file);
        }
        let tries = chapter
            .segments
            .iter()
            .filter(|segment| matches!(segment, Segment::Try { .. }));
        assert!(tries.count() > 0, "nothing to try in {}", chapter.file);
        assert!(!chapter.mistakes.is_empty(), "{}", chapter.file);
        assert!(!text.contains("<!--"), "{}", chapter.file);
        for line in text.lines() {
            let limit = MEASURE + 4;
            assert!(width(line) <= limit, "{}: {line}", chapter.file);
        }
    }
}

#[test]
fn the_answer_is_folded_until_it_is_asked_for() {
    let book = book();
    let chapter = book.number(4).unwrap();
    let answer = chapter.answer.as_deref().unwrap().trim();
    let first = answer
        .split_whitespace()
        .take(4)
        .collect::<Vec<_>>()
        .join(" ");
    assert!(!render(chapter, Fold::Folded).contains(&first));
    assert!(render(chapter, Fold::Open).contains(&first));
}
