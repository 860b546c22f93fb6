//! The speaker's notes beside a stage: of each cue when it begins, as its recording tells.

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

/// Writes the notes of each cue that begins in a trace, and which one comes next; until nobody reads
/// them any more.
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
    write!(out, "# {}\n\n{}", sheet.title, next(sheet, 0))?;
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
                if let Fact::CueBegan { number, title } = &event.fact {
                    write!(out, "\n{}", told(sheet, usize::from(*number), title))?;
                    out.flush()?;
                }
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
            next(sheet, 0)
        )?;
        trace.place = place;
        source = begun;
    }
}

/// The recording that a stage began when it went back to its start, if it did: beside its `first` one,
/// and of a later run than the one that `started` then. What an older show left there is none.
fn run_after(first: &Place, started: DateTime<Utc>) -> Option<(Place, Source)> {
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

/// A cue by its number from 1, and what comes after it.
fn told(sheet: &Sheet, number: usize, title: &str) -> String {
    let place = number.saturating_sub(1);
    match sheet.cues.get(place).filter(|cue| cue.title == title) {
        Some(_) => format!("{}\n{}", sheet.printed_cue(place), next(sheet, number)),
        None => format!(
            "## {number}. {}\n\nThe stage has another sheet: this cue is not in \"{}\".\n",
            one_line(title),
            sheet.title
        ),
    }
}

fn next(sheet: &Sheet, place: usize) -> String {
    match sheet.cues.get(place) {
        Some(cue) => format!("Next: {}. {}\n", place + 1, cue.title),
        None => "That was the last cue.\n".to_owned(),
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
            (1, 3, "Dance"),
            (2, 8, "And the delete is refused"),
        ] {
            text += &codec::encode(&TraceEvent {
                seq,
                at_us: seq,
                span: None,
                call: None,
                actor: Actor::You,
                fact: Fact::CueBegan {
                    number,
                    title: title.to_owned(),
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
        assert!(
            told.starts_with("# The denial, live\n\nNext: 1. Sign in\n\n## 1. Sign in\n"),
            "{told}"
        );
        for part in [
            "it only proves who drives.\n\nNext: 2. Escalate a ticket\n",
            "## 3. Dance\n\nThe stage has another sheet: this cue is not in \"The denial, live\".\n",
            "for the questions.\n\nThat was the last cue.\n",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}
