//! Plain output, as a pipe, a narrow terminal and a colour terminal get it.

use hoptrail::{
    plain::{Color, Glyphs, Jsonl, Style, Text},
    projection::Projection,
    support::error::{Exit, Failure},
    trace::{Actor, Fact, TraceEvent, codec, event::CallOutcome},
};
use rstest::rstest;

#[path = "fixtures/story.rs"]
mod story;

fn run(style: Style, events: &[TraceEvent]) -> String {
    let mut projection = Projection::starting(story::started());
    let mut text = Text::new(Vec::new(), style);
    for event in events {
        projection.apply(event);
        text.event(event, &projection).unwrap();
    }
    text.summary(&projection).unwrap();
    String::from_utf8(text.into_inner()).unwrap()
}

#[test]
fn a_pipe_gets_everything_uncut() {
    insta::assert_snapshot!(run(Style::default(), &story::events()));
}

#[test]
fn eighty_columns_are_kept_to() {
    let style = Style {
        width: Some(80),
        ..Style::default()
    };
    let shown = run(style, &story::events());
    for line in shown.lines() {
        assert!(hoptrail::support::text::width(line) <= 80, "{line}");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn ascii_means_ascii() {
    let style = Style {
        glyphs: Glyphs::Ascii,
        width: Some(100),
        ..Style::default()
    };
    let shown = run(style, &story::events());
    assert!(shown.is_ascii());
    assert!(shown.lines().all(|line| line.len() <= 100), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn colour_says_nothing_that_words_do_not_say() {
    let style = Style {
        color: Color::Ansi,
        ..Style::default()
    };
    let coloured = run(style, &story::events());
    let mut plain = coloured.clone();
    for code in ["0", "1", "2", "31", "32"] {
        plain = plain.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(plain, run(Style::default(), &story::events()));
    let denied: Vec<_> = coloured
        .lines()
        .filter(|line| line.contains("write"))
        .collect();
    assert!(denied[0].contains("\u{1b}[31m✗"), "{denied:?}");
}

#[test]
fn text_from_outside_cannot_drive_the_terminal() {
    let evil = "\u{1b}]0;owned\u{7}\u{202e}\r\n\u{9b}2J";
    let fact = |fact| TraceEvent {
        seq: 0,
        at_us: 1,
        span: None,
        call: None,
        actor: Actor::Server,
        fact,
    };
    let failure = Failure {
        what: evil.to_owned(),
        why: evil.to_owned(),
        next: evil.to_owned(),
        exit: Exit::Failed,
        kind: None,
    };
    let events = [
        fact(Fact::ServerConnected {
            name: evil.to_owned(),
            version: evil.to_owned(),
            protocol: evil.to_owned(),
        }),
        fact(Fact::ToolCallStarted {
            tool: evil.to_owned(),
            arguments: serde_json::json!({"ticketId": evil}),
        }),
        fact(Fact::ToolCallFinished {
            tool: evil.to_owned(),
            outcome: CallOutcome::Failed,
            text: evil.to_owned(),
            structured: None,
            duration_us: 1,
        }),
        fact(Fact::FailureOccurred(failure.clone())),
        fact(Fact::NoteWritten {
            text: evil.to_owned(),
        }),
    ];
    let mut projection = Projection::default();
    projection.extend(&events);
    let mut text = Text::new(Vec::new(), Style::default());
    text.result(&projection.tools().calls()[0], &projection)
        .unwrap();
    text.failure(&failure).unwrap();
    let shown = run(Style::default(), &events) + &String::from_utf8(text.into_inner()).unwrap();
    let hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert_eq!(shown.chars().find(|c| hostile(*c)), None, "{shown:?}");
}

#[test]
fn an_empty_run_says_what_is_missing() {
    insta::assert_snapshot!(run(Style::default(), &[]));
}

#[test]
fn a_log_that_was_not_read_is_told_as_that_with_the_way_to_it() {
    let mut events = story::events();
    events.retain(|event| !matches!(event.fact, Fact::AuditRecorded(_) | Fact::PolicyRead(_)));
    let shown = run(Style::default(), &events);
    assert!(shown.contains("its log was not read"), "{shown}");
    assert!(shown.contains("start with the same --state"), "{shown}");
    assert!(!shown.contains("told of no exchange"), "{shown}");
}

#[rstest]
#[case(0)]
#[case(1)]
#[case(20)]
fn a_silly_width_is_survived(#[case] width: usize) {
    let style = Style {
        width: Some(width),
        ..Style::default()
    };
    assert!(!run(style, &story::events()).is_empty());
}

#[test]
fn json_lines_are_the_trace_itself() {
    let mut out = Jsonl::new(Vec::new());
    let header = codec::Header::new(story::started());
    out.header(&header).unwrap();
    for event in story::events() {
        out.event(&event).unwrap();
    }
    let text = String::from_utf8(out.into_inner()).unwrap();
    let mut lines = text.lines();
    assert_eq!(codec::decode_header(lines.next().unwrap()), Ok(header));
    let read: Vec<_> = lines.map(|line| codec::decode(line, 2).unwrap()).collect();
    assert_eq!(read, story::events());
}

#[test]
fn json_lines_have_nothing_that_a_terminal_obeys() {
    let mut header = codec::Header::new(story::started());
    header.title = Some("\u{9b}31m \u{202e}evil \u{2066}\u{e0041}".to_owned());
    let mut out = Jsonl::new(Vec::new());
    out.header(&header).unwrap();
    let text = String::from_utf8(out.into_inner()).unwrap();
    assert!(text.trim_end().is_ascii(), "{text:?}");
    assert!(text.contains("\\u009b31m"), "{text}");
    assert_eq!(codec::decode_header(text.trim_end()), Ok(header));
}

#[test]
fn a_part_of_the_story_is_not_called_wrong() {
    let events = story::events();
    let shown = run(Style::default(), &events[..60]);
    assert!(shown.contains("Not all of the story was seen:"), "{shown}");
    assert!(!shown.contains("did not hold"), "{shown}");
}
