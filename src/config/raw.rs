//! The settings file as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Animation, Config, GlyphSet, LookConfig, Mouse, Palette, Secondary,
    keys::{Key, KeyBindings},
};
use crate::support::{
    error::{Exit, Failure},
    position::TextPosition,
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawConfig {
    look: RawLook,
    keys: BTreeMap<toml::Spanned<String>, toml::Spanned<Keys>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLook {
    palette: Palette,
    glyphs: GlyphSet,
    secondary: Secondary,
    animate: Option<bool>,
    mouse: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Many(Vec<String>),
}

pub(super) fn parse(text: &str, name: &str) -> Result<Config, Failure> {
    let raw: RawConfig = toml::from_str(text).map_err(|error| {
        failure(
            name,
            text,
            error.span().map_or(0, |span| span.start),
            error.message(),
        )
    })?;
    let mut keys = KeyBindings::default();
    for (command, given) in raw.keys {
        let at = given.span().start;
        let names = match given.into_inner() {
            Keys::One(one) => vec![one],
            Keys::Many(many) => many,
        };
        let parsed = names
            .iter()
            .map(|key| key.parse::<Key>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failure(name, text, at, &error.to_string()))?;
        keys.set(command.into_inner(), parsed);
    }
    Ok(Config {
        look: LookConfig {
            palette: raw.look.palette,
            glyphs: raw.look.glyphs,
            secondary: raw.look.secondary,
            animation: if raw.look.animate.unwrap_or(true) {
                Animation::On
            } else {
                Animation::Off
            },
            mouse: if raw.look.mouse {
                Mouse::Captured
            } else {
                Mouse::Free
            },
        },
        keys,
    })
}

fn failure(name: &str, text: &str, offset: usize, why: &str) -> Failure {
    let TextPosition { line, column } = TextPosition::of(text, offset);
    Failure::new(
        Exit::Usage,
        format!("The settings in {name} were not taken"),
        format!("line {line}, column {column}: {why}"),
        "correct the line or remove it; until then the defaults hold",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_holds_the_defaults() {
        let config = Config::parse(crate::config::EXAMPLE, "example").unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn settings_are_read() {
        let config = Config::parse(
            "[look]\npalette = \"blue-orange\"\nanimate = false\n[keys]\nsign-in = [\"s\", \"f2\"]\nquit = \"ctrl-q\"\n",
            "config.toml",
        )
        .unwrap();
        assert_eq!(config.look.palette, Palette::BlueOrange);
        assert_eq!(config.look.animation, Animation::Off);
        assert_eq!(config.keys.get("sign-in").unwrap().len(), 2);
        assert_eq!(config.keys.get("quit").unwrap()[0].to_string(), "Ctrl-q");
    }

    #[test]
    fn a_fault_is_named_with_line_and_column() {
        let failure = Config::parse("[look]\npalete = \"mono\"\n", "c.toml").unwrap_err();
        assert!(
            failure.why.starts_with("line 2, column 1: unknown field"),
            "{failure}"
        );
        let failure = Config::parse("[keys]\nquit = \"ctrl-nonsense\"\n", "c.toml").unwrap_err();
        assert!(failure.why.starts_with("line 2, column 8"), "{failure}");
        let failure = Config::parse("[look]\npalette = \"neon\"\n", "c.toml").unwrap_err();
        assert!(failure.why.contains("neon"), "{failure}");
    }
}
