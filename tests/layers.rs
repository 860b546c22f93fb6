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

#[test]
fn nobody_reaches_through_a_wall() {
    let mut holes = Vec::new();
    for (file, text) in &sources("src") {
        let from = module(file);
        let Some((_, allowed)) = WALLS.iter().find(|(name, _)| *name == from) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            for part in code.split("crate::").skip(1) {
                let names: Vec<&str> = if let Some(group) = part.strip_prefix('{') {
                    group.split([',', '}']).map(str::trim).collect()
                } else {
                    vec![part]
                };
                for name in names {
                    let to: String = name
                        .chars()
                        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                        .collect();
                    let is_module = WALLS.iter().any(|(m, _)| *m == to);
                    if is_module && to != from && !allowed.contains(&to.as_str()) {
                        holes.push(format!("{file}:{}: {from} names {to}", number + 1));
                    }
                }
            }
            for (name, banned) in FORBIDDEN {
                if *name == from {
                    for word in *banned {
                        if code.contains(&format!("{word}::")) {
                            holes.push(format!("{file}:{}: {from} touches {word}", number + 1));
                        }
                    }
                }
            }
        }
    }
    assert!(
        holes.is_empty(),
        "holes in the walls:\n{}",
        holes.join("\n")
    );
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
