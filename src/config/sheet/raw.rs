//! The run sheet as it is written.

use serde::Deserialize;
use toml::Spanned;

use super::{Action, Begin, Cue, Expect, Hold, Sheet};
use crate::support::{
    error::{Exit, Failure},
    pane::Pane,
    position::TextPosition,
    text::{one_line, sanitize},
};

/// More cues than any hour has room for, and longer words than any screen.
const MOST_CUES: usize = 200;
const LONGEST_TITLE: usize = 80;
const LONGEST_NOTE: usize = 4_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawSheet {
    title: Option<Spanned<String>>,
    #[serde(default)]
    begin: Begin,
    #[serde(default)]
    hold: bool,
    trace: Option<String>,
    #[serde(default)]
    cue: Vec<Spanned<RawCue>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawCue {
    title: Spanned<String>,
    #[serde(rename = "do")]
    action: Spanned<Action>,
    note: Option<Spanned<String>>,
    expect: Option<Spanned<RawExpect>>,
    policy: Option<Spanned<String>>,
    ticket: Option<Spanned<usize>>,
    hold: Option<bool>,
    show: Option<Pane>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawExpect {
    SignedIn,
    SignedOut,
    Issued,
    Refused,
    Succeeded,
    PolicyOff,
    PolicyOn,
}

const fn hold(on: bool) -> Hold {
    if on { Hold::On } else { Hold::Off }
}

pub(super) fn parse(text: &str, name: &str) -> Result<Sheet, Failure> {
    let fault = |offset: usize, why: &str| failure(name, text, offset, why);
    let raw: RawSheet = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        fault(at, error.message())
    })?;
    let title = match &raw.title {
        Some(title) => line(title, &fault)?,
        None => "run sheet".to_owned(),
    };
    if raw.cue.is_empty() {
        return Err(fault(text.len(), "there is no [[cue]]"));
    }
    if let Some(cue) = raw.cue.get(MOST_CUES) {
        let why = format!("there are more than {MOST_CUES} cues");
        return Err(fault(cue.span().start, &why));
    }
    let cues = raw
        .cue
        .iter()
        .map(|cue| of_cue(cue.get_ref(), &fault))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Sheet {
        title,
        begin: raw.begin,
        hold: hold(raw.hold),
        trace: raw.trace,
        cues,
    })
}

type Fault<'a> = dyn Fn(usize, &str) -> Failure + 'a;

/// A title: one harmless line, not empty, not endless.
fn line(text: &Spanned<String>, fault: &Fault<'_>) -> Result<String, Failure> {
    let clean = one_line(text.get_ref().trim());
    let count = clean.chars().count();
    if count == 0 || count > LONGEST_TITLE {
        let why = format!("a title has 1 to {LONGEST_TITLE} characters");
        return Err(fault(text.span().start, &why));
    }
    Ok(clean)
}

fn of_cue(raw: &RawCue, fault: &Fault<'_>) -> Result<Cue, Failure> {
    let title = line(&raw.title, fault)?;
    let action = *raw.action.get_ref();
    let note = match &raw.note {
        Some(note) if note.get_ref().chars().count() > LONGEST_NOTE => {
            let why = format!("a note has at most {LONGEST_NOTE} characters");
            return Err(fault(note.span().start, &why));
        }
        Some(note) => sanitize(&note.get_ref().trim().replace("\r\n", "\n")).into_owned(),
        None => String::new(),
    };
    let policy = match &raw.policy {
        Some(policy) => Some((policy.span().start, line(policy, fault)?)),
        None => None,
    };
    let expect = raw.expect.as_ref().map(|expect| *expect.get_ref());
    if let (Some((at, _)), true) = (&policy, expect != Some(RawExpect::Refused)) {
        return Err(fault(*at, "a policy goes with expect = \"refused\" only"));
    }
    let ticket = match &raw.ticket {
        None => None,
        Some(ticket) if action != Action::Escalate => {
            let why = "a ticket goes with do = \"escalate\" only";
            return Err(fault(ticket.span().start, why));
        }
        Some(ticket) => match ticket.get_ref().checked_sub(1) {
            Some(place) => Some(place),
            None => return Err(fault(ticket.span().start, "tickets count from 1")),
        },
    };
    let expect = match (raw.expect.as_ref(), expect) {
        (Some(written), Some(expect)) => {
            if !fits(action, expect) {
                let why = "this cue cannot come to that; see `hoptrail stage --print-sheet`";
                return Err(fault(written.span().start, why));
            }
            Some(match expect {
                RawExpect::SignedIn => Expect::SignedIn,
                RawExpect::SignedOut => Expect::SignedOut,
                RawExpect::Issued => Expect::Issued,
                RawExpect::Refused => Expect::Refused(policy.map(|(_, policy)| policy)),
                RawExpect::Succeeded => Expect::Succeeded,
                RawExpect::PolicyOff => Expect::PolicyOff,
                RawExpect::PolicyOn => Expect::PolicyOn,
            })
        }
        (_, None) | (None, _) => None,
    };
    Ok(Cue {
        title,
        action,
        ticket,
        note,
        expect,
        hold: raw.hold.map(hold),
        show: raw.show,
    })
}

/// What is said of a call goes with a cue that makes one; and no cue comes to the opposite of what it
/// does.
const fn fits(action: Action, expect: RawExpect) -> bool {
    match expect {
        RawExpect::Issued | RawExpect::Refused | RawExpect::Succeeded => matches!(
            action,
            Action::ListTickets | Action::Escalate | Action::Delete
        ),
        RawExpect::SignedIn => !matches!(action, Action::SignOut),
        RawExpect::SignedOut => !matches!(action, Action::SignIn),
        RawExpect::PolicyOff => !matches!(action, Action::PolicyOn),
        RawExpect::PolicyOn => !matches!(action, Action::PolicyOff),
    }
}

fn failure(name: &str, text: &str, offset: usize, why: &str) -> Failure {
    let TextPosition { line, column } = TextPosition::of(text, offset);
    Failure::new(
        Exit::Usage,
        "The run sheet was not taken",
        format!("{name}, line {line}, column {column}: {why}"),
        "correct it; `hoptrail stage --print-sheet` writes one to begin with",
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_built_in_sheet_tells_the_denial_and_ends_as_it_began() {
        let sheet = Sheet::built_in();
        let told: Vec<_> = sheet.cues.iter().map(|cue| cue.action).collect();
        assert_eq!(
            told,
            [
                Action::SignIn,
                Action::Escalate,
                Action::Delete,
                Action::PolicyOff,
                Action::Delete,
                Action::PolicyOn,
                Action::Escalate,
                Action::Delete,
            ]
        );
        assert!(sheet.cues.iter().all(|cue| !cue.note.is_empty()));
        assert!(sheet.cues.iter().all(|cue| cue.expect.is_some()));
        assert_eq!((sheet.hold, sheet.begin), (Hold::Off, Begin::SignedOut));
    }

    #[rstest]
    #[case("title = \"x\"\n", "s.toml, line 2, column 1: there is no [[cue]]")]
    #[case(
        "[[cue]]\ntitle = \"x\"\ndo = \"talk\"\nnotes = \"x\"\n",
        "line 4, column 1: unknown field `notes`"
    )]
    #[case("speed = 3\n", "line 1, column 1: unknown field `speed`")]
    #[case(
        "[[cue]]\ntitle = \"x\"\ndo = \"dance\"\n",
        "line 3, column 6: unknown variant `dance`"
    )]
    #[case("[[cue]]\ndo = \"talk\"\n", "line 1, column 1: missing field `title`")]
    #[case(
        "[[cue]]\ntitle = \" \"\ndo = \"talk\"\n",
        "line 2, column 9: a title has"
    )]
    #[case(
        "[[cue]]\ntitle = \"x\"\ndo = \"escalate\"\nticket = 0\n",
        "line 4, column 10: tickets count from 1"
    )]
    #[case(
        "[[cue]]\ntitle = \"x\"\ndo = \"delete\"\nticket = 1\n",
        "line 4, column 10: a ticket goes with"
    )]
    #[case(
        "[[cue]]\ntitle = \"x\"\ndo = \"delete\"\nexpect = \"issued\"\npolicy = \"p\"\n",
        "line 5, column 10: a policy goes with"
    )]
    #[case(
        "[[cue]]\ntitle = \"x\"\ndo = \"talk\"\nexpect = \"refused\"\n",
        "line 4, column 10: this cue cannot"
    )]
    #[case(
        "[[cue]]\ntitle = \"x\"\ndo = \"policy-off\"\nexpect = \"policy-on\"\n",
        "line 4, column 10: this cue cannot"
    )]
    #[case(
        "[[cue]]\ntitle = \"x\"\ndo = \"sign-out\"\nexpect = \"signed-in\"\n",
        "line 4, column 10: this cue cannot"
    )]
    #[case("title = \n", "line 1, column 9")]
    fn what_is_wrong_is_told_with_its_place(#[case] text: &str, #[case] told: &str) {
        let failure = Sheet::parse(text, "s.toml").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.why.contains(told), "{failure}");
    }

    #[test]
    fn what_a_sheet_says_cannot_drive_the_terminal() {
        let text =
            "[[cue]]\ntitle = \"a\\u001b[2Jb\"\ndo = \"talk\"\nnote = \"c\\u001b]0;x\\u0007d\"\n";
        let sheet = Sheet::parse(text, "s.toml").unwrap();
        assert!(!sheet.cues[0].title.contains('\u{1b}'));
        assert!(!sheet.cues[0].note.contains('\u{1b}'));
    }
}
