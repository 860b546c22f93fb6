//! What works on recorded traces: `traces`, `export` and `diff`.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use super::{
    args::{Common, ExportArgs, Form, Shown, TracesCommand},
    settings,
};
use crate::{
    app::{compare::Durations, notes::Notes},
    export::{
        cast::{self, Pace},
        markdown::{self, Beside, Remark},
        ocsf, otlp,
        screen::{Screen, View},
        svg,
    },
    plain,
    projection::{Comparison, Projection, Seq, Timeline, compare::Tolerance},
    runtime::{
        notes::NotesFile,
        replay::{self, Damage, Loaded, Place},
        scenes,
    },
    shipped,
    support::{
        cause::remedy,
        error::{Exit, Failure},
        paths,
        text::one_line,
    },
    trace::{TraceEvent, codec},
    ui::look::Look,
};

/// How many stretches of damaged lines are named one by one.
const NAMED: usize = 3;

/// Reads a trace. What cannot be read of it is skipped, counted and told on `err`; so is a last line
/// that is torn: it is what a kill leaves behind and no damage, but what came after it is missing.
///
/// # Errors
/// If the file cannot be opened or is no trace that this hoptrail reads.
pub fn load(place: &Place, err: &mut impl io::Write) -> Result<Loaded, Failure> {
    let loaded = replay::load(place)?;
    let Damage {
        lines,
        named,
        torn,
        full,
        ..
    } = &loaded.damage;
    if *lines > 0 {
        let word = if *lines == 1 { "line" } else { "lines" };
        // If standard error is gone there is nobody left to tell.
        let _ = writeln!(
            err,
            "hoptrail: {lines} damaged {word} skipped in {}",
            place.shown()
        );
        for stretch in named.iter().take(NAMED) {
            let _ = writeln!(err, "  {stretch}");
        }
    }
    if *torn {
        let _ = writeln!(
            err,
            "hoptrail: {} ends within a line; what is whole was read",
            place.shown()
        );
    }
    if let Some(told) = loaded.damage.disorder() {
        let _ = writeln!(err, "hoptrail: {}: {told}", place.shown());
    }
    if let Some(events) = full {
        let _ = writeln!(
            err,
            "hoptrail: {} has more than {events} events; the first ones are taken",
            place.shown()
        );
    }
    Ok(loaded)
}

/// The shipped traces, a line each.
#[must_use]
pub fn list() -> String {
    let mut text = String::new();
    for one in shipped::list() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<16}  {}", one.name, one.line);
    }
    text
}

/// `hoptrail traces`.
///
/// # Errors
/// If a scene did not go as it is told, or a file cannot be written.
pub async fn traces(command: TracesCommand) -> Result<String, Failure> {
    let (names, dir) = match command {
        TracesCommand::List => return Ok(list()),
        TracesCommand::Record { names, to } => (names, to),
    };
    let all = shipped::list().iter().map(|one| one.name.to_owned());
    let names: Vec<String> = if names.iter().any(|name| name == "all") {
        all.collect()
    } else {
        names
    };
    let unwritten = |path: &Path, error: &io::Error| {
        Failure::new(
            Exit::Usage,
            format!("{} cannot be written", shown(path)),
            error.to_string(),
            remedy(error, "name a folder that you may write to with --to"),
        )
    };
    std::fs::create_dir_all(&dir).map_err(|e| unwritten(&dir, &e))?;
    let mut said = String::new();
    for name in names {
        let text = scenes::record(&name, None).await?;
        let path: PathBuf = dir.join(format!("{name}.jsonl"));
        std::fs::write(&path, &text).map_err(|e| unwritten(&path, &e))?;
        let events = text.lines().count().saturating_sub(1);
        let _ = writeln!(said, "{}  {events} events", shown(&path));
    }
    Ok(said)
}

/// `hoptrail export`.
///
/// # Errors
/// If the trace cannot be read, the form is not known, or the output cannot be written.
pub fn export(common: &Common, args: &ExportArgs) -> Result<Exit, Failure> {
    let place = Place::named(&args.file);
    let loaded = load(&place, &mut io::stderr())?;
    let remarks = match args.to {
        Form::Markdown => remarks(common, &place)?,
        Form::Otlp | Form::Ocsf | Form::Cast | Form::Svg => Vec::new(),
    };
    let source = Source {
        loaded: &loaded,
        remarks: &remarks,
        name: &place.name(),
    };
    let look = settings::picture(common);
    let mut unread = None;
    // As with most programs `-` is standard output.
    match args
        .output
        .as_deref()
        .filter(|path| *path != Path::new("-"))
    {
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            let written = write(&mut out, args, source, look, &mut unread);
            super::told(written.and_then(|()| out.flush()))?;
        }
        Some(path) => {
            spare(&place, path)?;
            let written = File::create(path).and_then(|file| {
                let mut out = BufWriter::new(file);
                write(&mut out, args, source, look, &mut unread)?;
                out.flush()
            });
            written.map_err(|e| {
                Failure::new(
                    Exit::Usage,
                    format!("{} could not be written", shown(path)),
                    e.to_string(),
                    remedy(&e, "choose another place with --output"),
                )
            })?;
        }
    }
    match unread {
        Some(why) => Err(changed(&place, why)),
        None => Ok(Exit::Ok),
    }
}

/// Refuses to write over the trace that is read: its lines are read while the output is written.
fn spare(place: &Place, output: &Path) -> Result<(), Failure> {
    if !place.is_at(output) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        format!("{} is the trace itself", shown(output)),
        "it would be lost, and is read while the output is written",
        "choose another place with --output",
    ))
}

fn changed(place: &Place, why: String) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("The trace {} could not be read to its end", place.shown()),
        why,
        "the output is not whole: export it again when nobody writes to the trace",
    )
}

/// What is exported.
#[derive(Clone, Copy)]
struct Source<'a> {
    loaded: &'a Loaded,
    remarks: &'a [Remark],
    /// What the trace is called if it has no title.
    name: &'a str,
}

/// What was noted on a trace in a replay.
fn remarks(common: &Common, place: &Place) -> Result<Vec<Remark>, Failure> {
    let state = paths::state_dir(common.state.as_deref())?;
    let file = NotesFile::of(place, &state);
    let notes = file.map_or_else(|| Ok(Notes::default()), |mut file| file.read())?;
    let remarks = notes.all().iter().map(|note| Remark {
        place: note.place,
        text: note.text.clone(),
    });
    Ok(remarks.collect())
}

fn write(
    out: &mut impl io::Write,
    args: &ExportArgs,
    Source {
        loaded,
        remarks,
        name,
    }: Source<'_>,
    look: Look,
    unread: &mut Option<String>,
) -> io::Result<()> {
    let Loaded {
        header, projection, ..
    } = loaded;
    let view = view(args.pane);
    match args.to {
        Form::Otlp => otlp::write(out, header, projection),
        Form::Markdown => {
            let lacks = loaded.damage.sentences();
            let beside = Beside {
                remarks,
                lacks: &lacks,
            };
            markdown::write(out, header, projection, beside)
        }
        Form::Ocsf => {
            if projection.audit().rows().is_empty() {
                // If standard error is gone there is nobody left to tell.
                let _ = writeln!(
                    io::stderr(),
                    "hoptrail: no audit row is in this trace, so there are no events: no zone was asked"
                );
            }
            ocsf::write(out, projection)
        }
        Form::Cast | Form::Svg => {
            let timeline = Timeline::again(projection);
            if timeline.len() < projection.log().len() {
                *unread = projection.log().read(Seq::at(timeline.len())).err();
            }
            let title = header.title.as_deref().map(one_line);
            let title = title.unwrap_or_else(|| name.to_owned());
            let mut screen = Screen::new(title.clone(), timeline, look, view, args.size);
            if args.to == Form::Cast {
                let events = events(projection, unread);
                return cast::write(out, header, screen, events, Pace::default());
            }
            screen.end();
            out.write_all(svg::picture(&screen.draw(), &title).as_bytes())
        }
    }
}

/// The events, read again, up to one that cannot be: why that is goes into `unread`.
fn events<'a>(
    projection: &'a Projection,
    unread: &'a mut Option<String>,
) -> impl Iterator<Item = TraceEvent> + 'a {
    let log = projection.log();
    (0..log.len()).map_while(|place| {
        let line = log.read(Seq::at(place));
        let event = line.and_then(|line| {
            codec::decode(&line, place as u64 + 2).map_err(|error| error.to_string())
        });
        event.map_err(|why| *unread = Some(why)).ok()
    })
}

fn view(shown: Shown) -> View {
    match shown {
        Shown::Stage => View::Stage,
        Shown::Pane(pane) => View::Pane(pane.into()),
    }
}

/// `hoptrail diff`: exit code 0 if the runs are the same, 1 if they differ. Durations are compared
/// as in the window, and always where a factor is named.
///
/// # Errors
/// If a trace cannot be read or the output not be written.
pub fn diff(
    common: &Common,
    left: &Place,
    right: &Place,
    factor: Option<f64>,
) -> Result<Exit, Failure> {
    let one = load(left, &mut io::stderr())?;
    let other = load(right, &mut io::stderr())?;
    let (durations, tolerance) = if let Some(factor) = factor {
        let named = Tolerance {
            factor,
            ..Tolerance::default()
        };
        (Durations::Compared, named)
    } else {
        let durations = left.durations(Some(right));
        (durations, durations.tolerance())
    };
    let comparison = Comparison::of(&one.projection, &other.projection, tolerance);
    // Who names no factor is told of durations, and does not fail for a cold start.
    let same = match factor {
        Some(_) => comparison.is_same(),
        None => comparison.is_same_but_for_durations(),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let names = (left.shown(), right.shown());
    let written = if common.json {
        let value = serde_json::json!({
            "left": names.0,
            "right": names.1,
            "durations": match durations {
                Durations::Compared => "compared",
                Durations::LeftOut => "left_out",
            },
            "same": same,
            "counts": comparison.counts(),
            "run": comparison.run,
            "calls": comparison.calls,
        });
        writeln!(out, "{value}")
    } else {
        let style = settings::style(common);
        let told = plain::compare::write(&mut out, style, &comparison, (&names.0, &names.1));
        told.and_then(|()| match durations {
            Durations::Compared if same && !comparison.is_same() => writeln!(
                out,
                "only durations differ, which is no failure; with --factor TIMES it is one"
            ),
            Durations::Compared => Ok(()),
            Durations::LeftOut => writeln!(
                out,
                "durations left out: one of them came along with hoptrail; --factor compares them"
            ),
        })
    };
    super::told(written.and_then(|()| out.flush()))?;
    Ok(if same { Exit::Ok } else { Exit::Failed })
}

fn shown(path: &Path) -> String {
    one_line(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trace.jsonl");
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn a_trace_cut_off_anywhere_opens_with_what_is_whole() {
        let story = std::fs::read("tests/traces/story.jsonl").unwrap();
        let header = story.iter().position(|b| *b == b'\n').unwrap();
        let lines = |bytes: &[u8]| bytes.split(|b| *b == b'\n').count() - 1;
        for end in [
            header + 1,
            header + 2,
            5_000,
            20_000,
            story.len() - 1,
            story.len(),
        ] {
            let (_dir, path) = written(&story[..end]);
            let mut err = Vec::new();
            let loaded = load(&Place::File(path), &mut err).unwrap();
            let whole = lines(&story[..end]) - 1;
            let torn = usize::from(end == story.len() - 1);
            assert_eq!(loaded.projection.log().len(), whole + torn, "cut at {end}");
            let told = String::from_utf8(err).unwrap();
            let within = ![header + 1, story.len() - 1, story.len()].contains(&end);
            assert_eq!(told.contains("ends within a line"), within, "cut at {end}");
            assert_eq!(told.is_empty(), !within, "cut at {end}: {told}");
        }
    }

    #[test]
    fn damaged_lines_are_named_and_skipped() {
        let story = std::fs::read_to_string("tests/traces/story.jsonl").unwrap();
        let mut lines: Vec<&str> = story.lines().collect();
        let whole = lines.len();
        lines.insert(3, "{\"seq\":");
        lines.insert(9, "{}");
        let (_dir, path) = written(lines.join("\n").as_bytes());
        let mut err = Vec::new();
        let loaded = load(&Place::File(path), &mut err).unwrap();
        assert_eq!(loaded.projection.log().len(), whole - 1);
        let told = String::from_utf8(err).unwrap();
        assert!(told.contains("2 damaged lines"), "{told}");
        assert!(told.contains("line 4, column"), "{told}");
        assert!(told.contains("line 10, column"), "{told}");
    }

    #[test]
    fn numbers_that_do_not_rise_are_told_once() {
        let story = std::fs::read_to_string("tests/traces/story.jsonl").unwrap();
        let mut lines: Vec<&str> = story.lines().collect();
        lines.swap(5, 6);
        lines.swap(20, 21);
        lines.insert(2, "{}");
        let (_dir, path) = written(lines.join("\n").as_bytes());
        let mut err = Vec::new();
        let loaded = load(&Place::File(path), &mut err).unwrap();
        assert_eq!(loaded.projection.log().len(), story.lines().count() - 1);
        let told = String::from_utf8(err).unwrap();
        assert_eq!(told.matches("do not rise").count(), 1, "{told}");
        assert!(told.contains("do not rise at line 8"), "{told}");
    }

    #[test]
    fn a_newer_format_and_a_file_that_is_no_trace_are_refused_with_the_next_step() {
        for (text, part) in [
            ("", "the file is empty"),
            ("hello\n", "not a hoptrail trace"),
            (
                "{\"format\":\"hoptrail-trace\",\"version\":9,\"app\":\"x\",\"started\":\"2026-11-24T09:00:00Z\"}\n",
                "version 9",
            ),
        ] {
            let (_dir, path) = written(text.as_bytes());
            let failure = load(&Place::File(path), &mut Vec::new()).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.why.contains(part), "{failure}");
            assert!(failure.next.contains("record"), "{failure}");
        }
    }

    #[test]
    fn a_trace_in_another_encoding_is_named_for_it() {
        let story = std::fs::read_to_string("tests/traces/story.jsonl").unwrap();
        let utf_16: Vec<u8> = story.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let behind = |mark: &[u8], text: &[u8]| [mark, text].concat();
        for (bytes, part) in [
            (behind(b"\xef\xbb\xbf", story.as_bytes()), "byte order mark"),
            (behind(b"\xff\xfe", &utf_16), "UTF-16"),
            (utf_16.clone(), "UTF-16"),
            (b"\x1f\x8b\x08\x00\n".to_vec(), "gzip"),
        ] {
            let (_dir, path) = written(&bytes);
            let failure = load(&Place::File(path), &mut Vec::new()).unwrap_err();
            assert!(failure.why.contains(part), "{failure}");
            assert!(failure.next.contains("save it as UTF-8"), "{failure}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_without_an_end_is_no_trace() {
        let zero = Place::named(Path::new("/dev/zero"));
        let failure = load(&zero, &mut Vec::new()).unwrap_err();
        assert!(failure.why.contains("longer than any header"), "{failure}");
    }
}
