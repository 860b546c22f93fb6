//! The probes: that a server which looks at the wrong things is found out, that keys are found by
//! their kind, that somebody is told where they are, and that nothing secret comes back.

mod called_off;
mod elsewhere;
mod folder;
mod forms;
mod knocks;
mod lab;
#[expect(dead_code, reason = "shared; this file needs a part of it")]
#[path = "../program/mod.rs"]
mod program;
#[expect(dead_code, reason = "shared; this file needs a part of it")]
#[path = "../running/mod.rs"]
mod running;
mod yours;

use hoptrail::{
    runtime::probing::{self, ProbeTargets, env::EnvAt},
    support::{clock::SystemClock, ids::Ids},
};

/// ProbeTargets of a server that is nobody's lab.
fn around(server: &str, env: EnvAt) -> ProbeTargets {
    let server = url::Url::parse(server).unwrap();
    ProbeTargets {
        http: probing::quiet(&server, Ids::system()).unwrap(),
        server,
        env,
        folder: None,
        lab: None,
        console: None,
        person: None,
        since: None,
        clock: SystemClock::shared(),
        ids: Ids::system(),
    }
}
