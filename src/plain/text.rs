//! A run as lines: what happens while it happens, and at the end the hops, the audit log and
//! whether the story held.

mod hop;
mod line;
mod tables;

use std::io;

use serde_json::Value;

use self::line::line;
use super::style::{Style, Tone, glyph, tone};
use crate::{
    projection::{
        Projection, Verdict,
        story::{StepState, Turn, TurnKind},
        tools::Call,
    },
    support::{
        error::Failure,
        text::{duration, truncate, width, wrap},
    },
    trace::{Fact, TraceEvent, event::CallOutcome},
};

/// Cells for the parties of a hop: `server → anthropic`.
const PARTIES: usize = 20;

/// Writes plain lines.
#[derive(Debug)]
pub struct Text<W> {
    out: W,
    style: Style,
}

impl<W: io::Write> Text<W> {
    pub const fn new(out: W, style: Style) -> Self {
        Self { out, style }
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// One line for the event that `projection` folded last, or none when it tells nothing that
    /// a line did not tell already (a request on its way, a second voice about the same hop).
    ///
    /// # Errors
    /// What the writer says.
    pub fn event(&mut self, event: &TraceEvent, projection: &Projection) -> io::Result<()> {
        let Some(line) = projection
            .log()
            .last()
            .and_then(|seq| line(seq, event, projection))
        else {
            return Ok(());
        };
        let style = self.style;
        let time = format!("{:>10}", moment(event.at_us));
        let parties = style.clean(&line.parties);
        let pad = " ".repeat(PARTIES.saturating_sub(width(&parties)));
        let mark = style.clean(glyph(line.verdict));
        let words: Vec<String> = line
            .words
            .iter()
            .filter(|word| !word.is_empty())
            .map(|word| style.clean(word))
            .collect();
        let used = width(&time) + 2 + width(&parties) + pad.len() + 1 + width(&mark) + 1;
        let words = words.join("  ");
        let words = match style.width {
            Some(limit) => style.clean(&truncate(&words, limit.saturating_sub(used).max(16))),
            None => words,
        };
        let told = match line.verdict {
            Verdict::Failed | Verdict::Denied => Tone::Bad,
            Verdict::Pending | Verdict::Held | Verdict::Ok => Tone::Plain,
        };
        writeln!(
            self.out,
            "{}  {parties}{pad} {} {}",
            style.paint(Tone::Dim, &time),
            style.paint(tone(line.verdict), &mark),
            style.paint(told, &words)
        )
    }

    /// The hops and audit rows of a run that broke off; nothing of one that came to no hop.
    ///
    /// # Errors
    /// What the writer says.
    pub fn so_far(&mut self, projection: &Projection) -> io::Result<()> {
        if projection.hops().rows().is_empty() {
            return Ok(());
        }
        writeln!(self.out)?;
        self.hops(projection)?;
        writeln!(self.out)?;
        self.audit(projection)?;
        writeln!(self.out)
    }

    /// Everything that a finished run is asked about: hops, audit rows, the story.
    ///
    /// # Errors
    /// What the writer says.
    pub fn summary(&mut self, projection: &Projection) -> io::Result<()> {
        writeln!(self.out)?;
        self.hops(projection)?;
        writeln!(self.out)?;
        self.audit(projection)?;
        writeln!(self.out)?;
        self.story(projection)
    }

    /// The story's steps and whether it held.
    ///
    /// # Errors
    /// What the writer says.
    pub fn story(&mut self, projection: &Projection) -> io::Result<()> {
        let story = projection.story();
        for (number, step) in story.steps.iter().enumerate() {
            let verdict = match step.state {
                StepState::Waiting | StepState::NotJudged => Verdict::Pending,
                StepState::Done => Verdict::Ok,
                StepState::Wrong => Verdict::Failed,
            };
            let words = format!("{} {} — {}", number + 1, step.title, step.detail);
            self.marked(verdict, &words)?;
        }
        writeln!(self.out)?;
        self.course(&story.course)?;
        match story.verdict() {
            Ok(()) if story.course.is_empty() => {
                let held = "The story held: four credentials were issued, write was refused by \
                            limit-linear-scopes, and the issue is still there.";
                self.marked(Verdict::Ok, held)
            }
            Ok(()) => {
                let held = "The story held with the rule in force: four credentials were issued, and \
                            write was refused by limit-linear-scopes.";
                self.marked(Verdict::Ok, held)
            }
            Err(problems) if story.is_unfinished() => {
                self.marked(Verdict::Pending, "Not all of the story was seen:")?;
                self.problems(&problems)
            }
            Err(problems) => {
                self.marked(Verdict::Failed, "The story did not hold:")?;
                self.problems(&problems)
            }
        }
    }

    fn problems(&mut self, problems: &[String]) -> io::Result<()> {
        let mark = self.style.clean("·");
        for problem in problems {
            let problem = self.style.clean(problem);
            for (number, line) in self.wrapped(&problem, 4).iter().enumerate() {
                let mark = if number == 0 { &mark } else { " " };
                writeln!(self.out, "  {mark} {line}")?;
            }
        }
        Ok(())
    }

    /// The deletes and the switches of the policy, in order.
    fn course(&mut self, turns: &[Turn]) -> io::Result<()> {
        if turns.is_empty() {
            return Ok(());
        }
        for turn in turns {
            let verdict = match turn.kind {
                TurnKind::Switched | TurnKind::Untold => Verdict::Pending,
                TurnKind::Refused => Verdict::Denied,
                TurnKind::Issued => Verdict::Ok,
            };
            let at = turn
                .at
                .map_or_else(String::new, |at| at.format("%H:%M:%S ").to_string());
            self.marked(verdict, &format!("{at}{}", turn.detail))?;
        }
        writeln!(self.out)
    }

    /// How a tool call ended, with the whole text of its result.
    ///
    /// # Errors
    /// What the writer says.
    pub fn result(&mut self, call: &Call, projection: &Projection) -> io::Result<()> {
        let event = call.finished.and_then(|seq| projection.log().event(seq));
        let Some(Fact::ToolCallFinished {
            outcome,
            text,
            structured,
            ..
        }) = event.map(|event| event.fact)
        else {
            let words = format!("{} has not come back", call.tool);
            return self.marked(Verdict::Pending, &words);
        };
        let took = call.duration_us.map_or(String::new(), duration);
        let words = format!("{} {}  {took}", call.tool, outcome_word(outcome));
        self.marked(of_outcome(outcome), &words)?;
        let whole = structured
            .and_then(|json| serde_json::to_string_pretty(&json.read::<Value>()?).ok())
            .unwrap_or(text);
        writeln!(self.out, "{}", self.style.clean_lines(&whole))
    }

    /// A failure in its three parts.
    ///
    /// # Errors
    /// What the writer says.
    pub fn failure(&mut self, failure: &Failure) -> io::Result<()> {
        self.marked(Verdict::Failed, &failure.what)?;
        let style = self.style;
        writeln!(self.out, "  why:  {}", style.clean_lines(&failure.why))?;
        writeln!(self.out, "  next: {}", style.clean_lines(&failure.next))
    }

    fn heading(&mut self, title: &str, count: usize) -> io::Result<()> {
        let title = self.style.paint(Tone::Strong, title);
        let count = self.style.paint(Tone::Dim, &format!("({count})"));
        writeln!(self.out, "{title} {count}")
    }

    fn marked(&mut self, verdict: Verdict, words: &str) -> io::Result<()> {
        let mark = self.style.clean(glyph(verdict));
        let mark = self.style.paint(tone(verdict), &mark);
        let words = self.style.clean(words);
        for (number, line) in self.wrapped(&words, 2).iter().enumerate() {
            let mark = if number == 0 { &mark } else { " " };
            writeln!(self.out, "{mark} {line}")?;
        }
        Ok(())
    }

    fn dim(&mut self, words: &str) -> io::Result<()> {
        let words = self.style.clean(words);
        for line in self.wrapped(&words, 0) {
            writeln!(self.out, "{}", self.style.paint(Tone::Dim, &line))?;
        }
        Ok(())
    }

    /// `words` in lines that leave room for an indent.
    fn wrapped(&self, words: &str, indent: usize) -> Vec<String> {
        match self.style.width {
            Some(limit) => wrap(words, limit.saturating_sub(indent).max(16)),
            None => vec![words.to_owned()],
        }
    }
}

const fn outcome_word(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Succeeded => "succeeded",
        CallOutcome::Failed => "failed",
        CallOutcome::Broken => "did not come through",
        CallOutcome::Cancelled => "was called off",
    }
}

const fn of_outcome(outcome: CallOutcome) -> Verdict {
    match outcome {
        CallOutcome::Succeeded => Verdict::Ok,
        CallOutcome::Failed | CallOutcome::Broken | CallOutcome::Cancelled => Verdict::Failed,
    }
}

/// `+1.240s` since the run began.
fn moment(at_us: u64) -> String {
    format!("+{}.{:03}s", at_us / 1_000_000, at_us % 1_000_000 / 1_000)
}
