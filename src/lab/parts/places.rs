//! The ports that a lab opens, and the ones that it had last time: its URLs should stay the same.

use std::path::Path;

use crate::{
    lab::{BoundPort, LabConfig, Ports},
    support::{
        cause::remedy,
        error::{Exit, Failure},
        files,
        position::TextPosition,
    },
};

/// Which ports the last start had, so that the next one has the same URLs.
pub(in crate::lab) const PORTS_FILE: &str = "lab.toml";

/// The ports that are opened, each with its part.
pub(super) struct Places {
    pub(super) server: BoundPort,
    pub(super) zone: BoundPort,
    pub(super) supabase: BoundPort,
    pub(super) anthropic: BoundPort,
    pub(super) linear: BoundPort,
    pub(super) github: BoundPort,
}

impl Places {
    pub(super) async fn open(config: &LabConfig, last: Ports) -> Result<Self, Failure> {
        let asked = config.ports;
        // One part may be asked for where another one was last time.
        let last = last.without(asked);
        Ok(Self {
            server: BoundPort::open(asked.server, last.server, "--server-port").await?,
            zone: BoundPort::open(asked.zone, last.zone, "--zone-port").await?,
            supabase: BoundPort::open(asked.supabase, last.supabase, "--supabase-port").await?,
            anthropic: BoundPort::open(asked.anthropic, last.anthropic, "--anthropic-port").await?,
            linear: BoundPort::open(asked.linear, last.linear, "--linear-port").await?,
            github: BoundPort::open(asked.github, last.github, "--github-port").await?,
        })
    }

    pub(super) const fn ports(&self) -> Ports {
        Ports {
            server: Some(self.server.port),
            zone: Some(self.zone.port),
            supabase: Some(self.supabase.port),
            anthropic: Some(self.anthropic.port),
            linear: Some(self.linear.port),
            github: Some(self.github.port),
        }
    }
}

impl Ports {
    /// These ports but for those that are asked for by name.
    fn without(self, asked: Self) -> Self {
        let Self {
            server,
            zone,
            supabase,
            anthropic,
            linear,
            github,
        } = asked;
        let asked = [server, zone, supabase, anthropic, linear, github];
        let free = |last: Option<u16>| last.filter(|port| !asked.contains(&Some(*port)));
        Self {
            server: free(self.server),
            zone: free(self.zone),
            supabase: free(self.supabase),
            anthropic: free(self.anthropic),
            linear: free(self.linear),
            github: free(self.github),
        }
    }
}

/// The ports of the last start. A damaged file only means that they may change.
pub(super) fn last_ports(state: &Path) -> Ports {
    read_ports(state).unwrap_or_else(|failure| {
        tracing::warn!(%failure, "the lab's URLs may change");
        Ports::default()
    })
}

/// [`last_ports`], and what is wrong with the file.
///
/// # Errors
/// If there is a file that does not say them.
pub(in crate::lab) fn read_ports(state: &Path) -> Result<Ports, Failure> {
    let path = state.join(PORTS_FILE);
    let refused = |place: &str, why: &str| {
        Failure::new(
            Exit::Usage,
            "The lab's last ports are not known",
            format!("{}{place}: {why}", path.display()),
            "nothing needs doing: the next start takes other ports and writes the file anew",
        )
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            let TextPosition { line, column } = TextPosition::of(&text, start);
            refused(&format!(":{line}:{column}"), error.message())
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Ports::default()),
        Err(error) => Err(refused("", &error.to_string())),
    }
}

pub(super) fn remember(state: &Path, ports: Ports) -> Result<(), Failure> {
    let refuse = |error| cannot_write(state, &error);
    let text = toml::to_string(&ports).map_err(|error| refuse(std::io::Error::other(error)))?;
    files::replace(&state.join(PORTS_FILE), 0o600, &[text.as_bytes()]).map_err(refuse)
}

/// A folder that is made here is for this user only; one that is there is left as it is.
pub(super) fn make_folder(state: &Path) -> Result<(), Failure> {
    files::private_folder(state).map_err(|error| cannot_write(state, &error))
}

fn cannot_write(state: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("The state directory {} cannot be written", state.display()),
        error.to_string(),
        remedy(
            error,
            "make it writable, or name another one with --state DIR",
        ),
    )
}
