//! The real binary as a person starts it: in a home of its own, with nothing inherited.
#![expect(
    clippy::disallowed_methods,
    dead_code,
    reason = "deadlines of processes are wall-clock; not every test file uses every helper"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// No process of a test runs longer, even on a machine that does other things.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// A home directory with nothing in it.
pub struct Home(TempDir);

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file in the home and returns its path.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The environment that a test's process gets; nothing else.
    pub fn environment(&self) -> Vec<(String, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        let home = self.path().display().to_string();
        let state = self.state().display().to_string();
        [
            ("PATH", path.as_str()),
            ("HOME", &home),
            ("HOPTRAIL_STATE", &state),
            ("LC_ALL", "C.UTF-8"),
            ("TERM", "xterm-256color"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// `hoptrail ARGS` in this home.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hoptrail"));
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .envs(self.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `hoptrail ARGS` to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        finish(self.command(args))
    }

    /// Runs servers in the background until they said `ready`.
    pub fn serve(&self, args: &[&str], ready: &str) -> Server {
        Server::start(self.command(args), ready)
    }
}

/// Runs a command to its end, or kills it when it takes too long.
pub fn finish(mut command: Command) -> Ended {
    let child = command.spawn().unwrap();
    let (watch, pid) = watchdog(&child);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    drop((watch, pid));
    Ended {
        code: status.code(),
        out: String::from_utf8(stdout).expect("the output is UTF-8"),
        err: String::from_utf8(stderr).expect("the errors are UTF-8"),
    }
}

/// Kills the child after [`PATIENCE`], unless the returned sender was dropped before.
fn watchdog(child: &Child) -> (mpsc::Sender<()>, u32) {
    let pid = child.id();
    let (alive, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        if ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            signal(pid, "KILL");
        }
    });
    (alive, pid)
}

/// Sends a signal by its name, without unsafe code.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .stderr(Stdio::null())
        .status();
    assert!(sent.is_ok(), "sh runs");
}

/// A process that serves until it is told to stop.
pub struct Server {
    child: Child,
    alive: Option<mpsc::Sender<()>>,
    /// What it said until it was ready.
    pub said: String,
    rest: Option<BufReader<std::process::ChildStdout>>,
}

impl Server {
    fn start(mut command: Command, ready: &str) -> Self {
        let mut child = command.spawn().unwrap();
        let (alive, _) = watchdog(&child);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains(ready) {
            if out.read_line(&mut said).unwrap() == 0 {
                let mut err = String::new();
                child.stderr.unwrap().read_to_string(&mut err).unwrap();
                panic!("it ended before it was ready:\n{said}\n{err}");
            }
        }
        Self {
            child,
            alive: Some(alive),
            said,
            rest: Some(out),
        }
    }

    /// The word behind `name` on the line that begins with it.
    pub fn url(&self, name: &str) -> String {
        self.said
            .lines()
            .map(str::trim)
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_else(|| panic!("no {name} in:\n{}", self.said))
            .trim()
            .to_owned()
    }

    /// Stops it as the system does, and waits.
    pub fn stop(mut self, with: &str) -> Ended {
        signal(self.child.id(), with);
        let (mut out, mut err) = (self.said.clone(), String::new());
        self.rest.take().unwrap().read_to_string(&mut out).unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        let status = self.child.wait().unwrap();
        self.alive = None;
        Ended {
            code: status.code(),
            out,
            err,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its end was waited for already, or nobody will ever ask.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The three parts of the failure on standard error.
    pub fn failure(&self) -> (String, String, String) {
        let text = self
            .err
            .split_once("hoptrail: ")
            .unwrap_or_else(|| panic!("no failure: {self:?}"))
            .1;
        let (what, rest) = text
            .split_once("\n  why:  ")
            .unwrap_or_else(|| panic!("no reason: {self:?}"));
        let (why, next) = rest
            .split_once("\n  next: ")
            .unwrap_or_else(|| panic!("no next step: {self:?}"));
        for part in [what, why, next] {
            assert!(!part.trim().is_empty(), "an empty part: {self:?}");
        }
        (what.to_owned(), why.to_owned(), next.trim_end().to_owned())
    }

    /// Checks the exit code, and says all there is when it is another.
    pub fn exits_with(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.out,
            self.err
        );
        self
    }
}

/// Asks again until it is true; fails loudly after [`PATIENCE`].
pub fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_true() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
