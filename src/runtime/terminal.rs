//! The terminal's modes, and giving it back as it was: on exit, on panic, on a signal, on suspend.

use std::{
    io::{self, BufWriter, Write as _},
    mem::ManuallyDrop,
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};

use crossterm::{
    cursor,
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute, queue,
    terminal::{
        BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
        LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
    },
};
use ratatui::{Frame, Terminal, backend::CrosstermBackend};

/// Bytes of a frame that go out in one write: all cells of 200x60 changed, most of them styled.
/// Standard output's own buffer has one kilobyte.
const FRAME: usize = 64 * 1024;

/// The terminal that is drawn on. Never dropped: [`TerminalGuard`] shows the cursor again, and
/// ratatui, which would do it too, panics when the terminal is gone and standard error with it.
pub type Screen = ManuallyDrop<Terminal<CrosstermBackend<BufWriter<io::Stdout>>>>;

const RAW: u8 = 1;
const SCREEN: u8 = 2;
const PASTE: u8 = 4;
const MOUSE: u8 = 8;

/// What is turned on now; read by the panic hook, which may run on any thread.
static MODES: AtomicU8 = AtomicU8::new(0);

/// Holds the terminal in full-screen mode; dropping it gives it back.
#[derive(Debug)]
pub struct TerminalGuard {
    /// Whether the mouse was ours when the terminal was given back for a while.
    mouse: AtomicBool,
}

impl TerminalGuard {
    /// Turns the modes on, and makes every panic give the terminal back before it is told.
    ///
    /// # Errors
    /// If standard output is no terminal that obeys.
    pub fn enter() -> io::Result<(Self, Screen)> {
        install_panic_hook();
        let guard = Self {
            mouse: AtomicBool::new(false),
        };
        guard.resume()?;
        let out = BufWriter::with_capacity(FRAME, io::stdout());
        let screen = Terminal::new(CrosstermBackend::new(out))?;
        Ok((guard, ManuallyDrop::new(screen)))
    }

    /// Turns the modes on again after [`Self::suspend`].
    pub fn resume(&self) -> io::Result<()> {
        enable_raw_mode()?;
        MODES.fetch_or(RAW, Ordering::SeqCst);
        // The flags are set first: if the write fails halfway, restoring must undo it all.
        MODES.fetch_or(SCREEN | PASTE, Ordering::SeqCst);
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            Clear(ClearType::All),
            cursor::Hide
        )?;
        if self.mouse.swap(false, Ordering::SeqCst) {
            self.set_mouse(true)?;
        }
        Ok(())
    }

    /// Gives the terminal back for a while.
    pub fn suspend(&self) {
        let mouse = MODES.load(Ordering::SeqCst) & MOUSE != 0;
        self.mouse.store(mouse, Ordering::SeqCst);
        restore();
    }

    /// Turns mouse capture on or off; off leaves the terminal's own selection working.
    pub fn set_mouse(&self, on: bool) -> io::Result<()> {
        if on {
            MODES.fetch_or(MOUSE, Ordering::SeqCst);
            execute!(io::stdout(), EnableMouseCapture)
        } else {
            MODES.fetch_and(!MOUSE, Ordering::SeqCst);
            execute!(io::stdout(), DisableMouseCapture)
        }
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore();
    }
}

/// Draws a frame. A terminal that can shows it at once: nobody sees half of it, on a slow line either.
///
/// # Errors
/// If the terminal is gone.
pub fn draw(screen: &mut Screen, render: impl FnOnce(&mut Frame)) -> io::Result<()> {
    queue!(screen.backend_mut(), BeginSynchronizedUpdate)?;
    screen.draw(render)?;
    execute!(screen.backend_mut(), EndSynchronizedUpdate)
}

/// Undoes whatever is on, in reverse; may be called any number of times. Errors are ignored: there
/// is no terminal left to tell them to.
pub fn restore() {
    let modes = MODES.swap(0, Ordering::SeqCst);
    let mut out = io::stdout();
    if modes & MOUSE != 0 {
        let _ = execute!(out, DisableMouseCapture);
    }
    if modes & PASTE != 0 {
        let _ = execute!(out, DisableBracketedPaste);
    }
    if modes & SCREEN != 0 {
        // A panic may have come in the middle of a frame.
        let _ = execute!(
            out,
            EndSynchronizedUpdate,
            LeaveAlternateScreen,
            cursor::Show
        );
    }
    if modes & RAW != 0 {
        let _ = disable_raw_mode();
    }
    let _ = out.flush();
}

/// The thread that calls this is the one that draws.
fn install_panic_hook() {
    let told = std::panic::take_hook();
    let drawing = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        tracing::error!(panic = %info, "panicked");
        // A panic in a task ends that task, which is told in the panes; giving the terminal back,
        // or writing over the panes, would take them from a program that goes on.
        let goes_on = std::thread::current().id() != drawing;
        if goes_on && MODES.load(Ordering::SeqCst) != 0 {
            return;
        }
        restore();
        told(info);
    }));
}
