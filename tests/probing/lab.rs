//! The probes of a lab of ours: what opens with what, what the console's steps make, and whom the
//! zone gives which scope.

use hoptrail::{
    chapters::{
        Book, Probe, Reading, Status,
        expect::Service,
        probe::{ScopeAnswer, TrialEnd},
    },
    lab::{Chapter, ZoneObjects},
    projection::Projection,
    runtime::{
        LabStart, Options, TargetChoice,
        console_steps::{Change, Step},
        probing::{self, env::EnvAt},
    },
    trace::event::CallOutcome,
};
use serde_json::json;

use crate::{
    program::Home,
    running::{Run, options},
};

/// A lab at the end of a chapter, with what chapter 1 and 7 make or without it.
pub(super) async fn lab(home: &Home, stage: u8, objects: ZoneObjects) -> Run {
    let folder = home.file("lab");
    Run::open(Options {
        lab: LabStart {
            stage: Some(Chapter::new(stage).unwrap()),
            objects,
        },
        ..options(TargetChoice::Embedded, &folder)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_value_is_tried_and_only_the_one_key_opens_something() {
    let home = Home::new();
    let run = lab(&home, 0, ZoneObjects::Made).await;
    let around = run.backend.look_around(None, None).await.unwrap();
    let probes = [Probe::Trials, Probe::Env, Probe::Folder];
    let results = Box::pin(probing::ask(&probes, &around)).await;
    let Reading::Told(trials) = &results.trials else {
        panic!("{:?}", results.trials);
    };
    let opened: Vec<_> = trials
        .iter()
        .filter(|trial| trial.ended == TrialEnd::Opened)
        .map(|trial| (trial.variable.as_str(), trial.service))
        .collect();
    assert_eq!(opened, [("LINEAR_API_KEY", Service::Linear)]);
    run.backend.go_to(Chapter::LAST).await.unwrap();
    let around = run.backend.look_around(None, None).await.unwrap();
    let later = Box::pin(probing::ask(&probes, &around)).await;
    let Reading::Told(trials) = &later.trials else {
        panic!("{:?}", later.trials);
    };
    assert_eq!(trials.len(), 9 * 3);
    assert!(trials.iter().all(|trial| trial.ended == TrialEnd::Refused));
    // Nothing of what was tried comes back.
    let told = format!("{results:?} {later:?}");
    let EnvAt::Text(text) = &around.env else {
        panic!("the lab's .env is no file");
    };
    let secret = text
        .expose()
        .lines()
        .find_map(|line| line.strip_prefix("KEYCARD_CLIENT_SECRET="))
        .unwrap();
    assert!(secret.len() > 20 && !told.contains(secret));
    assert!(!told.contains("lin_api_"));
    run.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_consoles_steps_make_chapter_1_and_7_and_can_be_repeated() {
    let home = Home::new();
    let run = lab(&home, 0, ZoneObjects::AsLeft).await;
    let book = Book::embedded().unwrap();
    let chapter = book.number(1).unwrap();
    let judge = async || -> Vec<Status> {
        let around = run.backend.look_around(None, None).await.unwrap();
        let results = Box::pin(probing::probe(chapter, &around)).await;
        let empty = Projection::default();
        let checks = chapter.checks.iter();
        checks
            .map(|check| chapter.status(check, &empty, &results))
            .collect()
    };
    for status in judge().await {
        assert!(matches!(status, Status::Failed { .. }), "{status:?}");
    }
    assert!(run.backend.steps_found().await.unwrap().is_empty());
    let early = run.backend.take_step(Step::Dependencies).await.unwrap_err();
    assert!(early.next.contains(Step::Application.title()), "{early}");
    for step in Step::CHAPTER_1 {
        let taken = run.backend.take_step(*step).await.unwrap();
        assert_eq!(taken.change, Change::Made, "{step:?}");
        assert!(!taken.objects.is_empty());
        assert_eq!(taken.credential.is_some(), *step == Step::Credential);
    }
    // The new credential is in the lab's .env by now, but the server is still chapter 0's.
    run.backend.go_to(Chapter::new(1).unwrap()).await.unwrap();
    for status in judge().await {
        assert!(matches!(status, Status::Passed { .. }), "{status:?}");
    }
    // Somebody who starts anew does not find them open again.
    let found = run.backend.steps_found().await.unwrap();
    assert!(found.iter().eq(Step::CHAPTER_1), "{found:?}");
    for step in Step::CHAPTER_7 {
        let taken = run.backend.take_step(*step).await.unwrap();
        assert_ne!(taken.change, Change::WasThere, "{step:?}");
    }
    let found = run.backend.steps_found().await.unwrap();
    let all = Step::CHAPTER_1.iter().chain(Step::CHAPTER_7);
    assert!(found.iter().eq(all.clone()), "{found:?}");
    for step in all {
        let taken = run.backend.take_step(*step).await.unwrap();
        assert_eq!(taken.change, Change::WasThere, "{step:?}");
        assert!(taken.credential.is_none());
    }
    run.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_made_is_there_at_the_next_start_and_its_keys_are_the_new_ones() {
    let home = Home::new();
    let run = lab(&home, 0, ZoneObjects::AsLeft).await;
    for step in Step::CHAPTER_1 {
        run.backend.take_step(*step).await.unwrap();
    }
    run.close().await;
    let mut run = lab(&home, 6, ZoneObjects::AsLeft).await;
    run.sign_in().await;
    let listed = run.call("get_support_tickets", json!({})).await;
    let tickets = listed.structured.unwrap()["tickets"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(tickets, 5);
    run.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_of_the_wrong_type_makes_room_and_the_right_one_lasts() {
    let home = Home::new();
    let run = lab(&home, 0, ZoneObjects::AsLeft).await;
    let of_type = |word: &str| {
        [("name", "Linear OAuth"), ("type", word)]
            .map(|(label, text)| (label.to_owned(), text.to_owned()))
            .to_vec()
    };
    let first = Step::LinearProvider;
    let wrong = run
        .backend
        .take_step_with(first, &of_type("keycard-vault"))
        .await;
    assert_eq!(wrong.unwrap().change, Change::Made);
    let early = run.backend.take_step(Step::Linear).await.unwrap_err();
    assert!(early.why.contains("is there, as keycard-vault"), "{early}");
    let right = run
        .backend
        .take_step_with(first, &of_type("external"))
        .await;
    assert_eq!(right.unwrap().change, Change::Changed);
    for step in Step::CHAPTER_1 {
        run.backend.take_step(*step).await.unwrap();
    }
    run.close().await;
    // The next start's Linear is another one.
    let mut run = lab(&home, 6, ZoneObjects::AsLeft).await;
    run.sign_in().await;
    let listed = run.call("get_support_tickets", json!({})).await;
    let ticket = listed.structured.unwrap()["tickets"][0]["id"].clone();
    let filed = run
        .call("escalate_ticket", json!({"ticketId": ticket}))
        .await;
    assert_eq!(filed.outcome, CallOutcome::Succeeded, "{}", filed.text);
    run.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_repeats_of_its_env_is_hidden() {
    let home = Home::new();
    let run = lab(&home, 6, ZoneObjects::MadeInChapter1).await;
    let project = home.file("project");
    std::fs::create_dir(&project).unwrap();
    let env = "KEYCARD_CLIENT_ID=client-one\nKEYCARD_CLIENT_SECRET=a-secret-of-no-shape\n\
               this is no line\nDB_PASSWORD=another-one-of-mine\nPORT=8000\n";
    std::fs::write(project.join(".env"), env).unwrap();
    run.backend.look_from_outside(Some(&project)).await.unwrap();
    let basic = "Y2xpZW50LW9uZTphLXNlY3JldC1vZi1uby1zaGFwZQ==";
    let echo = format!("boom a-secret-of-no-shape {basic} another-one-of-mine client-one 8000");
    let told = run.backend.client.http().clean(&echo);
    assert!(told.ends_with(" client-one 8000"), "{told}");
    for secret in ["a-secret-of-no-shape", basic, "another-one-of-mine"] {
        assert!(!told.contains(secret), "{told}");
    }
    run.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_chapter_7_there_is_what_chapter_1_makes_and_no_policy_yet() {
    let home = Home::new();
    let run = lab(&home, 6, ZoneObjects::MadeInChapter1).await;
    let found = run.backend.steps_found().await.unwrap();
    assert!(found.iter().eq(Step::CHAPTER_1), "{found:?}");
    for step in Step::CHAPTER_7 {
        let taken = run.backend.take_step(*step).await.unwrap();
        assert_ne!(taken.change, Change::WasThere, "{step:?}");
    }
    run.close().await;
    // What was made stays at the next start, and is not active where chapter 6 begins.
    let run = lab(&home, 6, ZoneObjects::MadeInChapter1).await;
    let found = run.backend.steps_found().await.unwrap();
    let made = Step::CHAPTER_7
        .iter()
        .filter(|step| **step != Step::Activate);
    assert!(
        found.iter().eq(Step::CHAPTER_1.iter().chain(made)),
        "{found:?}"
    );
    run.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scopes_are_asked_for_the_person_who_is_signed_in() {
    let home = Home::new();
    let mut run = lab(&home, 7, ZoneObjects::Made).await;
    let probes = ["read", "admin", "made:up"].map(|scope| Probe::Scope(scope.to_owned()));
    let asked = async |run: &Run| {
        let around = run.backend.look_around(None, None).await.unwrap();
        Box::pin(probing::ask(&probes, &around)).await.scopes
    };
    let before = asked(&run).await;
    assert!(before.values().all(|answer| *answer == Reading::NotAsked));
    run.sign_in().await;
    let after = asked(&run).await;
    assert_eq!(after["read"], Reading::Told(ScopeAnswer::Issued));
    for scope in ["admin", "made:up"] {
        let Reading::Told(ScopeAnswer::Refused { policy: Some(id) }) = &after[scope] else {
            panic!("{after:?}");
        };
        assert!(id.ends_with("limit-linear-scopes"), "{id}");
    }
    run.close().await;
}
