//! The recogniser on tickets it was not written for, and on hostile ones.
//!
//! `tests/fixtures/recogniser/*.txt` were written after the rules, by the same hand. `⟦KIND|text⟧`
//! marks what must be replaced; `Labels:` names labels of which the first one given must be one.
//! When they were run for the first time, 132 of 135 marks were met exactly and 3 missed, 3 of 135
//! spans were too much, and 27 of 30 first labels were right. The rules were then mended for those,
//! so that the fixtures are held out no longer. 31 to 37 came later, after a reader's own tickets had
//! shown which shapes leaked; when they were run for the first time, 2 of their 49 marks were missed.
//! 38 was written for a rule, 39 to 44 for what other tickets had shown.
//!
//! Known limits: a surname or a given name that nobody lists, alone and without a cue; names in
//! lower case without a cue; dates of birth, which none of the seven kinds holds.

use std::{fmt::Write as _, fs, ops::Range};

use hoptrail::{
    protocol::tickets::EntityKind,
    support::clock::Stopwatch,
    upstream::{
        anthropic::recogniser::{Label, recognise, spans},
        supabase::sample_tickets,
    },
};
use rstest::rstest;

struct Fixture {
    name: String,
    subject: String,
    labels: Vec<String>,
    body: String,
    expected: Vec<(Range<usize>, EntityKind)>,
}

fn fixtures() -> Vec<Fixture> {
    let mut found: Vec<Fixture> = fs::read_dir("tests/fixtures/recogniser")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let (head, marked) = text.split_once("\n\n").unwrap();
            let line = |name: &str| {
                let value = head.lines().find_map(|line| line.strip_prefix(name));
                value.unwrap_or_default().trim().to_owned()
            };
            let (mut body, mut expected) = (String::new(), Vec::new());
            let mut pieces = marked.split('⟦');
            body.push_str(pieces.next().unwrap());
            for piece in pieces {
                let (mark, rest) = piece.split_once('⟧').unwrap();
                let (kind, value) = mark.split_once('|').unwrap();
                let kind = serde_json::from_str(&format!("\"{kind}\"")).unwrap();
                expected.push((body.len()..body.len() + value.len(), kind));
                body.push_str(value);
                body.push_str(rest);
            }
            Fixture {
                name: path.file_stem().unwrap().to_string_lossy().into_owned(),
                subject: line("Subject:"),
                labels: line("Labels:").split(", ").map(str::to_owned).collect(),
                body,
                expected,
            }
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

#[derive(Default)]
struct Score {
    expected: usize,
    found: usize,
    covered: usize,
    given: usize,
    right: usize,
    report: String,
}

fn score() -> Score {
    let mut score = Score::default();
    for fixture in fixtures() {
        let given = spans(&fixture.body);
        score.given += given.len();
        score.expected += fixture.expected.len();
        for (range, kind) in &fixture.expected {
            let text = &fixture.body[range.clone()];
            let exact = given.iter().any(|s| s.range == *range && s.kind == *kind);
            let covered = given
                .iter()
                .any(|s| s.range.start <= range.start && s.range.end >= range.end);
            score.found += usize::from(exact);
            score.covered += usize::from(covered);
            if !exact {
                let word = if covered { "inexact" } else { "MISSED" };
                let near: Vec<_> = given
                    .iter()
                    .filter(|s| s.range.start < range.end && range.start < s.range.end)
                    .map(|s| (s.kind, &fixture.body[s.range.clone()]))
                    .collect();
                writeln!(
                    score.report,
                    "{}: {word} {kind:?} {text:?}: {near:?}",
                    fixture.name
                )
                .unwrap();
            }
        }
        for span in &given {
            let right = fixture.expected.iter().any(|(range, kind)| {
                *kind == span.kind && range.start < span.range.end && span.range.start < range.end
            });
            score.right += usize::from(right);
            if !right {
                let text = &fixture.body[span.range.clone()];
                writeln!(
                    score.report,
                    "{}: TOO MUCH {:?} {text:?}",
                    fixture.name, span.kind
                )
                .unwrap();
            }
        }
    }
    score
}

#[test]
fn unseen_tickets_are_masked() {
    let score = score();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    let (exact, covered, precision) = (
        share(score.found, score.expected),
        share(score.covered, score.expected),
        share(score.right, score.given),
    );
    assert!(
        exact >= 0.98 && covered >= 0.98 && precision >= 0.97,
        "exact {exact:.3}, covered {covered:.3}, precision {precision:.3} of {} spans\n{}",
        score.expected,
        score.report
    );
}

#[test]
fn unseen_tickets_get_a_fitting_label_and_a_title_without_personal_data() {
    let mut wrong = String::new();
    for fixture in fixtures() {
        let seen = recognise(&fixture.subject, &fixture.body);
        assert!((1..=3).contains(&seen.labels.len()));
        let named: Vec<&str> = seen.labels.iter().map(|label| label.as_str()).collect();
        if !fixture.labels.iter().any(|label| *label == named[0]) {
            writeln!(
                wrong,
                "{}: {named:?}, not {:?}",
                fixture.name, fixture.labels
            )
            .unwrap();
        }
        let title = &seen.title;
        assert!(
            title.chars().count() <= 96 && title.chars().count() >= 8,
            "{title}"
        );
        assert!(
            !title.contains('[') && !title.ends_with(['.', '!', ' ', ',']),
            "{title}"
        );
        for (range, _) in &fixture.expected {
            let value = &fixture.body[range.clone()];
            assert!(!title.contains(value), "{title} holds {value}");
            assert!(
                !seen.masked_text.contains(value) || value.len() < 5,
                "{}: {value}",
                fixture.name
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_labs_tickets_keep_their_technical_text_and_nothing_personal() {
    let personal = [
        "Marisol",
        "Vexley",
        "555-0",
        "4242",
        "900-",
        "whsec",
        "Lantern",
        "97203",
        "Dashiell",
        "Okonkwo",
        "sk_test",
        "eyJ",
        "Ingrid",
        "Solheim",
        "Dockside",
        "BS1",
        "Petronella",
        "Quist",
        "Tobias",
        "Wren",
        "Amara",
        "Nwosu",
        "Lucian",
        "Feld",
        "Alder",
        "Orchard Street",
        "Mill Lane",
        "Bartholomew",
        "Cole",
        "Yusuf",
        "Demir",
        "mf-9Qz",
        "Pelican",
        "Cargo Parkway",
        "38118",
        "Ottoline",
        "Vance\"",
        "Rafael",
        "Imbert",
        "Marmalade",
        "Kiln",
        "HX7",
        "Otti",
    ];
    let technical = [
        "/v2/charges",
        "HTTP 504",
        "2026-06-02T13:58:07.114Z",
        "ch_0017",
        "PORTAL_VERSION=2026.5.3",
        "us-east-1",
        "203.0.113.24",
        "we_40881",
        "evt_71c0",
        "exp_20931",
        "1048576",
        "Chrome 126",
        "10,000",
        "ERR_TOO_MANY_REDIRECTS",
        "session=7d0e4c1a",
        "SameSite=Lax",
        "Firefox 127.0.1",
        "build-4711",
        "Northgate Supplies",
        "Meridian Freight",
    ];
    let mut all = String::new();
    for ticket in sample_tickets() {
        let seen = recognise(&ticket.subject, &ticket.body);
        all.push_str(&seen.masked_text);
        all.push_str(&seen.title);
    }
    let left: Vec<_> = personal
        .iter()
        .filter(|word| all.contains(**word))
        .collect();
    assert!(left.is_empty(), "left: {left:?}\n{all}");
    let lost: Vec<_> = technical
        .iter()
        .filter(|word| !all.contains(**word))
        .collect();
    assert!(lost.is_empty(), "lost: {lost:?}\n{all}");
}

#[rstest]
#[case(0, "Payment portal charges card twice on retry (HTTP 504, POST /v2/charges)", &[Label::Payments])]
#[case(1, "Webhook deliveries silently stopped after region migration", &[Label::Webhooks, Label::Infrastructure, Label::Api])]
#[case(2, "CSV export truncates rows above 10k (GET /v1/exports/exp_20931/download)", &[Label::DataExport])]
#[case(3, "SSO login loops back to sign-in page (ERR_TOO_MANY_REDIRECTS)", &[Label::Auth])]
#[case(4, "Dark mode resets to light on every deploy", &[Label::Frontend])]
fn the_labs_tickets_get_these_titles_and_labels(
    #[case] index: usize,
    #[case] title: &str,
    #[case] labels: &[Label],
) {
    let ticket = &sample_tickets()[index];
    let seen = recognise(&ticket.subject, &ticket.body);
    assert_eq!(seen.title, title);
    assert_eq!(seen.labels, labels);
}

#[test]
fn one_value_has_one_placeholder_and_one_person_too() {
    let seen = recognise(
        "For Ana Ruiz",
        "Ana Ruiz (ana@acme.test, 555-0142) and Tom Ruiz. Call Ana on +1 555-555-0142 or Ms Ruiz at ANA@acme.test.\n[NAME_7] stays.",
    );
    assert_eq!(
        seen.masked_text,
        "[NAME_8] ([EMAIL_1], [PHONE_1]) and [NAME_9]. Call [NAME_8] on [PHONE_1] or Ms [NAME_8] at [EMAIL_1].\n[NAME_7] stays."
    );
    assert_eq!(seen.entities.len(), 4);
    assert!(seen.masked_subject.contains("[NAME_8]"));
}

#[test]
fn invisible_characters_hide_nothing() {
    let seen = recognise(
        "x",
        "mail a\u{200b}na@ac\u{ad}me.test, \u{202e}555\u{200d}-0142\r\nok",
    );
    assert_eq!(seen.masked_text, "mail [EMAIL_1], [PHONE_1]\nok");
}

#[rstest]
#[case("a")]
#[case("=")]
#[case("password=")]
#[case("1")]
#[case("1 ")]
#[case("@")]
#[case("a@b.co ")]
#[case("Ana ")]
#[case("Ana, ")]
#[case("[")]
#[case("<name>")]
#[case("-----BEGIN PRIVATE KEY-----")]
#[case("12 Oak Street, ")]
#[case("-")]
#[case("a,b,")]
#[case("a|b\n")]
#[case("(name) VALUES ('")]
#[case("**name** – ")]
#[case("a dot b at ")]
#[case("é")]
#[case("\u{1b}]0;")]
#[case("name: ")]
#[case("://a:b@")]
#[case("https://hooks.x.co/ab1cd2")]
#[case("password .. ")]
#[case("password:\n")]
#[case("codes:\n\na1b2\n")]
#[case("password you got ")]
#[case("pw: ")]
#[case("my password is a b ")]
#[case("mysql -p ")]
#[case("a(dot)b@c(dot)")]
#[case("12 OAK ROAD, ")]
#[case("address: a. B")]
#[case("john b here, J. ")]
fn a_line_of_four_megabytes_costs_seconds_and_not_hours(#[case] piece: &str) {
    // Linear: sixteen times the text may not cost a hundred times as much. Debug builds run this
    // with a smaller text, as what is tested is the growth.
    let time = |bytes: usize| {
        let text = piece.repeat(bytes / piece.len());
        let watch = Stopwatch::start();
        let seen = recognise("long", &text);
        assert!(!seen.labels.is_empty());
        watch.micros().max(1)
    };
    let full = if cfg!(debug_assertions) {
        16 << 10
    } else {
        4 << 20
    };
    let (small, large) = (time(full / 16), time(full));
    assert!(
        large < small * 100 + 2_000_000,
        "{piece:?}: {small} µs, then {large} µs"
    );
}

/// People are told apart by their names, and thousands of them are no reason to compare each word
/// with each.
#[rstest]
#[case::names("id,name", "{n} Ba{n} Do{n}", "")]
#[case::addresses("id,email", "ba{n}.do{n}@x.test", "Order Late ")]
fn a_list_of_thousands_costs_in_proportion(
    #[case] header: &str,
    #[case] cell: &str,
    #[case] words: &str,
) {
    // Letters for digits: a name has no digits.
    let spelled = |n: usize| -> String {
        let digits = n.to_string();
        digits
            .bytes()
            .map(|b| char::from(b - b'0' + b'a'))
            .collect()
    };
    let time = |rows: usize| {
        let mut text = format!("{header}\n");
        for n in 0..rows {
            let cell = cell.replace("{n} ", "").replace("{n}", &spelled(n));
            writeln!(text, "{n},{cell} {words}").unwrap();
        }
        let watch = Stopwatch::start();
        let seen = recognise("list", &text);
        assert!(seen.entities.len() >= rows, "{}", seen.entities.len());
        watch.micros().max(1)
    };
    let (small, large) = (time(500), time(8_000));
    assert!(
        large < small * 60 + 2_000_000,
        "{small} µs, then {large} µs"
    );
}
