//! The sample story on a screen of any size: shared by the tests that look at screens.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fmt::Write as _;

use chrono::TimeDelta;
use hoptrail::{
    app::{
        App, AppConfig,
        effect::Effects,
        msg::{InputEvent, Msg},
    },
    config::{LookConfig, Palette},
    projection::Projection,
    protocol::{
        audit::{AuditEvent, AuditStatus, Effect, PolicyDecision, PolicySetRef},
        traceparent::{SpanId, TraceId},
    },
    trace::{
        Json, TraceEvent, codec,
        event::{CallOutcome, Fact},
    },
    ui::{
        self, HitMap,
        look::{Charset, Look},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

/// The sample story's header.
pub fn header() -> codec::Header {
    let text = std::fs::read_to_string("tests/traces/story.jsonl").unwrap();
    codec::decode_header(text.lines().next().unwrap()).unwrap()
}

/// The events of the sample story.
pub fn story() -> Vec<TraceEvent> {
    let text = std::fs::read_to_string("tests/traces/story.jsonl").unwrap();
    text.lines()
        .enumerate()
        .skip(1)
        .map(|(place, line)| codec::decode(line, place as u64 + 1).unwrap())
        .collect()
}

/// The sample story with its policy lifted before the delete: its last call is the one that goes
/// through.
pub fn story_with_the_policy_lifted() -> Vec<TraceEvent> {
    let mut story = story();
    let delete = story
        .iter()
        .position(|event| {
            matches!(&event.fact, Fact::ToolCallStarted { tool, .. } if tool == "delete_issue")
        })
        .unwrap();
    story.truncate(delete);
    story.extend(lifted());
    story
}

/// What is seen of events of the sample story's run.
pub fn projection(events: &[TraceEvent]) -> Projection {
    let mut projection = Projection::starting(header().started);
    projection.extend(events);
    projection
}

/// The set that is active once the policy is lifted.
pub fn defaults() -> PolicySetRef {
    PolicySetRef {
        id: "ps-default".to_owned(),
        name: "default-zone-policies".to_owned(),
        version: 1,
    }
}

/// The set with the rule.
pub fn limits() -> PolicySetRef {
    PolicySetRef {
        id: "ps-with-limits".to_owned(),
        name: "support-escalation-policies".to_owned(),
        version: 2,
    }
}

/// The audit row of a set that was made active, so many microseconds into the run; made of another
/// row. Their numbers in the zone's log have to differ.
pub fn switched(to: PolicySetRef, at_us: u64, sequence: u64) -> TraceEvent {
    let mut event = story()
        .into_iter()
        .rfind(|event| matches!(event.fact, Fact::AuditRecorded(_)))
        .unwrap();
    let since = i64::try_from(at_us).unwrap() - i64::try_from(event.at_us).unwrap();
    if let Fact::AuditRecorded(record) = &mut event.fact {
        record.event = AuditEvent::PolicySetsActivate;
        record.status = AuditStatus::Issued;
        record.sequence = sequence;
        record.id = format!("ev-activated-{sequence}");
        record.occurred_at += TimeDelta::microseconds(since);
        record.grant_type = None;
        record.trace_parent = None;
        record.decision = Some(PolicyDecision {
            effect: Effect::Allow,
            policy_set: Some(to),
            determining: Vec::new(),
        });
        record.error = None;
        record.reason = None;
        record.subject_token = None;
        record.scopes.clear();
        record.resource = None;
    }
    event.at_us = at_us;
    (event.call, event.span) = (None, None);
    event
}

/// What would follow with the policy lifted: the zone's defaults in force, the delete goes through.
/// Made of the story's own lines, a second later, under another call.
pub fn lifted() -> Vec<TraceEvent> {
    let shift = |event: &mut TraceEvent, place: u64| {
        event.seq = 100 + place;
        event.at_us += 1_500_000
            + if event.at_us < 13_000_000 {
                1_501_000
            } else {
                0
            };
        event.span = event.span.map(|span| SpanId(span.0 + 0x100));
        event.call = event
            .call
            .map(|_| TraceId(0xca11_0000_0000_0000_0000_0000_0000_0009));
    };
    let story = story();
    let mut events = Vec::new();
    for place in [4, 65, 66, 57, 58, 59, 60, 61, 62, 69, 70] {
        let mut event = story[place].clone();
        shift(&mut event, place as u64);
        match &mut event.fact {
            Fact::PolicyRead(overview) => {
                overview.sets[0].active_version = Some(1);
                overview.sets[1].active_version = None;
                overview.active_policies.pop();
                (event.call, event.span) = (None, None);
            }
            Fact::StepReported(step) => {
                step.span = SpanId(step.span.0 + 0x100);
                step.scope = Some("write".to_owned());
            }
            Fact::AuditRecorded(record) => {
                "ev-0010".clone_into(&mut record.id);
                record.sequence = 10;
                record.scopes = vec!["write".to_owned()];
                record.decision = Some(PolicyDecision {
                    effect: Effect::Allow,
                    policy_set: Some(defaults()),
                    determining: vec![
                        "ps-default::default-user-grants".to_owned(),
                        "ps-default::default-app-delegation".to_owned(),
                    ],
                });
                record.occurred_at += TimeDelta::microseconds(3_001_000);
                record.trace_parent = None;
            }
            Fact::UpstreamAnswered(request) => {
                "DeleteIssue".clone_into(&mut request.operation);
                request.occurred_at += TimeDelta::microseconds(3_001_000);
                request.trace_parent = None;
            }
            Fact::IssueSeen(issue) => {
                issue.trashed = true;
                issue.trace_parent = None;
            }
            Fact::ToolCallFinished {
                outcome,
                text,
                structured,
                ..
            } => {
                *outcome = CallOutcome::Succeeded;
                "Deleted".clone_into(text);
                *structured = Some(Json::from(&serde_json::json!({
                    "success": true,
                    "issueId": "a4f1c3b2-5d6e-4f70-8a91-b2c3d4e5f607",
                })));
            }
            _ => {}
        }
        events.push(event);
    }
    events
}

/// An app that nothing happened to.
pub fn fresh(width: u16, height: u16) -> App {
    App::new(AppConfig {
        size: (width, height),
        started: Some(header().started),
        ..AppConfig::default()
    })
}

/// An app that saw the whole story.
pub fn told(width: u16, height: u16) -> App {
    told_until(width, height, usize::MAX)
}

/// An app that saw the first `count` events.
pub fn told_until(width: u16, height: u16, count: usize) -> App {
    let mut app = fresh(width, height);
    for event in story().into_iter().take(count) {
        let _ = app.update(Msg::Trace(event));
    }
    app
}

/// Presses keys, named as in settings and separated by blanks; `text:` types the rest of the word.
pub fn press(app: &mut App, keys: &str) -> Effects {
    let mut effects = Effects::new();
    for key in keys.split_whitespace() {
        if let Some(text) = key.strip_prefix("text:") {
            for c in text.chars() {
                let key = hoptrail::config::keys::Key::char(c);
                effects.extend(app.update(Msg::Input(InputEvent::Key(key))));
            }
        } else {
            let key = key.parse().unwrap();
            effects.extend(app.update(Msg::Input(InputEvent::Key(key))));
        }
    }
    effects
}

pub fn look() -> Look {
    Look::new(&LookConfig::default(), Charset::Unicode)
}

pub fn look_of(palette: Palette, charset: Charset) -> Look {
    let config = LookConfig {
        palette,
        ..LookConfig::default()
    };
    Look::new(&config, charset)
}

/// Draws a frame.
pub fn draw(app: &App, look: &Look, width: u16, height: u16) -> (Buffer, HitMap) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let hits = ui::draw_into(app, look, area, &mut buffer);
    (buffer, hits)
}

/// The text of a frame, blanks at line ends left out.
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let line = row(buffer, y);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn row(buffer: &Buffer, y: u16) -> String {
    let mut line = String::new();
    let mut skip = 0;
    for x in 0..buffer.area.width {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let symbol = buffer[(x, y)].symbol();
        skip = hoptrail::support::text::width(symbol).saturating_sub(1);
        line.push_str(symbol);
    }
    line
}

/// The frame with its styles: under each line, the runs that are not plain.
pub fn styled_dump(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let line = row(buffer, y);
        if line.trim().is_empty() {
            continue;
        }
        let _ = writeln!(out, "{}", line.trim_end());
        let mut runs: Vec<String> = Vec::new();
        let mut x = 0;
        while x < buffer.area.width {
            let style = buffer[(x, y)].style();
            let mut end = x + 1;
            while end < buffer.area.width && buffer[(end, y)].style() == style {
                end += 1;
            }
            let piece: String = (x..end).map(|x| buffer[(x, y)].symbol()).collect();
            let name = style_name(style);
            if !name.is_empty() && !piece.trim().is_empty() {
                runs.push(format!("{name}<{}>", shorten(piece.trim())));
            }
            x = end;
        }
        if !runs.is_empty() {
            let _ = writeln!(out, "    {}", runs.join(" "));
        }
    }
    out
}

/// Long rules say nothing: keep their beginning.
fn shorten(text: &str) -> String {
    if text.chars().count() > 24 && text.chars().all(|c| text.starts_with(c)) {
        let head: String = text.chars().take(3).collect();
        return format!("{head}…");
    }
    text.to_owned()
}

fn style_name(style: Style) -> String {
    let mut parts = Vec::new();
    if let Some(colour) = style.fg.filter(|c| *c != Color::Reset) {
        parts.push(format!("{colour:?}").to_lowercase());
    }
    if let Some(colour) = style.bg.filter(|c| *c != Color::Reset) {
        parts.push(format!("on-{colour:?}").to_lowercase());
    }
    for (modifier, name) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
        (Modifier::CROSSED_OUT, "crossed"),
    ] {
        if style.add_modifier.contains(modifier) {
            parts.push(name.to_owned());
        }
    }
    parts.join("+")
}

/// The frame as a terminal would get it, for pictures.
pub fn ansi(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            let style = cell.style();
            out.push_str("\u{1b}[0");
            let colour = match style.fg {
                Some(Color::Black) => 30,
                Some(Color::Red) => 31,
                Some(Color::Green) => 32,
                Some(Color::Yellow) => 33,
                Some(Color::Blue) => 34,
                Some(Color::Magenta) => 35,
                Some(Color::Cyan) => 36,
                Some(Color::DarkGray) => 90,
                _ => 39,
            };
            let _ = write!(out, ";{colour}");
            for (modifier, code) in [
                (Modifier::BOLD, 1),
                (Modifier::DIM, 2),
                (Modifier::UNDERLINED, 4),
                (Modifier::REVERSED, 7),
                (Modifier::CROSSED_OUT, 9),
            ] {
                if style.add_modifier.contains(modifier) {
                    let _ = write!(out, ";{code}");
                }
            }
            out.push('m');
            out.push_str(cell.symbol());
        }
        out.push_str("\u{1b}[0m\n");
    }
    out
}

/// Writes the frame as a terminal would get it into the folder that `HOPTRAIL_SHOTS` names.
pub fn shoot(name: &str, buffer: &Buffer) {
    if let Ok(dir) = std::env::var("HOPTRAIL_SHOTS") {
        let size = (buffer.area.width, buffer.area.height);
        let path = format!("{dir}/{name}-{}x{}.ansi", size.0, size.1);
        std::fs::write(path, ansi(buffer)).unwrap();
    }
}
