//! What the run was about: whether the story held, its parts, and what was noted.

use std::io;

use super::{Remark, cell, heading, moment, row};
use crate::projection::{
    Projection, Seq,
    story::{StepState, Turn, TurnKind},
};

/// Whether the story held, and its steps.
pub(super) fn judged(out: &mut impl io::Write, projection: &Projection) -> io::Result<()> {
    let story = projection.story();
    writeln!(out, "## The story\n")?;
    match story.verdict() {
        Ok(()) if story.course.is_empty() => writeln!(
            out,
            "**✓ It held**: four credentials were issued, `write` was refused by \
             `limit-linear-scopes`, and the issue is still there.\n"
        )?,
        Ok(()) => writeln!(
            out,
            "**✓ It held with the rule in force**: four credentials were issued, and `write` was \
             refused by `limit-linear-scopes`. The policy was switched in this run.\n"
        )?,
        Err(problems) => {
            let verdict = if story.is_unfinished() {
                "… Not all of it was seen"
            } else {
                "✗ It did not hold"
            };
            writeln!(out, "**{verdict}**:\n")?;
            for problem in problems {
                writeln!(out, "- {}", cell(&problem))?;
            }
            writeln!(out)?;
        }
    }
    course(out, &story.course)?;
    heading(out, &["", "Step", "What was seen"])?;
    for step in &story.steps {
        let mark = match step.state {
            StepState::Waiting => "… not yet",
            StepState::Done => "✓ done",
            StepState::Wrong => "✗ wrong",
            StepState::NotJudged => "• not judged",
        };
        row(
            out,
            &[mark.to_owned(), cell(step.title), cell(&step.detail)],
        )?;
    }
    writeln!(out)
}

/// The deletes and the switches of the policy, in order.
fn course(out: &mut impl io::Write, turns: &[Turn]) -> io::Result<()> {
    if turns.is_empty() {
        return Ok(());
    }
    heading(
        out,
        &["At (UTC)", "", "The deletes and the policy, in order"],
    )?;
    for turn in turns {
        let mark = match turn.kind {
            TurnKind::Switched => "• switched",
            TurnKind::Refused => "✗ refused",
            TurnKind::Issued => "✓ issued",
            TurnKind::Untold => "… not observed",
        };
        let at = turn
            .at
            .map_or_else(String::new, |at| at.format("%H:%M:%S").to_string());
        row(out, &[at, mark.to_owned(), cell(&turn.detail)])?;
    }
    writeln!(out)
}

/// The chapters and cues that began.
pub(super) fn parts(out: &mut impl io::Write, projection: &Projection) -> io::Result<()> {
    let marks = projection.marks();
    if marks.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Parts ({})\n", marks.len())?;
    heading(out, &["When", "Part", "Title"])?;
    for mark in marks {
        let event = projection.log().event(mark.evidence);
        let at = moment(event.map_or(0, |event| event.at_us));
        let name = mark.part.name().unwrap_or_default();
        row(out, &[at, name, cell(&mark.text)])?;
    }
    writeln!(out)
}

/// What whoever looked at the trace noted.
pub(super) fn noted(
    out: &mut impl io::Write,
    projection: &Projection,
    remarks: &[Remark],
) -> io::Result<()> {
    if remarks.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Notes ({})\n", remarks.len())?;
    heading(out, &["When", "After event", "Note"])?;
    for Remark { place, text } in remarks {
        let event = (*place)
            .min(projection.log().len())
            .checked_sub(1)
            .and_then(|last| projection.log().event(Seq::at(last)));
        let text = match text.as_str() {
            "" => "(bookmark)".to_owned(),
            text => cell(text),
        };
        let at = moment(event.map_or(0, |event| event.at_us));
        row(out, &[at, place.to_string(), text])?;
    }
    writeln!(out)
}
