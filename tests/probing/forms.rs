//! The console's steps with something else filled in: what the zone makes of it, and what a check says.

use hoptrail::{
    app::learn::console::form::Filled,
    chapters::{Book, Status},
    lab::{Chapter, ZoneObjects},
    projection::Projection,
    runtime::{
        backend::Kept,
        console_steps::{Change, Step},
        probing,
    },
    trace::event::CallOutcome,
};
use serde_json::json;

use super::lab::lab;
use crate::{program::Home, running::Run};

/// What a step is filled in with, one field of it changed.
async fn changed(run: &Run, step: Step, label: &str, value: &str) -> Filled {
    let materials = run.backend.materials().await.unwrap();
    let mut filled = step.filled(&materials);
    let field = filled.iter_mut().find(|(one, _)| one == label);
    value.clone_into(&mut field.unwrap().1);
    filled
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_choice_in_a_form_is_made_as_it_stands_and_its_check_names_the_cause() {
    let home = Home::new();
    let run = lab(&home, 0, ZoneObjects::AsLeft).await;
    let book = Book::embedded().unwrap();
    let chapter = book.number(1).unwrap();
    let judge = async |id: &str| -> Status {
        let around = run.backend.look_around(None, None).await.unwrap();
        let results = Box::pin(probing::probe(chapter, &around)).await;
        let check = chapter.checks.iter().find(|check| check.id == id).unwrap();
        chapter.status(check, &Projection::default(), &results)
    };
    let failed = |status: Status, cause: &str, fix: &str| match status {
        Status::Failed { because, fix: said } => {
            assert!(because.contains(cause), "{because}");
            assert!(said.contains(fix), "{said}");
        }
        other => panic!("{other:?}"),
    };
    let take = async |step: Step, label: &str, value: &str| {
        let filled = changed(&run, step, label, value).await;
        run.backend.take_step_with(step, &filled).await
    };
    for step in Step::CHAPTER_1 {
        match step {
            Step::Application => take(*step, "consent", "implicit").await,
            Step::Supabase => take(*step, "name", "Tickets").await,
            Step::Dependencies => take(*step, "Linear API", "no").await,
            Step::Credential => take(*step, "type", "client id alone").await,
            _ => run.backend.take_step(*step).await,
        }
        .unwrap();
    }
    failed(judge("application").await, "implicit consent", "required");
    failed(judge("env-credential").await, "public", "id and a secret");
    let mended = run.backend.take_step(Step::Application).await.unwrap();
    assert_eq!(mended.change, Change::Changed);
    failed(judge("application").await, "left out", "all four");
    let mended = run.backend.take_step(Step::Dependencies).await.unwrap();
    assert_eq!(mended.change, Change::Made);
    let mended = run.backend.take_step(Step::Credential).await.unwrap();
    assert!(mended.credential.unwrap().1.is_some());
    for check in &chapter.checks {
        let status = judge(&check.id).await;
        assert!(matches!(status, Status::Passed { .. }), "{status:?}");
    }
    // Taken out again, a dependency is gone; an identifier of another resource's is refused.
    let gone = take(Step::Dependencies, "Anthropic API", "no")
        .await
        .unwrap();
    assert_eq!(gone.change, Change::Changed);
    failed(judge("application").await, "left out", "all four");
    let supabase = run.backend.materials().await.unwrap().supabase;
    let taken = take(Step::Linear, "identifier", &supabase).await;
    let why = taken.unwrap_err().why;
    assert!(
        why.starts_with("Another resource has this identifier"),
        "{why}"
    );
    // Begun again, it is all gone, and is made as it should be.
    let first = Chapter::FIRST;
    run.backend.travel(first, Kept::AsAtTheEnd).await.unwrap();
    for step in Step::CHAPTER_1 {
        run.backend.take_step(*step).await.unwrap();
    }
    for check in &chapter.checks {
        let status = judge(&check.id).await;
        assert!(matches!(status, Status::Passed { .. }), "{status:?}");
    }
    run.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_for_a_resource_without_the_vault_says_which_step_to_take_again() {
    let home = Home::new();
    let run = lab(&home, 0, ZoneObjects::AsLeft).await;
    let filled = changed(&run, Step::Supabase, "provider", "Zone Provider").await;
    let wrong = run.backend.take_step_with(Step::Supabase, &filled).await;
    assert_eq!(wrong.unwrap().change, Change::Made);
    let refused = run.backend.take_step(Step::SupabaseKey).await.unwrap_err();
    assert!(
        refused.why.contains("is not the Keycard Vault"),
        "{refused}"
    );
    assert!(refused.next.contains(Step::Supabase.title()), "{refused}");
    run.backend.take_step(Step::Supabase).await.unwrap();
    let stored = run.backend.take_step(Step::SupabaseKey).await.unwrap();
    assert_eq!(stored.change, Change::Made);
    run.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_of_ones_own_is_refused_with_its_fault_or_decides_as_it_is_written() {
    let home = Home::new();
    let mut run = lab(&home, 0, ZoneObjects::AsLeft).await;
    run.backend.go_to(Chapter::new(6).unwrap()).await.unwrap();
    run.sign_in().await;
    let take = async |run: &Run, step: Step, label: &str, value: &str| {
        let filled = changed(run, step, label, value).await;
        run.backend.take_step_with(step, &filled).await
    };
    let broken = take(
        &run,
        Step::Policy,
        "text",
        "forbid (\n    principal,\n    )",
    )
    .await;
    let why = broken.unwrap_err().why;
    assert!(why.contains("line 3"), "{why}");
    let taken = take(&run, Step::PolicySet, "name", "default-zone-policies").await;
    let why = taken.unwrap_err().why;
    assert!(why.starts_with("Another policy set has this name"), "{why}");

    // A set without the defaults permits nothing.
    run.backend.take_step(Step::Policy).await.unwrap();
    run.backend.take_step(Step::PolicySet).await.unwrap();
    let materials = run.backend.materials().await.unwrap();
    let mut bare = Step::Publish.filled(&materials);
    for (label, value) in &mut bare {
        if label.starts_with("default-") {
            "no".clone_into(value);
        }
    }
    run.backend
        .take_step_with(Step::Publish, &bare)
        .await
        .unwrap();
    run.backend.take_step(Step::Activate).await.unwrap();
    assert_eq!(run.backend.stage().await, Some(Chapter::new(7).unwrap()));
    let refused = run.call("get_support_tickets", json!({})).await;
    assert_eq!(refused.outcome, CallOutcome::Failed, "nothing is permitted");

    // Mended, and a permit in the place of the forbid: everything is allowed.
    let permit = "permit (principal, action, resource);";
    let changed = take(&run, Step::Policy, "text", permit).await.unwrap();
    assert_eq!(changed.change, Change::Changed);
    run.backend.take_step(Step::Publish).await.unwrap();
    run.backend.take_step(Step::Activate).await.unwrap();
    let listed = run.call("get_support_tickets", json!({})).await;
    assert_eq!(listed.outcome, CallOutcome::Succeeded);
    let active = |run: &Run| {
        let overview = run.projection.policies().overview().unwrap();
        let mut all = overview.active_policies.iter();
        let own = all.find(|policy| policy.name == "limit-linear-scopes");
        own.unwrap().latest_version.cedar_raw.clone()
    };
    assert_eq!(active(&run), permit);

    // Put right by the lab, it forbids, whatever somebody made of it.
    let limit = Chapter::new(7).unwrap();
    run.backend.travel(limit, Kept::Earlier).await.unwrap();
    run.until("the forbid is read", |seen| {
        seen.policies().forbids("limit-linear-scopes") == Some(true)
    })
    .await;
    let listed = run.call("get_support_tickets", json!({})).await;
    assert_eq!(listed.outcome, CallOutcome::Succeeded, "still signed in");
    run.close().await;
}
