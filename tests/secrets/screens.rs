//! What a person would see who looks at everything: each pane, each row, each tab, to its end.

use std::collections::BTreeSet;

use hoptrail::{
    app::{
        App, AppConfig,
        msg::{InputEvent, Msg},
        overlay::Overlay,
    },
    config::{
        LookConfig,
        keys::{Key, KeyCode, Modifier},
    },
    trace::{TraceEvent, codec::Header},
    ui::{
        self,
        look::{Charset, Look},
    },
};
use ratatui::{buffer::Buffer, layout::Rect};

const AREA: Rect = Rect::new(0, 0, 120, 36);
/// Pages that are turned within a window or a pane.
const PAGES: usize = 4;

struct Viewer {
    app: App,
    look: Look,
    /// Each line once: most frames differ in a few.
    seen: BTreeSet<String>,
}

/// The text of every screen of a run.
pub fn all(header: &Header, events: &[TraceEvent]) -> Vec<u8> {
    let mut viewer = Viewer {
        app: App::new(AppConfig {
            size: (AREA.width, AREA.height),
            started: Some(header.started),
            ..AppConfig::default()
        }),
        look: Look::new(&LookConfig::default(), Charset::Unicode),
        seen: BTreeSet::new(),
    };
    for event in events {
        let _ = viewer.app.update(Msg::Trace(event.clone()));
    }
    viewer.everything(events.len());
    let lines: Vec<String> = viewer.seen.into_iter().collect();
    lines.join("\n").into_bytes()
}

impl Viewer {
    fn everything(&mut self, most_rows: usize) {
        self.look();
        for pane in '1'..='7' {
            self.press(KeyCode::Char(pane));
            for zoom in 0..2 {
                self.press(KeyCode::Char('z'));
                self.press(KeyCode::Char('g'));
                self.pages();
                self.press(KeyCode::Char('g'));
                if zoom == 0 {
                    // The trace's windows show its lines, which are searched as they are.
                    self.rows(if pane == '7' { 30 } else { most_rows });
                }
            }
        }
        self.press(KeyCode::Char('v'));
        self.look();
        self.press(KeyCode::Char('?'));
        self.pages();
    }

    /// Opens each row of a pane, and turns to each tab of its window.
    fn rows(&mut self, most: usize) {
        let mut last = None;
        for _ in 0..most {
            self.press(KeyCode::Enter);
            let Some(Overlay::Inspect(inspect)) = self.app.overlays().last() else {
                break;
            };
            let subject = inspect.subject;
            if last.replace(subject) == Some(subject) {
                break;
            }
            for _ in subject.tabs() {
                self.pages();
                self.press(KeyCode::Tab);
            }
            self.press(KeyCode::Esc);
            self.press(KeyCode::Char('j'));
        }
        self.press(KeyCode::Esc);
    }

    /// Turns pages as far as there are any.
    fn pages(&mut self) {
        let most = self.look();
        for _ in 0..most.min(PAGES) {
            self.press(KeyCode::PageDown);
            self.look();
        }
    }

    fn press(&mut self, code: KeyCode) {
        let key = Key {
            code,
            modifier: Modifier::None,
        };
        // What it sets off belongs to the runtime; here only looking counts.
        let _ = self.app.update(Msg::Input(InputEvent::Key(key)));
    }

    /// Draws, and says how far what is on top can be scrolled.
    fn look(&mut self) -> usize {
        let mut buffer = Buffer::empty(AREA);
        let hits = ui::draw_into(&self.app, &self.look, AREA, &mut buffer);
        self.app.settle(&hits.extents);
        for row in buffer.content().chunks(usize::from(AREA.width)) {
            let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
            self.seen.insert(line);
        }
        hits.extents.last().map_or(0, |extent| extent.most)
    }
}
