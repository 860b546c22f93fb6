//! One crate has no compiler-checked walls, so the walls are here: who may import whom, and how
//! long a file may be.

use std::{fs, path::Path};

/// A module and the modules of this crate that it may name. Anything else is a hole in a wall.
const WALLS: &[(&str, &[&str])] = &[
    ("support", &[]),
    ("protocol", &["support"]),
    ("trace", &["protocol", "support"]),
    ("projection", &["trace", "protocol", "support"]),
    ("config", &["support"]),
    ("shipped", &[]),
    ("chapters", &["projection", "trace", "protocol", "support"]),
    (
        "app",
        &[
            "chapters",
            "config",
            "projection",
            "protocol",
            "shipped",
            "support",
            "trace",
        ],
    ),
    (
        "ui",
        &[
            "app",
            "chapters",
            "config",
            "projection",
            "protocol",
            "shipped",
            "support",
            "trace",
        ],
    ),
    ("plain", &["projection", "trace", "protocol", "support"]),
    (
        // A cast and a picture are the panes themselves, drawn by app and ui from a trace.
        "export",
        &[
            "app",
            "config",
            "projection",
            "protocol",
            "support",
            "trace",
            "ui",
        ],
    ),
    ("client", &["trace", "protocol", "support"]),
    ("server", &["protocol", "support"]),
    ("zone", &["protocol", "support"]),
    ("upstream", &["protocol", "support"]),
    (
        "lab",
        &["server", "zone", "upstream", "protocol", "support"],
    ),
    (
        "runtime",
        &[
            "app",
            "chapters",
            "client",
            "config",
            // A picture of the screen is the same by a key as by a command.
            "export",
            "lab",
            "plain",
            "projection",
            "protocol",
            "server",
            "shipped",
            "support",
            "trace",
            "ui",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "chapters",
            "config",
            "export",
            "lab",
            "plain",
            "projection",
            "protocol",
            "runtime",
            "server",
            "shipped",
            "support",
            "trace",
            "ui",
        ],
    ),
];

/// Foreign crates that a layer must not touch.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("protocol", &["tokio", "axum", "ratatui"]),
    ("trace", &["tokio", "ratatui", "std::fs"]),
    ("projection", &["tokio", "ratatui", "std::fs", "std::net"]),
    (
        "chapters",
        &["tokio", "ratatui", "reqwest", "std::fs", "std::net"],
    ),
    (
        "app",
        &["tokio", "ratatui", "crossterm", "std::fs", "std::net"],
    ),
    ("ui", &["tokio", "std::fs", "reqwest"]),
    ("plain", &["ratatui"]),
    ("export", &["tokio", "crossterm", "std::fs", "std::net"]),
];

/// Lines a file may have; tests inside it count.
const LONGEST: usize = 500;

/// Every file of Rust below a folder, by its path from here, and its text.
fn sources(dir: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(Path::new(dir), &mut found);
    found
}

fn collect(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), text));
        }
    }
}

fn module(file: &str) -> &str {
    let below = file.strip_prefix("src/").unwrap();
    below.split(['/', '.']).next().unwrap()
}

/// The code without line comments, each line in its place.
fn code(text: &str) -> String {
    let bare = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    text.lines().map(bare).collect::<Vec<_>>().join("\n")
}

/// What a `use` tree names, path by path: `std::{fs, path::Path}` is `std::fs` and `std::path::Path`.
fn expand(before: &str, tree: &str, named: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((stem, group)) = tree.split_once('{') else {
        if !tree.is_empty() {
            named.push(format!("{before}{tree}"));
        }
        return;
    };
    let group = group.rsplit_once('}').map_or(group, |(inside, _)| inside);
    let before = format!("{before}{}", stem.trim());
    let (mut depth, mut from) = (0_usize, 0);
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                expand(&before, &group[from..at], named);
                from = at + 1;
            }
            _ => {}
        }
    }
    expand(&before, &group[from..], named);
}

/// Every path that a file names, with its line: those of its `use` statements, however rustfmt broke
/// them, and those in the midst of code.
fn paths(text: &str) -> Vec<(usize, String)> {
    let code = code(text);
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    let mut found = Vec::new();
    for root in [
        "crate::",
        "std::",
        "tokio::",
        "axum::",
        "ratatui::",
        "crossterm::",
        "reqwest::",
    ] {
        for (at, _) in code.match_indices(root) {
            let inside = code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c));
            if inside {
                continue;
            }
            let rest = &code[at..];
            let end = rest
                .find([';', '(', ')', '<', '>', ' ', '\n'])
                .unwrap_or(rest.len());
            let is_tree = rest[..end].contains('{');
            let end = if is_tree {
                rest.find(';').unwrap_or(rest.len())
            } else {
                end
            };
            let mut named = Vec::new();
            expand("", &rest[..end], &mut named);
            found.extend(named.into_iter().map(|path| (line_of(at), path)));
        }
    }
    found
}

/// The holes that a file makes.
fn holes(file: &str, text: &str) -> Vec<String> {
    let from = module(file);
    let Some((_, allowed)) = WALLS.iter().find(|(name, _)| *name == from) else {
        return Vec::new();
    };
    let banned = FORBIDDEN.iter().find(|(name, _)| *name == from);
    let banned = banned.map_or(&[][..], |(_, banned)| *banned);
    let mut holes = Vec::new();
    for (line, path) in paths(text) {
        let to = path.strip_prefix("crate::").map(|rest| {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            &rest[..end.unwrap_or(rest.len())]
        });
        if let Some(to) = to {
            let is_module = WALLS.iter().any(|(m, _)| *m == to);
            if is_module && to != from && !allowed.contains(&to) {
                holes.push(format!("{file}:{line}: {from} names {to}"));
            }
        }
        for crate_ in banned {
            let rest = path.strip_prefix(crate_);
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::")) {
                holes.push(format!("{file}:{line}: {from} touches {crate_}"));
            }
        }
    }
    holes
}

#[test]
fn nobody_reaches_through_a_wall() {
    let sources = sources("src");
    let holes: Vec<_> = sources
        .iter()
        .flat_map(|(file, text)| holes(file, text))
        .collect();
    assert!(
        holes.is_empty(),
        "holes in the walls:\n{}",
        holes.join("\n")
    );
}

/// A check that sees nothing would be green as well.
#[test]
fn a_hole_is_seen_however_it_is_written() {
    let holes = |text| holes("src/app/made_up.rs", text);
    for text in [
        "use crate::runtime::tui;",
        "use crate::{\n    projection::{\n        Seq,\n    },\n    runtime::tui,\n};",
        "fn f() -> crate::client::Client { todo() }",
        "use std::{\n    collections::BTreeMap,\n    fs,\n};",
        "let text = std::fs::read(path);",
        "use tokio::sync::mpsc;",
    ] {
        assert_eq!(holes(text).len(), 1, "{text}: {:?}", holes(text));
    }
    let fine = "use std::{fmt, sync::Arc};\nuse crate::{\n    projection::Seq,\n    trace::Fact,\n};\n// crate::runtime::tui\n";
    assert_eq!(holes(fine), Vec::<String>::new());
}

/// The page that explains the walls lists every module that has some.
#[test]
fn the_architecture_names_every_module() {
    let page = fs::read_to_string("ARCHITECTURE.md").unwrap();
    for (module, _) in WALLS {
        let listed = page
            .lines()
            .any(|line| line.starts_with('|') && line.contains(&format!("`{module}`")));
        assert!(listed, "ARCHITECTURE.md's table lacks {module}");
    }
}

#[test]
fn every_module_has_its_walls() {
    for (file, _) in &sources("src") {
        let name = module(file);
        assert!(
            ["main", "lib"].contains(&name) || WALLS.iter().any(|(m, _)| *m == name),
            "{file} belongs to no layer"
        );
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let files = [sources("src"), sources("tests")].concat();
    let long: Vec<_> = files
        .iter()
        .map(|(file, text)| (text.lines().count(), file))
        .filter(|(lines, _)| *lines > LONGEST)
        .collect();
    assert!(
        long.is_empty(),
        "split these by what they are about: {long:?}"
    );
}
