//! Questions that are called off while they are asked.

use std::{net::Ipv4Addr, sync::Arc};

use hoptrail::{
    app::{
        effect::Job,
        msg::{TaskId, TaskOutcome},
    },
    chapters::{Probe, probe::HttpProbe},
    runtime::{TargetChoice, backend, jobs::Runner, stream},
    support::clock::SystemClock,
};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpListener,
    sync::mpsc,
    time::{Duration, timeout},
};

use crate::{program::Home, running::options};

/// Long before the ten seconds after which a question gives up by itself.
const SOON: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_that_are_called_off_stop_knocking_and_are_no_success() {
    let home = Home::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let target = TargetChoice::Server(format!("http://{address}/mcp"));
    let (sink, _stream) = stream::open(&SystemClock);
    let mut opening = backend::open(options(target, &home.state()), Arc::clone(&sink));
    opening.ready().await.unwrap();
    let (answers, mut told) = mpsc::unbounded_channel();
    let mut runner = Runner::new(opening.watch(), answers);
    let task = TaskId(1);
    let job = Job::RunProbes {
        chapter: "lock".to_owned(),
        probes: vec![Probe::Metadata, Probe::Http(HttpProbe::NoToken)],
        since: None,
    };
    runner.start(task, job);
    // A server that takes a request and never answers.
    let (mut knock, _) = listener.accept().await.unwrap();
    let mut request = [0; 4_096];
    assert!(knock.read(&mut request).await.unwrap() > 0);
    runner.cancel(task);
    let (ended, outcome) = timeout(SOON, runner.ended())
        .await
        .expect("it ends at once");
    assert_eq!((ended, outcome), (task, TaskOutcome::Cancelled));
    assert!(told.try_recv().is_err(), "nothing was found out");
    // Whoever knocked has gone.
    assert_eq!(knock.read(&mut request).await.unwrap_or(0), 0);
    opening.close().await;
}
