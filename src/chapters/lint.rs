//! What an author got wrong, in chapters that can be read.

use std::collections::{HashMap, HashSet};

use super::{
    Book, Chapter, Check, Fault, ProbeResults, Status, TextPosition, check,
    expect::Expect,
    parse::{self, Segment},
};
use crate::{
    projection::Projection,
    protocol::tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    support::text::width,
};

/// The columns that a line of code may take: what 80 columns leave beside a margin.
pub const CODE_COLUMNS: usize = 76;

/// The headings that a reader looks for in every chapter.
const SECTIONS: [&str; 3] = ["What you will see", "Why it matters", "Steps"];

/// The tools of the workshop's server.
const TOOLS: [&str; 3] = [GET_SUPPORT_TICKETS, ESCALATE_TICKET, DELETE_ISSUE];

/// Reads chapters and looks at them; every fault of every file, by file and place.
#[must_use]
pub fn lint<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Fault> {
    let mut readable = Vec::new();
    let mut names = HashSet::new();
    let mut faults = Vec::new();
    let mut whole = true;
    for (file, text) in files {
        names.insert(base(file));
        control_characters(file, text, &mut faults);
        match parse::chapter(file, text) {
            Ok(chapter) => readable.push(chapter),
            Err(found) => {
                whole = false;
                faults.extend(found);
            }
        }
    }
    let book = Book { chapters: readable };
    ids(&book, &mut faults);
    // With a chapter missing, what requires it would be named in its stead.
    if whole {
        requirements(&book, &mut faults);
    }
    for chapter in &book.chapters {
        checks(chapter, &mut faults);
        placement(chapter, &mut faults);
        words(chapter, &mut faults);
        text(chapter, &names, &mut faults);
    }
    faults.sort();
    faults
}

fn base(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

fn ids(book: &Book, faults: &mut Vec<Fault>) {
    let mut by_id: HashMap<&str, &str> = HashMap::new();
    let mut by_number: HashMap<u16, &str> = HashMap::new();
    for chapter in &book.chapters {
        if let Some(first) = by_id.insert(&chapter.id, &chapter.file) {
            let what = format!("the id {} is taken by {first}", chapter.id);
            faults.push(chapter.fault(chapter.id_at, &what));
        }
        if let Some(first) = by_number.insert(chapter.number, &chapter.file) {
            let what = format!("the number {} is taken by {first}", chapter.number);
            faults.push(chapter.fault(TextPosition { line: 1, column: 1 }, &what));
        }
    }
}

/// A chapter may only require chapters that come before it, so nobody waits for ever.
fn requirements(book: &Book, faults: &mut Vec<Fault>) {
    for chapter in &book.chapters {
        for (id, at) in &chapter.requires {
            let what = match book.get(id) {
                None => format!("there is no chapter {id}, so this one is never reached"),
                Some(other) if other.number >= chapter.number => {
                    format!("{id} does not come before this chapter, so it is never reached")
                }
                Some(_) => continue,
            };
            faults.push(chapter.fault(*at, &what));
        }
    }
}

fn checks(chapter: &Chapter, faults: &mut Vec<Fault>) {
    let mut seen = HashSet::new();
    for check in &chapter.checks {
        let mut fault = |what: &str| faults.push(chapter.fault(check.at, what));
        if !seen.insert(check.id.as_str()) {
            fault(&format!("the id {} is taken by another check", check.id));
        }
        if check.title.trim().is_empty() {
            fault("the check has no title");
        }
        if check.hints.is_empty() {
            fault("the check has no hint, so a failure would have no fix");
        }
        if check.expect.says_nothing() {
            fault("the check expects nothing");
        } else if check.expect.is_of_a_doubt() {
            fault(
                "exchanges_work is for a mistake's `when`: nobody asks the zone while all is well",
            );
        } else if passes_by_itself(check) {
            fault("the check passes before anything has happened");
        }
        for tool in unknown_tools(&check.expect) {
            fault(&format!(
                "there is no tool {tool}; there are {}",
                TOOLS.join(", ")
            ));
        }
    }
    for mistake in &chapter.mistakes {
        for (id, at) in &mistake.checks {
            if chapter.check(id).is_none() {
                let what = format!("there is no check {id} in this chapter");
                faults.push(chapter.fault(*at, &what));
            }
        }
    }
    for mistake in &chapter.mistakes {
        let mut fault = |what: &str| faults.push(chapter.fault(mistake.at, what));
        if mistake.when.says_nothing() {
            fault("the mistake is known by nothing");
        }
        for tool in unknown_tools(&mistake.when) {
            fault(&format!(
                "there is no tool {tool}; there are {}",
                TOOLS.join(", ")
            ));
        }
    }
}

fn unknown_tools(expect: &Expect) -> impl Iterator<Item = &str> {
    let all = expect.tools().into_iter();
    all.filter(|tool| !TOOLS.contains(tool))
}

fn passes_by_itself(check: &Check) -> bool {
    let status = check::eval(check, &Projection::default(), &ProbeResults::default());
    matches!(status, Status::Passed { .. })
}

fn placement(chapter: &Chapter, faults: &mut Vec<Fault>) {
    let mut placed = HashSet::new();
    for segment in &chapter.segments {
        let Segment::Check { id, at } = segment else {
            continue;
        };
        if chapter.check(id).is_none() {
            let what = format!("there is no check {id} in the front matter");
            faults.push(chapter.fault(*at, &what));
        } else if !placed.insert(id.as_str()) {
            let what = format!("the check {id} has a place already");
            faults.push(chapter.fault(*at, &what));
        }
    }
    for check in &chapter.checks {
        if !placed.contains(check.id.as_str()) {
            let what = format!(
                "the check has no place in the text: <!-- check: {} -->",
                check.id
            );
            faults.push(chapter.fault(check.at, &what));
        }
    }
}

fn words(chapter: &Chapter, faults: &mut Vec<Fault>) {
    let answered = chapter
        .answer
        .as_deref()
        .is_some_and(|answer| !answer.trim().is_empty());
    match &chapter.question {
        None => {
            faults.push(chapter.fault(chapter.id_at, "the chapter has no question to pause at"));
        }
        Some((_, at)) if !answered => {
            faults.push(chapter.fault(*at, "the question has no answer"));
        }
        Some(_) => {}
    }
    let headings = headings(chapter);
    for section in SECTIONS {
        if !headings.contains(&slug(section)) {
            let what = format!("the chapter has no section “## {section}”");
            faults.push(chapter.fault(chapter.id_at, &what));
        }
    }
}

/// The prose: code that is too wide, links that lead nowhere.
fn text(chapter: &Chapter, names: &HashSet<&str>, faults: &mut Vec<Fault>) {
    let headings = headings(chapter);
    for segment in &chapter.segments {
        let Segment::Markdown { text, at, .. } = segment else {
            continue;
        };
        let mut fence: Option<&str> = None;
        let mut table = None;
        for (offset, line) in text.lines().enumerate() {
            let number = at.line + offset;
            let mark = parse::code_fence(line);
            if fence.is_none() {
                row(chapter, line, number, &mut table, faults);
            }
            match (fence, mark) {
                (None, Some(mark)) => fence = Some(mark),
                (Some(open), Some(mark)) if open == mark => fence = None,
                (Some(_), _) => too_wide(chapter, line, number, faults),
                (None, None) => {
                    if let Some(column) = html(line) {
                        let place = TextPosition {
                            line: number,
                            column,
                        };
                        let what = "HTML is not laid out: it would stand in the text as it is";
                        faults.push(chapter.fault(place, what));
                    }
                    for (column, target) in links(line) {
                        if let Some(what) = dead(target, names, &headings) {
                            let place = TextPosition {
                                line: number,
                                column,
                            };
                            faults.push(chapter.fault(place, &what));
                        }
                    }
                }
            }
        }
    }
}

/// Characters that would move the cursor, or worse.
fn control_characters(file: &str, source: &str, faults: &mut Vec<Fault>) {
    for (number, line) in (1..).zip(source.lines()) {
        let found = line.chars().position(|c| c.is_control() && c != '\t');
        if let Some(column) = found {
            let place = TextPosition {
                line: number,
                column: column + 1,
            };
            let what = "there is a control character in this line";
            faults.push(Fault::at(file, source, place, what));
        }
    }
}

/// Where an HTML tag stands, outside code.
fn html(line: &str) -> Option<usize> {
    let mut in_code = false;
    for (column, (at, c)) in (1..).zip(line.char_indices()) {
        if c == '`' {
            in_code = !in_code;
        }
        let Some(rest) = line[at..].strip_prefix('<').filter(|_| !in_code) else {
            continue;
        };
        let Some((tag, _)) = rest.split_once('>') else {
            continue;
        };
        let name = tag.strip_prefix('/').unwrap_or(tag);
        let name: &str = name.split([' ', '/']).next().unwrap_or(name);
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric());
        if is_name {
            return Some(column);
        }
    }
    None
}

/// A row of a table with another number of cells than the first: somebody forgot a `|`.
fn row(
    chapter: &Chapter,
    line: &str,
    number: usize,
    table: &mut Option<usize>,
    faults: &mut Vec<Fault>,
) {
    let row = line.trim();
    if !row.starts_with('|') {
        *table = None;
        return;
    }
    let inner = row.strip_prefix('|').unwrap_or(row);
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    let count = 1 + inner.replace("\\|", "").matches('|').count();
    let first = *table.get_or_insert(count);
    if count != first {
        let column = 1 + line.chars().take_while(|c| c.is_whitespace()).count();
        let place = TextPosition {
            line: number,
            column,
        };
        let what = format!("this row has {count} cells, and the table's first has {first}");
        faults.push(chapter.fault(place, &what));
    }
}

fn too_wide(chapter: &Chapter, line: &str, number: usize, faults: &mut Vec<Fault>) {
    let columns = width(line);
    if columns > CODE_COLUMNS {
        let place = TextPosition {
            line: number,
            column: CODE_COLUMNS + 1,
        };
        let what = format!("this line of code takes {columns} columns and not {CODE_COLUMNS}");
        faults.push(chapter.fault(place, &what));
    }
}

fn dead(target: &str, names: &HashSet<&str>, headings: &HashSet<String>) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return None;
    }
    if let Some(heading) = target.strip_prefix('#') {
        let known = headings.contains(heading);
        return (!known).then(|| format!("there is no heading #{heading} in this chapter"));
    }
    let file = target.split('#').next().unwrap_or(target);
    let file = file.strip_prefix("./").unwrap_or(file);
    (!names.contains(file)).then(|| format!("the link leads nowhere: there is no {target}"))
}

/// The targets of a line's links, each with its column; code is no link.
fn links(line: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    let mut column = 0;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        column += 1;
        if c == '`' {
            in_code = !in_code;
        }
        if !in_code
            && let Some(target) = rest.strip_prefix("](")
            && let Some(end) = target.find(')')
        {
            found.push((column + 2, &target[..end]));
        }
        rest = &rest[c.len_utf8()..];
    }
    found
}

/// The names under which a chapter's headings can be linked to, as GitHub makes them.
fn headings(chapter: &Chapter) -> HashSet<String> {
    chapter
        .segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Markdown { text, .. } => Some(text.lines()),
            Segment::Check { .. } | Segment::Try { .. } | Segment::Show { .. } => None,
        })
        .flatten()
        .filter(|line| line.starts_with('#'))
        .map(|line| slug(line.trim_start_matches('#')))
        .collect()
}

fn slug(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}
