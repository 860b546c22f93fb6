//! What the environment says about colour and characters; read here and nowhere else.

use std::env;

use super::args::ColorChoice;

/// What stands against drawing lines and arrows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnlyAscii {
    Locale,
    Terminal,
}

/// Whether lines and arrows can be drawn.
///
/// # Errors
/// What stands against it.
pub fn draws_unicode() -> Result<(), OnlyAscii> {
    if !is_utf8() {
        return Err(OnlyAscii::Locale);
    }
    match env::var("TERM").as_deref() {
        Ok("dumb" | "linux") => Err(OnlyAscii::Terminal),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Whether the locale speaks UTF-8 (POSIX order: LC_ALL, LC_CTYPE, LANG).
fn is_utf8() -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| env::var(name).ok())
        .find(|value| !value.is_empty())
        // Without any locale nothing can be known; most terminals of today speak UTF-8.
        .is_none_or(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
}

/// Whether to use colour (no-color.org: NO_COLOR counts when it is not empty).
#[must_use]
pub fn wants_color(choice: ColorChoice, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            terminal
                && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && env::var("TERM").map_or(true, |term| term != "dumb")
        }
    }
}
