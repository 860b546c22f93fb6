//! Reads a trace for the panes, on a thread of its own: what is read comes as messages.

use std::{ops::ControlFlow, thread};

use tokio::sync::mpsc;

use super::{Damage, LOOK, Place, Source, Trace, cues::run_after, load, source::Come};
use crate::{
    app::{
        compare::{Against, Durations},
        msg::Msg,
        player::{Growth, Tape},
    },
    projection::Timeline,
    support::{error::Failure, text::one_line},
};

/// Events of a growing trace that are handed over at once.
const BATCH: usize = 4_096;

const TORN: &str = "the file ends within a line: what is whole is shown";

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
    let Some(mut source) = begun(trace, tell)? else {
        return Ok(());
    };
    if let Place::Pipe(pipe) = &trace.place {
        pipe.watch();
        return piped(trace, &mut source, tell);
    }
    let mut news = None;
    loop {
        if show(trace, &mut source, news, tell)?.is_break() || trace.growth == Growth::Finished {
            return Ok(());
        }
        if follow(&trace.place, &mut source, tell)?.is_break() {
            return Ok(());
        }
        let Some(anew) = wait_for(&trace.place, tell)? else {
            return Ok(());
        };
        source = anew;
        news = Some("the file was written anew: this is the new run".to_owned());
    }
}

/// Opens a trace; for one that is followed or comes through a pipe it waits until its writer has begun, and says so. `None` if
/// nobody listens any more.
fn begun(trace: &Trace, tell: &mpsc::Sender<Msg>) -> Result<Option<Source>, Failure> {
    // Whoever writes into a pipe may take their time, too.
    if matches!(trace.place, Place::Pipe(_)) && said(tell, Msg::Awaited).is_break() {
        return Ok(None);
    }
    if trace.growth == Growth::Finished {
        return Source::open(&trace.place).map(Some);
    }
    let there = Source::reopen(&trace.place)?;
    if there.is_some() || said(tell, Msg::Awaited).is_break() {
        return Ok(there);
    }
    wait_for(&trace.place, tell)
}

/// Waits for what another process will write; `None` if nobody listens any more.
fn wait_for(place: &Place, tell: &mpsc::Sender<Msg>) -> Result<Option<Source>, Failure> {
    loop {
        let source = Source::reopen(place)?;
        if source.is_some() || tell.is_closed() {
            return Ok(source);
        }
        thread::sleep(LOOK);
    }
}

/// Shows what has come through a pipe so far when its writer pauses, and goes along to its end. Of a
/// writer that does not pause, everything is shown at once: it only hands over what it has.
fn piped(trace: &Trace, source: &mut Source, tell: &mpsc::Sender<Msg>) -> Result<(), Failure> {
    let mut timeline = source.timeline();
    let mut damage = Damage::default();
    let growth = loop {
        match source.come(&mut damage)? {
            Come::Event(event, kept) => timeline.take(&event, kept),
            // Before its first line a trace has nothing to show.
            Come::NothingYet if timeline.is_empty() && !tell.is_closed() => {}
            Come::NothingYet => break Growth::Followed,
            Come::End => break Growth::Finished,
        }
    };
    if hand_over(trace, source, timeline, growth, None, &damage, tell).is_break()
        || growth == Growth::Finished
    {
        return Ok(());
    }
    // Nobody listens any more, or it was the end.
    let _ = follow(&trace.place, source, tell)?;
    Ok(())
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
    let growth = trace.growth;
    Ok(hand_over(
        trace, source, timeline, growth, news, &damage, tell,
    ))
}

fn hand_over(
    trace: &Trace,
    source: &Source,
    mut timeline: Timeline,
    growth: Growth,
    news: Option<String>,
    damage: &Damage,
    tell: &mpsc::Sender<Msg>,
) -> ControlFlow<()> {
    match growth {
        Growth::Finished => timeline.close(),
        Growth::Followed => timeline.settle(),
    }
    let title = source.header.title.as_deref().map(one_line);
    let tape = Tape {
        timeline,
        title: title.unwrap_or_else(|| trace.name()),
        growth,
        warning: news
            .or_else(|| damage.torn.then(|| TORN.to_owned()))
            .or_else(|| damage.disorder()),
    };
    said(tell, Msg::Opened(Box::new(tape)))?;
    match damage.failure(&trace.place) {
        Some(failure) => said(tell, Msg::Unreadable(failure)),
        None => ControlFlow::Continue(()),
    }
}

/// Tells something, if anybody listens.
fn said(tell: &mpsc::Sender<Msg>, msg: Msg) -> ControlFlow<()> {
    match tell.blocking_send(msg) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// Reads on as the trace grows: until nobody listens any more or no more comes, which is the end, or
/// until there is another file in its place.
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
        let mut end = false;
        while grown.len() < BATCH {
            match source.come(&mut damage)? {
                Come::Event(event, kept) => grown.push((*event, kept)),
                Come::NothingYet => break,
                Come::End => {
                    end = true;
                    break;
                }
            }
        }
        let idle = grown.len() < BATCH;
        let later = if grown.is_empty() && !end {
            run_after(place, source.header.started)
        } else {
            None
        };
        if !grown.is_empty() && said(tell, Msg::Grew(grown)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(failure) = damage.failure(place)
            && said(tell, Msg::Unreadable(failure)).is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        if end {
            let warning = damage.torn.then(|| TORN.to_owned());
            // Nobody listens any more when the person has quit already.
            let _ = said(tell, Msg::Ended { warning });
        }
        if let Some((next, _)) = later {
            // The notes on this trace are about its own events, so it stays what is shown.
            let next = next.shown();
            let warning = Some(format!("a new run goes on in {next}: follow that one"));
            let _ = said(tell, Msg::Ended { warning });
            return Ok(ControlFlow::Break(()));
        }
        if end || tell.is_closed() {
            return Ok(ControlFlow::Break(()));
        }
        if idle && !source.waits() {
            thread::sleep(LOOK);
        }
    }
}
