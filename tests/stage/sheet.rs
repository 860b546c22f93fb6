//! What a sheet may ask for: a pane that is left on the stage, a ticket that there is, long titles.

use hoptrail::{
    app::{
        App,
        focus::{Layout, PaneId, Zoom},
        msg::Msg,
        overlay::Overlay,
        stage::Judgement,
    },
    config::sheet::{Sheet, doubts},
};

use super::{
    done, escalated, mark, run,
    screens::{draw, header, look, press, text},
    shown, signed_in, snap, tape_of, tell, toast, with,
};

const ESCALATE: &str =
    "[[cue]]\ntitle = \"Escalate a ticket\"\ndo = \"escalate\"\nexpect = \"issued\"\n";

/// A cue that left a pane on the screen.
fn left(pane: &str, width: u16, height: u16) -> App {
    let mut app = signed_in(&format!("{ESCALATE}show = \"{pane}\"\n"), width, height);
    escalated(&mut app);
    app
}

#[test]
fn a_pane_that_a_cue_leaves_takes_neither_the_verdict_nor_the_cue_away() {
    for (width, height) in super::SIZES {
        let app = left("issue", width, height);
        let focus = app.focus();
        assert_eq!(
            (focus.pane, focus.layout, focus.zoom),
            (PaneId::Issue, Layout::Stage, Zoom::On)
        );
        let seen = text(&draw(&app, &look(), width, height).0);
        for told in [
            "4 credentials issued",
            "2/2 Escalate a ticket  ✓ as planned",
            "SUP-",
        ] {
            assert!(seen.contains(told), "{told} in {seen}");
        }
    }
}

#[test]
fn from_a_pane_that_was_left_every_key_leads_back_to_the_stage() {
    for keys in ["z", "tab", "esc", "1"] {
        let mut app = left("env", 120, 36);
        let _ = press(&mut app, keys);
        let focus = app.focus();
        let back = (PaneId::Flow, Layout::Stage, Zoom::Off);
        assert_eq!((focus.pane, focus.layout, focus.zoom), back, "{keys}");
    }
    // The pane of a cue that the stage has anyway stands beside the other one.
    let app = left("audit", 120, 36);
    assert_eq!(
        (app.focus().pane, app.focus().zoom),
        (PaneId::Audit, Zoom::Off)
    );
    assert!(shown(&app).contains("Flow"), "{}", shown(&app));
}

#[test]
fn a_ticket_that_is_not_there_fails_and_says_so_and_the_show_goes_on() {
    let sheet = format!("{ESCALATE}ticket = 33\n[[cue]]\ntitle = \"And on\"\ndo = \"talk\"\n");
    let mut app = signed_in(&sheet, 120, 36);
    let (list, _) = run(&press(&mut app, "space"));
    tell(&mut app, 31..40);
    let count = app.projection().issues().tickets().len();
    assert_eq!(done(&mut app, list), [], "nothing else is escalated");
    let [Overlay::Failure { failure, .. }] = app.overlays() else {
        panic!("{:?}", app.overlays());
    };
    assert_eq!(failure.what, "Cue 2, Escalate a ticket, escalated nothing");
    let why = format!("there is no ticket 33: the list has {count}");
    assert_eq!(failure.why, why);
    assert!(
        failure.next.contains(&format!("ticket = 1 to {count}")),
        "{failure}"
    );
    assert_eq!(app.judgement(), Some(Judgement::Otherwise(why.clone())));
    let _ = press(&mut app, "esc");
    assert!(shown(&app).contains(&why), "{}", shown(&app));
    assert_eq!(press(&mut app, "space"), [mark(3, "And on")]);
}

#[test]
fn what_the_lab_has_not_is_said_at_the_start_of_a_lab_of_its_own() {
    let sheet = format!("{ESCALATE}ticket = 6\n");
    let mut app = with(Sheet::parse(&sheet, "s").unwrap(), 120, 36);
    assert_eq!(app.update(Msg::Begun(header().started)), []);
    let told = "cue 1 wants ticket 6: the lab has 5";
    assert_eq!(toast(&app), told);
    // What a lab has was recorded from it.
    let recorded = hoptrail::shipped::by_name("on-stage").unwrap();
    let tape = tape_of(recorded.text.as_bytes(), None);
    let seen = tape.timeline.end();
    assert_eq!(seen.issues().tickets().len(), doubts::LAB_TICKETS);
    assert_eq!(seen.policies().forbids(doubts::LAB_RULE), Some(true));
}

#[test]
fn how_a_cue_went_is_never_pushed_out_by_its_title() {
    let title = "w".repeat(80);
    let sheet = format!("[[cue]]\ntitle = \"{title}\"\ndo = \"talk\"\nexpect = \"signed-in\"\n");
    let mut app = signed_in(&sheet, 80, 24);
    let _ = press(&mut app, "space");
    let seen = text(&draw(&app, &look(), 80, 24).0);
    assert!(seen.contains("✓ as planned"), "{seen}");
}

#[test]
fn what_the_room_sees_of_a_pane_that_a_cue_left() {
    snap("left-policy", |width, height| left("policy", width, height));
}
