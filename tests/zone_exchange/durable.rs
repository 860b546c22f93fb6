//! What is on disk: no credential without its row, a second start, a folder that cannot be used.

use std::fs;

use hoptrail::{
    protocol::oauth::ErrorCode,
    support::{clock::FakeClock, ids::Ids},
    zone::{
        Zone,
        directory::{Change, Kind},
        exchange::exchange,
        seed::FirstPolicy,
        store::{Commit, CommitError, DATABASE_FILE, SCHEMA_VERSION},
        vault::KEY_FILE,
    },
};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::office::*;

#[tokio::test]
async fn a_credential_whose_row_cannot_be_written_is_not_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    sign_in(&office).await;
    office.zone.close().await;
    // The disk as it is when it fills up after two more rows.
    let file = SqliteConnectOptions::new().filename(dir.path().join(DATABASE_FILE));
    let mut database = SqliteConnection::connect_with(&file).await.unwrap();
    sqlx::raw_sql(
        "CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.sequence > 2
         BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    .execute(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();

    let office = open(Some(dir.path()), clock, 2, FirstPolicy::Limited)
        .await
        .unwrap();
    office.exchange(SUPABASE, None).await.unwrap();
    office.exchange(SUPABASE, None).await.unwrap();
    let refused = office.exchange(SUPABASE, None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ServerError);
    assert_eq!(office.audit().await.len(), 2);
    // The change of a failed transaction is not seen either.
    let state = office.zone.state();
    let draft = hoptrail::zone::audit::Draft::new(
        hoptrail::protocol::audit::AuditEvent::UsersAuthorize,
        "r",
        hoptrail::support::clock::Stopwatch::start(),
    );
    let commit = Commit {
        changes: vec![Change::Delete(Kind::User, USER.into())],
        audit: vec![draft],
        ..Commit::default()
    };
    assert!(matches!(
        state.store.commit(commit).await,
        Err(CommitError::Failed(_))
    ));
    assert!(state.directory().users.contains_key(USER));
}

#[tokio::test]
async fn a_second_start_goes_on_where_the_first_ended() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let first = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Defaults)
        .await
        .unwrap();
    sign_in(&first).await;
    first.exchange(LINEAR, Some("write")).await.unwrap();
    let token = first.user_token();
    first.zone.close().await;

    let second = open(Some(dir.path()), clock, 2, FirstPolicy::Limited)
        .await
        .unwrap();
    assert_eq!(second.seeded.client_id, first.seeded.client_id);
    assert_eq!(second.seeded.client_secret, first.seeded.client_secret);
    let directory = second.zone.state().directory();
    let credential = &directory.application_credentials[&second.seeded.client_id];
    let secret = credential.secret.as_ref().unwrap();
    assert!(secret.matches(&second.seeded.client_secret));
    // The policy that was active stays so, whatever a first start would have begun with.
    let mut request = second.request(LINEAR, Some("write"));
    request.subject_token = Some(token);
    exchange(second.zone.state(), request).await.unwrap();
    let rows = second.audit().await;
    assert_eq!(
        rows.iter().map(|row| row.sequence).collect::<Vec<_>>(),
        [1, 2]
    );
}

#[tokio::test]
async fn a_zone_that_is_killed_after_an_answer_remembers_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    sign_in(&office).await;
    let issued = office.exchange(SUPABASE, None).await.unwrap();
    // What a kill at this instant leaves on the disk: nothing was closed or flushed for it.
    let left = tempfile::tempdir().unwrap();
    for (name, bytes) in listing(dir.path()) {
        fs::write(left.path().join(name), bytes).unwrap();
    }
    let again = open(Some(left.path()), clock, 2, FirstPolicy::Limited)
        .await
        .unwrap();
    let rows = again.audit().await;
    assert_eq!(
        rows[0].credential.as_ref().unwrap().fingerprint(),
        issued.access_token.fingerprint()
    );
}

#[tokio::test]
async fn the_signing_key_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let first = Zone::open(config(Some(dir.path()), clock.clone(), 1))
        .await
        .unwrap();
    let made = first.state().keys.signing().await.unwrap().kid().to_owned();
    first.close().await;
    let second = Zone::open(config(Some(dir.path()), clock, 2))
        .await
        .unwrap();
    assert_eq!(second.state().keys.signing().await.unwrap().kid(), made);
}

#[tokio::test]
async fn resources_follow_their_urls_and_keep_their_consent() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock, 1, FirstPolicy::Limited)
        .await
        .unwrap();
    sign_in(&office).await;
    let mut moved = workshop(FirstPolicy::Limited);
    moved.linear = "http://127.0.0.1:5555".into();
    hoptrail::zone::seed::workshop(&office.zone, moved)
        .await
        .unwrap();
    office
        .exchange("http://127.0.0.1:5555", Some("read"))
        .await
        .unwrap();
    office
        .exchange("http://127.0.0.1:5555", Some("write"))
        .await
        .unwrap_err();
    let refused = office.exchange(LINEAR, Some("read")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidTarget);
}

#[tokio::test]
async fn a_newer_state_is_named_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    office.zone.close().await;
    let file = dir.path().join(DATABASE_FILE);
    let mut bytes = fs::read(&file).unwrap();
    bytes[60..64].copy_from_slice(&(SCHEMA_VERSION + 1).to_be_bytes());
    fs::write(&file, &bytes).unwrap();
    let before: Vec<_> = listing(dir.path());
    let failure = Zone::open(config(Some(dir.path()), clock, 2))
        .await
        .unwrap_err();
    assert!(failure.what.contains("newer hoptrail"), "{failure}");
    assert_eq!(listing(dir.path()), before);
}

fn listing(dir: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_a_clear_failure() {
    // /proc cannot be written even by root, under which tests may run.
    let failure = Zone::open(config(
        Some("/proc/hoptrail".as_ref()),
        FakeClock::shared(),
        1,
    ))
    .await
    .unwrap_err();
    assert!(failure.what.contains("/proc/hoptrail"), "{failure}");
    assert!(failure.next.contains("--state"), "{failure}");
}

#[tokio::test]
async fn a_state_in_use_is_not_opened_twice() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let _first = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    let failure = Zone::open(config(Some(dir.path()), clock, 2))
        .await
        .unwrap_err();
    assert!(failure.what.contains("in use"), "{failure}");
}

#[tokio::test]
async fn a_lost_key_is_named_and_a_reset_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    office.zone.close().await;
    fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
    let failure = Zone::open(config(Some(dir.path()), clock.clone(), 2))
        .await
        .unwrap_err();
    assert!(failure.what.contains("key"), "{failure}");
    let own = [
        "zone.db-walk",
        "zone.db.backup",
        "zone.key.backup",
        "zone.keys",
    ];
    let half_made = format!("{KEY_FILE}.{}", Ids::seeded(1).short());
    for name in own.into_iter().chain(["zone.db-journal", &half_made]) {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    hoptrail::zone::reset(dir.path()).unwrap();
    let left: Vec<_> = listing(dir.path())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(left, own, "a person's own files, and no other");
    open(Some(dir.path()), clock, 3, FirstPolicy::Limited)
        .await
        .unwrap();
}

#[tokio::test]
async fn nothing_secret_lies_in_the_state_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let office = open(
        Some(dir.path()),
        FakeClock::shared(),
        1,
        FirstPolicy::Limited,
    )
    .await
    .unwrap();
    sign_in(&office).await;
    let token = office.user_token();
    for (resource, scope) in [(SUPABASE, None), (ANTHROPIC, None), (LINEAR, Some("read"))] {
        office.exchange(resource, scope).await.unwrap();
    }
    let sts = office.exchange(SERVER, Some("read")).await.unwrap();
    let secrets = [
        SUPABASE_KEY,
        ANTHROPIC_KEY,
        LINEAR_TOKEN,
        PROVIDER_SECRET,
        office.seeded.client_secret.expose(),
        token.expose().rsplit('.').next().unwrap(),
        sts.access_token.expose().rsplit('.').next().unwrap(),
    ];
    // Once with the write-ahead log, once when it is folded in.
    for files in [listing(dir.path()), {
        office.zone.close().await;
        listing(dir.path())
    }] {
        assert!(!files.is_empty());
        for (name, bytes) in files {
            let text = String::from_utf8_lossy(&bytes);
            for secret in secrets {
                assert!(!text.contains(secret), "{name}");
            }
        }
    }
}
