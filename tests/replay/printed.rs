//! A trace that is written out, as lines of JSON or of words.

use std::io;

use hoptrail::{
    app::player::Growth,
    plain::{Color, Glyphs, Style},
    runtime::{
        Output,
        headless::Voices,
        replay::{self, Trace},
    },
    support::error::{Exit, Failure},
};

use super::{STORY, bytes};

fn printed(path: &str, output: Output) -> (Result<(), Failure>, String, String) {
    let trace = Trace {
        place: replay::Place::File(path.into()),
        growth: Growth::Finished,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let voices = Voices {
        out: &mut out,
        err: &mut err,
    };
    let ended = replay::print(&trace, output, None, voices).map(|_| ());
    let words = |bytes| String::from_utf8(bytes).unwrap();
    (ended, words(out), words(err))
}

const PLAIN: Output = Output::Plain(Style {
    color: Color::Never,
    glyphs: Glyphs::Unicode,
    width: None,
});

#[test]
fn printed_as_json_a_trace_is_the_file_byte_for_byte() {
    let (ended, out, err) = printed(STORY, Output::Json);
    ended.unwrap();
    assert_eq!(out.as_bytes(), bytes());
    assert_eq!(err, "");
}

/// A reader that has had enough after so many bytes.
struct Head(usize);

impl io::Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = bytes.len().min(self.0);
        self.0 -= count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whoever_has_read_enough_of_a_trace_is_told_of_no_mistake() {
    for growth in [Growth::Finished, Growth::Followed] {
        for output in [PLAIN, Output::Json] {
            for enough in [0, 10, 3_000] {
                let trace = Trace {
                    place: replay::Place::File(STORY.into()),
                    growth,
                };
                let mut err = Vec::new();
                let voices = Voices {
                    out: &mut Head(enough),
                    err: &mut err,
                };
                let ended = replay::print(&trace, output, None, voices);
                assert_eq!(ended, Ok(Exit::Ok), "{growth:?} {output:?} {enough}");
                assert!(err.is_empty());
            }
        }
    }
}

#[test]
fn recording_a_replay_reproduces_the_file_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.jsonl");
    let trace = Trace {
        place: replay::Place::File(STORY.into()),
        growth: Growth::Finished,
    };
    let voices = Voices {
        out: &mut Vec::new(),
        err: &mut Vec::new(),
    };
    replay::print(&trace, PLAIN, Some(&copy), voices).unwrap();
    assert_eq!(std::fs::read(copy).unwrap(), bytes());
}

#[test]
fn printed_in_words_a_trace_tells_the_story_and_names_its_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("damaged.jsonl");
    let mut text = String::from_utf8(bytes()).unwrap();
    text.insert_str(text.find('\n').unwrap() + 1, "{\"seq\":oops}\n");
    text.push_str("{\"seq\":72,\"at");
    std::fs::write(&path, text).unwrap();
    let (ended, out, err) = printed(path.to_str().unwrap(), PLAIN);
    ended.unwrap();
    assert!(out.contains("limit-linear-scopes"), "{out}");
    assert_eq!(
        err,
        "hoptrail: skipped: line 2, column 8: no JSON: expected value\n\
         hoptrail: the file ends within a line; what is whole was read\n"
    );
}

#[test]
fn what_is_no_trace_fails_in_three_parts() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |name: &str, text: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let (ended, _, _) = printed(path.to_str().unwrap(), PLAIN);
        ended.unwrap_err()
    };
    let failure = refused("empty", b"");
    assert!(failure.what.ends_with("empty cannot be read as a trace"));
    assert_eq!(failure.why, "the file is empty");
    let failure = refused("picture", b"\x89PNG\r\n\x1a\n");
    assert!(
        failure
            .why
            .starts_with("line 1 is not a hoptrail trace header")
    );
    let text = String::from_utf8(bytes()).unwrap();
    let failure = refused(
        "newer",
        text.replacen("\"version\":1", "\"version\":2", 1)
            .as_bytes(),
    );
    assert_eq!(
        failure.why,
        "the trace has format version 2; this hoptrail reads up to 1"
    );
    assert!(failure.next.contains("or a newer one"));
    let (ended, _, _) = printed(dir.path().to_str().unwrap(), PLAIN);
    assert!(ended.unwrap_err().what.ends_with("cannot be read"));
}
