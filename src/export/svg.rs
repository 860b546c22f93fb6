//! A screen as a picture: each cell where a terminal has it, whatever font shows it.
//!
//! Words are placed one by one and stretched to their cells; lines and blocks are drawn as shapes,
//! so that they meet. The colours are a dark terminal's sixteen.

use std::fmt::Write as _;

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};

use crate::support::text::width;

/// A cell in the picture's units.
const WIDE: f64 = 8.4;
const HIGH: f64 = 18.0;
/// Where letters stand, from the cell's top.
const BASELINE: f64 = 13.2;
const MARGIN: f64 = 12.0;
const FONTS: &str = "'DejaVu Sans Mono','Cascadia Mono','SF Mono',Menlo,Consolas,monospace";

/// The terminal's own colours.
pub const BACKGROUND: &str = "#15181e";
pub const FOREGROUND: &str = "#d5d9e0";
/// The sixteen, dark then bright.
pub const PALETTE: [&str; 16] = [
    "#2b303b", "#e5626b", "#7fc77a", "#dfb76a", "#6fa8ee", "#c58ae0", "#59bfc9", "#c3c8d1",
    "#727b8a", "#f2838a", "#9bdc96", "#efcd88", "#8fc0ff", "#d9a8ef", "#7ed6df", "#f4f6f9",
];

/// The picture of a frame. `title` is what a screen reader says of it.
#[must_use]
pub fn picture(buffer: &Buffer, title: &str) -> String {
    let area = buffer.area;
    let (columns, rows) = (f64::from(area.width), f64::from(area.height));
    let (w, h) = (columns * WIDE + 2.0 * MARGIN, rows * HIGH + 2.0 * MARGIN);
    let mut out = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{w:.1}\" height=\"{h:.1}\" \
         viewBox=\"0 0 {w:.1} {h:.1}\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n\
         <g font-family=\"{FONTS}\" font-size=\"14\" fill=\"{FOREGROUND}\" \
         transform=\"translate({MARGIN} {MARGIN})\">\n",
        escape(title)
    );
    for y in 0..area.height {
        line(&mut out, buffer, y);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// One row: first what lies behind, then shapes and words.
fn line(out: &mut String, buffer: &Buffer, y: u16) {
    let cells: Vec<&Cell> = (0..buffer.area.width)
        .map(|x| &buffer[(buffer.area.x + x, buffer.area.y + y)])
        .collect();
    let top = f64::from(y) * HIGH;
    let mut x = 0;
    while x < cells.len() {
        let back = Ink::of(cells[x]).back;
        let end = run(&cells, x, |cell| Ink::of(cell).back == back);
        if let Some(back) = back {
            rect(out, left(x), top, left(end - x), HIGH, &back, 1.0);
        }
        x = end;
    }
    let mut x = 0;
    while x < cells.len() {
        let cell = cells[x];
        let symbol = cell.symbol();
        let ink = Ink::of(cell);
        if shape(out, symbol, left(x), top, &ink) {
            x += 1;
            continue;
        }
        if symbol.trim().is_empty() {
            underline(out, &ink, x, x + 1, top);
            x += 1;
            continue;
        }
        // A word is what stands together in one ink; a character of another font stands alone.
        let end = if symbol.is_ascii() {
            run(&cells, x, |cell| {
                let symbol = cell.symbol();
                symbol.is_ascii() && !symbol.trim().is_empty() && Ink::of(cell) == ink
            })
        } else {
            (x + width(symbol).max(1)).min(cells.len())
        };
        let word: String = if symbol.is_ascii() {
            cells[x..end].iter().map(|cell| cell.symbol()).collect()
        } else {
            symbol.to_owned()
        };
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" \
             lengthAdjust=\"spacingAndGlyphs\"{}>{}</text>",
            left(x),
            top + BASELINE,
            left(end - x),
            ink.attributes(),
            escape(&word)
        );
        underline(out, &ink, x, end, top);
        x = end;
    }
    out.push('\n');
}

/// Where the cells end that are like the first.
fn run(cells: &[&Cell], from: usize, like: impl Fn(&Cell) -> bool) -> usize {
    cells[from..]
        .iter()
        .position(|cell| !like(cell))
        .map_or(cells.len(), |len| from + len.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "a terminal has few columns")]
fn left(x: usize) -> f64 {
    x as f64 * WIDE
}

/// How a cell is painted.
#[derive(Debug, Clone, PartialEq)]
struct Ink {
    fore: String,
    back: Option<String>,
    modifier: Modifier,
}

impl Ink {
    fn of(cell: &Cell) -> Self {
        let fore = colour(cell.fg).unwrap_or_else(|| FOREGROUND.to_owned());
        let back = colour(cell.bg);
        let (fore, back) = if cell.modifier.contains(Modifier::REVERSED) {
            (back.unwrap_or_else(|| BACKGROUND.to_owned()), Some(fore))
        } else {
            (fore, back)
        };
        Self {
            fore,
            back,
            modifier: cell.modifier,
        }
    }

    fn opacity(&self) -> f64 {
        if self.modifier.contains(Modifier::DIM) {
            0.62
        } else {
            1.0
        }
    }

    fn attributes(&self) -> String {
        let mut out = String::new();
        if self.fore != FOREGROUND {
            let _ = write!(out, " fill=\"{}\"", self.fore);
        }
        if self.modifier.contains(Modifier::BOLD) {
            out.push_str(" font-weight=\"bold\"");
        }
        if self.modifier.contains(Modifier::ITALIC) {
            out.push_str(" font-style=\"italic\"");
        }
        if self.modifier.contains(Modifier::DIM) {
            let _ = write!(out, " opacity=\"{}\"", self.opacity());
        }
        out
    }
}

/// A colour of the sixteen or an exact one; `None` is the terminal's own.
fn colour(colour: Color) -> Option<String> {
    let place = match colour {
        Color::Reset => return None,
        Color::Rgb(r, g, b) => return Some(format!("#{r:02x}{g:02x}{b:02x}")),
        Color::Indexed(index) => return Some(indexed(index)),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    Some(PALETTE[place].to_owned())
}

/// xterm's 256 colours: the sixteen, a cube of six, a ramp of grey.
fn indexed(index: u8) -> String {
    let (r, g, b) = match index {
        0..16 => return PALETTE[usize::from(index)].to_owned(),
        16..232 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = index - 16;
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        232..=255 => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    };
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn rect(out: &mut String, x: f64, y: f64, w: f64, h: f64, fill: &str, opacity: f64) {
    let _ = write!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"{fill}\""
    );
    if opacity < 1.0 {
        let _ = write!(out, " opacity=\"{opacity}\"");
    }
    out.push_str("/>");
}

fn underline(out: &mut String, ink: &Ink, from: usize, to: usize, top: f64) {
    let mut rule = |y: f64| {
        rect(
            out,
            left(from),
            top + y,
            left(to - from),
            1.0,
            &ink.fore,
            ink.opacity(),
        );
    };
    if ink.modifier.contains(Modifier::UNDERLINED) {
        rule(BASELINE + 2.0);
    }
    if ink.modifier.contains(Modifier::CROSSED_OUT) {
        rule(BASELINE - 4.5);
    }
}

/// Draws lines and blocks; false if the symbol is a letter.
fn shape(out: &mut String, symbol: &str, x: f64, y: f64, ink: &Ink) -> bool {
    let mut piece = |dx: f64, dy: f64, w: f64, h: f64| {
        rect(out, x + dx, y + dy, w, h, &ink.fore, ink.opacity());
    };
    let (half_w, half_h) = (WIDE / 2.0, HIGH / 2.0);
    match symbol {
        "█" => piece(0.0, 0.0, WIDE, HIGH),
        "▀" => piece(0.0, 0.0, WIDE, half_h),
        "▄" => piece(0.0, half_h, WIDE, half_h),
        "▌" => piece(0.0, 0.0, half_w, HIGH),
        "▐" => piece(half_w, 0.0, half_w, HIGH),
        "┃" => piece(half_w - 1.0, 0.0, 2.0, HIGH),
        "╌" => {
            piece(0.8, half_h - 0.5, 2.6, 1.0);
            piece(5.0, half_h - 0.5, 2.6, 1.0);
        }
        _ => {
            // Arms to the left, right, top and bottom.
            let [leftwards, rightwards, up, down] = match symbol {
                "─" => [true, true, false, false],
                "│" => [false, false, true, true],
                "┌" | "╭" => [false, true, false, true],
                "┐" | "╮" => [true, false, false, true],
                "└" | "╰" => [false, true, true, false],
                "┘" | "╯" => [true, false, true, false],
                "├" => [false, true, true, true],
                "┤" => [true, false, true, true],
                "┬" => [true, true, false, true],
                "┴" => [true, true, true, false],
                "┼" => [true, true, true, true],
                _ => return false,
            };
            if leftwards || rightwards {
                let from = if leftwards { 0.0 } else { half_w - 0.5 };
                let to = if rightwards { WIDE } else { half_w + 0.5 };
                piece(from, half_h - 0.5, to - from, 1.0);
            }
            if up || down {
                let from = if up { 0.0 } else { half_h - 0.5 };
                let to = if down { HIGH } else { half_h + 0.5 };
                piece(half_w - 0.5, from, 1.0, to - from);
            }
        }
    }
    true
}

/// Text between tags; what XML 1.0 cannot hold becomes `�`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        assert_eq!(
            escape("</text><script>\u{1b}&\""),
            "&lt;/text&gt;&lt;script&gt;�&amp;&quot;"
        );
    }

    #[test]
    fn the_256_colours_are_xterms() {
        assert_eq!(indexed(1), PALETTE[1]);
        assert_eq!(indexed(16), "#000000");
        assert_eq!(indexed(196), "#ff0000");
        assert_eq!(indexed(255), "#eeeeee");
    }
}
