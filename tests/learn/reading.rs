//! Reading a chapter: what is offered next, whose news come first, and where evidence leads.

use hoptrail::{
    app::{
        command::Command,
        overlay::{Inspect, TOKENS},
    },
    chapters::{Attempt, probe::ScopeAnswer},
    support::error::{Exit, Failure},
};

use super::*;

const SMALL: (u16, u16) = (80, 24);

fn at_item(app: &mut App, wanted: &Item) {
    for _ in 0..40 {
        if app.learn().unwrap().selected().as_ref() == Some(wanted) {
            return;
        }
        let _ = press(app, "l");
    }
    panic!("the page has no {wanted:?}");
}

#[test]
fn what_the_reader_did_is_told_before_the_chapter_s_own_news() {
    let mut app = learning("sign-in", 2, SMALL);
    for mut event in story() {
        event.at_us = 0;
        let _ = app.update(Msg::Trace(event));
    }
    let _ = press(&mut app, "x");
    let first = toast(&app).to_owned();
    let _ = app.update(Msg::Tick(60));
    assert_eq!(toast(&app), first, "it stays until it was read");
    let _ = app.update(Msg::Tick(6_000));
    assert!(
        toast(&app).contains("every check is done"),
        "{}",
        toast(&app)
    );
    let _ = press(&mut app, "J");
    assert_eq!(app.toast(), None, "it was of the chapter before");
}

#[test]
fn a_chapter_whose_checks_are_done_is_read_to_its_end_before_the_next() {
    let mut app = told("sign-in", 2, SMALL);
    let _ = seen(&mut app, SMALL);
    let _ = press(&mut app, "1 8");
    assert_eq!(app.next_step().command, Command::Show(PaneId::Audit));
    let _ = press(&mut app, "2 8");
    assert_eq!(app.next_step().command, Command::PageDown);
    let _ = press(&mut app, "2");
    assert_eq!(
        app.next_step().command,
        Command::Show(PaneId::Chapter),
        "the text is somewhere else"
    );
    let _ = press(&mut app, "8");
    for _ in 0..20 {
        let _ = press(&mut app, "pgdn");
        let _ = seen(&mut app, SMALL);
    }
    assert_eq!(app.next_step().command, Command::NextChapter);
}

#[test]
fn a_page_begins_with_something_to_do_and_not_with_a_way_out() {
    let app = learning("sign-in", 2, SMALL);
    let learn = app.learn().unwrap();
    assert!(matches!(learn.items()[0], Item::Chapter(_)));
    assert_eq!(learn.selected(), Some(Item::Try(Attempt::SignIn)));
}

#[test]
fn a_page_elsewhere_is_shown_with_its_address() {
    let mut app = learning("lock", 2, SMALL);
    let files = hoptrail::chapters::embed::FILES.map(|(file, text)| {
        let linked = "[Now](https://a.example/b) the server learns";
        (file, text.replace("Now the server learns", linked))
    });
    let book = Book::parse(files.iter().map(|(file, text)| (*file, text.as_str()))).unwrap();
    let _ = app.update(Msg::Book(Box::new(book)));
    let page = shown(&mut app, SMALL);
    assert!(
        page.contains("Now (https://a.example/b) the server learns"),
        "{page}"
    );
}

#[test]
fn the_evidence_of_a_token_is_what_it_says() {
    let mut app = told("sign-in", 2, (120, 36));
    let _ = seen(&mut app, (120, 36));
    let checks = &app.learn().unwrap().chapter().checks;
    let subject = checks.iter().position(|check| check.id == "subject");
    at_item(&mut app, &Item::Check(subject.unwrap()));
    let _ = seen(&mut app, (120, 36));
    let _ = press(&mut app, "enter");
    assert!(matches!(
        app.overlays().last(),
        Some(Overlay::Inspect(Inspect { tab: TOKENS, .. }))
    ));
    let page = shown(&mut app, (120, 36));
    assert!(page.contains("whose it is"), "{page}");
    assert!(page.contains("robin.sample@lab.example"), "{page}");
    let _ = press(&mut app, "]");
    let next = shown(&mut app, (120, 36));
    assert_ne!(next, page, "the next row is inspected");
    let _ = press(&mut app, "esc");
    assert!(app.overlays().is_empty());
    assert_eq!(app.focus().pane, PaneId::Chapter);
}

#[test]
fn a_window_that_only_tells_is_not_in_the_way_of_the_next_key() {
    let mut app = learning("sign-in", 2, SMALL);
    let failure = Failure::new(
        Exit::Refused,
        "The server asks for a sign-in",
        "401",
        "sign in",
    );
    let mut event = story()[0].clone();
    event.seq = 2;
    event.fact = Fact::FailureOccurred(failure);
    let _ = app.update(Msg::Trace(event));
    let page = shown(&mut app, SMALL);
    assert!(page.contains("s sign in"), "{page}");
    assert_eq!(jobs(&press(&mut app, "s")), [Job::SignIn]);
    assert!(app.overlays().is_empty());
}

#[test]
fn a_question_that_could_not_be_put_is_put_again() {
    let mut app = told("limit", 7, SMALL);
    let asked = |scopes: &[(&str, Reading<ScopeAnswer>)]| {
        let scopes = scopes.iter().cloned();
        ProbeResults {
            scopes: scopes.map(|(s, r)| (s.to_owned(), r)).collect(),
            ..ProbeResults::default()
        }
    };
    let refused = Reading::Told(ScopeAnswer::Refused {
        policy: Some("limit-linear-scopes".to_owned()),
    });
    let half = asked(&[("admin", refused.clone()), ("made:up", Reading::NotAsked)]);
    let _ = app.update(Msg::Probed("limit".to_owned(), Box::new(half)));
    assert!(!app.is_done(Attempt::RunProbes));
    let whole = asked(&[("admin", refused.clone()), ("made:up", refused)]);
    let _ = app.update(Msg::Probed("limit".to_owned(), Box::new(whole)));
    assert!(app.is_done(Attempt::RunProbes));
}

#[test]
fn on_a_lab_a_hint_ends_with_a_key() {
    let mut app = learning("lock", 1, (120, 36));
    let _ = press(&mut app, "i");
    let page = shown(&mut app, (120, 36));
    assert!(page.contains("here: E let the lab do the steps"), "{page}");
}
