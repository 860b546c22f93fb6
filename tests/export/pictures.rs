//! Pictures and casts: what another terminal and another renderer make of them.

use std::collections::{BTreeMap, HashSet};

use hoptrail::{
    app::focus::PaneId,
    export::{
        cast::{self, Pace},
        screen::{Screen, View},
        svg,
    },
    projection::Timeline,
    support::error::{Exit, Failure},
    trace::{Actor, TraceEvent, UnknownFact, event::Fact},
};
use ratatui::{
    buffer::Buffer,
    style::{Color, Modifier},
};
use rstest::rstest;
use serde_json::Value;

use super::{screens, text};

fn frame(view: View, size: (u16, u16)) -> Buffer {
    let mut screen = screen(view, size, &screens::story());
    screen.end();
    screen.draw()
}

fn screen(view: View, size: (u16, u16), events: &[TraceEvent]) -> Screen {
    let timeline = Timeline::again(&screens::projection(events));
    let title = "The whole story on the lab".to_owned();
    Screen::new(title, timeline, screens::look(), view, size)
}

/// Nothing of a run that goes on: no key of it, and no window that a person would have closed.
#[test]
fn a_picture_is_of_the_replay() {
    let shown = screens::text(&frame(View::Pane(PaneId::Flow), (120, 36)));
    let first = shown.lines().next().unwrap();
    assert!(first.contains("The whole story on the lab"), "{first}");
    let end = screens::story().len();
    assert!(first.contains(&format!("REPLAY {end}/{end}")), "{first}");
    let last = shown.lines().last().unwrap();
    assert!(last.contains("play again"), "{last}");

    let mut events = screens::story();
    let failure = Failure::new(Exit::Failed, "The sign-in was refused", "no", "sign in");
    events[6].fact = Fact::SignInRefused { failure };
    let mut screen = screen(View::Pane(PaneId::Flow), (120, 36), &events);
    for _ in 0..7 {
        screen.step();
    }
    let shown = screens::text(&screen.draw());
    assert!(shown.contains("The sign-in was refused"), "{shown}");
    assert!(!shown.contains("Esc close"), "{shown}");
}

/// Tags balance, attributes are quoted once each, and nothing stands raw that must not.
fn assert_well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "a raw > in {:?}", &rest[..at]);
        for entity in rest[..at].split('&').skip(1) {
            let name = entity.split(';').next().unwrap();
            assert!(["amp", "lt", "gt", "quot"].contains(&name), "&{name};");
        }
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        let mut seen = HashSet::new();
        for pair in tag[name.len()..].split('"').collect::<Vec<_>>().chunks(2) {
            if let [key, _] = pair {
                assert!(key.ends_with('=') && seen.insert(key.trim()), "{tag}");
            }
        }
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty());
}

#[rstest]
#[case::flow(View::Pane(PaneId::Flow), (120, 36))]
#[case::audit(View::Pane(PaneId::Audit), (80, 24))]
#[case::policy(View::Pane(PaneId::Policy), (160, 50))]
#[case::stage(View::Stage, (120, 36))]
#[case::too_small(View::Stage, (20, 5))]
#[case::one_cell(View::Pane(PaneId::Env), (1, 1))]
fn a_picture_is_well_formed_and_holds_every_word(#[case] view: View, #[case] size: (u16, u16)) {
    let buffer = frame(view, size);
    let picture = svg::picture(&buffer, "<the story> & more");
    assert_well_formed(&picture);
    if let Ok(dir) = std::env::var("HOPTRAIL_SHOTS") {
        let name = format!("{dir}/{view:?}-{}x{}.svg", size.0, size.1);
        std::fs::write(name.replace(['(', ')'], "-"), &picture).unwrap();
    }
    assert!(!picture.contains("LIVE"), "a recording is not live");
    assert!(size.0 < 80 || picture.contains("REPLAY"));
    let shown: HashSet<char> = picture.chars().collect();
    let letters = buffer
        .content()
        .iter()
        .flat_map(|cell| cell.symbol().chars());
    let missing: Vec<char> = letters
        .filter(|c| c.is_alphanumeric() && !shown.contains(c))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn story_cast(view: View, size: (u16, u16), events: Vec<TraceEvent>) -> String {
    let header = screens::header();
    let pace = Pace::default();
    let screen = screen(view, size, &events);
    text(|out| cast::write(out, &header, screen, events, pace))
}

const ANSI: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

fn ansi(colour: vt100::Color) -> Color {
    match colour {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(index) if index < 16 => ANSI[usize::from(index)],
        vt100::Color::Idx(index) => Color::Indexed(index),
        vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}

fn assert_shows(screen: &vt100::Screen, buffer: &Buffer) {
    let mut covered = 0;
    for y in 0..buffer.area.height {
        for x in 0..buffer.area.width {
            if std::mem::take(&mut covered) > 0 {
                continue;
            }
            let wanted = &buffer[(x, y)];
            covered = hoptrail::support::text::width(wanted.symbol()).saturating_sub(1);
            let got = screen.cell(y, x).unwrap();
            let symbol = if got.has_contents() {
                got.contents()
            } else {
                " "
            };
            assert_eq!(symbol, wanted.symbol(), "at {x},{y}");
            assert_eq!(ansi(got.fgcolor()), wanted.fg, "letters at {x},{y}");
            assert_eq!(ansi(got.bgcolor()), wanted.bg, "behind {x},{y}");
            let has = |modifier| wanted.modifier.contains(modifier);
            let modifiers = [got.bold(), got.dim(), got.underline(), got.inverse()];
            let expected = [
                has(Modifier::BOLD),
                has(Modifier::DIM),
                has(Modifier::UNDERLINED),
                has(Modifier::REVERSED),
            ];
            assert_eq!(modifiers, expected, "at {x},{y}");
        }
    }
}

#[rstest]
#[case(View::Pane(PaneId::Flow), (120, 36))]
#[case(View::Pane(PaneId::Issue), (200, 60))]
#[case(View::Stage, (80, 24))]
fn a_terminal_that_plays_the_cast_shows_the_last_frame(
    #[case] view: View,
    #[case] size: (u16, u16),
) {
    let cast = story_cast(view, size, screens::story());
    let mut lines = cast.lines();
    let head: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(head["version"], 3);
    assert_eq!(head["term"]["cols"], size.0);
    assert_eq!(head["term"]["rows"], size.1);
    let palette = head["term"]["theme"]["palette"].as_str().unwrap();
    assert_eq!(palette.split(':').count(), 16);
    let mut terminal =
        vt100::Parser::new(size.1.try_into().unwrap(), size.0.try_into().unwrap(), 0);
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        let (gap, code, data): (f64, String, String) = serde_json::from_str(line).unwrap();
        assert!((0.0..=1.5).contains(&gap), "{line}");
        if code == "o" {
            terminal.process(data.as_bytes());
        }
        *codes.entry(code).or_default() += 1;
    }
    assert_shows(terminal.screen(), &frame(view, size));
    assert!(codes["o"] > 5, "{codes:?}");
    let calls = screens::story()
        .iter()
        .filter(|event| matches!(event.fact, Fact::ToolCallStarted { .. }))
        .count();
    assert_eq!(codes["m"], calls, "a marker for every call");
}

#[test]
fn a_frame_that_changes_nothing_is_not_written() {
    let nothing = |seq| TraceEvent {
        seq,
        at_us: 1,
        span: None,
        call: None,
        actor: Actor::Client,
        fact: Fact::Unknown(UnknownFact::Bare("moon_rose".to_owned())),
    };
    // The badge counts events, so only a screen that has no room for it stands still.
    let quiet = story_cast(View::Stage, (20, 5), (0..50).map(nothing).collect());
    let frames = quiet.lines().count() - 1;
    assert_eq!(frames, 2, "the first, and the cursor's return at the end");
}
