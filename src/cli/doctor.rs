//! `hoptrail doctor`: what works on this computer, what does not, and what to do about it.
//!
//! Changes nothing but for a file in the state folder that comes and goes, and asks the terminal nothing.

use std::{
    env,
    fmt::Write as _,
    io::IsTerminal as _,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use super::look::{OnlyAscii, draws_unicode, wants_color};
use crate::{
    app::keymap::Keymap,
    cli::args::Common,
    config::Config,
    lab::kept::{self, Kept},
    support::{
        cause::{remedy, without_number},
        error::Failure,
        files, paths,
    },
};

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub subject: &'static str,
    pub verdict: Verdict,
    pub seen: String,
    /// What to do; empty when nothing needs doing.
    pub next: String,
}

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Works,
    /// Works with less.
    Limited,
    Broken,
}

/// Looks at everything.
#[must_use]
pub async fn examine(common: &Common) -> Vec<Finding> {
    vec![
        version(),
        terminal(),
        characters(common),
        color(common),
        loopback(),
        browser(),
        settings(),
        state(common.state.as_deref()),
        lab(common.state.as_deref()).await,
        refresh_tokens(),
        proxy(),
    ]
}

/// The findings as lines.
#[must_use]
pub fn render(findings: &[Finding], ascii: bool) -> String {
    let mut out = String::new();
    for finding in findings {
        let glyph = match (finding.verdict, ascii) {
            (Verdict::Works, false) => "✓ works  ",
            (Verdict::Works, true) => "+ works  ",
            (Verdict::Limited, _) => "! limited",
            (Verdict::Broken, false) => "✗ broken ",
            (Verdict::Broken, true) => "x broken ",
        };
        let _ = writeln!(out, "{glyph}  {:<16} {}", finding.subject, finding.seen);
        if !finding.next.is_empty() {
            let _ = writeln!(out, "{:29}{}", "", finding.next);
        }
    }
    out
}

fn finding(
    subject: &'static str,
    verdict: Verdict,
    seen: impl Into<String>,
    next: impl Into<String>,
) -> Finding {
    Finding {
        subject,
        verdict,
        seen: seen.into(),
        next: next.into(),
    }
}

fn version() -> Finding {
    finding(
        "version",
        Verdict::Works,
        format!(
            "hoptrail {} on {} {}",
            env!("CARGO_PKG_VERSION"),
            env::consts::OS,
            env::consts::ARCH
        ),
        "",
    )
}

fn terminal() -> Finding {
    const SUBJECT: &str = "terminal";
    if !std::io::stdout().is_terminal() {
        return finding(
            SUBJECT,
            Verdict::Limited,
            "standard output is no terminal",
            "commands print plain lines here; run hoptrail in a terminal for the panes",
        );
    }
    if super::is_dumb() {
        return finding(
            SUBJECT,
            Verdict::Limited,
            "TERM is dumb",
            "use `hoptrail demo --plain`, or set TERM to what your terminal is",
        );
    }
    match crossterm::terminal::size() {
        Ok((columns, rows)) if columns >= 80 && rows >= 24 => {
            finding(SUBJECT, Verdict::Works, format!("{columns}×{rows}"), "")
        }
        Ok((columns, rows)) => finding(
            SUBJECT,
            Verdict::Limited,
            format!("{columns}×{rows}"),
            "the panes want 80×24 or more",
        ),
        Err(error) => finding(
            SUBJECT,
            Verdict::Broken,
            error.to_string(),
            "try another terminal",
        ),
    }
}

fn characters(common: &Common) -> Finding {
    let (why, next) = match draws_unicode() {
        Ok(()) => return finding("characters", Verdict::Works, "UTF-8", ""),
        Err(OnlyAscii::Locale) => (
            "the locale is not UTF-8",
            "ASCII is drawn by itself; set LC_ALL to a UTF-8 locale for lines and arrows",
        ),
        Err(OnlyAscii::Terminal) => (
            "this kind of terminal has few characters",
            "ASCII is drawn by itself; another terminal shows lines and arrows",
        ),
    };
    let next = if common.ascii { "" } else { next };
    finding("characters", Verdict::Limited, why, next)
}

fn color(common: &Common) -> Finding {
    if wants_color(common.color, std::io::stdout().is_terminal()) {
        finding("colour", Verdict::Works, "16 colours of your own theme", "")
    } else {
        finding(
            "colour",
            Verdict::Works,
            "off (NO_COLOR, --color never, or no terminal): bold, reverse and underline instead",
            "",
        )
    }
}

fn loopback() -> Finding {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) {
        Ok(_) => finding("loopback", Verdict::Works, "ports open on 127.0.0.1", ""),
        Err(error) => finding(
            "loopback",
            Verdict::Broken,
            error.to_string(),
            "the lab and the sign-in need 127.0.0.1; check the firewall or sandbox",
        ),
    }
}

fn browser() -> Finding {
    const SUBJECT: &str = "browser";
    if cfg!(target_os = "macos") {
        return finding(SUBJECT, Verdict::Works, "opened by the system", "");
    }
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    if !desktop {
        return finding(
            SUBJECT,
            Verdict::Limited,
            "there is no desktop here",
            "the sign-in URL is shown instead; on the lab, --headless needs no browser",
        );
    }
    let on_path = |name: &str| {
        env::var_os("PATH")
            .is_some_and(|path| env::split_paths(&path).any(|dir| dir.join(name).is_file()))
    };
    let opener = ["xdg-open", "gio", "gnome-open", "kde-open", "wslview"]
        .into_iter()
        .find(|name| on_path(name));
    match opener {
        Some(name) => finding(SUBJECT, Verdict::Works, format!("opened by {name}"), ""),
        None => finding(
            SUBJECT,
            Verdict::Limited,
            "nothing here opens a browser",
            "the sign-in URL is shown instead; on the lab, --headless needs no browser",
        ),
    }
}

fn state(given: Option<&Path>) -> Finding {
    const SUBJECT: &str = "state";
    let looked = paths::state_dir(given).and_then(|dir| {
        files::private_folder(&dir)
            .and_then(|()| tempfile_in(&dir))
            .map(|()| dir.clone())
            .map_err(|e| {
                Failure::new(
                    crate::support::error::Exit::Usage,
                    format!("{} cannot be written", dir.display()),
                    e.to_string(),
                    remedy(&e, "name another folder with --state DIR"),
                )
            })
    });
    match looked {
        Ok(dir) => finding(SUBJECT, Verdict::Works, dir.display().to_string(), ""),
        Err(failure) => finding(
            SUBJECT,
            Verdict::Broken,
            format!("{}: {}", failure.what, failure.why),
            failure.next,
        ),
    }
}

async fn lab(given: Option<&Path>) -> Finding {
    const SUBJECT: &str = "lab";
    let looked = match paths::state_dir(given) {
        Ok(dir) => kept::look(&dir).await,
        Err(failure) => Err(failure),
    };
    match looked {
        Ok(Kept::Nothing) => finding(SUBJECT, Verdict::Works, "none started here yet", ""),
        Ok(Kept::InUse) => finding(SUBJECT, Verdict::Works, "one runs on this state now", ""),
        Ok(Kept::Lab {
            audit_rows,
            no_ports: None,
        }) => {
            let seen = format!("goes on where it ended; rows in its audit log: {audit_rows}");
            finding(SUBJECT, Verdict::Works, seen, "")
        }
        Ok(Kept::Lab {
            no_ports: Some(failure),
            ..
        }) => {
            let seen = format!("{}: {}", failure.what, failure.why);
            finding(SUBJECT, Verdict::Limited, seen, failure.next)
        }
        Err(failure) => {
            let seen = format!("{}: {}", failure.what, failure.why);
            finding(SUBJECT, Verdict::Broken, seen, failure.next)
        }
    }
}

/// Bytes that the state of a lab takes at least.
const ROOM: usize = 256 * 1024;

fn tempfile_in(dir: &Path) -> std::io::Result<()> {
    let probe = dir.join(".doctor");
    let written = std::fs::write(&probe, vec![0; ROOM]);
    let removed = std::fs::remove_file(probe);
    written.and(removed)
}

fn settings() -> Finding {
    const SUBJECT: &str = "settings";
    let Some(path) = paths::config_file() else {
        return finding(
            SUBJECT,
            Verdict::Works,
            "none: this user has no home directory",
            "",
        );
    };
    let name = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let keys = |config: Config| Keymap::new(&config.keys).1.into_iter().next();
            match Config::parse(&text, &name).map(keys) {
                Ok(None) => finding(SUBJECT, Verdict::Works, name, ""),
                Ok(Some(failure)) => {
                    let seen = format!("{name}: {}", failure.what);
                    finding(SUBJECT, Verdict::Limited, seen, failure.next)
                }
                Err(failure) => {
                    let seen = format!("{name}: {}", failure.why);
                    finding(SUBJECT, Verdict::Broken, seen, failure.next)
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => finding(
            SUBJECT,
            Verdict::Works,
            "the defaults",
            format!("{name} would change them; `hoptrail man` shows one"),
        ),
        Err(error) => finding(
            SUBJECT,
            Verdict::Broken,
            format!("{name}: {}", without_number(&error.to_string())),
            "make the file readable, or move it away",
        ),
    }
}

fn refresh_tokens() -> Finding {
    finding(
        "refresh tokens",
        Verdict::Limited,
        "kept in memory only, so a new start signs in again",
        "",
    )
}

fn proxy() -> Finding {
    let set = [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ]
    .into_iter()
    .find(|name| env::var_os(name).is_some());
    match set {
        Some(name) => finding(
            "proxy",
            Verdict::Limited,
            format!("{name} is set; only the servers use it"),
            "the terminal talks to every server directly, so that each hop is what it seems; what \
             `serve`, a lab or --otlp calls in the network goes through the proxy",
        ),
        None => finding("proxy", Verdict::Works, "none", ""),
    }
}
