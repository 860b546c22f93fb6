//! A chapter laid out in rows of a width.

use std::ops::Range;

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{checks, key, markdown};
use crate::{
    app::{
        command::{Availability, Command, Context},
        focus::PaneId,
        learn::{Anchor, Ground, Lab, Learn, MISTAKES, Mistakes, PAUSE, command_of},
    },
    chapters::{Attempt, Segment},
    protocol::observed::ServedBy,
    support::{
        pane::Pane,
        text::{number_of, one_line},
    },
    ui::{
        ViewCx,
        look::Role,
        widgets::{prose, put::span},
    },
};

/// Rows, and what is where among them.
#[derive(Debug, Default)]
pub struct Page {
    pub lines: Vec<Line<'static>>,
    /// The rows of each item, in the order of [`Learn::items`].
    pub items: Vec<Range<usize>>,
    /// The row of each heading; the first is the top.
    pub headings: Vec<usize>,
}

impl Page {
    /// The row of a place.
    pub fn row_of(&self, anchor: Anchor) -> usize {
        let heading = self.headings.get(anchor.heading).copied().unwrap_or(0);
        heading + anchor.below
    }

    /// The place of a row.
    pub fn anchor_of(&self, row: usize) -> Anchor {
        let heading = self
            .headings
            .iter()
            .rposition(|heading| *heading <= row)
            .unwrap_or(0);
        Anchor {
            heading,
            below: row - self.headings.get(heading).copied().unwrap_or(0),
        }
    }

    /// The first row in view, nearest to `first`, with the item in view.
    pub fn with_item_in_view(&self, item: usize, first: usize, height: usize) -> usize {
        let Some(rows) = self.items.get(item) else {
            return first;
        };
        // Two rows above and below, so that one sees what it belongs to.
        let above = rows.start.saturating_sub(2);
        let below = (rows.end + 2).saturating_sub(height);
        first.max(below).min(above)
    }

    pub fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.lines.push(Line::default());
        }
    }

    fn heading(&mut self, cx: &ViewCx, text: &str) {
        self.gap();
        self.headings.push(self.lines.len());
        self.lines
            .push(Line::styled(text.to_owned(), cx.look.style(Role::Accent)));
        self.lines.push(Line::default());
    }

    /// Adds the rows of an item.
    fn item(&mut self, lines: impl IntoIterator<Item = Line<'static>>) {
        let from = self.lines.len();
        self.lines.extend(lines);
        self.items.push(from..self.lines.len());
    }

    /// Adds prose.
    pub fn prose(&mut self, runs: &[prose::Run], cells: usize) {
        self.lines.extend(prose::fill(runs, cells));
    }
}

/// What was put on the page last: things of a kind stand close together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Text,
    Action,
    Check,
}

/// Lays a chapter out.
pub fn page(cx: &ViewCx, learn: &Learn, cells: usize) -> Page {
    let chapter = learn.chapter();
    let mut page = Page {
        headings: vec![0],
        ..Page::default()
    };
    head(cx, learn, cells, &mut page);
    let mut last = Last::Text;
    for segment in &chapter.segments {
        let kind = match segment {
            Segment::Markdown { .. } => Last::Text,
            Segment::Check { .. } => Last::Check,
            Segment::Try { .. } | Segment::Show { .. } => Last::Action,
        };
        if kind != last || kind == Last::Text {
            page.gap();
        }
        last = kind;
        match segment {
            Segment::Markdown { blocks, .. } => {
                markdown::lay_out(cx, learn, blocks, cells, &mut page);
            }
            Segment::Check { id, .. } => {
                let place = chapter.checks.iter().position(|check| check.id == *id);
                if let Some(shown) = place.and_then(|place| learn.shown(place)) {
                    let chosen = learn.place().selected == page.items.len();
                    page.item(checks::lines(cx, shown, chosen, cells));
                }
            }
            Segment::Try { attempt, .. } => page.item(attempted(cx, *attempt, cells)),
            Segment::Show { pane, .. } => page.item([look_at(cx, *pane)]),
        }
    }
    pause(cx, learn, cells, &mut page);
    mistakes(cx, learn, cells, &mut page);
    way_on(cx, learn, &mut page);
    page
}

fn head(cx: &ViewCx, learn: &Learn, cells: usize, page: &mut Page) {
    let chapter = learn.chapter();
    let dim = cx.look.style(Role::Dim);
    page.lines.push(Line::from(vec![
        span(
            format!("{}. {}", chapter.number, one_line(&chapter.title)),
            cx.look.bold(Role::Heading),
        ),
        span(format!("   {} min", chapter.minutes), dim),
    ]));
    if let Some(runs) = whereabouts(cx, learn) {
        page.prose(&runs, cells);
    }
    page.gap();
}

/// Where the lab or the attendee's own server is, seen from the chapter.
fn whereabouts(cx: &ViewCx, learn: &Learn) -> Option<Vec<prose::Run>> {
    let dim = cx.look.style(Role::Dim);
    let at = cx.app.lab_chapter();
    let run = |text: &str| (text.to_owned(), dim);
    let pressed = |command| {
        let key = key(cx, command);
        (key.content.into_owned(), key.style)
    };
    if cx.app.player().is_some() {
        // The lab of a recording is gone.
        return None;
    }
    Some(match cx.app.lab() {
        Lab::Absent if learn.ground() == Ground::Own => own(cx),
        Lab::Absent => return None,
        Lab::At => vec![run("the lab is ready: it runs what this chapter is about")],
        Lab::Before => vec![
            run("the lab is not at this chapter yet; "),
            pressed(Command::ReachEnd),
            run(" does the steps"),
        ],
        Lab::Beyond => vec![
            run(&format!(
                "the lab is further on, as chapter {at} leaves it; "
            )),
            pressed(Command::BeginChapter),
            run(" begins again here"),
        ],
    })
}

/// How far the attendee's own server has come.
fn own(cx: &ViewCx) -> Vec<prose::Run> {
    let dim = cx.look.style(Role::Dim);
    // A lab of another process is followed as well, and its server is nobody's work.
    let lab = cx.app.projection().lab();
    let whose = match lab.map(|lab| lab.served_by) {
        Some(ServedBy::Lab) => "the lab's server",
        Some(ServedBy::Yours) | None => "your server",
    };
    let Some(found) = cx.app.orientation() else {
        return vec![(format!("{whose} is being looked at"), dim)];
    };
    let (text, role) = match found.troubles.first() {
        Some(_) => (
            format!("something of {whose} cannot be seen; "),
            Role::Warning,
        ),
        None if found.signs.is_empty() => {
            (format!("nothing shows how far {whose} is; "), Role::Warning)
        }
        None => (
            format!("{whose} is at the end of chapter {}; ", found.reached),
            Role::Dim,
        ),
    };
    let key = key(cx, Command::Whereabouts);
    vec![
        (text, cx.look.style(role)),
        (key.content.into_owned(), key.style),
        (" shows what was seen".to_owned(), dim),
    ]
}

/// `e   escalate the critical ticket`, and why not, where it cannot be done now.
fn attempted(cx: &ViewCx, attempt: Attempt, cells: usize) -> Vec<Line<'static>> {
    let command = command_of(attempt);
    let is_there = cx.app.is_done(attempt);
    let first = cx.app.first_of_all(attempt);
    let (words, blocked) = match cx.app.availability_in(command, Context::Panes) {
        Availability::Ready if first == Attempt::SignIn && attempt != first => {
            let key = cx.app.keymap().shown(Command::SignIn);
            let why = if attempt == Attempt::RunProbes {
                format!("it is asked in somebody's name: {key} signs in")
            } else {
                format!("without a sign-in the server says 401: {key} signs in")
            };
            (cx.look.style(Role::Dim), Some(why))
        }
        Availability::Ready => (Style::new(), None),
        Availability::Unavailable(why) => (cx.look.style(Role::Dim), Some(why)),
    };
    let mut lines = vec![Line::from(vec![
        Span::raw("  "),
        span(
            format!("{:<3} ", cx.app.keymap().shown(command)),
            cx.look.bold(Role::Key),
        ),
        span(cx.app.words_of(attempt), words),
        span(
            if is_there {
                format!("  {} done", cx.look.glyphs.good)
            } else {
                String::new()
            },
            cx.look.style(Role::Good),
        ),
    ])];
    if let Some(why) = blocked.filter(|_| !is_there) {
        let dim = cx.look.style(Role::Dim);
        for line in prose::fill(&[(why, dim)], cells.saturating_sub(6)) {
            lines.push(indented(6, line));
        }
    }
    lines
}

fn look_at(cx: &ViewCx, pane: Pane) -> Line<'static> {
    let pane = PaneId::from(pane);
    let key = cx.app.keymap().shown(Command::Show(pane));
    let (text, role) = match cx.app.stands(pane) {
        Some(stands) => (format!("{} {}", pane.name(), stands.words()), Role::Dim),
        None => (format!("look at {}", pane.name()), Role::Text),
    };
    Line::from(vec![
        Span::raw("  "),
        span(format!("{key:<3} "), cx.look.bold(Role::Key)),
        span(text, cx.look.style(role)),
    ])
}

fn pause(cx: &ViewCx, learn: &Learn, cells: usize, page: &mut Page) {
    let chapter = learn.chapter();
    let Some((question, _)) = &chapter.question else {
        page.headings.push(page.lines.len());
        return;
    };
    page.heading(cx, PAUSE);
    page.prose(&[(one_line(question), cx.look.style(Role::Heading))], cells);
    page.lines.push(Line::default());
    let Some(answer) = &chapter.answer else {
        return;
    };
    if learn.is_answered() {
        let from = page.lines.len();
        markdown::lay_out_plain(cx, answer, cells, page);
        page.items.push(from..page.lines.len());
    } else {
        page.item([Line::from(vec![
            Span::raw("  "),
            span(
                format!("{:<3} ", cx.app.keymap().shown(Command::Answer)),
                cx.look.bold(Role::Key),
            ),
            span("think first, then unfold the answer", Style::new()),
        ])]);
    }
}

fn mistakes(cx: &ViewCx, learn: &Learn, cells: usize, page: &mut Page) {
    let mistakes = &learn.chapter().mistakes;
    if mistakes.is_empty() {
        page.headings.push(page.lines.len());
        return;
    }
    let shown = learn.mistakes();
    if shown == Mistakes::Folded {
        page.gap();
        page.headings.push(page.lines.len());
        page.item([Line::from(vec![
            Span::raw("  "),
            span(
                format!("{:<3} ", cx.app.keymap().shown(Command::Mistakes)),
                cx.look.bold(Role::Key),
            ),
            span(
                format!("{MISTAKES}: {}", number_of(mistakes.len(), "known mistake")),
                cx.look.style(Role::Dim),
            ),
        ])]);
        return;
    }
    page.heading(cx, MISTAKES);
    let from = page.lines.len();
    for mistake in mistakes {
        let plain = Style::new();
        let runs = [
            (one_line(&mistake.seen), cx.look.style(Role::Heading)),
            (
                format!(
                    ": {}. {}.",
                    one_line(&mistake.cause.general()),
                    one_line(&mistake.fix.general())
                ),
                plain,
            ),
        ];
        for (place, line) in prose::fill(&runs, cells.saturating_sub(4))
            .into_iter()
            .enumerate()
        {
            let mark = if place == 0 { "- " } else { "  " };
            let mut spans = vec![span(format!("  {mark}"), cx.look.style(Role::Dim))];
            spans.extend(line.spans);
            page.lines.push(Line::from(spans));
        }
    }
    if shown == Mistakes::Unfolded {
        page.items.push(from..page.lines.len());
    }
}

fn way_on(cx: &ViewCx, learn: &Learn, page: &mut Page) {
    page.gap();
    let dim = cx.look.style(Role::Dim);
    let line = match learn.following() {
        Some(next) => Line::from(vec![
            key(cx, Command::NextChapter),
            span(
                format!("  on to {}. {}", next.number, one_line(&next.title)),
                cx.look.style(Role::Heading),
            ),
            span(format!("   {} min", next.minutes), dim),
        ]),
        None => Line::from(vec![
            key(cx, Command::Contents),
            span(
                "  that was the last chapter: see all of them",
                cx.look.style(Role::Heading),
            ),
        ]),
    };
    page.lines.push(line);
}

/// A line with blanks before it.
pub fn indented(cells: usize, line: Line<'static>) -> Line<'static> {
    let mut spans = vec![Span::raw(" ".repeat(cells))];
    spans.extend(line.spans);
    Line::from(spans).style(line.style)
}
