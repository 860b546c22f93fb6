//! A connected run whose trace is folded while something is done.

use std::{io, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::{
    projection::Projection,
    runtime::{
        Options,
        backend::{self, Backend, Opening},
        record::Recorder,
        stream::{self, Stream},
    },
    support::error::{Exit, Failure},
    trace::{
        TraceEvent,
        codec::{self, Header},
    },
};

/// How long the feeds may take to tell the last rows after the last answer came.
const SETTLE: Duration = Duration::from_secs(3);

/// How long nothing may be heard before a person is told that it is waited.
const SILENCE: Duration = Duration::from_secs(5);

/// The run.
pub(super) struct Run<'a> {
    pub projection: Projection,
    header: Header,
    backend: Arc<Backend>,
    opening: Opening,
    stream: Stream,
    recorder: Option<Recorder>,
    /// Where a person is told which page to open.
    err: &'a mut dyn io::Write,
    /// Calls off what is done.
    cancel: CancellationToken,
}

impl<'a> Run<'a> {
    pub async fn open(
        options: Options,
        err: &'a mut dyn io::Write,
        cancel: CancellationToken,
    ) -> Result<Self, Failure> {
        let (sink, mut stream) = stream::open(&*options.clock);
        let header = stream.header();
        let mut recorder = match &options.record {
            Some(path) => Some(Recorder::create(path, &header)?),
            None => None,
        };
        let mut opening = backend::open(options, sink);
        let backend = match opening.ready().await {
            Ok(backend) => backend,
            Err(failure) => {
                // What was told until then says why.
                while let Some(event) = stream.try_next() {
                    if let Some(recorder) = &mut recorder {
                        recorder.record(&event)?;
                    }
                }
                opening.close().await;
                return Err(failure);
            }
        };
        Ok(Self {
            projection: Projection::starting(header.started),
            header,
            backend,
            opening,
            stream,
            recorder,
            err,
            cancel,
        })
    }

    pub fn backend(&self) -> Arc<Backend> {
        Arc::clone(&self.backend)
    }

    /// Does `work` and folds what is told meanwhile. The run's token calls it off.
    pub async fn during<T>(
        &mut self,
        work: impl AsyncFnOnce(Doing) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let doing = Doing {
            backend: self.backend(),
            cancel: self.cancel.clone(),
        };
        let mut work = std::pin::pin!(work(doing));
        let mut waits = true;
        let done = loop {
            tokio::select! {
                biased;
                Some(event) = self.stream.next() => self.tell(&event)?,
                url = self.opening.browser_url() => {
                    // If standard error is gone there is nobody to tell.
                    let _ = writeln!(
                        self.err,
                        "Open this page to sign in, then come back here:\n\n  {url}\n"
                    );
                }
                done = &mut work => break done,
                () = tokio::time::sleep(SILENCE), if waits => {
                    waits = false;
                    let _ = writeln!(self.err, "Waiting for the server to answer. Ctrl-C calls it off.");
                }
            }
        };
        while let Some(event) = self.stream.try_next() {
            self.tell(&event)?;
        }
        if self.cancel.is_cancelled() {
            return Err(Failure::new(
                Exit::Failed,
                "The check was called off",
                "it was interrupted",
                "start it again when you like",
            ));
        }
        done
    }

    /// Waits until `done`, or until the feeds had time enough to tell it.
    pub async fn settle(&mut self, done: impl Fn(&Projection) -> bool) -> Result<(), Failure> {
        let deadline = Instant::now() + SETTLE;
        while !done(&self.projection) {
            match timeout_at(deadline, self.stream.next()).await {
                Ok(Some(event)) => self.tell(&event)?,
                Ok(None) | Err(_) => break,
            }
        }
        Ok(())
    }

    /// The trace so far.
    pub fn trace(&self) -> Vec<String> {
        let lines = self
            .projection
            .log()
            .lines()
            .map(std::borrow::Cow::into_owned);
        std::iter::once(codec::encode_header(&self.header).trim_end().to_owned())
            .chain(lines)
            .collect()
    }

    pub async fn close(&mut self) {
        self.opening.close().await;
    }

    fn tell(&mut self, event: &TraceEvent) -> Result<(), Failure> {
        if let Some(recorder) = &mut self.recorder {
            recorder.record(event)?;
        }
        self.projection.apply(event);
        Ok(())
    }
}

/// What work is done with.
#[derive(Debug, Clone)]
pub(super) struct Doing {
    pub backend: Arc<Backend>,
    pub cancel: CancellationToken,
}
