//! The command line, as clap reads it. Every flag is documented here and nowhere else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Watch every credential hop of the Keycard MCP workshop as it happens.
///
/// Without a command the terminal interface opens on the embedded lab: stand-ins for Keycard,
/// Supabase, Anthropic and Linear, over real HTTP on this computer. Nothing needs to be set up.
#[derive(Debug, Parser)]
#[command(name = "hoptrail", version, max_term_width = 96)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub common: Common,
}

/// What every command understands.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// The MCP endpoint to work against, instead of the lab's own server
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// A lab that runs already, by its zone's URL (as `hoptrail lab` prints it)
    #[arg(long, global = true, value_name = "URL", conflicts_with = "server")]
    pub lab: Option<String>,
    /// Open no browser: the lab's sample user consents by itself, elsewhere the URL is printed
    #[arg(long, global = true)]
    pub headless: bool,
    /// The sample user who signs in with --headless, by login name
    #[arg(long, global = true, value_name = "LOGIN", requires = "headless")]
    pub user: Option<String>,
    /// The sample user says no on the consent page
    #[arg(long, global = true, hide = true, requires = "headless")]
    pub deny: bool,
    /// Write lines of text, not a terminal interface
    #[arg(long, global = true, conflicts_with = "json")]
    pub plain: bool,
    /// Write the trace itself, as JSON Lines
    #[arg(long, global = true)]
    pub json: bool,
    /// Record the trace to a file
    #[arg(long, global = true, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// The folder that keeps the lab's state between starts
    #[arg(long, global = true, value_name = "DIR", env = "HOPTRAIL_STATE")]
    pub state: Option<PathBuf>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// The colours of a verdict
    #[arg(long, global = true, value_name = "NAME", default_value = "green-red")]
    pub palette: PaletteChoice,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Write a log for fault-finding to a file; it holds no secrets
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Accept an authorization server that does not say it supports PKCE, by its issuer
    #[arg(long, global = true, value_name = "ISSUER")]
    pub assume_pkce: Vec<String>,
}

/// When colour is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal that does not ask for none (NO_COLOR)
    #[default]
    Auto,
    Always,
    Never,
}

/// The colours of a verdict; glyph and word always say the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PaletteChoice {
    #[default]
    GreenRed,
    /// For eyes that do not tell green from red
    BlueOrange,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole story without a terminal interface: sign in, list, escalate, delete refused
    ///
    /// Prints every hop and the zone's audit table. Exits with 0 only if four credentials were
    /// issued, `write` was refused by `limit-linear-scopes`, and the issue is still there.
    Demo {
        /// The ticket to escalate; by default the first critical one
        #[arg(long, value_name = "UUID")]
        ticket: Option<uuid::Uuid>,
    },
    /// One tool call: hoptrail call escalate_ticket ticketId=3f9a…
    Call {
        /// The tool's name
        tool: String,
        /// Its arguments; a value that is JSON is taken as such, anything else as text
        #[arg(value_name = "NAME=VALUE")]
        arguments: Vec<String>,
    },
    /// Sign in to any MCP server, list its tools, print every hop
    Probe {
        /// The MCP endpoint
        url: String,
    },
    /// Only the servers: the lab on loopback, until Ctrl-C
    Lab(Box<LabArgs>),
    /// Only the support-escalation MCP server, configured by the workshop's .env
    Serve {
        /// The .env file; variables of the environment win over it
        #[arg(long, value_name = "FILE", default_value = ".env")]
        env_file: PathBuf,
        /// Listen on this address instead of 127.0.0.1 (the port is PORT's)
        #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
        bind: std::net::IpAddr,
    },
    /// What works here, what does not, and what to do about it
    Doctor,
    /// Shell completions on standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page on standard output
    Man,
}

/// `hoptrail lab`.
#[derive(Debug, Clone, Default, Args)]
pub struct LabArgs {
    /// Write a complete .env for the workshop's own server
    #[arg(long, value_name = "FILE")]
    pub write_env: Option<PathBuf>,
    /// Leave a part out
    #[arg(long, value_name = "PART")]
    pub without: Vec<LabPart>,
    /// The MCP endpoint of the server that is not the lab's, with `--without server`
    #[arg(long, value_name = "URL", default_value = "http://localhost:8000/mcp")]
    pub mcp_url: String,
    /// Forget everything first: sessions, grants, policies, audit log, issues, keys
    #[arg(long)]
    pub reset: bool,
    /// Port of the MCP server; free by default, as all of them
    #[arg(long, value_name = "PORT")]
    pub server_port: Option<u16>,
    /// Port of the zone
    #[arg(long, value_name = "PORT")]
    pub zone_port: Option<u16>,
    /// Port of the Supabase stand-in
    #[arg(long, value_name = "PORT")]
    pub supabase_port: Option<u16>,
    /// Port of the Anthropic stand-in
    #[arg(long, value_name = "PORT")]
    pub anthropic_port: Option<u16>,
    /// Port of the Linear stand-in
    #[arg(long, value_name = "PORT")]
    pub linear_port: Option<u16>,
    /// Port of the GitHub stand-in
    #[arg(long, value_name = "PORT")]
    pub github_port: Option<u16>,
    /// A real Supabase instead of the stand-in; its key is taken from SUPABASE_SECRET_KEY
    #[arg(long, value_name = "URL")]
    pub supabase_url: Option<String>,
    /// The real Anthropic instead of the stand-in; its key is taken from ANTHROPIC_API_KEY
    #[arg(long, value_name = "URL")]
    pub anthropic_url: Option<String>,
    /// The real Linear instead of the stand-in; its OAuth application is taken from
    /// LINEAR_CLIENT_ID and LINEAR_CLIENT_SECRET
    #[arg(long, value_name = "URL")]
    pub linear_url: Option<String>,
    /// A real Keycard zone instead of the stand-in; the application's credential is taken from
    /// KEYCARD_CLIENT_ID and KEYCARD_CLIENT_SECRET
    #[arg(long, value_name = "URL")]
    pub keycard_url: Option<String>,
}

/// A part that may be left out of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LabPart {
    /// The support-escalation MCP server: yours takes its place
    Server,
}
