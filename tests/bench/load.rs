//! The load generator: keep-alive connections that each send their next request when the answer
//! to the last one is there. One thread and no HTTP library, so that it takes as little as it can
//! from the two cores it shares with what it measures.

use hoptrail::support::clock::Stopwatch;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::sample::Sample;

/// What a round found.
#[derive(Debug, Clone, Default)]
pub struct Round {
    pub answers: Sample,
    pub refused: usize,
    pub micros: u64,
}

impl Round {
    #[expect(clippy::cast_precision_loss, reason = "a round is short")]
    pub fn per_second(&self) -> f64 {
        self.answers.len() as f64 / (self.micros as f64 / 1e6)
    }
}

/// Sends for `micros` over `connections` connections. Each takes the next of `requests` in turn.
pub fn round(
    port: u16,
    requests: &[Vec<u8>],
    connections: usize,
    micros: u64,
) -> Result<Round, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let began = Stopwatch::start();
        let senders = (0..connections).map(|first| sender(port, requests, first, began, micros));
        let mut whole = Round::default();
        for round in futures::future::try_join_all(senders).await? {
            whole.answers.extend(&round.answers);
            whole.refused += round.refused;
        }
        whole.micros = began.micros();
        Ok(whole)
    })
}

async fn sender(
    port: u16,
    requests: &[Vec<u8>],
    first: usize,
    began: Stopwatch,
    micros: u64,
) -> Result<Round, String> {
    let fault = |error: std::io::Error| format!("127.0.0.1:{port}: {error}");
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(fault)?;
    stream.set_nodelay(true).map_err(fault)?;
    let mut round = Round::default();
    let mut answer = Vec::with_capacity(16 * 1024);
    for request in requests.iter().cycle().skip(first) {
        if began.micros() >= micros {
            break;
        }
        let watch = Stopwatch::start();
        stream.write_all(request).await.map_err(fault)?;
        answer.clear();
        while !complete(&answer) {
            if stream.read_buf(&mut answer).await.map_err(fault)? == 0 {
                return Err(format!("127.0.0.1:{port} closed the connection"));
            }
        }
        if answer.starts_with(b"HTTP/1.1 200") {
            round.answers.add(watch.micros());
        } else {
            round.refused += 1;
        }
    }
    Ok(round)
}

/// Whether all of an answer is there. Both servers say its length.
fn complete(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n") else {
        return false;
    };
    let length = answer[..end]
        .split(|b| *b == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok()?.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}
