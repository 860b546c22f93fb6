use super::*;

fn url(text: &str) -> String {
    Masker::default().url(&Url::parse(text).unwrap())
}

#[test]
fn a_url_keeps_what_is_harmless_and_masks_the_rest() {
    let masked =
        url("http://user:pass@127.0.0.1:1/cb?code=abc123&state=xyz&iss=http%3A%2F%2Fz&api_key=k#f");
    assert!(
        masked.starts_with("http://127.0.0.1:1/cb?code=‹"),
        "{masked}"
    );
    assert!(masked.contains("&iss=http%3A%2F%2Fz&"), "{masked}");
    for secret in ["abc123", "xyz", "=k", "pass"] {
        assert!(!masked.contains(secret), "{masked}");
    }
}

#[test]
fn what_was_masked_once_is_hidden_everywhere_after() {
    let masker = Masker::default();
    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        "Bearer opaque-token-value".parse().unwrap(),
    );
    let shown = masker.headers(&headers);
    assert!(shown[0].1.starts_with("Bearer ‹"), "{shown:?}");
    let echoed = masker.json(r#"{"echo":"you sent opaque-token-value"}"#, Leg::Mcp);
    assert!(!echoed.contains("opaque-token-value"), "{echoed}");
}

#[test]
fn a_secret_within_another_leaves_nothing_of_the_longer_one() {
    let masker = Masker::default();
    for secret in ["the-short-secret", "before-the-short-secret-behind"] {
        masker.remember(secret);
        let shown = masker.text("x before-the-short-secret-behind y");
        assert!(!shown.contains("the-short-secret"), "{shown}");
    }
    let shown = masker.text("x before-the-short-secret-behind y");
    assert!(
        !shown.contains("before") && !shown.contains("behind"),
        "{shown}"
    );
}

#[test]
fn a_value_without_a_name_is_masked_too() {
    assert!(!url("https://h/mcp?one-key-that-opens-it").contains("opens"));
    assert_eq!(url("https://h/mcp?wsdl"), "https://h/mcp?wsdl");
}

#[rstest::rstest]
#[case::emptied(r#"{"access_token":"opaque-1","access_token":""}"#)]
#[case::nulled(r#"{"access_token":"opaque-1","access_token":null}"#)]
#[case::below_one_that_is_doubled(r#"{"a":{"access_token":"opaque-1"},"a":[1]}"#)]
fn of_a_member_that_comes_twice_the_first_is_not_shown(#[case] text: &str) {
    let shown = Masker::default().json(text, Leg::Token);
    assert!(!shown.contains("opaque-1"), "{shown}");
}

#[test]
fn secret_members_are_masked_and_the_order_is_kept() {
    let shown = Masker::default().json(
        r#"{"token_type":"Bearer","access_token":"opaque-access-1","expires_in":5,"nested":{"client_secret":"hush-hush-hush"}}"#,
        Leg::Token,
    );
    assert!(
        shown.starts_with(r#"{"token_type":"Bearer","access_token":"‹"#),
        "{shown}"
    );
    assert!(
        !shown.contains("opaque-access-1") && !shown.contains("hush-hush"),
        "{shown}"
    );
}

#[test]
fn an_identifier_in_an_unknown_field_is_not_hunted_down() {
    let masker = Masker::default();
    let url = Url::parse("http://h/?workspace=hoptrail-lab-workspace&csrf_x=abcdefghijklmnop");
    assert!(!masker.url(&url.unwrap()).contains("hoptrail-lab-workspace"));
    let text = "hoptrail-lab-workspace abcdefghijklmnop";
    let shown = masker.text(text);
    assert!(shown.starts_with("hoptrail-lab-workspace ‹"), "{shown}");
}

#[test]
fn half_a_token_answer_hides_the_token_too() {
    let shown = Masker::default().json(r#"{"access_token":"opaque-acc"#, Leg::Token);
    assert!(!shown.contains("opaque-acc"), "{shown}");
}

#[test]
fn a_tool_argument_called_code_is_left_alone() {
    let text = r#"{"code":"print(1)","state":"open"}"#;
    assert_eq!(Masker::default().json(text, Leg::Mcp), text);
    assert_ne!(Masker::default().json(text, Leg::Token), text);
}

#[test]
fn the_kind_of_an_error_stays_readable_where_an_answer_is_quoted() {
    let masker = Masker::default();
    let quoted = r#"Linear refused: {"errors":[{"message":"no","extensions":{"code":"FORBIDDEN","type":"forbidden"}}]}"#;
    let listed = r#"Supabase: {"code":"PGRST116","details":null}; {"state":"In Progress"}"#;
    for text in [quoted, listed] {
        assert_eq!(masker.json(text, Leg::Mcp), text);
        assert_eq!(masker.json(text, Leg::Console), text);
    }
    // A word is not hunted down after it was seen where a code would stand.
    let _ = masker.json("{\"code\":\"AUTHENTICATION_ERROR\"", Leg::Mcp);
    assert_eq!(masker.text("AUTHENTICATION_ERROR"), "AUTHENTICATION_ERROR");
}

#[test]
fn where_a_code_is_handed_out_no_shape_saves_it() {
    for leg in [
        Leg::Authorization,
        Leg::Callback,
        Leg::Token,
        Leg::Registration,
    ] {
        for text in [r#"{"code":"FORBIDDEN"}"#, r#"so: {"code":"FORBIDDEN"}"#] {
            let shown = Masker::default().json(text, leg);
            assert!(!shown.contains("FORBIDDEN"), "{shown}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_authorization_code_is_quoted(
        code in proptest::prop_oneof![
            "[A-Za-z0-9_-]{22,64}",
            "[A-Za-z0-9]{22,64}",
            "[a-z2-7]{20,52}",
            "[A-Z2-7]{20,52}",
            "[0-9a-f]{20,64}",
            "[a-z]{17,64}",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        ],
        name in "code|state",
        end in "\"\\}|\"|",
    ) {
        let text = format!("the server said {{\"error\":1,\"{name}\": \"{code}{end}");
        for leg in [Leg::Mcp, Leg::Console, Leg::Discovery, Leg::Token] {
            let masker = Masker::default();
            let shown = masker.json(&text, leg);
            proptest::prop_assert!(!shown.contains(&code), "{shown}");
            let echoed = masker.text(&format!("and then {code}"));
            proptest::prop_assert!(!echoed.contains(&code), "{echoed}");
        }
    }
}

#[test]
fn cookies_keep_their_names_and_attributes() {
    let mut headers = HeaderMap::new();
    headers.insert(
        "set-cookie",
        "sid=abcdefghijklmnop; Path=/; HttpOnly".parse().unwrap(),
    );
    headers.insert("cookie", "sid=abcdefghijklmnop; a=b".parse().unwrap());
    let shown = format!("{:?}", Masker::default().headers(&headers));
    assert!(
        shown.contains("; Path=/; HttpOnly") && !shown.contains("abcdefgh"),
        "{shown}"
    );
}

proptest::proptest! {
    #[test]
    fn no_secret_survives_anywhere(
        secret in "[A-Za-z0-9._~+/-]{12,60}",
        before in "[a-z ]{0,8}",
    ) {
        let masker = Masker::default();
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let url = Url::parse(&format!("https://h/cb?state=1&code={encoded}")).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {secret}").parse().unwrap());
        headers.insert("set-cookie", format!("s={secret}").parse().unwrap());
        headers.insert("location", url.as_str().parse().unwrap());
        let json = serde_json::json!({"a": [{"refresh_token": secret}], "b": "c"}).to_string();
        let half = &json[..json.len() - 8];
        let form = format!("grant_type=x&code_verifier={encoded}");
        let body = |kind: &str, text: &str| masker.body(kind, text.as_bytes(), Leg::Token).unwrap().text;
        let shown = [
            masker.url(&url),
            format!("{:?}", masker.headers(&headers)),
            body("application/json", &json),
            body("application/json", half),
            body("application/x-www-form-urlencoded", &form),
            masker.text(&format!("{before}{secret} in plain words")),
        ];
        for text in shown {
            proptest::prop_assert!(!text.contains(&secret) && !text.contains(&encoded), "{text}");
        }
    }
}

#[test]
fn a_long_body_is_cut_and_says_so() {
    let body = Masker::default()
        .body("text/plain", "é".repeat(BODY_LIMIT).as_bytes(), Leg::Mcp)
        .unwrap();
    assert!(body.cut && body.text.len() <= BODY_LIMIT);
    assert_eq!(body.bytes, 2 * BODY_LIMIT as u64);
}
