//! Reads recorded traces from files: whole, or along while another process writes them.
//!
//! Reading and folding happen on a thread of their own; what is read comes as messages. Must not
//! open anything that a trace names.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use tokio::sync::mpsc;

use super::{Output, headless::Voices};
use crate::{
    app::{
        compare::{Against, Durations},
        msg::Msg,
        player::{Growth, Tape},
    },
    plain::{Jsonl, Text},
    projection::{Projection, Timeline},
    shipped::{self, Shipped},
    support::{
        error::{Exit, Failure},
        text::one_line,
    },
    trace::{
        TraceEvent,
        codec::{CodecError, Header},
        reader::{Item, ReadError, Reader},
    },
};

/// How often a file that is followed is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often progress is told while a file is read, in events.
const TOLD: u64 = 16_384;
/// Events of a growing file that are handed over at once.
const BATCH: usize = 4_096;
/// Damaged lines that are named one by one; the rest is counted.
const NAMED: usize = 20;
const BUFFER: usize = 256 * 1024;

/// The trace to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub place: Place,
    pub growth: Growth,
}

/// Where a trace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    /// One that hoptrail brings along.
    Shipped(&'static Shipped),
}

impl Place {
    /// What a person means: a file of that name, else the shipped trace that is called so.
    #[must_use]
    pub fn named(given: &Path) -> Self {
        let shipped = given.to_str().and_then(shipped::by_name);
        match shipped {
            Some(shipped) if !given.exists() => Self::Shipped(shipped),
            Some(_) | None => Self::File(given.to_path_buf()),
        }
    }

    /// Whether how long things took can be compared with another run, of a lab as it is if there is
    /// no other trace: the traces that come along were recorded from services as slow as real ones.
    #[must_use]
    pub const fn durations(&self, other: Option<&Self>) -> Durations {
        match (self, other) {
            (Self::Shipped(_), Some(Self::Shipped(_)))
            | (Self::File(_), Some(Self::File(_)) | None) => Durations::Compared,
            (Self::Shipped(_), Some(Self::File(_)) | None)
            | (Self::File(_), Some(Self::Shipped(_))) => Durations::LeftOut,
        }
    }

    /// The file's name or the trace's, as it is shown.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                one_line(&name.to_string_lossy())
            }
            Self::Shipped(shipped) => shipped.name.to_owned(),
        }
    }

    /// The path or the trace's name, whole, as it is shown.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => one_line(&path.display().to_string()),
            Self::Shipped(shipped) => shipped.name.to_owned(),
        }
    }

    /// The bytes.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn read(&self) -> io::Result<Box<dyn BufRead + Send>> {
        Ok(match self {
            Self::File(path) => Box::new(BufReader::with_capacity(BUFFER, File::open(path)?)),
            Self::Shipped(shipped) => Box::new(shipped.text.as_bytes()),
        })
    }

    /// How many bytes there are now; 0 if that cannot be told.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::File(path) => std::fs::metadata(path).map_or(0, |file| file.len()),
            Self::Shipped(shipped) => shipped.text.len() as u64,
        }
    }
}

impl Trace {
    /// The file's name, as it is shown.
    #[must_use]
    pub fn name(&self) -> String {
        self.place.name()
    }
}

/// What was wrong with a trace that could be read all the same.
#[derive(Debug, Default)]
pub struct Damage {
    /// The first few lines that were skipped, with their places.
    pub named: Vec<CodecError>,
    /// How many were skipped.
    pub lines: u64,
    /// The file ends within a line.
    pub torn: bool,
}

impl Damage {
    fn note(&mut self, error: CodecError) {
        self.lines += 1;
        if self.named.len() < NAMED {
            self.named.push(error);
        }
    }

    /// One sentence; `None` when nothing is wrong.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let torn = "the file ends within a line: what is whole is shown";
        match (self.named.first(), self.lines) {
            (None, _) => self.torn.then(|| torn.to_owned()),
            (Some(first), 1) => Some(format!("1 damaged line skipped: {first}")),
            (Some(first), lines) => Some(format!("{lines} damaged lines skipped, first {first}")),
        }
    }

    /// Every line that is known by its place, then how many more there are.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .named
            .iter()
            .map(|error| format!("skipped: {error}"))
            .collect();
        let more = self.lines.saturating_sub(self.named.len() as u64);
        if more > 0 {
            all.push(format!("skipped: {more} damaged lines more"));
        }
        if self.torn {
            all.push("the file ends within a line; what is whole was read".to_owned());
        }
        all
    }
}

type Source = Reader<Box<dyn BufRead + Send>>;

/// Opens a trace and reads its header.
///
/// # Errors
/// If there is no such file, it is no trace, or one of a newer version.
pub fn open(place: &Place) -> Result<(Header, Source), Failure> {
    let bytes = place.read().map_err(|e| cannot_open(place, &e))?;
    Reader::open(bytes).map_err(|error| match error {
        ReadError::Io(error) => cannot_open(place, &error),
        ReadError::Codec(error) => not_a_trace(place, &error),
    })
}

fn cannot_open(place: &Place, error: &io::Error) -> Failure {
    let next = if error.kind() == io::ErrorKind::NotFound {
        "name a file that `hoptrail --record FILE` wrote, or a trace of `hoptrail traces list`"
    } else {
        "name a file that `hoptrail --record FILE` wrote"
    };
    Failure::new(
        Exit::Usage,
        format!("The trace {} cannot be read", place.shown()),
        error.to_string(),
        next,
    )
}

fn not_a_trace(place: &Place, error: &CodecError) -> Failure {
    let next = match error {
        CodecError::TooNew { .. } => "replay it with the hoptrail that recorded it, or a newer one",
        CodecError::Empty => "record a run first: hoptrail demo --record FILE",
        CodecError::NotATrace(_) | CodecError::Damaged { .. } => {
            "name a file that `hoptrail --record FILE` wrote"
        }
    };
    Failure::new(
        Exit::Usage,
        format!("{} cannot be replayed", place.shown()),
        error.to_string(),
        next,
    )
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
}

impl Viewing {
    /// Begins to read a run that another is laid beside; `this` is what the other is called.
    #[must_use]
    pub fn against(place: Place, this: String, durations: Durations) -> Self {
        let (tell, told) = mpsc::channel(1);
        thread::spawn(move || {
            let msg = match whole(&place) {
                Ok((header, projection, damage)) => Msg::Against(Box::new(Against {
                    names: (this, place.name()),
                    title: header.title.as_deref().map(one_line),
                    projection,
                    durations,
                    warning: damage.sentence(),
                })),
                Err(failure) => Msg::Unreadable(failure),
            };
            // Nobody listens any more when the person has quit already.
            let _ = tell.blocking_send(msg);
        });
        Self(told)
    }
}

/// Reads a whole trace and folds it.
fn whole(place: &Place) -> Result<(Header, Projection, Damage), Failure> {
    let (header, mut reader) = open(place)?;
    let mut projection = Projection::starting(header.started);
    let mut damage = Damage::default();
    loop {
        let item = reader.read_next();
        match item.map_err(|error| cannot_open(place, &error))? {
            Item::Event(entry) => projection.apply_line(&entry.event, &entry.line),
            Item::Damaged(error) => damage.note(error),
            Item::Torn => {
                match reader.rest() {
                    Some(entry) => projection.apply_line(&entry.event, &entry.line),
                    None => damage.torn = true,
                }
                return Ok((header, projection, damage));
            }
            Item::End => return Ok((header, projection, damage)),
        }
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
    let (header, mut reader) = open(&trace.place)?;
    let size = trace.place.size();
    let mut timeline = Timeline::open(Some(header.started));
    let mut damage = Damage::default();
    let mut count = 0_u64;
    let broken = |error: io::Error| cannot_open(&trace.place, &error);
    loop {
        match reader.read_next().map_err(broken)? {
            Item::Event(entry) => timeline.push(&entry.event, &entry.line),
            Item::Damaged(error) => damage.note(error),
            Item::Torn => {
                if trace.growth == Growth::Finished {
                    match reader.rest() {
                        Some(entry) => timeline.push(&entry.event, &entry.line),
                        None => damage.torn = true,
                    }
                }
                break;
            }
            Item::End => break,
        }
        count += 1;
        if count.is_multiple_of(TOLD) {
            let percent = (reader.bytes() * 100).checked_div(size).unwrap_or(0);
            let percent = u8::try_from(percent.min(100)).unwrap_or(100);
            if tell.blocking_send(Msg::Opening(percent)).is_err() {
                return Ok(());
            }
        }
    }
    match trace.growth {
        Growth::Finished => timeline.close(),
        Growth::Followed => timeline.settle(),
    }
    let tape = Tape {
        timeline,
        title: header
            .title
            .map_or_else(|| trace.name(), |title| one_line(&title)),
        growth: trace.growth,
        warning: damage.sentence(),
    };
    if tell.blocking_send(Msg::Opened(Box::new(tape))).is_err() {
        return Ok(());
    }
    match trace.growth {
        Growth::Finished => Ok(()),
        Growth::Followed => follow(&trace.place, reader, tell),
    }
}

/// Reads on as the file grows, until nobody listens any more.
fn follow(place: &Place, mut reader: Source, tell: &mpsc::Sender<Msg>) -> Result<(), Failure> {
    loop {
        let mut grown: Vec<(TraceEvent, String)> = Vec::new();
        let mut damage = Damage::default();
        while grown.len() < BATCH {
            match reader
                .read_next()
                .map_err(|error| cannot_open(place, &error))?
            {
                Item::Event(entry) => grown.push((entry.event, entry.line)),
                Item::Damaged(error) => damage.note(error),
                Item::Torn | Item::End => break,
            }
        }
        let full = grown.len() == BATCH;
        if !grown.is_empty() && tell.blocking_send(Msg::Grew(grown)).is_err() {
            return Ok(());
        }
        if let Some(sentence) = damage.sentence() {
            let failure = Failure::new(
                Exit::Failed,
                format!("A line of {} was skipped", place.shown()),
                sentence,
                "look at the process that writes the file; the replay goes on",
            );
            if tell.blocking_send(Msg::Unreadable(failure)).is_err() {
                return Ok(());
            }
        }
        if tell.is_closed() {
            return Ok(());
        }
        let size = place.size();
        if size < reader.bytes() {
            return Err(Failure::new(
                Exit::Failed,
                format!("{} became shorter", place.shown()),
                "another process wrote it anew",
                "open it again to see the new run",
            ));
        }
        if !full {
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
    let (header, mut reader) = open(&trace.place)?;
    let mut copy = record
        .map(|path| super::record::Recorder::create(path, &header))
        .transpose()?;
    let mut damage = Damage::default();
    let mut projection = Projection::starting(header.started);
    let mut text = None;
    let mut json = None;
    match output {
        Output::Plain(style) => text = Some(Text::new(voices.out, style)),
        Output::Json => {
            let mut lines = Jsonl::new(voices.out);
            lines.header(&header).map_err(|e| cannot_write(&e))?;
            json = Some(lines);
        }
    }
    let mut tell = |event: &TraceEvent, line: &str| -> Result<(), Failure> {
        if let Some(copy) = &mut copy {
            copy.record_lines(std::iter::once(line.into()))?;
        }
        if let Some(json) = &mut json {
            json.raw(line).map_err(|e| cannot_write(&e))?;
        }
        if let Some(text) = &mut text {
            projection.apply_line(event, line);
            text.event(event, &projection)
                .map_err(|e| cannot_write(&e))?;
        }
        Ok(())
    };
    loop {
        match reader
            .read_next()
            .map_err(|error| cannot_open(&trace.place, &error))?
        {
            Item::Event(entry) => tell(&entry.event, &entry.line)?,
            Item::Damaged(error) => damage.note(error),
            Item::Torn if trace.growth == Growth::Finished => {
                match reader.rest() {
                    Some(entry) => tell(&entry.event, &entry.line)?,
                    None => damage.torn = true,
                }
                break;
            }
            Item::End if trace.growth == Growth::Finished => break,
            Item::Torn | Item::End => thread::sleep(LOOK),
        }
    }
    if let Some(text) = &mut text {
        text.summary(&projection).map_err(|e| cannot_write(&e))?;
    }
    for sentence in damage.sentences() {
        writeln!(voices.err, "hoptrail: {sentence}").map_err(|e| cannot_write(&e))?;
    }
    Ok(Exit::Ok)
}

fn cannot_write(error: &io::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        "The output could not be written",
        error.to_string(),
        "check the pipe or the disk behind standard output",
    )
}
