//! A run as lines: what happens while it happens, and at the end the hops, the audit log and
//! whether the story held.

use std::io;

use serde_json::Value;

use super::{
    style::{Style, Tone, glyph, of_status, tone},
    table::{self, Align, Cell, Column, Fit},
};
use crate::{
    projection::{
        AuditRow, Hop, HopKind, Projection, Seq, Verdict, audit::Era, filter::status_word,
        hops::Evidence, story::StepState, tools::Call,
    },
    protocol::{
        audit::{AuditEvent, AuditStatus},
        observed::{CallId, StepAction},
    },
    support::{
        error::Failure,
        text::{duration, truncate, width, wrap},
    },
    trace::{
        Actor, Fact, TraceEvent,
        event::{BrowserLeg, CallOutcome, Leg, MetadataDocument},
    },
};

/// Cells for the parties of a hop: `server → anthropic`.
const PARTIES: usize = 20;

/// Writes plain lines.
#[derive(Debug)]
pub struct Text<W> {
    out: W,
    style: Style,
}

/// Cells of a result that a line shows.
const GIST: usize = 240;

/// A line about one event, before it is laid out.
struct Line {
    parties: String,
    verdict: Verdict,
    words: Vec<String>,
}

impl<W: io::Write> Text<W> {
    pub const fn new(out: W, style: Style) -> Self {
        Self { out, style }
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// One line for the event that `projection` folded last, or none when it tells nothing that
    /// a line did not tell already (a request on its way, a second voice about the same hop).
    ///
    /// # Errors
    /// What the writer says.
    pub fn event(&mut self, event: &TraceEvent, projection: &Projection) -> io::Result<()> {
        let Some(line) = projection
            .log()
            .last()
            .and_then(|seq| line(seq, event, projection))
        else {
            return Ok(());
        };
        let style = self.style;
        let time = format!("{:>10}", moment(event.at_us));
        let parties = style.clean(&line.parties);
        let pad = " ".repeat(PARTIES.saturating_sub(width(&parties)));
        let mark = style.clean(glyph(line.verdict));
        let words: Vec<String> = line
            .words
            .iter()
            .filter(|word| !word.is_empty())
            .map(|word| style.clean(word))
            .collect();
        let used = width(&time) + 2 + width(&parties) + pad.len() + 1 + width(&mark) + 1;
        let words = words.join("  ");
        let words = match style.width {
            Some(limit) => style.clean(&truncate(&words, limit.saturating_sub(used).max(16))),
            None => words,
        };
        let told = match line.verdict {
            Verdict::Failed | Verdict::Denied => Tone::Bad,
            Verdict::Pending | Verdict::Held | Verdict::Ok => Tone::Plain,
        };
        writeln!(
            self.out,
            "{}  {parties}{pad} {} {}",
            style.paint(Tone::Dim, &time),
            style.paint(tone(line.verdict), &mark),
            style.paint(told, &words)
        )
    }

    /// Everything that a finished run is asked about: hops, audit rows, the story.
    ///
    /// # Errors
    /// What the writer says.
    pub fn summary(&mut self, projection: &Projection) -> io::Result<()> {
        writeln!(self.out)?;
        self.hops(projection)?;
        writeln!(self.out)?;
        self.audit(projection)?;
        writeln!(self.out)?;
        self.story(projection)
    }

    /// The hops as a table, without the console's own reads.
    ///
    /// # Errors
    /// What the writer says.
    pub fn hops(&mut self, projection: &Projection) -> io::Result<()> {
        let style = self.style;
        let shown: Vec<&Hop> = projection
            .hops()
            .in_order()
            .filter(|hop| hop.leg != Some(Leg::Console))
            .collect();
        self.heading("Hops", shown.len())?;
        if shown.is_empty() {
            return writeln!(self.out, "No hop was seen.");
        }
        let column = |title, align, fit, drop| Column {
            title,
            align,
            fit,
            drop,
        };
        let columns = [
            column("When", Align::Right, Fit::Whole, Some(0)),
            column("Who", Align::Left, Fit::Whole, None),
            column("What", Align::Left, Fit::GivesWay(20), None),
            column("Scope", Align::Left, Fit::GivesWay(13), Some(3)),
            column("Verdict", Align::Left, Fit::Whole, None),
            column("Took", Align::Right, Fit::Whole, Some(1)),
            column("Key", Align::Left, Fit::Whole, Some(2)),
        ];
        let rows: Vec<Vec<Cell>> = shown
            .iter()
            .map(|hop| {
                let plain = |text: &str| Cell::new(style.clean(text), Tone::Plain);
                let neutral = asks_to_sign_in(hop);
                let (verdict, told) = if neutral {
                    ("• 401".to_owned(), Tone::Plain)
                } else {
                    let word = match hop.verdict {
                        Verdict::Denied => "refused",
                        Verdict::Pending | Verdict::Held | Verdict::Ok | Verdict::Failed => {
                            hop.verdict.word()
                        }
                    };
                    (format!("{} {word}", glyph(hop.verdict)), tone(hop.verdict))
                };
                vec![
                    Cell::new(moment(hop.started_us), Tone::Dim),
                    plain(&parties(hop.from, hop.to)),
                    plain(&what(hop)),
                    plain(hop.scope.as_deref().unwrap_or("")),
                    Cell::new(style.clean(&verdict), told),
                    plain(&hop.duration_us.map_or(String::new(), duration)),
                    plain(&key(hop)),
                ]
            })
            .collect();
        table::write(&mut self.out, style, &columns, &rows)?;
        self.keys(projection)
    }

    /// What the letters in the last column stand for.
    fn keys(&mut self, projection: &Projection) -> io::Result<()> {
        let exchanges = || {
            projection
                .hops()
                .rows()
                .iter()
                .filter(|hop| hop.kind == HopKind::Exchange && hop.credential.is_some())
        };
        let issued = exchanges().count();
        if issued == 0 {
            return Ok(());
        }
        let discarded = exchanges().filter(|hop| hop.discarded.is_some()).count();
        let what = match (issued, discarded) {
            (1, 1) => "1 credential was issued for one use, and its copy dropped.".to_owned(),
            (issued, discarded) if issued == discarded => {
                format!("{issued} credentials were issued for one use each, and each copy dropped.")
            }
            (issued, discarded) => format!(
                "{issued} credentials were issued; of {discarded} it was seen that the copy was dropped."
            ),
        };
        let yours = projection.identity().user().map_or(String::new(), |user| {
            format!(
                "Key {} is the token of {}. ",
                user.credential.letter, user.name
            )
        });
        self.dim(&format!("{yours}{what}"))
    }

    /// The audit rows that a tool call or an exchange caused; the rest is counted below.
    ///
    /// # Errors
    /// What the writer says.
    pub fn audit(&mut self, projection: &Projection) -> io::Result<()> {
        let style = self.style;
        let (rows, earlier): (Vec<&AuditRow>, Vec<&AuditRow>) = projection
            .audit()
            .rows()
            .iter()
            .partition(|row| row.era == Era::ThisRun);
        let belongs = |row: &&AuditRow| row.exchange || row.tool.is_some();
        let shown: Vec<&AuditRow> = rows.iter().copied().filter(belongs).collect();
        self.heading("Audit log", shown.len())?;
        if shown.is_empty() {
            writeln!(self.out, "The zone told of no exchange.")?;
        } else {
            let column = |title, fit, drop| Column {
                title,
                align: Align::Left,
                fit,
                drop,
            };
            let columns = [
                column("Tool", Fit::GivesWay(15), None),
                column("Resource", Fit::GivesWay(12), None),
                column("Scope", Fit::GivesWay(13), None),
                column("Status", Fit::Whole, None),
                column("On behalf of", Fit::GivesWay(12), Some(0)),
            ];
            let cells: Vec<Vec<Cell>> = shown.iter().map(|row| audit_cells(style, row)).collect();
            table::write(&mut self.out, style, &columns, &cells)?;
        }
        let others = rows.len() - shown.len();
        if others > 0 {
            let rows = if others == 1 {
                "row belongs"
            } else {
                "rows belong"
            };
            self.dim(&format!(
                "{others} more {rows} to no tool call: signing in, policy."
            ))?;
        }
        if !earlier.is_empty() {
            self.dim(&format!(
                "The zone's log also has {} from before this run.",
                count(earlier.len(), "row")
            ))?;
        }
        for lost in projection.lost_feeds() {
            self.dim(&format!(
                "Not observed from here on: {} ({}).",
                lost.feed, lost.why
            ))?;
        }
        Ok(())
    }

    /// The story's steps and whether it held.
    ///
    /// # Errors
    /// What the writer says.
    pub fn story(&mut self, projection: &Projection) -> io::Result<()> {
        let style = self.style;
        let story = projection.story();
        for (number, step) in story.steps.iter().enumerate() {
            let verdict = match step.state {
                StepState::Waiting => Verdict::Pending,
                StepState::Done => Verdict::Ok,
                StepState::Wrong => Verdict::Failed,
            };
            let words = format!("{} {} — {}", number + 1, step.title, step.detail);
            self.marked(verdict, &words)?;
        }
        writeln!(self.out)?;
        match story.verdict() {
            Ok(()) => {
                let held = "The story held: four credentials were issued, write was refused by \
                            limit-linear-scopes, and the issue is still there.";
                self.marked(Verdict::Ok, held)
            }
            Err(problems) => {
                self.marked(Verdict::Failed, "The story did not hold:")?;
                for problem in problems {
                    let problem = style.clean(&problem);
                    let mark = style.clean("·");
                    for (number, line) in self.wrapped(&problem, 4).iter().enumerate() {
                        let mark = if number == 0 { &mark } else { " " };
                        writeln!(self.out, "  {mark} {line}")?;
                    }
                }
                Ok(())
            }
        }
    }

    /// How a tool call ended, with the whole text of its result.
    ///
    /// # Errors
    /// What the writer says.
    pub fn result(&mut self, call: &Call, projection: &Projection) -> io::Result<()> {
        let event = call.finished.and_then(|seq| projection.log().event(seq));
        let Some(Fact::ToolCallFinished {
            outcome,
            text,
            structured,
            ..
        }) = event.map(|event| event.fact)
        else {
            let words = format!("{} has not come back", call.tool);
            return self.marked(Verdict::Pending, &words);
        };
        let took = call.duration_us.map_or(String::new(), duration);
        let words = format!("{} {}  {took}", call.tool, outcome_word(outcome));
        self.marked(of_outcome(outcome), &words)?;
        let whole = structured
            .and_then(|json| serde_json::to_string_pretty(&json.read::<Value>()?).ok())
            .unwrap_or(text);
        writeln!(self.out, "{}", self.style.clean_lines(&whole))
    }

    /// A failure in its three parts.
    ///
    /// # Errors
    /// What the writer says.
    pub fn failure(&mut self, failure: &Failure) -> io::Result<()> {
        self.marked(Verdict::Failed, &failure.what)?;
        let style = self.style;
        writeln!(self.out, "  why:  {}", style.clean_lines(&failure.why))?;
        writeln!(self.out, "  next: {}", style.clean_lines(&failure.next))
    }

    fn heading(&mut self, title: &str, count: usize) -> io::Result<()> {
        let title = self.style.paint(Tone::Strong, title);
        let count = self.style.paint(Tone::Dim, &format!("({count})"));
        writeln!(self.out, "{title} {count}")
    }

    fn marked(&mut self, verdict: Verdict, words: &str) -> io::Result<()> {
        let mark = self.style.clean(glyph(verdict));
        let mark = self.style.paint(tone(verdict), &mark);
        let words = self.style.clean(words);
        for (number, line) in self.wrapped(&words, 2).iter().enumerate() {
            let mark = if number == 0 { &mark } else { " " };
            writeln!(self.out, "{mark} {line}")?;
        }
        Ok(())
    }

    fn dim(&mut self, words: &str) -> io::Result<()> {
        let words = self.style.clean(words);
        for line in self.wrapped(&words, 0) {
            writeln!(self.out, "{}", self.style.paint(Tone::Dim, &line))?;
        }
        Ok(())
    }

    /// `words` in lines that leave room for an indent.
    fn wrapped(&self, words: &str, indent: usize) -> Vec<String> {
        match self.style.width {
            Some(limit) => wrap(words, limit.saturating_sub(indent).max(16)),
            None => vec![words.to_owned()],
        }
    }
}

fn audit_cells(style: Style, row: &AuditRow) -> Vec<Cell> {
    let plain = |text: &str| Cell::new(style.clean(text), Tone::Plain);
    let tool = row
        .tool
        .as_deref()
        .map_or_else(|| Cell::new("not observed".to_owned(), Tone::Dim), plain);
    let verdict = of_status(row.status);
    let status = format!("{} {}", glyph(verdict), status_word(row.status));
    let behalf = match (row.user.as_deref(), row.application.as_deref()) {
        (Some(user), Some(application)) => format!("{user}, by {application}"),
        (Some(user), None) => user.to_owned(),
        (None, Some(application)) => format!("{application} itself"),
        (None, None) => "not observed".to_owned(),
    };
    vec![
        tool,
        plain(row.resource.as_deref().unwrap_or("—")),
        plain(row.scope.as_deref().unwrap_or("—")),
        Cell::new(style.clean(&status), tone(verdict)),
        plain(&behalf),
    ]
}

/// What the event adds to what was told, laid out by who, how and what.
fn line(seq: Seq, event: &TraceEvent, projection: &Projection) -> Option<Line> {
    let say = |verdict, words: Vec<String>| {
        Some(Line {
            parties: actor(event.actor).to_owned(),
            verdict,
            words,
        })
    };
    match &event.fact {
        Fact::RunStarted(target) => say(
            Verdict::Ok,
            vec![
                format!("running against {}", target.name),
                target.server.clone(),
            ],
        ),
        Fact::LabStarted(lab) => say(
            Verdict::Ok,
            vec!["the lab answers".to_owned(), lab.server.clone()],
        ),
        Fact::SignInStarted { server } => {
            say(Verdict::Pending, vec![format!("sign in to {server}")])
        }
        Fact::MetadataRead {
            document, subject, ..
        } => {
            let what = match document {
                MetadataDocument::ProtectedResource => "protected resource is",
                MetadataDocument::AuthorizationServer => "authorization server is",
            };
            say(Verdict::Ok, vec![format!("{what} {subject}")])
        }
        Fact::ClientRegistered { client_id, .. } => {
            say(Verdict::Ok, vec![format!("registered as {client_id}")])
        }
        // The URL in the trace is masked; whoever has the real one shows it.
        Fact::BrowserOpened { how, .. } => say(
            Verdict::Pending,
            vec![match how {
                BrowserLeg::Opened => "waiting for your browser".to_owned(),
                BrowserLeg::Shown => "waiting for you to open the sign-in URL".to_owned(),
                BrowserLeg::Headless => "the lab's sample user consents".to_owned(),
            }],
        ),
        Fact::CallbackReceived { error, description } => match error {
            None => say(Verdict::Ok, vec!["the browser came back".to_owned()]),
            Some(error) => say(
                Verdict::Denied,
                vec![error.clone(), description.clone().unwrap_or_default()],
            ),
        },
        Fact::TokenIssued { .. } => {
            let user = projection.identity().user()?;
            let letter = user.credential.letter;
            let words = vec![
                format!("signed in as {}", user.name),
                format!("key {letter}"),
            ];
            say(Verdict::Ok, words)
        }
        Fact::SignInRefused { failure } => say(
            Verdict::Denied,
            vec![failure.what.clone(), failure.why.clone()],
        ),
        Fact::SignInCancelled => say(Verdict::Failed, vec!["sign-in called off".to_owned()]),
        Fact::SignedOut => say(Verdict::Ok, vec!["signed out".to_owned()]),
        Fact::HopReturned { .. } | Fact::HopFailed { .. } => {
            let hop = projection.hops().touched_by(seq)?;
            let mut line = (hop.leg != Some(Leg::Console)).then(|| hop_line(hop))?;
            // The transport's 200 would belie what became of the call.
            if hop.title.starts_with("tools/call") && was_refused(hop.call, projection) {
                line.verdict = Verdict::Denied;
                line.words.insert(1, "refused".to_owned());
            }
            Some(line)
        }
        Fact::ServerConnected {
            name,
            version,
            protocol,
        } => say(
            Verdict::Ok,
            vec![format!("{name} {version}"), format!("MCP {protocol}")],
        ),
        Fact::ToolsListed { tools } => {
            let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
            say(Verdict::Ok, vec![format!("offers {}", names.join(", "))])
        }
        Fact::ToolCallStarted { tool, .. } => {
            let call = event.call.and_then(|call| projection.tools().call(call));
            let subject = call.and_then(|call| call.subject.as_deref()).unwrap_or("");
            say(
                Verdict::Pending,
                vec![format!("call {tool}"), subject.to_owned()],
            )
        }
        Fact::StepReported(step) if step.action == StepAction::Discarded => {
            let letter = step
                .credential
                .and_then(|credential| projection.credentials().letter(credential))
                .map_or(String::new(), |letter| format!("key {letter}"));
            let lived = duration(step.duration_us);
            let words = format!(
                "dropped its copy of the {} credential after {lived}",
                step.upstream.name()
            );
            say(Verdict::Ok, vec![words, letter])
        }
        Fact::StepReported(_) | Fact::UpstreamAnswered(_) => {
            let hop = projection.hops().touched_by(seq)?;
            is_first(hop.evidence).then(|| hop_line(hop))
        }
        Fact::ProgressReported { message, .. } => say(Verdict::Pending, vec![message.clone()?]),
        Fact::ToolCallFinished {
            tool,
            outcome,
            text,
            ..
        } => {
            let first = text.lines().next().unwrap_or("");
            let refused = was_refused(event.call, projection);
            let word = if *outcome == CallOutcome::Failed && refused {
                "refused"
            } else {
                outcome_word(*outcome)
            };
            let words = vec![
                format!("{tool} {word}"),
                // A result may be a whole table in one line; the end of the run has all of it.
                truncate(first, GIST).into_owned(),
            ];
            say(of_outcome(*outcome), words)
        }
        Fact::AuditRecorded(_) => audit_line(seq, projection),
        Fact::ExchangeHeld(held) => {
            let resource = held.resource.as_ref().map_or("a resource", |r| &*r.name);
            let words = format!(
                "holds the exchange for {resource} {}",
                held.scopes.join(" ")
            );
            let would = match held.forecast.status {
                AuditStatus::Issued => "it would be issued",
                AuditStatus::Failure => "it would be refused",
            };
            say(Verdict::Pending, vec![words, would.to_owned()])
        }
        Fact::ExchangeReleased(released) => say(
            Verdict::Pending,
            vec![
                "lets the exchange go on".to_owned(),
                released.why.words().to_owned(),
            ],
        ),
        Fact::IssueSeen(issue) => {
            let place = if issue.trashed {
                "is in the trash"
            } else {
                "is there"
            };
            let words = format!("{} {place}, by {}", issue.identifier, issue.author);
            say(Verdict::Ok, vec![words, issue.title.clone()])
        }
        Fact::FeedLost { feed, why } => say(
            Verdict::Failed,
            vec![format!("{feed} is not observed any more"), why.clone()],
        ),
        Fact::FailureOccurred(failure) => say(
            Verdict::Failed,
            vec![
                failure.what.clone(),
                failure.why.clone(),
                failure.next.clone(),
            ],
        ),
        Fact::NoteWritten { text } => say(Verdict::Pending, vec![text.clone()]),
        Fact::MarkSet { chapter, text } => {
            let chapter = chapter.map(|number| format!("chapter {number}"));
            say(
                Verdict::Pending,
                chapter.into_iter().chain([text.clone()]).collect(),
            )
        }
        Fact::LabMoved { chapter } => say(
            Verdict::Pending,
            vec![format!("the lab is at the end of chapter {chapter}")],
        ),
        // A request's return tells of both; the others fill panes, not lines.
        Fact::HopSent { .. }
        | Fact::SessionsRead { .. }
        | Fact::PolicyRead(_)
        | Fact::EnvRead { .. }
        | Fact::Unknown(_) => None,
    }
}

/// A row of the zone's that no other voice told of, or that says why an exchange was refused.
fn audit_line(seq: Seq, projection: &Projection) -> Option<Line> {
    let row = projection
        .audit()
        .rows()
        .last()
        .filter(|row| row.evidence == seq && row.era == Era::ThisRun)?;
    match projection.hops().touched_by(seq) {
        Some(hop) if is_first(hop.evidence) => Some(hop_line(hop)),
        Some(hop) if row.status == AuditStatus::Failure => Some(Line {
            parties: actor(Actor::Zone).to_owned(),
            verdict: hop.verdict,
            words: vec![
                match &row.policy {
                    Some(policy) => format!("noted: refused by {policy}"),
                    None => format!("noted: {}", row.error.as_deref().unwrap_or("refused")),
                },
                "no credential exists".to_owned(),
            ],
        }),
        Some(_) => None,
        None => {
            let what = match row.event {
                AuditEvent::CredentialsIssue => "issued a credential",
                AuditEvent::UsersAuthorize => "asked the person",
                AuditEvent::DelegatedGrantsCreate => "noted the consent",
                AuditEvent::PolicySetsActivate => "activated a policy set",
            };
            let resource = row.resource.as_deref().unwrap_or("").to_owned();
            let reason = row.reason.as_deref().unwrap_or("").to_owned();
            Some(Line {
                parties: actor(Actor::Zone).to_owned(),
                verdict: of_status(row.status),
                words: vec![what.to_owned(), resource, reason],
            })
        }
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Whether one voice has spoken so far.
fn is_first(evidence: Evidence) -> bool {
    evidence.iter().count() == 1
}

/// The title; an exchange is told by what it is for.
fn what(hop: &Hop) -> String {
    match (hop.kind, &hop.resource) {
        (HopKind::Exchange, Some(resource)) => format!("exchange for {resource}"),
        (HopKind::Exchange | HopKind::Request | HopKind::Upstream | HopKind::Browser, _) => {
            hop.title.to_string()
        }
    }
}

fn hop_line(hop: &Hop) -> Line {
    let status = hop
        .status
        .map_or(String::new(), |status| status.to_string());
    let verdict = match (&hop.policy, hop.verdict) {
        (Some(policy), _) => format!("refused by {policy}"),
        // How a client learns whom to ask: the note says so.
        (None, Verdict::Denied) if asks_to_sign_in(hop) => String::new(),
        (None, Verdict::Denied) => "refused".to_owned(),
        (None, Verdict::Failed) => "failed".to_owned(),
        (None, Verdict::Held) => "held".to_owned(),
        (None, Verdict::Ok | Verdict::Pending) => String::new(),
    };
    // Where a policy is named, the zone's sentence says it again.
    let note = match hop.policy {
        Some(_) => String::new(),
        None => hop.note.as_deref().unwrap_or("").to_owned(),
    };
    Line {
        parties: parties(hop.from, hop.to),
        verdict: if asks_to_sign_in(hop) {
            Verdict::Pending
        } else {
            hop.verdict
        },
        words: vec![
            what(hop),
            hop.scope.as_deref().unwrap_or("").to_owned(),
            status,
            verdict,
            note,
            hop.duration_us.map_or(String::new(), duration),
            key(hop),
        ],
    }
}

/// True for a call within which a credential was refused.
fn was_refused(call: Option<CallId>, projection: &Projection) -> bool {
    let hops = projection.hops();
    hops.of_call(call)
        .iter()
        .filter_map(|id| hops.get(*id))
        .any(|hop| hop.kind == HopKind::Exchange && hop.verdict == Verdict::Denied)
}

/// The first request without a token: its 401 is the answer that the client wants.
fn asks_to_sign_in(hop: &Hop) -> bool {
    hop.kind == HopKind::Request && hop.status == Some(401) && hop.call.is_none()
}

/// `A → B`: which token was traded for which credential; `B`: which was used.
fn key(hop: &Hop) -> String {
    let letter = |credential: Option<crate::projection::Credential>| {
        credential.map(|credential| credential.letter.to_string())
    };
    match (letter(hop.subject), letter(hop.credential)) {
        (Some(from), Some(to)) => format!("{from} → {to}"),
        (Some(from), None) => format!("{from} → none"),
        (None, Some(to)) => to,
        (None, None) => String::new(),
    }
}

fn parties(from: Actor, to: Actor) -> String {
    format!("{} → {}", actor(from), actor(to))
}

const fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::You => "you",
        Actor::Client => "client",
        Actor::Server => "server",
        Actor::Zone => "zone",
        Actor::Supabase => "supabase",
        Actor::Anthropic => "anthropic",
        Actor::Linear => "linear",
    }
}

const fn outcome_word(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Succeeded => "succeeded",
        CallOutcome::Failed => "failed",
        CallOutcome::Broken => "did not come through",
        CallOutcome::Cancelled => "was called off",
    }
}

const fn of_outcome(outcome: CallOutcome) -> Verdict {
    match outcome {
        CallOutcome::Succeeded => Verdict::Ok,
        CallOutcome::Failed | CallOutcome::Broken | CallOutcome::Cancelled => Verdict::Failed,
    }
}

/// `+1.240s` since the run began.
fn moment(at_us: u64) -> String {
    format!("+{}.{:03}s", at_us / 1_000_000, at_us % 1_000_000 / 1_000)
}
