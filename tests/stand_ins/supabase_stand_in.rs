//! Supabase: PostgREST over five tickets.

use crate::*;

pub(super) struct Lab {
    pub(super) router: Router,
    pub(super) feed: Feed,
    pub(super) faults: Faults,
}

pub(super) fn lab() -> Lab {
    let clock: SharedClock = FakeClock::shared();
    let feed = Feed::new(clock.clone());
    let faults = Faults::new(supabase::error_body);
    let router = supabase::router(supabase::Config {
        secret_key: Secret::from(SECRET),
        publishable_key: Secret::from(PUBLISHABLE),
        feed: feed.clone(),
        faults: faults.clone(),
        clock,
        ids: Ids::seeded(1),
        tickets: sample_tickets(),
    });
    Lab {
        router,
        feed,
        faults,
    }
}

pub(super) async fn ask(
    lab: &Lab,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let bearer = format!("Bearer {SECRET}");
    let mut all = vec![("apikey", SECRET), ("authorization", bearer.as_str())];
    all.extend_from_slice(headers);
    send(
        &lab.router,
        request(method, &format!("/rest/v1/{path}"), &all, body),
    )
    .await
}

async fn get(path: &str) -> Answer {
    ask(&lab(), Method::GET, path, &[], "").await
}

pub(super) fn first_letters(answer: &Answer) -> String {
    let rows = answer.json();
    let rows = rows.as_array().unwrap_or_else(|| panic!("{}", answer.text));
    rows.iter()
        .map(|row| {
            row["customer_name"]
                .as_str()
                .unwrap()
                .chars()
                .next()
                .unwrap()
        })
        .collect()
}

#[tokio::test]
async fn the_secret_key_reads_all_five_in_order() {
    let answer = get("tickets?select=*&order=created_at.asc").await;
    assert_eq!(answer.status, 200);
    assert_eq!(first_letters(&answer), "MDPBO");
    assert_eq!(answer.header("content-range"), "0-4/*");
    let row = &answer.json()[0];
    assert_eq!(row.as_object().unwrap().len(), 10);
    assert_eq!(row["created_at"], "2026-06-02T14:23:00+00:00");
    assert_eq!(row["severity"], "critical");
}

/// Initials of the customers: M critical enterprise, D high pro, P medium free, B high
/// enterprise in_progress, O low pro.
#[rstest]
#[case("id=eq.3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d", "M")]
#[case("id=eq.3F9A2B1C-7D4E-4A8B-9C6F-1E2D3A4B5C6D", "M")]
#[case("id=eq.00000000-0000-4000-8000-000000000000", "")]
#[case("severity=neq.high", "MPO")]
#[case("severity=in.%28high%2Clow%29", "DBO")]
#[case("severity=in.(%22high%22,low)", "DBO")]
#[case("severity=not.in.(high,low)", "MP")]
#[case("status=not.eq.open", "B")]
#[case("created_at=gt.2026-06-04", "PBO")]
#[case("created_at=gte.2026-06-05T11:02:00Z", "BO")]
#[case("created_at=lt.2026-06-03T09:11:00Z", "M")]
#[case("created_at=lt.2026-06-03%2009:11:00", "M")]
#[case("created_at=lt.2026-06-03T09:11", "M")]
#[case("created_at=lt.2026-06-03%2011:11:00%2B02", "M")]
#[case("created_at=lt.2026-06-03T09:11:00%2B00", "M")]
#[case("created_at=lte.2026-06-03T09:11:00Z", "MD")]
#[case("subject=like.*SSO*", "B")]
#[case("subject=ilike.%25csv%25", "P")]
#[case("subject=like.*sso*", "")]
#[case("body=is.null", "")]
#[case("body=not.is.null", "MDPBO")]
#[case("or=(severity.eq.low,plan_tier.eq.free)", "PO")]
#[case(
    "or=(id.eq.3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d,and(severity.eq.high,status.eq.open))",
    "MD"
)]
#[case("not.or=(severity.eq.low,plan_tier.eq.free)", "MDB")]
#[case("severity=eq.high&plan_tier=eq.pro", "D")]
#[case("limit=2", "MD")]
#[case("offset=1&limit=2", "DP")]
#[case("order=severity.desc,created_at.desc", "PODB M")]
#[case("order=plan_tier.asc.nullslast,created_at.desc", "BMPOD")]
#[tokio::test]
async fn filters_order_and_limits(#[case] query: &str, #[case] expected: &str) {
    let answer = get(&format!("tickets?select=*&{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    if expected.contains(' ') {
        // medium, low, high, high, critical: by the alphabet, as in text columns.
        assert_eq!(first_letters(&answer), "POBDM");
    } else {
        assert_eq!(first_letters(&answer), expected);
    }
}

#[tokio::test]
async fn columns_can_be_chosen_and_renamed() {
    let answer = get("tickets?select=id,who:customer_name&limit=1").await;
    assert_eq!(
        answer.json(),
        json!([{"id": "3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d", "who": "Marisol Vexley"}])
    );
}

#[rstest]
#[case(
    "nope?select=*",
    404,
    "PGRST205",
    "Could not find the table 'public.nope' in the schema cache"
)]
#[case(
    "tickets?select=nope",
    400,
    "42703",
    "column tickets.nope does not exist"
)]
#[case(
    "tickets?nope=eq.1",
    400,
    "42703",
    "column tickets.nope does not exist"
)]
#[case(
    "tickets?order=nope",
    400,
    "42703",
    "column tickets.nope does not exist"
)]
#[case(
    "tickets?id=eq.abc",
    400,
    "22P02",
    "invalid input syntax for type uuid: \"abc\""
)]
#[case(
    "tickets?created_at=gt.soon",
    400,
    "22007",
    "invalid input syntax for type timestamp with time zone: \"soon\""
)]
#[case(
    "tickets?id=resembles.abc",
    400,
    "PGRST100",
    "\"failed to parse filter (resembles.abc)\" (line 1, column 1)"
)]
#[case(
    "tickets?subject=match.abc",
    400,
    "PGRST100",
    "the lab's stand-in does not know the operator match"
)]
#[case(
    "tickets?status=eq(any).{open,closed}",
    400,
    "PGRST100",
    "the lab's stand-in does not know the operator eq(any)"
)]
#[case(
    "tickets?select=created_at::date",
    400,
    "PGRST100",
    "the lab's stand-in does not know the cast to date"
)]
#[case(
    "tickets?id=abc",
    400,
    "PGRST100",
    "\"failed to parse filter (abc)\" (line 1, column 1)"
)]
#[case(
    "tickets?order=id.upwards",
    400,
    "PGRST100",
    "\"failed to parse order (id.upwards)\" (line 1, column 1)"
)]
#[case(
    "tickets?or=(severity.eq.low",
    400,
    "PGRST100",
    "\"failed to parse logic tree ((severity.eq.low)\" (line 1, column 1)"
)]
#[case("tickets?limit=-1", 416, "PGRST103", "Requested range not satisfiable")]
#[case(
    "tickets?id=like.3f*",
    404,
    "42883",
    "operator does not exist: uuid ~~ unknown"
)]
#[case(
    "tickets?select=*,author(*)",
    400,
    "PGRST200",
    "Could not find a relationship between 'tickets' and 'author' in the schema cache"
)]
#[case(
    "tickets?select=count()",
    400,
    "PGRST123",
    "Use of aggregate functions is not allowed"
)]
#[case(
    "rpc/hello",
    404,
    "PGRST202",
    "Could not find the function public.hello in the schema cache"
)]
#[tokio::test]
async fn what_cannot_be_read_is_refused_in_postgrests_words(
    #[case] path: &str,
    #[case] status: u16,
    #[case] code: &str,
    #[case] message: &str,
) {
    let answer = get(path).await;
    let body = answer.json();
    assert_eq!(
        (answer.status.as_u16(), body["code"].as_str().unwrap()),
        (status, code)
    );
    assert_eq!(body["message"], message);
    assert!(body.get("details").is_some() && body.get("hint").is_some());
}

#[tokio::test]
async fn row_level_security_shows_the_publishable_key_nothing() {
    let lab = lab();
    let headers = [("apikey", PUBLISHABLE)];
    let read = request(Method::GET, "/rest/v1/tickets?select=*", &headers, "");
    let answer = send(&lab.router, read).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "[]"));
    assert_eq!(answer.header("content-range"), "*/*");
    let write = request(Method::POST, "/rest/v1/tickets", &headers, "{}");
    let answer = send(&lab.router, write).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["code"].as_str()),
        (401, Some("42501"))
    );
    let path = "/rest/v1/tickets?status=eq.open";
    let delete = request(Method::DELETE, path, &headers, "");
    assert_eq!(send(&lab.router, delete).await.status, 204);
    assert_eq!(
        first_letters(&ask(&lab, Method::GET, "tickets", &[], "").await),
        "MDPBO"
    );
}

#[rstest]
#[case(&[], "No API key found in request")]
#[case(&[("authorization", "Bearer sb_secret_lab_0123456789")], "No API key found in request")]
#[case(&[("apikey", "sb_secret_wrong")], "Invalid API key")]
#[case(&[("apikey", PUBLISHABLE), ("authorization", "Bearer sb_secret_lab_0123456789")], "Expected 3 parts in JWT; got 1")]
#[case(&[("apikey", SECRET), ("authorization", "Bearer a.b.c")], "No suitable key or wrong key type")]
#[tokio::test]
async fn keys_are_checked(#[case] headers: &[(&str, &str)], #[case] message: &str) {
    let answer = send(
        &lab().router,
        request(Method::GET, "/rest/v1/tickets", headers, ""),
    )
    .await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["message"].as_str()),
        (401, Some(message))
    );
}

#[tokio::test]
async fn counts_ranges_single_objects_and_csv() {
    let lab = lab();
    let count = [("prefer", "count=exact")];
    let head = ask(&lab, Method::HEAD, "tickets?select=*", &count, "").await;
    assert_eq!(head.header("content-range"), "0-4/5");
    let range = [("prefer", "count=exact"), ("range", "1-2")];
    let part = ask(&lab, Method::GET, "tickets?select=*", &range, "").await;
    assert_eq!(
        (part.status.as_u16(), part.header("content-range")),
        (206, "1-2/5")
    );
    assert_eq!(first_letters(&part), "DP");
    let less = ask(&lab, Method::GET, "tickets?limit=1", &range, "").await;
    assert_eq!(first_letters(&less), "D");
    let all = [("range", "0-18446744073709551615")];
    let all = ask(&lab, Method::GET, "tickets?select=*", &all, "").await;
    assert_eq!(first_letters(&all), "MDPBO");
    let beyond = ask(&lab, Method::GET, "tickets?offset=9", &count, "").await;
    assert_eq!(beyond.status, 416);

    let object = [("accept", "application/vnd.pgrst.object+json")];
    let one = ask(&lab, Method::GET, "tickets?severity=eq.low", &object, "").await;
    assert_eq!(one.json()["customer_name"], "Ottoline Vance");
    for (query, rows) in [("tickets?severity=eq.none", 0), ("tickets", 5)] {
        let answer = ask(&lab, Method::GET, query, &object, "").await;
        assert_eq!(answer.status, 406);
        assert_eq!(
            answer.json(),
            json!({"code": "PGRST116", "details": format!("The result contains {rows} rows"), "hint": null,
                   "message": "Cannot coerce the result to a single JSON object"})
        );
    }
    let csv = ask(
        &lab,
        Method::GET,
        "tickets?select=id,subject&limit=1",
        &[("accept", "text/csv")],
        "",
    )
    .await;
    assert_eq!(
        csv.text,
        "id,subject\n3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d,Payment portal charges card twice on retry"
    );
    let html = ask(&lab, Method::GET, "tickets", &[("accept", "text/html")], "").await;
    assert_eq!(
        (html.status.as_u16(), html.json()["code"].as_str()),
        (406, Some("PGRST107"))
    );
    let schema = ask(
        &lab,
        Method::GET,
        "tickets",
        &[("accept-profile", "vault")],
        "",
    )
    .await;
    assert_eq!(
        (schema.status.as_u16(), schema.json()["code"].as_str()),
        (406, Some("PGRST106"))
    );
}
