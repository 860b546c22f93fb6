//! What a start does to what is there: identifiers and secrets follow, all else stays as it was left.

use hoptrail::{
    protocol::{
        console::{Consent, LifeStatus, Resource},
        oauth::{ClientCredential, ErrorCode},
        secret::Secret,
    },
    support::clock::FakeClock,
    zone::{
        Zone, clearing,
        directory::{Application, ApplicationCredential, Change, CredentialKind, Kind, pair},
        keys::Keys,
        seed::{self, Extent, FirstPolicy, id},
        vault::SecretHash,
    },
};

use crate::office::*;

async fn start_again(
    office: &Office,
    change: impl FnOnce(&mut seed::Workshop),
) -> ClientCredential {
    let mut workshop = workshop(FirstPolicy::Limited);
    change(&mut workshop);
    seed::workshop_to(&office.zone, workshop, Extent::Missing)
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_start_changes_urls_and_secrets_and_nothing_else() {
    let office = office(FirstPolicy::Limited).await;
    let directory = office.zone.state().directory();
    let linear = Resource {
        name: "Our Linear".into(),
        scopes: vec!["read".into()],
        credential_lifetime_seconds: Some(60),
        ..Resource::clone(&directory.resources[id::LINEAR])
    };
    let application = Application {
        consent: Consent::Implicit,
        ..Application::clone(&directory.applications[id::APPLICATION])
    };
    office
        .change(vec![
            Change::put(linear.clone()),
            Change::put(application.clone()),
            Change::Delete(Kind::Dependency, pair(id::APPLICATION, id::SUPABASE)),
            Change::Delete(Kind::Resource, id::ANTHROPIC.into()),
        ])
        .await;
    start_again(&office, |workshop| {
        workshop.linear = "http://127.0.0.1:5555".into();
    })
    .await;
    let directory = office.zone.state().directory();
    let moved = Resource {
        identifier: "http://127.0.0.1:5555".into(),
        ..linear
    };
    assert_eq!(*directory.resources[id::LINEAR], moved);
    assert_eq!(*directory.applications[id::APPLICATION], application);
    assert!(!directory.depends(id::APPLICATION, id::SUPABASE));
    assert!(directory.resources.contains_key(id::ANTHROPIC), "made anew");
}

#[tokio::test]
async fn a_persons_own_client_credential_stays_theirs() {
    let office = office(FirstPolicy::Limited).await;
    let secret = Secret::from("a secret that a person wrote down");
    let own = ApplicationCredential {
        id: "one".into(),
        application_id: id::APPLICATION.into(),
        kind: CredentialKind::Password,
        // Before any other in the table.
        identifier: "000-mine".into(),
        secret: Some(SecretHash::of(&secret)),
        sealed: None,
        created_at: office.zone.state().config.clock.now(),
    };
    office.change(vec![Change::put(own)]).await;
    let seeded = start_again(&office, |_| {}).await;
    assert_eq!(seeded.client_id, office.seeded.client_id);
    let directory = office.zone.state().directory();
    let kept = &directory.application_credentials["000-mine"];
    assert!(kept.secret.as_ref().unwrap().matches(&secret));
}

#[tokio::test]
async fn the_applications_secret_is_kept_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let first = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    let made = first.seeded.client_secret.clone();
    first.zone.close().await;
    let again = open(Some(dir.path()), clock, 2, FirstPolicy::Limited)
        .await
        .unwrap();
    assert_eq!(again.seeded.client_id, first.seeded.client_id);
    assert_eq!(again.seeded.client_secret, made);
    again.zone.close().await;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let secret = made.expose().as_bytes();
        let found = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{}", path.display());
    }
}

#[tokio::test]
async fn a_secret_that_is_deleted_or_known_by_its_hash_alone_is_made_anew() {
    let office = office(FirstPolicy::Limited).await;
    let id = &office.seeded.client_id;
    let directory = office.zone.state().directory();
    // As an earlier version left it.
    let hash_alone = ApplicationCredential {
        sealed: None,
        ..(*directory.application_credentials[id]).clone()
    };
    office.change(vec![Change::put(hash_alone)]).await;
    let second = start_again(&office, |_| {}).await;
    assert_eq!(second.client_id, *id);
    assert_ne!(second.client_secret, office.seeded.client_secret);
    let gone = Change::Delete(Kind::ApplicationCredential, id.clone());
    office.change(vec![gone]).await;
    let third = start_again(&office, |_| {}).await;
    assert_ne!(third.client_id, *id);
    assert_ne!(third.client_secret, second.client_secret);
    let directory = office.zone.state().directory();
    assert_eq!(directory.application_credentials.len(), 1);
}

#[tokio::test]
async fn an_identifier_that_somebody_took_is_named_and_not_given_twice() {
    let office = office(FirstPolicy::Limited).await;
    let taken = "http://localhost:8000/mcp";
    let mine = Resource {
        id: "mine".into(),
        name: "My server".into(),
        identifier: taken.into(),
        ..Resource::clone(&office.zone.state().directory().resources[id::MCP_SERVER])
    };
    office.change(vec![Change::put(mine)]).await;
    let mut workshop = workshop(FirstPolicy::Limited);
    workshop.server = taken.into();
    let failure = seed::workshop_to(&office.zone, workshop.clone(), Extent::Missing)
        .await
        .unwrap_err();
    assert!(failure.why.contains("My server"), "{failure}");
    // Where nothing of the workshop's stands in its way, it is the workshop's server.
    let gone = Change::Delete(Kind::Resource, id::MCP_SERVER.into());
    office.change(vec![gone]).await;
    seed::workshop_to(&office.zone, workshop, Extent::Missing)
        .await
        .unwrap();
    let directory = office.zone.state().directory();
    assert!(!directory.resources.contains_key(id::MCP_SERVER));
}

#[tokio::test]
async fn another_linear_gets_none_of_the_tokens_of_the_one_before() {
    let office = office(FirstPolicy::Limited).await;
    start_again(&office, |_| {}).await;
    office.exchange(LINEAR, Some("read")).await.unwrap();
    let real = "https://api.linear.app";
    start_again(&office, |workshop| {
        workshop.linear = real.into();
        workshop.linear_oauth.client_id = "the person's own application".into();
    })
    .await;
    let mut request = office.request(real, Some("read"));
    let directory = office.zone.state().directory();
    request.credential = directory.application_credentials[&office.seeded.client_id].clone();
    let refused = hoptrail::zone::exchange::exchange(office.zone.state(), request)
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::InsufficientAuthorization);
    let grant = directory.grant(USER, id::LINEAR).unwrap();
    assert_eq!(grant.status, LifeStatus::Expired);
    assert_eq!(grant.access_token, None);
}

#[tokio::test]
async fn clearing_goes_on_when_the_zone_changes_meanwhile() {
    let office = office(FirstPolicy::Limited).await;
    let clear = || clearing::beyond(&office.zone, Extent::AsLeft);
    let (one, other) = tokio::join!(clear(), clear());
    assert_eq!((one, other), (Ok(()), Ok(())));
    assert!(office.zone.state().directory().resources.is_empty());
}

#[tokio::test]
async fn clearing_leaves_an_active_set_whatever_was_activated_last() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    clearing::beyond(&office.zone, Extent::Objects)
        .await
        .unwrap();
    office.zone.close().await;
    let again = Zone::open_with(config(Some(dir.path()), clock, 2), Keys::ready(key()))
        .await
        .unwrap();
    let directory = again.state().directory();
    assert_eq!(directory.policy().unwrap().reference().id, id::DEFAULT_SET);
}
