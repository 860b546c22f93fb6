//! Options from the command line and the environment.

use std::{io::IsTerminal as _, path::Path};

use serde_json::{Map, Value};

use super::{
    args::{ColorChoice, Common, PaletteChoice},
    look::{draws_unicode, wants_color},
};
use crate::{
    app::{AppConfig, effect::Capture},
    config::{Config, GlyphSet, LookConfig, Mouse, Palette},
    lab,
    plain::{Color, Glyphs, Style},
    protocol::{oauth::ClientCredential, secret::Secret},
    runtime::{
        Consent, LabStart, Options, TargetChoice, TuiOptions, collector::Destination, stage,
    },
    support::{
        clock::SystemClock,
        error::{Exit, Failure},
        ids::Ids,
        paths,
    },
    ui::look::{Charset, Look},
};

/// What every run needs.
pub fn options(common: &Common) -> Result<Options, Failure> {
    let state = paths::state_dir(common.state.as_deref())?;
    let target = match (&common.server, &common.lab) {
        (Some(url), _) => TargetChoice::Server(url.clone()),
        (None, Some(url)) => TargetChoice::Lab(url.clone()),
        // A zone that remembers an earlier yes does not ask again.
        (None, None) if common.deny => TargetChoice::Fresh,
        (None, None) => TargetChoice::Embedded,
    };
    Ok(Options {
        console: console(&target, &state)?,
        target,
        consent: match (common.headless, common.deny) {
            (_, true) => Consent::Deny(common.user.clone()),
            (true, false) => Consent::Headless(common.user.clone()),
            (false, false) => Consent::Browser,
        },
        record: common.record.clone(),
        otlp: otlp(common)?,
        state,
        assume_pkce: common.assume_pkce.clone(),
        lab: LabStart::default(),
        clock: SystemClock::shared(),
        ids: Ids::system(),
    })
}

/// The collector that the run's spans go to. Without the flag nothing is sent, whatever the
/// environment says: it may be meant for another program.
pub fn otlp(common: &Common) -> Result<Option<Destination>, Failure> {
    let Some(url) = &common.otlp else {
        return Ok(None);
    };
    let to = Destination::at(url)?;
    // The more special one wins, as everywhere.
    let told = [
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "OTEL_EXPORTER_OTLP_HEADERS",
    ]
    .into_iter()
    .find_map(|name| {
        let value = std::env::var(name).ok().map(Secret::new)?;
        (!value.expose().is_empty()).then_some((name, value))
    });
    match told {
        Some((name, value)) => to.with_headers(name, &value).map(Some),
        None => Ok(Some(to)),
    }
}

/// The credential for the management API of a lab in another process: from the environment, or
/// from what a lab of this user left.
pub fn console(target: &TargetChoice, state: &Path) -> Result<Option<ClientCredential>, Failure> {
    let var = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let told = var("HOPTRAIL_CONSOLE_ID").zip(var("HOPTRAIL_CONSOLE_SECRET"));
    Ok(match (told, target) {
        (Some((client_id, secret)), _) => Some(ClientCredential {
            client_id,
            client_secret: Secret::new(secret),
        }),
        (None, TargetChoice::Lab(zone)) => lab::access::find(state, zone, Ids::system())?,
        (None, TargetChoice::Embedded | TargetChoice::Fresh | TargetChoice::Server(_)) => None,
    })
}

/// How the panes look: the settings file, and the command line over it.
pub fn tui(common: &Common) -> Result<TuiOptions, Failure> {
    let mut config = match paths::config_file() {
        Some(path) => match std::fs::read_to_string(&path) {
            Ok(text) => Config::parse(&text, &path.display().to_string())?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Config::default(),
            Err(error) => {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("The settings in {} cannot be read", path.display()),
                    error.to_string(),
                    "make the file readable, or move it away",
                ));
            }
        },
        None => Config::default(),
    };
    if common.palette == PaletteChoice::BlueOrange {
        config.look.palette = Palette::BlueOrange;
    }
    if !wants_color(common.color, true) {
        config.look.palette = Palette::Mono;
    }
    // crossterm itself strips colours under NO_COLOR, even when they were asked for by flag.
    crossterm::style::force_color_output(
        common.color == ColorChoice::Always || wants_color(common.color, true),
    );
    if common.ascii {
        config.look.glyphs = GlyphSet::Ascii;
    }
    let charset = if draws_unicode().is_ok() {
        Charset::Unicode
    } else {
        Charset::Ascii
    };
    Ok(TuiOptions {
        look: Look::new(&config.look, charset),
        app: AppConfig {
            keys: config.keys,
            capture: match config.look.mouse {
                Mouse::Captured => Capture::On,
                Mouse::Free => Capture::Off,
            },
            size: crossterm::terminal::size().unwrap_or((80, 24)),
            ..AppConfig::default()
        },
        stand_in: stage::stand_in(),
        chapters: None,
        project: None,
        fault: None,
        #[cfg(debug_assertions)]
        panic: match std::env::var("HOPTRAIL_PANIC").as_deref() {
            Ok("drawing") => Some(crate::runtime::PanicIn::Drawing),
            Ok("task") => Some(crate::runtime::PanicIn::Task),
            _ => None,
        },
    })
}

/// How the panes look in a picture, which is the same wherever it is drawn: neither the terminal
/// nor the settings file counts, only what was asked for.
pub fn picture(common: &Common) -> Look {
    let palette = match (common.color, common.palette) {
        (ColorChoice::Never, _) => Palette::Mono,
        (_, PaletteChoice::BlueOrange) => Palette::BlueOrange,
        (_, PaletteChoice::GreenRed) => Palette::default(),
    };
    let config = LookConfig {
        palette,
        ..LookConfig::default()
    };
    let charset = if common.ascii {
        Charset::Ascii
    } else {
        Charset::Unicode
    };
    Look::new(&config, charset)
}

/// How lines look.
pub fn style(common: &Common) -> Style {
    let terminal = std::io::stdout().is_terminal();
    Style {
        color: if wants_color(common.color, terminal) {
            Color::Ansi
        } else {
            Color::Never
        },
        glyphs: if common.ascii || draws_unicode().is_err() {
            Glyphs::Ascii
        } else {
            Glyphs::Unicode
        },
        width: terminal
            .then(|| crossterm::terminal::size().ok())
            .flatten()
            .map(|(columns, _)| usize::from(columns)),
    }
}

/// A tool's arguments from `NAME=VALUE` words.
pub fn arguments(words: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut arguments = Map::new();
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("\"{word}\" is no argument"),
                "an argument is written NAME=VALUE",
                "for example: hoptrail call escalate_ticket ticketId=3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d",
            )
        })?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        if arguments.insert(name.to_owned(), value).is_some() {
            return Err(Failure::new(
                Exit::Usage,
                format!("The argument {name} is given twice"),
                "a tool takes each argument once",
                "leave one of them out",
            ));
        }
    }
    Ok(arguments)
}
