//! The lab's own thread.
//!
//! A chain of calls (server, zone, stand-in, and back) is fastest where no part of it has to wake
//! another thread, and what drives the lab must not be slowed by who watches it.

use tokio::sync::oneshot;

use super::{GRACE, LabConfig, LabHandle, parts};
use crate::{
    support::error::{Exit, Failure},
    zone::policy,
};

/// Starts the lab; when this returns, every part answers.
///
/// # Errors
/// If a port is taken, the state cannot be used, or a part does not fit the others.
pub async fn start(config: LabConfig) -> Result<LabHandle, Failure> {
    let (tell, told) = oneshot::channel();
    std::thread::Builder::new()
        .name("lab".to_owned())
        .stack_size(policy::STACK)
        .spawn(move || match runtime() {
            Ok(runtime) => runtime.block_on(run(config, tell)),
            // Nobody listens only when the start was called off.
            Err(error) => drop(tell.send(Err(no_thread(&error)))),
        })
        .map_err(|error| no_thread(&error))?;
    told.await.map_err(|_| {
        Failure::new(
            Exit::Failed,
            "The lab did not start",
            "its thread ended early",
            "look into the log file, then start again",
        )
    })?
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

async fn run(config: LabConfig, tell: oneshot::Sender<Result<LabHandle, Failure>>) {
    let (stop, tasks) = match parts::start(config).await {
        Ok(lab) => {
            let served = (lab.stop.clone(), lab.tasks.clone());
            // A handle that nobody takes is dropped, which stops the lab.
            drop(tell.send(Ok(lab)));
            served
        }
        Err(failure) => return drop(tell.send(Err(failure))),
    };
    stop.cancelled().await;
    tasks.close();
    let _ = tokio::time::timeout(GRACE, tasks.wait()).await;
}

fn no_thread(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        "The lab has no thread to run on",
        error.to_string(),
        "the system refuses new threads; close other programs",
    )
}
