//! The sample traces under `tests/traces` are generated; this keeps file and generator together.
//! `UPDATE=1 cargo test --test traces` writes them anew.

use std::fs;

use hoptrail::trace::codec::{self, Header};

#[path = "fixtures/story.rs"]
mod story;

/// The run as a trace file holds it.
fn text() -> String {
    let header = Header {
        title: Some("The whole story on the lab".to_owned()),
        app: "hoptrail 0.1.0".to_owned(),
        ..Header::new(story::started())
    };
    let events = story::events();
    std::iter::once(codec::encode_header(&header))
        .chain(events.iter().map(codec::encode))
        .collect()
}

#[test]
fn the_story_file_is_what_the_generator_makes() {
    let path = "tests/traces/story.jsonl";
    let made = text();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), made, "run with UPDATE=1");
}
