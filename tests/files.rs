//! Files of any kind as traces: cut, damaged, too long, too many, growing, replaced. Memory is
//! counted and never timed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Write as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use hoptrail::{
    app::{
        msg::Msg,
        player::{Growth, Tape},
    },
    projection::{Projection, Seq, Timeline},
    runtime::replay::{self, Bounds, Damage, Place, Source, Trace, Viewing},
    trace::reader::{Item, Reader},
};
use rstest::rstest;

const STORY: &str = "tests/traces/story.jsonl";

fn story() -> String {
    fs::read_to_string(STORY).unwrap()
}

fn written(text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.jsonl");
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn opened(path: &Path, events: usize) -> (Source, Timeline, Damage) {
    let bounds = Bounds {
        events,
        ..Bounds::default()
    };
    all_of(&Place::File(path.to_path_buf()), bounds)
}

fn all_of(place: &Place, bounds: Bounds) -> (Source, Timeline, Damage) {
    let mut source = Source::open_with(place, bounds).unwrap();
    let mut timeline = source.timeline();
    let mut damage = Damage::default();
    let read = source.read_on(
        Growth::Finished,
        &mut damage,
        |event, kept| timeline.take(event, kept),
        |_| ControlFlow::Continue(()),
    );
    assert!(read.unwrap().is_continue());
    timeline.close();
    (source, timeline, damage)
}

#[test]
fn a_file_is_read_as_its_lines_are_and_keeps_none_of_them() {
    let (_, timeline, damage) = opened(Path::new(STORY), 1_000);
    assert!(damage.sentences().is_empty());
    let (header, mut reader) = Reader::open(story().leak().as_bytes()).unwrap();
    let mut straight = Projection::starting(header.started);
    while let Item::Event(entry) = reader.read_next().unwrap() {
        straight.apply_line(&entry.event, &entry.line);
    }
    assert_eq!(*timeline.end(), straight);
    assert!(straight.log().bytes() > 30_000);
    assert_eq!(timeline.log().bytes(), 0, "only places are kept");
    let line = timeline.log().line(Seq::at(40)).unwrap().into_owned();
    assert_eq!(story().lines().nth(41), Some(&*line));
}

#[test]
fn a_trace_that_is_longer_than_can_be_kept_is_shown_as_far_as_it_is() {
    let mut text = story();
    let events = text.split_once('\n').unwrap().1.to_owned();
    for _ in 0..400 {
        text.push_str(&events);
    }
    let (_dir, path) = written(&text);
    let (_, timeline, damage) = opened(&path, 1_000);
    assert_eq!((timeline.len(), damage.full), (1_000, Some(1_000)));
    assert_eq!(timeline.log().bytes(), 0);
    let failure = damage.failure(&Place::File(path)).unwrap();
    assert!(failure.what.ends_with("is longer than can be shown"));
    assert!(failure.why.contains("the first 1000 events are shown"));
}

/// A run of bytes that is made as it is read.
struct Endless {
    head: io::Cursor<String>,
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.head.read(buffer)? {
            0 => {
                let count = self.left.min(buffer.len() as u64);
                self.left -= count;
                let count = usize::try_from(count).unwrap();
                buffer[..count].fill(b'x');
                Ok(count)
            }
            count => Ok(count),
        }
    }
}

#[test]
fn a_line_of_any_length_is_named_and_nothing_of_it_is_held() {
    let text = story();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let head = lines[..2].concat();
    let endless = Endless {
        head: io::Cursor::new(head.clone()),
        left: 300_000_000,
    };
    let (_, mut reader) = Reader::open_with(BufReader::new(endless), 100_000).unwrap();
    assert!(matches!(reader.read_next().unwrap(), Item::Event(_)));
    // The generator never ends the line, so that all of it must be gone through.
    assert_eq!(reader.read_next().unwrap(), Item::Torn);
    assert_eq!(reader.bytes(), 300_000_000 + head.len() as u64);
    assert_eq!(reader.held(), 0, "an endless line takes no memory");
    assert!(reader.rest().is_none());
}

#[test]
fn a_sparse_file_of_nothing_is_one_torn_line() {
    let (_dir, path) = written(story());
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(200_000_000).unwrap();
    let (source, timeline, damage) = opened(&path, 1_000_000);
    assert_eq!(timeline.len(), story().lines().count() - 1);
    assert!(damage.torn);
    drop(source);
}

#[test]
fn damage_is_named_by_line_and_column_to_who_looks() {
    let mut lines: Vec<String> = story().lines().map(str::to_owned).collect();
    lines.insert(3, "{\"seq\":".to_owned());
    lines.insert(9, "{\"seq\":1,\"at_us\":\u{1b}[2J}".to_owned());
    let (_dir, path) = written(lines.join("\n") + "\n");
    let place = Place::File(path);
    let loaded = replay::load(&place).unwrap();
    let failure = loaded.damage.failure(&place).unwrap();
    assert!(failure.what.starts_with("2 lines of "), "{failure}");
    assert!(failure.why.contains("line 4, column 7"), "{failure}");
    assert!(failure.why.contains("line 10, column 18"), "{failure}");
    assert!(!failure.to_string().contains('\u{1b}'));
}

#[test]
fn a_file_that_became_shorter_says_which_event_is_gone() {
    let (_dir, path) = written(story());
    let (_, timeline, _) = opened(&path, 1_000);
    File::create(&path).unwrap();
    let mut here = timeline.at(0);
    let why = timeline.bring(&mut here, 20).unwrap_err();
    assert_eq!(
        why,
        "event 1 cannot be read any more: the file is shorter than it was"
    );
    assert_eq!(here.log().len(), 0, "it stands where it came to");
}

/// A named pipe, and a thread that writes `text` into it.
fn piped(text: String) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let writer = path.clone();
    // Whoever has had enough closes it; the rest is nobody's.
    std::thread::spawn(move || fs::write(writer, text));
    (dir, path)
}

#[test]
fn a_pipe_is_a_trace_from_its_first_byte_however_often_its_header_was_looked_at() {
    let (_dir, path) = piped(story());
    let place = Place::named(&path);
    assert!(matches!(place, Place::Pipe(_)));
    for _ in 0..3 {
        Source::open(&place).unwrap();
    }
    let (_, timeline, damage) = all_of(&place, Bounds::default());
    assert_eq!(timeline.len(), story().lines().count() - 1);
    assert!(damage.sentences().is_empty());
    let (_, straight, _) = opened(Path::new(STORY), 1_000);
    assert_eq!(timeline.at(40).hops(), straight.at(40).hops());
}

#[test]
fn what_came_through_a_pipe_is_kept_up_to_its_room_and_read_once() {
    let mut text = story();
    let events = text.split_once('\n').unwrap().1.to_owned();
    for _ in 0..60 {
        text.push_str(&events);
    }
    let whole = text.len();
    let (_dir, path) = piped(text);
    let place = Place::named(&path);
    let bounds = Bounds {
        piped: 1_500_000,
        ..Bounds::default()
    };
    let (source, timeline, damage) = all_of(&place, bounds);
    assert!(whole > 2_000_000);
    assert!(
        timeline.log().bytes() <= 1_500_000,
        "{}",
        timeline.log().bytes()
    );
    assert_eq!(damage.full, Some(timeline.len()));
    drop(source);
    let failure = Source::open(&place).map(drop).unwrap_err();
    assert!(failure.why.contains("can be read once"), "{failure}");
}

#[test]
fn what_comes_through_a_pipe_is_not_shown_and_sent_at_once() {
    let (_dir, path) = piped(story());
    let path = path.to_str().unwrap();
    for name in [path, "-"] {
        let ended = Command::new(env!("CARGO_BIN_EXE_hoptrail"))
            .args(["replay", name, "--otlp", "http://127.0.0.1:1"])
            .stdin(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(2), "{name}");
        assert!(ended.stdout.is_empty(), "{name}");
        let told = String::from_utf8(ended.stderr).unwrap();
        for part in ["through a pipe", "read once", "export - --to otlp"] {
            assert!(told.contains(part), "{told}");
        }
    }
    // The pipe was left alone, and its writer waits.
    let (_, timeline, _) = all_of(&Place::named(Path::new(path)), Bounds::default());
    assert_eq!(timeline.len(), story().lines().count() - 1);
}

#[test]
fn a_trace_may_come_through_standard_input() {
    for name in ["-", "/dev/stdin"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hoptrail"))
            .args(["replay", name, "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || input.write_all(story().as_bytes()));
        let ended = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(ended.status.success(), "{name}");
        assert_eq!(String::from_utf8(ended.stdout).unwrap(), story(), "{name}");
    }
}

/// Tells of a pipe what came until there are so many events, and whether it may still grow.
async fn until(viewing: &mut Option<Viewing>, events: usize, mut so_far: usize) -> usize {
    while so_far < events {
        let Msg::Grew(more) = heard(viewing).await else {
            panic!("it grows on");
        };
        so_far += more.len();
    }
    so_far
}

#[tokio::test]
async fn what_has_come_through_a_pipe_is_shown_while_its_writer_goes_on() {
    let text = story();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let mut viewing = Some(Viewing::begin(Trace {
        place: Place::named(&path),
        growth: Growth::Finished,
    }));
    let mut pipe = OpenOptions::new().write(true).open(&path).unwrap();
    pipe.write_all(lines[..41].concat().as_bytes()).unwrap();
    // Half a line is no event before its other half is there.
    pipe.write_all(&lines[41].as_bytes()[..30]).unwrap();
    // Its writer may take its time, so that is what is told first.
    assert!(matches!(heard(&mut viewing).await, Msg::Awaited));
    let first = tape(heard(&mut viewing).await);
    assert_eq!(first.growth, Growth::Followed);
    assert!(first.warning.is_none());
    let so_far = until(&mut viewing, 40, first.timeline.len()).await;
    assert_eq!(so_far, 40);

    pipe.write_all(&lines[41].as_bytes()[30..]).unwrap();
    pipe.write_all(b"{\"seq\":oops}\n").unwrap();
    assert_eq!(until(&mut viewing, 41, 40).await, 41);
    let Msg::Unreadable(failure) = heard(&mut viewing).await else {
        panic!("a line is damaged");
    };
    assert!(failure.why.contains("line 43, column 8"), "{failure}");

    // Its last line has no line feed, and says all it has to say.
    pipe.write_all(lines[42].trim_end().as_bytes()).unwrap();
    drop(pipe);
    assert_eq!(until(&mut viewing, 42, 41).await, 42);
    assert!(matches!(
        heard(&mut viewing).await,
        Msg::Ended { warning: None }
    ));
}

#[tokio::test]
async fn a_pipe_that_breaks_off_within_a_line_says_so() {
    let text = story();
    let whole = text
        .lines()
        .take(41)
        .map(|line| line.len() + 1)
        .sum::<usize>();
    let (_dir, path) = piped(text[..whole + 30].to_owned());
    let mut viewing = Some(Viewing::begin(Trace {
        place: Place::named(&path),
        growth: Growth::Finished,
    }));
    // Its writer may take its time, so that is what is told first.
    assert!(matches!(heard(&mut viewing).await, Msg::Awaited));
    let first = tape(heard(&mut viewing).await);
    let warning = match first.growth {
        Growth::Finished => first.warning,
        // A machine under load: the writer came late.
        Growth::Followed => {
            until(&mut viewing, 40, first.timeline.len()).await;
            match heard(&mut viewing).await {
                Msg::Ended { warning } => warning,
                other => panic!("{other:?}"),
            }
        }
    };
    assert!(warning.unwrap().contains("ends within a line"));
}

/// The next message that tells more than progress.
async fn heard(viewing: &mut Option<Viewing>) -> Msg {
    loop {
        match replay::next(viewing).await {
            Msg::Opening(_) => {}
            other => return other,
        }
    }
}

fn tape(msg: Msg) -> Tape {
    match msg {
        Msg::Opened(tape) => *tape,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::not_made(None)]
#[case::made(Some(0))]
#[case::in_the_middle_of_its_header(Some(40))]
#[tokio::test]
async fn a_file_that_is_followed_may_come_later(#[case] begun: Option<usize>) {
    let text = story();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (_dir, path) = written(&text[..begun.unwrap_or(0)]);
    if begun.is_none() {
        fs::remove_file(&path).unwrap();
    }
    let mut viewing = Some(Viewing::begin(Trace {
        place: Place::File(path.clone()),
        growth: Growth::Followed,
    }));
    let told = heard(&mut viewing).await;
    assert!(matches!(told, Msg::Awaited), "{told:?}");
    // Its writer has made the file, and then writes.
    fs::write(&path, "").unwrap();
    fs::write(&path, lines[..6].concat()).unwrap();
    assert_eq!(tape(heard(&mut viewing).await).timeline.len(), 5);
}

#[tokio::test]
async fn a_followed_file_grows_is_cut_and_is_replaced() {
    let text = story();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (dir, path) = written(lines[..41].concat());
    let mut viewing = Some(Viewing::begin(Trace {
        place: Place::File(path.clone()),
        growth: Growth::Followed,
    }));
    assert_eq!(tape(heard(&mut viewing).await).timeline.len(), 40);

    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    // Half a line is no event before its other half is there.
    file.write_all(lines[41].as_bytes()).unwrap();
    file.write_all(&lines[42].as_bytes()[..30]).unwrap();
    let Msg::Grew(events) = heard(&mut viewing).await else {
        panic!("it grew");
    };
    assert_eq!(events.len(), 1);
    file.write_all(&lines[42].as_bytes()[30..]).unwrap();
    file.write_all(b"{\"seq\":oops}\n").unwrap();
    let Msg::Grew(events) = heard(&mut viewing).await else {
        panic!("it grew");
    };
    assert_eq!(events.len(), 1);
    let Msg::Unreadable(failure) = heard(&mut viewing).await else {
        panic!("a line is damaged");
    };
    assert!(failure.why.contains("line 44, column 8"), "{failure}");

    // Written anew in place: shorter.
    fs::write(&path, lines[..6].concat()).unwrap();
    let anew = tape(heard(&mut viewing).await);
    assert_eq!(anew.timeline.len(), 5);
    assert_eq!(
        anew.warning.as_deref(),
        Some("the file was written anew: this is the new run")
    );

    // Rotated: another file takes the name, longer than the old one.
    let next = dir.path().join("next");
    fs::write(&next, &text).unwrap();
    fs::rename(&next, &path).unwrap();
    assert_eq!(
        tape(heard(&mut viewing).await).timeline.len(),
        lines.len() - 1
    );
}

#[tokio::test]
async fn a_followed_file_that_was_cut_and_grew_again_between_two_looks_is_another() {
    let text = story();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (_dir, path) = written(lines[..11].concat());
    let mut viewing = Some(Viewing::begin(Trace {
        place: Place::File(path.clone()),
        growth: Growth::Followed,
    }));
    assert_eq!(tape(heard(&mut viewing).await).timeline.len(), 10);
    // Written over without ever being shorter: neither its length nor its identity tells.
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    let anew = [&lines[..1], &lines[20..]].concat().concat();
    assert!(anew.len() > lines[..11].concat().len());
    file.write_all(anew.as_bytes()).unwrap();
    let tape = tape(heard(&mut viewing).await);
    assert_eq!(tape.timeline.len(), lines.len() - 20);
    assert!(tape.warning.unwrap().contains("written anew"));
}

#[tokio::test]
async fn a_newer_format_fails_in_three_parts() {
    let (_dir, path) = written(story().replacen("\"version\":1", "\"version\":9", 1));
    let mut viewing = Some(Viewing::begin(Trace {
        place: Place::File(path),
        growth: Growth::Finished,
    }));
    let Msg::Unreadable(failure) = heard(&mut viewing).await else {
        panic!("it cannot be read");
    };
    assert!(failure.what.ends_with("cannot be read as a trace"));
    assert!(failure.why.contains("format version 9"));
    assert!(failure.next.contains("a newer one"));
}
