//! How a chapter is written, for authors: what is fixed is said here, and what a check may expect is
//! told by the types that read it, so that neither can be out of date.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Attempt, Expect};
use crate::support::pane::Pane;

const INTRODUCTION: &str = "\
# Writing chapters

Each file `NN-name.md` is one chapter, NN its number. Read them with `hoptrail learn --chapters DIR`, which
follows every change; `hoptrail chapters lint DIR` finds what is wrong, with file, line and column.

A chapter begins with a front matter, TOML between two lines of `+++`, and goes on in Markdown: headings,
paragraphs, lists, tables, code and links.

## The front matter

- `id`: what other chapters and the reader's progress call it
- `title`
- `minutes`: how long a newcomer takes
- `requires`: the ids of the chapters before it
- `pane`: what stands beside the text at first
- `stage`: what the lab's server is at the chapter's end: 0 open to anyone, 2 a token is demanded, 4 Supabase
  from the vault, 5 masked, 6 Linear per call, 7 the policy limits the scopes
- `question` and `answer`: what to pause at; the answer is folded away
- `[[checks]]`: `id`, `title` (what holds when it passed), `hints` (shown one at a time; the first is also what to
  do when it fails), `expect` (a condition), and where needed `required = false`, `within = \"chapter\"` (only what
  was done since the chapter began counts), `only_here = true` (a later chapter changes it again)
- `[[mistakes]]`: `seen`, `cause`, `fix`, `when` (a condition that shows that it is this one), and `checks`, the ids
  that it spoils; all when left out. In `cause` and `fix`, `{service}` and `{url}` stand for the service that was
  refused and the setting that says where it is.

A check whose condition is a tool call:

```toml
[[checks]]
id = \"listed\"
title = \"The tickets were listed, with a token\"
hints = [\"Sign in, then list the tickets\"]
within = \"chapter\"
[checks.expect.tool_call]
name = \"get_support_tickets\"
outcome = \"succeeded\"
token = \"with\"
```

## In the text

Each stands on a line of its own, as an HTML comment.

";

/// The guide, as Markdown.
#[must_use]
pub fn guide() -> String {
    let mut out = INTRODUCTION.to_owned();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line("- `<!-- check: ID -->`: the check, with how it stands".to_owned());
    line("- `<!-- show: PANE -->`: what to look at now".to_owned());
    line("- `<!-- try: WORD -->`: something that one key does".to_owned());
    for attempt in Attempt::ALL {
        line(format!("  - `{}`: {}", attempt.name(), attempt.words()));
    }
    let panes: Vec<String> = Pane::ALL
        .iter()
        .map(|pane| format!("`{}`", pane.name()))
        .collect();
    line(format!("\nThe panes are {}.", panes.join(", ")));
    line("\n## Conditions".to_owned());
    line("\nA condition is its name alone, as in `expect = \"signed_in\"`, or a table with what it takes.".to_owned());
    let schema = schemars::schema_for!(Expect).to_value();
    let types = Types(schema["$defs"].as_object().cloned().unwrap_or_default());
    for variant in schema["oneOf"].as_array().into_iter().flatten() {
        types.condition(variant, &mut out);
    }
    out
}

/// The types that conditions are made of, by their names.
struct Types(Map<String, Value>);

impl Types {
    /// A condition with what it takes.
    fn condition(&self, variant: &Value, out: &mut String) {
        let about = one_line(variant);
        // Without anything to say about it a condition is its name alone.
        let names = variant["const"]
            .as_str()
            .into_iter()
            .chain(texts(&variant["enum"]));
        for name in names {
            let _ = write!(out, "\n### `{name}`\n\n{about}\n");
        }
        for (name, takes) in members(&variant["properties"]) {
            let _ = write!(out, "\n### `{name}`\n\n");
            if !about.is_empty() {
                let _ = writeln!(out, "{about}\n");
            }
            let object = self.resolved(takes);
            let fields: Vec<_> = members(&object["properties"]).collect();
            if fields.is_empty() {
                let _ = writeln!(out, "It takes {}.", self.kind(takes));
            }
            self.fields(object, "", out);
        }
    }

    /// The fields of a table, and of the tables in its lists.
    fn fields(&self, object: &Value, indent: &str, out: &mut String) {
        for (field, of) in members(&object["properties"]) {
            let needed = texts(&object["required"]).any(|name| name == field);
            let may = if needed { "" } else { " (may be left out)" };
            let kind = self.kind(of);
            let _ = write!(out, "{indent}- `{field}`{may}: {kind}");
            let about = one_line(of);
            let end = if about.is_empty() { "" } else { ". " };
            let _ = writeln!(out, "{end}{about}");
            for (word, about) in explained(self.resolved(of)) {
                let _ = writeln!(out, "{indent}  - `{word}`: {about}");
            }
            if of["items"]["$ref"].is_string() {
                self.fields(self.resolved(&of["items"]), &format!("{indent}  "), out);
            }
        }
    }

    /// The type behind a reference, and behind what may be absent.
    fn resolved<'a>(&'a self, of: &'a Value) -> &'a Value {
        let of = match &of["anyOf"][0] {
            Value::Null => of,
            inner => inner,
        };
        let name = of["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.0.get(name)).unwrap_or(of)
    }

    /// What may stand there, in words.
    fn kind(&self, of: &Value) -> String {
        if of["$ref"] == "#" || of["items"]["$ref"] == "#" {
            let many = of["items"].is_object();
            return if many {
                "a list of conditions"
            } else {
                "a condition"
            }
            .to_owned();
        }
        let of = self.resolved(of);
        let words = words(of);
        if let Some((last, rest)) = words.split_last() {
            return match rest {
                [] => last.clone(),
                rest => format!("{} or {last}", rest.join(", ")),
            };
        }
        let is = |name: &str| of["type"] == name || texts(&of["type"]).any(|one| one == name);
        if is("array") {
            return match &of["prefixItems"] {
                Value::Array(items) => format!("{} numbers, as in `[1, 3]`", items.len()),
                _ => match self.kind(&of["items"]).as_str() {
                    "a text" => "a list of texts".to_owned(),
                    "a table" => "a list of tables, each with".to_owned(),
                    words => format!("a list of {words}"),
                },
            };
        }
        let plain = [
            ("string", "a text"),
            ("integer", "a number"),
            ("boolean", "`true` or `false`"),
        ];
        let found = plain.iter().find(|(name, _)| is(name));
        found.map_or("a table", |(_, words)| words).to_owned()
    }
}

/// The words that a type may be.
fn words(of: &Value) -> Vec<String> {
    let variants = of["oneOf"].as_array().into_iter().flatten();
    let named =
        variants.flat_map(|one| one["const"].as_str().into_iter().chain(texts(&one["enum"])));
    texts(&of["enum"])
        .chain(named)
        .map(|word| format!("`{word}`"))
        .collect()
}

/// The words of a type that say more than their name.
fn explained(of: &Value) -> impl Iterator<Item = (&str, String)> {
    let variants = of["oneOf"].as_array().into_iter().flatten();
    let explained = variants.map(|one| Some((one["const"].as_str()?, one_line(one))));
    explained.flatten().filter(|(_, about)| !about.is_empty())
}

fn texts(of: &Value) -> impl Iterator<Item = &str> {
    of.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn members(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of.as_object().into_iter().flatten()
}

/// What the code says of it, for a person.
fn one_line(of: &Value) -> String {
    let about = of["description"].as_str().unwrap_or_default();
    let about = about.replace("[`", "`").replace("`]", "`");
    about.split_whitespace().collect::<Vec<_>>().join(" ")
}
