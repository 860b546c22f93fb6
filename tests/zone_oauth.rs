//! The zone's OAuth front as clients, browsers and robots see it.

#[path = "zone_oauth/browser.rs"]
mod browser;
#[path = "zone_oauth/harness.rs"]
mod harness;
#[path = "zone_oauth/sign_in.rs"]
mod sign_in;
#[path = "zone_oauth/stand_ins.rs"]
mod stand_ins;
#[path = "zone_oauth/tokens.rs"]
mod tokens;
