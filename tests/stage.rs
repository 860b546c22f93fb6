//! The instructor's stage: cues by one key, held exchanges, a recording that stands in, the way back
//! to the start; and what a room sees of each at three sizes.

#[path = "stage/headline.rs"]
mod headline;
#[path = "stage/holding.rs"]
mod holding;
#[path = "stage/once_more.rs"]
mod once_more;
#[path = "stage/pictures.rs"]
mod pictures;
mod screens;
#[path = "stage/sheet.rs"]
mod sheet;
#[path = "stage/take_over.rs"]
mod take_over;

use hoptrail::{
    app::{
        App, AppConfig,
        command::{Availability, Command},
        effect::{Effect, Effects, Job},
        focus::{Layout, PaneId},
        msg::{Msg, TaskId, TaskOutcome},
        player::{Growth, Tape},
        stage::Judgement,
    },
    config::sheet::Sheet,
    projection::Timeline,
    protocol::{
        audit::{AuditStatus, Effect as Decided, Party, PolicyDecision, ResourceRef},
        hold::{Forecast, HeldExchange, ReleaseReason, ReleasedExchange},
        traceparent::{SpanId, TraceId, TraceParent},
    },
    trace::{
        Actor, TraceEvent,
        event::Fact,
        reader::{Item, Reader},
    },
};
use screens::{draw, header, lifted, look, press, shoot, story, styled_dump, text};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

fn with(sheet: Sheet, width: u16, height: u16) -> App {
    App::new(AppConfig {
        title: sheet.title.clone(),
        size: (width, height),
        started: Some(header().started),
        sheet: Some(sheet),
        ..AppConfig::default()
    })
}

fn staged(width: u16, height: u16) -> App {
    let mut app = with(Sheet::built_in(), width, height);
    assert_eq!(app.update(Msg::Begun(header().started)), []);
    tell(&mut app, 0..5);
    app
}

/// The facts of the sample story from one place to another.
fn tell(app: &mut App, places: std::ops::Range<usize>) {
    for event in story().into_iter().skip(places.start).take(places.len()) {
        assert_eq!(app.update(Msg::Trace(event)), []);
    }
}

fn tell_all(app: &mut App, events: impl IntoIterator<Item = TraceEvent>) {
    for event in events {
        assert_eq!(app.update(Msg::Trace(event)), []);
    }
}

fn run(effects: &Effects) -> (TaskId, Job) {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Run(id, job) => Some((*id, job.clone())),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no job in {effects:?}"))
}

fn tool(job: &Job) -> &str {
    match job {
        Job::CallTool { tool, .. } => tool,
        other => panic!("{other:?} is no call"),
    }
}

/// Ends a job, and what is read of the console after it; the rest of what follows.
fn done(app: &mut App, id: TaskId) -> Effects {
    let mut effects = app.update(Msg::Task(id, TaskOutcome::Done));
    effects.retain(|effect| {
        let Effect::Run(id, Job::RefreshConsole) = effect else {
            return true;
        };
        assert_eq!(app.update(Msg::Task(*id, TaskOutcome::Done)), []);
        false
    });
    effects
}

/// What the trace is told when a cue begins.
fn mark(number: u16, title: &str) -> Effect {
    Effect::MarkCue {
        number,
        title: title.to_owned(),
    }
}

/// Presses the one key, tells what happens, and ends the job.
fn cue(app: &mut App, places: std::ops::Range<usize>) -> Job {
    let (id, job) = run(&press(app, "space"));
    tell(app, places);
    for effect in done(app, id) {
        // What follows a sign-in by itself.
        if let Effect::Run(id, _) = effect {
            let _ = done(app, id);
        }
    }
    job
}

/// An app on this sheet, signed in by its first cue.
fn signed_in(rest: &str, width: u16, height: u16) -> App {
    let sheet = format!("[[cue]]\ntitle = \"Sign in\"\ndo = \"sign-in\"\n{rest}");
    let mut app = with(Sheet::parse(&sheet, "s").unwrap(), width, height);
    assert_eq!(app.update(Msg::Begun(header().started)), []);
    tell(&mut app, 0..5);
    assert_eq!(cue(&mut app, 5..31), Job::SignIn);
    app
}

/// Takes the cue that escalates; the tickets are asked for by the cue itself.
fn escalated(app: &mut App) {
    let (list, job) = run(&press(app, "space"));
    assert_eq!(tool(&job), "get_support_tickets");
    tell(app, 31..40);
    let (escalate, job) = run(&done(app, list));
    assert_eq!(tool(&job), "escalate_ticket");
    tell(app, 40..65);
    let _ = done(app, escalate);
}

/// Up to and with the delete that is refused.
fn refused(width: u16, height: u16) -> App {
    let mut app = staged(width, height);
    assert_eq!(cue(&mut app, 5..31), Job::SignIn);
    escalated(&mut app);
    assert_eq!(app.judgement(), Some(Judgement::AsPlanned));
    let job = cue(&mut app, 65..72);
    assert_eq!(tool(&job), "delete_issue");
    app
}

/// The rule was lifted by the fourth cue.
fn policy_off(width: u16, height: u16) -> App {
    let mut app = refused(width, height);
    let (id, job) = run(&press(&mut app, "space"));
    assert!(matches!(job, Job::ActivatePolicySet { .. }), "{job:?}");
    let mut events = lifted();
    let at_us = story()[71].at_us + 300_000;
    let activated = screens::switched(screens::defaults(), at_us, 99);
    tell_all(&mut app, [activated]);
    tell_all(&mut app, events.drain(..1));
    let _ = done(&mut app, id);
    app
}

fn held(status: AuditStatus) -> TraceEvent {
    let parent = TraceParent {
        trace: TraceId(0xca11_0000_0000_0000_0000_0000_0000_0003),
        span: SpanId(0x9),
    };
    let party = |name: &str| Party {
        id: "x".to_owned(),
        identifier: "x".to_owned(),
        name: name.to_owned(),
    };
    let denied = status == AuditStatus::Failure;
    TraceEvent {
        seq: 72,
        at_us: 14_000_000,
        span: Some(parent.span),
        call: Some(parent.trace),
        actor: Actor::Zone,
        fact: Fact::ExchangeHeld(Box::new(HeldExchange {
            id: "held-1".to_owned(),
            application: Some(party("Support Escalation MCP")),
            user: Some(party("ada@lab.example")),
            resource: Some(ResourceRef {
                id: "r".to_owned(),
                identifier: "http://127.0.0.1:4104".to_owned(),
                name: "Linear API".to_owned(),
            }),
            scopes: vec![if denied { "write" } else { "issues:create" }.to_owned()],
            forecast: Forecast {
                status,
                decision: Some(PolicyDecision {
                    effect: if denied {
                        Decided::Deny
                    } else {
                        Decided::Allow
                    },
                    policy_set: None,
                    determining: vec![if denied {
                        "workshop-policies::limit-linear-scopes".to_owned()
                    } else {
                        "workshop-policies::default-delegation".to_owned()
                    }],
                }),
                error: denied.then(|| "access_denied".to_owned()),
                reason: denied.then(|| "Access denied by policy.".to_owned()),
            },
            trace_parent: Some(parent),
        })),
    }
}

fn released() -> TraceEvent {
    TraceEvent {
        seq: 73,
        at_us: 15_000_000,
        span: None,
        call: None,
        actor: Actor::Zone,
        fact: Fact::ExchangeReleased(ReleasedExchange {
            id: "held-1".to_owned(),
            why: ReleaseReason::LetGo,
            held_us: 1_000_000,
            trace_parent: None,
        }),
    }
}

fn tape() -> Tape {
    tape_with(None)
}

fn tape_with(event: Option<TraceEvent>) -> Tape {
    tape_of(&std::fs::read("tests/traces/story.jsonl").unwrap(), event)
}

fn tape_of(bytes: &[u8], event: Option<TraceEvent>) -> Tape {
    let (header, mut reader) = Reader::open(bytes).unwrap();
    let mut timeline = Timeline::open(Some(header.started));
    while let Item::Event(entry) = reader.read_next().unwrap() {
        timeline.push(&entry.event, &entry.line);
    }
    if let Some(event) = event {
        timeline.push(&event, hoptrail::trace::codec::encode(&event).trim_end());
    }
    timeline.close();
    Tape {
        timeline,
        title: "The whole story on the lab".to_owned(),
        growth: Growth::Finished,
        warning: None,
    }
}

fn taken_over(width: u16, height: u16) -> App {
    let mut app = refused(width, height);
    assert_eq!(press(&mut app, "F"), [Effect::TakeOver]);
    let _ = app.update(Msg::Opened(Box::new(tape())));
    app
}

fn shown(app: &App) -> String {
    text(&draw(app, &look(), 120, 36).0)
}

fn toast(app: &App) -> &str {
    app.toast().map_or("", |toast| &toast.text)
}

fn why_not(app: &App, command: Command) -> String {
    match app.availability(command) {
        Availability::Unavailable(why) => why,
        Availability::Ready => panic!("{command:?} is ready"),
    }
}

fn snap(name: &str, make: impl Fn(u16, u16) -> App) {
    for (width, height) in SIZES {
        let app = make(width, height);
        let (buffer, _) = draw(&app, &look(), width, height);
        shoot(name, &buffer);
        insta::assert_snapshot!(format!("{name}@{width}x{height}"), styled_dump(&buffer));
    }
}

#[test]
fn one_key_goes_from_cue_to_cue_and_each_is_held_against_its_sheet() {
    let mut app = refused(120, 36);
    assert_eq!(app.focus().layout, Layout::Stage);
    assert_eq!(app.judgement(), Some(Judgement::AsPlanned));
    let shown = shown(&app);
    for told in ["3/8 Now the delete", "as planned", "Space next cue"] {
        assert!(shown.contains(told), "{told} in {shown}");
    }
    let _ = press(&mut app, "esc");
    assert!(self::shown(&app).contains("next Space Policy off"));
    // While a cue is under way the key waits.
    let (id, _) = run(&press(&mut app, "space"));
    assert_eq!(app.judgement(), Some(Judgement::Running));
    assert_eq!(press(&mut app, "n"), []);
    assert!(
        toast(&app).starts_with("still under way"),
        "{}",
        toast(&app)
    );
    let _ = app.update(Msg::Task(id, TaskOutcome::Cancelled));
    let called_off = Judgement::Otherwise("it was called off".to_owned());
    assert_eq!(app.judgement(), Some(called_off));
    assert_eq!(app.next_step().text, "try again: Policy off");
}

#[test]
fn what_was_not_as_planned_is_said() {
    let mut app = refused(120, 36);
    // The room's rule is off, but the cue expects the refusal.
    let _ = press(&mut app, "b");
    let (id, _) = run(&press(&mut app, "space"));
    tell_all(&mut app, lifted());
    let _ = done(&mut app, id);
    let Some(Judgement::Otherwise(why)) = app.judgement() else {
        panic!("{:?}", app.judgement());
    };
    assert_eq!(why, "the delete went through");
    let shown = shown(&app);
    assert!(
        shown.contains("! not as planned: the delete went through"),
        "{shown}"
    );
}

#[test]
fn a_delete_without_an_issue_escalates_one_first() {
    let mut app = policy_off(120, 36);
    let (id, job) = run(&press(&mut app, "space"));
    assert_eq!(tool(&job), "delete_issue");
    tell_all(&mut app, lifted().into_iter().skip(1));
    let _ = done(&mut app, id);
    assert_eq!(app.judgement(), Some(Judgement::AsPlanned));
    let _ = press(&mut app, "b");
    let (id, job) = run(&press(&mut app, "space"));
    assert_eq!(tool(&job), "escalate_ticket");
    assert_eq!(toast(&app), "no issue stands: one is escalated first");
    // It did not bring one; that is tried a few times and not for ever.
    let mut next = done(&mut app, id);
    for _ in 0..9 {
        let Some(Effect::Run(id, _)) = next.first() else {
            break;
        };
        let id = *id;
        next = done(&mut app, id);
    }
    assert_eq!(next, []);
    assert!(matches!(app.judgement(), Some(Judgement::Otherwise(_))));
}

#[test]
fn cues_that_are_so_already_only_tell_that_they_began_and_at_its_end_the_sheet_waits() {
    let sheet = "[[cue]]\ntitle=\"a\"\ndo=\"policy-on\"\nexpect=\"policy-on\"\n\
                 [[cue]]\ntitle=\"b\"\ndo=\"talk\"\nshow=\"policy\"\n";
    let mut app = with(Sheet::parse(sheet, "s").unwrap(), 120, 36);
    tell(&mut app, 0..5);
    assert_eq!(press(&mut app, "space"), [mark(1, "a")]);
    assert_eq!(app.judgement(), Some(Judgement::AsPlanned));
    assert_eq!(press(&mut app, "space"), [mark(2, "b")]);
    assert_eq!(
        (app.focus().pane, app.focus().layout),
        (PaneId::Policy, Layout::Stage)
    );
    assert_eq!(app.next_step().command, Command::Reset);
    assert_eq!(press(&mut app, "space"), []);
    assert!(toast(&app).contains("at its end"), "{}", toast(&app));
    assert_eq!(app.stage().unwrap().current().unwrap().0, 2);
    // Leaving takes the show with it, so it is asked first.
    assert_eq!(press(&mut app, "q"), []);
    assert_eq!(press(&mut app, "esc"), []);
    assert_eq!(press(&mut app, "q enter"), [Effect::Quit]);
    // Nobody is signed in: a call says so and does not sign in by itself.
    let sheet = "[[cue]]\ntitle=\"a\"\ndo=\"escalate\"\n";
    let mut app = with(Sheet::parse(sheet, "s").unwrap(), 120, 36);
    tell(&mut app, 0..5);
    assert_eq!(press(&mut app, "space"), [mark(1, "a")]);
    assert!(
        toast(&app).starts_with("nobody is signed in"),
        "{}",
        toast(&app)
    );
}
