//! The sample story on a screen of any size: shared by the tests that look at screens.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fmt::Write as _;

use hoptrail::{
    app::{
        App, AppConfig,
        effect::Effects,
        msg::{InputEvent, Msg},
    },
    config::{LookConfig, Palette},
    trace::{TraceEvent, codec},
    ui::{
        self, HitMap,
        look::{Charset, Look},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

/// The sample story's header.
pub fn header() -> codec::Header {
    let text = std::fs::read_to_string("tests/traces/story.jsonl").unwrap();
    codec::decode_header(text.lines().next().unwrap()).unwrap()
}

/// The events of the sample story.
pub fn story() -> Vec<TraceEvent> {
    let text = std::fs::read_to_string("tests/traces/story.jsonl").unwrap();
    text.lines()
        .enumerate()
        .skip(1)
        .map(|(place, line)| codec::decode(line, place as u64 + 1).unwrap())
        .collect()
}

/// An app that nothing happened to.
pub fn fresh(width: u16, height: u16) -> App {
    App::new(AppConfig {
        size: (width, height),
        started: Some(header().started),
        ..AppConfig::default()
    })
}

/// An app that saw the whole story.
pub fn told(width: u16, height: u16) -> App {
    told_until(width, height, usize::MAX)
}

/// An app that saw the first `count` events.
pub fn told_until(width: u16, height: u16, count: usize) -> App {
    let mut app = fresh(width, height);
    for event in story().into_iter().take(count) {
        let _ = app.update(Msg::Trace(event));
    }
    app
}

/// Presses keys, named as in settings and separated by blanks; `text:` types the rest of the word.
pub fn press(app: &mut App, keys: &str) -> Effects {
    let mut effects = Effects::new();
    for key in keys.split_whitespace() {
        if let Some(text) = key.strip_prefix("text:") {
            for c in text.chars() {
                let key = hoptrail::config::keys::Key::char(c);
                effects.extend(app.update(Msg::Input(InputEvent::Key(key))));
            }
        } else {
            let key = key.parse().unwrap();
            effects.extend(app.update(Msg::Input(InputEvent::Key(key))));
        }
    }
    effects
}

pub fn look() -> Look {
    Look::new(&LookConfig::default(), Charset::Unicode)
}

pub fn look_of(palette: Palette, charset: Charset) -> Look {
    let config = LookConfig {
        palette,
        ..LookConfig::default()
    };
    Look::new(&config, charset)
}

/// Draws a frame.
pub fn draw(app: &App, look: &Look, width: u16, height: u16) -> (Buffer, HitMap) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let hits = ui::draw_into(app, look, area, &mut buffer);
    (buffer, hits)
}

/// The text of a frame, blanks at line ends left out.
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let line = row(buffer, y);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn row(buffer: &Buffer, y: u16) -> String {
    let mut line = String::new();
    let mut skip = 0;
    for x in 0..buffer.area.width {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let symbol = buffer[(x, y)].symbol();
        skip = hoptrail::support::text::width(symbol).saturating_sub(1);
        line.push_str(symbol);
    }
    line
}

/// The frame with its styles: under each line, the runs that are not plain.
pub fn styled_dump(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let line = row(buffer, y);
        if line.trim().is_empty() {
            continue;
        }
        let _ = writeln!(out, "{}", line.trim_end());
        let mut runs: Vec<String> = Vec::new();
        let mut x = 0;
        while x < buffer.area.width {
            let style = buffer[(x, y)].style();
            let mut end = x + 1;
            while end < buffer.area.width && buffer[(end, y)].style() == style {
                end += 1;
            }
            let piece: String = (x..end).map(|x| buffer[(x, y)].symbol()).collect();
            let name = style_name(style);
            if !name.is_empty() && !piece.trim().is_empty() {
                runs.push(format!("{name}<{}>", shorten(piece.trim())));
            }
            x = end;
        }
        if !runs.is_empty() {
            let _ = writeln!(out, "    {}", runs.join(" "));
        }
    }
    out
}

/// Long rules say nothing: keep their beginning.
fn shorten(text: &str) -> String {
    if text.chars().count() > 24 && text.chars().all(|c| text.starts_with(c)) {
        let head: String = text.chars().take(3).collect();
        return format!("{head}…");
    }
    text.to_owned()
}

fn style_name(style: Style) -> String {
    let mut parts = Vec::new();
    if let Some(colour) = style.fg.filter(|c| *c != Color::Reset) {
        parts.push(format!("{colour:?}").to_lowercase());
    }
    if let Some(colour) = style.bg.filter(|c| *c != Color::Reset) {
        parts.push(format!("on-{colour:?}").to_lowercase());
    }
    for (modifier, name) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
        (Modifier::CROSSED_OUT, "crossed"),
    ] {
        if style.add_modifier.contains(modifier) {
            parts.push(name.to_owned());
        }
    }
    parts.join("+")
}

/// The frame as a terminal would get it, for pictures.
pub fn ansi(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            let style = cell.style();
            out.push_str("\u{1b}[0");
            let colour = match style.fg {
                Some(Color::Black) => 30,
                Some(Color::Red) => 31,
                Some(Color::Green) => 32,
                Some(Color::Yellow) => 33,
                Some(Color::Blue) => 34,
                Some(Color::Magenta) => 35,
                Some(Color::Cyan) => 36,
                Some(Color::DarkGray) => 90,
                _ => 39,
            };
            let _ = write!(out, ";{colour}");
            for (modifier, code) in [
                (Modifier::BOLD, 1),
                (Modifier::DIM, 2),
                (Modifier::UNDERLINED, 4),
                (Modifier::REVERSED, 7),
                (Modifier::CROSSED_OUT, 9),
            ] {
                if style.add_modifier.contains(modifier) {
                    let _ = write!(out, ";{code}");
                }
            }
            out.push('m');
            out.push_str(cell.symbol());
        }
        out.push_str("\u{1b}[0m\n");
    }
    out
}

/// Writes the frame as a terminal would get it into the folder that `HOPTRAIL_SHOTS` names.
pub fn shoot(name: &str, buffer: &Buffer) {
    if let Ok(dir) = std::env::var("HOPTRAIL_SHOTS") {
        let size = (buffer.area.width, buffer.area.height);
        let path = format!("{dir}/{name}-{}x{}.ansi", size.0, size.1);
        std::fs::write(path, ansi(buffer)).unwrap();
    }
}
