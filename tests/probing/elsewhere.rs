//! What is sent to services that are not on this computer, and what is not.

use std::net::Ipv4Addr;

use hoptrail::{
    chapters::{
        Probe, Reading,
        expect::Service,
        probe::{Trial, TrialEnd, Untried},
    },
    protocol::secret::Secret,
    runtime::probing::{self, env::EnvAt},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::around;

/// A service here that refuses everything; its origin.
async fn refusing() -> String {
    answering("401 Unauthorized").await
}

/// Something here that says the same to everything; its origin.
async fn answering(status: &'static str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 16 * 1024];
                let _ = stream.read(&mut request).await;
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    origin
}

async fn tried(env: &str) -> Reading<Vec<Trial>> {
    let around = around("http://127.0.0.1:9/mcp", EnvAt::Text(Secret::from(env)));
    Box::pin(probing::ask(&[Probe::Trials], &around))
        .await
        .trials
}

/// Names that nobody can ever own (RFC 2606): to ask one of them fails.
const ELSEWHERE: &str =
    "SUPABASE_URL=https://supabase.invalid\nANTHROPIC_API_URL=https://anthropic.invalid\n";

const PEM: &str = "PEM=\"-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_elsewhere_is_given_what_is_not_their_own() {
    let here = refusing().await;
    let env = format!(
        "PORT=8000\nKEYCARD_CLIENT_SECRET=verysecret\nGH=ghp_abc\n{PEM}{ELSEWHERE}LINEAR_API_URL={here}\n"
    );
    let Reading::Told(trials) = tried(&env).await else {
        panic!("somebody elsewhere was asked");
    };
    assert_eq!(trials.len(), 7 * 3);
    for trial in trials {
        let expected = match (trial.service, trial.variable.as_str()) {
            (Service::Linear, "PEM") => TrialEnd::NotTried(Untried::FitsNoHeader),
            (Service::Linear, _) => TrialEnd::Refused,
            _ => TrialEnd::NotTried(Untried::NotItsOwn),
        };
        assert_eq!(
            trial.ended, expected,
            "{} {:?}",
            trial.variable, trial.service
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_be_their_own_key_is_tried_elsewhere() {
    let here = refusing().await;
    let env = format!("HARMLESS=sk-ant-abc\n{ELSEWHERE}LINEAR_API_URL={here}\n");
    let Reading::Failed { because } = tried(&env).await else {
        panic!("it was not tried");
    };
    assert!(
        because.starts_with("Anthropic could not be asked"),
        "{because}"
    );
}

#[rstest::rstest]
#[case("404 Not Found")]
#[case("200 OK")]
#[case("400 Bad Request")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_the_service_has_refused_nothing(#[case] status: &'static str) {
    let here = answering(status).await;
    let env = format!(
        "A=b\nSUPABASE_URL={here}\nANTHROPIC_API_URL={}\nLINEAR_API_URL={here}\n",
        refusing().await
    );
    let Reading::Failed { because } = tried(&env).await else {
        panic!("it passed for a refusal");
    };
    assert!(because.contains("which is no refusal"), "{because}");
}
