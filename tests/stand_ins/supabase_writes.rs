//! Supabase: rows that are made, changed and removed.

use crate::{
    supabase_stand_in::{ask, first_letters, lab},
    *,
};

const NEW: &str = r#"{"customer_name":"Ana","email":"a@b.test","phone":"555-0101","plan_tier":"pro","severity":"low","subject":"s","body":"b","status":"open"}"#;

#[tokio::test]
async fn rows_are_made_changed_and_removed() {
    let lab = lab();
    let back = [("prefer", "return=representation")];
    let made = ask(
        &lab,
        Method::POST,
        "tickets?select=id,created_at",
        &back,
        NEW,
    )
    .await;
    assert_eq!(made.status, 201);
    let id = made.json()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(made.json()[0]["created_at"], "2026-11-24T09:00:00+00:00");
    let quiet = ask(
        &lab,
        Method::PATCH,
        &format!("tickets?id=eq.{id}"),
        &[],
        r#"{"status":"closed"}"#,
    )
    .await;
    assert_eq!((quiet.status.as_u16(), quiet.text.as_str()), (204, ""));
    let gone = ask(
        &lab,
        Method::DELETE,
        &format!("tickets?id=eq.{id}&select=status"),
        &back,
        "",
    )
    .await;
    assert_eq!(
        (gone.status.as_u16(), gone.json()),
        (200, json!([{"status": "closed"}]))
    );
    assert_eq!(
        first_letters(&ask(&lab, Method::GET, "tickets", &[], "").await),
        "MDPBO"
    );
}

#[rstest]
#[case("", 400, "PGRST102")]
#[case("[1]", 400, "PGRST102")]
#[case(r#"{"colour":"red"}"#, 400, "PGRST204")]
#[case(r#"{"subject":"only"}"#, 400, "23502")]
#[case(r#"{"severity":"terrible"}"#, 400, "23514")]
#[case(r#"{"id":"x"}"#, 400, "22P02")]
#[tokio::test]
async fn bad_rows_change_nothing(#[case] body: &str, #[case] status: u16, #[case] code: &str) {
    let lab = lab();
    let answer = ask(&lab, Method::POST, "tickets", &[], body).await;
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.json()["code"].as_str().unwrap()
        ),
        (status, code)
    );
    assert_eq!(
        first_letters(&ask(&lab, Method::GET, "tickets", &[], "").await),
        "MDPBO"
    );
}

#[tokio::test]
async fn a_taken_id_is_refused_or_merged() {
    let lab = lab();
    let row = NEW.replace('{', r#"{"id":"3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d","#);
    let refused = ask(&lab, Method::POST, "tickets", &[], &row).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()["code"].as_str()),
        (409, Some("23505"))
    );
    let merge = [("prefer", "resolution=merge-duplicates")];
    assert_eq!(
        ask(&lab, Method::POST, "tickets", &merge, &row)
            .await
            .status,
        201
    );
    assert_eq!(
        first_letters(&ask(&lab, Method::GET, "tickets", &[], "").await),
        "ADPBO"
    );
}

#[tokio::test]
async fn each_request_is_observed_without_its_key() {
    let lab = lab();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let path = "tickets?select=*&id=eq.3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d";
    ask(&lab, Method::GET, path, &[("traceparent", parent)], "").await;
    ask(&lab, Method::GET, "nope", &[], "").await;
    let seen = requests(&lab.feed);
    assert_eq!(seen[0].operation, "tickets?id=eq…");
    assert_eq!(seen[0].path, format!("/rest/v1/{path}"));
    assert_eq!(seen[0].status, 200);
    assert_eq!(seen[0].credential, Some(Fingerprint::of(SECRET.as_bytes())));
    assert_eq!(seen[0].trace_parent.unwrap().to_string(), parent);
    assert_eq!(seen[0].error, None);
    assert!(seen[1].error.as_ref().unwrap().contains("public.nope"));
    assert!(!format!("{seen:?}").contains(SECRET));
}

#[rstest]
#[case(Method::DELETE, "", "DELETE requires a WHERE clause")]
#[case(
    Method::PATCH,
    r#"{"status":"closed"}"#,
    "UPDATE requires a WHERE clause"
)]
#[tokio::test]
async fn nothing_changes_all_rows_at_once(
    #[case] method: Method,
    #[case] body: &str,
    #[case] message: &str,
) {
    let lab = lab();
    let answer = ask(&lab, method, "tickets", &[], body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["code"].as_str()),
        (400, Some("21000"))
    );
    assert_eq!(answer.json()["message"], message);
    let open = ask(&lab, Method::GET, "tickets?status=neq.closed", &[], "").await;
    assert_eq!(first_letters(&open), "MDPBO");
}

#[tokio::test]
async fn a_new_rows_time_has_microseconds_and_no_less() {
    let lab = lab();
    let back = [("prefer", "return=representation")];
    let row = NEW.replacen('{', r#"{"created_at":"2026-11-29T10:00:36.892532415Z","#, 1);
    let made = ask(&lab, Method::POST, "tickets", &back, &row).await;
    assert_eq!(
        made.json()[0]["created_at"],
        "2026-11-29T10:00:36.892532+00:00"
    );
}
