//! The chapters as a reader has them open: where they are, what is unfolded, how the checks stand.
//!
//! Pure like the rest of the state. How a page is laid out is for the drawing to know; it tells
//! back where the reader is in it ([`super::App::settle`]).

mod beside;
pub mod console;
mod doubt;
mod evidence;
mod fault;
mod guide;
mod judge;
mod left;
mod lock;
mod mistakes;
pub mod moved;
mod own;
mod place;
mod possible;
mod recorded;
mod steps;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use self::moved::Moved;
pub use self::{
    beside::Stands,
    guide::{attempt_of, command_of},
    judge::{Lab, lab_chapter},
    mistakes::Mistakes,
    steps::CHAPTER_OF_THE_SIGN_IN,
    told::Told,
};
use crate::{
    app::{Settled, focus::PaneId},
    chapters::{
        Attempt, Book, Chapter, Check, ProbeResults, Progress, Segment, Status,
        markdown::{self, Block},
        probe::Answers,
        progress::Passed,
    },
    projection::Seq,
    support::{error::Failure, pane::Pane},
};

/// What the chapters begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnConfig {
    pub book: Book,
    pub progress: Progress,
    /// The chapter that is opened at once, by its id; `None` leaves them closed.
    pub at: Option<String>,
    pub keeping: Keeping,
    pub ground: Ground,
    /// Whether the first look at the attendee's server opens the chapter that it has reached.
    pub follows: bool,
}

/// Whose server the chapters are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// The lab's own: it is brought to each chapter.
    Lab,
    /// The attendee's: it is followed.
    Own,
}

/// Whether progress may be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    On,
    /// A replay is nobody's progress, and a file that cannot be read is not written over.
    Off,
}

/// Whether the reader opened the chapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    Closed,
    Open,
}

/// A place in a page that outlives another width: a heading by its number from 1 (0 is the top),
/// and rows below it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Anchor {
    pub heading: usize,
    pub below: usize,
}

/// Where a reader is in a chapter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PagePlace {
    /// The first row in view, as the last frame drew it.
    pub anchor: Anchor,
    /// Rows to go from there with the next frame.
    pub by: isize,
    /// The selected item.
    pub selected: usize,
    /// Whether the next frame has to bring the selected item into view.
    pub view: View,
    /// Which of the selected check's evidence Enter shows next.
    pub evidence: usize,
    /// Whether the last frame showed the selected item.
    pub seen: InView,
}

/// What a frame showed of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageView {
    /// Its first row.
    pub anchor: Anchor,
    /// Whether it showed the selected item.
    pub selected: InView,
    /// Whether it showed the last row.
    pub end: InView,
}

/// Whether something could be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InView {
    #[default]
    Yes,
    No,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    #[default]
    Stays,
    Follows,
}

/// Something in a chapter that Enter does something with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A check, by its place in the chapter's list.
    Check(usize),
    Try(Attempt),
    Show(Pane),
    /// To another chapter, by its place in the book.
    Chapter(usize),
    /// The question to pause at.
    Question,
    /// The known mistakes, where they can be folded.
    Mistakes,
}

/// A check as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub check: &'a Check,
    pub status: &'a Status,
    /// What is kept of it from before.
    pub passed: Option<Passed>,
    /// How many of its hints were asked for.
    pub hints: usize,
}

impl Shown<'_> {
    /// Its hints; what a failed check says to do anyway is none of them.
    #[must_use]
    pub fn hints_left_over(&self) -> Vec<&str> {
        let said = match self.status {
            Status::Failed { fix, .. } => Some(fix),
            _ => None,
        };
        let hints = self.check.hints.iter();
        hints
            .filter(|hint| Some(*hint) != said)
            .map(String::as_str)
            .collect()
    }

    /// Whether it holds, as far as is known: what passed once and fails now is not done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        match self.status {
            Status::Passed { .. } => true,
            Status::Failed { .. } => self.passed.is_some() && self.check.only_here,
            Status::Pending { .. } | Status::NotObservable { .. } => self.passed.is_some(),
        }
    }

    /// Whether it passed once and does not hold any more.
    #[must_use]
    pub const fn has_lapsed(&self) -> bool {
        self.passed.is_some() && !self.is_done()
    }
}

/// The chapters and their reader.
#[derive(Debug, Clone)]
pub struct Learn {
    book: Book,
    progress: Progress,
    keeping: Keeping,
    cover: Cover,
    /// The open chapter's place in the book, which has one at least.
    open: usize,
    places: BTreeMap<String, PagePlace>,
    /// How many hints were asked for, by chapter and check.
    hints: BTreeMap<(String, String), usize>,
    /// The chapters whose answer is unfolded.
    answered: BTreeSet<String>,
    /// The chapters whose known mistakes are unfolded.
    unfolded: BTreeSet<String>,
    /// The chapters whose last row was shown.
    read: BTreeSet<String>,
    /// The panes that were seen with each chapter open.
    looked: BTreeMap<String, BTreeSet<PaneId>>,
    /// Where the run was when a chapter was opened first, or begun again.
    since: BTreeMap<String, Seq>,
    /// The chapters that were begun again.
    again: BTreeSet<String>,
    /// Whether the tools have to be listed before they are used, though a list is known.
    relist: bool,
    results: BTreeMap<String, ProbeResults>,
    /// What the zone answered itself, by where the call ended that it was asked about.
    doubts: BTreeMap<Seq, Answers>,
    /// How the open chapter's checks stand, in their order.
    statuses: Vec<Status>,
    /// What the checks do not like in the zone's console, in their order.
    at_fault: Vec<console::Part>,
    judged: judge::Judged,
    /// The lab's server as the run told of it last, and where it became that one.
    server: Option<judge::Served>,
    /// The last journey of the lab, and one under way.
    moved: Option<Box<Moved>>,
    moving: Option<Box<Moved>>,
    ground: Ground,
    /// What was seen of the attendee's own server last.
    around: Option<Box<ProbeResults>>,
    /// The chapter that the trace says is open, by its id.
    marked: Option<String>,
    /// The console work that was read last.
    work: Option<console::Work>,
    /// Whether there is progress that was not handed out yet.
    unsaved: bool,
    /// Whether the first look at the attendee's server opens the chapter that it has reached.
    follows: bool,
    /// Why the folder's chapters could not be read last.
    pub(in crate::app) unreadable: Option<Failure>,
}

impl Learn {
    /// The state before anything was read; `None` for a book without chapters.
    #[must_use]
    pub fn new(config: LearnConfig) -> Option<Self> {
        let LearnConfig {
            book,
            progress,
            at,
            keeping,
            ground,
            follows,
        } = config;
        let of = |id: &str| book.chapters.iter().position(|chapter| chapter.id == id);
        let resumed = progress.resume(&book)?.id.clone();
        let open = at.as_deref().and_then(of).or_else(|| of(&resumed))?;
        let mut learn = Self {
            progress,
            keeping,
            cover: if at.is_some() {
                Cover::Open
            } else {
                Cover::Closed
            },
            open,
            places: BTreeMap::new(),
            hints: BTreeMap::new(),
            answered: BTreeSet::new(),
            unfolded: BTreeSet::new(),
            read: BTreeSet::new(),
            looked: BTreeMap::new(),
            since: BTreeMap::new(),
            again: BTreeSet::new(),
            relist: false,
            results: BTreeMap::new(),
            doubts: BTreeMap::new(),
            statuses: Vec::new(),
            at_fault: Vec::new(),
            judged: judge::Judged::default(),
            server: None,
            moved: None,
            moving: None,
            ground,
            around: None,
            marked: None,
            work: None,
            unsaved: false,
            follows,
            unreadable: None,
            book,
        };
        learn.go_back_to_the_place();
        Some(learn)
    }

    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether the reader opened the chapters.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.cover == Cover::Open
    }

    /// The open chapter.
    #[must_use]
    pub fn chapter(&self) -> &Chapter {
        &self.book.chapters[self.open]
    }

    /// The open chapter's place in the book.
    #[must_use]
    pub const fn open(&self) -> usize {
        self.open
    }

    /// The chapter after the open one.
    #[must_use]
    pub fn following(&self) -> Option<&Chapter> {
        self.book.chapters.get(self.open + 1)
    }

    /// Where the reader is in the open chapter.
    #[must_use]
    pub fn place(&self) -> PagePlace {
        self.places
            .get(&self.chapter().id)
            .cloned()
            .unwrap_or_else(|| self.beginning_of_page())
    }

    fn place_mut(&mut self) -> &mut PagePlace {
        let id = self.chapter().id.clone();
        let beginning = self.beginning_of_page();
        self.places.entry(id).or_insert(beginning)
    }

    /// Whether the open chapter was read to its end.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.read.contains(&self.chapter().id)
    }

    /// Whether the open chapter's answer is told.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.answered.contains(&self.chapter().id)
    }

    /// A check of the open chapter as it is shown.
    #[must_use]
    pub fn shown(&self, place: usize) -> Option<Shown<'_>> {
        const UNKNOWN: &Status = &Status::Pending {
            waiting_for: String::new(),
        };
        let chapter = self.chapter();
        let check = chapter.checks.get(place)?;
        let hints = self.hints.get(&(chapter.id.clone(), check.id.clone()));
        Some(Shown {
            check,
            status: self.statuses.get(place).unwrap_or(UNKNOWN),
            passed: self.progress.passed(chapter, &check.id),
            hints: hints.copied().unwrap_or(0),
        })
    }

    /// How many of the open chapter's checks are done, and of how many.
    #[must_use]
    pub fn tally(&self) -> (usize, usize) {
        let count = self.chapter().checks.len();
        let done = (0..count)
            .filter_map(|place| self.shown(place))
            .filter(Shown::is_done)
            .count();
        (done, count)
    }

    /// Whether a check of the open chapter passed once and does not hold any more.
    #[must_use]
    pub fn has_lapsed(&self) -> bool {
        let mut shown = (0..self.statuses.len()).filter_map(|place| self.shown(place));
        shown.any(|shown| shown.has_lapsed())
    }

    /// What was asked for the open chapter's checks.
    #[must_use]
    pub fn results(&self) -> Option<&ProbeResults> {
        self.results.get(&self.chapter().id)
    }

    /// The last journey of the lab.
    #[must_use]
    pub fn moved(&self) -> Option<&Moved> {
        self.moved.as_deref()
    }

    /// What Enter does something with, in the order of the page.
    #[must_use]
    pub fn items(&self) -> Vec<Item> {
        let mut items = self.items_of(self.chapter());
        if self.folds_mistakes() {
            items.push(Item::Mistakes);
        }
        items
    }

    fn items_of(&self, chapter: &Chapter) -> Vec<Item> {
        let mut items = Vec::new();
        for segment in &chapter.segments {
            match segment {
                Segment::Markdown { blocks, .. } => {
                    items.extend(blocks.iter().flat_map(|block| self.links(block)));
                }
                Segment::Check { id, .. } => items.extend(
                    chapter
                        .checks
                        .iter()
                        .position(|check| check.id == *id)
                        .map(Item::Check),
                ),
                Segment::Try { attempt, .. } => items.push(Item::Try(*attempt)),
                Segment::Show { pane, .. } => items.push(Item::Show(*pane)),
            }
        }
        if chapter.question.is_some() && chapter.answer.is_some() {
            items.push(Item::Question);
        }
        items
    }

    /// The links of a block to other chapters.
    pub fn links<'a>(&'a self, block: &'a Block) -> impl Iterator<Item = Item> + 'a {
        markdown::links(block)
            .filter_map(|to| self.linked(to))
            .map(Item::Chapter)
    }

    /// The chapter that a link leads to.
    #[must_use]
    pub fn linked(&self, to: &str) -> Option<usize> {
        let name = to.rsplit('/').next()?;
        self.book
            .chapters
            .iter()
            .position(|chapter| chapter.file.rsplit(['/', '\\']).next() == Some(name))
    }

    /// The selected item of the open chapter.
    #[must_use]
    pub fn selected(&self) -> Option<Item> {
        let items = self.items();
        let place = self.place().selected.min(items.len().saturating_sub(1));
        items.into_iter().nth(place)
    }

    /// Takes in where the last frame showed the reader to be; the keys that are offered depend on it.
    pub(super) fn settle(&mut self, view: PageView) -> Settled {
        let is_end = view.end == InView::Yes && self.read.insert(self.chapter().id.clone());
        let place = self.place_mut();
        let settled = if is_end || place.seen != view.selected {
            Settled::Otherwise
        } else {
            Settled::AsDrawn
        };
        place.anchor = view.anchor;
        place.seen = view.selected;
        place.by = 0;
        place.view = View::Stays;
        settled
    }
}

/// The heading of the question.
pub const PAUSE: &str = "Pause";
/// The heading of the known mistakes.
pub const MISTAKES: &str = "When it does not work";
