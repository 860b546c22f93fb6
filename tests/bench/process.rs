//! What `/proc` says of a process, and the program under test.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// The release binary that `cargo bench` built.
pub const HOPTRAIL: &str = env!("CARGO_BIN_EXE_hoptrail");

/// Resident memory in megabytes (of 10⁶ bytes).
pub fn resident(pid: u32) -> Result<f64, String> {
    status(Path::new(&format!("/proc/{pid}/status")), "VmRSS:").map(|kb| kb * 1_024.0 / 1e6)
}

/// How often each of the process's threads went to sleep by itself: each time it had been woken.
pub fn sleeps(pid: u32) -> Result<BTreeMap<OsString, f64>, String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).map_err(|e| e.to_string())?;
    let mut sleeps = BTreeMap::new();
    for task in tasks {
        let task = task.map_err(|e| e.to_string())?;
        // A thread may end while it is looked at.
        if let Ok(count) = status(&task.path().join("status"), "voluntary_ctxt_switches:") {
            sleeps.insert(task.file_name(), count);
        }
    }
    Ok(sleeps)
}

fn status(path: &Path, field: &str) -> Result<f64, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| format!("{} has no {field}", path.display()))
}

/// `hoptrail lab`, stopped at the end.
pub struct Lab {
    child: Child,
    /// The zone's issuer.
    pub zone: String,
}

impl Lab {
    /// Starts it, and returns once it listens.
    pub fn start(state: &Path, more: &[&OsStr]) -> Result<Self, String> {
        let mut child = Command::new(HOPTRAIL)
            .args(["lab", "--state"])
            .arg(state)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let out = child.stdout.take().ok_or("the lab has no output")?;
        let zone = BufReader::new(out)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("--lab ")?;
                Some(
                    rest.chars()
                        .take_while(|c| !matches!(c, '`' | ' '))
                        .collect(),
                )
            });
        let mut lab = Self {
            child,
            zone: String::new(),
        };
        lab.zone = zone.ok_or("the lab did not say where it is")?;
        Ok(lab)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let ended = self.child.kill();
        drop(ended.and_then(|()| self.child.wait()));
    }
}
