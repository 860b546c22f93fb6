//! What `/proc` says of a process, and the program under test.

use std::{collections::BTreeMap, ffi::OsString, fs, path::Path};

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
