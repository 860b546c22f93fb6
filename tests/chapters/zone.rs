//! What a read of the zone shows of chapter 1's work, and of the `.env` that goes with it.

use hoptrail::{
    chapters::{
        Reading, Status,
        expect::Service,
        probe::{ClientAnswer, ProbeResults, Zone, ZoneApplication, ZoneResource},
    },
    projection::Projection,
    protocol::{audit::CredentialSource, console::Consent, env::classify, secret::Secret},
};

use crate::status;

/// The zone at the end of chapter 1, and its `.env`.
fn made() -> (Zone, ProbeResults) {
    let services = [
        (Service::McpServer, CredentialSource::KeycardSts),
        (Service::Supabase, CredentialSource::KeycardVault),
        (Service::Anthropic, CredentialSource::KeycardVault),
        (Service::Linear, CredentialSource::External),
    ];
    let resources = services.map(|(service, provider)| ZoneResource {
        service: Some(service),
        identifier: format!("http://127.0.0.1/{}", service.name()),
        provider: Some(provider),
        key_in_vault: provider == CredentialSource::KeycardVault,
    });
    let zone = Zone {
        resources: resources.to_vec(),
        applications: vec![ZoneApplication {
            name: "Support".to_owned(),
            consent: Consent::Required,
            depends_on: services.map(|(service, _)| service).to_vec(),
            credentials: vec!["app-1".to_owned()],
        }],
    };
    let line = |name, value: &str| classify(name, &Secret::new(value.to_owned()));
    let results = ProbeResults {
        env: Reading::Told(vec![
            line("KEYCARD_CLIENT_ID", "app-1"),
            line("KEYCARD_CLIENT_SECRET", "s3cr3t-of-the-application"),
        ]),
        client: Reading::Told(ClientAnswer::Known),
        ..ProbeResults::default()
    };
    (zone, results)
}

fn judged(check: &str, zone: Zone, results: ProbeResults) -> Status {
    let results = ProbeResults {
        zone: Reading::Told(zone),
        ..results
    };
    status("your-zone", check, &Projection::default(), &results)
}

fn failed(status: Status) -> (String, String) {
    match status {
        Status::Failed { because, fix } => (because, fix),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_vault_without_the_key_is_told() {
    let (mut zone, results) = made();
    let well = judged("supabase-resource", zone.clone(), results.clone());
    assert!(matches!(well, Status::Passed { .. }), "{well:?}");
    zone.resources[1].key_in_vault = false;
    let (because, fix) = failed(judged("supabase-resource", zone, results));
    assert_eq!(because, "the vault holds no key for Supabase");
    assert_eq!(fix, "Put the key for Supabase into the vault");
}

/// An id and a secret of two credentials: each is there, and together they open nothing.
#[test]
fn a_secret_that_the_zone_does_not_take_is_told_in_chapter_1() {
    let (zone, results) = made();
    let judged = |client| {
        let client = Reading::Told(client);
        let results = ProbeResults {
            client,
            ..results.clone()
        };
        judged("env-credential", zone.clone(), results)
    };
    let (because, fix) = failed(judged(ClientAnswer::Refused));
    assert!(
        because.contains("does not take the id and the secret"),
        "{because}"
    );
    assert!(fix.starts_with("Create a client credential"), "{fix}");
    // The zone's URL comes with chapter 2.
    let early = judged(ClientAnswer::NotTried);
    assert!(matches!(early, Status::Passed { .. }), "{early:?}");
}

#[test]
fn a_client_id_that_the_zone_does_not_know_is_told_where_the_zone_is_seen() {
    let (mut zone, results) = made();
    let well = judged("env-credential", zone.clone(), results.clone());
    assert!(matches!(well, Status::Passed { .. }), "{well:?}");
    zone.applications[0].credentials = vec!["app-2".to_owned()];
    let (because, fix) = failed(judged("env-credential", zone, results.clone()));
    assert_eq!(
        because,
        "no application of the zone has the KEYCARD_CLIENT_ID of .env"
    );
    assert!(fix.starts_with("Create a client credential"), "{fix}");
    // A real zone's console cannot be read: then the lines are all there is to see.
    let closed = ProbeResults {
        zone: Reading::Unavailable {
            look_at: "the console".to_owned(),
        },
        ..results
    };
    let told = status(
        "your-zone",
        "env-credential",
        &Projection::default(),
        &closed,
    );
    assert!(matches!(told, Status::Passed { .. }), "{told:?}");
}

#[test]
fn a_misspelt_identifier_is_one_fault_and_not_two() {
    let (mut zone, results) = made();
    zone.resources[1].service = None;
    zone.resources[1].identifier = "http://127.0.0.1/Supabase/".to_owned();
    zone.applications[0].depends_on.remove(1);
    let (because, fix) = failed(judged("supabase-resource", zone.clone(), results.clone()));
    assert!(
        because.ends_with("that nothing has: http://127.0.0.1/Supabase/"),
        "{because}"
    );
    assert!(fix.contains("letter by letter"), "{fix}");
    let told = judged("application", zone, results);
    assert!(matches!(told, Status::Pending { .. }), "{told:?}");
}
