//! Each chapter's golden trace, as `hoptrail check CHAPTER --golden tests/traces/chapters` records
//! it on a fresh lab: without it no check passes, with it and with what the probes told then every
//! check does.

use std::fs;

use hoptrail::{
    chapters::{Book, Chapter, Evidence, ProbeResults, Status},
    projection::Projection,
    trace::codec,
};

fn book() -> Book {
    Book::embedded().unwrap()
}

fn golden(chapter: &Chapter) -> (Projection, ProbeResults) {
    let path = |end: &str| format!("tests/traces/chapters/{}.{end}", chapter.id);
    let text = fs::read_to_string(path("jsonl")).unwrap();
    let mut lines = text.lines();
    let header = codec::decode_header(lines.next().unwrap()).unwrap();
    let mut projection = Projection::starting(header.started);
    for (line, number) in lines.zip(2..) {
        projection.apply_line(&codec::decode(line, number).unwrap(), line);
    }
    let results = fs::read_to_string(path("probes.json")).unwrap();
    (projection, serde_json::from_str(&results).unwrap())
}

#[test]
fn nothing_passes_on_an_empty_trace() {
    for chapter in book().chapters {
        for check in &chapter.checks {
            let status = chapter.status(check, &Projection::default(), &ProbeResults::default());
            assert!(
                matches!(status, Status::Pending { .. }),
                "{}/{}: {status:?}",
                chapter.id,
                check.id
            );
        }
    }
}

#[test]
fn every_check_passes_on_its_chapters_golden_trace_and_points_to_something() {
    for chapter in book().chapters {
        let (projection, results) = golden(&chapter);
        for check in &chapter.checks {
            let status = chapter.status(check, &projection, &results);
            let Status::Passed { evidence } = &status else {
                panic!("{}/{}: {status:?}", chapter.id, check.id);
            };
            assert!(!evidence.is_empty(), "{}/{}", chapter.id, check.id);
            for one in evidence {
                match one {
                    Evidence::Event(seq) => assert!(projection.log().line(*seq).is_some()),
                    Evidence::Hop(id) => assert!(projection.hops().get(*id).is_some()),
                    Evidence::Row(id) => assert!(projection.audit().get(*id).is_some()),
                    Evidence::Probe(_) => {}
                }
            }
        }
    }
}

/// Neither half is enough where a chapter rests on both.
#[test]
fn a_golden_trace_without_its_probes_does_not_pass_what_was_probed() {
    for chapter in book().chapters {
        let (projection, _) = golden(&chapter);
        for check in chapter
            .checks
            .iter()
            .filter(|c| !c.expect.probes().is_empty())
        {
            let status = chapter.status(check, &projection, &ProbeResults::default());
            // What a trace says of the finished .env needs no probe.
            let told = matches!(&status, Status::Passed { evidence }
                if evidence.iter().all(|one| matches!(one, Evidence::Event(_))));
            assert!(
                told || !matches!(status, Status::Passed { .. }),
                "{}/{}: {status:?}",
                chapter.id,
                check.id
            );
        }
    }
}

#[test]
fn no_golden_file_holds_a_secret() {
    for file in fs::read_dir("tests/traces/chapters").unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for head in ["sb_secret_", "sk-ant-", "lin_api_", "lin_oauth_", "eyJ"] {
            let found = text.match_indices(head).find(|(at, _)| {
                let rest = &text[at + head.len()..];
                let key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
                rest.chars().take_while(|c| key(*c)).count() >= 12
            });
            assert!(found.is_none(), "{}: {head}", path.display());
        }
    }
}
