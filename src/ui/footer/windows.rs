//! The keys of the window on top.

use crate::{
    app::{
        command::Command,
        learn::{
            Learn,
            console::form::{Field, Form, Kind},
        },
        overlay::{Overlay, Subject},
    },
    ui::ViewCx,
};

/// The keys of a window.
pub(super) fn of_overlay(cx: &ViewCx, overlay: &Overlay) -> Vec<Command> {
    match overlay {
        Overlay::Help { .. } => vec![Command::Down, Command::Up, Command::PageDown, Command::Back],
        Overlay::Contents { .. } => {
            vec![Command::Down, Command::Up, Command::Accept, Command::Back]
        }
        Overlay::Console { .. } if cx.app.learn().is_some_and(Learn::is_work_done) => {
            vec![
                Command::Back,
                Command::ChangeForm,
                Command::Down,
                Command::Up,
            ]
        }
        Overlay::Form(form) => of_form(form),
        Overlay::Console { .. } => vec![
            Command::Accept,
            Command::ChangeForm,
            Command::AllSteps,
            Command::Down,
            Command::Up,
            Command::Back,
        ],
        Overlay::Told { .. } => vec![Command::Down, Command::Up, Command::Back],
        Overlay::Palette { .. } | Overlay::Confirm(_) => vec![Command::Accept, Command::Back],
        Overlay::Filter { .. } | Overlay::Goto { .. } | Overlay::Note { .. } => Vec::new(),
        Overlay::Places { .. } | Overlay::Traces { .. } => {
            vec![Command::Accept, Command::Down, Command::Up, Command::Back]
        }
        Overlay::Compare => vec![
            Command::NextDifference,
            Command::PreviousDifference,
            Command::Accept,
            Command::Down,
            Command::Up,
            Command::Back,
            Command::Help,
        ],
        Overlay::Both { .. } => both(cx),
        Overlay::Inspect(inspect) => match inspect.subject {
            Subject::Hop(_) | Subject::Audit(_) => vec![
                Command::NextTab,
                Command::Down,
                Command::Up,
                Command::NextHop,
                Command::PreviousHop,
                Command::Copy,
                Command::Back,
            ],
            Subject::Event(_) => vec![
                Command::Down,
                Command::Up,
                Command::NextHop,
                Command::PreviousHop,
                Command::Copy,
                Command::Back,
            ],
        },
        Overlay::Failure { .. } if cx.app.stage().is_some() => {
            vec![Command::TakeOver, Command::Copy, Command::Back]
        }
        Overlay::Waiting { .. } if cx.app.is_lab() => {
            vec![Command::Accept, Command::Back, Command::Copy]
        }
        Overlay::Failure { .. } | Overlay::Waiting { .. } => vec![Command::Copy, Command::Back],
    }
}

/// The keys of two runs' call or hop side by side; the tabs are a hop's.
fn both(cx: &ViewCx) -> Vec<Command> {
    let keys = [
        Command::NextTab,
        Command::NextDifference,
        Command::PreviousDifference,
        Command::NextHop,
        Command::PreviousHop,
        Command::Down,
        Command::Back,
    ];
    let offered = keys.into_iter();
    offered
        .filter(|key| *key != Command::NextTab || cx.app.availability(*key).is_ready())
        .collect()
}

/// The keys of a form: those of its field first.
fn of_form(form: &Form) -> Vec<Command> {
    let mut keys = vec![Command::Accept];
    match form.current().map(|field| &field.kind) {
        Some(Kind::Choice(_)) => keys.extend([Command::NextChoice, Command::PreviousChoice]),
        Some(Kind::Lines) => keys.extend([Command::BreakLine, Command::OwnEditor]),
        Some(Kind::Text | Kind::Fixed) | None => {}
    }
    if form.current().is_some_and(Field::is_changed) {
        keys.push(Command::SetBack);
    }
    if form.has_more_fields() {
        keys.extend([Command::NextField, Command::PreviousField]);
    }
    keys.push(Command::Back);
    if !form.is_typing() {
        keys.push(Command::Help);
    }
    keys
}
