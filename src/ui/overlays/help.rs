//! Every key and what it does, from the registry and the keymap in force.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use super::{extent, window};
use crate::{
    app::{
        command::{COMMANDS, Group, Spec},
        overlay::Overlay,
    },
    support::text::width,
    ui::{
        HitMap, ViewCx,
        look::Role,
        widgets::{flowing, put::span},
    },
};

/// Cells for the keys: all of them, and where the words need the room.
const KEYS: usize = 20;
const FEW_KEYS: usize = 16;
/// The window in one column.
const ONE_COLUMN: u16 = 96;
/// From here on two columns.
const TWO_COLUMNS: u16 = 150;

/// Draws the help.
pub fn draw(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, scroll: usize) {
    let two = body.width >= TWO_COLUMNS;
    let width = if two { body.width - 8 } else { ONE_COLUMN };
    let keys = if body.width < ONE_COLUMN {
        FEW_KEYS
    } else {
        KEYS
    };
    let groups = |groups: &[Group]| -> Vec<Line<'static>> {
        groups
            .iter()
            .flat_map(|group| section(cx, *group, keys))
            .collect()
    };
    let mut order = Group::ALL.to_vec();
    let wanted = wanted(cx);
    order.sort_by_key(|group| {
        let place = wanted.iter().position(|wanted| wanted == group);
        place.unwrap_or(wanted.len())
    });
    let columns = if two {
        let (left, right): (Vec<_>, Vec<_>) = order.into_iter().partition(|group| match group {
            Group::Story | Group::Chapters | Group::Panes | Group::Replay => true,
            Group::Stage | Group::Compare | Group::Reading | Group::Program | Group::Overlay => {
                wanted.contains(group)
            }
        });
        let mut left = groups(&left);
        left.extend(legend(cx, keys));
        vec![left, groups(&right)]
    } else {
        let mut all = groups(&order);
        all.extend(legend(cx, keys));
        vec![all]
    };
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let height = u16::try_from(tallest + 2).unwrap_or(u16::MAX);
    let inner = window(
        cx,
        body,
        buf,
        hits,
        (width, height),
        "Keys",
        Role::Focus,
        &Line::default(),
    );
    let count = u16::try_from(columns.len()).unwrap_or(1).max(1);
    let each = inner.width / count;
    let mut most = 0;
    for (place, lines) in (0..count).zip(&columns) {
        let area = Rect {
            x: inner.x + place * each,
            width: each.saturating_sub(u16::from(two)),
            ..inner
        };
        most = most.max(flowing::draw(buf, area, lines, scroll, cx.look));
    }
    extent(hits, most);
}

/// What somebody who asks here looks for.
fn wanted(cx: &ViewCx) -> &'static [Group] {
    let compares = |overlay: &Overlay| matches!(overlay, Overlay::Compare | Overlay::Both { .. });
    if cx.app.stage().is_some() {
        &[Group::Stage]
    } else if cx.app.overlays().iter().any(compares) {
        &[Group::Compare, Group::Overlay, Group::Replay]
    } else if cx.app.player().is_some() {
        &[Group::Replay, Group::Panes]
    } else {
        &[]
    }
}

/// What stands in the rows.
fn legend(cx: &ViewCx, room: usize) -> Vec<Line<'static>> {
    let look = cx.look;
    let of = |mark: String, role: Role, text: &'static str| {
        Line::from(vec![
            span(format!("  {mark:<room$}"), look.bold(role)),
            span(text, Style::new()),
        ])
    };
    vec![
        Line::styled("In the rows", look.style(Role::Heading)),
        of(
            "A B C".to_owned(),
            Role::Masked,
            "The key: one letter for each credential; the same letter is the same one",
        ),
        of(
            format!("{} issued", look.glyphs.good),
            Role::Good,
            "The zone gave a credential for this resource and scope",
        ),
        of(
            format!("{} refused", look.glyphs.bad),
            Role::Bad,
            "It gave none (the zone's own word, in Audit: Failure)",
        ),
        of(
            format!("{} 401", look.glyphs.bullet),
            Role::Text,
            "Not signed in yet: the answer says where to sign in",
        ),
        of(
            "Zone".to_owned(),
            Role::Text,
            "The authorization server: Keycard, or the lab's stand-in",
        ),
        Line::raw(""),
    ]
}

fn section(cx: &ViewCx, group: Group, least: usize) -> Vec<Line<'static>> {
    // On a stage the cues' keys leave some commands without any.
    let has_keys =
        |spec: &&Spec| cx.app.stage().is_none() || !cx.app.keymap().keys(spec.command).is_empty();
    let entries: Vec<Line<'static>> = COMMANDS
        .iter()
        .filter(|spec| spec.group == group)
        .filter(has_keys)
        .map(|spec| entry(cx, spec, least))
        .collect();
    if entries.is_empty() {
        return entries;
    }
    let mut lines = vec![Line::styled(group.name(), cx.look.style(Role::Heading))];
    lines.extend(entries);
    lines.push(Line::raw(""));
    lines
}

fn entry(cx: &ViewCx, spec: &Spec, least: usize) -> Line<'static> {
    let keys: Vec<String> = cx
        .app
        .keymap()
        .keys(spec.command)
        .iter()
        .map(ToString::to_string)
        .collect();
    let keys = if keys.is_empty() {
        cx.look.glyphs.dash.to_owned()
    } else {
        keys.join(" ")
    };
    // Many keys take the room that they need.
    let room = least.max(width(&keys) + 1);
    Line::from(vec![
        span(format!("  {keys:<room$}"), cx.look.style(Role::Key)),
        span(spec.doc, Style::new()),
    ])
}
