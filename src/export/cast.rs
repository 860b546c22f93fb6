//! A run of the terminal interface as an asciicast, version 3: what a terminal would have got,
//! frame by frame, with the gaps shortened.
//!
//! A run's hops are a millisecond apart and its people are minutes apart; a player can show
//! neither. So a changed frame stays for [`Pace::least`] and no frame for longer than
//! [`Pace::most`]; the times on the screen are the run's own.

use std::{fmt::Write as _, io, time::Duration};

use ratatui::{
    buffer::{Buffer, Cell},
    layout::Rect,
    style::{Color, Modifier},
};
use serde_json::json;

use super::{
    screen::Screen,
    svg::{BACKGROUND, FOREGROUND, PALETTE},
};
use crate::{
    support::text::one_line,
    trace::{Fact, TraceEvent, codec::Header},
};

/// How long a frame stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub least: Duration,
    pub most: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            least: Duration::from_millis(150),
            most: Duration::from_millis(1_500),
        }
    }
}

/// Writes the cast of a run; a frame only where something on the screen changed. `events` are those of
/// the trace that is in the screen.
///
/// # Errors
/// What the writer says.
pub fn write(
    out: &mut impl io::Write,
    header: &Header,
    mut screen: Screen,
    events: impl IntoIterator<Item = TraceEvent>,
    pace: Pace,
) -> io::Result<()> {
    let size = screen.size();
    writeln!(out, "{}", head(header, size))?;
    let mut shown = screen.draw();
    let blank = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    // No cursor, an empty screen, then whatever is not blank.
    let mut first = String::from("\u{1b}[?25l\u{1b}[0m\u{1b}[2J\u{1b}[H");
    changes(&mut first, &blank, &shown);
    line(out, Duration::ZERO, "o", &first)?;
    let mut shown_at = Duration::ZERO;
    for event in events {
        let at = Duration::from_micros(event.at_us);
        let mark = match &event.fact {
            Fact::ToolCallStarted { tool, .. } => Some(one_line(tool)),
            _ => None,
        };
        screen.step();
        let next = screen.draw();
        if next != shown {
            let gap = at
                .saturating_sub(shown_at)
                .clamp(pace.least, pace.most.max(pace.least));
            let mut data = String::new();
            changes(&mut data, &shown, &next);
            line(out, gap, "o", &data)?;
            shown = next;
            shown_at = at;
        }
        if let Some(mark) = mark {
            line(out, Duration::ZERO, "m", &mark)?;
        }
    }
    // The last frame stays a while before a player begins anew; whoever only prints it has a cursor again.
    line(out, pace.most, "o", "\u{1b}[0m\u{1b}[?25h")
}

fn head(header: &Header, (columns, rows): (u16, u16)) -> serde_json::Value {
    json!({
        "version": 3,
        "term": {
            "cols": columns,
            "rows": rows,
            "type": "xterm-256color",
            "theme": { "fg": FOREGROUND, "bg": BACKGROUND, "palette": PALETTE.join(":") },
        },
        "timestamp": header.started.timestamp(),
        "title": one_line(header.title.as_deref().unwrap_or("hoptrail")),
    })
}

/// One event: seconds since the one before, its code, its data.
fn line(out: &mut impl io::Write, gap: Duration, code: &str, data: &str) -> io::Result<()> {
    let data = serde_json::Value::from(data);
    let (seconds, millis) = (gap.as_secs(), gap.subsec_millis());
    writeln!(out, "[{seconds}.{millis:03}, \"{code}\", {data}]")
}

/// What turns one frame into the next.
fn changes(out: &mut String, from: &Buffer, to: &Buffer) {
    let mut pen: Option<(Color, Color, Modifier)> = None;
    let mut cursor = None;
    for (x, y, cell) in from.diff(to) {
        if cursor != Some((x, y)) {
            let _ = write!(out, "\u{1b}[{};{}H", y + 1, x + 1);
        }
        let wanted = (cell.fg, cell.bg, cell.modifier);
        if pen != Some(wanted) {
            style(out, cell);
            pen = Some(wanted);
        }
        out.push_str(cell.symbol());
        // A wide symbol moves the cursor by its cells.
        let cells = u16::try_from(crate::support::text::width(cell.symbol())).unwrap_or(1);
        cursor = Some((x + cells.max(1), y));
    }
    if pen.is_some() {
        out.push_str("\u{1b}[0m");
    }
}

/// Select Graphic Rendition (ECMA-48), from nothing each time.
fn style(out: &mut String, cell: &Cell) {
    out.push_str("\u{1b}[0");
    for (modifier, code) in [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::REVERSED, 7),
        (Modifier::CROSSED_OUT, 9),
    ] {
        if cell.modifier.contains(modifier) {
            let _ = write!(out, ";{code}");
        }
    }
    colour(out, cell.fg, 30);
    colour(out, cell.bg, 40);
    out.push('m');
}

/// A colour; `base` is 30 for letters and 40 for what is behind them.
fn colour(out: &mut String, colour: Color, base: u8) {
    let code = match colour {
        Color::Reset => return,
        Color::Rgb(r, g, b) => {
            let _ = write!(out, ";{};2;{r};{g};{b}", base + 8);
            return;
        }
        Color::Indexed(index) => {
            let _ = write!(out, ";{};5;{index}", base + 8);
            return;
        }
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => base + 60,
        Color::LightRed => base + 61,
        Color::LightGreen => base + 62,
        Color::LightYellow => base + 63,
        Color::LightBlue => base + 64,
        Color::LightMagenta => base + 65,
        Color::LightCyan => base + 66,
        Color::White => base + 67,
    };
    let _ = write!(out, ";{code}");
}
