//! How the columns share the width: each gets what its rows need, those that matter most first.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{chain, of_its_run, strong, tool, verdict};
use crate::{
    projection::AuditRow,
    protocol::audit::AuditEvent,
    support::text::{shorten_middle, truncate, width},
    ui::{
        ViewCx,
        look::{Look, Role},
        panes::{fitting, or_dash, short_resource},
        widgets::{
            put::span,
            table::{self, Column, Slot},
        },
    },
};

/// Under this width the short columns.
pub(super) const NARROW: u16 = 50;

/// Beside another pane: services by their short names.
const SHORT: &[Column] = &[
    Column::words("Status", 9, 0),
    Column::words("Resource", 12, 1).growing(),
    Column::words("Scope", 13, 0).up_to(18),
];

/// The newest rows, by which columns are measured: the same ones however far the reader goes back, so
/// that no column moves under their eyes.
const MEASURED: usize = 200;

/// Cells between columns.
const GAP: u16 = 2;

/// Whether names stand in full. All of a column do or none, so that one service is not two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Whole,
    Short,
}

/// What a column needs.
#[derive(Debug, Clone, Copy)]
struct Need {
    head: &'static str,
    /// Below this it is left out.
    least: u16,
    /// What it should have before a column that matters less is there at all.
    good: u16,
    most: u16,
}

impl Need {
    const fn exactly(head: &'static str, cells: u16) -> Self {
        Self {
            head,
            least: cells,
            good: cells,
            most: cells,
        }
    }
}

/// The columns of a frame.
pub(super) struct Columns {
    heads: Vec<Column>,
    slots: Vec<Slot>,
    is_narrow: bool,
    services: Names,
    people: Names,
}

impl Columns {
    /// The columns for the rows that are there.
    pub(super) fn of(cx: &ViewCx, cells: u16) -> Self {
        if cells < NARROW {
            return Self {
                slots: table::fit(SHORT, cells),
                heads: SHORT.to_vec(),
                is_narrow: true,
                services: Names::Whole,
                people: Names::Whole,
            };
        }
        let audit = cx.app.projection().audit();
        let newest = cx.app.panes().audit.rows().iter().rev().take(MEASURED);
        let rows: Vec<&AuditRow> = newest.filter_map(|id| audit.get(*id)).collect();
        let needs = needs(&rows, time(cx), cx.look);
        let widths = share(&needs, cells);
        let names = |head: &str, whole: fn(&Need) -> u16| {
            let shared = widths.iter().find(|(need, _)| need.head == head);
            match shared {
                Some((need, width)) if *width < whole(need) => Names::Short,
                Some(_) | None => Names::Whole,
            }
        };
        let columns: Vec<Column> = widths
            .iter()
            .map(|(need, width)| Column::words(need.head, *width, 0))
            .collect();
        Self {
            slots: table::fit(&columns, cells),
            heads: columns,
            is_narrow: false,
            services: names("Resource", |need| need.good),
            people: if are_alike(&rows) {
                Names::Whole
            } else {
                names("Acting for", |need| need.most)
            },
        }
    }

    /// Draws the heads.
    pub(super) fn heads(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        table::heads(buf, area, 0, &self.heads, &self.slots, look);
    }

    /// Draws a row.
    pub(super) fn row(&self, buf: &mut Buffer, area: Rect, row: &AuditRow, look: &Look) {
        for slot in &self.slots {
            let column = &self.heads[slot.index];
            let content = match column.head {
                // Without a column for it: what happened says more of such a row than its scopes.
                "Scope" if self.is_narrow && row.event != AuditEvent::CredentialsIssue => {
                    tool(row, look)
                }
                head => self.cell(row, head, slot.width, look),
            };
            table::cell(buf, area, 0, *slot, column.align, &content, look);
        }
    }

    fn cell(&self, row: &AuditRow, column: &str, room: u16, look: &Look) -> Line<'static> {
        let strong = strong(row, look);
        match column {
            "Status" => Line::from(verdict(row, look)),
            "Time" => {
                let form = if room < DATED {
                    "%H:%M:%S"
                } else {
                    "%m-%d %H:%M:%S"
                };
                Line::styled(
                    row.occurred_at.format(form).to_string(),
                    look.style(Role::Dim),
                )
            }
            "Tool" => tool(row, look),
            "Resource" => Line::from(or_dash(self.about(row, room).as_deref(), strong, look)),
            "Scope" => Line::from(or_dash(row.scope.as_deref(), strong, look)),
            "Acting for" => Line::from(chain_within(row, room, self.people, look)),
            _ => match (&row.policy, &row.reason, &row.error) {
                (Some(policy), _, _) => {
                    Line::styled(format!("forbidden by {policy}"), look.style(Role::Bad))
                }
                (None, Some(reason), _) => Line::styled(reason.to_string(), look.style(Role::Dim)),
                (None, None, Some(error)) => Line::styled(error.to_string(), look.style(Role::Dim)),
                (None, None, None) => Line::default(),
            },
        }
    }

    /// What the row is about, in so much room: of a policy set its version stays in view.
    fn about(&self, row: &AuditRow, room: u16) -> Option<String> {
        match (&row.resource, row.about()?, self.services) {
            (Some(resource), _, Names::Short) => Some(short_resource(resource).to_owned()),
            (Some(resource), _, Names::Whole) => Some(fitting(resource, room).to_owned()),
            (None, set, _) => Some(shorten_middle(&set, usize::from(room)).into_owned()),
        }
    }
}

const CLOCK: u16 = 8;
const DATED: u16 = 14;

/// Cells for the time. In a log of several days the clock alone would make them one; the rows stand in
/// the order in which they came, which is that of their times.
fn time(cx: &ViewCx) -> u16 {
    let rows = cx.app.projection().audit().rows();
    let day = |row: Option<&AuditRow>| row.map(|row| row.occurred_at.date_naive());
    if day(rows.first()) == day(rows.last()) {
        CLOCK
    } else {
        DATED
    }
}

/// What each column needs, in their order on the screen.
fn needs(rows: &[&AuditRow], time: u16, look: &Look) -> Vec<Need> {
    let widest = |of: &dyn Fn(&AuditRow) -> usize| {
        let cells = rows.iter().map(|row| of(row)).max().unwrap_or(0);
        u16::try_from(cells).unwrap_or(u16::MAX)
    };
    let text = |text: Option<&str>| text.map_or(1, width);
    let of = |spans: Vec<Span<'_>>| spans.iter().map(|span| width(&span.content)).sum();
    // Only what can be told in a word less is ever told so.
    let full = widest(&|row| {
        let name = row.resource.as_deref().unwrap_or_default();
        if short_resource(name) == name {
            0
        } else {
            width(name)
        }
    });
    let short = widest(&|row| {
        let name = row.resource.as_deref().unwrap_or_default();
        let short = short_resource(name);
        if short == name { 0 } else { width(short) }
    });
    let services = widest(&|row| text(row.resource.as_deref())).min(30);
    let scope = widest(&|row| text(row.scope.as_deref())).clamp(8, 24);
    let chains = widest(&|row| of(chain(row, look))).max(10);
    let short_chains = widest(&|row| of(chain_within(row, u16::MAX, Names::Short, look)));
    let person = widest(&|row| row.user.as_deref().map_or(1, |user| width(local(user))));
    vec![
        Need::exactly("Status", 9),
        Need::exactly("Time", time),
        Need {
            most: widest(&|row| text(row.tool.as_deref())).clamp(19, 28),
            ..Need::exactly("Tool", 19)
        },
        Need {
            head: "Resource",
            least: short.clamp(9, 17),
            good: full.clamp(9, 24),
            most: services.max(full),
        },
        Need {
            head: "Scope",
            least: scope.min(13),
            good: scope.min(18),
            most: scope,
        },
        Need {
            head: "Acting for",
            least: (person + 2).clamp(10, 20),
            good: short_chains.clamp(10, 34),
            most: chains,
        },
        Need {
            most: u16::MAX,
            ..Need::exactly("Reason", 34)
        },
    ]
}

/// The columns that there is room for, and their widths.
fn share(needs: &[Need], cells: u16) -> Vec<(Need, u16)> {
    let mut kept = needs.to_vec();
    let sum = |kept: &[Need], of: fn(&Need) -> u16| {
        let gaps = GAP * u16::try_from(kept.len().saturating_sub(1)).unwrap_or(0);
        kept.iter().map(of).fold(gaps, u16::saturating_add)
    };
    for head in ["Reason", "Time"] {
        if sum(&kept, |need| need.good) > cells {
            kept.retain(|need| need.head != head);
        }
    }
    for head in ["Acting for", "Tool"] {
        if sum(&kept, |need| need.least) > cells {
            kept.retain(|need| need.head != head);
        }
    }
    let mut spare = cells.saturating_sub(sum(&kept, |need| need.least));
    let mut shared: Vec<(Need, u16)> = kept.into_iter().map(|need| (need, need.least)).collect();
    let mut give = |head: &str, up_to: fn(&Need) -> u16| {
        for (need, width) in shared.iter_mut().filter(|(need, _)| need.head == head) {
            let more = up_to(need).saturating_sub(*width).min(spare);
            *width += more;
            spare -= more;
        }
    };
    for head in ["Acting for", "Scope", "Resource"] {
        give(head, |need| need.good);
    }
    // Whom it was for is told whole last: the header says it, too.
    for head in ["Tool", "Scope", "Resource", "Acting for", "Reason"] {
        give(head, |need| need.most);
    }
    shared
}

/// A person's name without where they are from.
fn local(user: &str) -> &str {
    user.split_once('@').map_or(user, |(name, _)| name)
}

/// Whether two people would be one without where they are from.
fn are_alike(rows: &[&AuditRow]) -> bool {
    let users = rows.iter().filter_map(|row| row.user.as_deref());
    let mut users: Vec<(&str, &str)> = users.map(|user| (local(user), user)).collect();
    users.sort_unstable();
    users.dedup();
    users.windows(2).any(|two| two[0].0 == two[1].0)
}

/// The chain in so much room: the person whole, of the application what is left.
fn chain_within(row: &AuditRow, room: u16, people: Names, look: &Look) -> Vec<Span<'static>> {
    let (Some(application), Some(user)) = (&row.application, &row.user) else {
        return chain(row, look);
    };
    let user = match people {
        Names::Whole => user,
        Names::Short => local(user),
    };
    let link = format!(" {} ", look.glyphs.becomes);
    let left = usize::from(room).saturating_sub(width(user) + width(&link));
    let mut spans = vec![
        span(link, look.style(Role::Dim)),
        span(user.to_owned(), of_its_run(row, look)),
    ];
    // Of a name that is cut to nothing the arrow alone is left.
    let name = truncate(application, left);
    if width(&name) < 3 && width(application) >= 3 {
        spans[0] = span(format!("{} ", look.glyphs.becomes), look.style(Role::Dim));
    } else {
        spans.insert(0, span(name.into_owned(), of_its_run(row, look)));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widths(cells: u16) -> Vec<(&'static str, u16)> {
        let needs = [
            Need::exactly("Status", 9),
            Need::exactly("Time", CLOCK),
            Need::exactly("Tool", 19),
            Need {
                head: "Resource",
                least: 9,
                good: 17,
                most: 19,
            },
            Need {
                head: "Scope",
                least: 13,
                good: 18,
                most: 24,
            },
            Need {
                head: "Acting for",
                least: 10,
                good: 28,
                most: 40,
            },
            Need {
                most: u16::MAX,
                ..Need::exactly("Reason", 34)
            },
        ];
        let shared = share(&needs, cells).into_iter();
        shared.map(|(need, width)| (need.head, width)).collect()
    }

    #[test]
    fn the_chain_comes_before_time_and_reason() {
        let heads = |cells| -> Vec<&str> { widths(cells).iter().map(|(head, _)| *head).collect() };
        let short = ["Status", "Tool", "Resource", "Scope", "Acting for"];
        assert_eq!(heads(75), short);
        assert_eq!(heads(60), short[..4]);
        assert!(heads(115).contains(&"Time"));
        assert!(heads(195).contains(&"Reason"));
    }

    #[test]
    fn no_cell_is_left_over_while_a_column_is_cut() {
        for cells in 60..200 {
            let shared = widths(cells);
            let gaps = GAP * u16::try_from(shared.len() - 1).unwrap();
            let used: u16 = shared.iter().map(|(_, width)| width).sum::<u16>() + gaps;
            let all = [("Resource", 19), ("Scope", 24), ("Acting for", 40)];
            let is_cut = all.iter().any(|(head, most)| {
                let found = shared.iter().find(|(one, _)| one == head);
                found.is_some_and(|(_, width)| width < most)
            });
            assert!(used <= cells, "{cells}");
            assert!(used == cells || !is_cut, "{cells}: {shared:?}");
        }
    }
}
