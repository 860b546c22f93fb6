//! The panes at a size, drawn from a trace by the same code as live.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    app::{
        App, AppConfig,
        focus::PaneId,
        msg::{InputEvent, Msg},
        player::{Growth, Tape},
    },
    config::keys::Key,
    projection::Timeline,
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

/// A screen that nobody sits at, with a trace in it as `hoptrail replay` shows it.
#[derive(Debug)]
pub struct Screen {
    app: App,
    look: Look,
    area: Rect,
}

impl Screen {
    /// The screen before the first event, `columns` by `rows` cells. `title` is what the trace calls
    /// itself.
    #[must_use]
    pub fn new(
        title: String,
        timeline: Timeline,
        look: Look,
        view: View,
        (columns, rows): (u16, u16),
    ) -> Self {
        let app = App::new(AppConfig {
            size: (columns, rows),
            replay: Some(title.clone()),
            ..AppConfig::default()
        });
        let mut screen = Self {
            app,
            look,
            area: Rect::new(0, 0, columns, rows),
        };
        screen.gets(Msg::Opened(Box::new(Tape {
            timeline,
            title,
            growth: Growth::Finished,
            warning: None,
        })));
        // By the keys that a person would press: a view is nothing that they could not see.
        let key = match view {
            View::Pane(pane) => u32::try_from(pane.digit())
                .ok()
                .and_then(|digit| char::from_digit(digit, 10)),
            View::Stage => Some('v'),
        };
        if let Some(key) = key {
            screen.press(key);
        }
        screen
    }

    /// Columns and rows.
    #[must_use]
    pub const fn size(&self) -> (u16, u16) {
        (self.area.width, self.area.height)
    }

    /// Shows one more event.
    pub fn step(&mut self) {
        self.press('.');
    }

    /// Shows the end.
    pub fn end(&mut self) {
        self.press('$');
    }

    fn press(&mut self, key: char) {
        self.gets(Msg::Input(InputEvent::Key(Key::char(key))));
    }

    fn gets(&mut self, msg: Msg) {
        // What it asks of the outside world has nobody to do it.
        let _ = self.app.update(msg);
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
