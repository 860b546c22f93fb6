//! The probes: that a server which looks at the wrong things is found out, that keys are found by
//! their kind, that somebody is told where they are, and that nothing secret comes back.

#[expect(dead_code, reason = "shared; this file needs a part of it")]
mod program;
#[expect(dead_code, reason = "shared; this file needs a part of it")]
mod running;

use std::{collections::BTreeMap, fs, net::Ipv4Addr, path::Path};

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hoptrail::{
    app::learn::console::form::Filled,
    chapters::{
        Book, Orientation, Probe, ProbeResults, Reading, Status,
        expect::Service,
        orientation,
        probe::{HttpAnswer, HttpProbe, ScopeAnswer, TrialEnd},
    },
    lab::{Chapter, ZoneObjects},
    projection::Projection,
    runtime::{
        LabStart, Options, TargetChoice,
        backend::Kept,
        console_steps::{Change, Step},
        probing::{self, Surroundings, env::EnvAt, folder},
    },
    support::{clock::SystemClock, ids::Ids},
    trace::event::CallOutcome,
};
use program::Home;
use rstest::rstest;
use running::{Run, options};
use serde_json::{Value, json};

const KNOCKS: [HttpProbe; 5] = [
    HttpProbe::NoToken,
    HttpProbe::ForgedToken,
    HttpProbe::ExpiredToken,
    HttpProbe::ForeignIssuer,
    HttpProbe::WrongAudience,
];

/// A lab at the end of a chapter, with what chapter 1 and 7 make or without it.
async fn lab(home: &Home, stage: u8, objects: ZoneObjects) -> Run {
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

/// Surroundings of a server that is nobody's lab.
fn around(server: &str, env: EnvAt) -> Surroundings {
    let server = url::Url::parse(server).unwrap();
    Surroundings {
        http: probing::quiet(&server, Ids::system()).unwrap(),
        server,
        env,
        folder: None,
        lab: None,
        console: None,
        person: None,
        since: None,
        clock: SystemClock::shared(),
        ids: Ids::system(),
    }
}

/// What a server of the test's own looks at in a token.
#[derive(Clone, Copy, Debug)]
enum Looks {
    /// Nothing: anyone may come in.
    Nowhere,
    /// At its lifetime only; never at the signature.
    AtTheClock,
    /// At the signature, with the keys of whatever zone the token names.
    ToTheNamedZone,
}

async fn serve(looks: Looks) -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let router = Router::new().route(
        "/mcp",
        post(async move |headers: HeaderMap| answer(looks, &headers).await),
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn answer(looks: Looks, headers: &HeaderMap) -> Response {
    let refused = || (StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer")]).into_response();
    let list = || Json(json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": []}})).into_response();
    let token = headers.get("authorization").and_then(|v| v.to_str().ok());
    let claims = token.and_then(|token| {
        let payload = token.split('.').nth(1)?;
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    });
    match (looks, claims) {
        (Looks::Nowhere, _) => list(),
        (_, None) => refused(),
        (Looks::AtTheClock, Some(claims)) => {
            if claims["exp"].as_i64() < Some(SystemClock::shared().now().timestamp()) {
                refused()
            } else {
                list()
            }
        }
        (Looks::ToTheNamedZone, Some(claims)) => {
            let zone = claims["iss"].as_str().unwrap();
            let keys = reqwest::get(format!("{zone}/openidconnect/jwks")).await;
            match keys {
                Ok(keys) => {
                    let keys: Value = keys.json().await.unwrap();
                    assert_eq!(keys["keys"][0]["kty"], "RSA");
                    list()
                }
                Err(_) => refused(),
            }
        }
    }
}

async fn knock(server: &str) -> BTreeMap<HttpProbe, Reading<HttpAnswer>> {
    let probes = KNOCKS.map(Probe::Http);
    Box::pin(probing::ask(&probes, &around(server, EnvAt::Nowhere)))
        .await
        .http
}

fn status(answers: &BTreeMap<HttpProbe, Reading<HttpAnswer>>, probe: HttpProbe) -> Option<u16> {
    match &answers[&probe] {
        Reading::Told(answer) => Some(answer.status),
        _ => None,
    }
}

#[tokio::test]
async fn a_server_that_takes_anyone_is_found_out_by_every_knock() {
    let answers = knock(&serve(Looks::Nowhere).await).await;
    for probe in KNOCKS {
        assert_eq!(status(&answers, probe), Some(200), "{probe:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_verify_signatures_takes_the_forged_token() {
    let answers = knock(&serve(Looks::AtTheClock).await).await;
    assert_eq!(status(&answers, HttpProbe::NoToken), Some(401));
    assert_eq!(status(&answers, HttpProbe::ForgedToken), Some(200));
    assert_eq!(status(&answers, HttpProbe::WrongAudience), Some(200));
}

#[tokio::test]
async fn a_server_that_believes_any_zone_takes_the_token_of_another_one() {
    let answers = knock(&serve(Looks::ToTheNamedZone).await).await;
    assert_eq!(status(&answers, HttpProbe::ForeignIssuer), Some(200));
    assert_eq!(status(&answers, HttpProbe::ForgedToken), Some(401));
    // Refused for the signature that hoptrail cannot make: that says nothing of the audience.
    let Reading::Unavailable { look_at } = &answers[&HttpProbe::WrongAudience] else {
        panic!("{answers:?}");
    };
    assert!(look_at.contains("audience"), "{look_at}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure_with_its_reason() {
    let answers = knock("http://127.0.0.1:9/mcp").await;
    let Reading::Failed { because } = &answers[&HttpProbe::NoToken] else {
        panic!("{answers:?}");
    };
    assert!(because.contains("did not answer"), "{because}");
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
    for step in Step::CHAPTER_7 {
        let taken = run.backend.take_step(*step).await.unwrap();
        assert_ne!(taken.change, Change::WasThere, "{step:?}");
    }
    for step in Step::CHAPTER_1.iter().chain(Step::CHAPTER_7) {
        let taken = run.backend.take_step(*step).await.unwrap();
        assert_eq!(taken.change, Change::WasThere, "{step:?}");
        assert!(taken.credential.is_none());
    }
    run.close().await;
}

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

fn project(home: &Home, files: &[(&str, &str)]) -> std::path::PathBuf {
    let root = home.file("support-escalation");
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

#[test]
fn keys_in_files_are_found_by_kind_and_examples_are_none() {
    let home = Home::new();
    let legacy = format!(
        "eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
        URL_SAFE_NO_PAD.encode(r#"{"iss":"supabase","role":"service_role"}"#)
    );
    let root = project(
        &home,
        &[
            ("package.json", "{}"),
            (
                "src/a.ts",
                "// one\nconst k = 'sb_secret_AbCdEf0123456789xyz';\n",
            ),
            (
                "src/b.ts",
                "// sb_secret_... or sb_secret_your_key_goes_here\n",
            ),
            (
                "notes.md",
                "lin_api_0123456789abcdefghij and sk-ant-api03-0123456789abcdef\n",
            ),
            ("old.env", legacy.as_str()),
            ("node_modules/x/index.js", "sb_secret_AbCdEf0123456789xyz"),
        ],
    );
    // Also when the whole clone was named.
    for named in [root.as_path(), home.path()] {
        let Reading::Told(found) = folder::look(named) else {
            panic!("it was not read");
        };
        let secrets: Vec<_> = found
            .secrets
            .iter()
            .map(|one| (one.file.as_str(), one.line, one.opens))
            .collect();
        assert_eq!(
            secrets,
            [
                ("notes.md", 1, Service::Linear),
                ("notes.md", 1, Service::Anthropic),
                ("old.env", 1, Service::Supabase),
                ("src/a.ts", 2, Service::Supabase),
            ]
        );
    }
}

const PACKAGE: (&str, &str) = (
    "package.json",
    r#"{"dependencies":{"@keycardai/mcp":"0.10.0"}}"#,
);
const LOCK: (&str, &str) = ("src/server.ts", "app.post('/mcp', requireBearerAuth({}))");
const VAULT: (&str, &str) = ("src/keycard.ts", "new AuthProvider({})");
const MASK: (&str, &str) = ("src/pii.ts", "generateText()");
const KEYED: (&str, &str) = ("src/linear.ts", "process.env.LINEAR_API_KEY");
const DELEGATED: (&str, &str) = ("src/linear.ts", "process.env.LINEAR_API_URL");
const ENV_0: (&str, &str) = (".env", "LINEAR_API_KEY=k\nKEYCARD_CLIENT_ID=\n");
const ENV_1: (&str, &str) = (
    ".env",
    "LINEAR_API_KEY=k\nKEYCARD_CLIENT_ID=a\nKEYCARD_CLIENT_SECRET=b\n",
);

/// facts/keycard.md, 1.1.
#[rstest]
#[case(&[("package.json", "{}"), KEYED, ENV_0], 0)]
#[case(&[("package.json", "{}"), KEYED, ENV_1], 1)]
#[case(&[PACKAGE, LOCK, KEYED, ENV_1], 2)]
#[case(&[PACKAGE, LOCK, VAULT, KEYED, ENV_1], 4)]
#[case(&[PACKAGE, LOCK, VAULT, MASK, KEYED, ENV_1], 5)]
#[case(&[PACKAGE, LOCK, VAULT, MASK, DELEGATED, ENV_1], 6)]
#[tokio::test]
async fn the_code_tells_how_far_somebody_has_come(
    #[case] files: &[(&str, &str)],
    #[case] reached: u8,
) {
    let home = Home::new();
    let root = project(&home, files);
    let found = orient(&root).await;
    assert_eq!(found.reached, reached, "{:?}", found.signs);
    assert!(!found.signs.is_empty());
}

async fn orient(root: &Path) -> Orientation {
    let around = Surroundings {
        folder: Some(root.to_owned()),
        ..around("http://127.0.0.1:9/mcp", EnvAt::of(root))
    };
    let results = Box::pin(probing::ask(&orientation::probes(), &around)).await;
    orientation::of(&results, around.person.is_some())
}

#[test]
fn the_servers_behaviour_tells_the_rest() {
    let knock = |status| {
        let answer = HttpAnswer {
            status,
            www_authenticate: None,
            outcome: None,
        };
        BTreeMap::from([(HttpProbe::NoToken, Reading::Told(answer))])
    };
    let refused = ScopeAnswer::Refused {
        policy: Some("set::limit-linear-scopes".to_owned()),
    };
    let reached = |code: u8, http, write: Option<ScopeAnswer>, signed_in| {
        let results = ProbeResults {
            http,
            folder: Reading::Told(hoptrail::chapters::probe::Folder {
                secrets: Vec::new(),
                reached: vec![(code, "a file".to_owned())],
            }),
            scopes: write
                .map(|answer| ("write".to_owned(), Reading::Told(answer)))
                .into_iter()
                .collect(),
            ..ProbeResults::default()
        };
        orientation::of(&results, signed_in).reached
    };
    assert_eq!(reached(2, knock(401), None, false), 2);
    assert_eq!(reached(2, knock(401), None, true), 3);
    assert_eq!(reached(6, knock(401), Some(ScopeAnswer::Issued), true), 6);
    assert_eq!(reached(6, knock(401), Some(refused.clone()), true), 7);
    // Somebody limited the zone before the code came so far.
    assert_eq!(reached(4, knock(401), Some(refused), true), 4);
    // The code is written, but the server that runs is an older one.
    assert_eq!(reached(2, knock(200), None, false), 1);
}

/// What stands in a folder, byte by byte.
fn contents(root: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

#[test]
fn an_attendees_own_server_is_checked_and_their_files_are_left_alone() {
    let home = Home::new();
    let root = home.file("mine");
    fs::create_dir(&root).unwrap();
    let port = free_port();
    let url = format!("http://localhost:{port}/mcp");
    let env = root.join(".env").display().to_string();
    let args = [
        "lab",
        "--without",
        "server",
        "--mcp-url",
        &url,
        "--stage",
        "7",
        "--write-env",
        &env,
    ];
    let _lab = home.serve(&args, "Ctrl-C");
    let _server = home.serve(&["serve", "--env-file", &env], "running at");
    let before = contents(&root);
    let mine = ["check", "--project", "mine", "--headless", "--json"];
    let ended = home.run(&mine).exits_with(0);
    let lines: Vec<Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["reached"], 7, "{}", ended.out);
    assert!(lines[0]["signs"].as_array().unwrap().len() > 4);
    assert_eq!(lines.len(), 6);
    for line in &lines[1..] {
        assert_eq!(line["status"], "passed", "{line}");
        assert_eq!(line["number"], 7);
    }
    let ended = home
        .run(&["check", "8", "--project", "mine", "--headless"])
        .exits_with(0);
    assert!(
        ended
            .out
            .ends_with("4 passed, 0 failed, 0 pending, 1 not observable\n"),
        "{}",
        ended.out
    );
    // An earlier chapter's end is not what this server is at.
    let ended = home
        .run(&["check", "0", "--project", "mine", "--headless"])
        .exits_with(1);
    assert!(
        ended.out.contains("LINEAR_API_KEY is not set"),
        "{}",
        ended.out
    );
    assert_eq!(contents(&root), before);
}

#[test]
fn a_server_that_is_not_there_is_told_with_what_to_do() {
    let home = Home::new();
    let ended = home
        .run(&["check", "2", "--server", "http://127.0.0.1:9/mcp"])
        .exits_with(1);
    assert!(ended.out.contains("did not answer"), "{}", ended.out);
    assert!(ended.out.starts_with("Nothing shows"), "{}", ended.out);
    // That nobody answers is the reason; nothing is guessed beside it.
    assert!(!ended.out.contains("likely"), "{}", ended.out);
    let nowhere = home.run(&["check", "--project", "nowhere"]).exits_with(2);
    assert!(
        nowhere.err.contains("nowhere is no folder"),
        "{}",
        nowhere.err
    );
    let watched = home.run(&["check", "--watch"]).exits_with(2);
    assert!(watched.err.contains("--project"), "{}", watched.err);
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
