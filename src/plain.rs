//! The same facts as lines of text or JSON Lines, for pipes and screen readers.
