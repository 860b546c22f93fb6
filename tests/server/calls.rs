//! What goes out for a call, with whose credential, and what comes back.

use serde_json::{Value, json};

use crate::{
    credential,
    server_bench::{Bench, ID, server_stub::Stub, ticket},
};

fn body(stub: &Stub, number: usize) -> Value {
    serde_json::from_str(&stub.seen.lock().unwrap()[number].body).unwrap()
}

#[tokio::test]
async fn an_escalation_costs_four_exchanges_and_files_a_masked_issue() {
    let bench = Bench::start().await;
    let result = bench.escalate().await;
    let expected = json!({
        "ticketId": ID, "issueId": "issue-1", "identifier": "ENG-1",
        "url": "https://linear.example/ENG-1",
        "maskedText": "[NAME_1] here, my card was charged twice.",
        "detectedEntities": [{"type": "NAME", "placeholder": "[NAME_1]"}],
    });
    assert_eq!(result["structuredContent"], expected);
    assert_eq!(result["isError"], false);
    let told = result["content"][0]["text"].as_str().unwrap();
    assert_eq!(told, serde_json::to_string_pretty(&expected).unwrap());

    let scope = |text: &str| Some(text.to_owned());
    assert_eq!(
        bench.exchanges(),
        [
            (bench.supabase.url.clone(), None),
            (bench.anthropic.url.clone(), None),
            (bench.linear.url.clone(), scope("read")),
            (bench.linear.url.clone(), scope("issues:create")),
        ]
    );
    assert_eq!(
        bench.supabase.lines(),
        [format!("GET /rest/v1/tickets?select=*&id=eq.{ID}")]
    );
    assert_eq!(bench.anthropic.lines(), ["POST /v1/messages"]);
    assert_eq!(
        body(&bench.linear, 0)["variables"],
        json!({"names": ["payments", "api"]})
    );
    assert_eq!(
        body(&bench.linear, 1)["variables"],
        json!({"input": {
            "teamId": "team-1",
            "title": "[case] Retry charges the card twice",
            "description": format!("[NAME_1] here, my card was charged twice.\n\n---\n\n\
                **Plan:** enterprise · **Severity:** critical\n\n**Support ticket:** {ID}\n\n---\n\n\
                Submitted by Keycard app `app-1` via Support Escalation MCP"),
            "priority": 1,
            "labelIds": ["label-1", "label-2"],
        }})
    );
}

#[tokio::test]
async fn the_exchange_is_the_form_that_keycard_knows() {
    let bench = Bench::start().await;
    bench
        .call("delete_issue", json!({"issueId": "issue-1"}))
        .await;
    let seen = bench.zone.seen.lock().unwrap();
    let request = seen.last().unwrap();
    assert_eq!(
        request.headers["authorization"],
        "Basic YXBwLTE6czNjcjN0Lys="
    );
    assert_eq!(
        request.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    let form: Vec<(String, String)> = url::form_urlencoded::parse(request.body.as_bytes())
        .into_owned()
        .collect();
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(
        form,
        [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange"
            ),
            ("subject_token", bench.token.as_str()),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:access_token"
            ),
            ("resource", bench.linear.url.as_str()),
            ("scope", "write"),
        ]
    );
}

#[tokio::test]
async fn each_service_gets_its_own_credential_and_no_other() {
    let bench = Bench::start().await;
    bench.escalate().await;
    let header = |stub: &Stub, number: usize, name: &str| {
        stub.seen.lock().unwrap()[number].headers.get(name).cloned()
    };
    let supabase = credential(&bench.supabase, "");
    assert_eq!(header(&bench.supabase, 0, "apikey"), Some(supabase.clone()));
    assert_eq!(
        header(&bench.supabase, 0, "authorization"),
        Some(format!("Bearer {supabase}"))
    );
    assert_eq!(
        header(&bench.supabase, 0, "accept-profile").as_deref(),
        Some("public")
    );
    let anthropic = credential(&bench.anthropic, "");
    assert_eq!(header(&bench.anthropic, 0, "x-api-key"), Some(anthropic));
    assert_eq!(header(&bench.anthropic, 0, "authorization"), None);
    assert_eq!(
        header(&bench.anthropic, 0, "anthropic-version").as_deref(),
        Some("2023-06-01")
    );
    for (number, scope) in [(0, "read"), (1, "issues:create")] {
        let issued = credential(&bench.linear, scope);
        assert_eq!(
            header(&bench.linear, number, "authorization"),
            Some(format!("Bearer {issued}"))
        );
    }
}

#[tokio::test]
async fn the_model_is_asked_for_structured_output() {
    let bench = Bench::start().await;
    bench.escalate().await;
    let body = body(&bench.anthropic, 0);
    assert_eq!(body["model"], "claude-haiku-4-5");
    assert_eq!(body["max_tokens"], 64_000);
    assert_eq!(
        body["messages"],
        json!([{"role": "user", "content": [{"type": "text",
            "text": "Subject: Card charged twice\n\nMarisol Vexley here, my card was charged twice."}]}])
    );
    let format = &body["output_config"]["format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["schema"]["additionalProperties"], false);
    assert_eq!(
        format["schema"]["required"],
        json!(["title", "maskedText", "detectedEntities", "labels"])
    );
    for absent in ["stream", "tools"] {
        assert!(body.get(absent).is_none());
    }
}

#[tokio::test]
async fn nothing_is_cached_between_calls() {
    let bench = Bench::start().await;
    bench.call("get_support_tickets", json!({})).await;
    bench.call("get_support_tickets", json!({})).await;
    assert_eq!(bench.exchanges().len(), 2);
    assert_eq!(
        bench.supabase.lines(),
        vec!["GET /rest/v1/tickets?select=*&order=created_at.asc"; 2]
    );
}

#[tokio::test]
async fn tickets_come_with_their_ten_columns() {
    let bench = Bench::start().await;
    let mut expected = ticket();
    expected
        .as_object_mut()
        .unwrap()
        .shift_remove("unknown_column");
    for arguments in [json!({}), json!({"ticketId": ID})] {
        let result = bench.call("get_support_tickets", arguments).await;
        assert_eq!(result["structuredContent"], json!({"tickets": [expected]}));
    }
}
