//! A run as a report to hand in: what held, every hop, the audit log, the `.env` before and after,
//! the policy.

mod story;

use std::io;

use crate::{
    projection::{
        AuditRow, Hop, HopKind, Projection, Verdict, env::EnvChange, filter::status_word,
    },
    protocol::{
        audit::{AuditEvent, AuditStatus},
        env::EnvLine,
    },
    support::text::{duration, number_of, one_line, sanitize},
    trace::{
        codec::Header,
        event::{CallOutcome, Leg},
    },
};

/// What whoever looked at the trace noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// How many events of the trace have happened there.
    pub place: usize,
    /// Empty for a bookmark.
    pub text: String,
}

/// What is known of a trace beside its events.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    pub remarks: &'a [Remark],
    /// What of the file could not be shown, a sentence each: a report must not pass for the whole.
    pub lacks: &'a [String],
}

/// Writes the report.
///
/// # Errors
/// What the writer says.
pub fn write(
    out: &mut impl io::Write,
    header: &Header,
    projection: &Projection,
    beside: Beside<'_>,
) -> io::Result<()> {
    let title = header.title.as_deref().unwrap_or("A run of hoptrail");
    writeln!(out, "# {}\n", cell(title))?;
    about(out, header, projection, beside.lacks)?;
    story::judged(out, projection)?;
    story::parts(out, projection)?;
    story::noted(out, projection, beside.remarks)?;
    calls(out, projection)?;
    hops(out, projection)?;
    audit(out, projection)?;
    env(out, projection)?;
    policy(out, projection)?;
    not_observed(out, projection)
}

fn about(
    out: &mut impl io::Write,
    header: &Header,
    projection: &Projection,
    lacks: &[String],
) -> io::Result<()> {
    let started = header.started.format("%Y-%m-%d %H:%M:%S UTC");
    writeln!(out, "- Recorded: {started}, by {}", cell(&header.app))?;
    if let Some(target) = projection.target() {
        let server = match target.server.as_str() {
            "" => projection.lab().map_or("", |lab| &lab.server),
            server => server,
        };
        writeln!(out, "- Against: {} {}", cell(&target.name), code(server))?;
    }
    match projection.identity().user() {
        Some(user) => writeln!(out, "- Signed in: {}", cell(&user.name))?,
        None if projection.identity().is_let_in() => {
            writeln!(out, "- Signed in: nobody, the server is open to anyone")?;
        }
        None => writeln!(out, "- Signed in: nobody")?,
    }
    let lasted = duration(projection.now_us());
    let events = number_of(projection.log().len(), "event");
    writeln!(out, "- Lasted: {lasted}, {events}")?;
    for lack in lacks {
        writeln!(out, "- Not whole: {}", cell(lack))?;
    }
    writeln!(out)
}

fn calls(out: &mut impl io::Write, projection: &Projection) -> io::Result<()> {
    let calls = projection.tools().calls();
    writeln!(out, "## Tool calls ({})\n", calls.len())?;
    if calls.is_empty() {
        return writeln!(out, "No tool was called.\n");
    }
    heading(out, &["When", "Tool", "Ended", "Issued", "Refused", "Took"])?;
    for call in calls {
        let ended = match call.outcome {
            None => "… under way",
            Some(CallOutcome::Succeeded) => "✓ succeeded",
            Some(CallOutcome::Failed) if call.refused > 0 => "✗ refused",
            Some(CallOutcome::Failed) => "✗ failed",
            Some(CallOutcome::Broken) => "✗ did not come through",
            Some(CallOutcome::Cancelled) => "✗ called off",
        };
        row(
            out,
            &[
                moment(call.started_us),
                code(&call.tool),
                ended.to_owned(),
                call.issued.to_string(),
                call.refused.to_string(),
                call.duration_us.map_or(String::new(), duration),
            ],
        )?;
    }
    writeln!(out)
}

fn hops(out: &mut impl io::Write, projection: &Projection) -> io::Result<()> {
    let shown: Vec<&Hop> = projection
        .hops()
        .in_order()
        .filter(|hop| hop.leg != Some(Leg::Console))
        .collect();
    writeln!(out, "## Hops ({})\n", shown.len())?;
    if shown.is_empty() {
        return writeln!(out, "No hop was seen.\n");
    }
    heading(
        out,
        &[
            "When", "From", "To", "What", "Scope", "Verdict", "Took", "Key",
        ],
    )?;
    for hop in shown {
        let what = match (hop.kind, &hop.resource) {
            (HopKind::Exchange, Some(resource)) => format!("exchange for {resource}"),
            _ => hop.title.to_string(),
        };
        row(
            out,
            &[
                moment(hop.started_us),
                hop.from.name().to_owned(),
                hop.to.name().to_owned(),
                cell(&what),
                code(hop.scope.as_deref().unwrap_or("")),
                verdict(hop),
                took(projection, hop),
                key(hop),
            ],
        )?;
    }
    writeln!(
        out,
        "\nA key is a letter for each credential, in order of appearance; `A → B` is an exchange of \
         one for the other, and `(thrown away)` says that the server told so.\n"
    )
}

fn took(projection: &Projection, hop: &Hop) -> String {
    let hops = projection.hops();
    let took = hops.took_us(hop).map_or(String::new(), duration);
    match hops.waited_us(hop.id) {
        0 => took,
        waited => format!("{took} (held for {})", duration(waited)),
    }
}

fn verdict(hop: &Hop) -> String {
    // The question for a token, by which every sign-in begins, is no refusal.
    if let (HopKind::Request, Some(401), Verdict::Denied) = (hop.kind, hop.status, hop.verdict) {
        let why = hop.note.as_deref().map_or(String::new(), cell);
        return format!("• 401 {why}").trim_end().to_owned();
    }
    let glyph = match hop.verdict {
        Verdict::Pending | Verdict::Held => "…",
        Verdict::Ok => "✓",
        Verdict::Failed | Verdict::Denied => "✗",
    };
    let status = hop
        .status
        .map_or(String::new(), |status| format!(" {status}"));
    let why = match (&hop.policy, &hop.note) {
        (Some(policy), _) => format!(" by {}", code(policy)),
        // The first line says it; the rest is told to the model that called.
        (None, Some(note)) if hop.verdict > Verdict::Ok => {
            let first = note.split('⏎').next().unwrap_or_default();
            format!(": {}", cell(first))
        }
        _ => String::new(),
    };
    format!("{glyph} {}{status}{why}", hop.verdict.word())
}

fn key(hop: &Hop) -> String {
    let letter = |credential: Option<crate::projection::Credential>| {
        credential.map(|credential| credential.letter.to_string())
    };
    let key = match (letter(hop.subject), letter(hop.credential)) {
        (Some(from), Some(to)) => format!("{from} → {to}"),
        (Some(from), None) => format!("{from} → none"),
        (None, Some(to)) => to,
        (None, None) => String::new(),
    };
    match hop.discarded {
        Some(_) => format!("{key} (thrown away)"),
        None => key,
    }
}

fn audit(out: &mut impl io::Write, projection: &Projection) -> io::Result<()> {
    let rows = projection.audit().rows();
    writeln!(
        out,
        "## Audit log ({}: {} issued, {} refused)\n",
        number_of(rows.len(), "row"),
        projection.audit().issued(),
        projection.audit().failed()
    )?;
    if rows.is_empty() {
        return writeln!(out, "The zone told of nothing.\n");
    }
    let columns = [
        "#", "At (UTC)", "Event", "Tool", "Resource", "Scope", "Status", "Acting", "For", "Why",
    ];
    heading(out, &columns)?;
    for audited in rows {
        row(out, &audit_cells(audited))?;
    }
    writeln!(out)
}

fn audit_cells(audited: &AuditRow) -> [String; 10] {
    let or_dash = |name: Option<&str>| name.map_or("—".to_owned(), cell);
    // A consent issues nothing: only credentials are counted above.
    let status = match (audited.event, audited.status) {
        (_, AuditStatus::Failure) => format!("✗ {}", status_word(audited.status)),
        (AuditEvent::CredentialsIssue, AuditStatus::Issued) => {
            format!("✓ {}", status_word(audited.status))
        }
        (
            AuditEvent::UsersAuthorize
            | AuditEvent::DelegatedGrantsCreate
            | AuditEvent::DelegatedGrantsRevoke
            | AuditEvent::PolicySetsActivate,
            AuditStatus::Issued,
        ) => "✓ OK".to_owned(),
    };
    let why = match (&audited.policy, &audited.error, &audited.reason) {
        (Some(policy), _, _) => format!("denied by {}", code(policy)),
        (None, Some(error), Some(reason)) => format!("{}: {}", code(error), cell(reason)),
        (None, Some(error), None) => code(error),
        (None, None, Some(reason)) => cell(reason),
        (None, None, None) => String::new(),
    };
    [
        audited.sequence.to_string(),
        audited.occurred_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        audited.event.as_str().to_owned(),
        or_dash(audited.tool.as_deref()),
        or_dash(audited.about().as_deref()),
        audited.scope.as_deref().map_or("—".to_owned(), code),
        status,
        or_dash(audited.application.as_deref()),
        or_dash(audited.user.as_deref()),
        why,
    ]
}

fn env(out: &mut impl io::Write, projection: &Projection) -> io::Result<()> {
    let env = projection.env();
    if env.rows().is_empty() {
        return Ok(());
    }
    writeln!(out, "## The .env, before and after\n")?;
    let worth = |file: Option<&crate::projection::env::EnvFile>| {
        file.map_or("not read".to_owned(), |file| {
            file.worth_stealing().to_string()
        })
    };
    writeln!(
        out,
        "Keys worth stealing: {} before, {} after.\n",
        worth(env.before()),
        worth(env.after())
    )?;
    heading(out, &["", "Variable", "Before", "After", "What it is"])?;
    for line in env.rows() {
        let mark = match line.change {
            EnvChange::Kept => "",
            EnvChange::Changed => "changed",
            EnvChange::Added => "added",
            EnvChange::Removed => "removed",
        };
        let note = line
            .after
            .as_ref()
            .or(line.before.as_ref())
            .map_or("", |l| &l.note);
        row(
            out,
            &[
                mark.to_owned(),
                code(&line.name),
                side(line.before.as_ref()),
                side(line.after.as_ref()),
                cell(note),
            ],
        )?;
    }
    writeln!(out)
}

/// A secret's value is not in the trace, and so not here.
fn side(line: Option<&EnvLine>) -> String {
    match line {
        None => "—".to_owned(),
        Some(EnvLine { set: false, .. }) => "empty".to_owned(),
        Some(EnvLine { value: None, .. }) => "a secret".to_owned(),
        Some(EnvLine {
            value: Some(value), ..
        }) => code(value),
    }
}

fn policy(out: &mut impl io::Write, projection: &Projection) -> io::Result<()> {
    let policies = projection.policies();
    let Some(overview) = policies.overview() else {
        return Ok(());
    };
    match policies.active() {
        Some(set) => writeln!(
            out,
            "## Policy: {}, version {}\n",
            cell(&set.name),
            set.active_version.unwrap_or(set.latest_version)
        )?,
        None => writeln!(
            out,
            "## Policy: no set is active, so everything is denied\n"
        )?,
    }
    if let Some(denial) = policies.last_denial() {
        let by: Vec<String> = denial.policies().map(code).collect();
        let resource = cell(denial.resource.as_deref().unwrap_or("no known resource"));
        let wanted = match denial.scope.as_deref() {
            Some(scope) => format!("{} for {resource}", code(scope)),
            None => format!("a credential for {resource}"),
        };
        let why = match &*by {
            [] => "as no policy permits it".to_owned(),
            by => format!("by {}", by.join(", ")),
        };
        writeln!(out, "Last refusal: {wanted}, {why}.\n")?;
    }
    for policy in &overview.active_policies {
        writeln!(out, "### {}\n", cell(&policy.name))?;
        fenced(out, &policy.latest_version.cedar_raw)?;
    }
    Ok(())
}

fn not_observed(out: &mut impl io::Write, projection: &Projection) -> io::Result<()> {
    if projection.lost_feeds().is_empty() {
        return Ok(());
    }
    writeln!(out, "## Not observed\n")?;
    for lost in projection.lost_feeds() {
        writeln!(out, "- {}: {}", cell(&lost.feed), cell(&lost.why))?;
    }
    writeln!(out)
}

fn heading(out: &mut impl io::Write, titles: &[&str]) -> io::Result<()> {
    writeln!(out, "| {} |", titles.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(titles.len()))
}

fn row(out: &mut impl io::Write, cells: &[String]) -> io::Result<()> {
    writeln!(out, "| {} |", cells.join(" | "))
}

/// Text from outside on one line, where no character of it means anything to Markdown or HTML.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '#' | '!' => {
                out.push('\\');
                out.push(c);
            }
            // Within a word an underscore means nothing; at its edge it would.
            '_' if !out.ends_with(|c: char| c.is_alphanumeric()) => out.push_str("\\_"),
            c => out.push(c),
        }
    }
    out
}

/// Text from outside as code within a line.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    // A code span knows no escapes but the table's own for its bar.
    let text = one_line(text).replace('|', "\\|");
    match longest_fence(&text) {
        0 => format!("`{text}`"),
        longest => {
            let fence = "`".repeat(longest + 1);
            format!("{fence} {text} {fence}")
        }
    }
}

/// The longest run of backticks in a text.
fn longest_fence(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A block of code, within a fence that is longer than any in it.
fn fenced(out: &mut impl io::Write, text: &str) -> io::Result<()> {
    let longest = longest_fence(text).max(2);
    let fence = "`".repeat(longest + 1);
    let code = sanitize(text);
    writeln!(out, "{fence}cedar\n{}\n{fence}\n", code.trim_end())
}

/// `+1.240 s` since the run began.
fn moment(at_us: u64) -> String {
    let (seconds, millis) = (at_us / 1_000_000, at_us % 1_000_000 / 1_000);
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let clock = format!("{:02}:{:02}.{millis:03}", minutes % 60, seconds % 60);
    match (hours / 24, hours) {
        (0, 0) => format!("+{seconds}.{millis:03} s"),
        (0, _) => format!("+{hours}:{clock}"),
        (days, _) => format!("+{days} d {:02}:{clock}", hours % 24),
    }
}
