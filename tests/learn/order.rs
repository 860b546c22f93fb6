//! What a page offers and leaves out: known mistakes, the last frame's keys, the lock's own refusal,
//! what a journey changed, and the panes that the text looks at.

use hoptrail::{
    app::{Settled, command::Command, learn::Mistakes, overlay::What},
    chapters::Attempt,
    protocol::console::PolicyOverview,
    support::error::{Exit, Failure, FailureKind},
    trace::event::EnvSide,
};

use super::*;
use crate::screens::{defaults, story_with_the_policy_lifted, switched};

const SMALL: (u16, u16) = (80, 24);
const WIDE: (u16, u16) = (120, 36);

fn tell(app: &mut App, fact: Fact) {
    let event = TraceEvent {
        seq: app.projection().log().len() as u64,
        fact,
        ..story()[0].clone()
    };
    let _ = app.update(Msg::Trace(event));
}

fn sign_in_required() -> Failure {
    Failure {
        kind: Some(FailureKind::SignInRequired),
        ..Failure::new(Exit::Refused, "In whatever words", "401", "sign in")
    }
}

fn locked_out(app: &mut App) {
    tell(app, Fact::FailureOccurred(sign_in_required()));
}

#[test]
fn known_mistakes_are_folded_until_they_are_wanted_or_something_fails() {
    let mut app = learning("lock", 2, SMALL);
    let folded = |app: &mut App| {
        let _ = press(app, "G");
        let page = shown(app, SMALL);
        assert_eq!(
            page.contains("When it does not work: "),
            app.learn().unwrap().mistakes() == Mistakes::Folded,
            "{page}"
        );
        app.learn().unwrap().mistakes()
    };
    assert_eq!(folded(&mut app), Mistakes::Folded);
    let _ = press(&mut app, "U");
    assert_eq!(folded(&mut app), Mistakes::Unfolded);
    assert_eq!(app.learn().unwrap().selected(), Some(Item::Mistakes));
    let _ = seen(&mut app, SMALL);
    let _ = press(&mut app, "U");
    assert_eq!(folded(&mut app), Mistakes::Folded);
    let mut failing = told("open-door", 0, SMALL);
    assert!(matches!(status(&failing, "not-you"), Status::Failed { .. }));
    assert_eq!(folded(&mut failing), Mistakes::Standing);
    let _ = press(&mut failing, "U");
    assert!(
        toast(&failing).contains("end of the page"),
        "{}",
        toast(&failing)
    );
}

#[test]
fn a_page_that_was_read_to_its_end_asks_for_another_frame_once() {
    let mut app = learning("open-door", 0, SMALL);
    let (_, hits) = draw(&app, &look(), SMALL.0, SMALL.1);
    let _ = app.settle(&hits.extents);
    let _ = press(&mut app, "G");
    let (_, hits) = draw(&app, &look(), SMALL.0, SMALL.1);
    assert_eq!(app.settle(&hits.extents), Settled::Otherwise);
    assert!(app.learn().unwrap().is_read());
    let (_, hits) = draw(&app, &look(), SMALL.0, SMALL.1);
    assert_eq!(app.settle(&hits.extents), Settled::AsDrawn);
}

#[test]
fn in_the_chapter_of_the_lock_a_401_is_as_it_should_be() {
    let mut app = learning("lock", 2, WIDE);
    let page = shown(&mut app, WIDE);
    assert_eq!(app.first_of_all(Attempt::ListTickets), Attempt::ListTickets);
    assert!(
        !page.contains("without a sign-in the server says 401"),
        "{page}"
    );
    let _ = press(&mut app, "3");
    let started = press(&mut app, "t");
    locked_out(&mut app);
    let failure = sign_in_required();
    let calls = started.iter().filter_map(|effect| match effect {
        Effect::Run(id, Job::CallTool { .. }) => Some(*id),
        _ => None,
    });
    for call in calls {
        let _ = app.update(Msg::Task(call, TaskOutcome::Failed(failure.clone())));
    }
    assert!(matches!(
        app.overlays(),
        [Overlay::Told {
            what: What::LockedOut,
            ..
        }]
    ));
    assert_eq!(app.focus().beside(), PaneId::Flow);
    let page = shown(&mut app, WIDE);
    assert!(page.contains("Locked out, as it should be"), "{page}");
    assert!(page.contains("the next chapter is the way in"), "{page}");
    // Where one signs in it is advice that is wanted.
    let mut app = learning("sign-in", 2, WIDE);
    locked_out(&mut app);
    assert!(matches!(app.overlays(), [Overlay::Failure { .. }]));
}

fn permitting(overview: &PolicyOverview) -> PolicyOverview {
    let mut overview = overview.clone();
    for policy in &mut overview.active_policies {
        let text = &mut policy.latest_version.cedar_raw;
        *text = text.replace("forbid", "permit");
    }
    overview
}

#[test]
fn what_was_put_right_is_told() {
    let mut app = told("limit", 7, WIDE);
    let right = app.projection().policies().overview().unwrap().clone();
    tell(&mut app, Fact::PolicyRead(permitting(&right)));
    let _ = app.update(Msg::Tick(120_000));
    let started = press(&mut app, "E");
    let moved = task(&started);
    tell(&mut app, Fact::LabMoved { chapter: 7 });
    tell(&mut app, Fact::PolicyRead(right));
    let _ = app.update(Msg::ZoneChanged {
        made: Vec::new(),
        gone: Vec::new(),
        anew: vec!["policy set customer-policies".to_owned()],
    });
    let _ = app.update(Msg::Task(moved, TaskOutcome::Done));
    let page = shown(&mut app, WIDE);
    for line in [
        "- limit-linear-scopes permits",
        "+ limit-linear-scopes forbids",
        "+ policy set customer-policies, made anew",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    assert!(!page.contains("the same"), "{page}");
    assert!(!page.contains("The server's code"), "{page}");
}

#[test]
fn a_journey_that_changed_nothing_says_so_and_names_no_gap() {
    let mut app = learning("sign-in", 2, WIDE);
    let _ = press(&mut app, "B enter");
    let started = press(&mut app, "B enter");
    assert!(jobs(&started).is_empty(), "one at a time");
    let mut app = learning("vault", 2, WIDE);
    let started = press(&mut app, "E");
    tell(&mut app, Fact::LabMoved { chapter: 4 });
    let _ = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    let changes = app.changes().unwrap();
    assert_eq!(
        (changes.from, changes.to),
        (3, 4),
        "chapter 3 changes nothing"
    );
    let page = shown(&mut app, WIDE);
    assert!(page.contains("it gets the Supabase key"), "{page}");
    assert!(!page.contains("this chapter escalates nothing"), "{page}");
    let mut app = learning("sign-in", 2, WIDE);
    let started = press(&mut app, "B enter");
    tell(&mut app, Fact::LabMoved { chapter: 2 });
    let _ = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    let page = shown(&mut app, WIDE);
    assert!(page.contains("all of it is as it was"), "{page}");
}

#[test]
fn a_pane_that_fits_beside_the_page_leaves_the_keys_there() {
    let mut app = learning("open-door", 0, WIDE);
    let panes = |app: &App| (app.focus().pane, app.focus().beside());
    let _ = press(&mut app, "3");
    assert_eq!(panes(&app), (PaneId::Chapter, PaneId::Env));
    let page = shown(&mut app, (120, 90));
    assert!(page.contains("4   look at Issue"), "{page}");
    let _ = press(&mut app, "4");
    assert_eq!(panes(&app), (PaneId::Chapter, PaneId::Issue));
    let page = shown(&mut app, (120, 90));
    assert!(page.contains("4   Issue stands at the right"), "{page}");
    let _ = press(&mut app, "4");
    assert_eq!(panes(&app), (PaneId::Chapter, PaneId::Issue));
    assert_eq!(toast(&app), "Issue stands at the right: Tab goes into it");
    let mut narrow = learning("open-door", 0, SMALL);
    let _ = press(&mut narrow, "3");
    assert_eq!(narrow.focus().pane, PaneId::Env);
}

#[test]
fn what_comes_first_is_named_first() {
    let mut app = learning("in-your-name", 6, SMALL);
    let _ = press(&mut app, "e");
    let told = "escalate: s signs in first, then t lists the tickets";
    assert_eq!(toast(&app), told);
    let _ = press(&mut app, "d");
    let told = "delete: s signs in first, then e files an issue";
    assert_eq!(toast(&app), told);
}

#[test]
fn before_the_chapter_of_the_rule_the_room_is_told_nothing_of_it() {
    let off = |chapter: &str, lab: u8| {
        let mut app = learning(chapter, lab, WIDE);
        let events = story_with_the_policy_lifted();
        let read = events
            .iter()
            .rposition(|event| matches!(event.fact, Fact::PolicyRead(_)))
            .unwrap();
        let switch = switched(defaults(), events[read].at_us, 99);
        for event in events[..read].iter().chain([&switch, &events[read]]) {
            let _ = app.update(Msg::Trace(event.clone()));
        }
        let _ = press(&mut app, "v");
        shown(&mut app, WIDE).contains("is not in force")
    };
    assert!(off("limit", 7));
    assert!(!off("in-your-name", 6));
}

#[test]
fn hops_that_nothing_is_compared_with_are_not_told_as_new() {
    let mut app = learning("mask", 4, SMALL);
    let started = press(&mut app, "E");
    tell(&mut app, Fact::LabMoved { chapter: 5 });
    let _ = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    for event in story() {
        let _ = app.update(Msg::Trace(event));
    }
    let changes = app.changes().expect("the lab moved");
    assert!(matches!(changes.hops, HopChanges::Only(_)));
    let _ = press(&mut app, "esc D G");
    let page = shown(&mut app, SMALL);
    let page = shown(&mut app, SMALL) + &page;
    assert!(!page.contains("+ MCP server to Linear"), "{page}");
    assert!(page.contains("none was escalated at the end of"), "{page}");
}

#[test]
fn a_lab_that_is_not_there_yet_is_asked_nothing() {
    let mut app = learning("lock", 1, SMALL);
    assert_eq!(jobs(&press(&mut app, "c")), []);
    let told = "ask: the lab is not at this chapter yet: E does the steps first";
    assert_eq!(toast(&app), told);
    let mut app = learning("lock", 2, SMALL);
    let asked = jobs(&press(&mut app, "c"));
    assert!(matches!(asked[..], [Job::RunProbes { .. }]), "{asked:?}");
}

#[test]
fn a_row_of_an_earlier_run_had_a_credential() {
    let mut app = App::new(AppConfig {
        size: WIDE,
        started: Some(header().started + chrono::TimeDelta::days(1)),
        learn: Some(LearnConfig {
            book: book(),
            progress: Progress::default(),
            at: Some("limit".to_owned()),
            keeping: Keeping::On,
            ground: Ground::Lab,
            follows: false,
        }),
        ..AppConfig::default()
    });
    let rows = story()
        .into_iter()
        .filter(|event| matches!(event.fact, Fact::RunStarted(_) | Fact::AuditRecorded(_)));
    for event in rows {
        let _ = app.update(Msg::Trace(event));
    }
    let issued = app.projection().audit().rows().iter().position(|row| {
        row.status == hoptrail::protocol::audit::AuditStatus::Issued && row.scope.is_some()
    });
    let _ = press(&mut app, "2 tab g");
    let _ = press(&mut app, &"j ".repeat(issued.unwrap()));
    let page = shown(&mut app, WIDE);
    assert!(page.contains("credential  of an earlier run"), "{page}");
}

#[test]
fn one_env_is_not_compared_with_itself() {
    let mut app = learning("open-door", 0, WIDE);
    let mut lines = told("limit", 7, WIDE)
        .projection()
        .env()
        .before()
        .unwrap()
        .lines
        .clone();
    lines[0].set = false;
    let empty = lines[0].name.clone();
    let read = |which, lines| Fact::EnvRead {
        which,
        file: ".env".to_owned(),
        lines,
    };
    let _ = press(&mut app, "3");
    tell(&mut app, read(EnvSide::Before, lines.clone()));
    tell(&mut app, read(EnvSide::After, lines.clone()));
    let page = shown(&mut app, WIDE);
    assert!(page.contains("worth stealing: 1 "), "{page}");
    assert!(page.contains("now  ! 1"), "{page}");
    assert!(!page.contains(&empty), "{page}");
    lines.truncate(1);
    tell(&mut app, read(EnvSide::After, lines));
    let page = shown(&mut app, WIDE);
    assert!(page.contains("worth stealing  gone"), "{page}");
}

#[test]
fn questions_are_called_what_they_are() {
    let words = |at, lab| learning(at, lab, SMALL).words_of(Attempt::RunProbes);
    assert_eq!(
        words("whole-trail", 8),
        "try each value of .env on each service"
    );
    assert_eq!(words("limit", 7), "ask the zone for other scopes");
    assert_eq!(words("lock", 2), "knock on the server");
}

#[test]
fn a_hint_does_not_say_again_what_the_check_says() {
    let mut app = told("open-door", 0, SMALL);
    let learn = app.learn().unwrap();
    let checks = &learn.chapter().checks;
    let place = checks.iter().position(|check| check.id == "not-you");
    let shown_check = learn.shown(place.unwrap()).unwrap();
    let Status::Failed { fix, .. } = shown_check.status else {
        panic!("{:?}", shown_check.status);
    };
    let hints = shown_check.hints_left_over();
    assert!(!hints.contains(&fix.as_str()), "{hints:?}");
    let fix = fix.clone();
    for _ in 0..4 {
        let _ = press(&mut app, "i");
        let page = shown(&mut app, SMALL);
        assert!(!page.contains(&format!("hint: {fix}")), "{page}");
    }
}

#[test]
fn what_was_called_before_the_lab_changed_its_server_says_nothing_of_the_new_one() {
    let mut app = learning("vault", 3, SMALL);
    let whole = story();
    let escalates = |event: &TraceEvent| matches!(&event.fact, Fact::ToolCallStarted { tool, .. } if tool == "escalate_ticket");
    let escalation = whole.iter().position(escalates).unwrap();
    let (before, after) = whole.split_at(escalation);
    for event in before {
        let _ = app.update(Msg::Trace(event.clone()));
    }
    let started = press(&mut app, "E");
    assert_eq!(jobs(&started), [Job::GoToChapter(4)]);
    tell(&mut app, Fact::LabMoved { chapter: 4 });
    let _ = app.update(Msg::Tick(600_000_000));
    let _ = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    let _ = press(&mut app, "esc");
    assert_eq!(app.lab(), Lab::At);
    let waits = |app: &App, check: &str| match status(app, check) {
        Status::Pending { waiting_for } => waiting_for.starts_with("a new call"),
        _ => false,
    };
    for check in ["tickets-read", "per-call"] {
        assert!(waits(&app, check), "{check}: {:?}", status(&app, check));
    }
    for event in after {
        let _ = app.update(Msg::Trace(event.clone()));
    }
    let _ = app.update(Msg::Tick(700_000_000));
    let per_call = status(&app, "per-call");
    assert!(matches!(per_call, Status::Passed { .. }), "{per_call:?}");
    assert!(waits(&app, "tickets-read"), "the escalation listed nothing");
    assert!(!app.is_done(Attempt::ListTickets));
}

#[test]
fn a_rule_whose_list_names_write_is_put_right_by_the_lab() {
    let mut app = told("limit", 7, WIDE);
    let mut overview = app.projection().policies().overview().unwrap().clone();
    for policy in &mut overview.active_policies {
        let text = &mut policy.latest_version.cedar_raw;
        *text = text.replace("[\"read\"", "[\"read\", \"write\"");
    }
    tell(&mut app, Fact::PolicyRead(overview));
    let _ = app.update(Msg::Tick(600_000_000));
    let Status::Failed { because, .. } = status(&app, "active-set") else {
        panic!("{:?}", status(&app, "active-set"));
    };
    assert!(because.contains("lets write through"), "{because}");
    assert_eq!(
        app.words_of(Attempt::ReachStage),
        "let the lab put it right"
    );
    assert_eq!(jobs(&press(&mut app, "E")), [Job::GoToChapter(7)]);
}

#[test]
fn a_lab_that_is_further_on_is_asked_for_before_it_is_brought_back() {
    let mut app = told("lock", 7, WIDE);
    assert!(jobs(&press(&mut app, "E")).is_empty());
    let page = shown(&mut app, WIDE);
    for words in ["Bring the lab back?", "end of chapter 7", "signed out"] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    let _ = press(&mut app, "esc");
    assert!(app.overlays().is_empty());
    assert_eq!(jobs(&press(&mut app, "E enter")), [Job::GoToChapter(2)]);
}

/// Another program holds the state: then there is no lab that could be further on.
#[test]
fn a_lab_that_could_not_be_opened_is_opened_again_by_the_next_key() {
    let mut app = learning_from(Progress::default(), Some("vault"), WIDE);
    let _ = app.update(Msg::Trace(story()[0].clone()));
    let failure = Failure::new(Exit::Usage, "The state is in use", "another one", "stop it");
    tell(&mut app, Fact::FailureOccurred(failure));
    let _ = press(&mut app, "esc");
    assert_eq!(app.lab(), Lab::Absent);
    let next = app.next_step();
    assert_eq!(next.command, Command::Refresh);
    assert_eq!(jobs(&app.perform(next.command)), [Job::RefreshConsole]);
    let page = shown(&mut app, WIDE);
    assert!(!page.contains("the lab is further on"), "{page}");
}
