//! Laws of the screen: any messages, at any size, in any look, draw without panic and inside.

mod screens;

use hoptrail::{
    app::{
        App,
        msg::{InputEvent, MouseAction, Msg, RecordingState, Signal, TaskId, TaskOutcome},
    },
    config::{
        Palette,
        keys::{Key, KeyCode, Modifier},
    },
    support::error::{Exit, Failure},
    trace::{
        TraceEvent,
        event::{Actor, Fact},
    },
    ui::{draw_into, look::Charset},
};
use proptest::prelude::*;
use ratatui::{buffer::Buffer, layout::Rect};
use screens::{draw, fresh, look, look_of, story, text, told};

#[derive(Debug, Clone)]
enum Act {
    Key(Key),
    Paste(String),
    Story(usize),
    Hostile(String),
    Ended(u64, u8),
    Tick(u64),
    Resize(u16, u16),
    Pointer(u16, u16, u8),
    Recording(bool),
    Continued,
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        8 => prop::char::range(' ', '~').prop_map(Key::char),
        2 => prop_oneof![
            Just(KeyCode::Enter), Just(KeyCode::Esc), Just(KeyCode::Tab), Just(KeyCode::BackTab),
            Just(KeyCode::Up), Just(KeyCode::Down), Just(KeyCode::Left), Just(KeyCode::Right),
            Just(KeyCode::Home), Just(KeyCode::End), Just(KeyCode::PageUp), Just(KeyCode::PageDown),
            Just(KeyCode::Backspace), Just(KeyCode::Delete), Just(KeyCode::F(5)),
        ].prop_map(Key::plain),
        1 => prop::char::range('a', 'z').prop_map(Key::ctrl),
        1 => any::<char>().prop_map(|c| Key { code: KeyCode::Char(c), modifier: Modifier::None }),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        10 => key().prop_map(Act::Key),
        6 => (0usize..72).prop_map(Act::Story),
        1 => any::<String>().prop_map(Act::Paste),
        2 => any::<String>().prop_map(Act::Hostile),
        2 => (1u64..9, 0u8..3).prop_map(|(id, how)| Act::Ended(id, how)),
        1 => (0u64..60_000).prop_map(Act::Tick),
        1 => (0u16..260, 0u16..90).prop_map(|(w, h)| Act::Resize(w, h)),
        2 => (0u16..200, 0u16..60, 0u8..3).prop_map(|(x, y, b)| Act::Pointer(x, y, b)),
        1 => any::<bool>().prop_map(Act::Recording),
        1 => Just(Act::Continued),
    ]
}

fn hostile(text: &str) -> TraceEvent {
    let fact = match text.len() % 4 {
        0 => Fact::FailureOccurred(Failure::new(Exit::Failed, text, text, text)),
        1 => Fact::NoteWritten {
            text: text.to_owned(),
        },
        2 => Fact::SignInStarted {
            server: text.to_owned(),
        },
        _ => Fact::FeedLost {
            feed: text.to_owned(),
            why: text.to_owned(),
        },
    };
    TraceEvent {
        seq: 0,
        at_us: text.len() as u64,
        span: None,
        call: None,
        actor: Actor::Zone,
        fact,
    }
}

fn play(app: &mut App, act: Act, story: &[TraceEvent], size: (u16, u16)) {
    let msg = match act {
        Act::Key(key) => Msg::Input(InputEvent::Key(key)),
        Act::Paste(text) => Msg::Input(InputEvent::Paste(text)),
        Act::Story(place) => Msg::Trace(story[place % story.len()].clone()),
        Act::Hostile(text) => Msg::Trace(hostile(&text)),
        Act::Ended(id, how) => Msg::Task(
            TaskId(id),
            match how {
                0 => TaskOutcome::Done,
                1 => TaskOutcome::Cancelled,
                _ => TaskOutcome::Failed(Failure::new(Exit::Failed, "a", "b", "c")),
            },
        ),
        Act::Tick(millis) => Msg::Tick(millis),
        Act::Resize(w, h) => Msg::Resized(w, h),
        Act::Pointer(x, y, button) => {
            let (_, hits) = draw(app, &look(), size.0, size.1);
            Msg::Input(InputEvent::Mouse {
                action: match button {
                    0 => MouseAction::Click,
                    1 => MouseAction::ScrollUp,
                    _ => MouseAction::ScrollDown,
                },
                target: hits.at(x, y),
            })
        }
        Act::Recording(on) => Msg::Recording(if on {
            RecordingState::On {
                file: "x.jsonl".to_owned(),
            }
        } else {
            RecordingState::Off
        }),
        Act::Continued => Msg::Signal(Signal::Continued),
    };
    let _ = app.update(msg);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_messages_at_any_size_neither_panic_nor_draw_outside(
        acts in prop::collection::vec(act(), 0..60),
        width in 1u16..220,
        height in 1u16..70,
        ascii in any::<bool>(),
        from_the_story in any::<bool>(),
    ) {
        let story = story();
        let mut app = if from_the_story { told(width, height) } else { fresh(width, height) };
        let look = look_of(
            if ascii { Palette::Mono } else { Palette::Ansi },
            if ascii { Charset::Ascii } else { Charset::Unicode },
        );
        // A buffer larger than the area: what lies around must stay untouched.
        let area = Rect::new(3, 2, width, height);
        for act in acts {
            play(&mut app, act, &story, (width, height));
            let mut buffer = Buffer::empty(Rect::new(0, 0, width + 6, height + 4));
            let hits = draw_into(&app, &look, area, &mut buffer);
            app.settle(&hits.extents);
            for y in 0..height + 4 {
                for x in 0..width + 6 {
                    let symbol = buffer[(x, y)].symbol();
                    if area.contains((x, y).into()) {
                        prop_assert!(!symbol.chars().any(char::is_control), "{:?}", symbol);
                    } else {
                        prop_assert_eq!(symbol, " ");
                    }
                }
            }
            for (hit, _) in hits.areas() {
                prop_assert_eq!(area.intersection(*hit), *hit);
            }
        }
    }

    #[test]
    fn a_frame_is_a_function_of_the_state(width in 60u16..200, height in 15u16..60, pane in 1usize..8) {
        let mut app = told(width, height);
        let _ = screens::press(&mut app, &pane.to_string());
        let (one, _) = draw(&app, &look(), width, height);
        let (two, _) = draw(&app.clone(), &look(), width, height);
        prop_assert_eq!(text(&one), text(&two));
        prop_assert_eq!(one, two);
    }
}

#[test]
fn one_fact_costs_the_lists_the_same_early_and_late() {
    // The lists are brought up to date from their ends only: their rows match a fresh fold.
    let story = story();
    let mut app = fresh(120, 36);
    for _ in 0..30 {
        for event in &story {
            let _ = app.update(Msg::Trace(event.clone()));
        }
    }
    assert_eq!(app.panes().trace.rows().len(), 30 * story.len());
    let rows = app.panes().flow.rows();
    // A folded row stands for several of the browser's steps.
    let told: usize = rows
        .iter()
        .enumerate()
        .map(|(place, row)| match row {
            hoptrail::app::panes::flow::FlowRow::Hop(_) => 1,
            hoptrail::app::panes::flow::FlowRow::Folded(_) => app.folded_steps(place),
            _ => 0,
        })
        .sum();
    assert_eq!(told, app.projection().hops().len());
}
