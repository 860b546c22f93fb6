//! The issue pane tells what is personal, on both sides alike, and shows no key.

use crate::screens::{draw, fresh, look, press, story, text, told};
use hoptrail::{app::msg::Msg, trace::event::Fact};

const SIZE: (u16, u16) = (200, 60);

/// The story with another text in the issue and in its ticket.
fn page(change: impl Fn(&mut Fact)) -> String {
    let mut app = fresh(SIZE.0, SIZE.1);
    for mut event in story() {
        change(&mut event.fact);
        let _ = app.update(Msg::Trace(event));
    }
    let _ = press(&mut app, "4 z");
    text(&draw(&app, &look(), SIZE.0, SIZE.1).0)
}

#[test]
fn the_footer_of_an_issue_is_one_page_down_and_its_key_is_named() {
    let mut app = told(80, 24);
    let _ = press(&mut app, "4 esc");
    let (buffer, hits) = draw(&app, &look(), 80, 24);
    let foot = text(&buffer).lines().last().unwrap().to_owned();
    assert!(foot.contains("PgDn page down"), "{foot}");
    assert!(!text(&buffer).contains("Escalation MCP"));
    app.settle(&hits.extents);
    let _ = press(&mut app, "pgdn pgdn pgdn");
    let (buffer, _) = draw(&app, &look(), 80, 24);
    let seen = text(&buffer);
    assert!(seen.contains("Escalation MCP"), "{seen}");
}

#[test]
fn what_an_issue_still_holds_of_the_customers_data_is_named() {
    let masked = page(|_| {});
    assert!(!masked.contains("word for word"), "{masked}");
    let verbatim = page(|fact| {
        if let Fact::IssueSeen(issue) = fact {
            issue.description = "call +1 555 0142, card 4242 4242 4242 4242".to_owned();
        }
    });
    assert!(
        verbatim.contains("personal  ! 2 places, word for word"),
        "{verbatim}"
    );
}

#[test]
fn a_key_is_shown_on_neither_side_and_hoptrail_says_so() {
    let page = page(|fact| {
        if let Fact::IssueSeen(issue) = fact {
            issue.description = "WEBHOOK_SECRET=whsec_test_abc123def".to_owned();
        }
    });
    assert!(!page.contains("whsec_test"), "{page}");
    assert!(page.contains("WEBHOOK_SECRET=[hidden]"), "{page}");
    assert!(page.contains("hoptrail shows keys as [hidden]"), "{page}");
}
