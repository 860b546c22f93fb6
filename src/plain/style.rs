//! How plain lines look: colour or none, which glyphs, how wide.

use crate::{
    projection::Verdict,
    protocol::audit::AuditStatus,
    support::text::{one_line, sanitize},
};

/// Whether verdicts are coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Color {
    #[default]
    Never,
    /// The terminal's own sixteen colours.
    Ansi,
}

/// Which characters may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Glyphs {
    #[default]
    Unicode,
    /// Nothing outside ASCII is written, be it ours or not.
    Ascii,
}

/// The look of plain output. Meaning is never in the colour alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    pub color: Color,
    pub glyphs: Glyphs,
    /// Cells per line; `None` for a pipe, where nothing is cut.
    pub width: Option<usize>,
}

/// What a piece of text is, and so how it is coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
    Dim,
    Strong,
}

impl Style {
    /// `text` on one line, harmless, in the characters that may be used.
    pub(super) fn clean(self, text: &str) -> String {
        self.fit(&one_line(text))
    }

    /// `text` with its line breaks, harmless, in the characters that may be used.
    pub(super) fn clean_lines(self, text: &str) -> String {
        self.fit(&sanitize(text))
    }

    fn fit(self, text: &str) -> String {
        match self.glyphs {
            Glyphs::Unicode => text.to_owned(),
            Glyphs::Ascii => text.chars().fold(String::new(), |mut out, c| {
                match c {
                    c if c.is_ascii() => out.push(c),
                    '✓' => out.push('+'),
                    '✗' => out.push('x'),
                    '→' => out.push_str("->"),
                    '…' => out.push('~'),
                    '•' => out.push('*'),
                    '·' | '—' => out.push('-'),
                    'µ' => out.push('u'),
                    _ => out.push('?'),
                }
                out
            }),
        }
    }

    /// `text` in its colour.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match (self.color, tone) {
            (Color::Never, _) | (Color::Ansi, Tone::Plain) => return text.to_owned(),
            (Color::Ansi, Tone::Good) => "32",
            (Color::Ansi, Tone::Bad) => "31",
            (Color::Ansi, Tone::Dim) => "2",
            (Color::Ansi, Tone::Strong) => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// The verdict's glyph.
pub(super) const fn glyph(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pending | Verdict::Held => "·",
        Verdict::Ok => "✓",
        Verdict::Failed | Verdict::Denied => "✗",
    }
}

pub(super) const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pending | Verdict::Held => Tone::Dim,
        Verdict::Ok => Tone::Good,
        Verdict::Failed | Verdict::Denied => Tone::Bad,
    }
}

pub(super) const fn of_status(status: AuditStatus) -> Verdict {
    match status {
        AuditStatus::Issued => Verdict::Ok,
        AuditStatus::Failure => Verdict::Denied,
    }
}
