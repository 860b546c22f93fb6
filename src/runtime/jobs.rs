//! Runs the jobs that the state machine wishes for, and sees every one of them end: done, failed,
//! cancelled, or panicked.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    task::{Id, JoinError, JoinSet, spawn_blocking},
};
use tokio_util::sync::CancellationToken;

use super::{
    backend::{Backend, BackendState, Kept, Remade, ready},
    console_steps::{Change, Step},
    probing,
};
use crate::{
    app::{
        effect::Job,
        learn::console,
        msg::{Msg, TaskId, TaskOutcome},
    },
    config::sheet::Hold,
    lab::Chapter,
    support::error::{Exit, Failure},
};

/// Where what is told beside the trace goes.
pub type Answers = mpsc::UnboundedSender<Msg>;

fn tell(answers: &Answers, msg: Msg) {
    // Nobody is listening any more when the person has quit.
    let _ = answers.send(msg);
}

/// Asks until it is called off.
async fn until<T: Send + 'static>(
    cancel: &CancellationToken,
    question: impl AsyncFnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    // On a thread of its own: rustc cannot prove yet that a future with closures over
    // references is `Send` (rust-lang/rust#102211), and the runner's have to be.
    let (handle, cancel) = (Handle::current(), cancel.clone());
    let asked = spawn_blocking(move || {
        // Given up in there: nobody goes on to knock when it was called off.
        handle.block_on(cancel.run_until_cancelled(question()))
    });
    asked.await.map_err(|_| unasked())?.ok_or_else(called_off)
}

fn unasked() -> Failure {
    Failure::new(
        Exit::Failed,
        "The checks' questions were not asked",
        "the thread that asks them stopped unexpectedly; this is a mistake in hoptrail",
        "try again; start with --log FILE to have the details for a report",
    )
}

fn called_off() -> Failure {
    Failure::new(
        Exit::Failed,
        "The checks' questions were called off",
        "what was asked until then is not judged",
        "ask them again when you like",
    )
}

fn no_console() -> Failure {
    Failure::new(
        Exit::Usage,
        "The console's work cannot be done from here",
        "hoptrail has no way into this zone's management API",
        "do the steps in the zone's console; the chapter's text names them",
    )
}

/// The jobs that are under way.
#[derive(Debug)]
pub struct Runner {
    backend: watch::Receiver<BackendState>,
    jobs: JoinSet<TaskOutcome>,
    names: HashMap<Id, TaskId>,
    cancels: HashMap<TaskId, CancellationToken>,
    answers: Answers,
    /// The folder of the attendee's own server.
    project: Option<PathBuf>,
    #[cfg(debug_assertions)]
    panics: bool,
}

impl Runner {
    /// Nothing is under way; jobs wait for the backend to be ready.
    #[must_use]
    pub fn new(backend: watch::Receiver<BackendState>, answers: Answers) -> Self {
        Self {
            backend,
            jobs: JoinSet::new(),
            names: HashMap::new(),
            cancels: HashMap::new(),
            answers,
            project: None,
            #[cfg(debug_assertions)]
            panics: false,
        }
    }

    /// Looks at the attendee's folder, too.
    #[must_use]
    pub fn with_project(self, project: Option<PathBuf>) -> Self {
        Self { project, ..self }
    }

    /// Jobs wait for another backend from now on.
    pub fn turn_to(&mut self, backend: watch::Receiver<BackendState>) {
        self.backend = backend;
    }

    /// Every job breaks, if so.
    #[cfg(debug_assertions)]
    #[must_use]
    pub fn panicking(self, panics: bool) -> Self {
        Self { panics, ..self }
    }

    /// Starts a job.
    pub fn start(&mut self, task: TaskId, job: Job) {
        let cancel = CancellationToken::new();
        self.cancels.insert(task, cancel.clone());
        let mut backend = self.backend.clone();
        let answers = self.answers.clone();
        let project = self.project.clone();
        #[cfg(debug_assertions)]
        let panics = self.panics;
        let handle = self.jobs.spawn(async move {
            #[cfg(debug_assertions)]
            assert!(!panics, "provoked by HOPTRAIL_PANIC");
            let ready = tokio::select! {
                ready = ready(&mut backend) => ready,
                () = cancel.cancelled() => return TaskOutcome::Cancelled,
            };
            match ready {
                Ok(backend) => {
                    let when_cancelled = WhenCancelled::of(&job);
                    let run = run(&backend, job, &answers, project.as_deref(), &cancel);
                    let run = Box::pin(run);
                    match when_cancelled {
                        WhenCancelled::Ends => match run.await {
                            Err(_) if cancel.is_cancelled() => TaskOutcome::Cancelled,
                            ended => outcome(ended),
                        },
                        WhenCancelled::GoesOn => outcome(run.await),
                        WhenCancelled::Dropped => cancel
                            .run_until_cancelled(run)
                            .await
                            .map_or(TaskOutcome::Cancelled, outcome),
                    }
                }
                Err(failure) => TaskOutcome::Failed(failure),
            }
        });
        self.names.insert(handle.id(), task);
    }

    /// Asks a job to stop; its end is still told.
    pub fn cancel(&self, task: TaskId) {
        if let Some(cancel) = self.cancels.get(&task) {
            cancel.cancel();
        }
    }

    /// Asks every job to stop.
    pub fn cancel_all(&self) {
        for cancel in self.cancels.values() {
            cancel.cancel();
        }
    }

    /// Waits until every job has ended, the cancelled ones included.
    pub async fn all_ended(&mut self) {
        while self.jobs.join_next().await.is_some() {}
    }

    /// Waits for the next job to end; for ever if none is under way.
    pub async fn ended(&mut self) -> (TaskId, TaskOutcome) {
        loop {
            let Some(ended) = self.jobs.join_next_with_id().await else {
                return std::future::pending().await;
            };
            let (id, outcome) = match ended {
                Ok(pair) => pair,
                Err(error) => (error.id(), broken(&error)),
            };
            if let Some(task) = self.names.remove(&id) {
                self.cancels.remove(&task);
                return (task, outcome);
            }
        }
    }
}

/// What becomes of a job that is called off.
#[derive(Debug, Clone, Copy)]
enum WhenCancelled {
    /// It can be dropped wherever it is.
    Dropped,
    /// It sees to it itself, and ends with an error.
    Ends,
    /// It ends by itself and must not be left half done; why it failed is told as ever.
    GoesOn,
}

impl WhenCancelled {
    const fn of(job: &Job) -> Self {
        match job {
            Job::ActivatePolicySet { .. }
            | Job::RefreshConsole
            | Job::Hold(_)
            | Job::LetGo { .. }
            | Job::ReadConsoleWork(_) => Self::Dropped,
            Job::SignIn
            | Job::SampleUser
            | Job::SignOut
            | Job::ListTools
            | Job::CallTool { .. }
            | Job::RunProbes { .. }
            | Job::AskZone(_) => Self::Ends,
            Job::TakeStep { .. } | Job::GoToChapter(_) | Job::BeginAgain { .. } => Self::GoesOn,
        }
    }
}

async fn run(
    backend: &Backend,
    job: Job,
    answers: &Answers,
    project: Option<&Path>,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    match job {
        Job::SignIn => backend.client.sign_in(cancel.clone()).await,
        Job::SampleUser => {
            backend.client.let_sample_user_answer();
            Ok(())
        }
        Job::SignOut => {
            backend.client.sign_out().await;
            Ok(())
        }
        Job::ListTools => backend.client.list_tools(cancel.clone()).await,
        Job::CallTool { tool, arguments } => {
            let arguments = arguments.as_object().cloned().unwrap_or_default();
            backend
                .client
                .call_tool(&tool, arguments, cancel.clone())
                .await
                .map(drop)
        }
        Job::ActivatePolicySet { set_id, version } => backend.activate(&set_id, version).await,
        Job::RefreshConsole => backend.refresh_console().await,
        Job::Hold(Hold::On) => backend.hold().await,
        Job::Hold(Hold::Off) => {
            backend.hold_no_more().await;
            Ok(())
        }
        Job::LetGo { id } => backend.let_go(&id).await,
        Job::RunProbes {
            chapter,
            probes,
            since,
        } => {
            let around = backend.look_around(project, since).await?;
            let asked = async move || Box::pin(probing::ask(&probes, &around)).await;
            let results = until(cancel, asked).await?;
            tell(answers, Msg::Probed(chapter, Box::new(results)));
            Ok(())
        }
        Job::AskZone(doubts) => {
            let around = backend.look_around(project, None).await?;
            let asked = async move || probing::in_doubt(&doubts, &around).await;
            tell(answers, Msg::ZoneAnswered(until(cancel, asked).await?));
            Ok(())
        }
        Job::ReadConsoleWork(chapter) => {
            let materials = backend.materials().await.ok_or_else(no_console)?;
            let found = backend.steps_found().await?;
            let steps = Step::of_chapter(chapter).iter().map(|step| console::Step {
                title: step.title().to_owned(),
                part: step.part(),
                form: step.form(&materials),
                taken: found.contains(step).then(|| "was there already".to_owned()),
            });
            let steps = steps.collect();
            tell(answers, Msg::ConsoleWork(console::Work { chapter, steps }));
            Ok(())
        }
        Job::TakeStep {
            chapter,
            place,
            filled,
        } => {
            let steps = Step::of_chapter(chapter);
            let step = steps.get(place).copied().ok_or_else(no_console)?;
            let taken = backend.take_step_with(step, &filled).await?;
            let word = match taken.change {
                Change::Made => "made",
                Change::Changed => "changed",
                Change::WasThere => "was there already",
            };
            let told = if taken.objects.is_empty() {
                format!("{word}: nothing")
            } else {
                format!("{word}: {}", taken.objects.join(", "))
            };
            let outdated = match taken.change {
                Change::Made | Change::Changed => step.outdates(),
                Change::WasThere => &[],
            };
            let again = (0..).zip(steps);
            let again = again.filter(|(_, step)| outdated.contains(step));
            let again = again.map(|(place, _)| place).collect();
            tell(
                answers,
                Msg::StepTaken {
                    chapter,
                    place,
                    told,
                    again,
                },
            );
            Ok(())
        }
        Job::GoToChapter(number) => {
            let chapter = Chapter::new(number)?;
            // Where it is there already, somebody wants put right what they made in the console.
            let kept = if backend.stage().await == Some(chapter) {
                Kept::Earlier
            } else {
                Kept::All
            };
            let Remade { made, gone, anew } = backend.travel(chapter, kept).await?;
            tell(answers, Msg::ZoneChanged { made, gone, anew });
            Ok(())
        }
        Job::BeginAgain { lab, .. } => {
            let Remade { made, gone, anew } =
                backend.travel(Chapter::new(lab)?, Kept::AsAtTheEnd).await?;
            tell(answers, Msg::ZoneChanged { made, gone, anew });
            Ok(())
        }
    }
}

fn outcome(result: Result<(), Failure>) -> TaskOutcome {
    match result {
        Ok(()) => TaskOutcome::Done,
        Err(failure) => TaskOutcome::Failed(failure),
    }
}

fn broken(error: &JoinError) -> TaskOutcome {
    if error.is_cancelled() {
        return TaskOutcome::Cancelled;
    }
    TaskOutcome::Failed(Failure::task_stopped())
}
