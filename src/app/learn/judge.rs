//! Judging the open chapter's checks again when the trace grew, and not more often than it pays.

use super::{Cover, Ground, Keeping, Learn};
use crate::{
    app::{
        App,
        command::Command,
        effect::{Effect, Effects},
        player::Source,
        toast::{Tone, Topic},
    },
    chapters::{
        Chapter, ProbeResults, Reading, Stage, Status, check::A_NEW_CALL, progress::ReadingPlace,
    },
    projection::{Projection, Seq},
};

/// When the checks were judged last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Judged {
    /// Length of the log then.
    len: usize,
    at_us: u64,
    due: Due,
}

/// When the checks are judged next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Due {
    /// Something else changed than the log.
    #[default]
    AtOnce,
    WhenTheLogGrew,
}

/// A server that the lab put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Served {
    stage: Stage,
    since: Seq,
}

/// What is said when the last check has passed.
const ALL_DONE: &str = "every check is done";

/// The shortest time between two judgements while facts arrive, in microseconds.
const REST_US: u64 = 50_000;

impl Learn {
    /// Judges again at the next opportunity, whatever the log says.
    pub(in crate::app) const fn judge_anew(&mut self) {
        self.judged.due = Due::AtOnce;
    }

    fn rest(len: usize) -> u64 {
        // Some checks look through the whole log; a long one is looked through less often.
        REST_US.max(u64::try_from(len).unwrap_or(u64::MAX))
    }

    /// When the checks have to be looked at, though nothing happens.
    pub(in crate::app) fn wake(&self, len: usize) -> Option<u64> {
        let due = self.judged.at_us.saturating_add(Self::rest(len));
        // Ticks count milliseconds: an end between two of them would be woken for in vain.
        (self.cover == Cover::Open && self.judged.len != len)
            .then(|| due.div_ceil(1_000).saturating_mul(1_000))
    }

    /// Where the lab's server became the one that it is.
    pub(super) fn served_since(&self) -> Option<Seq> {
        self.server.map(|server| server.since)
    }

    /// Takes in that the lab came to the end of a chapter: what was called before on a server of another
    /// stage says nothing of this one.
    pub(super) fn take_server(&mut self, chapter: u8, since: Seq) {
        let stage = Stage::at_end_of(chapter);
        if self.server.is_none_or(|server| server.stage != stage) {
            self.server = Some(Served { stage, since });
        }
    }

    /// Keeps what passed; true if it was the last that the next chapter waited for.
    fn note_what_passed(&mut self) -> bool {
        let chapter = &self.book.chapters[self.open];
        let was_open = self.progress.open(chapter).len();
        for (check, status) in chapter.checks.iter().zip(&self.statuses) {
            self.unsaved |= self.progress.note(chapter, check, status);
        }
        was_open > 0 && self.progress.open(chapter).is_empty()
    }

    /// Whether a tool call ended since the lab came to where it is and the chapter was opened.
    fn is_tried_since(&self, projection: &Projection) -> Tried {
        let begun = self.since.get(&self.chapter().id).copied();
        let since = self.moved.as_ref().map(|moved| moved.since).max(begun);
        let calls = projection.tools().calls();
        let ended = calls
            .iter()
            .rev()
            .any(|call| call.outcome.is_some() && since.is_none_or(|since| call.started >= since));
        if ended { Tried::Yes } else { Tried::NotYet }
    }

    fn is_due(&self, len: usize, now_us: u64) -> bool {
        self.cover == Cover::Open
            && (self.judged.due == Due::AtOnce
                || (self.judged.len != len
                    && now_us >= self.judged.at_us.saturating_add(Self::rest(len))))
    }

    /// What the checks go by: what was asked for, and of a lab the `.env` as it is told.
    pub(super) fn known(&self, projection: &Projection) -> ProbeResults {
        let chapter = &self.chapter().id;
        let mut known = self.results.get(chapter).cloned().unwrap_or_default();
        known.since = self.since.get(chapter).copied();
        known.begun_again = self.again.contains(chapter);
        known.changed = self.server.map(|server| server.since);
        known.doubts = self.doubts.clone();
        if let Some(around) = &self.around {
            // The attendee's files are looked at all the time; what was read of them when the
            // chapter's questions were asked is older.
            known.env = around.env.clone();
            known.folder = around.folder.clone();
            return known;
        }
        let told = ProbeResults::of_trace(projection).env;
        if told != Reading::NotAsked {
            known.env = told;
        }
        known
    }
}

/// The workshop's last chapter: a lab has no further one.
const LAST_CHAPTER: u8 = 8;

/// How far the lab is at the end of a chapter; the same for chapters that change nothing in it.
pub(super) fn rank(chapter: u8) -> (Stage, u8) {
    (Stage::at_end_of(chapter), chapter.min(1))
}

/// The lab's chapter that belongs to a chapter of any book.
#[must_use]
pub fn lab_chapter(chapter: &Chapter) -> u8 {
    u8::try_from(chapter.number)
        .ok()
        .filter(|number| *number <= LAST_CHAPTER && Stage::at_end_of(*number) == chapter.stage)
        .unwrap_or_else(|| chapter.stage.number())
}

/// Where the lab is, seen from a chapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lab {
    /// There is none: the server is somebody's own.
    Absent,
    /// Not as far as the chapter's end.
    Before,
    At,
    /// Further than the chapter.
    Beyond,
}

impl App {
    /// Where the lab is, seen from the open chapter.
    #[must_use]
    pub fn lab(&self) -> Lab {
        let Some(learn) = &self.learn else {
            return Lab::Absent;
        };
        if !self.is_lab() || learn.ground() == Ground::Own || self.has_no_lab() {
            return Lab::Absent;
        }
        let is = self.lab_chapter();
        let wanted = lab_chapter(learn.chapter());
        match rank(is).cmp(&rank(wanted)) {
            std::cmp::Ordering::Less => Lab::Before,
            std::cmp::Ordering::Equal => Lab::At,
            std::cmp::Ordering::Greater => Lab::Beyond,
        }
    }

    /// Whether the lab's server is as the open chapter's code makes it.
    fn code(&self) -> Code {
        let wanted = self
            .learn
            .as_ref()
            .map(|learn| lab_chapter(learn.chapter()));
        let behind = wanted.is_some_and(|wanted| {
            // What the policy limits is not in the code.
            let of_code = Stage::at_end_of(wanted).min(Stage::Delegated);
            self.lab() == Lab::Before && Stage::at_end_of(self.lab_chapter()) < of_code
        });
        if behind { Code::Behind } else { Code::Here }
    }

    /// Whether the lab could not be opened: another program may hold its state.
    pub(super) fn has_no_lab(&self) -> bool {
        let seen = &self.projection;
        let is_known = seen.lab().is_some() || seen.lab_chapter().is_some();
        self.is_lab() && !is_known && !seen.failures().is_empty()
    }

    /// The chapter at whose end the lab is.
    #[must_use]
    pub fn lab_chapter(&self) -> u8 {
        // A lab that nobody moved is the finished one.
        self.projection.lab_chapter().unwrap_or(8)
    }

    /// Whether this is a lab's server.
    #[must_use]
    pub fn is_lab(&self) -> bool {
        self.projection.target().is_some_and(|target| target.lab)
    }

    /// Whether the server asks nobody who they are.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        match self.learn.as_ref().map(Learn::ground) {
            Some(Ground::Own) => self.own_is_open(),
            Some(Ground::Lab) | None => {
                self.projection.target().is_some_and(|target| target.lab)
                    && Stage::at_end_of(self.lab_chapter()) == Stage::Open
            }
        }
    }

    /// Whether the lab's server goes to Linear with a key of its own.
    pub(in crate::app) fn files_with_its_own_key(&self) -> bool {
        self.projection
            .lab_chapter()
            .is_some_and(|chapter| Stage::at_end_of(chapter) < Stage::Delegated)
    }

    /// Judges the open chapter's checks if it is time, and hands out progress that is new.
    pub(in crate::app) fn look_at_checks(&mut self, effects: &mut Effects) {
        let len = self.projection.log().len();
        let lab = self.lab();
        let code = self.code();
        let is_live = matches!(self.source, Source::Live);
        let Some(learn) = &mut self.learn else {
            return;
        };
        if learn.is_due(len, self.now_us) {
            learn.judged = Judged {
                len,
                at_us: self.now_us,
                due: Due::WhenTheLogGrew,
            };
            let known = learn.known(&self.projection);
            let chapter = learn.chapter();
            let tried = learn.is_tried_since(&self.projection);
            let mut at_fault = Vec::new();
            let statuses: Vec<Status> = chapter
                .checks
                .iter()
                .map(|check| {
                    let status = chapter.status(check, &self.projection, &known);
                    let asked = !check.expect.probes().is_empty();
                    let told = if asked || check.expect.is_of_the_console_alone() {
                        Tried::Yes
                    } else {
                        tried
                    };
                    let code = if asked { Code::Here } else { code };
                    if !matches!(status, Status::Failed { .. }) {
                        return elsewhere(status, lab, told, code);
                    }
                    let fault = learn.part_at_fault(check, &self.projection, &known);
                    // What the reader made by a step is seen, wherever the lab is.
                    let status = if fault.is_some_and(|part| learn.is_made(part)) {
                        status
                    } else {
                        elsewhere(status, lab, told, code)
                    };
                    if matches!(status, Status::Failed { .. }) {
                        at_fault.extend(fault);
                    }
                    status
                })
                .collect();
            learn.statuses = statuses;
            let fault_before = learn.step_at_fault();
            learn.at_fault = at_fault;
            let is_done = is_live && learn.note_what_passed() && !learn.has_lapsed();
            if learn.has_lapsed() {
                // What was said of the chapter, or is still to be said, is not so any more.
                let holds = |topic: Topic| topic != Topic::ChapterDone;
                self.toast = self.toast.take().filter(|toast| holds(toast.topic));
                self.later = self.later.take().filter(|(_, topic, _)| holds(*topic));
            }
            if is_done {
                let (number, following) = (learn.chapter().number, learn.following().is_some());
                let is_read = learn.is_read();
                let mut next = self.keymap.shown(Command::NextChapter);
                if !self.overlays.is_empty() {
                    // In a window its key is none.
                    next = format!("{}, then {next}", self.keymap.shown(Command::Back));
                }
                // What the reader just did comes first: a refusal is the point of a chapter.
                self.say_next(
                    Topic::ChapterDone,
                    Tone::Good,
                    if following && is_read {
                        format!("chapter {number}: {ALL_DONE}; {next} goes on")
                    } else if !is_read {
                        format!("chapter {number}: {ALL_DONE}; the text goes on below")
                    } else {
                        format!("chapter {number}: {ALL_DONE}, and that was the last")
                    },
                );
            }
            self.go_to_the_fault(fault_before);
        }
        self.hand_out_progress(effects);
        self.mark_chapter(effects);
    }

    /// Tells the trace which chapter is open, so that a recording can be gone through by chapters.
    fn mark_chapter(&mut self, effects: &mut Effects) {
        let is_live = matches!(self.source, Source::Live) && self.projection.target().is_some();
        let Some(learn) = self
            .learn
            .as_mut()
            .filter(|learn| is_live && learn.is_open())
        else {
            return;
        };
        let chapter = &learn.book.chapters[learn.open];
        if learn.marked.as_ref() != Some(&chapter.id) {
            learn.marked = Some(chapter.id.clone());
            effects.push(Effect::Mark {
                chapter: u8::try_from(chapter.number).ok(),
                text: chapter.title.clone(),
            });
        }
    }

    /// A recording that begins now has to say anew which chapter is open.
    pub(in crate::app) fn mark_anew(&mut self) {
        if let Some(learn) = &mut self.learn {
            learn.marked = None;
        }
    }

    fn hand_out_progress(&mut self, effects: &mut Effects) {
        let Some(learn) = &mut self.learn else {
            return;
        };
        let quits = effects.iter().position(|effect| *effect == Effect::Quit);
        let wanted = learn.unsaved || quits.is_some();
        if learn.keeping == Keeping::Off || learn.cover == Cover::Closed || !wanted {
            return;
        }
        learn.unsaved = false;
        learn.progress.place = Some(ReadingPlace {
            lab: self
                .projection
                .lab_chapter()
                .filter(|_| learn.ground == Ground::Lab),
            ..learn.reading_place()
        });
        let keep = Effect::KeepProgress(Box::new(learn.progress.clone()));
        effects.insert(quits.unwrap_or(effects.len()), keep);
    }
}

/// Whether a tool was called on the server as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    Yes,
    NotYet,
}

/// Whether the lab's server has the code that the chapter is about. Chapters 1, 3 and 7 change none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Here,
    /// What is seen of a call was done by older code.
    Behind,
}

/// What fails only because the lab is at another chapter, or because the server was another one
/// when it was tried last, was not seen yet.
fn elsewhere(status: Status, lab: Lab, tried: Tried, code: Code) -> Status {
    if let (Status::Passed { .. }, Code::Behind) = (&status, code) {
        return Status::Pending {
            waiting_for: "the end of this chapter: the lab is not there yet".to_owned(),
        };
    }
    let status = match (status, lab, tried) {
        (Status::Failed { .. }, Lab::At, Tried::NotYet) => Status::Pending {
            waiting_for: A_NEW_CALL.to_owned(),
        },
        (status, _, _) => status,
    };
    match (status, lab) {
        (Status::Failed { .. }, Lab::Before) => Status::Pending {
            waiting_for: "the end of this chapter: the lab is not there yet".to_owned(),
        },
        (Status::Failed { .. }, Lab::Beyond) => Status::Pending {
            waiting_for: "the server of this chapter: the lab is further on".to_owned(),
        },
        (status, _) => status,
    }
}
