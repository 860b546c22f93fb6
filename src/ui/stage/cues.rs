//! The run sheet on the stage: one quiet row that says which cue this is and how it went, and the
//! speaker's notes above it when they are asked for.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    app::stage::{Judgement, Notes, Stage},
    config::sheet::{Cue, notes},
    support::text::{number_of, truncate, width},
    ui::{
        ViewCx,
        look::Role,
        widgets::{
            panel::{self, Attention},
            put::{self, span},
        },
    },
};

/// With fewer rows than these below the headline, notes may take two thirds of them, else half: who
/// asks for notes wants to read them.
const FEW_ROWS: u16 = 20;

/// Cells of a cue's title that are shown, however much there is to say of how it went.
const LEAST_OF_TITLE: usize = 16;

/// Draws row and notes at the bottom of `area`, and returns what is left of it.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer) -> Rect {
    let Some(stage) = cx.app.stage().filter(|_| area.height > 6) else {
        return area;
    };
    let row = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    cue(cx, put::inset(row, 1), buf, stage);
    let above = Rect {
        height: area.height - 1,
        ..area
    };
    match stage.notes() {
        Notes::Hidden => above,
        Notes::Shown => speaker(cx, above, buf, stage),
    }
}

fn cue(cx: &ViewCx, row: Rect, buf: &mut Buffer, stage: &Stage) {
    let look = cx.look;
    let dim = look.style(Role::Dim);
    let count = stage.sheet().cues.len();
    if cx.app.is_taken_over() {
        let key = cx
            .app
            .keymap()
            .shown(crate::app::command::Command::TakeOver);
        let stands_in = "! a recording stands in";
        let back = format!("  {key} comes back to what is live");
        let mut line = vec![span(stands_in, look.bold(Role::Warning))];
        if let Some((number, title)) = cx.app.recorded_cue() {
            let at = format!(": cue {number} ");
            let used = width(stands_in) + width(&at) + width(&back);
            let room = usize::from(row.width).saturating_sub(used);
            let title = truncate(title, room.max(LEAST_OF_TITLE)).into_owned();
            line.push(span(format!("{at}{title}"), look.bold(Role::Warning)));
        }
        line.push(span(back, dim));
        put::line(buf, row, 0, &Line::from(line), look);
        return;
    }
    let Some((number, cue)) = stage.current() else {
        let cues = number_of(count, "cue");
        let line = Line::from(span(format!("{}: {cues}", stage.sheet().title), dim));
        put::line(buf, row, 0, &line, look);
        return;
    };
    let judged = judged(cx);
    let number = format!("{number}/{count} ");
    let tries = match stage.tries() {
        0 | 1 => String::new(),
        tries => format!(", try {tries}"),
    };
    // Of a long title as much as leaves room for how the cue went.
    let used = width(&number) + width(&tries) + width(&judged.content);
    let room = usize::from(row.width).saturating_sub(used);
    let title = truncate(&cue.title, room.max(LEAST_OF_TITLE)).into_owned();
    let line = Line::from(vec![span(format!("{number}{title}{tries}"), dim), judged]);
    put::line(buf, row, 0, &line, look);
}

/// How the current cue went.
fn judged(cx: &ViewCx) -> Span<'static> {
    let look = cx.look;
    let dim = look.style(Role::Dim);
    match cx.app.judgement() {
        None | Some(Judgement::Unjudged) => span("", dim),
        Some(Judgement::Running) => span(format!("  {}", look.fit("…")), dim),
        Some(Judgement::TriedAgain(before)) => span(
            format!("  {} before: {before}", look.fit("…")),
            look.bold(Role::Warning),
        ),
        Some(Judgement::AsPlanned) => span(
            format!("  {} as planned", look.glyphs.good),
            look.style(Role::Good),
        ),
        Some(Judgement::Otherwise(why)) => span(
            format!("  ! not as planned: {why} "),
            look.loud(Role::Warning),
        ),
        Some(Judgement::NotSeen(why)) => span(format!("  ? {why}"), look.bold(Role::Warning)),
    }
}

/// The sheet's cue that a recording which stands in is at, and the one after it; none where the
/// recording is of another sheet.
fn stood_in<'a>(cx: &ViewCx, stage: &'a Stage) -> [Option<(usize, &'a Cue)>; 2] {
    let cues = &stage.sheet().cues;
    let of = |number: usize| cues.get(number.checked_sub(1)?).map(|cue| (number, cue));
    let is_so = |told: &(usize, &str)| of(told.0).is_some_and(|(_, cue)| cue.title == told.1);
    match cx.app.recorded_cue().filter(is_so) {
        Some((number, _)) => [of(number), of(number + 1)],
        None => [None, None],
    }
}

/// What was said last, and what comes next.
fn speaker(cx: &ViewCx, area: Rect, buf: &mut Buffer, stage: &Stage) -> Rect {
    let look = cx.look;
    let cells = usize::from(area.width.saturating_sub(4)).min(100);
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut tell = |label: &str, told: Option<(usize, &Cue)>| {
        let Some((number, cue)) = told else { return };
        if !lines.is_empty() {
            lines.push(Line::raw(""));
        }
        lines.push(Line::from(vec![
            span(format!("{label} {number} "), look.style(Role::Dim)),
            span(cue.title.clone(), look.style(Role::Heading)),
        ]));
        if cue.note.trim().is_empty() {
            let none = "no note is written for this cue";
            lines.push(Line::styled(none, look.style(Role::Dim)));
        }
        for paragraph in cue.paragraphs() {
            lines.extend(notes::lines(&paragraph, cells).into_iter().map(Line::raw));
        }
    };
    let [now, next] = if cx.app.is_taken_over() {
        stood_in(cx, stage)
    } else {
        [stage.current(), stage.upcoming()]
    };
    tell("now", now);
    tell("next", next);
    if lines.is_empty() {
        return area;
    }
    let most = if area.height < FEW_ROWS {
        area.height * 2 / 3
    } else {
        area.height / 2
    };
    let height = u16::try_from(lines.len() + 2)
        .unwrap_or(most)
        .min(most)
        .min(area.height);
    let room = usize::from(height.saturating_sub(2));
    if lines.len() > room {
        lines.truncate(room.saturating_sub(1));
        let more = look.fit("… it goes on: a larger window or --print-notes has the rest");
        lines.push(Line::styled(more.into_owned(), look.style(Role::Dim)));
    }
    let block = Rect {
        y: area.bottom() - height,
        height,
        ..area
    };
    panel::frame(buf, block, Attention::Beside, look);
    let title = Line::from(span(" Speaker's notes ", look.bold(Role::Accent)));
    let inner = put::inset(panel::titled(buf, block, &title, &Line::default(), look), 1);
    // What does not fit is what comes next: the speaker is at the cue that was begun.
    for (row, line) in (0..inner.height).zip(&lines) {
        put::line(buf, inner, row, line, look);
    }
    Rect {
        height: area.height - height,
        ..area
    }
}
