//! The gate before the token exchange: while somebody reads it, every exchange waits until it is
//! let go.
//!
//! Ours, under a path of its own. It never decides anything: it tells what would be decided now, and
//! the exchange is decided afterwards as if it had just come. Must not be able to hold anything for
//! ever: a reader that goes lets everything go, and nothing waits longer than [`AT_MOST`].

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use futures::{Stream, stream};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{broadcast, oneshot, watch};

use crate::{
    protocol::{
        hold::{Forecast, GATE_PATH, GateEvent, HeldExchange, ReleaseReason, ReleasedExchange},
        traceparent::TraceParent,
    },
    support::clock::Stopwatch,
};

use super::{
    ZoneState,
    console::Authorized,
    exchange::{ExchangeRequest, foresee},
};

/// The longest that one exchange waits. Who calls the zone must have a little more patience.
pub const AT_MOST: Duration = Duration::from_mins(10);

/// How often a quiet reader is written to, so that one whose computer is gone is noticed.
const PULSE: Duration = Duration::from_secs(5);

/// News that a slow reader may be behind.
const BEHIND: usize = 256;

/// The gate. It stands open until somebody reads it.
#[derive(Debug)]
pub struct Gate {
    /// Asked by every exchange, so it costs no lock.
    readers: AtomicUsize,
    waiting: Mutex<Waiting>,
    news: broadcast::Sender<GateEvent>,
}

#[derive(Debug, Default)]
struct Waiting {
    number: u64,
    /// In the order in which they came.
    held: BTreeMap<u64, Held>,
    over: bool,
}

#[derive(Debug)]
struct Held {
    what: HeldExchange,
    go: oneshot::Sender<ReleaseReason>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            readers: AtomicUsize::new(0),
            waiting: Mutex::default(),
            news: broadcast::channel(BEHIND).0,
        }
    }
}

pub(super) fn router(state: Arc<ZoneState>) -> Router {
    Router::new()
        .route(GATE_PATH, get(read))
        .route(&format!("{GATE_PATH}/{{id}}/release"), post(release))
        .with_state(state)
}

async fn read(
    State(state): State<Arc<ZoneState>>,
    _: Authorized,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + Send + 'static> {
    Sse::new(follow(Reader::new(state))).keep_alive(KeepAlive::new().interval(PULSE))
}

async fn release(
    State(state): State<Arc<ZoneState>>,
    _: Authorized,
    Path(id): Path<String>,
) -> StatusCode {
    // One that went on by itself a moment ago is as it was wished: that is no error.
    state.gate.let_go(&id);
    StatusCode::NO_CONTENT
}

/// Holds an exchange if the gate is closed. Comes back when it may be decided; the time that it
/// waited is not the zone's.
pub(super) async fn pass(state: &ZoneState, request: &mut ExchangeRequest) {
    if !state.gate.is_closed() {
        return;
    }
    let mut changes = state.store.sequence();
    changes.mark_unchanged();
    // Without a key nothing is decided; whoever asked is told so at once.
    let Ok(seen) = foresee(state, request).await else {
        return;
    };
    let what = HeldExchange {
        id: state.config.ids.short(),
        application: seen.actor.application,
        user: seen.actor.user,
        resource: seen.resource,
        scopes: seen.scopes,
        forecast: seen.forecast,
        trace_parent: request.trace_parent,
    };
    let id = what.id.clone();
    let foretelling = foretell(state, request, &id, changes);
    state.gate.hold_while(what, AT_MOST, foretelling).await;
    request.started = Stopwatch::start();
}

/// Keeps the readers' forecast true while the exchange waits: somebody may switch the policy meanwhile.
/// Does not come back.
async fn foretell(
    state: &ZoneState,
    request: &ExchangeRequest,
    id: &str,
    mut changes: watch::Receiver<u64>,
) {
    while changes.changed().await.is_ok() {
        if let Ok(seen) = foresee(state, request).await {
            state.gate.forecast(id, seen.forecast);
        }
    }
    // The zone stops, and lets go what waits.
    std::future::pending::<()>().await;
}

impl Gate {
    /// Whether exchanges are held.
    pub fn is_closed(&self) -> bool {
        self.readers.load(Ordering::Acquire) > 0
    }

    /// Ends every reader's stream and lets everything go, for good.
    pub(super) fn open_for_good(&self) {
        let mut waiting = self.lock();
        waiting.over = true;
        release_all(&mut waiting);
        drop(waiting);
        // The word wakes the readers, who then see that it is over.
        self.tell(GateEvent::Closed { at_most_seconds: 0 });
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock()
    }

    fn tell(&self, event: GateEvent) {
        // Nobody reads: then nobody needs to know.
        let _ = self.news.send(event);
    }

    /// Tells what would become of an exchange that waits, if that is something else than before.
    fn forecast(&self, id: &str, forecast: Forecast) {
        let mut waiting = self.lock();
        let held = waiting.held.values_mut().find(|held| held.what.id == id);
        if let Some(held) = held.filter(|held| held.what.forecast != forecast) {
            held.what.forecast = forecast;
            self.tell(GateEvent::Held(held.what.clone()));
        }
    }

    /// Lets one exchange go; false if no such one waits.
    fn let_go(&self, id: &str) -> bool {
        let mut waiting = self.lock();
        let number = waiting
            .held
            .iter()
            .find_map(|(number, held)| (held.what.id == id).then_some(*number));
        number
            .and_then(|number| waiting.held.remove(&number))
            .is_some_and(|held| held.go.send(ReleaseReason::LetGo).is_ok())
    }

    /// Holds an exchange, while somebody else keeps its forecast true.
    async fn hold_while(
        &self,
        what: HeldExchange,
        at_most: Duration,
        foretelling: impl Future<Output = ()>,
    ) {
        tokio::select! {
            // A forecast is taken only of what waits already: one that comes at once must find it.
            biased;
            () = self.hold(what, at_most) => {}
            () = foretelling => {}
        }
    }

    async fn hold(&self, what: HeldExchange, at_most: Duration) {
        let (go, gone) = oneshot::channel();
        let mut stay = Stay {
            gate: self,
            number: 0,
            id: what.id.clone(),
            trace_parent: what.trace_parent,
            watch: Stopwatch::start(),
            why: ReleaseReason::AskerGone,
        };
        {
            let mut waiting = self.lock();
            // The last reader may have gone while the forecast was made.
            if waiting.over || !self.is_closed() {
                stay.number = u64::MAX;
                return;
            }
            waiting.number += 1;
            stay.number = waiting.number;
            self.tell(GateEvent::Held(what.clone()));
            waiting.held.insert(stay.number, Held { what, go });
        }
        stay.why = tokio::select! {
            why = gone => why.unwrap_or(ReleaseReason::HolderGone),
            () = tokio::time::sleep(at_most) => ReleaseReason::TimedOut,
        };
    }
}

fn release_all(waiting: &mut Waiting) {
    for held in std::mem::take(&mut waiting.held).into_values() {
        // Who waited may have given up a moment ago.
        let _ = held.go.send(ReleaseReason::HolderGone);
    }
}

/// An exchange that waits. However it ends, the readers are told.
struct Stay<'a> {
    gate: &'a Gate,
    /// `u64::MAX` for one that never began to wait.
    number: u64,
    id: String,
    trace_parent: Option<TraceParent>,
    watch: Stopwatch,
    why: ReleaseReason,
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        if self.number == u64::MAX {
            return;
        }
        self.gate.lock().held.remove(&self.number);
        self.gate.tell(GateEvent::Released(ReleasedExchange {
            id: std::mem::take(&mut self.id),
            why: self.why,
            held_us: self.watch.micros(),
            trace_parent: self.trace_parent,
        }));
    }
}

/// One who reads the gate, and by that holds it closed.
struct Reader {
    state: Arc<ZoneState>,
    news: broadcast::Receiver<GateEvent>,
    /// What is told first: that it is closed, and what waits already.
    first: std::vec::IntoIter<GateEvent>,
}

impl Reader {
    fn new(state: Arc<ZoneState>) -> Self {
        let gate = &state.gate;
        // Under the lock, so that nothing is told twice or not at all.
        let waiting = gate.lock();
        let news = gate.news.subscribe();
        gate.readers.fetch_add(1, Ordering::AcqRel);
        let mut first = vec![GateEvent::Closed {
            at_most_seconds: AT_MOST.as_secs(),
        }];
        let held = waiting.held.values();
        first.extend(held.map(|held| GateEvent::Held(held.what.clone())));
        drop(waiting);
        Self {
            state,
            news,
            first: first.into_iter(),
        }
    }

    async fn next(&mut self) -> Option<GateEvent> {
        if let Some(event) = self.first.next() {
            return Some(event);
        }
        loop {
            if self.state.gate.lock().over {
                return None;
            }
            match self.news.recv().await {
                Ok(GateEvent::Closed { .. }) => {}
                Ok(event) => return Some(event),
                // Who missed a word no longer knows what waits, and must hold nobody.
                Err(
                    broadcast::error::RecvError::Lagged(_) | broadcast::error::RecvError::Closed,
                ) => {
                    return None;
                }
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let gate = &self.state.gate;
        let mut waiting = gate.lock();
        if gate.readers.fetch_sub(1, Ordering::AcqRel) == 1 {
            release_all(&mut waiting);
        }
    }
}

fn follow(reader: Reader) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        let event = match serde_json::to_string(&event) {
            Ok(data) => Event::default().data(data),
            Err(error) => {
                tracing::error!(%error, "a word of the gate could not be written out");
                Event::default().comment("a word that could not be written out")
            }
        };
        Some((Ok(event), reader))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::audit::AuditStatus;

    fn exchange(id: &str) -> HeldExchange {
        HeldExchange {
            id: id.to_owned(),
            application: None,
            user: None,
            resource: None,
            scopes: vec!["write".to_owned()],
            forecast: Forecast {
                status: AuditStatus::Issued,
                decision: None,
                error: None,
                reason: None,
            },
            trace_parent: None,
        }
    }

    fn closed() -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        gate.readers.store(1, Ordering::SeqCst);
        gate
    }

    async fn why(news: &mut broadcast::Receiver<GateEvent>) -> ReleaseReason {
        loop {
            if let GateEvent::Released(released) = news.recv().await.unwrap() {
                return released.why;
            }
        }
    }

    /// An exchange that waits at the gate.
    fn begin(gate: &Arc<Gate>) -> tokio::task::JoinHandle<()> {
        let gate = Arc::clone(gate);
        tokio::spawn(async move { gate.hold(exchange("one"), AT_MOST).await })
    }

    #[tokio::test]
    async fn an_open_gate_holds_nothing_and_says_nothing() {
        let gate = Gate::default();
        let mut news = gate.news.subscribe();
        gate.hold(exchange("one"), AT_MOST).await;
        assert!(news.try_recv().is_err());
    }

    #[tokio::test]
    async fn what_waits_goes_on_when_it_is_let_go_and_not_twice() {
        let gate = closed();
        let mut news = gate.news.subscribe();
        let waiting = begin(&gate);
        assert!(matches!(news.recv().await, Ok(GateEvent::Held(held)) if held.id == "one"));
        assert!(!gate.let_go("another"));
        assert!(gate.let_go("one"));
        assert!(!gate.let_go("one"));
        waiting.await.unwrap();
        assert_eq!(why(&mut news).await, ReleaseReason::LetGo);
    }

    #[tokio::test]
    async fn a_forecast_that_changes_at_once_is_told() {
        for _ in 0..32 {
            let gate = closed();
            let mut news = gate.news.subscribe();
            let refused = Forecast {
                status: AuditStatus::Failure,
                ..exchange("one").forecast
            };
            let foretelling = async {
                gate.forecast("one", refused.clone());
                std::future::pending::<()>().await;
            };
            gate.hold_while(exchange("one"), Duration::from_millis(1), foretelling)
                .await;
            let first = news.recv().await.unwrap();
            assert!(matches!(first, GateEvent::Held(held) if held.forecast != refused));
            let second = news.recv().await.unwrap();
            assert!(matches!(second, GateEvent::Held(held) if held.forecast == refused));
        }
    }

    #[tokio::test]
    async fn nothing_waits_for_ever() {
        let gate = closed();
        let mut news = gate.news.subscribe();
        gate.hold(exchange("one"), Duration::from_millis(1)).await;
        assert_eq!(why(&mut news).await, ReleaseReason::TimedOut);
    }

    #[tokio::test]
    async fn who_asked_may_give_up() {
        let gate = closed();
        let mut news = gate.news.subscribe();
        let waiting = begin(&gate);
        news.recv().await.unwrap();
        waiting.abort();
        assert_eq!(why(&mut news).await, ReleaseReason::AskerGone);
        assert!(gate.lock().held.is_empty());
    }

    #[tokio::test]
    async fn a_zone_that_stops_lets_everything_go() {
        let gate = closed();
        let mut news = gate.news.subscribe();
        let waiting = begin(&gate);
        news.recv().await.unwrap();
        gate.open_for_good();
        waiting.await.unwrap();
        assert_eq!(why(&mut news).await, ReleaseReason::HolderGone);
        gate.hold(exchange("two"), AT_MOST).await;
    }
}
