//! Bookmarks and notes on a recorded trace, and the places that a list of them leads to.
//!
//! Pure: where notes are kept is the runtime's business. What it cannot read is never written over.

use tui_input::Input;

use super::{
    App,
    effect::{Effect, Effects},
    overlay::Overlay,
    player::{Player, Source},
    toast::Tone,
};
use crate::{
    projection::{Name, Part},
    support::{error::Failure, text::one_line},
};

/// The longest note, in characters.
pub const LONGEST: usize = 500;

/// A bookmark, with or without words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How many events of the trace have happened there.
    pub place: usize,
    /// Empty for a bookmark alone.
    pub text: String,
}

/// The notes on the trace that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Notes {
    /// Not read yet, or there is no trace.
    #[default]
    Unread,
    /// In order of their places, one a place.
    Kept(Vec<Note>),
    /// The file cannot be read: nothing can be added without losing what is in it.
    Unusable(String),
}

impl Notes {
    /// The notes that were read, in order.
    #[must_use]
    pub fn kept(mut notes: Vec<Note>) -> Self {
        notes.sort_by_key(|note| note.place);
        Self::Kept(notes)
    }

    /// Every note.
    #[must_use]
    pub fn all(&self) -> &[Note] {
        match self {
            Self::Kept(notes) => notes,
            Self::Unread | Self::Unusable(_) => &[],
        }
    }

    /// The note at a place.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<&Note> {
        self.all().iter().find(|note| note.place == place)
    }
}

/// A place worth going to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landmark {
    pub place: usize,
    /// Microseconds of the run.
    pub at_us: u64,
    pub kind: LandmarkKind,
    pub text: Name,
}

/// Who set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LandmarkKind {
    /// The trace itself says that a part of the story begins.
    Mark(Part),
    Bookmark,
}

impl App {
    /// The notes on the trace that is shown.
    #[must_use]
    pub const fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Every mark, bookmark and note of the trace, in order.
    #[must_use]
    pub fn landmarks(&self) -> Vec<Landmark> {
        let Some(player) = self.player() else {
            return Vec::new();
        };
        let timeline = player.timeline();
        let marks = timeline.end().marks().iter().map(|mark| {
            let kind = LandmarkKind::Mark(mark.part);
            (kind, Name::clone(&mark.text), mark.evidence.index() + 1)
        });
        let notes = self.notes.all().iter().map(|note| {
            let place = note.place.min(timeline.len());
            let text = Name::from(one_line(&note.text));
            (LandmarkKind::Bookmark, text, place)
        });
        let mut all: Vec<Landmark> = marks
            .chain(notes)
            .map(|(kind, text, place)| Landmark {
                place,
                at_us: timeline.time_at(place),
                kind,
                text,
            })
            .collect();
        all.sort_by_key(|landmark| landmark.place);
        all
    }

    /// True if [`Self::landmarks`] has something: each frame asks, and a long trace has thousands.
    pub(super) fn has_landmarks(&self) -> bool {
        let marked = |player: &Player| !player.timeline().end().marks().is_empty();
        !self.notes.all().is_empty() || self.player().is_some_and(marked)
    }

    /// Why nothing can be noted; `None` if it can.
    pub(super) fn no_notes(&self) -> Option<String> {
        match &self.notes {
            _ if self.is_taken_over() => Some("this recording only stands in".to_owned()),
            Notes::Kept(_) => None,
            Notes::Unread => Some("the notes are still being read".to_owned()),
            Notes::Unusable(why) => Some(why.clone()),
        }
    }

    /// The notes came, or it is told why they cannot be used.
    pub(super) fn noted(&mut self, notes: Notes) {
        self.notes = notes;
    }

    /// They could not be written.
    pub(super) fn not_kept(&mut self, failure: Failure) {
        self.say(Tone::Warning, "not written: it is kept until you quit");
        self.fail(failure);
    }

    /// Says what was noted here.
    pub(super) fn name_note(&mut self) {
        let told = self.notes.at(self.place()).map(|note| match &*note.text {
            "" => "a bookmark".to_owned(),
            text => format!("note: {text}"),
        });
        if let Some(told) = told {
            self.say(Tone::Plain, told);
        }
    }

    /// Sets a bookmark here, or takes one without words back.
    pub(super) fn turn_bookmark(&mut self) -> Effects {
        let place = self.place();
        match self.notes.at(place).map(|note| note.text.is_empty()) {
            Some(true) => {
                self.say(Tone::Plain, "the bookmark is gone");
                self.put_note(place, None)
            }
            Some(false) => {
                let key = self.keymap.shown(super::command::Command::Annotate);
                let text = format!("there is a note here: {key} changes it, no words remove it");
                self.say(Tone::Warning, text);
                Effects::new()
            }
            None => {
                let key = self.keymap.shown(super::command::Command::Places);
                self.say(Tone::Good, format!("bookmarked: {key} lists them"));
                self.put_note(place, Some(String::new()))
            }
        }
    }

    /// Opens the line for a note on this place, with what is there.
    pub(super) fn annotate(&mut self) {
        let place = self.place();
        let here = self.notes.at(place);
        let input = here.map_or_else(Input::default, |note| Input::new(note.text.clone()));
        self.overlays.push(Overlay::Note { input, place });
    }

    /// Takes a note on a place that was typed; no words remove what is there.
    pub(super) fn take_note(&mut self, place: usize, text: &str) -> Effects {
        let text: String = text.trim().chars().take(LONGEST).collect();
        let text = one_line(&text);
        if text.is_empty() && self.notes.at(place).is_none() {
            return Effects::new();
        }
        let said = if text.is_empty() {
            "the note is gone"
        } else {
            "noted"
        };
        self.say(Tone::Good, said);
        self.put_note(place, (!text.is_empty()).then_some(text))
    }

    fn put_note(&mut self, place: usize, text: Option<String>) -> Effects {
        let Notes::Kept(notes) = &mut self.notes else {
            return Effects::new();
        };
        notes.retain(|note| note.place != place);
        if let Some(text) = text {
            let at = notes.partition_point(|note| note.place < place);
            notes.insert(at, Note { place, text });
        }
        vec![Effect::SaveNotes(notes.clone())]
    }

    /// Goes to a row of the list of places.
    pub(super) fn go_to_landmark(&mut self, row: usize) {
        let all = self.landmarks();
        let last = all.len().saturating_sub(1);
        let found = all.into_iter().nth(row.min(last));
        if let Some(landmark) = found {
            self.jump(landmark.place);
            if landmark.kind != LandmarkKind::Bookmark && !landmark.text.is_empty() {
                self.say(Tone::Plain, &*landmark.text);
            }
        }
    }

    /// The row of the list of places that is at or before the cursor.
    pub(super) fn landmark_here(&self) -> usize {
        let here = self.place();
        let all = self.landmarks();
        all.iter()
            .rposition(|landmark| landmark.place <= here)
            .unwrap_or(0)
    }

    /// Opens one of the traces that come along, by its row in the list.
    pub(super) fn open_shipped(&mut self, row: usize) -> Effects {
        let all = crate::shipped::list();
        let Some(shipped) = all.get(row.min(all.len().saturating_sub(1))) else {
            return Effects::new();
        };
        self.source = Source::Opening(super::player::Opening {
            name: shipped.name.to_owned(),
            percent: 0,
            awaited: false,
        });
        self.notes = Notes::Unread;
        self.call_this_side(shipped.name);
        vec![Effect::OpenShipped(shipped)]
    }
}
