//! What a person would see who looks at everything: each pane, each row, each tab, to its end.

use hoptrail::{
    app::{
        App, AppConfig,
        msg::{InputEvent, Msg},
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
/// More tabs than any window has.
const TABS: usize = 5;
/// Pages that are turned within a window or a pane.
const PAGES: usize = 4;

struct Viewer {
    app: App,
    look: Look,
    seen: Vec<u8>,
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
        seen: Vec::new(),
    };
    for event in events {
        let _ = viewer.app.update(Msg::Trace(event.clone()));
    }
    viewer.everything(events.len());
    viewer.seen
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
                    self.rows(most_rows);
                }
            }
        }
        self.press(KeyCode::Char('v'));
        self.look();
        self.press(KeyCode::Char('?'));
        self.pages();
    }

    /// Opens each row of a pane.
    fn rows(&mut self, most: usize) {
        for _ in 0..most {
            self.press(KeyCode::Enter);
            if self.app.overlays().is_empty() {
                break;
            }
            let first = self.look();
            for _ in 0..TABS {
                self.pages();
                self.press(KeyCode::Tab);
                if self.look() == first {
                    break;
                }
            }
            self.press(KeyCode::Esc);
            let before = self.look();
            self.press(KeyCode::Char('j'));
            if self.look() == before {
                break;
            }
        }
    }

    /// Turns pages until nothing new comes.
    fn pages(&mut self) {
        let mut before = self.look();
        for _ in 0..PAGES {
            self.press(KeyCode::PageDown);
            let now = self.look();
            if now == before {
                break;
            }
            before = now;
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

    fn look(&mut self) -> Buffer {
        let mut buffer = Buffer::empty(AREA);
        let hits = ui::draw_into(&self.app, &self.look, AREA, &mut buffer);
        self.app.settle(&hits.extents);
        for row in buffer.content().chunks(usize::from(AREA.width)) {
            for cell in row {
                self.seen.extend_from_slice(cell.symbol().as_bytes());
            }
            self.seen.push(b'\n');
        }
        buffer
    }
}
