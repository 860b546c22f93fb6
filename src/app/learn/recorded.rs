//! The chapters beside a recording.

use crate::{
    app::{App, player::Source},
    projection::Part,
};

impl App {
    /// The place in the book of the chapter that a recording is in, at its cursor.
    pub(super) fn chapter_of_the_recording(&self) -> Option<usize> {
        let learn = self.learn.as_ref()?;
        if matches!(self.source, Source::Live) {
            return None;
        }
        let mut marks = self.projection.marks().iter().rev();
        let number = marks.find_map(|mark| match mark.part {
            Part::Chapter(number) => Some(u16::from(number)),
            Part::Cue(_) | Part::Unnumbered => None,
        })?;
        let chapters = &learn.book.chapters;
        chapters.iter().position(|chapter| chapter.number == number)
    }
}
