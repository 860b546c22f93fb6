//! From a file's text to a [`Chapter`], stage by stage: front matter, then body, then each line.
//!
//! Any text gives a chapter or faults with their places; none panics.

use super::{
    Chapter, Fault, TextPosition,
    front_matter::{self, FrontMatter},
    hash,
    markdown::{Block, blocks},
};
use crate::support::pane::Pane;

/// A piece of a chapter's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text, up to the next directive.
    Markdown {
        text: String,
        /// The text, taken apart: a page is laid out with every frame.
        blocks: Vec<Block>,
        at: TextPosition,
    },
    /// A check's live row.
    Check { id: String, at: TextPosition },
    /// Something that one key runs.
    Try { attempt: Attempt, at: TextPosition },
    /// What to look at now.
    Show { pane: Pane, at: TextPosition },
}

/// What a reader can run from the text. The names are those of the program's commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempt {
    SignIn,
    SignOut,
    ListTickets,
    EscalateTicket,
    DeleteIssue,
    TogglePolicy,
    Refresh,
    /// Bring the lab to the chapter's end state.
    ReachStage,
    /// Ask what the chapter's checks want to know.
    RunProbes,
    /// The work in the zone's console, step by step.
    ConsoleWork,
}

impl Attempt {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::SignIn,
        Self::SignOut,
        Self::ListTickets,
        Self::EscalateTicket,
        Self::DeleteIssue,
        Self::TogglePolicy,
        Self::Refresh,
        Self::ReachStage,
        Self::RunProbes,
        Self::ConsoleWork,
    ];

    /// The word in `<!-- try: … -->`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::ListTickets => "list-tickets",
            Self::EscalateTicket => "escalate-ticket",
            Self::DeleteIssue => "delete-issue",
            Self::TogglePolicy => "toggle-policy",
            Self::Refresh => "refresh",
            Self::ReachStage => "reach-stage",
            Self::RunProbes => "run-probes",
            Self::ConsoleWork => "console-work",
        }
    }

    /// What it does, for the line in the text.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::SignIn => "sign in",
            Self::SignOut => "sign out",
            Self::ListTickets => "list the open tickets",
            Self::EscalateTicket => "escalate the critical ticket",
            Self::DeleteIssue => "delete the issue you just filed",
            Self::TogglePolicy => "switch the active policy set",
            Self::Refresh => "read the zone again",
            Self::ReachStage => "let the lab do the steps",
            Self::RunProbes => "ask the server and the zone",
            Self::ConsoleWork => "do the work in the zone's console, step by step",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attempt| attempt.name() == name)
    }
}

/// The directives that a body may hold, with what stands behind the colon.
pub const DIRECTIVES: [(&str, &str); 3] = [
    ("check", "the id of a check of this chapter"),
    ("try", "something that one key runs"),
    ("show", "a pane"),
];

/// Reads one chapter.
///
/// # Errors
/// Everything that is wrong in the front matter and in the body.
pub fn chapter(file: &str, text: &str) -> Result<Chapter, Vec<Fault>> {
    let fault = |place: TextPosition, what: &str| Fault::at(file, text, place, what);
    let parts = front_matter::split(text)
        .map_err(|(offset, what)| vec![fault(TextPosition::of(text, offset), what)])?;
    let (front, front_at) = parts.front;
    let place = |offset: usize| TextPosition::of(text, front_at + offset);
    let front = toml::from_str::<FrontMatter>(front).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        vec![fault(place(offset), error.message())]
    });
    let number = number(file).ok_or_else(|| {
        let what = "the file's name begins with the chapter's number, as in 03-the-sign-in.md";
        vec![fault(TextPosition { line: 1, column: 1 }, what)]
    });
    let segments = body(parts.body, text, fault);
    let (front, number, segments) = match (front, number, segments) {
        (Ok(front), Ok(number), Ok(segments)) => (front, number, segments),
        (front, number, segments) => {
            let all = [front.err(), number.err(), segments.err()];
            return Err(all.into_iter().flatten().flatten().collect());
        }
    };
    let id_at = place(front.id.span().start);
    let located = |text: toml::Spanned<String>| {
        let at = place(text.span().start);
        (text.into_inner(), at)
    };
    Ok(Chapter {
        file: file.to_owned(),
        number,
        id: front.id.into_inner(),
        title: front.title,
        minutes: front.minutes.get(),
        requires: front.requires.into_iter().map(located).collect(),
        pane: front.pane,
        stage: front.stage,
        checks: front.checks.into_iter().map(|c| c.placed(place)).collect(),
        mistakes: front
            .mistakes
            .into_iter()
            .map(|m| m.placed(place))
            .collect(),
        question: front.question.map(located),
        answer: front.answer,
        segments,
        hash: hash(text),
        id_at,
        source: text.to_owned(),
    })
}

fn number(file: &str) -> Option<u16> {
    let name = file.rsplit(['/', '\\']).next()?;
    let end = name.find(|c: char| !c.is_ascii_digit())?;
    name[..end].parse().ok()
}

/// Whether a line opens or closes a block of code, and with which mark.
pub(super) fn code_fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    ["```", "~~~"].into_iter().find(|m| line.starts_with(m))
}

fn body(
    (body, body_at): (&str, usize),
    text: &str,
    fault: impl Fn(TextPosition, &str) -> Fault,
) -> Result<Vec<Segment>, Vec<Fault>> {
    let mut segments = Vec::new();
    let mut faults = Vec::new();
    let mut prose: Option<(usize, usize)> = None;
    let mut fence: Option<(&str, usize)> = None;
    let mut next = body_at;
    let flush = |prose: &mut Option<(usize, usize)>, segments: &mut Vec<Segment>| {
        if let Some((from, to)) = prose.take()
            && !text[from..to].trim().is_empty()
        {
            segments.push(Segment::Markdown {
                text: text[from..to].to_owned(),
                blocks: blocks(&text[from..to]),
                at: TextPosition::of(text, from),
            });
        }
    };
    for line in body.split_inclusive('\n') {
        let start = next;
        next += line.len();
        let grown = |prose: Option<(usize, usize)>| Some((prose.map_or(start, |p| p.0), next));
        if let Some(mark) = code_fence(line) {
            match fence {
                None => fence = Some((mark, start)),
                Some((open, _)) if open == mark => fence = None,
                Some(_) => {}
            }
        }
        if fence.is_some() || !line.contains("<!--") {
            prose = grown(prose);
            continue;
        }
        let place = TextPosition::of(text, start + line.find("<!--").unwrap_or(0));
        let whole = line.trim();
        let inner = whole
            .strip_prefix("<!--")
            .and_then(|rest| rest.strip_suffix("-->"))
            .filter(|inner| !inner.contains("-->"));
        let Some(inner) = inner else {
            // Comments within a line are text, unless somebody meant a directive.
            if line.contains('`') && line.contains("-->") {
                prose = grown(prose);
            } else {
                faults.push(fault(place, "a comment stands alone on one line"));
            }
            continue;
        };
        flush(&mut prose, &mut segments);
        match directive(inner.trim(), place) {
            Ok(Some(segment)) => segments.push(segment),
            Ok(None) => {}
            Err(what) => faults.push(fault(place, &what)),
        }
    }
    flush(&mut prose, &mut segments);
    if let Some((_, start)) = fence {
        let what = "this block of code has no end";
        faults.push(fault(TextPosition::of(text, start), what));
    }
    if faults.is_empty() {
        Ok(segments)
    } else {
        Err(faults)
    }
}

/// A comment's segment; none for a remark to fellow authors.
fn directive(inner: &str, at: TextPosition) -> Result<Option<Segment>, String> {
    let Some((word, value)) = inner.split_once(':') else {
        return Ok(None);
    };
    let (word, value) = (word.trim(), value.trim());
    if word.contains(char::is_whitespace) {
        return Ok(None);
    }
    let one_of = |names: Vec<&str>| names.join(", ");
    match word {
        "check" if value.is_empty() => Err("the check has no id".to_owned()),
        "check" => Ok(Some(Segment::Check {
            id: value.to_owned(),
            at,
        })),
        "try" => Attempt::named(value)
            .map(|attempt| Some(Segment::Try { attempt, at }))
            .ok_or_else(|| {
                let known = one_of(Attempt::ALL.iter().map(|a| a.name()).collect());
                format!("nothing called `{value}` can be tried; there are {known}")
            }),
        "show" => Pane::named(value)
            .map(|pane| Some(Segment::Show { pane, at }))
            .ok_or_else(|| {
                let known = one_of(Pane::ALL.iter().map(|p| p.name()).collect());
                format!("there is no pane `{value}`; there are {known}")
            }),
        other => {
            let known = one_of(DIRECTIVES.iter().map(|(name, _)| *name).collect());
            Err(format!(
                "there is no directive `{other}`; there are {known}"
            ))
        }
    }
}
