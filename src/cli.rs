//! The only reader of arguments, environment and tty-ness.
