//! How things look: roles to styles, and the characters that lines and marks are made of.
//!
//! Only the terminal's 16 colours, never a background. Colour is never the only carrier of a fact.

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
};

use crate::config::{Animation, GlyphSet, LookConfig, Palette, Secondary};

/// What a piece of text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Text,
    /// Secondary: steps back.
    Dim,
    Heading,
    /// Where the focus is.
    Accent,
    /// A key to press.
    Key,
    /// Issued, allowed, done.
    Good,
    /// Refused, failed.
    Bad,
    Warning,
    /// Stands for a secret or for personal data: fingerprints, credential letters, placeholders.
    Masked,
    /// What is typed or read by a machine, in a text for people.
    Code,
    Border,
    /// The border of the focused pane.
    Focus,
}

/// The view's whole environment besides the state; passed in, never global.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    palette: Palette,
    secondary: Secondary,
    pub glyphs: &'static Glyphs,
    pub animation: Animation,
}

/// The characters of a look. Marks are one cell wide each.
#[derive(Debug)]
pub struct Glyphs {
    pub good: &'static str,
    pub bad: &'static str,
    pub waiting: &'static str,
    /// Marks the selected row.
    pub selected: &'static str,
    pub bullet: &'static str,
    pub dot: &'static str,
    pub ellipsis: &'static str,
    pub dash: &'static str,
    pub arrow: &'static str,
    pub becomes: &'static str,
    pub vertical: &'static str,
    pub horizontal: &'static str,
    pub lane: &'static str,
    pub line: &'static str,
    pub dashed: &'static str,
    pub head_right: &'static str,
    pub head_left: &'static str,
    pub from_right: &'static str,
    pub from_left: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub open: &'static str,
    pub live: &'static str,
    pub record: &'static str,
    pub frozen: &'static str,
    pub thumb: &'static str,
    pub block: Blocks,
    pub spinner: &'static [&'static str],
    pub borders: border::Set<'static>,
}

/// How large letters are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// Half blocks: two pixels a cell.
    Half,
    /// `#`: one pixel a cell.
    Hash,
}

/// The characters of a terminal with Unicode.
pub const UNICODE: Glyphs = Glyphs {
    good: "✓",
    bad: "✗",
    waiting: "…",
    selected: "▌",
    bullet: "•",
    dot: "·",
    ellipsis: "…",
    dash: "—",
    arrow: "→",
    becomes: "⟶",
    vertical: "│",
    horizontal: "─",
    lane: "│",
    line: "─",
    dashed: "╌",
    head_right: "▶",
    head_left: "◀",
    from_right: "├",
    from_left: "┤",
    up: "↑",
    down: "↓",
    open: "▸",
    live: "●",
    record: "◉",
    frozen: "‖",
    thumb: "┃",
    block: Blocks::Half,
    spinner: &["◐", "◓", "◑", "◒"],
    borders: border::PLAIN,
};

/// The characters of a terminal without it.
pub const ASCII: Glyphs = Glyphs {
    good: "+",
    bad: "x",
    waiting: ".",
    selected: ">",
    bullet: "*",
    dot: "-",
    ellipsis: "~",
    dash: "-",
    arrow: "->",
    becomes: "->",
    vertical: "|",
    horizontal: "-",
    lane: "|",
    line: "-",
    dashed: ".",
    head_right: ">",
    head_left: "<",
    from_right: "+",
    from_left: "+",
    up: "^",
    down: "v",
    open: ">",
    live: "*",
    record: "@",
    frozen: "=",
    thumb: "#",
    block: Blocks::Hash,
    spinner: &["|", "/", "-", "\\"],
    borders: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

/// What the locale can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    Unicode,
    Ascii,
}

impl Look {
    /// A look from the settings; `charset` is what `glyphs = "auto"` comes to.
    #[must_use]
    pub const fn new(config: &LookConfig, charset: Charset) -> Self {
        let glyphs = match (config.glyphs, charset) {
            (GlyphSet::Unicode, _) | (GlyphSet::Auto, Charset::Unicode) => &UNICODE,
            (GlyphSet::Ascii, _) | (GlyphSet::Auto, Charset::Ascii) => &ASCII,
        };
        Self {
            palette: config.palette,
            secondary: config.secondary,
            glyphs,
            animation: config.animation,
        }
    }

    /// True when the characters are ASCII only.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.glyphs.block == Blocks::Hash
    }

    /// The style of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        match self.palette {
            Palette::Ansi => {
                // Blue proper cannot be read on a dark projector; the bright ones can, on both.
                self.coloured(
                    role,
                    Color::Green,
                    Color::LightRed,
                    Color::LightBlue,
                    Color::Yellow,
                )
            }
            // The terminal's yellow is the orange of the 16; focus moves out of blue's way.
            Palette::BlueOrange => self.coloured(
                role,
                Color::LightBlue,
                Color::Yellow,
                Color::LightCyan,
                Color::Magenta,
            ),
            Palette::Mono => Self::mono(role),
        }
    }

    fn coloured(
        &self,
        role: Role,
        good: Color,
        bad: Color,
        accent: Color,
        warning: Color,
    ) -> Style {
        let plain = Style::new();
        match role {
            Role::Text => plain,
            Role::Dim | Role::Border => match self.secondary {
                Secondary::Grey => plain.fg(Color::DarkGray),
                Secondary::Faint => plain.add_modifier(Modifier::DIM),
            },
            Role::Heading => plain.add_modifier(Modifier::BOLD),
            Role::Accent | Role::Focus => plain.fg(accent).add_modifier(Modifier::BOLD),
            Role::Key => plain.fg(Color::Cyan),
            Role::Good => plain.fg(good),
            Role::Bad => plain.fg(bad),
            Role::Warning => plain.fg(warning),
            Role::Masked => plain.fg(Color::Magenta),
            Role::Code => plain.fg(accent),
        }
    }

    const fn mono(role: Role) -> Style {
        let plain = Style::new();
        match role {
            Role::Text | Role::Border | Role::Code => plain,
            Role::Dim => plain.add_modifier(Modifier::DIM),
            Role::Heading | Role::Accent | Role::Focus | Role::Good | Role::Warning => {
                plain.add_modifier(Modifier::BOLD)
            }
            Role::Key | Role::Masked => plain.add_modifier(Modifier::UNDERLINED),
            Role::Bad => plain.add_modifier(Modifier::REVERSED),
        }
    }

    /// The verdict that a whole room reads. Not reversed without a [plate](Self::plate) behind it: its
    /// letters are made of blocks, and the gaps between them would stand out instead. Never bright: that is lost on a light ground.
    #[must_use]
    pub fn loud(&self, role: Role) -> Style {
        let style = self.bold(role).remove_modifier(Modifier::REVERSED);
        style.add_modifier(Modifier::BOLD)
    }

    /// What lies behind large letters of a role that stands out by reversal, and how they look on it;
    /// `None` where the role has a colour.
    #[must_use]
    pub fn plate(&self, role: Role) -> Option<Style> {
        let style = self.bold(role);
        style
            .add_modifier
            .contains(Modifier::REVERSED)
            .then_some(style)
    }

    /// The style of a role, bold.
    #[must_use]
    pub fn bold(&self, role: Role) -> Style {
        self.style(role).add_modifier(Modifier::BOLD)
    }

    /// Makes marks that were written in Unicode fit the look.
    #[must_use]
    pub fn fit<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        if !self.is_ascii() || text.is_ascii() {
            return text.into();
        }
        text.chars()
            .map(|c| match c {
                '·' | '—' | '–' => '-',
                '…' => '~',
                '→' | '⟶' => '>',
                '←' => '<',
                '↑' => '^',
                '↓' => 'v',
                '✓' => '+',
                '✗' | '×' => 'x',
                'µ' => 'u',
                '⏎' => '/',
                '“' | '”' => '"',
                '’' | '‘' => '\'',
                c if c.is_ascii() => c,
                _ => '?',
            })
            .collect::<String>()
            .into()
    }
}
