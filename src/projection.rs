//! Read models: each pane's data is a fold of the trace. No I/O, no time, no terminal.
