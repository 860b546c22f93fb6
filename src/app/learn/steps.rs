//! What the chapters' keys do.

use super::{Cover, InView, Item, Learn, PagePlace, View, judge::lab_chapter};
use crate::{
    app::{
        App,
        effect::{Effects, Job},
        focus::PaneId,
        overlay::{Overlay, Question, What},
        player::Source,
        toast::Tone,
    },
    chapters::{
        Attempt, Book, Probe, ProbeResults, Segment,
        progress::{ChapterState, Passed},
    },
    projection::{Seq, identity::SignIn},
    trace::Fact,
};

/// The lab's chapter from which on somebody signs in.
pub const CHAPTER_OF_THE_SIGN_IN: u8 = 3;

impl Learn {
    /// Moves the text by rows.
    pub(in crate::app) fn scroll(&mut self, by: isize) {
        let place = self.place_mut();
        place.by = place.by.saturating_add(by);
        place.view = View::Stays;
    }

    /// Selects an item, and brings it into view.
    pub(in crate::app) fn select(&mut self, item: usize) {
        let last = self.items().len().saturating_sub(1);
        let place = self.place_mut();
        place.selected = item.min(last);
        place.view = View::Follows;
        place.evidence = 0;
    }

    /// The check that the hint and the reader's word are about: the selected one, else the first
    /// that is open.
    pub(super) fn check_in_hand(&self) -> Option<usize> {
        let is_open = |check: usize| self.shown(check).is_some_and(|shown| !shown.is_done());
        if let Some(Item::Check(check)) = self.selected()
            && is_open(check)
        {
            return Some(check);
        }
        let item = self.first_open_item()?;
        match self.items().get(item) {
            Some(Item::Check(check)) => Some(*check),
            _ => None,
        }
    }

    /// What stands in for the lab's chapter at the open one's beginning.
    pub(super) fn beginning(&self) -> u8 {
        let before = self
            .open
            .checked_sub(1)
            .map(|place| &self.book.chapters[place]);
        lab_chapter(before.unwrap_or_else(|| self.chapter()))
    }

    /// Puts another book in the place of this one; the reader stays where they were.
    pub(in crate::app) fn take_book(&mut self, book: Book) {
        let id = self.chapter().id.clone();
        let Some(last) = book.chapters.len().checked_sub(1) else {
            return;
        };
        let same = book.chapters.iter().position(|chapter| chapter.id == id);
        self.open = same.unwrap_or(self.open).min(last);
        self.book = book;
        self.statuses.clear();
        self.at_fault.clear();
        self.judge_anew();
    }

    /// Takes in what was asked for a chapter's checks.
    pub(in crate::app) fn take_results(&mut self, chapter: &str, results: ProbeResults) {
        self.results.insert(chapter.to_owned(), results);
        self.judge_anew();
    }
}

impl App {
    /// Whether a chapter is open.
    pub(in crate::app) fn is_learning(&self) -> bool {
        self.learn.as_ref().is_some_and(Learn::is_open)
    }

    /// A chapter is open from the start.
    pub(in crate::app) fn begin_reading(&mut self) {
        if let Some(learn) = &self.learn {
            self.focus.set_beside(learn.chapter().pane.into());
        }
        self.show_chapter();
    }

    /// Opens the chapters where the reader stopped.
    pub(in crate::app) fn show_chapter(&mut self) {
        if let Some(learn) = &self.learn {
            let place = self.chapter_of_the_recording().unwrap_or(learn.open);
            self.open_chapter(place);
        }
    }

    /// Opens a chapter by its place in the book.
    pub(in crate::app) fn open_chapter(&mut self, place: usize) {
        let since = Seq::at(self.projection.log().len());
        let is_live = matches!(self.source, Source::Live);
        let Some(learn) = &mut self.learn else {
            return;
        };
        let Some(chapter) = learn.book.chapters.get(place) else {
            return;
        };
        let (id, pane) = (chapter.id.clone(), chapter.pane);
        let is_turned = learn.open != place;
        let is_other = is_turned || learn.cover == Cover::Closed;
        learn.open = place;
        learn.cover = Cover::Open;
        if is_live {
            learn.since.entry(id).or_insert(since);
        }
        if is_other {
            learn.statuses.clear();
            learn.at_fault.clear();
            learn.judge_anew();
            learn.unsaved = true;
            self.focus.set_beside(pane.into());
        }
        if is_turned {
            // What was said of the chapter before would stand under this one.
            self.toast = None;
            self.later = None;
        }
        self.focus.show(PaneId::Chapter);
    }

    pub(in crate::app) fn next_chapter(&mut self) {
        let Some(learn) = &self.learn else {
            return;
        };
        let waits = matches!(self.source, Source::Live)
            && match learn.progress.standing(learn.chapter()) {
                ChapterState::Open => true,
                ChapterState::Done => learn.has_lapsed(),
                ChapterState::Skipped => false,
            };
        if waits {
            self.overlays.push(Overlay::Confirm(Question::SkipChapter));
        } else {
            self.open_chapter(learn.open + 1);
        }
    }

    /// Goes on without the checks, and marks it.
    pub(in crate::app) fn skip_chapter(&mut self) {
        let Some(learn) = &mut self.learn else {
            return;
        };
        let chapter = &learn.book.chapters[learn.open];
        // What was done once stays done.
        if learn.progress.standing(chapter) == ChapterState::Open {
            learn.progress.skip(chapter);
            learn.unsaved = true;
        }
        let next = learn.open + 1;
        self.open_chapter(next);
    }

    pub(in crate::app) fn previous_chapter(&mut self) {
        if let Some(before) = self
            .learn
            .as_ref()
            .and_then(|learn| learn.open.checked_sub(1))
        {
            self.open_chapter(before);
        }
    }

    pub(in crate::app) fn hint(&mut self) {
        let Some(learn) = &mut self.learn else {
            return;
        };
        let Some(check) = learn.check_in_hand() else {
            return;
        };
        let most = learn
            .shown(check)
            .map_or(0, |shown| shown.hints_left_over().len());
        let chapter = &learn.book.chapters[learn.open];
        let of = &chapter.checks[check];
        let asked = learn
            .hints
            .entry((chapter.id.clone(), of.id.clone()))
            .or_default();
        *asked = (*asked + 1).min(most);
        let item = learn.items().iter().position(|i| *i == Item::Check(check));
        if let Some(item) = item {
            learn.select(item);
        }
    }

    pub(in crate::app) fn answer(&mut self) {
        let Some(learn) = &mut self.learn else {
            return;
        };
        let id = learn.chapter().id.clone();
        if !learn.answered.remove(&id) {
            learn.answered.insert(id);
            if let Some(item) = learn.items().iter().position(|i| *i == Item::Question) {
                learn.select(item);
            }
        }
    }

    /// Takes the reader's word for what cannot be seen from here.
    pub(in crate::app) fn vouch(&mut self) {
        let Some(learn) = &mut self.learn else {
            return;
        };
        let Some(check) = learn.check_in_hand() else {
            return;
        };
        let chapter = &learn.book.chapters[learn.open];
        learn
            .progress
            .pass(chapter, &chapter.checks[check], Passed::Told);
        learn.unsaved = true;
        learn.judge_anew();
        self.say(Tone::Plain, "noted as what you saw yourself");
    }

    /// Opens a window that tells something in words.
    pub(in crate::app) fn tell(&mut self, what: What) {
        self.overlays.push(Overlay::Told { what, scroll: 0 });
    }

    /// Before anybody signs in in the chapters nobody is signed in: what they are about is what the
    /// server does to somebody without a token.
    pub(in crate::app) fn sign_out_before_the_sign_in(&mut self, lab: u8) -> Effects {
        let signed_in = matches!(self.projection.identity().state, SignIn::SignedIn(_));
        if lab >= CHAPTER_OF_THE_SIGN_IN || !signed_in {
            return Effects::new();
        }
        vec![self.start(Job::SignOut)]
    }

    /// A list of tools is of the session that it was told in, and a call of the server that it was made on.
    pub(in crate::app) fn note_tools(&mut self, fact: &Fact) {
        // Behind a frozen picture the log ends with what the picture shows.
        let held = self.held.as_ref().map_or(0, Vec::len);
        let here = Seq::at(self.projection.log().len() + held);
        if let Some(learn) = &mut self.learn {
            match fact {
                Fact::SignedOut => learn.relist = true,
                Fact::ToolsListed { .. } => learn.relist = false,
                Fact::LabMoved { chapter } => learn.take_server(*chapter, here),
                _ => {}
            }
        }
    }

    /// Whether a chapter wants the tools to be listed before one is called.
    pub(in crate::app) fn lists_tools_first(&self) -> bool {
        let known = !self.projection.tools().offered().is_empty();
        self.learn
            .as_ref()
            .is_some_and(|learn| learn.is_open() && (learn.relist || !known))
    }

    /// What an exchange was answered under another policy set is worth nothing under this one.
    pub(in crate::app) fn forget_what_the_policy_said(&mut self) {
        if let Some(learn) = &mut self.learn {
            learn
                .results
                .values_mut()
                .for_each(|results| results.scopes.clear());
            learn.judge_anew();
        }
    }

    /// Asks what the open chapter's checks want to know.
    pub(in crate::app) fn run_probes(&mut self) -> Effects {
        let Some(learn) = &self.learn else {
            return Effects::new();
        };
        let chapter = learn.chapter();
        let job = Job::RunProbes {
            chapter: chapter.id.clone(),
            probes: chapter.probes(),
            since: learn.since.get(&chapter.id).copied(),
        };
        vec![self.start(job)]
    }

    /// After a journey of the lab the answers of before are worth nothing, in whichever chapter: the
    /// open one asks for its own again, unless it leaves that to the reader.
    pub(in crate::app) fn probes_of_its_own(&mut self) -> Effects {
        let Some(learn) = &mut self.learn else {
            return Effects::new();
        };
        learn.results.clear();
        let chapter = &learn.book.chapters[learn.open];
        let by_hand = |segment: &Segment| {
            matches!(
                segment,
                Segment::Try {
                    attempt: Attempt::RunProbes,
                    ..
                }
            )
        };
        let silent = |probe: &Probe| *probe == Probe::Env;
        let asks = !chapter.probes().iter().all(silent);
        if asks && !chapter.segments.iter().any(by_hand) {
            return self.run_probes();
        }
        Effects::new()
    }

    /// Does with the selected item what Enter does.
    pub(in crate::app) fn enter_item(&mut self) -> Effects {
        let Some(learn) = &mut self.learn else {
            return Effects::new();
        };
        let place = learn.place();
        if place.seen == InView::No {
            learn.select(place.selected);
            return Effects::new();
        }
        let Some(item) = learn.selected() else {
            return Effects::new();
        };
        match item {
            Item::Check(check) => self.show_evidence(check),
            Item::Try(attempt) => return self.perform(super::guide::command_of(attempt)),
            Item::Show(pane) => self.look_at(pane.into()),
            Item::Chapter(place) => self.open_chapter(place),
            Item::Question => self.answer(),
            Item::Mistakes => learn.turn_mistakes(),
        }
        Effects::new()
    }

    /// What Enter would do with the selected item, in a word or two.
    #[must_use]
    pub fn item_label(&self) -> Option<&'static str> {
        let learn = self.learn.as_ref()?;
        let item = learn.selected()?;
        if learn.place().seen == InView::No {
            return Some("to the selected step");
        }
        Some(match item {
            Item::Check(_) => "show the evidence",
            Item::Try(_) => "do it",
            Item::Show(_) => "look there",
            Item::Chapter(_) => "open the chapter",
            Item::Question => "the answer",
            Item::Mistakes => "the mistakes",
        })
    }

    /// After something was tried, the pane that the text looks at next comes beside it.
    pub(in crate::app) fn tried(&mut self, attempt: Attempt) {
        let Some(learn) = self.learn.as_mut().filter(|learn| learn.is_open()) else {
            return;
        };
        // What was tried shows in the check that stands under it.
        let items = learn.items();
        let this = items.iter().position(|item| *item == Item::Try(attempt));
        let check = this.and_then(|this| {
            let after = items
                .iter()
                .skip(this)
                .position(|i| matches!(i, Item::Check(_)));
            Some(this + after?)
        });
        if let Some(check) = check
            && self.focus.pane == PaneId::Chapter
        {
            learn.select(check);
        }
        let mut segments = learn.chapter().segments.iter();
        let is_this =
            |s: &&Segment| matches!(s, Segment::Try { attempt: one, .. } if *one == attempt);
        if segments.find(is_this).is_none() {
            return;
        }
        let next = segments
            .take_while(|segment| !matches!(segment, Segment::Try { .. }))
            .find_map(|segment| match segment {
                Segment::Show { pane, .. } => Some(PaneId::from(*pane)),
                _ => None,
            });
        if let Some(pane) = next {
            self.focus.set_beside(pane);
        }
    }

    /// The place of an item, for the mouse.
    pub(in crate::app) fn item_place(&self) -> Option<usize> {
        self.learn.as_ref().map(|learn| learn.place().selected)
    }

    /// Moves to another item of the open chapter.
    pub(in crate::app) fn choose_item(&mut self, by: isize) {
        if let Some(learn) = &mut self.learn {
            let PagePlace { selected, .. } = learn.place();
            learn.select(selected.saturating_add_signed(by));
        }
    }
}
