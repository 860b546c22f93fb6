//! Windows that want something of the person: a decision, a reading, a visit to the browser.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{band, extent, window};
use crate::{
    app::{
        command::Command,
        learn::{CHAPTER_OF_THE_SIGN_IN, Learn, lab_chapter},
        msg::RecordingState,
        overlay::Question,
    },
    config::sheet::Begin,
    support::{
        error::{Exit, Failure},
        text::{one_line, wrap},
    },
    trace::event::BrowserLeg,
    ui::{
        HitMap, ViewCx,
        look::Role,
        widgets::{
            flowing,
            put::{self, span},
        },
    },
};

const WIDTH: u16 = 76;

/// Rows that have to be left of what lies behind, or else a strip of it would be all.
const LEFT_BEHIND: usize = 12;

/// Who answers a sign-in when nobody is named: the first of the lab's people.
const FIRST_OF_THE_PEOPLE: &str = "Ada Lindqvist";

/// What is answered to a question: yes, and no.
pub fn answers(cx: &ViewCx, question: Question) -> [&'static str; 2] {
    match question {
        Question::QuitWhileRecording => ["save and quit", "go on"],
        Question::QuitOnStage => ["leave", "stay"],
        Question::SkipChapter if left_open(cx) == 0 => ["go on", "stay"],
        Question::SkipChapter => ["skip and go on", "stay"],
        Question::BeginChapter => ["begin again", "stay"],
        Question::ReachEnd => ["bring it back", "stay"],
        Question::DropForm => ["drop it", "go on with the form"],
        Question::Reset => ["reset", "go on"],
    }
}

/// Checks of the open chapter that never passed.
fn left_open(cx: &ViewCx) -> usize {
    let learn = cx.app.learn();
    learn.map_or(0, |learn| learn.progress().open(learn.chapter()).len())
}

/// What becomes of a lab that is further on than the open chapter.
fn going_back(cx: &ViewCx) -> String {
    let learn = cx.app.learn();
    let to = learn.map_or(0, |learn| lab_chapter(learn.chapter()));
    let nobody = cx.app.projection().identity().user().is_none();
    let ends = if nobody || to >= CHAPTER_OF_THE_SIGN_IN {
        ""
    } else {
        ", and you are signed out"
    };
    format!(
        "The lab is further on, at the end of chapter {}. Its server and its policy go back to \
         the end of chapter {to}{ends}. What was made in the zone stays.",
        cx.app.lab_chapter()
    )
}

/// A question's title and what speaks for and against it.
fn asked(cx: &ViewCx, question: Question) -> (&'static str, String) {
    match question {
        Question::QuitWhileRecording => {
            let file = match cx.app.recording() {
                RecordingState::On { file } => one_line(file),
                RecordingState::Off | RecordingState::Saved { .. } | RecordingState::Failed(_) => {
                    "the file".to_owned()
                }
            };
            let text = format!("The recording is saved up to here in {file}.");
            ("Quit while recording?", text)
        }
        Question::QuitOnStage => (
            "Leave the stage?",
            "The lab of this show is in memory: what was done in it is gone with it.".to_owned(),
        ),
        Question::SkipChapter => match left_open(cx) {
            0 => {
                let (done, count) = cx.app.learn().map_or((0, 0), Learn::tally);
                let text = format!(
                    "All {count} checks passed before; {done} of them hold now. The chapter stays done."
                );
                ("Go on with failed checks?", text)
            }
            open => {
                let checks = if open == 1 { "check is" } else { "checks are" };
                let text = format!(
                    "{open} {checks} open in this chapter. It will be marked as skipped; you can come back at any time."
                );
                ("Go on without the checks?", text)
            }
        },
        Question::BeginChapter => (
            "Begin this chapter again?",
            "The lab goes back to where the chapter begins: what was made after that is gone, \
             and this chapter's checks are open again."
                .to_owned(),
        ),
        Question::ReachEnd => ("Bring the lab back?", going_back(cx)),
        Question::DropForm => (
            "Drop what you filled in?",
            "The zone was not asked to take it: the step stays as it was before.".to_owned(),
        ),
        Question::Reset => {
            let begin = cx.app.stage().map(|stage| stage.sheet().begin);
            let person = match begin {
                Some(Begin::SignedIn) => "signed in anew",
                Some(Begin::SignedOut) | None => "nobody signed in",
            };
            let text = format!(
                "What runs is called off. A new lab takes the place of this one: policy on, no \
                 issues, an empty log, {person}."
            );
            ("Back to the start?", text)
        }
    }
}

/// Asks before something is done.
pub fn confirm(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, question: Question) {
    let (title, text) = asked(cx, question);
    let [accept, back] = answers(cx, question);
    let cells = usize::from(WIDTH.min(body.width).saturating_sub(6));
    let mut lines: Vec<Line<'static>> = vec![Line::raw("")];
    lines.extend(wrap(&text, cells).into_iter().map(Line::raw));
    lines.push(Line::raw(""));
    lines.push(keys(
        cx,
        &[(Command::Accept, accept), (Command::Back, back)],
    ));
    show(cx, body, buf, hits, (title, Role::Focus), &lines, 0);
}

/// A failure in its three parts.
pub fn failure(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    failure: &Failure,
    scroll: usize,
) {
    let look = cx.look;
    // The last column is the scroll bar's.
    let cells = usize::from(WIDTH.min(body.width)).saturating_sub(13);
    let mut lines = vec![Line::raw("")];
    for part in flowing::foreign(&failure.what, cells + 6, look) {
        lines.push(part.style(look.style(Role::Heading)));
    }
    for (label, text) in [("why", &failure.why), ("next", &failure.next)] {
        lines.push(Line::raw(""));
        for (place, part) in flowing::foreign(text, cells, look).into_iter().enumerate() {
            let label = if place == 0 { label } else { "" };
            lines.push(flowing::labelled(label, part.spans, 5, look));
        }
    }
    lines.push(Line::raw(""));
    let mut offered = vec![(Command::Copy, "copy"), (Command::Back, "close")];
    let nobody = cx.app.projection().identity().user().is_none() && cx.app.player().is_none();
    if nobody && failure.exit == Exit::Refused {
        offered.insert(0, (Command::SignIn, "sign in"));
    }
    if cx.app.stage().is_some() {
        // On stage the show goes on first.
        let label = if cx.app.is_taken_over() {
            "back to what is live"
        } else {
            "a recording takes over"
        };
        offered.insert(0, (Command::TakeOver, label));
    }
    lines.push(keys(cx, &offered));
    let title = format!("{} Failure", look.glyphs.bad);
    show(cx, body, buf, hits, (&title, Role::Bad), &lines, scroll);
}

/// The browser is open; here is where it was sent, in case it was not.
pub fn waiting(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    url: &str,
    how: BrowserLeg,
) {
    let look = cx.look;
    let (what, instead) = match how {
        BrowserLeg::Opened => (
            "Sign in and consent in the browser window that opened.",
            "If you cannot find it, open this page yourself:",
        ),
        BrowserLeg::Shown | BrowserLeg::Headless => (
            "No browser could be opened from here.",
            "Open this page in one yourself, sign in there and consent:",
        ),
    };
    // The address is framed: it goes from edge to edge, and nothing else of the window does.
    let edge = || {
        let line = look.glyphs.horizontal.repeat(usize::from(body.width));
        Line::styled(line, look.style(Role::Border))
    };
    let above = [
        Line::raw(""),
        Line::styled(what, look.style(Role::Heading)),
        Line::raw(""),
        Line::raw(instead),
    ];
    let mut below = vec![Line::raw("")];
    // The lab knows nobody but its own people; against a real zone this would be wrong advice.
    let mut offered = vec![
        (Command::Copy, "copy the URL"),
        (Command::Back, "call it off"),
    ];
    if cx.app.is_lab() {
        below.extend([
            Line::raw("The lab's people are samples: choose any, no password is asked."),
            Line::raw(format!(
                "No browser here? {FIRST_OF_THE_PEOPLE} can answer for you."
            )),
            Line::raw(""),
        ]);
        offered.insert(0, (Command::Accept, "lets the sample user answer"));
    }
    below.extend([keys(cx, &offered), Line::raw("")]);

    // The window's own, and the address's.
    let frame = 4;
    let room = usize::from(body.height).saturating_sub(above.len() + below.len() + frame);
    let mut address = flowing::foreign(url, usize::from(body.width), look);
    if address.len() > room {
        address.truncate(room.saturating_sub(1));
        let key = cx.app.keymap().shown(Command::Copy);
        let rest = format!("  and more; {key} copies all of it");
        address.push(Line::styled(rest, look.style(Role::Dim)));
    }
    let height = above.len() + address.len() + below.len() + frame;
    let height = if height + LEFT_BEHIND > usize::from(body.height) {
        body.height
    } else {
        u16::try_from(height).unwrap_or(u16::MAX)
    };
    let inner = band(cx, body, buf, hits, height, "Waiting for you", Role::Focus);

    let margin = |mut line: Line<'static>| {
        line.spans.insert(0, Span::raw("  "));
        line
    };
    // The address has no margin: whoever selects its rows has the address and nothing else.
    let address = address
        .into_iter()
        .map(|line| line.style(look.style(Role::Masked)));
    let lines: Vec<Line<'static>> = (above.into_iter().map(margin))
        .chain([edge()])
        .chain(address)
        .chain([edge()])
        .chain(below.into_iter().map(margin))
        .collect();
    extent(hits, flowing::draw(buf, inner, &lines, 0, look));
}

fn keys(cx: &ViewCx, commands: &[(Command, &str)]) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (command, label) in commands {
        spans.push(span(
            cx.app.keymap().shown(*command),
            cx.look.bold(Role::Key),
        ));
        spans.push(span(format!(" {label}   "), Style::new()));
    }
    Line::from(spans)
}

fn show(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    (title, role): (&str, Role),
    lines: &[Line<'static>],
    scroll: usize,
) {
    let height = u16::try_from(lines.len() + 3).unwrap_or(u16::MAX);
    let inner = window(
        cx,
        body,
        buf,
        hits,
        (WIDTH, height),
        title,
        role,
        &Line::default(),
    );
    let most = flowing::draw(buf, put::inset(inner, 1), lines, scroll, cx.look);
    extent(hits, most);
}
