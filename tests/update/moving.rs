//! Going about the panes and what is open over them: keys, clicks, filters, and one step back.

use hoptrail::app::{
    App,
    effect::{Effect, Job},
    focus::{Layout, PaneId, Zoom},
    msg::{InputEvent, MouseAction, Msg},
    overlay::{Overlay, Subject},
    target::Target,
};

use crate::jobs;
use crate::screens::{draw, fresh, look, press, story, text, told, told_until};

#[test]
fn the_refusal_is_one_key_away() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "g X");
    let row = app.panes().flow.current().expect("a row is selected");
    let hop = app.projection().hops().get(row.hop()).unwrap();
    assert_eq!(hop.scope.as_deref(), Some("write"));
}

#[test]
fn a_filter_that_hides_the_refusal_is_named() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "1 / text:supabase enter X");
    assert_eq!(app.focus().pane, PaneId::Audit, "there it is in view");
    let row = app.panes().audit.current().unwrap();
    let row = app.projection().audit().get(row).unwrap();
    assert_eq!(row.scope.as_deref(), Some("write"));
    let toast = |app: &App| {
        app.toast()
            .map_or(String::new(), |toast| toast.text.clone())
    };
    assert_eq!(toast(&app), "the filter of Flow hides its row");
    let _ = press(&mut app, "/ text:supabase enter X");
    assert!(
        toast(&app).ends_with("the filters hide what was refused"),
        "{}",
        toast(&app)
    );
}

#[test]
fn esc_undoes_one_thing_at_a_time_and_q_quits_only_with_nothing_open() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "2 z / text:linear enter enter ?");
    assert_eq!(app.overlays().len(), 2);
    assert_eq!(press(&mut app, "q"), []);
    assert_eq!(app.overlays().len(), 1);
    let _ = press(&mut app, "esc");
    assert!(app.overlays().is_empty());
    assert_eq!(app.filter_of(PaneId::Audit), "linear");
    let _ = press(&mut app, "esc");
    assert_eq!(app.filter_of(PaneId::Audit), "");
    assert_eq!(app.focus().zoom, Zoom::On);
    let _ = press(&mut app, "esc");
    assert_eq!(app.focus().zoom, Zoom::Off);
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn digits_jump_and_are_text_in_a_field() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "5");
    assert_eq!(app.focus().pane, PaneId::Policy);
    let _ = press(&mut app, "2 / text:q1? enter");
    assert_eq!(app.focus().pane, PaneId::Audit);
    assert_eq!(app.filter_of(PaneId::Audit), "q1?");
}

#[test]
fn tab_goes_round_and_the_stage_has_two_panes() {
    let mut app = fresh(120, 36);
    let _ = press(&mut app, "shift-tab");
    assert_eq!(app.focus().pane, PaneId::Trace);
    let _ = press(&mut app, "tab tab");
    assert_eq!(app.focus().pane, PaneId::Audit);
    let _ = press(&mut app, "v tab");
    assert_eq!(app.focus().pane, PaneId::Flow);
    let _ = press(&mut app, "4");
    assert_eq!(app.focus().layout, Layout::Explore);
}

#[test]
fn a_filter_shows_only_what_it_names_and_esc_brings_back_the_one_before() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "2 / text:status:failure enter");
    assert_eq!(app.panes().audit.rows().len(), 1);
    let _ = press(&mut app, "/ ctrl-u text:nothing esc");
    assert_eq!(app.panes().audit.rows().len(), 1);
    let _ = press(&mut app, "1 / text:linear enter");
    let (buffer, _) = draw(&app, &look(), 120, 36);
    let shown = text(&buffer);
    assert!(shown.contains("no credential, no call"), "{shown}");
    assert!(!shown.contains("Anthropic API"), "{shown}");
}

#[test]
fn rows_that_arrive_do_not_move_the_selection_and_g_follows_again() {
    let mut app = told_until(120, 36, 60);
    let _ = press(&mut app, "2 g j");
    let before = app.panes().audit.current();
    let rest: Vec<_> = story().into_iter().skip(60).collect();
    for event in rest {
        let _ = app.update(Msg::Trace(event));
    }
    assert_eq!(app.panes().audit.current(), before);
    let _ = press(&mut app, "G");
    assert!(app.panes().audit.follows());
    assert_eq!(
        app.panes().audit.selected() + 1,
        app.panes().audit.rows().len()
    );
}

#[test]
fn a_frozen_picture_holds_still_and_catches_up() {
    let mut app = told_until(120, 36, 40);
    let _ = press(&mut app, "f esc");
    let (before, _) = draw(&app, &look(), 120, 36);
    for event in story().into_iter().skip(40) {
        let _ = app.update(Msg::Trace(event));
    }
    let (after, _) = draw(&app, &look(), 120, 36);
    let body = |shown: String| shown.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(text(&before)), body(text(&after)));
    assert!(text(&after).contains("FROZEN +32"));
    // Who records now records these too.
    assert_eq!(app.behind_the_picture(), &story()[40..]);
    let _ = press(&mut app, "f esc");
    let live = told(120, 36);
    assert_eq!(app.projection(), live.projection());
    assert_eq!(app.panes(), live.panes());
}

#[test]
fn an_exchange_that_waits_is_not_hidden_by_a_picture_that_stands_still() {
    let mut app = told_until(120, 36, 40);
    let _ = press(&mut app, "f");
    for event in story().into_iter().skip(40) {
        let _ = app.update(Msg::Trace(event));
    }
    let _ = press(&mut app, "H");
    assert_eq!(app.held_back(), None);
    assert_eq!(app.projection(), told(120, 36).projection());
}

#[test]
fn the_inspector_turns_its_tabs_and_goes_to_the_neighbour() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "2 enter l");
    let Some(Overlay::Inspect(first)) = app.overlays().last().cloned() else {
        panic!("nothing is open");
    };
    assert_eq!(first.tab, 1);
    let _ = press(&mut app, "[");
    let Some(Overlay::Inspect(second)) = app.overlays().last().cloned() else {
        panic!("nothing is open");
    };
    assert_ne!(first.subject, second.subject);
    assert!(matches!(second.subject, Subject::Audit(_)));
    assert_eq!(second.tab, 1);
    assert_eq!(app.overlays().len(), 1);
}

#[test]
fn the_inspector_is_not_in_the_way_of_the_story() {
    let mut app = told(120, 36);
    // In the console's steps, `e` changes a form; here it is what it is behind the window.
    let effects = press(&mut app, "2 enter e");
    assert!(matches!(
        &jobs(&effects)[..],
        [Job::CallTool { tool, .. }] if tool == "escalate_ticket"
    ));
    assert!(app.overlays().is_empty());

    // What cannot be done says why and takes nothing away.
    let effects = press(&mut app, "2 enter e");
    assert_eq!(jobs(&effects), []);
    assert!(matches!(app.overlays(), [Overlay::Inspect(_)]));
    assert!(app.toast().is_some());
}

#[test]
fn scrolling_past_the_end_is_taken_back_by_the_frame() {
    let mut app = told(80, 24);
    let _ = press(&mut app, "? pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn");
    let (_, hits) = draw(&app, &look(), 80, 24);
    app.settle(&hits.extents);
    let (end, _) = draw(&app, &look(), 80, 24);
    let _ = press(&mut app, "k");
    let (up, _) = draw(&app, &look(), 80, 24);
    assert_ne!(text(&end), text(&up));
}

#[test]
fn paste_is_text_and_never_keys() {
    let mut app = told(120, 36);
    let paste = |text: &str| Msg::Input(InputEvent::Paste(text.to_owned()));
    assert_eq!(app.update(paste("qqq\n")), []);
    assert!(app.overlays().is_empty());
    let _ = press(&mut app, "2 /");
    let _ = app.update(paste("wri\u{1b}te\nq"));
    let _ = press(&mut app, "enter");
    assert_eq!(app.filter_of(PaneId::Audit), "wri␛te");
}

#[test]
fn a_click_does_what_it_points_at() {
    let mut app = told(120, 36);
    let (buffer, hits) = draw(&app, &look(), 120, 36);
    let shown = text(&buffer);
    let (row, line) = shown
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains("Failure") && line.contains("Linear"))
        .unwrap();
    let at = line.rfind("✗ Failure").unwrap();
    let column = line[..at].chars().count();
    let click = |app: &mut App, column: usize, row: usize, hits: &hoptrail::ui::HitMap| {
        let target = hits.at(u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
        app.update(Msg::Input(InputEvent::Mouse {
            action: MouseAction::Click,
            target,
        }))
    };
    let _ = click(&mut app, column, row, &hits);
    assert_eq!(app.focus().pane, PaneId::Audit);
    let (_, hits) = draw(&app, &look(), 120, 36);
    assert!(matches!(
        hits.at(10, 10),
        Some(Target::Row(PaneId::Audit, _))
    ));
    // A key hint is a button.
    let (buffer, hits) = draw(&app, &look(), 120, 36);
    let foot = text(&buffer).lines().last().unwrap().to_owned();
    let at = foot[..foot.find("? help").unwrap()].chars().count();
    let _ = click(&mut app, at, 35, &hits);
    assert!(matches!(app.overlays(), [Overlay::Help { .. }]));
}

#[test]
fn escape_and_a_letter_in_one_read_are_two_keys_except_in_a_field() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "?");
    let effects = press(&mut app, "Alt-q");
    assert!(app.overlays().is_empty());
    assert!(effects.contains(&Effect::Quit));

    let _ = press(&mut app, "/ text:red");
    assert_eq!(press(&mut app, "Alt-b"), []);
    assert!(matches!(app.overlays(), [Overlay::Filter { input, .. }] if input.value() == "red"));
}
