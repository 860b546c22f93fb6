//! What is so now, after a chapter was done once: checks that hold no more, calls from before the
//! rule, and the console's step that a check is about.

use hoptrail::{
    app::{
        command::Command,
        learn::console::{Part, Step, Work},
        msg::TaskOutcome,
    },
    chapters::{Attempt, Status, probe::ScopeAnswer},
    protocol::console::PolicyOverview,
    trace::event::CallOutcome,
};

use super::*;
use crate::screens::{lifted, limits, switched};

const SMALL: (u16, u16) = (80, 24);
const WIDE: (u16, u16) = (120, 36);

fn refused() -> ProbeResults {
    let refused = Reading::Told(ScopeAnswer::Refused {
        policy: Some("limit-linear-scopes".to_owned()),
    });
    let scopes = ["admin", "made:up"].map(|scope| (scope.to_owned(), refused.clone()));
    ProbeResults {
        scopes: scopes.into_iter().collect(),
        ..ProbeResults::default()
    }
}

/// The same event with its place after all that the app has seen.
fn tell(app: &mut App, mut event: TraceEvent) {
    event.seq = app.projection().log().len() as u64;
    let _ = app.update(Msg::Trace(event));
}

fn tick(app: &mut App, at_us: u64) {
    let _ = app.update(Msg::Tick(at_us));
}

/// Chapter 7 with everything done; the read of the policies that the story had.
fn done() -> (App, PolicyOverview) {
    let mut app = told("limit", 7, SMALL);
    let _ = app.update(Msg::Probed("limit".to_owned(), Box::new(refused())));
    tick(&mut app, 120_000);
    let overview = app.projection().policies().overview().unwrap().clone();
    (app, overview)
}

fn read(app: &mut App, overview: PolicyOverview) {
    let mut event = story()[0].clone();
    event.fact = Fact::PolicyRead(overview);
    tell(app, event);
    tick(app, app_time(app) + 60_000);
}

fn app_time(app: &App) -> u64 {
    let last = app.projection().log().len() as u64;
    10_000_000 * last
}

/// Another set is active: the platform's, which lacks the rule.
fn without_the_rule(overview: &PolicyOverview) -> PolicyOverview {
    let mut overview = overview.clone();
    overview.sets[0].active_version = Some(1);
    overview.sets[1].active_version = None;
    overview.active_policies.pop();
    overview
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
fn what_fails_now_is_told_now_though_the_chapter_was_done() {
    let (mut app, overview) = done();
    assert_eq!(app.learn().unwrap().tally(), (5, 5));
    let page = shown(&mut app, WIDE);
    assert!(page.contains(" 5 of 5 checks "), "{page}");
    read(&mut app, without_the_rule(&overview));
    let learn = app.learn().unwrap();
    assert!(matches!(status(&app, "active-set"), Status::Failed { .. }));
    assert!(learn.has_lapsed());
    assert!(learn.tally().0 < 5);
    let chapter = learn.chapter();
    assert_eq!(
        learn.progress().standing(chapter),
        ChapterState::Done,
        "what was done stays done"
    );
    let page = shown(&mut app, WIDE);
    assert!(page.contains("of 5 checks now"), "{page}");
    assert_eq!(app.next_step().command, Command::TogglePolicy);
    let told = toast(&app);
    assert!(!told.contains("every check is done"), "{told}");
    let _ = press(&mut app, "i");
    let page = shown(&mut app, SMALL);
    assert!(page.contains("hint: Make a set of your own"), "{page}");
    let _ = press(&mut app, "J");
    let page = shown(&mut app, SMALL);
    assert!(page.contains("Go on with failed checks?"), "{page}");
    let _ = press(&mut app, "enter");
    let learn = app.learn().unwrap();
    assert_eq!(learn.chapter().id, "whole-trail");
    let limit = learn.book().get("limit").unwrap();
    assert_eq!(learn.progress().standing(limit), ChapterState::Done);
}

#[test]
fn a_permit_leads_to_the_console_and_the_lab_offers_to_put_it_right() {
    let (mut app, overview) = done();
    read(&mut app, permitting(&overview));
    assert_eq!(app.next_step().command, Command::ConsoleWork);
    assert!(!app.is_done(Attempt::ReachStage));
    assert_eq!(
        app.words_of(Attempt::ReachStage),
        "let the lab put it right"
    );
    assert_eq!(jobs(&press(&mut app, "E")), [Job::GoToChapter(7)]);
}

#[test]
fn a_delete_from_before_the_active_set_proves_nothing_of_its_rule() {
    let mut app = learning("limit", 7, SMALL);
    let whole = story();
    let delete = whole
        .iter()
        .position(|event| {
            matches!(&event.fact, Fact::ToolCallStarted { tool, .. } if tool == "delete_issue")
        })
        .unwrap();
    for event in &whole[..delete] {
        tell(&mut app, event.clone());
    }
    // The rule is off, and the delete goes through; then the rule is put in force.
    let overview = app.projection().policies().overview().unwrap().clone();
    for event in lifted() {
        tell(&mut app, event);
    }
    let deleted = app.projection().tools().latest("delete_issue").unwrap();
    assert_eq!(deleted.outcome, Some(CallOutcome::Succeeded));
    tell(&mut app, switched(limits(), 20_000_000, 40));
    read(&mut app, overview);
    let Status::Failed { because, fix } = status(&app, "delete-refused") else {
        panic!("{:?}", status(&app, "delete-refused"));
    };
    assert_eq!(
        because,
        "the last deletion was before the policy set that is active now"
    );
    assert_eq!(fix, "Delete an issue once more");
    // Its issue is in the trash: another one is needed first.
    let _ = press(&mut app, "5 8");
    assert_eq!(app.next_step().command, Command::EscalateTicket);
}

#[test]
fn what_is_left_to_ask_is_the_next_key() {
    let mut app = told("limit", 7, SMALL);
    assert_eq!(app.learn().unwrap().tally(), (4, 5));
    let _ = press(&mut app, "5 8 2 8 4 8");
    assert_eq!(app.next_step().command, Command::RunProbes);
}

fn step(title: &str, part: Part) -> Step {
    Step {
        title: title.to_owned(),
        part,
        form: vec![Field::new("name", Kind::Text, "limit-linear-scopes")],
        taken: Some("made".to_owned()),
    }
}

fn work() -> Work {
    Work {
        chapter: 7,
        steps: vec![
            step("Write the policy", Part::Policy),
            step("Make a set", Part::PolicySet),
            step("Publish it", Part::Publication),
            step("Activate it", Part::Activation),
        ],
    }
}

#[rstest]
#[case::permits(permitting, 0)]
#[case::leaves_a_default_out(without_a_default, 2)]
#[case::is_not_active(without_the_rule, 3)]
fn the_console_opens_at_the_step_that_a_check_is_about(
    #[case] otherwise: fn(&PolicyOverview) -> PolicyOverview,
    #[case] place: usize,
) {
    let (mut app, overview) = done();
    read(&mut app, otherwise(&overview));
    let opened = press(&mut app, "Z");
    let _ = app.update(Msg::ConsoleWork(work()));
    let _ = app.update(Msg::Task(task(&opened), TaskOutcome::Done));
    let Some(Overlay::Console { selected, .. }) = app.overlays().last() else {
        panic!("{:?}", app.overlays());
    };
    assert_eq!(*selected, place);
    let page = shown(&mut app, SMALL);
    assert!(page.contains("4 of 4 taken"), "{page}");
    assert!(page.contains("a check fails"), "{page}");
    assert!(!page.contains("all of it is done"), "{page}");
}

#[test]
fn the_step_at_fault_is_the_one_to_change_once_all_are_taken() {
    let (mut app, overview) = done();
    let opened = press(&mut app, "Z");
    let mut work = work();
    work.steps[0].form.push(Field {
        value: "permit (principal, action, resource);".to_owned(),
        ..Field::new("text", Kind::Lines, "forbid (principal, action, resource);")
    });
    let _ = app.update(Msg::ConsoleWork(work));
    let _ = app.update(Msg::Task(task(&opened), TaskOutcome::Done));
    let _ = press(&mut app, "j j j j");
    read(&mut app, permitting(&overview));
    let Some(Overlay::Console { selected: 0, .. }) = app.overlays().last() else {
        panic!("{:?}", app.overlays());
    };
    let _ = press(&mut app, "e");
    let form = app.form().unwrap();
    assert_eq!(
        form.current().unwrap().label,
        "text",
        "it is the one that was changed"
    );
    let _ = press(&mut app, "ctrl-r ctrl-r");
    let told = toast(&app);
    assert!(
        told.contains("nothing to do, this field is as it was"),
        "{told}"
    );
}

#[test]
fn panes_that_the_text_looks_at_are_steps_until_they_were_seen() {
    let (mut app, _) = done();
    for (pane, key) in [
        (PaneId::Policy, "5"),
        (PaneId::Audit, "2"),
        (PaneId::Issue, "4"),
    ] {
        assert_eq!(app.next_step().command, Command::Show(pane));
        let _ = press(&mut app, key);
        assert_eq!(app.focus().pane, pane);
        assert_eq!(app.next_step().command, Command::Show(PaneId::Chapter));
        let _ = press(&mut app, "8");
    }
    assert_eq!(app.next_step().command, Command::PageDown);
}

#[test]
fn the_policy_that_is_shown_is_one_of_the_set_in_force() {
    let mut app = learning("limit", 6, SMALL);
    let whole = story();
    let delete = |event: &TraceEvent| matches!(&event.fact, Fact::ToolCallStarted { tool, .. } if tool == "delete_issue");
    for event in whole.into_iter().take_while(|event| !delete(event)) {
        tell(&mut app, event);
    }
    let mut overview = app.projection().policies().overview().unwrap().clone();
    let shown = |app: &App| {
        let overview = app.projection().policies().overview().unwrap();
        overview.active_policies[app.open_policy()].name.clone()
    };
    assert!(shown(&app).starts_with("default-"), "it decided last");
    for set in &mut overview.sets {
        set.name.push_str(" of today");
    }
    read(&mut app, overview);
    assert_eq!(shown(&app), "limit-linear-scopes");
}

fn without_a_default(overview: &PolicyOverview) -> PolicyOverview {
    let mut overview = overview.clone();
    overview
        .active_policies
        .retain(|policy| policy.name != "default-app-delegation");
    overview
}

#[test]
fn escape_leads_from_the_evidence_back_to_the_chapter() {
    let size = (120, 36);
    let mut app = told("limit", 7, size);
    let _ = press(&mut app, "2 tab");
    assert_eq!(app.focus().pane, PaneId::Audit);
    let page = shown(&mut app, size);
    assert!(page.contains("Esc back to the chapter"), "{page}");
    let _ = press(&mut app, "z");
    assert!(!app.is_beside_the_chapter(), "the zoom goes first");
    let _ = press(&mut app, "esc");
    assert_eq!(app.focus().pane, PaneId::Audit);
    let _ = press(&mut app, "esc");
    assert_eq!(app.focus().pane, PaneId::Chapter);
    assert_eq!(app.focus().beside(), PaneId::Audit);
}

#[test]
fn who_comes_back_finds_the_next_open_check() {
    let mut app = told("sign-in", 2, SMALL);
    let _ = seen(&mut app, SMALL);
    let progress = kept(&app.update(Msg::Signal(hoptrail::app::msg::Signal::Terminate))).unwrap();
    let again = learning_from(progress.clone(), Some("sign-in"), SMALL);
    assert!(
        !matches!(again.learn().unwrap().selected(), Some(Item::Chapter(_))),
        "a link leads away"
    );
    let text = progress.to_toml();
    let lines = text.lines().filter(|line| !line.starts_with("subject"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let progress = Progress::parse(&text, "chapters.toml").unwrap();
    let again = learning_from(progress, Some("sign-in"), SMALL);
    let learn = again.learn().unwrap();
    let subject = learn
        .chapter()
        .checks
        .iter()
        .position(|c| c.id == "subject");
    assert_eq!(learn.selected(), Some(Item::Check(subject.unwrap())));
}

#[test]
fn before_anybody_signs_in_the_audit_pane_invites_to_nothing_that_cannot_happen() {
    let mut app = learning("open-door", 0, WIDE);
    let _ = press(&mut app, "2");
    let page = shown(&mut app, WIDE);
    assert!(page.contains("asks nobody who they are"), "{page}");
    assert!(!page.contains("the first rows"), "{page}");
    let mut app = learning("sign-in", 2, WIDE);
    let _ = press(&mut app, "2");
    assert!(shown(&mut app, WIDE).contains("the first rows"));
}

#[test]
fn what_another_server_answered_was_not_asked_of_this_chapters() {
    let mut app = learning("lock", 1, SMALL);
    let chapter = app.learn().unwrap().chapter();
    let http = chapter
        .probes()
        .into_iter()
        .filter_map(|probe| match probe {
            hoptrail::chapters::Probe::Http(knock) => Some((
                knock,
                Reading::Failed {
                    because: "it did not answer".to_owned(),
                },
            )),
            _ => None,
        });
    let results = ProbeResults {
        http: http.collect(),
        metadata: Reading::Failed {
            because: "404".to_owned(),
        },
        env: Reading::Told(Vec::new()),
        ..ProbeResults::default()
    };
    let _ = app.update(Msg::Probed("lock".to_owned(), Box::new(results)));
    assert_eq!(app.lab(), Lab::Before);
    assert!(!app.is_done(Attempt::RunProbes));
    let mut moved = story()[0].clone();
    moved.fact = Fact::LabMoved { chapter: 2 };
    tell(&mut app, moved);
    assert!(app.is_done(Attempt::RunProbes));
}

#[test]
fn the_list_of_steps_stays_where_it_is_while_one_goes_along_it() {
    let mut app = learning("limit", 6, WIDE);
    let mut work = work();
    work.steps[0]
        .form
        .push(Field::new("text", Kind::Lines, "forbid (\n  principal\n);"));
    work.steps[1].taken = None;
    work.steps[2].taken = Some("published, with every one of its policies, ".repeat(9));
    let opened = press(&mut app, "Z");
    let _ = app.update(Msg::ConsoleWork(work));
    let _ = app.update(Msg::Task(task(&opened), TaskOutcome::Done));
    let place = |page: &str, words: &str| page.lines().position(|line| line.contains(words));
    let first = shown(&mut app, WIDE);
    for key in ["k", "k", "k", "j", "j", "j"] {
        let _ = press(&mut app, key);
        let page = shown(&mut app, WIDE);
        for words in [
            "In the zone's console",
            "Make a set",
            "Activate it",
            "Enter",
        ] {
            assert_eq!(place(&page, words), place(&first, words), "{words}: {page}");
        }
    }
}

/// A request that puts a version of the workshop's set in force, and what is then read.
fn put_in_force(app: &mut App, version: u32, read_then: PolicyOverview) {
    let at_us = 20_000_000 + u64::from(version) * 1_000_000;
    let whole = story();
    let of = |event: &&TraceEvent| matches!(event.fact, Fact::HopSent { .. });
    let mut sent = whole.iter().find(of).unwrap().clone();
    let answered = |event: &&TraceEvent| event.span == sent.span && event.seq > sent.seq;
    let mut returned = whole.iter().find(answered).unwrap().clone();
    if let Fact::HopSent {
        leg, method, url, ..
    } = &mut sent.fact
    {
        *leg = hoptrail::trace::event::Leg::Console;
        "PATCH".clone_into(method);
        *url = format!(
            "http://127.0.0.1:8100/zones/lab/policy-sets/ps-with-limits/versions/{version}"
        );
    }
    if let Fact::HopReturned { status, .. } = &mut returned.fact {
        *status = 200;
    }
    for event in [&mut sent, &mut returned] {
        event.span = Some(hoptrail::protocol::traceparent::SpanId(u64::from(version)));
        event.call = None;
        event.at_us = at_us;
    }
    tell(app, sent);
    tell(app, returned);
    let reference = hoptrail::protocol::audit::PolicySetRef {
        version,
        ..limits()
    };
    tell(app, switched(reference, at_us, u64::from(40 + version)));
    read(app, read_then);
}

#[test]
fn the_line_between_policy_sets_judges_what_was_put_in_force_there() {
    let (mut app, overview) = done();
    let version = |mut overview: PolicyOverview, version: u32| {
        overview.sets[1].active_version = Some(version);
        overview
    };
    put_in_force(&mut app, 3, version(permitting(&overview), 3));
    put_in_force(&mut app, 4, version(overview, 4));
    let size = (200, 60);
    let _ = press(&mut app, "1 z");
    let page = shown(&mut app, size);
    let lines: Vec<&str> = page.lines().filter(|l| l.contains("policy: ")).collect();
    assert_eq!(lines.len(), 2, "{page}");
    assert!(lines[0].contains("! limit-linear-scopes is off"), "{page}");
    assert!(lines[1].contains("limit-linear-scopes is on"), "{page}");
}
