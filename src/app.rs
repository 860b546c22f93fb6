//! The state machine: `Msg` in, state and `Effect`s out. No tokio, no ratatui, no clock.
