//! Settings: how it looks and which keys do what. Turns text into settings; reads no file itself.
//!
//! Command names stay strings here; `app::keymap` knows which of them exist.

pub mod keys;
mod raw;
pub mod sheet;

use self::keys::KeyBindings;
use crate::support::error::Failure;

/// A settings file with every setting at its default: what the manual shows.
pub const EXAMPLE: &str = r#"[look]
palette = "ansi"        # or "blue-orange" (safe for red-green blindness), "mono"
glyphs = "auto"         # or "unicode", "ascii"
secondary = "grey"      # or "faint", where the theme's grey is its background
animate = true          # false keeps the spinner still
mouse = false           # true captures it from the start; m switches

[keys]                  # by command name; the palette (:) lists them all
# sign-in = ["s", "f2"]
# quit = "ctrl-q"
"#;

/// The settings as they are used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    pub look: LookConfig,
    pub keys: KeyBindings,
}

impl Config {
    /// Reads settings from TOML. `name` is the file's name, for the message.
    ///
    /// # Errors
    /// If the text is no TOML, or names a setting or a key that does not exist; with line and column.
    pub fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        raw::parse(text, name)
    }
}

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LookConfig {
    pub palette: Palette,
    pub glyphs: GlyphSet,
    pub secondary: Secondary,
    pub animation: Animation,
    pub mouse: Mouse,
}

/// Which colours carry meaning. All of them are the terminal's own 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Palette {
    /// Green for issued, red for refused.
    #[default]
    Ansi,
    /// Blue for issued, orange (the terminal's yellow) for refused.
    BlueOrange,
    /// No colours: bold, reverse and underline. What `NO_COLOR` chooses.
    Mono,
}

/// Which characters lines and marks are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GlyphSet {
    /// Unicode where the locale has it.
    #[default]
    Auto,
    Unicode,
    Ascii,
}

/// How secondary text steps back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secondary {
    /// The terminal's grey (bright black).
    #[default]
    Grey,
    /// The faint attribute, for themes whose grey is their background (Solarized).
    Faint,
}

/// Whether anything may move while a task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Animation {
    #[default]
    On,
    Off,
}

/// Whether the mouse is captured at the start; off leaves the terminal's own selection alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mouse {
    Captured,
    #[default]
    Free,
}
