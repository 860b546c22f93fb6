//! The panes at a size, drawn from a trace by the same code as live.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    app::{
        App, AppConfig,
        focus::PaneId,
        msg::{InputEvent, Msg},
    },
    config::keys::Key,
    trace::{TraceEvent, codec::Header},
    ui::{self, look::Look},
};

/// What the screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// One pane, and beside it what goes with it.
    Pane(PaneId),
    /// The projector's layout.
    Stage,
}

/// A screen that nobody sits at.
#[derive(Debug)]
pub struct Screen {
    app: App,
    look: Look,
    area: Rect,
}

impl Screen {
    /// The screen before the first event, `columns` by `rows` cells.
    #[must_use]
    pub fn new(header: &Header, look: Look, view: View, (columns, rows): (u16, u16)) -> Self {
        let mut app = App::new(AppConfig {
            size: (columns, rows),
            started: Some(header.started),
            ..AppConfig::default()
        })
        .of_a_recording();
        // By the keys that a person would press: a view is nothing that they could not see.
        let key = match view {
            View::Pane(pane) => u32::try_from(pane.digit())
                .ok()
                .and_then(|digit| char::from_digit(digit, 10)),
            View::Stage => Some('v'),
        };
        if let Some(key) = key {
            // What it asks of the outside world has nobody to do it.
            let _ = app.update(Msg::Input(InputEvent::Key(Key::char(key))));
        }
        Self {
            app,
            look,
            area: Rect::new(0, 0, columns, rows),
        }
    }

    /// Shows one more event.
    pub fn tell(&mut self, event: TraceEvent) {
        // As above: a replayed fact starts no task.
        let _ = self.app.update(Msg::Trace(event));
    }

    /// The frame as it stands.
    #[must_use]
    pub fn draw(&mut self) -> Buffer {
        let mut buffer = Buffer::empty(self.area);
        let hits = ui::draw_into(&self.app, &self.look, self.area, &mut buffer);
        self.app.settle(&hits.extents);
        buffer
    }
}
