//! The keys to the last and the next refusal, where the zone refused the client itself, and where
//! something failed that nobody refused.

use super::{notes::shipped, press, toast};
use hoptrail::app::notes::Notes;

#[test]
fn a_token_that_the_zone_refused_the_client_is_a_refusal() {
    let mut app = shipped("expired", Notes::kept(Vec::new()));
    let _ = press(&mut app, "!");
    let there = app.place();
    assert!(there > 0);
    assert!(
        toast(&app).contains("the zone refused the client a token: "),
        "{}",
        toast(&app)
    );
    let _ = press(&mut app, "!");
    assert!(toast(&app).starts_with("nothing is refused after this"));
    let _ = press(&mut app, "$ @");
    assert_eq!(app.place(), there);
}

#[test]
fn without_a_refusal_the_next_failure_is_named() {
    let mut app = shipped("upstream-fails", Notes::kept(Vec::new()));
    let _ = press(&mut app, "!");
    let told = toast(&app).to_owned();
    let number = told.strip_prefix("nothing is refused after this; something failed at #");
    let number = number.unwrap_or_else(|| panic!("{told}"));
    let _ = press(&mut app, &format!("T text:#{number} enter"));
    assert_eq!(app.place().to_string(), number);
}

#[test]
fn a_time_or_an_event_beyond_the_end_is_told() {
    let mut app = shipped("expired", Notes::kept(Vec::new()));
    let end = app.player().unwrap().timeline().len();
    for beyond in ["41d00h00", "#100000"] {
        let _ = press(&mut app, &format!("0 T text:{beyond} enter"));
        assert_eq!(app.place(), end, "{beyond}");
        assert!(toast(&app).ends_with("this is its end"), "{}", toast(&app));
    }
    let _ = press(&mut app, "T text:40d00h00 enter");
    assert!(app.place() > 0 && app.place() < end);
}

#[test]
fn rows_of_several_days_have_their_date() {
    let mut app = shipped("expired", Notes::kept(Vec::new()));
    let _ = press(&mut app, "$ 2 z");
    let seen = super::text(&super::draw(&app, &super::look(), 120, 36).0);
    assert!(seen.contains("11-24 09:00:0"), "{seen}");
    assert!(seen.contains("01-03 09:00:0"), "{seen}");
}
