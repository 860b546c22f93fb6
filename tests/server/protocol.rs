//! The MCP endpoint itself: its tools, the generations of the protocol, what it refuses, its port.

use hoptrail::server::serve;
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::server_bench::{
    Bench, ID,
    server_stub::{list_tools, post, text},
    tool_call,
};

#[tokio::test]
async fn an_unknown_tool_and_wrong_arguments_are_told_in_a_result() {
    let bench = Bench::start().await;
    let told = bench.failing("nope", json!({})).await;
    assert_eq!(told, "MCP error -32602: Tool nope not found");

    let told = bench
        .failing("escalate_ticket", json!({"ticketId": "7"}))
        .await;
    assert!(told.contains("ticketId is no UUID"), "{told}");
    assert_eq!(bench.exchanges(), []);
}

#[tokio::test]
async fn the_tools_are_listed_with_their_schemas() {
    let bench = Bench::start().await;
    let messages = bench.send(&list_tools()).await;
    let tools = messages[0]["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["get_support_tickets", "escalate_ticket", "delete_issue"]
    );
    assert_eq!(tools[1]["inputSchema"]["required"], json!(["ticketId"]));
    assert!(tools[0]["inputSchema"].get("required").is_none());

    let result = bench.escalate().await;
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(
        keys(&tools[1]["outputSchema"]["properties"]),
        keys(&result["structuredContent"])
    );
    let result = bench.call("get_support_tickets", json!({})).await;
    assert_eq!(
        keys(&tools[0]["outputSchema"]["properties"]["tickets"]["items"]["properties"]),
        keys(&result["structuredContent"]["tickets"][0])
    );
}

#[tokio::test]
async fn both_generations_of_the_protocol_are_served() {
    let bench = Bench::start().await;
    let messages = bench
        .send(
            &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": {"name": "t", "version": "1"},
            }}),
        )
        .await;
    let result = &messages[0]["result"];
    assert_eq!(result["protocolVersion"], "2025-11-25");
    assert_eq!(result["serverInfo"]["name"], "support-escalation");
    assert_eq!(result["serverInfo"]["version"], "0.1.0");

    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let newest = |message: &Value, name: Option<&str>| {
        let mut request = post(Some(&bench.token), message);
        let headers = request.headers_mut();
        headers.insert("mcp-protocol-version", "2026-07-28".parse().unwrap());
        headers.insert(
            "mcp-method",
            message["method"].as_str().unwrap().parse().unwrap(),
        );
        if let Some(name) = name {
            headers.insert("mcp-name", name.parse().unwrap());
        }
        bench.server.clone().oneshot(request)
    };
    let discover =
        json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}});
    let answer = text(newest(&discover, None).await.unwrap()).await;
    assert!(
        answer.contains("2026-07-28") && answer.contains("support-escalation"),
        "{answer}"
    );

    let call = tool_call("get_support_tickets", &json!({}), &meta);
    let answer = text(newest(&call, Some("get_support_tickets")).await.unwrap()).await;
    assert!(
        answer.contains(r#""resultType":"complete""#) && answer.contains(ID),
        "{answer}"
    );
}

#[rstest]
#[case::only_json("accept", "application/json", 406)]
#[case::no_json("content-type", "text/plain", 415)]
#[case::unknown_version("mcp-protocol-version", "2001-01-01", 400)]
#[case::page("origin", "https://evil.example", 403)]
#[case::page_with_a_local_name("origin", "http://localhost.evil.example:8000", 403)]
#[case::page_of_nowhere("origin", "null", 403)]
#[tokio::test]
async fn what_is_no_mcp_request_is_refused_by_http(
    #[case] header: &'static str,
    #[case] value: &str,
    #[case] status: u16,
) {
    let bench = Bench::start().await;
    let mut request = post(Some(&bench.token), &list_tools());
    request.headers_mut().insert(header, value.parse().unwrap());
    let response = bench.server.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), status);
    let body: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(body["error"]["code"], -32000, "{body}");
    let told = body["error"]["message"].as_str().unwrap();
    let names_versions = told.contains("2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05");
    assert_eq!(names_versions, header == "mcp-protocol-version", "{told}");
}

#[rstest]
#[case::cut_off(r#"{"jsonrpc": "2.0", "id": 1, "#)]
#[case::another_shape("[1]")]
#[tokio::test]
async fn a_body_that_is_no_message_is_a_parse_error(#[case] body: &'static str) {
    let bench = Bench::start().await;
    let mut request = post(Some(&bench.token), &list_tools());
    *request.body_mut() = body.into();
    let response = bench.server.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 400);
    let body: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(body["error"]["code"], -32700, "{body}");
}

#[rstest]
#[case::by_name("http://localhost:6274")]
#[case::by_address("http://127.0.0.1:8000")]
#[case::by_address_of_six("http://[::1]:3000")]
#[tokio::test]
async fn a_page_of_this_computer_may_call(#[case] origin: &'static str) {
    let bench = Bench::start().await;
    let mut request = post(Some(&bench.token), &list_tools());
    request
        .headers_mut()
        .insert("origin", origin.parse().unwrap());
    let response = bench.server.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn it_serves_on_the_port_it_is_given_until_it_is_stopped() {
    let bench = Bench::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/.well-known/oauth-protected-resource/mcp",
        listener.local_addr().unwrap()
    );
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, bench.server.clone(), async {
        stopped.await.unwrap();
    }));
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    assert!(reqwest::get(&url).await.is_err());
}
