//! Drawing: the only importer of ratatui's widgets. `draw` is a function of (`App`, `Look`, size).
//!
//! ```text
//! explore, from 160 columns        explore, from 100     stage
//! ┌─────────── header ──────────┐  ┌───── header ─────┐  ┌──────── header ────────┐
//! │ focused pane │ companion    │  │ focused pane     │  │ verdict, large letters │
//! │              ├──────────────┤  ├──────────────────┤  │ flow                   │
//! │              │ second       │  │ companion        │  │ audit                  │
//! └─────────── footer ──────────┘  └───── footer ─────┘  └──────── footer ────────┘
//! ```
//!
//! Keeps no state: what is selected and scrolled is in [`App`], what can be clicked goes out in the
//! [`HitMap`].

pub mod footer;
pub mod header;
pub mod look;
pub mod overlays;
pub mod panes;
mod stage;
pub mod tier;
pub mod timeline;
pub mod widgets;

use ratatui::{Frame, buffer::Buffer, layout::Rect, text::Line};

use self::{
    look::{Look, Role},
    panes::Placement,
    tier::Tier,
    widgets::{panel::Attention, put},
};
use crate::{
    app::{
        App, Extent, FOR_THREE, LEAST,
        command::Command,
        focus::{Layout, PaneId, Zoom},
        target::Target,
    },
    projection::Projection,
};

/// What a region needs to draw itself.
#[derive(Debug, Clone, Copy)]
pub struct ViewCx<'a> {
    pub app: &'a App,
    /// The run that a window looks at closely: the app's own, or the other of two.
    pub run: &'a Projection,
    pub look: &'a Look,
    pub tier: Tier,
}

/// What lies where in the frame that was drawn.
#[derive(Debug, Clone, Default)]
pub struct HitMap {
    areas: Vec<(Rect, Target)>,
    /// How far things can be scrolled; hand it to [`App::settle`].
    pub extents: Vec<Extent>,
}

impl HitMap {
    /// What lies at a cell; of several, what was drawn last.
    #[must_use]
    pub fn at(&self, column: u16, row: u16) -> Option<Target> {
        self.areas
            .iter()
            .rfind(|(area, _)| area.contains((column, row).into()))
            .map(|(_, target)| *target)
    }

    /// Every area, in drawing order.
    #[must_use]
    pub fn areas(&self) -> &[(Rect, Target)] {
        &self.areas
    }

    fn add(&mut self, area: Rect, target: Target) {
        if !area.is_empty() {
            self.areas.push((area, target));
        }
    }
}

/// Draws the whole screen.
pub fn draw(app: &App, look: &Look, frame: &mut Frame) -> HitMap {
    let area = frame.area();
    draw_into(app, look, area, frame.buffer_mut())
}

/// [`draw`] for anything that has a buffer.
pub fn draw_into(app: &App, look: &Look, area: Rect, buf: &mut Buffer) -> HitMap {
    let mut hits = HitMap::default();
    let cx = ViewCx {
        app,
        run: app.projection(),
        look,
        tier: Tier::of(area),
    };
    if cx.tier == Tier::TooSmall {
        too_small(&cx, area, buf);
        return hits;
    }
    let head = Rect { height: 1, ..area };
    let foot = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    header::draw(&cx, head, buf);
    let above = if timeline::is_shown(app.source()) {
        let row = Rect {
            y: area.y + 1,
            ..head
        };
        timeline::draw(&cx, row, buf, &mut hits);
        2
    } else {
        1
    };
    let body = Rect {
        y: area.y + above,
        height: area.height - above - 1,
        ..area
    };
    match app.focus().layout {
        Layout::Stage => stage::draw(&cx, body, buf, &mut hits),
        Layout::Explore | Layout::Learn => side_by_side(&cx, body, buf, &mut hits),
    }
    footer::draw(&cx, foot, buf, &mut hits);
    overlays::draw(&cx, body, buf, &mut hits);
    hits
}

/// As many panes as there is room for, and as the reader wants.
fn side_by_side(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let focus = cx.app.focus();
    match (cx.tier, focus.zoom) {
        (Tier::Compact, _) => return panes::tabbed(cx, body, buf, hits, focus.pane),
        (Tier::TooSmall, _) | (_, Zoom::On) => {
            return panes::draw(cx, body, buf, hits, focus.pane, Placement::Main);
        }
        (Tier::Standard | Tier::Wide, Zoom::Off) => {}
    }
    let shown = match focus.layout {
        Layout::Learn => learn(cx, body),
        Layout::Explore | Layout::Stage => explore(cx, body),
    };
    neighbours(cx, buf, hits, &shown);
}

/// The pane of choice, and what goes with it.
fn explore(cx: &ViewCx, body: Rect) -> Vec<(PaneId, Rect, Placement)> {
    let focus = cx.app.focus();
    let [first, second] = focus.companions();
    if cx.tier == Tier::Standard {
        // One over the other: two columns would cut nearly every label.
        let (top, bottom) = upper_and_lower(body, 66);
        return vec![
            (first, bottom, Placement::Beside),
            (focus.pane, top, Placement::Main),
        ];
    }
    let (left, right) = left_and_right(body, split(body.width, 60));
    let (top, bottom) = upper_and_lower(right, 55);
    vec![
        (second, bottom, Placement::Beside),
        (first, top, Placement::Beside),
        (focus.pane, left, Placement::Main),
    ]
}

/// The chapter, and beside it the pane that it speaks of; with much room a second one.
fn learn(cx: &ViewCx, body: Rect) -> Vec<(PaneId, Rect, Placement)> {
    let focus = cx.app.focus();
    let beside = focus.beside();
    let wide = match cx.tier {
        Tier::Wide => panes::chapter::WIDE,
        Tier::Standard | Tier::Compact | Tier::TooSmall => split(body.width, 58),
    };
    let (left, right) = left_and_right(body, wide);
    let placement = if focus.pane == beside {
        Placement::Main
    } else {
        Placement::Beside
    };
    let mut shown = vec![
        (beside, right, placement),
        (PaneId::Chapter, left, Placement::Main),
    ];
    // Without the rows of header and footer.
    if cx.tier == Tier::Wide && body.height + 2 >= FOR_THREE.1 {
        let second = focus.second_beside();
        let (top, bottom) = upper_and_lower(right, 55);
        shown[0].1 = top;
        shown.insert(0, (second, bottom, Placement::Beside));
    }
    if focus.pane == beside {
        shown.reverse();
    }
    shown
}

/// Two columns of an area that share the one between them.
fn left_and_right(area: Rect, left: u16) -> (Rect, Rect) {
    let right = Rect {
        x: area.x + left - 1,
        width: area.width - left + 1,
        ..area
    };
    (
        Rect {
            width: left,
            ..area
        },
        right,
    )
}

/// Two parts of an area that share the row between them.
fn upper_and_lower(area: Rect, percent: u32) -> (Rect, Rect) {
    let upper = split(area.height, percent);
    let top = Rect {
        height: upper,
        ..area
    };
    let bottom = Rect {
        y: area.y + upper - 1,
        height: area.height - upper + 1,
        ..area
    };
    (top, bottom)
}

/// Draws panes whose borders meet; the focused one comes last, so that its colour wins.
fn neighbours(
    cx: &ViewCx,
    buf: &mut Buffer,
    hits: &mut HitMap,
    shown: &[(PaneId, Rect, Placement)],
) {
    for (pane, area, placement) in shown {
        panes::frame(cx, *area, buf, *pane, *placement);
    }
    for (pane, area, placement) in shown {
        panes::fill(cx, *area, buf, hits, *pane, *placement);
    }
}

/// `percent` of `cells`.
fn split(cells: u16, percent: u32) -> u16 {
    u16::try_from(u32::from(cells) * percent / 100).unwrap_or(cells)
}

fn too_small(cx: &ViewCx, area: Rect, buf: &mut Buffer) {
    let (width, height) = LEAST;
    let lines = [
        Line::styled("hoptrail needs more room", cx.look.style(Role::Heading)),
        Line::raw(format!("at least {width} x {height} cells")),
        Line::raw(format!("here are {} x {}", area.width, area.height)),
        Line::styled(
            match cx.app.keymap().shown(Command::Quit) {
                key if key.is_empty() => "make the window larger".to_owned(),
                key => format!("make the window larger, or {key} quits"),
            },
            cx.look.style(Role::Dim),
        ),
    ];
    let top = area.height.saturating_sub(4) / 2;
    for (row, line) in (top..).zip(&lines) {
        let wide = u16::try_from(put::line_width(line)).unwrap_or(u16::MAX);
        let left = area.width.saturating_sub(wide) / 2;
        let place = Rect {
            x: area.x + left,
            width: area.width - left,
            ..area
        };
        put::line(buf, place, row, line, cx.look);
    }
}

/// Whether a pane has the keys.
fn attention(cx: &ViewCx, pane: PaneId) -> Attention {
    if cx.app.focus().pane == pane {
        Attention::Focused
    } else {
        Attention::Beside
    }
}
