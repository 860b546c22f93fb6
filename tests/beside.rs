//! Two runs beside each other on the screen: every size, with styles; stepping from difference to
//! difference; a live run against a trace, whose alignment grows.

mod screens;

use hoptrail::{
    app::{
        App, AppConfig,
        compare::{Against, Durations, Reach, Row},
        msg::Msg,
        overlay::Overlay,
        player::{Growth, Tape},
    },
    config::Palette,
    projection::{Timeline, compare::Relation},
    trace::{
        TraceEvent, codec,
        event::{CallOutcome, Fact},
    },
    ui::look::Charset,
};
use screens::{draw, look, look_of, press, shoot, story_with_the_policy_lifted, styled_dump, text};

fn against(name: &str, events: &[TraceEvent]) -> Msg {
    Msg::Against(Box::new(Against {
        names: ("story".to_owned(), name.to_owned()),
        title: Some("The delete goes through".to_owned()),
        projection: screens::projection(events),
        durations: Durations::Compared,
        warning: None,
    }))
}

fn replay(size: (u16, u16), events: &[TraceEvent]) -> App {
    let mut app = App::new(AppConfig {
        size,
        replay: Some("story".to_owned()),
        ..AppConfig::default()
    });
    let mut timeline = Timeline::open(Some(screens::header().started));
    for event in events {
        timeline.push(event, codec::encode(event).trim_end());
    }
    timeline.close();
    let tape = Tape {
        timeline,
        title: "The whole story on the lab".to_owned(),
        growth: Growth::Finished,
        warning: None,
    };
    let _ = app.update(Msg::Opened(Box::new(tape)));
    app
}

/// `hoptrail replay story lifted`.
fn two(size: (u16, u16)) -> App {
    let mut app = replay(size, &screens::story());
    let _ = app.update(against("lifted", &story_with_the_policy_lifted()));
    app.prepare();
    app
}

fn snap(name: &str, app: &App, (width, height): (u16, u16)) {
    let (buffer, _) = draw(app, &look(), width, height);
    shoot(name, &buffer);
    insta::assert_snapshot!(format!("{name}@{width}x{height}"), styled_dump(&buffer));
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

#[test]
fn two_runs_stand_side_by_side_at_every_size() {
    for size in SIZES {
        let mut app = two(size);
        snap("beside", &app, size);
        let _ = press(&mut app, "G");
        snap("beside-end", &app, size);
    }
}

#[test]
fn both_hops_open_beside_each_other() {
    for size in SIZES {
        let mut app = two(size);
        // From the end back to the exchange that one run was refused.
        let _ = press(&mut app, "G");
        while app.both().0.is_none_or(|id| {
            app.this_side().hops().get(id).unwrap().scope.as_deref() != Some("write")
        }) {
            let before = app.compared().unwrap().selected();
            let _ = press(&mut app, "(");
            assert_ne!(before, app.compared().unwrap().selected());
        }
        let _ = press(&mut app, "enter");
        snap("both", &app, size);
        let _ = press(&mut app, "tab tab tab tab");
        let (buffer, _) = draw(&app, &look(), size.0, size.1);
        assert!(text(&buffer).contains("limit-linear-scopes"));
    }
}

#[test]
fn without_colour_and_unicode_it_says_the_same() {
    let app = two((80, 24));
    let (buffer, _) = draw(&app, &look_of(Palette::Mono, Charset::Ascii), 80, 24);
    let shown = text(&buffer);
    assert!(shown.is_ascii(), "{shown}");
    assert!(shown.contains("! differs"), "{shown}");
    assert!(shown.contains("A / B"), "{shown}");
}

#[test]
fn the_comparison_opens_by_itself_at_the_first_difference() {
    let app = two((120, 36));
    assert!(matches!(app.overlays().last(), Some(Overlay::Compare)));
    let compared = app.compared().unwrap();
    let (row, _) = compared.rows()[compared.selected()];
    assert_eq!(row, Row::Run(0));
    assert_eq!(compared.current_of_run().unwrap().what, "policy at the end");
}

#[test]
fn one_key_goes_from_difference_to_difference_and_back() {
    let mut app = two((120, 36));
    let mut seen = Vec::new();
    loop {
        let compared = app.compared().unwrap();
        let place = compared.selected();
        if seen.last() == Some(&place) {
            break;
        }
        seen.push(place);
        match compared.rows()[place].0 {
            Row::Run(_) => {}
            Row::Call(call) => {
                assert_ne!(compared.call(call).unwrap().standing, Relation::Same);
            }
            row @ Row::Hop(..) => {
                assert_ne!(compared.pair(row).unwrap().standing, Relation::Same);
            }
            other => panic!("nobody stands on {other:?}"),
        }
        let _ = press(&mut app, ")");
    }
    assert_eq!(app.toast().unwrap().text, "nothing differs after this");
    let last = *seen.last().unwrap();
    let _ = press(&mut app, "(");
    assert_eq!(app.compared().unwrap().selected(), seen[seen.len() - 2]);
    assert!(seen.len() > 3 && last > seen[0]);
}

#[test]
fn what_is_the_same_is_one_row_until_it_is_opened() {
    let mut app = two((120, 36));
    let compared = app.compared().unwrap();
    let (counts, length) = (compared.counts(), compared.rows().len());
    while !app.compared().unwrap().is_at_a_fold() {
        let _ = press(&mut app, "j");
    }
    let place = app.compared().unwrap().selected();
    let _ = press(&mut app, "enter");
    assert!(matches!(app.overlays().last(), Some(Overlay::Compare)));
    let compared = app.compared().unwrap();
    assert_eq!((compared.counts(), compared.selected()), (counts, place));
    assert!(compared.rows().len() > length);
    let _ = press(&mut app, "enter");
    assert!(matches!(app.overlays().last(), Some(Overlay::Both { .. })));
    // Close up, no hop is passed over.
    let all = app.compared().unwrap().comparison().calls.iter();
    let all: usize = all.map(|call| call.hops.len()).sum();
    for _ in 0..all {
        let _ = press(&mut app, "]");
    }
    let rows = app.compared().unwrap().rows();
    let hops = rows.iter().filter(|(row, _)| matches!(row, Row::Hop(..)));
    assert_eq!(hops.count(), all);
}

#[test]
fn the_windows_close_one_after_the_other_and_the_key_opens_again() {
    let mut app = two((120, 36));
    let _ = press(&mut app, "G enter");
    assert!(matches!(app.overlays().last(), Some(Overlay::Both { .. })));
    let _ = press(&mut app, "esc");
    assert!(matches!(app.overlays().last(), Some(Overlay::Compare)));
    let _ = press(&mut app, "esc");
    assert!(app.overlays().is_empty());
    let _ = press(&mut app, "=");
    assert!(matches!(app.overlays().last(), Some(Overlay::Compare)));
    let _ = press(&mut app, "=");
    assert!(app.overlays().is_empty());
}

#[test]
fn without_another_run_the_key_says_how_to_have_one() {
    let mut app = screens::told(120, 36);
    let _ = press(&mut app, "=");
    let said = &app.toast().unwrap().text;
    assert!(said.contains("--against"), "{said}");
}

/// How many rows are awaited, and how many stand how.
fn state(app: &mut App) -> (usize, usize, usize) {
    app.prepare();
    let (counts, awaited) = app.compared().unwrap().counts();
    let apart = counts.differ + counts.only_left + counts.only_right;
    (counts.same, apart, awaited)
}

#[test]
fn a_live_run_s_alignment_grows_as_events_arrive() {
    let story = screens::story();
    let mut app = screens::fresh(120, 36);
    let _ = app.update(against("story", &story));
    assert!(app.overlays().is_empty(), "a live run begins in its panes");
    let _ = press(&mut app, "=");
    let (same, apart, awaited) = state(&mut app);
    assert_eq!(
        (same, apart),
        (0, 0),
        "nothing happened, so nothing differs"
    );
    assert!(awaited > 20);
    let all = awaited;
    for event in &story {
        let _ = app.update(Msg::Trace(event.clone()));
        let (_, apart, _) = state(&mut app);
        // Between two voices of one hop it may be half told.
        let calm = app.projection().tools().running().is_none();
        assert!(apart <= usize::from(!calm), "after {event:?}");
    }
    assert_eq!(state(&mut app), (all, 0, 0));
    let rows = app.compared().unwrap().rows();
    assert!(rows.iter().all(|(_, reach)| *reach == Reach::Reached));
}

#[test]
fn a_live_run_that_goes_another_way_says_so_at_once() {
    let story = screens::story();
    let mut app = screens::fresh(120, 36);
    let _ = app.update(against("story", &story));
    let _ = press(&mut app, "=");
    for event in story_with_the_policy_lifted() {
        let _ = app.update(Msg::Trace(event));
    }
    app.prepare();
    let compared = app.compared().unwrap();
    let delete = compared
        .comparison()
        .calls
        .iter()
        .find(|call| call.title == "delete_issue")
        .unwrap();
    assert_eq!(delete.left.as_deref(), Some("succeeded"));
    assert!(delete.differences().iter().any(|d| d.what == "outcome"));
    snap("beside-live", &app, (120, 36));
}

#[test]
fn a_step_in_the_replay_does_not_change_what_is_compared() {
    let mut app = two((120, 36));
    let before = app.compared().unwrap().comparison().clone();
    let _ = press(&mut app, "esc $ 0 ] ] =");
    app.prepare();
    assert_eq!(*app.compared().unwrap().comparison(), before);
}

#[test]
fn hops_that_ran_side_by_side_may_begin_in_either_order() {
    let story = screens::story();
    let mut other = story.clone();
    let exchange = other
        .iter_mut()
        .find_map(|event| match &mut event.fact {
            Fact::AuditRecorded(record) if record.trace_parent.is_some() => Some(record),
            _ => None,
        })
        .unwrap();
    exchange.occurred_at -= chrono::TimeDelta::seconds(1);
    let mut app = replay((120, 36), &story);
    let _ = app.update(against("jitter", &other));
    app.prepare();
    let (counts, _) = app.compared().unwrap().counts();
    assert_eq!((counts.only_left, counts.only_right), (0, 0));
}

#[test]
fn a_call_that_is_under_way_is_awaited_not_different() {
    let story = screens::story();
    let ended = |event: &TraceEvent| {
        matches!(&event.fact, Fact::ToolCallFinished { tool, outcome, .. }
            if tool == "escalate_ticket" && *outcome == CallOutcome::Succeeded)
    };
    let end = story.iter().position(ended).unwrap();
    let mut app = screens::fresh(120, 36);
    let _ = app.update(against("story", &story));
    let _ = press(&mut app, "=");
    for event in &story[..end] {
        let _ = app.update(Msg::Trace(event.clone()));
    }
    let (_, apart, awaited) = state(&mut app);
    assert_eq!(apart, 0);
    assert!(awaited > 0);
}
