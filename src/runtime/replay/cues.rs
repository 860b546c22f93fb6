//! The speaker's notes beside a stage, as its recording tells: which cue begins, and what there is to
//! say at the next one.

use std::{io, ops::ControlFlow};

use chrono::{DateTime, Utc};

use super::{Damage, Place, Source, Stop, Trace, begun, each};
use crate::{
    config::sheet::Sheet,
    runtime::record::later,
    support::{
        error::{Exit, Failure},
        text::one_line,
    },
    trace::{event::Fact, reader::Entry},
};

/// Writes which cue begins in a trace and the notes of the next one, before it begins; until nobody
/// reads them any more.
///
/// # Errors
/// If the trace cannot be read or the output not be written.
pub fn tell_notes(
    trace: &Trace,
    sheet: &Sheet,
    out: &mut impl io::Write,
    err: &mut impl io::Write,
) -> Result<Exit, Failure> {
    match write(trace, sheet, out, err) {
        Ok(()) | Err(Stop::Closed) => Ok(Exit::Ok),
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

fn write(
    trace: &Trace,
    sheet: &Sheet,
    out: &mut impl io::Write,
    err: &mut impl io::Write,
) -> Result<(), Stop> {
    let (mut trace, first) = (trace.clone(), &trace.place);
    let mut notes = Notes::of(sheet);
    write!(out, "# {}\n\n{}", sheet.title, notes.next(0))?;
    out.flush()?;
    // The notes are set up before the show begins.
    let mut source = begun(&trace, err)?;
    loop {
        out.flush()?;
        let mut anew = None;
        each(
            &mut source,
            &trace,
            &mut Damage::default(),
            |_, _, Entry { event, .. }| {
                let told = match &event.fact {
                    Fact::CueBegan { number, title } => notes.began((*number).into(), title),
                    Fact::CueSkipped { number, title } => notes.skipped((*number).into(), title),
                    _ => return Ok(ControlFlow::Continue(())),
                };
                write!(out, "\n{told}")?;
                out.flush()?;
                Ok(ControlFlow::Continue(()))
            },
            |source| {
                anew = run_after(first, source.header.started);
                anew.is_none()
            },
        )?;
        let Some((place, begun)) = anew else {
            return Ok(());
        };
        let file = one_line(&place.shown());
        write!(
            out,
            "\nThe stage is back at its start ({file}).\n{}",
            notes.next(0)
        )?;
        trace.place = place;
        source = begun;
    }
}

/// The recording that a stage began when it went back to its start, if it did: beside its `first` one,
/// and of a later run than the one that `started` then. What an older show left there is none.
pub(super) fn run_after(first: &Place, started: DateTime<Utc>) -> Option<(Place, Source)> {
    let Place::File(path) = first else {
        return None;
    };
    let open = |path| {
        let place = Place::File(path);
        // What is no trace, or none yet, is not the stage's.
        let source = Source::reopen(&place).ok()??;
        (source.header.started > started).then_some((place, source))
    };
    later(path).take_while(|path| path.exists()).find_map(open)
}

/// What was told of a sheet: a note that stands just above is not written again.
struct Notes<'a> {
    sheet: &'a Sheet,
    /// Places of the cue that began last and of the one after it.
    above: [Option<usize>; 2],
}

impl<'a> Notes<'a> {
    const fn of(sheet: &'a Sheet) -> Self {
        let above = [None, None];
        Self { sheet, above }
    }

    /// A cue by its number from 1, and what comes after it.
    fn began(&mut self, number: usize, title: &str) -> String {
        let Some(place) = self.place(number, title) else {
            return format!(
                "## {number}. {}\n\nThe stage has another sheet: this cue is not in \"{}\".\n",
                one_line(title),
                self.sheet.title
            );
        };
        let mut told = self.sheet.printed_head(place);
        if !self.above.contains(&Some(place)) {
            told += &self.sheet.printed_note(place);
        }
        self.above[0] = Some(place);
        told.push('\n');
        told + &self.next(number)
    }

    fn skipped(&mut self, number: usize, title: &str) -> String {
        let told = format!("Skipped: {number}. {}\n", one_line(title));
        match self.place(number, title) {
            Some(_) => told + &self.next(number),
            None => told,
        }
    }

    fn place(&self, number: usize, title: &str) -> Option<usize> {
        let place = number.checked_sub(1)?;
        let cue = self.sheet.cues.get(place)?;
        (cue.title == title).then_some(place)
    }

    /// What comes next, with its note: the speaker wants it before.
    fn next(&mut self, place: usize) -> String {
        let Some(cue) = self.sheet.cues.get(place) else {
            return "That was the last cue.\n".to_owned();
        };
        let mut told = format!("Next: {}. {}\n", place + 1, cue.title);
        if self.above[1].replace(place) != Some(place) {
            told += &self.sheet.printed_note(place);
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::player::Growth,
        runtime::replay::Place,
        support::clock::{Clock as _, FakeClock},
        trace::{Actor, TraceEvent, codec},
    };

    #[test]
    fn each_cue_is_told_with_the_next_and_one_of_another_sheet_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("show.jsonl");
        let mut text = codec::encode_header(&codec::Header::new(FakeClock::shared().now()));
        for (seq, number, title) in [
            (0, 1, "Sign in"),
            (1, 1, "Sign in"),
            (2, 3, "Dance"),
            (3, 6, "Policy on"),
            (4, 8, "And the delete is refused"),
        ] {
            let title = title.to_owned();
            text += &codec::encode(&TraceEvent {
                seq,
                at_us: seq,
                span: None,
                call: None,
                actor: Actor::You,
                fact: match seq {
                    3 => Fact::CueSkipped { number, title },
                    _ => Fact::CueBegan { number, title },
                },
            });
        }
        std::fs::write(&file, text).unwrap();
        let trace = Trace {
            place: Place::File(file),
            growth: Growth::Finished,
        };
        let mut out = Vec::new();
        tell_notes(&trace, &Sheet::built_in(), &mut out, &mut Vec::new()).unwrap();
        let told = String::from_utf8(out).unwrap();
        let first = "The browser asks who I am";
        assert!(
            told.starts_with(&format!(
                "# The denial, live\n\nNext: 1. Sign in\n\n{first}"
            )),
            "{told}"
        );
        for part in [
            "\n\n## 1. Sign in\n\n- Does: sign in\n- Expected: somebody is signed in\n\n\
             Next: 2. Escalate a ticket\n\nThe agent has no key of its own.",
            // Tried again.
            "\n\n## 1. Sign in\n\n- Does: sign in\n- Expected: somebody is signed in\n\n\
             Next: 2. Escalate a ticket\n\n## 3. Dance\n\n\
             The stage has another sheet: this cue is not in \"The denial, live\".\n",
            "\nSkipped: 6. Policy on\nNext: 7. Another issue\n\nThe work itself goes on",
            // It was not told before.
            "## 8. And the delete is refused\n\n- Does: delete the issue\n\
             - Expected: refused by limit-linear-scopes\n\nRefused again, by name",
            "for the questions.\n\nThat was the last cue.\n",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
        assert_eq!(told.matches(first).count(), 1, "{told}");
    }
}
