//! A trace of any length: the sample story over and over, each time with identifiers of its own.

use hoptrail::trace::{TraceEvent, codec};
use serde_json::Value;

#[path = "../fixtures/story.rs"]
mod story;

/// The sample story, once.
pub fn story() -> Vec<TraceEvent> {
    story::events()
}

/// At least `count` events.
pub fn events(count: usize) -> Vec<TraceEvent> {
    let once: Vec<Value> = story::events()
        .iter()
        .map(|event| serde_json::from_str(&codec::encode(event)).expect("the codec writes JSON"))
        .collect();
    let mut events = Vec::with_capacity(count + once.len());
    for round in 0.. {
        if events.len() >= count {
            break;
        }
        for value in &once {
            let mut value = value.clone();
            rename(&mut value, round);
            let line = value.to_string();
            events.push(codec::decode(&line, 1).expect("a renamed event is an event"));
        }
    }
    events
}

/// Gives every trace id, span id and audit row of a round another name.
fn rename(value: &mut Value, round: u64) {
    match value {
        Value::String(text) => {
            let renamed: Vec<String> = text.split('-').map(|part| part_of(part, round)).collect();
            let is_traceparent = renamed.len() == 4 && renamed[1].len() == 32;
            if renamed.len() == 1 || is_traceparent {
                *text = renamed.join("-");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, round)),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if name == "sequence" {
                    let own = field.as_u64().unwrap_or_default();
                    *field = Value::from(own + round * 1_000);
                } else {
                    rename(field, round);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn part_of(part: &str, round: u64) -> String {
    let hex = part
        .bytes()
        .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
    match part.len() {
        16 if hex => u64::from_str_radix(part, 16).map_or_else(
            |_| part.to_owned(),
            |id| format!("{:016x}", id ^ (round << 24)),
        ),
        32 if hex => u128::from_str_radix(part, 16).map_or_else(
            |_| part.to_owned(),
            |id| format!("{:032x}", id ^ (u128::from(round) << 24)),
        ),
        _ => part.to_owned(),
    }
}
