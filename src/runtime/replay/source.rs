//! Reads a whole trace: lines on one thread, decoding on as many as there are processors, folding on
//! the caller's.
//!
//! Memory is bounded whatever the file holds: of a line that was read its place is kept, and there
//! are at most [`MOST_EVENTS`] of them.

use std::{
    io::{self, BufRead},
    ops::ControlFlow,
    sync::mpsc::{channel, sync_channel},
    thread,
};

use super::{
    Damage, Place,
    place::{Handles, Opened},
};
use crate::{
    app::player::Growth,
    projection::{Projection, Timeline, timeline::Kept},
    shipped,
    support::error::{Exit, Failure},
    trace::{
        TraceEvent,
        codec::{CodecError, Header},
        lines::SharedLines,
        reader::{Batch, BatchEnd, Decoded, Entry, Item, ReadError, Reader},
    },
};

/// Events of one trace that are kept: at three hundred bytes each about a gigabyte.
pub const MOST_EVENTS: usize = 4_000_000;
/// Bytes of lines that are kept of what cannot be gone back in, like a pipe.
const ROOM: u64 = 512 * 1024 * 1024;
/// Bytes of lines that go to another thread at once.
const BATCH: usize = 512 * 1024;
/// Threads that decode; folding keeps no more than these busy.
const DECODERS: usize = 3;

/// A trace that is being read.
pub struct Source {
    pub header: Header,
    pub(super) reader: Reader<Box<dyn BufRead + Send>>,
    lines: Option<SharedLines>,
    opened: Opened,
    place: Place,
    events: usize,
    bounds: Bounds,
}

/// What comes next of a trace that may still grow.
pub(super) enum Come {
    Event(Box<TraceEvent>, Kept),
    /// Its writer has written no more yet.
    NothingYet,
    /// No more comes: it came through a pipe that nobody holds any more, or there is no room.
    End,
}

/// How much of a trace is kept; the rest is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub events: usize,
    /// Bytes of what came through a pipe: those lines have to be kept.
    pub piped: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            events: MOST_EVENTS,
            piped: ROOM,
        }
    }
}

impl Source {
    /// Opens a trace and reads its header.
    ///
    /// # Errors
    /// If there is no such file, it is no trace, or one of a newer version.
    pub fn open(place: &Place) -> Result<Self, Failure> {
        Self::attempt(place).map_err(|error| match error {
            ReadError::Io(error) => cannot_open(place, &error),
            ReadError::Codec(error) => not_a_trace(place, &error),
        })
    }

    /// [`Self::open`] with other bounds.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(place: &Place, bounds: Bounds) -> Result<Self, Failure> {
        Self::open(place).map(|source| Self { bounds, ..source })
    }

    /// Opens what another process writes, or wrote anew; `None` as long as it has not begun to.
    ///
    /// # Errors
    /// As [`Self::open`], but for a file that is not there, or ends before or within its header.
    pub fn reopen(place: &Place) -> Result<Option<Self>, Failure> {
        match Self::attempt(place) {
            Ok(source) => Ok(Some(source)),
            Err(ReadError::Codec(CodecError::Empty | CodecError::HeaderTorn)) => Ok(None),
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(ReadError::Io(error)) => Err(cannot_open(place, &error)),
            Err(ReadError::Codec(error)) => Err(not_a_trace(place, &error)),
        }
    }

    fn attempt(place: &Place) -> Result<Self, ReadError> {
        let Handles {
            bytes,
            lines,
            opened,
        } = place.open()?;
        let (header, reader) = Reader::open(bytes)?;
        Ok(Self {
            header,
            reader,
            lines,
            opened,
            place: place.clone(),
            events: 0,
            bounds: Bounds::default(),
        })
    }

    /// True if there is another file now where this one was.
    pub(super) fn is_replaced(&self) -> bool {
        self.place.is_another(&self.opened)
    }

    /// An empty timeline for the events.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        match &self.lines {
            Some(lines) => Timeline::reading(self.header.started, lines.clone()),
            None => Timeline::open(Some(self.header.started)),
        }
    }

    /// An empty projection for the events.
    #[must_use]
    pub fn projection(&self) -> Projection {
        match &self.lines {
            Some(lines) => Projection::reading(self.header.started, lines.clone()),
            None => Projection::starting(self.header.started),
        }
    }

    /// Where a line is kept that was read on this thread.
    pub(super) fn kept(&self, entry: &Entry) -> Kept {
        match self.lines {
            Some(_) => Kept::At(entry.start),
            None => Kept::Line(entry.line.clone()),
        }
    }

    /// Whether one more event may be kept; notes it if not.
    pub(super) fn has_room(&mut self, damage: &mut Damage) -> bool {
        let room = self.lines.is_some() || self.reader.bytes() < self.bounds.piped;
        if self.events >= self.bounds.events || !room {
            damage.full = Some(self.events);
            return false;
        }
        self.events += 1;
        true
    }

    /// True if asking what comes next waits for it a while by itself.
    pub(super) const fn waits(&self) -> bool {
        matches!(self.place, Place::Pipe(_))
    }

    /// What comes next; what is damaged is noted and passed by.
    ///
    /// # Errors
    /// If the trace cannot be read.
    pub(super) fn come(&mut self, damage: &mut Damage) -> Result<Come, Failure> {
        loop {
            let item = match self.reader.read_next() {
                Ok(item) => item,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Come::NothingYet);
                }
                Err(error) => return Err(cannot_open(&self.place, &error)),
            };
            let entry = match item {
                Item::Event(entry) => entry,
                Item::Damaged(error) => {
                    damage.note(error);
                    continue;
                }
                // A file may be written on.
                Item::Torn | Item::End if !self.waits() => return Ok(Come::NothingYet),
                Item::End => return Ok(Come::End),
                Item::Torn => {
                    let Some(entry) = self.reader.take_rest() else {
                        damage.torn = true;
                        return Ok(Come::End);
                    };
                    Box::new(entry)
                }
            };
            if !self.has_room(damage) {
                return Ok(Come::End);
            }
            damage.see(entry.event.seq);
            let kept = self.kept(&entry);
            return Ok(Come::Event(Box::new(entry.event), kept));
        }
    }

    /// Reads on to the end that there is now. `take` gets every event; `told` hears of the bytes
    /// read so far now and then, and may call the reading off.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read_on(
        &mut self,
        growth: Growth,
        damage: &mut Damage,
        mut take: impl FnMut(&TraceEvent, Kept),
        mut told: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Failure> {
        let mut end = ControlFlow::Continue(());
        let torn = if self.lines.is_some() {
            let (events, most) = (&mut self.events, self.bounds.events);
            let ended = pump(&mut self.reader, |batch, bytes| {
                for decoded in batch {
                    match decoded {
                        Ok(_) if *events >= most => {
                            damage.full = Some(*events);
                            return ControlFlow::Break(());
                        }
                        Ok((event, start)) => {
                            *events += 1;
                            damage.see(event.seq);
                            take(event, Kept::At(*start));
                        }
                        Err(error) => damage.note(error.clone()),
                    }
                }
                end = told(bytes);
                end
            });
            ended.map_err(|error| cannot_open(&self.place, &error))? == BatchEnd::Torn
        } else {
            loop {
                let item = self.reader.read_next();
                match item.map_err(|error| cannot_open(&self.place, &error))? {
                    Item::Event(entry) => {
                        if !self.has_room(damage) {
                            break false;
                        }
                        damage.see(entry.event.seq);
                        take(&entry.event, Kept::Line(entry.line));
                    }
                    Item::Damaged(error) => damage.note(error),
                    Item::Torn => break true,
                    Item::End => break false,
                }
            }
        };
        if torn && growth == Growth::Finished && damage.full.is_none() {
            match self.reader.rest() {
                Some(entry) if self.has_room(damage) => take(&entry.event, self.kept(&entry)),
                Some(_) => {}
                None => damage.torn = true,
            }
        }
        Ok(end)
    }
}

/// Reads lines on a thread, decodes them on others, and gives them to `take` in order.
fn pump<R: BufRead + Send>(
    reader: &mut Reader<R>,
    mut take: impl FnMut(&[Decoded], u64) -> ControlFlow<()>,
) -> io::Result<BatchEnd> {
    let limit = reader.limit();
    let decoders = thread::available_parallelism().map_or(1, |count| count.get().min(DECODERS));
    thread::scope(|scope| {
        let (mut gives, mut gets) = (Vec::new(), Vec::new());
        for _ in 0..decoders {
            let (give, work) = sync_channel::<(Batch, u64)>(1);
            let (tell, done) = sync_channel(1);
            // What was folded goes back to be freed: an allocator is quickest with its own.
            let (back, folded) = channel::<Vec<Decoded>>();
            scope.spawn(move || {
                for (batch, bytes) in work {
                    folded.try_iter().for_each(drop);
                    if tell.send((batch.decode(limit), bytes)).is_err() {
                        return;
                    }
                }
            });
            gives.push(give);
            gets.push((done, back));
        }
        // Turn by turn, so that the batches come back in the order in which they went.
        let reading = scope.spawn(move || {
            for give in gives.iter().cycle() {
                let (batch, end) = reader.read_batch(BATCH)?;
                if give.send((batch, reader.bytes())).is_err() || end != BatchEnd::More {
                    return Ok(end);
                }
            }
            Ok(BatchEnd::End)
        });
        for (get, back) in gets.iter().cycle() {
            let Ok((batch, bytes)) = get.recv() else {
                break;
            };
            if take(&batch, bytes).is_break() {
                break;
            }
            // A decoder that has ended leaves the freeing to us.
            drop(back.send(batch));
        }
        // Whoever still wants to hand something over learns that nobody takes it.
        drop(gets);
        let ended = reading.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("the reading thread broke down")))
    })
}

pub(super) fn cannot_open(place: &Place, error: &io::Error) -> Failure {
    let mut next = "name a file that `hoptrail --record FILE` wrote".to_owned();
    if error.kind() == io::ErrorKind::NotFound {
        next += ", or a trace of `hoptrail traces list`";
        if let Some(meant) = shipped::nearest(&place.name()) {
            next = format!(
                "did you mean the shipped trace `{}`? Else {next}",
                meant.name
            );
        }
    }
    Failure::new(
        Exit::Usage,
        format!("The trace {} cannot be read", place.shown()),
        error.to_string(),
        next,
    )
}

fn not_a_trace(place: &Place, error: &CodecError) -> Failure {
    let next = match error {
        CodecError::TooNew { .. } => "read it with the hoptrail that recorded it, or a newer one",
        CodecError::Foreign(_) => "unpack it, or save it as UTF-8 without a byte order mark",
        CodecError::Empty => "record a run first: hoptrail demo --record FILE",
        CodecError::HeaderTorn => {
            "where it is still being written, add --follow; else record it again"
        }
        // The header says how the other lines are to be read, so nothing stands in for it.
        CodecError::NotATrace(_) | CodecError::Damaged { .. } => {
            "name a file that `hoptrail --record FILE` wrote, with its first line"
        }
    };
    Failure::new(
        Exit::Usage,
        format!("{} cannot be read as a trace", place.shown()),
        error.to_string(),
        next,
    )
}
