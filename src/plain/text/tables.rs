//! What happened as tables: the hops, and the zone's log.

use std::io;

use super::{
    Text,
    hop::{asks_to_sign_in, key, parties, took, what},
    moment,
};
use crate::{
    plain::{
        style::{Style, Tone, glyph, of_status, tone},
        table::{self, Align, Cell, Column, Fit},
    },
    projection::{
        AuditRow, Hop, HopKind, Projection, Verdict,
        audit::{Era, LOG_NOT_READ},
        filter::status_word,
    },
    trace::event::Leg,
};

impl<W: io::Write> Text<W> {
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
                    plain(&took(hop, projection)),
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
        if let (true, Some(how)) = (rows.is_empty(), projection.way_to_the_log()) {
            for line in self.wrapped(&format!("{LOG_NOT_READ} {how}"), 0) {
                writeln!(self.out, "{line}")?;
            }
        } else if rows.is_empty() && !projection.is_log_read() {
            writeln!(self.out, "The zone's log was not read.")?;
        } else if shown.is_empty() {
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

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
