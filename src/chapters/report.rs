//! The checks of chapters, judged together: for a run without a screen, and for its exit code.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Chapter, Evidence, Orientation, Probe, ProbeResults, Status};
use crate::{
    projection::Projection,
    support::{
        error::Exit,
        text::{sanitize, width, wrap},
    },
};

/// Cells of a line of text.
const COLUMNS: usize = 80;

/// How a check stands that an earlier chapter's server passed, and no later one can.
const PAST: &str = "past";

/// Every check with how it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    pub checks: Vec<Checked>,
}

/// One check with how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    pub chapter: String,
    pub number: u16,
    /// The chapter's title.
    pub of: String,
    pub check: String,
    pub title: String,
    pub required: bool,
    /// Whether the server has come further, and the check held at its own chapter's end only.
    pub past: bool,
    pub status: Status,
}

impl Checked {
    /// The word for how it stands.
    const fn word(&self) -> &'static str {
        if self.past { PAST } else { self.status.word() }
    }
}

impl Report {
    /// Judges the checks of chapters: each on the server that it speaks of, or all on one that has
    /// come as far as `reached`.
    ///
    /// What fails of a later chapter, or cannot be seen, is pending then, as it is still to come. What
    /// held at the end of an earlier one only is past.
    #[must_use]
    pub fn of<'a>(
        chapters: impl IntoIterator<Item = &'a Chapter>,
        projection: &Projection,
        results: &ProbeResults,
        reached: Option<&Orientation>,
    ) -> Self {
        let mut checks = Vec::new();
        for chapter in chapters {
            for check in &chapter.checks {
                let status = match (chapter.status(check, projection, results), reached) {
                    // Whatever there is to look at was not made by a server that is so far.
                    (Status::Failed { .. } | Status::NotObservable { .. }, Some(seen))
                        if chapter.stage > seen.stage() =>
                    {
                        Status::Pending {
                            waiting_for: format!(
                                "your server to come so far (it is at the end of chapter {})",
                                seen.reached
                            ),
                        }
                    }
                    (status, _) => status,
                };
                let open = matches!(status, Status::Failed { .. } | Status::Pending { .. });
                let past = reached.is_some_and(|seen| chapter.stage < seen.stage());
                checks.push(Checked {
                    chapter: chapter.id.clone(),
                    number: chapter.number,
                    of: chapter.title.clone(),
                    check: check.id.clone(),
                    title: check.title.clone(),
                    required: check.required,
                    past: past && open && check.only_here,
                    status,
                });
            }
        }
        Self { checks }
    }

    /// Keeps what failed, and is not past.
    pub fn keep_failed(&mut self) {
        self.checks
            .retain(|checked| !checked.past && matches!(checked.status, Status::Failed { .. }));
    }

    /// Failed if a required check failed. What is past is no failure.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit_if(|status| matches!(status, Status::Failed { .. }))
    }

    /// Failed if a required check failed or is still open: for a run that did all there is to do.
    #[must_use]
    pub fn exit_when_done(&self) -> Exit {
        self.exit_if(|status| matches!(status, Status::Failed { .. } | Status::Pending { .. }))
    }

    fn exit_if(&self, bad: impl Fn(&Status) -> bool) -> Exit {
        let counts = |checked: &Checked| checked.required && !checked.past && bad(&checked.status);
        if self.checks.iter().any(counts) {
            Exit::Failed
        } else {
            Exit::Ok
        }
    }

    /// Lines for a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut chapter = None;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut told = None;
        for checked in &self.checks {
            if chapter != Some(checked.number) {
                chapter = Some(checked.number);
                told = None;
                let gap = if out.is_empty() { "" } else { "\n" };
                out.push_str(gap);
                out.push_str(&format_line(&checked.number.to_string(), &checked.of));
            }
            let word = checked.word();
            *counts.entry(word).or_default() += 1;
            let mark = if checked.required {
                ""
            } else {
                " (not required)"
            };
            let title = format!("{}{mark}", checked.title);
            hang(&title, &format!("   {word:<15}"), &mut out);
            match &checked.status {
                _ if checked.past => hang("held until a later chapter changed it", GAP, &mut out),
                Status::Passed { .. } => {}
                Status::Pending { waiting_for } => {
                    hang(&format!("waits for {waiting_for}"), GAP, &mut out);
                }
                // A server that is down fails each of its checks, and is to be told of once.
                Status::Failed { because, fix } if told == Some((because, fix)) => {
                    hang("for the same reason", GAP, &mut out);
                }
                Status::Failed { because, fix } => {
                    hang(&format!("because {because}"), GAP, &mut out);
                    hang(&format!("fix: {fix}"), GAP, &mut out);
                    told = Some((because, fix));
                }
                Status::NotObservable { look_at } => {
                    hang(&format!("look at {look_at}"), GAP, &mut out);
                }
            }
        }
        let mut counted: Vec<String> = ["passed", "failed", "pending", "not observable"]
            .into_iter()
            .map(|word| format!("{} {word}", counts.get(word).unwrap_or(&0)))
            .collect();
        if let Some(past) = counts.get(PAST) {
            counted.push(format!("{past} {PAST}"));
        }
        out.push_str(&format_line("\n", &counted.join(", ")));
        sanitize(&out).into_owned()
    }

    /// One line of JSON per check.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = String::new();
        for checked in &self.checks {
            let mut line = json!({
                "chapter": checked.chapter,
                "number": checked.number,
                "check": checked.check,
                "title": checked.title,
                "required": checked.required,
                "status": checked.word().replace(' ', "_"),
            });
            let more = match &checked.status {
                _ if checked.past => json!({}),
                Status::Passed { evidence } => {
                    json!({ "evidence": evidence.iter().map(shown).collect::<Vec<_>>() })
                }
                Status::Pending { waiting_for } => json!({ "waiting_for": waiting_for }),
                Status::Failed { because, fix } => json!({ "because": because, "fix": fix }),
                Status::NotObservable { look_at } => json!({ "look_at": look_at }),
            };
            if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
                line.extend(more);
            }
            out.push_str(&line.to_string());
            out.push('\n');
        }
        out
    }
}

/// Under a check's title.
const GAP: &str = "                  ";

fn format_line(head: &str, words: &str) -> String {
    if head == "\n" {
        format!("\n{words}\n")
    } else {
        format!("{head}  {words}\n")
    }
}

fn hang(text: &str, first: &str, out: &mut String) {
    for (number, line) in filled(text).into_iter().enumerate() {
        out.push_str(if number == 0 { first } else { GAP });
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// The text in lines; a URL stays in one piece, however long, so that a terminal can follow it.
fn filled(text: &str) -> Vec<String> {
    let room = COLUMNS - GAP.len();
    let is_long = |word: &&str| word.contains("://") && width(word) > room;
    let Some(url) = text.split_whitespace().find(is_long) else {
        return wrap(text, room);
    };
    let (before, after) = text.split_once(url).unwrap_or((text, ""));
    let mut lines = wrap(before.trim_end(), room);
    lines.push(url.to_owned());
    if !after.trim().is_empty() {
        lines.extend(wrap(after.trim_start(), room));
    }
    lines
}

fn shown(evidence: &Evidence) -> Value {
    match evidence {
        Evidence::Event(seq) => json!({ "event": seq.index() }),
        Evidence::Hop(id) => json!({ "hop": id.index() }),
        Evidence::Row(id) => json!({ "audit_row": id.index() }),
        Evidence::Probe(probe) => json!({ "probe": named(probe) }),
    }
}

fn named(probe: &Probe) -> Value {
    match probe {
        Probe::Http(request) => json!({ "http": request }),
        Probe::Metadata => json!("metadata"),
        Probe::Env => json!("env"),
        Probe::Folder => json!("folder"),
        Probe::Zone => json!("zone"),
        Probe::Scope(scope) => json!({ "scope": scope }),
        Probe::Exchange(exchange) => json!({
            "exchange": exchange.service, "scope": exchange.scope,
        }),
        Probe::Trials => json!("trials"),
        Probe::Client => json!("client"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chapters::{Book, Reading};

    fn failed(number: u16, title: &str, because: &str) -> Checked {
        Checked {
            chapter: "a".to_owned(),
            number,
            of: "A".to_owned(),
            check: title.to_owned(),
            title: title.to_owned(),
            required: true,
            past: false,
            status: Status::Failed {
                because: because.to_owned(),
                fix: "Start it".to_owned(),
            },
        }
    }

    #[test]
    fn what_held_at_an_earlier_chapters_end_only_is_past_and_what_is_to_come_is_open() {
        let book = Book::embedded().unwrap();
        let seen = Orientation {
            reached: 6,
            signs: Vec::new(),
            troubles: Vec::new(),
        };
        let results = ProbeResults {
            env: Reading::Told(Vec::new()),
            ..ProbeResults::default()
        };
        let of = |number: u16| {
            let chapter = book.number(number).unwrap();
            Report::of([chapter], &Projection::default(), &results, Some(&seen))
        };
        let door = of(0);
        assert!(door.checks.iter().all(|checked| checked.past), "{door:?}");
        assert_eq!(door.exit_when_done(), Exit::Ok);
        assert!(
            door.text()
                .ends_with("0 passed, 0 failed, 0 pending, 0 not observable, 5 past\n")
        );
        assert_eq!(door.json().matches("\"status\":\"past\"").count(), 5);
        // The .env of chapter 1 has to be there at any later one.
        assert_eq!(of(1).exit(), Exit::Failed);
        let limit = of(7);
        assert_eq!(limit.exit(), Exit::Ok);
        assert_eq!(limit.exit_when_done(), Exit::Failed);
        assert!(!limit.text().contains("stage"), "{}", limit.text());
    }

    #[test]
    fn what_cannot_be_seen_of_a_chapter_that_was_not_reached_is_still_to_come() {
        let book = Book::embedded().unwrap();
        let results = ProbeResults {
            env: Reading::Told(Vec::new()),
            folder: Reading::Unavailable {
                look_at: "the files of your project".to_owned(),
            },
            ..ProbeResults::default()
        };
        let status = |reached: u8| {
            let seen = Orientation {
                reached,
                signs: Vec::new(),
                troubles: Vec::new(),
            };
            let vault = [book.number(4).unwrap()];
            let report = Report::of(vault, &Projection::default(), &results, Some(&seen));
            let no_key = report.checks.iter().find(|one| one.check == "no-key");
            no_key.map(|one| one.status.word())
        };
        assert_eq!(status(4), Some("not observable"));
        assert_eq!(status(2), Some("pending"));
    }

    #[test]
    fn a_reason_is_told_once_and_again_where_another_came_between_or_the_chapter_is_another() {
        let report = Report {
            checks: vec![
                failed(1, "one", "it is down"),
                failed(1, "two", "it is down"),
                failed(1, "three", "it lies"),
                failed(1, "four", "it is down"),
                failed(2, "five", "it is down"),
            ],
        };
        let text = report.text();
        assert_eq!(text.matches("because it is down").count(), 3, "{text}");
        assert_eq!(text.matches("for the same reason").count(), 1, "{text}");
        assert_eq!(text.matches("fix: Start it").count(), 4, "{text}");
        assert_eq!(report.json().matches("it is down").count(), 4);
        assert!(text.ends_with("0 passed, 5 failed, 0 pending, 0 not observable\n"));
    }
}
