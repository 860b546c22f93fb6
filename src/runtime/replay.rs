//! Reads recorded traces from files: whole, or along while another process writes them.
//!
//! Reading and folding happen on threads of their own; what is read comes as messages. Must not
//! open anything that a trace names.

use std::{io, ops::ControlFlow, path::Path, thread, time::Duration};

use tokio::sync::mpsc;

use super::{Output, headless::Voices};
use crate::{
    app::{
        compare::{Against, Durations},
        msg::Msg,
        player::{Growth, Tape},
    },
    plain::{Jsonl, Text},
    projection::{Projection, timeline::Kept},
    support::{
        error::{Exit, Failure},
        text::one_line,
    },
    trace::{
        codec::Header,
        reader::{Entry, Item},
    },
};

mod damage;
mod pipe;
mod place;
mod source;

pub use damage::Damage;
pub use pipe::Pipe;
pub use place::Place;
use source::cannot_open;
pub use source::{Bounds, MOST_EVENTS, Source};

/// How often a file that is followed is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Events of a growing file that are handed over at once.
const BATCH: usize = 4_096;

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

/// What a reading thread tells; dropping it ends the thread at its next word.
#[derive(Debug)]
pub struct Viewing(mpsc::Receiver<Msg>);

impl Viewing {
    /// Begins to read.
    #[must_use]
    pub fn begin(trace: Trace) -> Self {
        let (tell, told) = mpsc::channel(4);
        thread::spawn(move || {
            if let Err(failure) = read(&trace, &tell) {
                // Nobody listens any more when the person has quit already.
                let _ = tell.blocking_send(Msg::Unreadable(failure));
            }
        });
        Self(told)
    }

    /// Begins to read a run that another is laid beside; `this` is what the other is called.
    #[must_use]
    pub fn against(place: Place, this: String, durations: Durations) -> Self {
        let (tell, told) = mpsc::channel(1);
        thread::spawn(move || {
            let msg = match load(&place) {
                Ok(loaded) => Msg::Against(Box::new(Against {
                    names: (this, place.name()),
                    title: loaded.header.title.as_deref().map(one_line),
                    projection: loaded.projection,
                    durations,
                    warning: loaded.damage.sentences().into_iter().next(),
                })),
                Err(failure) => Msg::Unreadable(failure),
            };
            // Nobody listens any more when the person has quit already.
            let _ = tell.blocking_send(msg);
        });
        Self(told)
    }
}

/// The next thing that was read; for ever nothing without a trace.
pub async fn next(viewing: &mut Option<Viewing>) -> Msg {
    match viewing {
        Some(Viewing(told)) => match told.recv().await {
            Some(msg) => msg,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

fn read(trace: &Trace, tell: &mpsc::Sender<Msg>) -> Result<(), Failure> {
    let mut source = Source::open(&trace.place)?;
    let mut news = None;
    loop {
        if show(trace, &mut source, news, tell)?.is_break() || trace.growth == Growth::Finished {
            return Ok(());
        }
        if follow(&trace.place, &mut source, tell)?.is_break() {
            return Ok(());
        }
        source = loop {
            if let Some(source) = Source::reopen(&trace.place)? {
                break source;
            }
            if tell.is_closed() {
                return Ok(());
            }
            thread::sleep(LOOK);
        };
        news = Some("the file was written anew: this is the new run".to_owned());
    }
}

/// Reads what there is and hands it over.
fn show(
    trace: &Trace,
    source: &mut Source,
    news: Option<String>,
    tell: &mpsc::Sender<Msg>,
) -> Result<ControlFlow<()>, Failure> {
    let size = trace.place.size();
    let mut timeline = source.timeline();
    let mut damage = Damage::default();
    let mut shown = 0;
    let read = source.read_on(
        trace.growth,
        &mut damage,
        |event, kept| timeline.take(event, kept),
        |bytes| {
            let percent = (bytes * 100).checked_div(size).unwrap_or(0).min(100);
            if percent == shown {
                return ControlFlow::Continue(());
            }
            shown = percent;
            let percent = u8::try_from(percent).unwrap_or(100);
            said(tell, Msg::Opening(percent))
        },
    )?;
    if read.is_break() {
        return Ok(read);
    }
    match trace.growth {
        Growth::Finished => timeline.close(),
        Growth::Followed => timeline.settle(),
    }
    let title = source.header.title.as_deref().map(one_line);
    let torn = "the file ends within a line: what is whole is shown";
    let tape = Tape {
        timeline,
        title: title.unwrap_or_else(|| trace.name()),
        growth: trace.growth,
        warning: news.or_else(|| damage.torn.then(|| torn.to_owned())),
    };
    if said(tell, Msg::Opened(Box::new(tape))).is_break() {
        return Ok(ControlFlow::Break(()));
    }
    Ok(match damage.failure(&trace.place) {
        Some(failure) => said(tell, Msg::Unreadable(failure)),
        None => ControlFlow::Continue(()),
    })
}

/// Tells something, if anybody listens.
fn said(tell: &mpsc::Sender<Msg>, msg: Msg) -> ControlFlow<()> {
    match tell.blocking_send(msg) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// Reads on as the file grows: until nobody listens any more, which is the end, or until there is
/// another file in its place.
fn follow(
    place: &Place,
    source: &mut Source,
    tell: &mpsc::Sender<Msg>,
) -> Result<ControlFlow<()>, Failure> {
    loop {
        // Before what stands there now is taken for what comes next.
        if source.is_replaced() {
            return Ok(ControlFlow::Continue(()));
        }
        let mut grown = Vec::new();
        let mut damage = Damage::default();
        while grown.len() < BATCH {
            let item = source.reader.read_next();
            match item.map_err(|error| cannot_open(place, &error))? {
                Item::Event(entry) => {
                    if !source.has_room(&mut damage) {
                        break;
                    }
                    let kept = source.kept(&entry);
                    grown.push((entry.event, kept));
                }
                Item::Damaged(error) => damage.note(error),
                Item::Torn | Item::End => break,
            }
        }
        let idle = grown.len() < BATCH;
        if !grown.is_empty() && said(tell, Msg::Grew(grown)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(failure) = damage.failure(place)
            && said(tell, Msg::Unreadable(failure)).is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        if damage.full.is_some() || tell.is_closed() {
            return Ok(ControlFlow::Break(()));
        }
        if idle {
            thread::sleep(LOOK);
        }
    }
}

/// Writes a trace as lines of text with a summary, or as it is.
///
/// # Errors
/// If the trace cannot be read or the output not be written.
pub fn print<O: io::Write, E: io::Write>(
    trace: &Trace,
    output: Output,
    record: Option<&Path>,
    voices: Voices<'_, O, E>,
) -> Result<Exit, Failure> {
    let mut source = Source::open(&trace.place)?;
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
            lines.header(&header).map_err(|e| Failure::unwritten(&e))?;
            json = Some(lines);
        }
    }
    let mut tell = |Entry { event, line, .. }: &Entry, kept: Kept| -> Result<(), Failure> {
        if let Some(copy) = &mut copy {
            copy.record_lines(std::iter::once(line.as_str().into()))?;
        }
        if let Some(json) = &mut json {
            json.raw(line).map_err(|e| Failure::unwritten(&e))?;
        }
        if let Some(text) = &mut text {
            projection.take(event, kept);
            text.event(event, &projection)
                .map_err(|e| Failure::unwritten(&e))?;
        }
        Ok(())
    };
    // Words are made of what happened before; a copy of the lines needs no memory of them.
    let folds = matches!(output, Output::Plain(_));
    loop {
        let item = source.reader.read_next();
        match item.map_err(|error| cannot_open(&trace.place, &error))? {
            Item::Event(entry) => {
                if folds && !source.has_room(&mut damage) {
                    break;
                }
                tell(&entry, source.kept(&entry))?;
            }
            Item::Damaged(error) => damage.note(error),
            Item::Torn if trace.growth == Growth::Finished => {
                match source.reader.rest() {
                    Some(entry) => tell(&entry, source.kept(&entry))?,
                    None => damage.torn = true,
                }
                break;
            }
            Item::End if trace.growth == Growth::Finished => break,
            Item::Torn | Item::End => {
                thread::sleep(LOOK);
                if source.is_replaced() {
                    return Err(Failure::new(
                        Exit::Failed,
                        format!("{} is another file now", trace.place.shown()),
                        "another process wrote it anew",
                        "follow it again to see the new run",
                    ));
                }
            }
        }
    }
    if let Some(text) = &mut text {
        text.summary(&projection)
            .map_err(|e| Failure::unwritten(&e))?;
    }
    for sentence in damage.sentences() {
        writeln!(voices.err, "hoptrail: {sentence}").map_err(|e| Failure::unwritten(&e))?;
    }
    Ok(Exit::Ok)
}
