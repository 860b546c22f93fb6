//! What `/proc` says of a process, and the program under test.

use std::{fs, path::Path};

/// The release binary that `cargo bench` built.
pub const HOPTRAIL: &str = env!("CARGO_BIN_EXE_hoptrail");

/// Resident memory in megabytes (of 10⁶ bytes).
pub fn resident(pid: u32) -> Result<f64, String> {
    status(Path::new(&format!("/proc/{pid}/status")), "VmRSS:").map(|kb| kb * 1_024.0 / 1e6)
}

/// How often the process's threads went to sleep by themselves: each time they had been woken.
pub fn sleeps(pid: u32) -> Result<f64, String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).map_err(|e| e.to_string())?;
    let mut sum = 0.0;
    for task in tasks {
        let path = task.map_err(|e| e.to_string())?.path().join("status");
        sum += status(&path, "voluntary_ctxt_switches:")?;
    }
    Ok(sum)
}

fn status(path: &Path, field: &str) -> Result<f64, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| format!("{} has no {field}", path.display()))
}
