//! The zone's OAuth front as clients, browsers and robots see it.

mod at_once;
mod browser;
mod consents;
mod harness;
mod refusals;
mod sign_in;
mod stand_ins;
mod standing;
mod tokens;
mod upstream;
