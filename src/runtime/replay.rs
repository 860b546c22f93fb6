//! Reads recorded traces from files: whole, or along while another process writes them.
//!
//! Must not open anything that a trace names.

use std::{io, ops::ControlFlow, path::Path, thread, time::Duration};

use super::{Output, headless::Voices};
use crate::{
    app::player::Growth,
    plain::{Jsonl, Text},
    projection::{Projection, timeline::Kept},
    support::error::{Exit, Failure},
    trace::{
        codec::Header,
        reader::{Entry, Item},
    },
};

mod cues;
mod damage;
mod pipe;
mod place;
mod source;
mod viewing;

pub use cues::tell_notes;
pub use damage::Damage;
pub use pipe::Pipe;
pub use place::Place;
use source::cannot_open;
pub use source::{Bounds, MOST_EVENTS, Source};
pub use viewing::{Viewing, next};

/// How often a file that is followed is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// The trace to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub place: Place,
    pub growth: Growth,
}

impl Trace {
    /// The file's name, as it is shown.
    #[must_use]
    pub fn name(&self) -> String {
        self.place.name()
    }
}

/// A trace that was read as far as it goes.
#[derive(Debug)]
pub struct Loaded {
    pub header: Header,
    pub projection: Projection,
    pub damage: Damage,
}

/// Reads a trace to its end.
///
/// # Errors
/// If it cannot be opened or read, is no trace, or one of a newer version.
pub fn load(place: &Place) -> Result<Loaded, Failure> {
    let mut source = Source::open(place)?;
    let mut projection = source.projection();
    let mut damage = Damage::default();
    // Nobody calls it off.
    let _ = source.read_on(
        Growth::Finished,
        &mut damage,
        |event, kept| projection.take(event, kept),
        |_| ControlFlow::Continue(()),
    )?;
    Ok(Loaded {
        header: source.header,
        projection,
        damage,
    })
}

/// Why writing ended before the trace did.
enum Stop {
    /// Whoever reads has had enough: `hoptrail replay FILE | head` is no mistake.
    Closed,
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(Failure::unwritten(&error)),
        }
    }
}

/// Writes a trace as lines of text with a summary, or as it is; until nobody reads it any more.
///
/// # Errors
/// If the trace cannot be read or the output not be written.
pub fn print<O: io::Write, E: io::Write>(
    trace: &Trace,
    output: Output,
    record: Option<&Path>,
    voices: Voices<'_, O, E>,
) -> Result<Exit, Failure> {
    match write(trace, output, record, voices) {
        Ok(()) | Err(Stop::Closed) => Ok(Exit::Ok),
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

/// Hands over each event of a trace, of one that is followed also those that come, as long as `waits`
/// says so while none does.
fn each(
    source: &mut Source,
    trace: &Trace,
    damage: &mut Damage,
    mut tell: impl FnMut(&mut Source, &mut Damage, &Entry) -> Result<ControlFlow<()>, Stop>,
    mut waits: impl FnMut(&Source) -> bool,
) -> Result<(), Stop> {
    loop {
        let item = source.reader.read_next();
        match item.map_err(|error| cannot_open(&trace.place, &error))? {
            Item::Event(entry) => {
                damage.see(entry.event.seq);
                if tell(source, damage, &entry)?.is_break() {
                    return Ok(());
                }
            }
            Item::Damaged(error) => damage.note(error),
            Item::Torn if trace.growth == Growth::Finished => {
                match source.reader.rest() {
                    Some(entry) => {
                        // It is the last one anyway.
                        let _ = tell(source, damage, &entry)?;
                    }
                    None => damage.torn = true,
                }
                return Ok(());
            }
            Item::End if trace.growth == Growth::Finished => return Ok(()),
            Item::Torn | Item::End => {
                if !waits(source) {
                    return Ok(());
                }
                thread::sleep(LOOK);
                if source.is_replaced() {
                    return Err(Failure::new(
                        Exit::Failed,
                        format!("{} is another file now", trace.place.shown()),
                        "another process wrote it anew",
                        "follow it again to see the new run",
                    )
                    .into());
                }
            }
        }
    }
}

/// Opens a trace; for one that is followed it waits until its writer has begun, and says so.
fn begun(trace: &Trace, err: &mut impl io::Write) -> Result<Source, Stop> {
    if trace.growth == Growth::Finished {
        return Ok(Source::open(&trace.place)?);
    }
    let mut told = false;
    loop {
        if let Some(source) = Source::reopen(&trace.place)? {
            return Ok(source);
        }
        if !told {
            let name = trace.place.shown();
            writeln!(
                err,
                "hoptrail: waiting for {name}: nobody has begun to write it"
            )?;
            told = true;
        }
        thread::sleep(LOOK);
    }
}

fn write<O: io::Write, E: io::Write>(
    trace: &Trace,
    output: Output,
    record: Option<&Path>,
    voices: Voices<'_, O, E>,
) -> Result<(), Stop> {
    let mut source = begun(trace, voices.err)?;
    let header = source.header.clone();
    let mut copy = record
        .map(|path| super::record::Recorder::create(path, &header))
        .transpose()?;
    let mut damage = Damage::default();
    let mut projection = source.projection();
    let mut text = None;
    let mut json = None;
    match output {
        Output::Plain(style) => text = Some(Text::new(voices.out, style)),
        Output::Json => {
            let mut lines = Jsonl::new(voices.out);
            lines.header(&header)?;
            json = Some(lines);
        }
    }
    let mut tell = |Entry { event, line, .. }: &Entry, kept: Kept| -> Result<(), Stop> {
        if let Some(copy) = &mut copy {
            copy.record_lines(std::iter::once(line.as_str().into()))?;
        }
        if let Some(json) = &mut json {
            json.raw(line)?;
        }
        if let Some(text) = &mut text {
            projection.take(event, kept);
            text.event(event, &projection)?;
        }
        Ok(())
    };
    // Words are made of what happened before; a copy of the lines needs no memory of them.
    let folds = matches!(output, Output::Plain(_));
    each(
        &mut source,
        trace,
        &mut damage,
        |source, damage, entry| {
            if folds && !source.has_room(damage) {
                return Ok(ControlFlow::Break(()));
            }
            tell(entry, source.kept(entry)).map(ControlFlow::Continue)
        },
        |_| true,
    )?;
    if let Some(text) = &mut text {
        text.summary(&projection)?;
    }
    for sentence in damage.sentences() {
        writeln!(voices.err, "hoptrail: {sentence}")?;
    }
    Ok(())
}
