//! Settings as written and as used: look, keys.
