//! One tool call on its way through the services: for each thing touched a fresh credential, used
//! once and thrown away.
//!
//! The shape is the law: a [`Touch`] cannot get at a credential but through [`Call::touch`], which
//! exchanges for it, lends it, drops it, and tells each of the three. Before chapter 6 there is one
//! exception, the key that the workshop begins with: it is lent as well, and only its use is told.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    Patience,
    bearer::Caller,
    exchange::{Exchanger, Wish, resource_name, wanted},
    http::Http,
    progress::Progress,
    settings::{Address, Settings},
    stage::Stage,
};
use crate::{
    protocol::{
        observed::{Step, StepAction, StepOutcome, Upstream},
        secret::{Fingerprint, Secret},
        traceparent::{SpanId, TraceId, TraceParent},
    },
    support::{
        clock::Stopwatch,
        error::{Exit, Failure},
        ids::Ids,
    },
};

/// The steps that one touch tells: exchanged, used, discarded.
const STEPS_PER_TOUCH: u32 = 3;
/// The step that a touch with a key of our own tells: used.
const STEPS_PER_USE: u32 = 1;

/// The longest that a service's `Retry-After` is obeyed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What every call shares.
pub(super) struct Services {
    pub http: Http,
    pub settings: Arc<Settings>,
    /// From chapter 4 on; before it, nothing is exchanged.
    pub exchanger: Option<Exchanger>,
    pub ids: Ids,
    pub patience: Patience,
}

/// One tool call.
pub(super) struct Call {
    pub services: Arc<Services>,
    /// From chapter 2 on; before it, nobody is asked.
    pub caller: Option<Arc<Caller>>,
    pub trace: TraceId,
    pub progress: Progress,
    /// Fires when the caller cancels or goes away.
    pub cancelled: CancellationToken,
}

/// What a touch may use while it holds a credential.
pub(super) struct Visit<'a> {
    pub http: &'a Http,
    pub settings: &'a Settings,
    /// Where the service is.
    pub address: &'a Address,
    pub credential: Credential<'a>,
    pub hop: TraceParent,
    pub limit: Duration,
    /// How often this was tried before.
    pub retry: u32,
}

/// What opens the service, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Credential<'a> {
    /// Issued by the zone for this one touch, on the caller's behalf.
    Issued(&'a Secret),
    /// The server's own key out of its `.env`, whoever calls.
    Key(&'a Secret),
}

impl<'a> Credential<'a> {
    pub const fn secret(self) -> &'a Secret {
        match self {
            Self::Issued(secret) | Self::Key(secret) => secret,
        }
    }

    /// The scope that it was issued with; a key has none, it opens everything.
    const fn scope<T: Touch>(self) -> Option<&'static str> {
        match self {
            Self::Issued(_) => T::SCOPE,
            Self::Key(_) => None,
        }
    }
}

/// Whether a request may be dropped half way when the caller goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interruption {
    /// It only reads.
    Anytime,
    /// It changes something: once sent, its end is awaited, so that what happened is known.
    NotOnceSent,
}

/// One thing that is done with one credential.
pub(super) trait Touch: Sync {
    type Output: Send;
    const UPSTREAM: Upstream;
    /// Absent for a vault resource, whose credential has no scopes.
    const SCOPE: Option<&'static str> = None;
    const INTERRUPTION: Interruption = Interruption::Anytime;
    /// What it did, for people: `Supabase gave the ticket`.
    const DONE: &'static str;

    /// The operation's short name for the trace.
    fn operation(&self) -> String;

    fn perform(
        &self,
        visit: Visit<'_>,
    ) -> impl Future<Output = Result<Self::Output, Setback>> + Send;
}

/// A request that did not work out.
#[derive(Debug)]
pub(super) struct Setback {
    pub failure: Failure,
    pub outcome: StepOutcome,
    pub again: Again,
}

/// Whether the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    /// After the usual pause, or the one that the service asked for.
    After(Option<Duration>),
}

impl Setback {
    /// The service answered that it will not.
    pub const fn refused(failure: Failure) -> Self {
        Self {
            failure,
            outcome: StepOutcome::Refused,
            again: Again::Never,
        }
    }

    /// It could not be done, and another try would be no better.
    pub const fn failed(failure: Failure) -> Self {
        Self {
            failure,
            outcome: StepOutcome::Failed,
            again: Again::Never,
        }
    }

    pub const fn or_again(mut self, after: Option<Duration>) -> Self {
        self.again = Again::After(after);
        self
    }
}

/// How many steps one touch of `upstream` tells when all goes well.
pub(super) const fn steps(settings: &Settings, upstream: Upstream) -> u32 {
    match settings.key(upstream) {
        None => STEPS_PER_TOUCH,
        Some(_) => STEPS_PER_USE,
    }
}

fn cancelled() -> Failure {
    Failure::new(
        Exit::Failed,
        "The call was cancelled",
        "the caller went away or called it off",
        "nothing more was done; call the tool again if it is still wanted",
    )
}

impl Call {
    pub fn stage(&self) -> Stage {
        self.services.settings.stage()
    }

    /// The application that files issues for its callers; none as long as a key does it.
    pub fn acts_as(&self) -> Option<&str> {
        let settings = &self.services.settings;
        let application = settings.application()?;
        (self.stage().delegates_linear()).then_some(&*application.client_id)
    }

    fn hop(&self) -> TraceParent {
        TraceParent {
            trace: self.trace,
            span: SpanId(self.services.ids.u64()),
        }
    }

    /// Exchanges the caller's token, does `touch` with the credential, and throws it away; or does
    /// it with the server's own key, where it still has one.
    pub async fn touch<T: Touch>(&self, touch: T) -> Result<T::Output, Failure> {
        let settings = &self.services.settings;
        let address = settings.upstream(T::UPSTREAM).ok_or_else(not_yet)?;
        if let Some(key) = settings.key(T::UPSTREAM) {
            return self.attempt(&touch, address, Credential::Key(key)).await;
        }
        let (credential, issued) = self.obtain::<T>(address).await?;
        let result = self
            .attempt(&touch, address, Credential::Issued(&credential))
            .await;
        let fingerprint = credential.fingerprint();
        drop(credential);
        self.told_discarded::<T>(&issued, fingerprint);
        result
    }

    async fn obtain<T: Touch>(&self, resource: &Address) -> Result<(Secret, Issued), Failure> {
        let (Some(exchanger), Some(caller)) = (&self.services.exchanger, &self.caller) else {
            return Err(not_yet());
        };
        let hop = self.hop();
        let watch = Stopwatch::start();
        let wish = Wish {
            upstream: T::UPSTREAM,
            resource,
            scope: T::SCOPE,
        };
        let exchange = exchanger.exchange(&caller.token, wish, hop, self.services.patience.zone);
        let answer = tokio::select! {
            biased;
            () = self.cancelled.cancelled() => return Err(cancelled()),
            answer = exchange => answer,
        };
        let (outcome, credential, detail, message) = match &answer {
            Ok(credential) => (
                StepOutcome::Succeeded,
                Some(credential.fingerprint()),
                None,
                format!(
                    "The zone issued a credential for {}",
                    wanted(T::UPSTREAM, T::SCOPE)
                ),
            ),
            Err(error) => (
                error.outcome,
                None,
                Some(error.detail.clone()),
                error.failure.what.clone(),
            ),
        };
        let step = Step {
            span: hop.span,
            action: StepAction::Exchanged,
            upstream: T::UPSTREAM,
            scope: T::SCOPE.map(str::to_owned),
            outcome,
            duration_us: watch.micros(),
            credential,
            detail,
        };
        self.progress.tell(&step, message);
        let issued = Issued {
            span: hop.span,
            since: Stopwatch::start(),
        };
        answer
            .map(|credential| (credential, issued))
            .map_err(|error| error.failure)
    }

    async fn attempt<T: Touch>(
        &self,
        touch: &T,
        address: &Address,
        credential: Credential<'_>,
    ) -> Result<T::Output, Failure> {
        let mut pauses = self.services.patience.pauses(T::UPSTREAM).iter();
        let mut retry = 0;
        loop {
            if self.cancelled.is_cancelled() {
                return Err(cancelled());
            }
            let hop = self.hop();
            let watch = Stopwatch::start();
            let visit = Visit {
                http: &self.services.http,
                settings: &self.services.settings,
                address,
                credential,
                hop,
                limit: self.services.patience.limit(T::UPSTREAM),
                retry,
            };
            let result = match T::INTERRUPTION {
                Interruption::NotOnceSent => touch.perform(visit).await,
                Interruption::Anytime => tokio::select! {
                    biased;
                    () = self.cancelled.cancelled() => return Err(cancelled()),
                    result = touch.perform(visit) => result,
                },
            };
            self.told_used(touch, hop.span, &watch, credential, &result);
            let setback = match result {
                Ok(output) => return Ok(output),
                Err(setback) => setback,
            };
            let (Again::After(asked), Some(usual)) = (setback.again, pauses.next()) else {
                return Err(after_tries(setback.failure, retry));
            };
            retry += 1;
            let pause = asked.map_or(*usual, |asked| asked.min(LONGEST_PAUSE));
            tokio::select! {
                biased;
                () = self.cancelled.cancelled() => return Err(cancelled()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn told_used<T: Touch>(
        &self,
        touch: &T,
        span: SpanId,
        watch: &Stopwatch,
        credential: Credential<'_>,
        result: &Result<T::Output, Setback>,
    ) {
        let operation = touch.operation();
        let (outcome, detail, message) = match result {
            Ok(_) => (StepOutcome::Succeeded, operation, T::DONE.to_owned()),
            Err(setback) => (
                setback.outcome,
                format!("{operation}: {}", setback.failure.why),
                setback.failure.what.clone(),
            ),
        };
        let step = Step {
            span,
            action: StepAction::Used,
            upstream: T::UPSTREAM,
            scope: credential.scope::<T>().map(str::to_owned),
            outcome,
            duration_us: watch.micros(),
            credential: Some(credential.secret().fingerprint()),
            detail: Some(detail),
        };
        self.progress.tell(&step, message);
    }

    fn told_discarded<T: Touch>(&self, issued: &Issued, credential: Fingerprint) {
        let step = Step {
            span: issued.span,
            action: StepAction::Discarded,
            upstream: T::UPSTREAM,
            scope: T::SCOPE.map(str::to_owned),
            outcome: StepOutcome::Succeeded,
            duration_us: issued.since.micros(),
            credential: Some(credential),
            detail: None,
        };
        let message = format!("Threw the {} credential away", resource_name(T::UPSTREAM));
        self.progress.tell(&step, message);
    }
}

/// What no stage does: its tools touch only what its settings have.
fn not_yet() -> Failure {
    Failure::new(
        Exit::Failed,
        "The server cannot do this yet",
        "nobody was asked who calls, or there is no application to exchange tokens for",
        "report this: it is a fault of the server",
    )
}

/// When and by which hop a credential came.
struct Issued {
    span: SpanId,
    since: Stopwatch,
}

fn after_tries(failure: Failure, retries: u32) -> Failure {
    if retries == 0 {
        return failure;
    }
    Failure {
        why: format!("{} (tried {} times)", failure.why, retries + 1),
        ..failure
    }
}
