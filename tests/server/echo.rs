//! Services that repeat in an error what they were sent: it is told without it, whole or cut short.

use hoptrail::protocol::basic;
use rstest::rstest;
use serde_json::json;

use crate::server_bench::{
    Bench, ID,
    server_stub::{Recorded, Stub, zone},
};

/// What a request carried that opens something, once whole and once cut.
fn repeated(request: &Recorded) -> String {
    let header = |name: &str| request.headers.get(name).cloned();
    let names = ["authorization", "apikey", "x-api-key"];
    let mut words: Vec<String> = names.into_iter().filter_map(header).collect();
    let pair = header("authorization").and_then(|value| basic::pair(value.as_bytes()));
    words.extend(pair.map(|pair| pair.expose().clone()));
    let form = url::form_urlencoded::parse(request.body.as_bytes());
    let token = form.filter(|(name, _)| name == "subject_token");
    words.extend(token.map(|(_, token)| token.into_owned()));
    // What is left of a short one is no more than a word.
    let long = words.iter().filter(|word| word.len() > 16);
    let cut: Vec<&str> = long.map(|word| &word[..word.len() - 1]).collect();
    format!("bad {} and {}", words.join(" "), cut.join(" "))
}

#[rstest]
#[case::supabase(|bench: &Bench| bench.supabase.clone(), |said| json!({ "message": said }).to_string())]
#[case::supabase_in_plain_words(|bench: &Bench| bench.supabase.clone(), |said| said)]
#[case::anthropic(|bench: &Bench| bench.anthropic.clone(), |said| json!({ "error": { "message": said } }).to_string())]
#[case::linear(|bench: &Bench| bench.linear.clone(), |said| said)]
#[tokio::test]
async fn what_a_service_repeats_of_its_credential_is_not_told(
    #[case] service: fn(&Bench) -> Stub,
    #[case] worded: fn(String) -> String,
) {
    let bench = Bench::start().await;
    service(&bench).answers(move |request| (400, worded(repeated(request))));
    // What comes back is searched for each credential by the bench.
    let told = bench
        .failing("escalate_ticket", json!({ "ticketId": ID }))
        .await;
    assert!(told.contains("bad "), "{told}");
    assert!(told.contains("[hidden]"), "{told}");
}

#[tokio::test]
async fn what_the_zone_repeats_of_its_clients_secret_and_the_persons_token_is_not_told() {
    let bench = Bench::start().await;
    bench.zone.answers(|request| match request.line.as_str() {
        "POST /oauth/2/token" => {
            let said = json!({ "error": "invalid_client", "error_description": repeated(request) });
            (401, said.to_string())
        }
        _ => zone(request),
    });
    let told = bench.failing("get_support_tickets", json!({})).await;
    assert!(told.contains("bad "), "{told}");
    assert!(told.contains("[hidden]"), "{told}");
}
