//! An attendee's own server beside the chapters, what windows tell of it, and the marks that a live
//! run sets; at three sizes.

mod screens;

use hoptrail::{
    app::{
        App, AppConfig,
        command::{Availability, Command},
        effect::{Effect, Job},
        learn::{Ground, Keeping, LearnConfig},
        msg::{Msg, RecordingState, TaskId, TaskOutcome},
        overlay::{Overlay, What},
    },
    chapters::{
        Book, Probe, ProbeResults, Progress, Reading, Status,
        expect::Service,
        probe::{ExchangeAnswer, Folder, HttpAnswer, HttpProbe, Zone, ZoneResource},
    },
    protocol::{audit::CredentialSource, env::classify, observed::ServedBy, secret::Secret},
    trace::event::{CallOutcome, Fact},
};
use rstest::rstest;
use screens::{draw, header, look, press, shoot, story, text};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

fn opened(at: &str, ground: Ground, size: (u16, u16)) -> App {
    opened_to(at, ground, size, false)
}

fn opened_to(at: &str, ground: Ground, size: (u16, u16), follows: bool) -> App {
    App::new(AppConfig {
        size,
        started: Some(header().started),
        learn: Some(LearnConfig {
            book: Book::embedded().unwrap(),
            progress: Progress::default(),
            at: Some(at.to_owned()),
            keeping: Keeping::On,
            ground,
            follows,
        }),
        ..AppConfig::default()
    })
}

/// The first fact of a run, on a lab at the end of chapter `lab`.
fn begun(app: &mut App, lab: u8) -> Vec<Effect> {
    let mut first = story()[0].clone();
    let mut effects = app.update(Msg::Trace(first.clone()));
    first.seq = 1;
    first.fact = Fact::LabMoved { chapter: lab };
    effects.extend(app.update(Msg::Trace(first)));
    effects
}

/// What is seen of a server at the end of chapter 4.
fn vault() -> ProbeResults {
    let line = |name: &str, value: &str| classify(name, &Secret::new(value.to_owned()));
    let mut seen = ProbeResults {
        env: Reading::Told(vec![
            line("LINEAR_API_KEY", "lin_api_0123456789abcdef"),
            line("LINEAR_TEAM_ID", "030eb113-b144-44f8-864f-c0507c21e80d"),
            line("KEYCARD_CLIENT_ID", "support-escalation"),
            line("KEYCARD_CLIENT_SECRET", "not-a-real-secret"),
            line("KEYCARD_URL", "http://127.0.0.1:8100"),
            line("MCP_RESOURCE_URL", "http://127.0.0.1:8000/mcp"),
            line("SUPABASE_URL", "http://127.0.0.1:8101"),
        ]),
        folder: Reading::Told(Folder {
            secrets: Vec::new(),
            reached: vec![
                (2, "src/server.ts uses requireBearerAuth".to_owned()),
                (4, "src/keycard.ts has an AuthProvider".to_owned()),
            ],
            unread: Vec::new(),
        }),
        ..ProbeResults::default()
    };
    seen.http.insert(HttpProbe::NoToken, locked());
    seen
}

fn locked() -> Reading<HttpAnswer> {
    Reading::Told(HttpAnswer {
        status: 401,
        www_authenticate: Some(
            "Bearer resource_metadata=\"http://127.0.0.1:8000/.well-known/oauth-protected-resource/mcp\""
                .to_owned(),
        ),
        outcome: None,
    })
}

fn shown(app: &mut App, size: (u16, u16)) -> String {
    let (buffer, hits) = draw(app, &look(), size.0, size.1);
    app.settle(&hits.extents);
    text(&buffer)
}

fn snap(name: &str, app: &mut App, size: (u16, u16)) {
    let (buffer, hits) = draw(app, &look(), size.0, size.1);
    app.settle(&hits.extents);
    shoot(name, &buffer);
    insta::assert_snapshot!(format!("{name}@{}x{}", size.0, size.1), text(&buffer));
}

fn toast(app: &App) -> &str {
    app.toast().map_or("", |toast| &toast.text)
}

fn status<'a>(app: &'a App, check: &str) -> &'a Status {
    let learn = app.learn().unwrap();
    let place = learn.chapter().checks.iter().position(|c| c.id == check);
    learn.shown(place.unwrap()).unwrap().status
}

#[test]
fn who_reads_for_the_first_time_begins_where_their_server_is() {
    let mut app = opened_to("open-door", Ground::Own, (80, 24), true);
    let _ = app.update(Msg::LookedAround(Box::new(vault())));
    assert_eq!(app.learn().unwrap().chapter().id, "vault");
    // Once: later looks leave the reader where they are.
    let _ = press(&mut app, "K");
    assert_eq!(app.learn().unwrap().chapter().id, "sign-in");
    let mut away = vault();
    away.http.clear();
    let _ = app.update(Msg::LookedAround(Box::new(away)));
    let _ = app.update(Msg::LookedAround(Box::new(vault())));
    assert_eq!(app.learn().unwrap().chapter().id, "sign-in");
}

#[test]
fn nobodys_word_is_taken_before_it_was_looked_at() {
    let mut app = opened("your-zone", Ground::Own, (80, 24));
    let _ = app.update(Msg::LookedAround(Box::new(vault())));
    let _ = press(&mut app, "w");
    assert_eq!(
        toast(&app),
        "I saw it: it was not looked at yet: c asks first"
    );
}

#[rstest]
fn how_far_an_own_server_is_stands_over_the_text_and_a_window_shows_why(
    #[values(0, 1, 2)] place: usize,
) {
    let size = SIZES[place];
    let mut app = opened("vault", Ground::Own, size);
    assert!(shown(&mut app, size).contains("your server is being looked at"));
    let _ = app.update(Msg::LookedAround(Box::new(vault())));
    assert_eq!(
        toast(&app),
        "your server is at the end of chapter 4: Y says why"
    );
    assert!(shown(&mut app, size).contains("your server is at the end of chapter 4;"));
    let _ = press(&mut app, "Y");
    snap("own-whereabouts", &mut app, size);
    let _ = press(&mut app, "esc C");
    assert!(shown(&mut app, size).contains("your server is at the end of chapter 4"));
}

#[rstest]
#[case::before_the_lab("localhost:8000", "localhost:8000")]
#[case::the_labs("LAB", "LAB")]
fn the_header_names_the_server_and_not_the_lab_behind_it(
    #[case] name: &str,
    #[case] expected: &str,
    #[values(0, 1, 2)] place: usize,
) {
    let mut app = opened("vault", Ground::Own, SIZES[place]);
    let mut first = story()[0].clone();
    if let Fact::RunStarted(target) = &mut first.fact {
        name.clone_into(&mut target.name);
    }
    let _ = app.update(Msg::Trace(first));
    let page = shown(&mut app, SIZES[place]);
    let header = page.lines().next().unwrap_or_default();
    assert!(header.contains(expected), "{header}");
    assert_eq!(header.contains("LAB"), expected == "LAB", "{header}");
}

#[test]
fn what_cannot_be_seen_of_it_is_said_and_then_that_it_can() {
    let size = (120, 36);
    let mut app = opened("vault", Ground::Own, size);
    let _ = app.update(Msg::LookedAround(Box::new(vault())));
    let failed = |because: &str| Reading::Failed {
        because: because.to_owned(),
    };
    let mut away = vault();
    away.env = Reading::Failed {
        because: "./.env is no .env: line 3, column 1: there is no =".to_owned(),
    };
    away.http
        .insert(HttpProbe::NoToken, failed("the MCP server did not answer"));
    let _ = app.update(Msg::LookedAround(Box::new(away)));
    assert!(toast(&app).contains("line 3, column 1"), "{}", toast(&app));
    let _ = press(&mut app, "Y");
    snap("own-troubles", &mut app, size);
    let _ = app.update(Msg::LookedAround(Box::new(vault())));
    assert!(shown(&mut app, size).contains("the end of chapter 4"));
    assert!(!app.orientation().unwrap().signs.is_empty());
    assert_eq!(toast(&app), "all of your server can be seen again");
}

#[test]
fn an_own_env_is_judged_as_it_is_now() {
    let mut app = opened("vault", Ground::Own, (80, 24));
    let mut seen = vault();
    seen.env = Reading::Told(Vec::new());
    let _ = app.update(Msg::LookedAround(Box::new(seen)));
    assert!(matches!(status(&app, "env-url"), Status::Failed { .. }));
    let _ = app.update(Msg::LookedAround(Box::new(vault())));
    assert!(matches!(status(&app, "env-url"), Status::Passed { .. }));
}

/// The page's own steps are the lab's; what somebody did in their zone has to be asked.
#[test]
fn on_ones_own_server_the_next_key_is_one_that_can_be_pressed() {
    let mut app = opened("your-zone", Ground::Own, (120, 36));
    let _ = begun(&mut app, 7);
    let _ = app.update(Msg::LookedAround(Box::new(vault())));
    let next = app.guide().unwrap();
    assert_eq!(next.command, Command::RunProbes);
    assert_eq!(app.availability(next.command), Availability::Ready);
}

#[test]
fn on_the_lab_there_is_no_own_server_to_tell_of() {
    let mut app = opened("vault", Ground::Lab, (80, 24));
    let _ = begun(&mut app, 4);
    let _ = press(&mut app, "Y");
    assert!(app.overlays().is_empty());
    assert!(toast(&app).contains("this is the lab"));
}

#[test]
fn enter_on_a_check_shows_what_its_question_was_answered() {
    let size = (120, 36);
    let mut app = opened("lock", Ground::Lab, size);
    let _ = begun(&mut app, 2);
    let mut results = ProbeResults::default();
    results.http.insert(HttpProbe::NoToken, locked());
    let _ = app.update(Msg::Probed("lock".to_owned(), Box::new(results)));
    let _ = app.update(Msg::Tick(1_000));
    let _ = press(&mut app, "l l");
    let _ = shown(&mut app, size);
    let _ = press(&mut app, "enter");
    assert!(
        matches!(
            app.overlays(),
            [Overlay::Told {
                what: What::Answer(Probe::Http(HttpProbe::NoToken)),
                ..
            }]
        ),
        "{:?}",
        app.overlays()
    );
    snap("answer-knock", &mut app, size);
}

#[test]
fn a_failed_check_shows_what_was_answered_too() {
    let size = (120, 36);
    let mut app = opened("your-zone", Ground::Lab, size);
    let _ = begun(&mut app, 1);
    let results = ProbeResults {
        zone: Reading::Told(Zone {
            resources: vec![ZoneResource {
                service: Some(Service::McpServer),
                identifier: "http://127.0.0.1:8000/mcp".to_owned(),
                provider: Some(CredentialSource::KeycardVault),
                key_in_vault: true,
            }],
            applications: Vec::new(),
        }),
        ..ProbeResults::default()
    };
    let _ = app.update(Msg::Probed("your-zone".to_owned(), Box::new(results)));
    let _ = app.update(Msg::Tick(1_000));
    let Status::Failed { fix, .. } = status(&app, "mcp-resource") else {
        panic!("{:?}", status(&app, "mcp-resource"));
    };
    assert!(fix.contains("Zone Provider"), "{fix}");
    let _ = press(&mut app, "l l");
    let _ = shown(&mut app, size);
    let _ = press(&mut app, "enter");
    let page = shown(&mut app, size);
    assert!(page.contains("a key from the vault"), "{page}");
}

#[test]
fn what_was_made_in_the_zone_is_among_what_changed() {
    let size = (120, 36);
    let mut app = opened("your-zone", Ground::Lab, size);
    let _ = begun(&mut app, 0);
    let started = press(&mut app, "E");
    let _ = app.update(Msg::ZoneChanged {
        made: vec!["resource Linear API, with Linear OAuth".to_owned()],
        gone: Vec::new(),
        anew: Vec::new(),
    });
    let _ = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    let page = shown(&mut app, size);
    assert!(
        page.contains("+ resource Linear API, with Linear OAuth"),
        "{page}"
    );
}

#[test]
fn who_begins_a_chapter_again_has_its_checks_open() {
    let mut app = opened("limit", Ground::Lab, (80, 24));
    let _ = begun(&mut app, 7);
    for event in story() {
        let _ = app.update(Msg::Trace(event));
    }
    let _ = app.update(Msg::Tick(60_000));
    let before = app.learn().unwrap().tally().0;
    assert!(before > 0, "something passed");
    let started = press(&mut app, "B enter");
    assert!(
        started
            .iter()
            .any(|effect| matches!(effect, Effect::Run(_, Job::BeginAgain { lab: 6, .. })))
    );
    let chapter = app.learn().unwrap().chapter().clone();
    let progress = app.learn().unwrap().progress();
    assert!(
        chapter
            .checks
            .iter()
            .all(|check| progress.passed(&chapter, &check.id).is_none())
    );
}

#[test]
fn a_call_on_the_code_of_an_earlier_chapter_passes_nothing() {
    let mut app = opened("vault", Ground::Lab, (80, 24));
    let _ = begun(&mut app, 3);
    for event in story().into_iter().skip(1) {
        if !matches!(event.fact, Fact::LabMoved { .. }) {
            let _ = app.update(Msg::Trace(event));
        }
    }
    let _ = app.update(Msg::Tick(60_000));
    assert!(
        matches!(status(&app, "tickets-read"), Status::Pending { .. }),
        "{:?}",
        status(&app, "tickets-read")
    );
}

#[test]
fn a_live_run_marks_which_chapter_is_open_once_and_again_for_a_recording() {
    let marks = |effects: &[Effect]| -> Vec<Option<u8>> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Mark { chapter, .. } => Some(*chapter),
                _ => None,
            })
            .collect()
    };
    let mut app = opened("open-door", Ground::Lab, (80, 24));
    assert_eq!(marks(&app.update(Msg::Tick(1))), [], "nothing runs yet");
    assert_eq!(marks(&begun(&mut app, 0)), [Some(0)]);
    assert_eq!(marks(&app.update(Msg::Tick(2))), []);
    let _ = press(&mut app, "J");
    assert_eq!(marks(&press(&mut app, "enter")), [Some(1)]);
    let file = "run.jsonl".to_owned();
    let on = Msg::Recording(RecordingState::On { file });
    assert_eq!(marks(&app.update(on)), [Some(1)]);
    assert_eq!(marks(&press(&mut app, "K")), [Some(0)]);
}

#[test]
fn where_the_lab_was_left_is_kept_with_the_place() {
    let mut app = opened("vault", Ground::Lab, (80, 24));
    let _ = begun(&mut app, 4);
    let kept = press(&mut app, "q")
        .into_iter()
        .find_map(|effect| match effect {
            Effect::KeepProgress(progress) => progress.place.and_then(|place| place.lab),
            _ => None,
        });
    assert_eq!(kept, Some(4));
}

fn task(effects: &[Effect]) -> TaskId {
    let id = |effect: &Effect| match effect {
        Effect::Run(id, _) => Some(*id),
        _ => None,
    };
    effects.iter().find_map(id).expect("a task was started")
}

/// A server that keeps to itself why it got nothing: its zone is asked, once for each such call.
#[test]
fn why_a_call_got_no_credential_the_zone_is_asked() {
    let mut app = opened("vault", Ground::Own, (120, 36));
    for mut event in story() {
        let ends = match &mut event.fact {
            Fact::AuditRecorded(_) => continue,
            Fact::ToolCallFinished { outcome, text, .. } => {
                *outcome = CallOutcome::Failed;
                "Token exchange failed".clone_into(text);
                true
            }
            _ => false,
        };
        let _ = app.update(Msg::Trace(event));
        if ends {
            break;
        }
    }
    let _ = app.update(Msg::Tick(60_000_000));
    let read = |app: &mut App| {
        let started = press(app, "R");
        app.update(Msg::Task(task(&started), TaskOutcome::Done))
    };
    let asked = read(&mut app);
    let [Effect::Run(asking, Job::AskZone(doubts))] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    let (call, exchanges) = doubts.first_key_value().unwrap();
    let exchange = exchanges.first().unwrap();
    assert_eq!(exchange.service, Service::Supabase);
    assert!(read(&mut app).is_empty(), "it is being asked");
    let refused = ExchangeAnswer::Refused {
        error: "invalid_client".to_owned(),
        description: String::new(),
    };
    let answers = [(exchange.clone(), Reading::Told(refused))].into();
    let _ = app.update(Msg::ZoneAnswered([(*call, answers)].into()));
    let _ = app.update(Msg::Task(*asking, TaskOutcome::Done));
    let Status::Failed { because, .. } = status(&app, "tickets-read") else {
        panic!("{:?}", status(&app, "tickets-read"));
    };
    assert!(
        because.contains("the zone says invalid_client"),
        "{because}"
    );
    assert!(
        because.contains("likely a client id or secret"),
        "{because}"
    );
    assert!(read(&mut app).is_empty(), "it was answered");
}

/// A lab in another process is neither the reader's own server nor theirs to move.
#[rstest]
#[case::the_labs_server(
    ServedBy::Lab,
    "lock",
    "another process's lab: start it with --stage 2"
)]
#[case::ones_own(ServedBy::Yours, "lock", "this is your own server")]
#[case::its_rule(
    ServedBy::Lab,
    "limit",
    "p switches its policy; start it with --stage 7"
)]
#[case::its_rule_for_ones_own(ServedBy::Yours, "limit", "p switches its policy; start it")]
fn what_cannot_be_done_at_another_lab_says_whose_it_is(
    #[case] served_by: ServedBy,
    #[case] at: &str,
    #[case] words: &str,
) {
    let mut app = opened(at, Ground::Own, (80, 24));
    for mut event in story().into_iter().take(2) {
        if let Fact::LabStarted(lab) = &mut event.fact {
            lab.served_by = served_by;
        }
        let _ = app.update(Msg::Trace(event));
    }
    assert!(app.projection().lab().is_some());
    let _ = press(&mut app, "E");
    assert!(toast(&app).contains(words), "{}", toast(&app));
    let _ = press(&mut app, "Z");
    let of_the_console = match at {
        "limit" => words,
        _ => "no work in the zone's console",
    };
    assert!(toast(&app).contains(of_the_console), "{}", toast(&app));
}
