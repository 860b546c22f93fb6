//! What happens to issues, and how they are found.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::{API_KEY, BASE, CREATE, LABELS, Lab, TEAM, TRACE, TRASH};

#[tokio::test]
async fn the_workshops_requests_get_the_answers_that_it_reads() {
    let lab = Lab::new().await;
    let ada = lab.bearer("read,write,issues:create").await;

    let found = lab
        .ok(
            &ada,
            LABELS,
            json!({ "names": ["payments", "api", "nothing"] }),
        )
        .await;
    let labels: Vec<_> = found["issueLabels"]["nodes"].as_array().unwrap().clone();
    assert_eq!(labels.len(), 2);

    let input = json!({
        "teamId": TEAM, "title": "[case] Card charged twice", "description": "text",
        "priority": 1, "labelIds": labels.iter().map(|l| l["id"].clone()).collect::<Vec<_>>(),
    });
    let made = lab.ok(&ada, CREATE, json!({ "input": input })).await;
    assert_eq!(made["issueCreate"]["success"], true);
    let issue = &made["issueCreate"]["issue"];
    assert_eq!(issue["identifier"], "ENG-1");
    assert_eq!(
        issue["url"],
        format!("{BASE}/hoptrail-lab/issue/ENG-1/case-card-charged-twice")
    );

    let seen = lab.linear.issue(issue["id"].as_str().unwrap()).unwrap();
    assert_eq!(seen.author, "Ada Lindqvist");
    assert_eq!(seen.labels, ["payments", "api"]);
    assert_eq!(seen.priority, 1);
    assert_eq!(seen.trace_parent.unwrap().to_string(), TRACE);

    let gone = lab.ok(&ada, TRASH, json!({ "id": issue["id"] })).await;
    assert_eq!(gone["issueDelete"]["success"], true);
    assert!(lab.linear.issue("ENG-1").unwrap().trashed);
}

#[tokio::test]
async fn the_bare_workshop_key_acts_as_the_admin_with_every_scope() {
    let lab = Lab::new().await;
    lab.create(API_KEY, "one").await;
    assert_eq!(lab.linear.issue("ENG-1").unwrap().author, "Workshop Admin");
    let data = lab
        .ok(
            API_KEY,
            "mutation { issueDelete(id: \"ENG-1\", permanentlyDelete: true) { success entity { id } } }",
            Value::Null,
        )
        .await;
    assert_eq!(
        data["issueDelete"],
        json!({ "success": true, "entity": null })
    );
    assert!(lab.linear.issue("ENG-1").is_none());
    // The number is not used again.
    let next = lab.create(API_KEY, "two").await;
    assert_eq!(next["identifier"], "ENG-2");
}

/// A token that is not behind `Bearer` is read as a personal API key, and it is none.
#[tokio::test]
async fn a_token_of_oauth_without_its_scheme_opens_nothing() {
    let lab = Lab::new().await;
    let ada = lab.bearer("read").await;
    let bare = ada.strip_prefix("Bearer ").unwrap();
    let query = json!({ "query": "{ viewer { id } }" }).to_string();
    let (status, _) = lab.post(&ada, query.clone()).await;
    assert_eq!(status, 200);
    let (status, said) = lab.post(bare, query).await;
    assert_eq!(status, 401, "{said}");
}

#[tokio::test]
async fn a_trashed_issue_leaves_the_lists_and_can_be_restored() {
    let lab = Lab::new().await;
    let ada = lab.bearer("write").await;
    let first = lab.create(&ada, "one").await;
    lab.create(&ada, "two").await;
    lab.ok(&ada, TRASH, json!({ "id": "eng-1" })).await;

    let listed = "{ issues { nodes { identifier trashed } } }";
    let data = lab.ok(&ada, listed, Value::Null).await;
    assert_eq!(
        data["issues"]["nodes"],
        json!([{ "identifier": "ENG-2", "trashed": false }])
    );
    let all = "{ issues(includeArchived: true) { nodes { identifier trashed } } }";
    let data = lab.ok(&ada, all, Value::Null).await;
    assert_eq!(data["issues"]["nodes"][1]["trashed"], true);
    let one = "query($id: String!) { issue(id: $id) { identifier trashed archivedAt } }";
    let data = lab.ok(&ada, one, json!({ "id": first["id"] })).await;
    assert_eq!(data["issue"]["trashed"], true);
    assert_eq!(data["issue"]["archivedAt"], "2026-11-24T09:00:00.000Z");

    let restore = "mutation { issueUnarchive(id: \"ENG-1\") { success entity { id trashed } } }";
    let data = lab.ok(&ada, restore, Value::Null).await;
    assert_eq!(data["issueUnarchive"]["entity"]["id"], first["id"]);
    assert_eq!(data["issueUnarchive"]["entity"]["trashed"], false);
    let data = lab.ok(&ada, listed, Value::Null).await;
    assert_eq!(data["issues"]["nodes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn archiving_hides_without_trashing() {
    let lab = Lab::new().await;
    lab.create(API_KEY, "one").await;
    let archive =
        "mutation { issueArchive(id: \"ENG-1\") { success entity { trashed archivedAt } } }";
    let data = lab.ok(API_KEY, archive, Value::Null).await;
    assert_eq!(data["issueArchive"]["entity"]["trashed"], false);
    assert!(data["issueArchive"]["entity"]["archivedAt"].is_string());
    let data = lab
        .ok(API_KEY, "{ issues { nodes { id } } }", Value::Null)
        .await;
    assert_eq!(data["issues"]["nodes"], json!([]));
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let lab = Lab::new().await;
    lab.create(API_KEY, "old").await;
    let workspace = lab.linear.workspace();
    let (label, done) = (&workspace.labels[2].id, &workspace.states[3].id);
    let noor = &workspace.members[1].id;
    let update =
        "mutation U($input: IssueUpdateInput!) { issueUpdate(id: \"ENG-1\", input: $input) {
        success lastSyncId issue { title description priority priorityLabel
        state { name type } assignee { name } labels { nodes { name } } } } }";
    let input = json!({
        "title": "new", "addedLabelIds": [label], "stateId": done, "assigneeId": noor
    });
    let data = lab.ok(API_KEY, update, json!({ "input": input })).await;
    assert_eq!(
        data["issueUpdate"],
        json!({
            "success": true, "lastSyncId": 2,
            "issue": {
                "title": "new", "description": "body", "priority": 1, "priorityLabel": "Urgent",
                "state": { "name": "Done", "type": "completed" },
                "assignee": { "name": "Noor Haddad" },
                "labels": { "nodes": [{ "name": "data-export" }] },
            }
        })
    );
    let input = json!({ "description": null, "assigneeId": null, "removedLabelIds": [label] });
    let data = lab.ok(API_KEY, update, json!({ "input": input })).await;
    let issue = &data["issueUpdate"]["issue"];
    assert_eq!(issue["description"], Value::Null);
    assert_eq!(issue["assignee"], Value::Null);
    assert_eq!(issue["labels"]["nodes"], json!([]));
    assert_eq!(issue["title"], "new");
}

#[rstest]
#[case(json!({ "teamId": "nope", "title": "x" }), "Entity not found: Team")]
#[case(json!({ "teamId": TEAM }), "an issue needs a title")]
#[case(json!({ "teamId": TEAM, "title": "  " }), "an issue needs a title")]
#[case(json!({ "teamId": TEAM, "title": "x", "priority": 5 }), "a priority is 0 to 4")]
#[case(json!({ "teamId": TEAM, "title": "x", "labelIds": ["nope"] }), "Entity not found: IssueLabel")]
#[case(json!({ "teamId": TEAM, "title": "x", "assigneeId": "nope" }), "Entity not found: User")]
#[case(json!({ "teamId": TEAM, "title": "x", "stateId": "nope" }), "Entity not found: WorkflowState")]
#[case(json!({ "teamId": TEAM, "title": "x", "id": "nope" }), "an id is a UUID")]
#[tokio::test]
async fn bad_input_makes_no_issue(#[case] input: Value, #[case] message: &str) {
    let lab = Lab::new().await;
    let (status, body) = lab.ask(API_KEY, CREATE, json!({ "input": input })).await;
    assert_eq!(status, 400, "{body}");
    let error = &body["errors"][0];
    assert_eq!(error["message"], message);
    assert_eq!(error["path"], json!(["issueCreate"]));
    assert_eq!(error["extensions"]["type"], "invalid input");
    assert_eq!(error["extensions"]["code"], "INPUT_ERROR");
    assert!(lab.linear.issues().is_empty());
}

#[tokio::test]
async fn deleting_what_is_not_there_says_so() {
    let lab = Lab::new().await;
    let (status, body) = lab
        .ask(API_KEY, TRASH, json!({ "id": "no such thing" }))
        .await;
    assert_eq!(status, 400);
    assert_eq!(body["errors"][0]["message"], "Entity not found: Issue");
    assert_eq!(body["data"], Value::Null);
}

#[tokio::test]
async fn comments_stand_below_their_issue() {
    let lab = Lab::new().await;
    let ada = lab.bearer("comments:create").await;
    lab.create(API_KEY, "one").await;
    let write = "mutation { commentCreate(input: {issueId: \"ENG-1\", body: \"hello\"}) {
        success comment { body user { name } issue { identifier } } } }";
    let data = lab.ok(&ada, write, Value::Null).await;
    assert_eq!(
        data["commentCreate"]["comment"],
        json!({ "body": "hello", "user": { "name": "Ada Lindqvist" },
                "issue": { "identifier": "ENG-1" } })
    );
    let read = "{ issue(id: \"ENG-1\") { comments(first: 5) { nodes { body } } } }";
    let data = lab.ok(&ada, read, Value::Null).await;
    assert_eq!(data["issue"]["comments"]["nodes"][0]["body"], "hello");
}

#[rstest]
#[case("{number: {eq: 2}}", &["ENG-2"])]
#[case("{number: {gte: 2}}", &["ENG-3", "ENG-2"])]
#[case("{id: {in: [\"ENG-1\", \"ENG-3\"]}}", &["ENG-3", "ENG-1"])]
#[case("{title: {containsIgnoreCase: \"ALPHA\"}}", &["ENG-1"])]
#[case("{title: {startsWith: \"beta\"}}", &["ENG-2"])]
#[case("{or: [{title: {eq: \"alpha\"}}, {title: {eq: \"gamma\"}}]}", &["ENG-3", "ENG-1"])]
#[case("{and: [{priority: {eq: 1}}, {number: {lt: 2}}]}", &["ENG-1"])]
#[case("{creator: {name: {eq: \"Ada Lindqvist\"}}}", &["ENG-3"])]
#[case("{assignee: {null: true}, team: {key: {eq: \"ENG\"}}, number: {neq: 1}}", &["ENG-3", "ENG-2"])]
#[case("{assignee: {null: false}}", &[])]
#[case("{labels: {name: {eq: \"api\"}}}", &[])]
#[case("{labels: {every: {name: {eq: \"api\"}}}}", &["ENG-3", "ENG-2", "ENG-1"])]
#[case("{createdAt: {gt: \"2026-11-24T09:00:00Z\"}}", &[])]
#[case("{state: {type: {in: [\"backlog\"]}}, createdAt: {lte: \"2026-11-24T09:00:00Z\"}, number: {nin: [1, 3]}}", &["ENG-2"])]
#[tokio::test]
async fn lists_can_be_filtered(#[case] filter: &str, #[case] expected: &[&str]) {
    let lab = Lab::new().await;
    lab.create(API_KEY, "alpha").await;
    lab.create(API_KEY, "beta").await;
    lab.create(&lab.bearer("issues:create").await, "gamma")
        .await;
    let query = format!("{{ issues(filter: {filter}) {{ nodes {{ identifier }} }} }}");
    let data = lab.ok(API_KEY, &query, Value::Null).await;
    let found: Vec<_> = data["issues"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["identifier"].as_str().unwrap())
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn pages_follow_one_another_without_loss() {
    let lab = Lab::new().await;
    for n in 0..7 {
        lab.create(API_KEY, &format!("issue {n}")).await;
    }
    let query = "query($after: String) { issues(first: 3, after: $after) {
        edges { cursor node { id number } }
        pageInfo { startCursor endCursor hasPreviousPage hasNextPage } } }";
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let data = lab.ok(API_KEY, query, json!({ "after": after })).await;
        let edges = data["issues"]["edges"].as_array().unwrap().clone();
        seen.extend(edges.iter().map(|e| e["node"]["number"].as_u64().unwrap()));
        let info = &data["issues"]["pageInfo"];
        assert_eq!(info["endCursor"], edges.last().unwrap()["cursor"]);
        assert_eq!(info["hasPreviousPage"], !after.is_null());
        if info["hasNextPage"] == false {
            break;
        }
        after = info["endCursor"].clone();
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    let last = "{ issues(last: 2) { nodes { number } pageInfo { hasPreviousPage hasNextPage } } }";
    let data = lab.ok(API_KEY, last, Value::Null).await;
    assert_eq!(
        data["issues"],
        json!({ "nodes": [{ "number": 2 }, { "number": 1 }],
                "pageInfo": { "hasPreviousPage": true, "hasNextPage": false } })
    );
}

#[rstest]
#[case("{ issues(first: 0) { nodes { id } } }")]
#[case("{ issues(first: 251) { nodes { id } } }")]
#[case("{ issues(first: 1, last: 1) { nodes { id } } }")]
#[case("{ issues(after: \"nowhere\") { nodes { id } } }")]
#[tokio::test]
async fn a_page_that_cannot_be_is_refused(#[case] query: &str) {
    let lab = Lab::new().await;
    let (status, body) = lab.ask(API_KEY, query, Value::Null).await;
    assert_eq!(status, 400, "{body}");
    assert_eq!(body["errors"][0]["extensions"]["type"], "invalid input");
}

#[tokio::test]
async fn the_workspace_can_be_read() {
    let lab = Lab::new().await;
    let ada = lab.bearer("read").await;
    let data = lab
        .ok(
            &ada,
            "{ viewer { name email isMe admin } users { nodes { name } }
               teams { nodes { id key states { nodes { name } } labels(first: 1) { nodes { name } } } }
               team(id: \"ENG\") { id } organization { name urlKey }
               workflowStates(filter: {type: {eq: \"started\"}}) { nodes { name team { key } } }
               issueLabels { nodes { name } } }",
            Value::Null,
        )
        .await;
    assert_eq!(data["viewer"]["email"], "ada@lab.example");
    assert_eq!(data["viewer"]["isMe"], true);
    assert_eq!(data["viewer"]["admin"], false);
    assert_eq!(data["users"]["nodes"].as_array().unwrap().len(), 4);
    assert_eq!(data["teams"]["nodes"][0]["id"], TEAM);
    assert_eq!(
        data["teams"]["nodes"][0]["labels"]["nodes"][0]["name"],
        "payments"
    );
    assert_eq!(data["organization"]["urlKey"], "hoptrail-lab");
    assert_eq!(data["workflowStates"]["nodes"][0]["name"], "In Progress");
    let labels: Vec<_> = data["issueLabels"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        labels,
        [
            "payments",
            "webhooks",
            "data-export",
            "auth",
            "frontend",
            "api",
            "infrastructure",
            "notifications"
        ]
    );
}
