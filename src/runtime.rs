//! Knows everything: the loops, the terminal, the effect runners, recording.
