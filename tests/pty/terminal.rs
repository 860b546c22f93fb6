//! The binary in a pseudo-terminal, and what a person would see there.
#![expect(
    clippy::disallowed_methods,
    reason = "how long a person would wait is wall-clock"
)]

use std::{
    io::{Read as _, Write},
    num::NonZero,
    process::Command,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Instant,
};

use portable_pty::{
    Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system,
};

use crate::program::{Home, PATIENCE, eventually, signal};

/// A terminal with hoptrail in it.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    /// Held open, so that the terminal's modes can be read after the program ended.
    _slave: Box<dyn SlavePty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    seen: Arc<Seen>,
    is_beneath_a_shell: bool,
}

/// What came out so far, on a screen and as it came.
#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    parser: vt100::Parser,
    raw: Vec<u8>,
    /// In the middle of a frame, which a terminal does not show yet.
    within_frame: bool,
}

impl State {
    fn take(&mut self, bytes: &[u8]) {
        const BEGINS: &[u8] = b"\x1b[?2026h";
        const ENDS: &[u8] = b"\x1b[?2026l";
        self.parser.process(bytes);
        // A mark may come in two parts.
        let from = self.raw.len().saturating_sub(BEGINS.len() - 1);
        self.raw.extend_from_slice(bytes);
        let mut marks = self.raw[from..].windows(BEGINS.len()).rev();
        if let Some(mark) = marks.find(|mark| *mark == BEGINS || *mark == ENDS) {
            self.within_frame = mark == BEGINS;
        }
    }
}

const fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// A screen of this size with nothing on it.
fn blank(columns: u16, rows: u16) -> vt100::Parser {
    let cells = |count| NonZero::new(count).unwrap();
    vt100::Parser::new(cells(rows), cells(columns), 0)
}

impl Terminal {
    /// Starts `hoptrail ARGS` in a terminal of this size.
    pub fn start(
        home: &Home,
        columns: u16,
        rows: u16,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_hoptrail"));
        command.args(args);
        Self::start_with(command, home, (columns, rows), env)
    }

    /// [`Self::start`] with a shell above it in the terminal, as a person's is.
    pub fn start_beneath_a_shell(home: &Home, columns: u16, rows: u16, args: &[&str]) -> Self {
        let mut command = CommandBuilder::new("/bin/sh");
        // Two commands, or the shell would become the first one.
        let script = r#""$0" "$@"; exit $?"#;
        command.args(["-c", script, env!("CARGO_BIN_EXE_hoptrail")]);
        command.args(args);
        let mut terminal = Self::start_with(command, home, (columns, rows), &[]);
        terminal.is_beneath_a_shell = true;
        terminal
    }

    fn start_with(
        mut command: CommandBuilder,
        home: &Home,
        (columns, rows): (u16, u16),
        env: &[(&str, &str)],
    ) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        command.cwd(home.path());
        command.env_clear();
        for (name, value) in home.environment() {
            command.env(name, value);
        }
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let seen = Arc::new(Seen {
            state: Mutex::new(State {
                parser: blank(columns, rows),
                raw: Vec::new(),
                within_frame: false,
            }),
            more: Condvar::new(),
        });
        let mut reader = pair.master.try_clone_reader().unwrap();
        let shown = Arc::clone(&seen);
        thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut state = shown.state.lock().unwrap();
                state.take(&buffer[..count]);
                drop(state);
                shown.more.notify_all();
            }
        });
        Self {
            keyboard: pair.master.take_writer().unwrap(),
            master: pair.master,
            _slave: pair.slave,
            child,
            seen,
            is_beneath_a_shell: false,
        }
    }

    /// Types, as the terminal sends it.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Another window size; the program is told by SIGWINCH.
    pub fn resize(&self, columns: u16, rows: u16) {
        // The picture of the old size is of no use, and would be wrapped.
        self.seen.state.lock().unwrap().parser = blank(columns, rows);
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// Waits until the screen is as it should be, and returns what is on it.
    pub fn wait(&self, what: &str, is_it: impl Fn(&vt100::Screen) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.seen.state.lock().unwrap();
        while state.within_frame || !is_it(state.parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "never: {what}; the screen is\n{}",
                state.parser.screen().contents()
            );
            state = self.seen.more.wait_timeout(state, left).unwrap().0;
        }
        state.parser.screen().contents()
    }

    /// Waits until every one of these texts is on the screen.
    pub fn wait_for(&self, texts: &[&str]) -> String {
        self.wait(&format!("{texts:?} on the screen"), |screen| {
            let contents = screen.contents();
            texts.iter().all(|text| contents.contains(text))
        })
    }

    /// Looks at the screen as it is now.
    pub fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(self.seen.state.lock().unwrap().parser.screen())
    }

    /// Everything that ever came out.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.state.lock().unwrap().raw.clone()
    }

    pub fn pid(&self) -> u32 {
        let child = self.child.process_id().unwrap();
        if !self.is_beneath_a_shell {
            return child;
        }
        let children = std::fs::read_to_string(format!("/proc/{child}/task/{child}/children"));
        children.unwrap().trim().parse().unwrap()
    }

    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for the end.
    pub fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        let child = &mut self.child;
        eventually("hoptrail ended", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Checks that the terminal is as it was before: its own screen, cursor and line discipline.
    pub fn is_given_back(&self) {
        self.wait("the screen is given back", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
        });
        assert_eq!(
            self.look(vt100::Screen::mouse_protocol_mode),
            vt100::MouseProtocolMode::None
        );
        self.eventually_cooked();
    }

    /// Waits until the terminal edits and echoes lines again.
    pub fn eventually_cooked(&self) {
        let tty = self.master.tty_name().unwrap();
        eventually("the terminal edits and echoes lines again", || {
            let modes = Command::new("stty")
                .args(["-a", "-F"])
                .arg(&tty)
                .output()
                .unwrap();
            let modes = String::from_utf8(modes.stdout).unwrap();
            let on = |name: &str| modes.split_whitespace().any(|word| word == name);
            on("icanon") && on("echo") && on("isig")
        });
    }

    /// The process state as the kernel has it: `S` sleeps, `T` is stopped.
    pub fn process_state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let after = stat.rsplit_once(") ").unwrap().1;
        after.chars().next().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It ended already, or the test failed and nobody will ever ask.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a cell with `text` has this colour.
pub fn has(screen: &vt100::Screen, text: &str, color: vt100::Color) -> bool {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    (0..rows).any(|row| {
        (0..columns).any(|column| {
            screen
                .cell(row, column)
                .is_some_and(|cell| cell.contents() == text && cell.fgcolor() == color)
        })
    })
}
