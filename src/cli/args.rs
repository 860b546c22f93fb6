//! The command line, as clap reads it. Every flag is documented here and nowhere else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValue};

use crate::support::pane::Pane;

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

// The headings of what every command understands, so that a command's own options stand first.
const TARGET: &str = "Target";
const SIGN_IN: &str = "Sign-in";
const OUTPUT: &str = "Output";
const LOOK: &str = "Look";

/// What every command understands.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// The MCP endpoint to work against, instead of the lab's own server
    #[arg(long, global = true, help_heading = TARGET, value_name = "URL")]
    pub server: Option<String>,
    /// A lab that runs already, by its zone's URL (as `hoptrail lab` prints it)
    #[arg(long, global = true, help_heading = TARGET, value_name = "URL")]
    pub lab: Option<String>,
    /// The folder that keeps the lab's state between starts
    #[arg(long, global = true, help_heading = TARGET, value_name = "DIR", env = "HOPTRAIL_STATE")]
    pub state: Option<PathBuf>,
    /// Open no browser: the lab's sample user consents by itself, elsewhere the URL is printed
    #[arg(long, global = true, help_heading = SIGN_IN)]
    pub headless: bool,
    /// The sample user who signs in with --headless, by login name
    #[arg(long, global = true, help_heading = SIGN_IN, value_name = "LOGIN")]
    pub user: Option<String>,
    /// As --headless, but the sample user says no on the consent page: the sign-in is refused (exit
    /// 4). Without --lab or --server this is on a new lab in memory; the folder of --state is left alone
    #[arg(long, global = true, help_heading = SIGN_IN)]
    pub deny: bool,
    /// Accept an authorization server that does not say it supports PKCE, by its issuer
    #[arg(long, global = true, help_heading = SIGN_IN, value_name = "ISSUER")]
    pub assume_pkce: Vec<String>,
    /// Write lines of text, not a terminal interface
    #[arg(long, global = true, help_heading = OUTPUT)]
    pub plain: bool,
    /// Write the trace itself, as JSON Lines
    #[arg(long, global = true, help_heading = OUTPUT)]
    pub json: bool,
    /// Record the trace to a file
    #[arg(long, global = true, help_heading = OUTPUT, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Lay the run beside a recorded trace, hop by hop: a file, or the name of a shipped one
    #[arg(long, global = true, help_heading = OUTPUT, value_name = "TRACE")]
    pub against: Option<PathBuf>,
    /// Send the run's spans to an OpenTelemetry collector (OTLP/HTTP, JSON)
    ///
    /// OTEL_EXPORTER_OTLP_TRACES_HEADERS, else OTEL_EXPORTER_OTLP_HEADERS, goes along with each
    /// request (name=value,name=value, percent-encoded). No other OTEL variable is read: without
    /// this option nothing is sent.
    #[arg(long, global = true, help_heading = OUTPUT, value_name = "URL")]
    pub otlp: Option<String>,
    /// Write a log for fault-finding to a file; it holds no secrets
    #[arg(long, global = true, help_heading = OUTPUT, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// When to use colour
    #[arg(long, global = true, help_heading = LOOK, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// The colours of a verdict
    #[arg(long, global = true, help_heading = LOOK, value_name = "NAME", default_value = "green-red")]
    pub palette: PaletteChoice,
    /// Draw with ASCII characters only
    #[arg(long, global = true, help_heading = LOOK)]
    pub ascii: bool,
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
    /// The workshop's chapters, from the open door to the whole trail
    ///
    /// Opens where you stopped, or at the chapter that is named. On the lab one key does a chapter's
    /// steps; with --server the checks look at your own server.
    Learn {
        /// A chapter's number or id
        #[arg(value_name = "CHAPTER")]
        chapter: Option<String>,
        /// Read the chapters of a folder, and again when they change
        #[arg(long, value_name = "DIR")]
        chapters: Option<PathBuf>,
        /// The folder of your own server; nothing in it is changed
        #[arg(long, value_name = "DIR")]
        project: Option<PathBuf>,
    },
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
    /// Look at a recorded trace again: play, pause, step back and forth
    ///
    /// Nothing is connected and nothing is done anew. Where there is no terminal, or with --plain or
    /// --json, the trace is written out. Without a trace, those that hoptrail brings along are listed.
    Replay {
        /// The trace: a file that --record wrote, the name of a shipped one, or - for standard input
        #[arg(value_name = "TRACE")]
        file: Option<PathBuf>,
        /// Another, to be laid beside it: what was the same, what differs
        #[arg(value_name = "OTHER", conflicts_with = "follow")]
        other: Option<PathBuf>,
        /// Go along while another process writes the file
        #[arg(long)]
        follow: bool,
    },
    /// For the projector: large verdicts, and a run sheet of cues that Space steps through
    ///
    /// The lab is a new one in memory at each start: nothing of an earlier run is in it. Space begins
    /// the next cue, b goes one back, i shows the speaker's notes, H holds each token exchange until
    /// you let it go, A goes back to the start (of a lab of its own, not with --lab), and F lets a
    /// recording take over when something fails.
    Stage {
        /// The run sheet; without it the one that is built in
        sheet: Option<PathBuf>,
        /// Write the built-in run sheet to standard output, to begin yours with
        #[arg(long, conflicts_with = "sheet")]
        print_sheet: bool,
        /// Write the sheet's cues and speaker's notes to standard output, to print or to have beside
        /// the projector
        #[arg(long, conflicts_with = "print_sheet")]
        print_notes: bool,
        /// Write which cue begins and the notes of the next one, for a screen of your own: TRACE is what
        /// the stage records elsewhere with --record. A reset goes on in the next file, TRACE-2, and so do
        /// the notes
        #[arg(long, value_name = "TRACE", conflicts_with_all = ["print_sheet", "print_notes"])]
        follow: Option<PathBuf>,
    },
    /// Only the servers: the lab on loopback, until Ctrl-C
    Lab(Box<LabArgs>),
    /// Only the support-escalation MCP server, configured by the workshop's .env
    Serve {
        /// Be the server of an earlier chapter, as it is at its end; needs that chapter's .env
        #[arg(long, value_name = "CHAPTER", default_value_t = 7,
              value_parser = clap::value_parser!(u8).range(0..=7))]
        stage: u8,
        /// The .env file [default: .env]; variables of the environment win over it
        #[arg(long, value_name = "FILE")]
        env_file: Option<PathBuf>,
        /// Listen on this address instead of 127.0.0.1 (the port is PORT's)
        #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
        bind: std::net::IpAddr,
    },
    /// The traces that hoptrail brings along
    Traces {
        #[command(subcommand)]
        command: TracesCommand,
    },
    /// A recorded trace in the form that others read
    Export(ExportArgs),
    /// What differs between two recorded runs
    ///
    /// Tool calls and hops are aligned; ports, ids and times of issue count as the same. Exits
    /// with 0 if nothing differs and with 1 if something does.
    Diff {
        /// The one trace: a file, or the name of a shipped one
        #[arg(value_name = "A")]
        left: PathBuf,
        /// The other
        #[arg(value_name = "B")]
        right: PathBuf,
        /// Durations differ when one is so many times the other, and by 100 ms at least [default: 10]
        ///
        /// What differs in durations only ends with 1 if this is given, else with 0.
        ///
        /// Without it, durations are left out between a trace that came along and any other: those
        /// were recorded from services that are as slow as real ones.
        #[arg(long, value_name = "TIMES")]
        factor: Option<f64>,
    },
    /// Do what the chapters ask, headless, and run their checks; 1 if a required one does not pass
    ///
    /// Without --server and --project a fresh lab goes through the chapters, one after another. With
    /// them it is your own server and folder: which chapter they have reached is told with what
    /// shows it, and that chapter is checked. Your files are read and never changed. Tools are
    /// called as the chapter asks, so an issue is filed. With `all` every chapter is checked: what
    /// held at an earlier one's end only is past and no failure. With --json each check is a line of
    /// JSON.
    ///
    /// Chapter 8 tries the values of your .env on the three services that it names. A service on this
    /// computer gets each of them. A service elsewhere gets only what could be a key of its own, by
    /// its shape or its variable's name, and never KEYCARD_CLIENT_SECRET; what was not tried is told
    /// with the reason. With --watch this is repeated at each change.
    Check(CheckArgs),
    /// The workshop's chapters as text, and what an author got wrong in them
    Chapters {
        #[command(subcommand)]
        command: Option<ChaptersCommand>,
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

/// `hoptrail traces`.
#[derive(Debug, Subcommand)]
pub enum TracesCommand {
    /// Each with a line that says what it shows
    List,
    /// Record them again, each from a fresh lab
    ///
    /// What happens is the same at every recording. Ids, keys, dates in headers and durations are those of
    /// the recording; a `diff` with the shipped one tells no difference.
    Record {
        /// Which ones; all of them by default
        #[arg(value_name = "NAME", default_value = "all")]
        names: Vec<String>,
        /// The folder for NAME.jsonl; what is there is replaced
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
}

/// `hoptrail check`.
#[derive(Debug, Clone, Default, Args)]
pub struct CheckArgs {
    /// A chapter's number or id, or all; by default all on the lab, and on a server of yours the
    /// chapter that it has reached
    #[arg(value_name = "CHAPTER")]
    pub chapter: Option<String>,
    /// The folder of your project, with its .env
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Repeat whenever a file of the project changes; a real Linear gets no issue then
    #[arg(long)]
    pub watch: bool,
    /// Write each chapter's trace and what its probes told into this folder
    #[arg(long, value_name = "DIR", hide = true, conflicts_with_all = ["project", "watch"])]
    pub golden: Option<PathBuf>,
}

/// `hoptrail chapters`.
#[derive(Debug, Subcommand)]
pub enum ChaptersCommand {
    /// Find what an author got wrong, with file, line and column
    Lint {
        /// The folder; without it the chapters that are built in
        dir: Option<PathBuf>,
    },
    /// The chapters in their order
    List {
        /// The folder; without it the chapters that are built in
        dir: Option<PathBuf>,
    },
    /// Write the built-in chapters into a new folder, to begin yours with, and a README on how they are
    /// written
    Write {
        /// The folder; nothing may be in it yet
        dir: PathBuf,
    },
    /// One chapter as plain text
    Show {
        /// Its number
        number: u16,
        /// The folder; without it the chapters that are built in
        dir: Option<PathBuf>,
        /// Tell the answer to its question, too
        #[arg(long)]
        answer: bool,
    },
}

/// `hoptrail lab`.
#[derive(Debug, Clone, Default, Args)]
pub struct LabArgs {
    /// Be as at the end of a chapter: the server's code, and which policy is active. By default the
    /// finished server, with the policy as the last start left it
    #[arg(long, value_name = "CHAPTER", value_parser = clap::value_parser!(u8).range(0..=7))]
    pub stage: Option<u8>,
    /// Write a complete .env for the workshop's own server, as the chapter of --stage has it
    #[arg(long, value_name = "FILE")]
    pub write_env: Option<PathBuf>,
    /// Leave a part out
    #[arg(long, value_name = "PART")]
    pub without: Vec<LabPart>,
    /// The MCP endpoint of the server that is not the lab's, with `--without server` (by default
    /// http://localhost:8000/mcp)
    #[arg(long, value_name = "URL")]
    pub mcp_url: Option<String>,
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
    /// LINEAR_CLIENT_ID and LINEAR_CLIENT_SECRET, the key of the chapters before 6 from
    /// LINEAR_API_KEY
    #[arg(long, value_name = "URL")]
    pub linear_url: Option<String>,
    /// A real Keycard zone instead of the stand-in; the application's credential is taken from
    /// KEYCARD_CLIENT_ID and KEYCARD_CLIENT_SECRET
    #[arg(long, value_name = "URL")]
    pub keycard_url: Option<String>,
}

/// `hoptrail export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The trace: a file, or the name of a shipped one
    #[arg(value_name = "TRACE")]
    pub file: PathBuf,
    /// The form
    #[arg(long, value_name = "FORM")]
    pub to: Form,
    /// Write to this file instead of standard output; one that exists is replaced
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What svg and cast show
    #[arg(long, value_name = "PANE", default_value = "flow", value_enum)]
    pub pane: Shown,
    /// Columns and rows of svg and cast
    #[arg(long, value_name = "WxH", default_value = "120x36", value_parser = size)]
    pub size: (u16, u16),
}

/// A form that a trace can be exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// OTLP/HTTP JSON, as an OpenTelemetry collector takes it at /v1/traces
    Otlp,
    /// A report: what held, your notes, the hops, the audit log, the .env, the policy
    Markdown,
    /// The audit rows as OCSF 1.7.0 events, one a line
    Ocsf,
    /// The last screen as a picture
    Svg,
    /// The whole run as an asciicast (version 3), for asciinema
    Cast,
}

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Pane(Pane),
    /// The projector's layout.
    Stage,
}

impl ValueEnum for Shown {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Shown; Pane::ALL.len() + 1] = {
            let mut all = [Shown::Stage; Pane::ALL.len() + 1];
            let mut place = 0;
            while place < Pane::ALL.len() {
                all[place] = Shown::Pane(Pane::ALL[place]);
                place += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Pane(pane) => PossibleValue::new(pane.name()),
            Self::Stage => PossibleValue::new("stage").help("The projector's layout"),
        })
    }
}

/// `120x36`. More than a thousand cells either way is no screen, and a picture of it no help.
fn size(text: &str) -> Result<(u16, u16), String> {
    let parse = |part: &str| {
        let cells = part.parse::<u16>().ok();
        cells.filter(|cells| (1..=1_000).contains(cells))
    };
    text.split_once('x')
        .and_then(|(columns, rows)| Some((parse(columns)?, parse(rows)?)))
        .ok_or_else(|| "columns and rows from 1 to 1000, like 120x36".to_owned())
}

/// A part that may be left out of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LabPart {
    /// The support-escalation MCP server: yours takes its place
    Server,
}
