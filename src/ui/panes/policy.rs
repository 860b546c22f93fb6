//! Policy: what is in force, in Cedar, and what decided last and why.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{cedar, extent, or_dash, teach};
use crate::{
    app::{command::Command, focus::PaneId, target::Target},
    projection::policy::Decision,
    protocol::{
        audit::Effect,
        console::{Owner, Policy, PolicyOverview},
    },
    support::text::{one_line, padded, width, wrap},
    ui::{
        HitMap, ViewCx,
        look::Role,
        widgets::{
            flowing,
            put::{self, span},
            verdict::Verdict,
        },
    },
};

/// Policies that the list shows at once.
const MOST_LISTED: u16 = 8;

/// What the title says: the set in force.
pub fn state(cx: &ViewCx) -> Line<'static> {
    match cx.app.projection().policies().active() {
        Some(set) => Line::styled(
            format!(
                " {} v{} ",
                one_line(&set.name),
                set.active_version.unwrap_or(set.latest_version)
            ),
            cx.look.style(Role::Dim),
        ),
        None => Line::default(),
    }
}

/// Draws the pane's inside.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let policies = cx.app.projection().policies();
    let Some(overview) = policies.overview() else {
        if let Some(how) = cx.app.projection().way_to_the_log() {
            let why =
                "The zone's policy sets are not read: that needs a credential for its console.";
            return teach(cx, area, buf, &[why, how], &[]);
        }
        return teach(
            cx,
            area,
            buf,
            &[
                "The zone's active policy set will stand here, its policies in Cedar, and which of them decided the last request. It is read when the zone answers.",
            ],
            &[(Command::Refresh, "read it now")],
        );
    };
    let area = put::inset(area, 1);
    let mut row = 0;
    for line in [
        in_force(cx, overview, area.width),
        decided(cx, policies.last()),
    ] {
        put::line(buf, area, row, &line, cx.look);
        row += 1;
    }
    if let Some(decision) = policies.last() {
        put::line(buf, area, row, &why(cx, decision), cx.look);
        row += 1;
    }
    row += 1;
    let listed = list(cx, put::below(area, row), buf, hits, overview);
    row += listed;
    put::rule(
        buf,
        area,
        row,
        cx.look.glyphs.horizontal,
        cx.look.style(Role::Border),
    );
    let text = put::below(area, row + 1);
    if let Some(policy) = overview.active_policies.get(cx.app.open_policy()) {
        let cells = usize::from(text.width.saturating_sub(1));
        let mut lines = cedar::lines(&policy.latest_version.cedar_raw, cells, cx.look);
        if policy.owner_type == Owner::Platform {
            let note = "The platform publishes no text of its defaults; these words are the lab's.";
            let dim = cx.look.style(Role::Dim);
            let note = wrap(note, cells)
                .into_iter()
                .map(|line| Line::styled(line, dim));
            lines.splice(0..0, note);
        }
        let most = flowing::draw(buf, text, &lines, cx.app.panes().policy_scroll, cx.look);
        extent(hits, PaneId::Policy, most);
    }
}

fn in_force(cx: &ViewCx, overview: &PolicyOverview, room: u16) -> Line<'static> {
    let look = cx.look;
    let active = overview
        .sets
        .iter()
        .find(|set| set.active_version.is_some());
    let mut spans = vec![span("in force    ", look.style(Role::Dim))];
    match active {
        Some(set) => {
            spans.push(span(one_line(&set.name), look.style(Role::Heading)));
            spans.push(span(
                format!(
                    " v{}  {}",
                    set.active_version.unwrap_or(set.latest_version),
                    owner(set.owner_type)
                ),
                look.style(Role::Dim),
            ));
        }
        None => spans.push(span(
            "no set: everything is refused",
            look.bold(Role::Warning),
        )),
    }
    if let Some(other) = cx.app.other_policy_set() {
        let key = format!("   {}", cx.app.keymap().shown(Command::TogglePolicy));
        let used: usize = spans.iter().map(|s| width(&s.content)).sum();
        let left = usize::from(room).saturating_sub(used + width(&key));
        // Half a hint is none: the footer has the key, too.
        let told = [
            format!(" switches to {}", one_line(&other.name)),
            " switches".to_owned(),
        ]
        .into_iter()
        .find(|told| width(told) <= left);
        if let Some(told) = told {
            spans.push(span(key, look.style(Role::Key)));
            spans.push(span(told, look.style(Role::Dim)));
        }
    }
    Line::from(spans)
}

const fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Platform => "platform",
        Owner::Customer => "customer",
    }
}

fn decided(cx: &ViewCx, decision: Option<&Decision>) -> Line<'static> {
    let look = cx.look;
    let mut spans = vec![span("last asked  ", look.style(Role::Dim))];
    let Some(decision) = decision else {
        spans.push(span("nothing yet", look.style(Role::Dim)));
        return Line::from(spans);
    };
    spans.push(match decision.effect {
        Effect::Allow => Verdict::Good.show("Allow", look),
        Effect::Deny => Verdict::Bad.show("Deny", look),
    });
    spans.push(Span::raw("  "));
    if let Some(tool) = &decision.tool {
        spans.push(span(format!("{tool} wants "), Style::new()));
    }
    spans.push(span(
        decision.scope.as_deref().unwrap_or("access").to_owned(),
        look.style(Role::Heading),
    ));
    spans.push(span(" on ", Style::new()));
    spans.push(or_dash(decision.resource.as_deref(), Style::new(), look));
    let now = cx.run.policies().active().map(|set| set.name.as_str());
    if let Some(then) = decision.set.as_ref().filter(|set| now != Some(&*set.name)) {
        let then = format!("  when {} was in force", then.name);
        spans.push(span(then, look.style(Role::Warning)));
    }
    Line::from(spans)
}

fn why(cx: &ViewCx, decision: &Decision) -> Line<'static> {
    let look = cx.look;
    let names: Vec<&str> = decision.policies().collect();
    let label = span("because     ", look.style(Role::Dim));
    let text = match (decision.effect, names.is_empty()) {
        (Effect::Deny, true) => "no policy permits it".to_owned(),
        (Effect::Deny, false) => {
            format!("forbidden by {}: forbid overrides permit", names.join(", "))
        }
        (Effect::Allow, true) => "the zone did not say by which policy".to_owned(),
        (Effect::Allow, false) => format!("permitted by {}", names.join(", ")),
    };
    Line::from(vec![label, span(one_line(&text), Style::new())])
}

/// The policies, the one that decided marked; returns the rows taken.
fn list(
    cx: &ViewCx,
    area: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    overview: &PolicyOverview,
) -> u16 {
    let policies = cx.app.projection().policies();
    let open = cx.app.open_policy();
    let decision = policies.last();
    let decided = decision.map_or_else(Vec::new, |decision| policies.highlight(decision));
    let count = u16::try_from(overview.active_policies.len()).unwrap_or(u16::MAX);
    let rows = count.min(MOST_LISTED).min(area.height / 2);
    let first = crate::ui::widgets::scroll::window(usize::from(count), open, usize::from(rows));
    let place = Rect {
        height: rows,
        ..area
    };
    for ((index, policy), row) in overview
        .active_policies
        .iter()
        .enumerate()
        .skip(first)
        .zip(place.rows())
    {
        hits.add(row, Target::Row(PaneId::Policy, index));
        let effect = decision
            .filter(|_| decided.contains(&index))
            .map(|decision| decision.effect);
        put::line(
            buf,
            row,
            0,
            &entry(cx, policy, index == open, effect),
            cx.look,
        );
    }
    rows
}

fn entry(cx: &ViewCx, policy: &Policy, open: bool, effect: Option<Effect>) -> Line<'static> {
    let look = cx.look;
    let mark = if open { look.glyphs.selected } else { " " };
    let name = if open {
        look.style(Role::Heading)
    } else {
        Style::new()
    };
    let mut spans = vec![
        span(format!("{mark} "), look.bold(Role::Accent)),
        span(padded(&one_line(&policy.name), 28), name),
        span(
            format!(
                " v{} {:<10}",
                policy.latest_version.version,
                owner(policy.owner_type)
            ),
            look.style(Role::Dim),
        ),
    ];
    match effect {
        Some(Effect::Deny) => spans.push(Verdict::Bad.show("forbade it", look)),
        Some(Effect::Allow) => spans.push(Verdict::Good.show("permitted it", look)),
        None => {}
    }
    Line::from(spans)
}
