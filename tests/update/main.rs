//! What keys, facts and the ends of tasks do to the state, and what they ask to be done.

mod along;
mod commands;
mod moving;
#[path = "../screens/mod.rs"]
mod screens;
mod signing_in;
mod tasks;

use hoptrail::app::effect::{Effect, Job};

fn jobs(effects: &[Effect]) -> Vec<Job> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Run(_, job) => Some(job.clone()),
            _ => None,
        })
        .collect()
}
