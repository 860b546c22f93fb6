//! The log file, off unless asked for. It holds no secrets: typed code cannot log a `Secret`.

use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use crate::support::error::{Exit, Failure};

/// Tells warnings on standard error, for a server that nobody asked to keep a log: whoever started it
/// looks there when a caller is told to ask the operator.
pub fn warn_on_stderr() {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("off,hoptrail=warn"))
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .with_writer(std::io::stderr)
        .init();
}

/// Starts to log to `path` (appending). The log is complete only when the guard was dropped.
///
/// # Errors
/// If the file cannot be opened.
pub fn start(path: &Path) -> Result<WorkerGuard, Failure> {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|e| {
            Failure::new(
                Exit::Usage,
                format!("Cannot write the log {}", path.display()),
                e.to_string(),
                "name a file in a folder that you may write to",
            )
        })?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    // Foreign crates may log whole requests at debug level, so only their warnings are taken.
    let filter = EnvFilter::new("warn,hoptrail=debug");
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer)
        .init();
    Ok(guard)
}
