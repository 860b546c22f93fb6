//! The tools of the support-escalation server when all goes well: what goes out for a call, what
//! comes back, what is told on the way. And what is advised where no setting is wrong.

mod advice;
mod calls;
mod echo;
mod protocol;
#[path = "../server_bench/mod.rs"]
mod server_bench;
mod steps;

use server_bench::server_stub::Stub;

/// The credential that the stub zone gives for a service.
fn credential(service: &Stub, scope: &str) -> String {
    format!("cred-{}-{scope}", service.url.rsplit(':').next().unwrap())
}
