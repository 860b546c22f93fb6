//! The console work: its steps, what each fills in, and a form that is being filled in.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use tui_input::Input;

use super::{chapters::hints, window};
use crate::{
    app::{
        command::Command,
        learn::{
            Learn,
            console::{
                Step,
                form::{Entry, Field, Form, Kind},
            },
        },
        target::Target,
    },
    support::{
        error::Failure,
        text::{one_line, padded, truncate, width},
    },
    ui::{
        HitMap, ViewCx,
        look::{Look, Role},
        widgets::{
            field, prose,
            put::{self, span},
            scroll,
        },
    },
};

const WIDTH: u16 = 76;
/// A form is wider: three choices beside a label need it.
const FORM_WIDTH: u16 = 78;
/// Where values begin, unless a label is longer.
const VALUES: usize = 25;
/// The rows that a form's fields have in any case.
const LEAST_ROWS: u16 = 3;
/// Stands before what is not as it was filled in.
const CHANGED: &str = "*";
/// Faults of a refused text that are named one by one.
const FAULTS: usize = 3;
/// Where the lines of a long text begin.
const LONG: usize = 4;

/// Draws the steps, and what the selected one fills in.
pub fn steps(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, selected: usize) {
    let look = cx.look;
    let work = cx.app.learn().and_then(Learn::work);
    let steps = work.map_or(&[][..], |work| work.steps.as_slice());
    let selected = selected.min(steps.len().saturating_sub(1));
    let done = steps.iter().filter(|step| step.taken.is_some()).count();
    // Whether a step that was taken is right the chapter's checks tell.
    let at_fault = cx.app.learn().map(Learn::steps_at_fault);
    let at_fault = at_fault.unwrap_or_default();
    let state = if cx.app.has_console_fault() {
        "taken"
    } else {
        "done"
    };
    let right = Line::styled(
        format!(" {done} of {} {state} ", steps.len()),
        look.style(Role::Dim),
    );
    let cells = usize::from(WIDTH.min(body.width)).saturating_sub(8);
    // The list must not move while one goes along it: the longest form has room, and a line below it.
    let forms = steps.iter().map(|step| filled_in(look, step, cells).len());
    let longest = forms.max().unwrap_or(0) + 1;
    let form = steps.get(selected).map_or_else(Vec::new, |step| {
        let mut lines = filled_in(look, step, cells);
        let room = longest - lines.len();
        lines.extend(came_of(look, step, cells, room));
        lines
    });
    let wanted = u16::try_from(steps.len() + longest + 6).unwrap_or(u16::MAX);
    let title = "In the zone's console";
    let size = (WIDTH, wanted.max(8));
    let inner = window(cx, body, buf, hits, size, title, Role::Focus, &right);
    if steps.is_empty() {
        put::text(
            buf,
            inner,
            1,
            2,
            "looking at the console",
            look.style(Role::Dim),
            look,
        );
        return;
    }
    // The form may have what the steps leave.
    let steps_take = u16::try_from(steps.len()).unwrap_or(u16::MAX);
    let left = inner.height.saturating_sub(steps_take.saturating_add(2));
    let below = u16::try_from(longest)
        .unwrap_or(u16::MAX)
        .min(left.max(inner.height / 2))
        + 2;
    let list = Rect {
        height: inner.height.saturating_sub(below),
        ..inner
    };
    let row = |place: usize| {
        let step = &steps[place];
        let changed = step.taken.is_some() && step.is_changed();
        let (mark, role) = match step.taken {
            Some(_) if at_fault.contains(&place) => (look.glyphs.bad, Role::Bad),
            Some(_) if changed => (CHANGED, Role::Warning),
            Some(_) => (look.glyphs.good, Role::Good),
            None => (look.glyphs.dot, Role::Dim),
        };
        let words = if place == selected {
            look.bold(Role::Accent)
        } else {
            Style::new()
        };
        let how = if changed { " (changed)" } else { "" };
        let title = format!("{:>2}  {}{how}", place + 1, one_line(&step.title));
        Line::from(vec![
            span(format!("{mark} "), look.bold(role)),
            span(title, words),
        ])
    };
    super::rows(cx, list, buf, hits, steps.len(), row, selected);
    let under = Rect {
        y: list.bottom(),
        height: inner.bottom().saturating_sub(list.bottom()),
        ..inner
    };
    let room = usize::from(under.height.saturating_sub(1));
    for (row, line) in (0..).zip(form.iter().take(room)) {
        put::line(buf, put::inset(under, 1), row, line, look);
    }
    let foot = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1.min(inner.height),
        ..inner
    };
    if done == steps.len() {
        let mut line = vec![if cx.app.has_console_fault() {
            let bad = look.glyphs.bad;
            let at = match at_fault.first() {
                Some(first) if !at_fault.contains(&selected) => format!(" at step {}", first + 1),
                Some(_) | None => String::new(),
            };
            let words = format!("{bad} a check fails{at}   ");
            span(words, look.style(Role::Bad))
        } else if steps.iter().any(Step::is_changed) {
            span("taken; the checks judge it   ", look.style(Role::Warning))
        } else {
            span(
                format!("{} all of it is done   ", look.glyphs.good),
                look.style(Role::Good),
            )
        }];
        let keys = [
            (Command::ChangeForm, "change this"),
            (Command::Back, "back to the chapter"),
        ];
        line.extend(hints(cx, &keys).spans);
        put::line(buf, foot, 0, &Line::from(line), look);
        return;
    }
    let keys = [
        (Command::Accept, "take the step"),
        (Command::ChangeForm, "change it"),
        (Command::AllSteps, "all that are left"),
        (Command::Back, "close"),
    ];
    put::line(buf, foot, 0, &hints(cx, &keys), look);
}

/// What a step fills in.
fn filled_in(look: &Look, step: &Step, cells: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    let values = values_at(step.form.iter());
    for field in &step.form {
        // A text of several lines has them to itself: it is read, not glanced at.
        let (label, indent) = if field.value.contains('\n') {
            let label = format!("{} {}", mark(field), field.label);
            lines.push(Line::from(label_of(look, field, &label)));
            (String::new(), LONG)
        } else {
            (
                format!("{} {}", mark(field), one_line(&field.label)),
                values,
            )
        };
        for part in field.value.split('\n') {
            let room = cells.saturating_sub(indent + 1);
            lines.push(Line::from(vec![
                label_of(look, field, &padded(&label, indent)),
                span(truncate(&one_line(part), room).into_owned(), Style::new()),
            ]));
        }
    }
    lines
}

/// What came of a step, in so many rows.
fn came_of(look: &Look, step: &Step, cells: usize, rows: usize) -> Vec<Line<'static>> {
    let Some(told) = &step.taken else {
        return Vec::new();
    };
    let mut lines = prose::fill(&[(one_line(told), look.style(Role::Good))], cells);
    let more = lines.len() > rows;
    lines.truncate(rows);
    if more && let Some(last) = lines.last_mut() {
        last.push_span(span(
            format!(" {}", look.glyphs.ellipsis),
            look.style(Role::Dim),
        ));
    }
    let indented = |line: Line<'static>| {
        let mut spans = vec![Span::raw("  ")];
        spans.extend(line.spans);
        Line::from(spans)
    };
    lines.into_iter().map(indented).collect()
}

/// Where the values begin beside these labels.
fn values_at<'a>(fields: impl Iterator<Item = &'a Field>) -> usize {
    let longest = fields
        .filter(|field| field.kind != Kind::Lines)
        .map(|field| width(&one_line(&field.label)));
    // The mark and a space before it, and a space after it.
    longest
        .max()
        .map_or(VALUES, |longest| VALUES.max(longest + 3))
}

/// What stands before a field that holds something else than at first.
fn mark(field: &Field) -> &'static str {
    if field.is_changed() { CHANGED } else { " " }
}

fn label_of(look: &Look, field: &Field, label: &str) -> Span<'static> {
    let role = if field.is_changed() {
        Role::Warning
    } else {
        Role::Dim
    };
    span(one_line(label), look.style(role))
}

/// A row of the form: which field it belongs to, and what is in it.
struct Row<'a> {
    field: Option<usize>,
    label: Line<'static>,
    /// A line that is being typed, and where it begins.
    typed: Option<(&'a Input, usize)>,
}

/// Draws a form that is being filled in.
pub fn form(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, form: &Form) {
    let look = cx.look;
    let cells = usize::from(FORM_WIDTH.min(body.width)).saturating_sub(4);
    let (rows, cursor) = form_rows(look, form, cells);
    let below = under(cx, form, cells);
    let foot = u16::try_from(below.len()).unwrap_or(u16::MAX);
    let wanted = u16::try_from(rows.len()).unwrap_or(u16::MAX);
    let wanted = wanted.max(LEAST_ROWS);
    let size = (FORM_WIDTH, wanted.saturating_add(foot).saturating_add(3));
    let right = Line::styled(
        match form
            .entries()
            .iter()
            .filter(|one| one.field().is_changed())
            .count()
        {
            0 => String::new(),
            1 => " * one field changed ".to_owned(),
            count => format!(" * {count} fields changed "),
        },
        look.style(Role::Warning),
    );
    let title = one_line(&form.title);
    let inner = window(cx, body, buf, hits, size, &title, Role::Focus, &right);
    let list = Rect {
        y: inner.y + 1.min(inner.height),
        height: inner
            .height
            .saturating_sub(foot.saturating_add(1))
            .max(LEAST_ROWS.min(inner.height)),
        ..inner
    };
    let first = scroll::window(rows.len(), cursor, usize::from(list.height));
    for (row, area) in rows.iter().skip(first).zip(list.rows()) {
        if let Some(field) = row.field {
            hits.add(area, Target::OverlayRow(field));
        }
        put::line(buf, area, 0, &row.label, look);
        if let Some((input, indent)) = row.typed {
            let indent = u16::try_from(indent).unwrap_or(0).min(area.width);
            let place = Rect {
                x: area.x + indent,
                width: area.width.saturating_sub(indent + 1),
                ..area
            };
            field::draw(buf, place, input, "", look);
        }
    }
    scroll::bar(buf, list, rows.len(), first, look);
    let under = Rect {
        y: list.bottom(),
        height: inner.bottom().saturating_sub(list.bottom()),
        ..inner
    };
    for (row, line) in (0..).zip(below.iter()) {
        put::line(buf, under, row, line, look);
    }
}

/// The rows of a form, and the one with the cursor.
fn form_rows<'a>(look: &Look, form: &'a Form, cells: usize) -> (Vec<Row<'a>>, usize) {
    let mut rows = Vec::new();
    let mut cursor = 0;
    let values = 2 + values_at(form.entries().iter().map(Entry::field));
    for (place, entry) in form.entries().iter().enumerate() {
        let here = place == form.at();
        if here {
            cursor = rows.len();
        }
        let field = entry.field();
        let pointer = if here { look.glyphs.selected } else { " " };
        let label = format!("{} {}", mark(field), field.label);
        let label = vec![
            span(format!("{pointer} "), look.bold(Role::Accent)),
            label_of(look, field, &label),
        ];
        if field.kind == Kind::Lines {
            rows.push(Row {
                field: Some(place),
                label: Line::from(label),
                typed: None,
            });
            if here {
                cursor = rows.len() + entry.row();
            }
            rows.extend(long_text(entry, place, here, cells));
            continue;
        }
        let used: usize = label.iter().map(|span| width(&span.content)).sum();
        let mut spans = label;
        spans.push(Span::raw(" ".repeat(values.saturating_sub(used))));
        let room = cells.saturating_sub(values);
        let typed = match &field.kind {
            Kind::Text if here => entry.lines().first().map(|line| (line, values)),
            Kind::Choice(among) => {
                spans.extend(choices(look, among, &field.value, here, room));
                None
            }
            Kind::Text | Kind::Lines | Kind::Fixed => {
                let style = match field.kind {
                    Kind::Fixed => look.style(Role::Dim),
                    Kind::Text | Kind::Lines | Kind::Choice(_) => Style::new(),
                };
                let value = truncate(&one_line(&field.value), room).into_owned();
                spans.push(span(value, style));
                None
            }
        };
        rows.push(Row {
            field: Some(place),
            label: Line::from(spans),
            typed,
        });
    }
    (rows, cursor)
}

fn long_text(entry: &Entry, place: usize, here: bool, cells: usize) -> Vec<Row<'_>> {
    let row = |(number, line)| {
        let line: &Input = line;
        let text = truncate(&one_line(line.value()), cells.saturating_sub(LONG)).into_owned();
        Row {
            field: Some(place),
            label: Line::from(format!("{}{text}", " ".repeat(LONG))),
            typed: (here && number == entry.row()).then_some((line, LONG)),
        }
    };
    entry.lines().iter().enumerate().map(row).collect()
}

/// What may be chosen, the chosen one in brackets; where that is too long, the chosen one alone.
fn choices(
    look: &Look,
    among: &[String],
    chosen: &str,
    here: bool,
    room: usize,
) -> Vec<Span<'static>> {
    let total: usize = among.iter().map(|one| width(one) + 3).sum();
    let shown = |one: &&String| total <= room + 1 || *one == chosen;
    let mut spans = Vec::new();
    for one in among.iter().filter(shown) {
        let text = one_line(one);
        let is_chosen = one == chosen;
        let style = match (is_chosen, here) {
            (true, true) => look.bold(Role::Accent),
            (true, false) => Style::new(),
            (false, _) => look.style(Role::Dim),
        };
        let text = if is_chosen {
            format!("[{text}] ")
        } else {
            format!(" {text}  ")
        };
        spans.push(span(text, style));
    }
    spans
}

/// What stands under the fields: what the zone did not take, what the field held, and the keys.
fn under(cx: &ViewCx, form: &Form, cells: usize) -> Vec<Line<'static>> {
    let look = cx.look;
    let mut lines = vec![Line::default()];
    if let Some(failure) = form.refused() {
        lines.extend(refusal(look, failure, cells));
        lines.push(Line::default());
    }
    let current = form.current();
    if let Some(field) = current.filter(|field| field.is_changed()) {
        let before = match field.kind {
            Kind::Lines => "this text was changed   ".to_owned(),
            Kind::Text | Kind::Choice(_) | Kind::Fixed => {
                let before = one_line(&field.prefilled);
                format!("at first: {}   ", truncate(&before, cells / 2))
            }
        };
        let mut line = vec![span(format!("* {before}"), look.style(Role::Warning))];
        line.extend(hints(cx, &[(Command::SetBack, "sets it back")]).spans);
        lines.push(Line::from(line));
    }
    let mut keys = vec![(Command::Accept, "take the step")];
    match current.map(|field| &field.kind) {
        Some(Kind::Choice(_)) => keys.push((Command::NextChoice, "choose")),
        Some(Kind::Lines) => keys.extend([
            (Command::BreakLine, "new line"),
            (Command::OwnEditor, "your editor"),
        ]),
        Some(Kind::Text | Kind::Fixed) | None => {}
    }
    if form.has_more_fields() {
        let next = match current.map(|field| &field.kind) {
            // There the arrows go through the text.
            Some(Kind::Lines) => None,
            _ => Some((Command::NextField, "next field")),
        };
        keys.extend(next);
    }
    keys.push((Command::Back, "cancel"));
    lines.push(hints(cx, &keys));
    lines
}

fn refusal(look: &Look, failure: &Failure, cells: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let head = format!("{} {}", look.glyphs.bad, one_line(&failure.what));
    lines.push(Line::styled(head, look.bold(Role::Bad)));
    let why = one_line(&failure.why);
    // The zone names each fault of a policy on a line of its own.
    let faults: Vec<&str> = why.split('\u{23ce}').collect();
    let shown = faults.iter().take(FAULTS).map(|fault| one_line(fault));
    let rest = faults.len().saturating_sub(FAULTS);
    let rest = (rest > 0).then(|| format!("and {rest} more"));
    let parts = shown.chain(rest).map(|part| (part, Role::Bad));
    for (part, role) in parts.chain([(one_line(&failure.next), Role::Text)]) {
        let words = [(part, look.style(role))];
        for line in prose::fill(&words, cells.saturating_sub(2)) {
            let mut spans = vec![Span::raw("  ")];
            spans.extend(line.spans);
            lines.push(Line::from(spans));
        }
    }
    lines
}
