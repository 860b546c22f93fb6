//! From the start of the real program, in a terminal of its own, to the first frame and to a lab
//! that answers; and what it takes from the machine when nothing happens.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    num::NonZero,
    path::Path,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use hoptrail::support::clock::Stopwatch;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::{
    Measured,
    process::{HOPTRAIL, resident, sleeps},
    sample::Sample,
    table::Row,
};

const STARTS: usize = 20;
const SIZE: PtySize = PtySize {
    rows: 40,
    cols: 140,
    pixel_width: 0,
    pixel_height: 0,
};

/// hoptrail in a terminal.
struct Program {
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn std::io::Write + Send>,
    began: Stopwatch,
    painted: Receiver<u64>,
}

impl Program {
    fn start(state: &Path) -> Result<Self, String> {
        let pair = native_pty_system()
            .openpty(SIZE)
            .map_err(|e| e.to_string())?;
        let mut reader = pair.master.try_clone_reader().map_err(|e| e.to_string())?;
        let keys = pair.master.take_writer().map_err(|e| e.to_string())?;
        let mut command = CommandBuilder::new(HOPTRAIL);
        command.args(["--headless", "--state"]);
        command.arg(state);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("HOME", state);
        let (tell, painted) = mpsc::channel();
        let began = Stopwatch::start();
        let child = pair
            .slave
            .spawn_command(command)
            .map_err(|e| e.to_string())?;
        thread::spawn(move || {
            let cells = |count| NonZero::new(count).expect("the size is not zero");
            let mut screen = vt100::Parser::new(cells(SIZE.rows), cells(SIZE.cols), 0);
            let mut bytes = vec![0; 64 * 1024];
            let mut seen = false;
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let at = began.micros();
                screen.process(&bytes[..count]);
                if !seen && !screen.screen().contents().trim().is_empty() {
                    seen = true;
                    // The measurement may be over.
                    let _ = tell.send(at);
                }
            }
        });
        Ok(Self {
            child,
            _master: pair.master,
            keys,
            began,
            painted,
        })
    }

    /// Microseconds from the start to the first frame.
    fn painted(&self) -> Result<u64, String> {
        self.painted
            .recv_timeout(Duration::from_secs(10))
            .map_err(|_| "no frame was painted".to_owned())
    }

    /// Microseconds from the start until the zone of the lab answered a request.
    fn answered(&self, state: &Path) -> Result<u64, String> {
        while self.began.micros() < 10_000_000 {
            if let Some(port) = zone_port(state)
                && let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port))
            {
                let asked = format!(
                    "GET /hoptrail/lab HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
                );
                let mut answer = String::new();
                if stream.write_all(asked.as_bytes()).is_ok()
                    && stream.read_to_string(&mut answer).is_ok()
                    && answer.starts_with("HTTP/1.1 200")
                {
                    return Ok(self.began.micros());
                }
            }
            thread::sleep(Duration::from_micros(500));
        }
        Err("the lab did not answer within ten seconds".to_owned())
    }

    fn press(&mut self, keys: &str) -> Result<(), String> {
        self.keys
            .write_all(keys.as_bytes())
            .and_then(|()| self.keys.flush())
            .map_err(|e| e.to_string())
    }

    fn pid(&self) -> Result<u32, String> {
        self.child
            .process_id()
            .ok_or_else(|| "it has no process id".to_owned())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SIGHUP: it ends in good order, so that the next start finds the state as after a quit.
        let ended = self.child.kill();
        drop(ended.and_then(|()| self.child.wait()));
    }
}

/// The lab notes its ports as soon as they are open, before the parts answer on them.
fn zone_port(state: &Path) -> Option<u16> {
    let text = fs::read_to_string(state.join("lab.toml")).ok()?;
    let ports: toml::Table = toml::from_str(&text).ok()?;
    ports.get("zone")?.as_integer()?.try_into().ok()
}

pub fn measure() -> Measured {
    let (mut first_frame, mut first_answer) = (Sample::default(), Sample::default());
    let (mut frame, mut answer) = (Sample::default(), Sample::default());
    let known = tempfile::tempdir().map_err(|e| e.to_string())?;
    for round in 0..=STARTS {
        let fresh = tempfile::tempdir().map_err(|e| e.to_string())?;
        let program = Program::start(fresh.path())?;
        first_answer.add(program.answered(fresh.path())?);
        first_frame.add(program.painted()?);
        drop(program);
        let program = Program::start(known.path())?;
        let (answered, painted) = (program.answered(known.path())?, program.painted()?);
        // The first of these is a first start too.
        if round > 0 {
            answer.add(answered);
            frame.add(painted);
        }
    }
    Ok(vec![
        Row::at_most(
            "start to first painted frame, p50",
            50.0,
            frame.millis(50),
            "ms",
        ),
        Row::at_most(
            "  on an empty state folder, p50",
            50.0,
            first_frame.millis(50),
            "ms",
        ),
        Row::at_most(
            "start until the lab answers, p50",
            150.0,
            answer.millis(50),
            "ms",
        ),
        Row::at_most(
            "  on an empty state folder, p50",
            150.0,
            first_answer.millis(50),
            "ms",
        ),
    ])
}

pub fn at_rest() -> Measured {
    let state = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut program = Program::start(state.path())?;
    program.answered(state.path())?;
    let pid = program.pid()?;
    thread::sleep(Duration::from_secs(3));
    let started = resident(pid)?;
    let woken = count_sleeps(pid)?;
    // Sign in, list, escalate, be refused: the whole story.
    for key in ["s", "t", "e", "d"] {
        program.press(key)?;
        thread::sleep(Duration::from_secs(2));
    }
    // The last message on the screen goes away by itself, which is a frame.
    thread::sleep(Duration::from_secs(10));
    let told = resident(pid)?;
    let woken_later = count_sleeps(pid)?;
    Ok(vec![
        Row::at_most("memory at rest, lab included", 40.0, started, "MB"),
        Row::at_most("  after the story", 40.0, told, "MB"),
        Row::at_most("wake-ups in 10 s at rest", 0.0, woken, "times"),
        Row::at_most("  after the story", 0.0, woken_later, "times"),
    ])
}

/// Of threads that are there at both ends: one that goes away wakes up for that only.
fn count_sleeps(pid: u32) -> Result<f64, String> {
    let before = sleeps(pid)?;
    thread::sleep(Duration::from_secs(10));
    let after = sleeps(pid)?;
    Ok(after
        .iter()
        .filter_map(|(thread, count)| Some(count - before.get(thread)?))
        .sum())
}
