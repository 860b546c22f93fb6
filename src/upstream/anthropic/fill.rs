//! Fills a JSON Schema from what the recogniser saw, property by property.
//!
//! A property is understood by its name and type. One that is not understood is left out where the
//! schema allows it, is null where that is allowed, and otherwise refuses the whole with its path:
//! a made-up value would be worse than none. Original values of personal data are never given back.

pub mod keywords;
mod words;

use std::cell::Cell;

use serde_json::{Map, Value, json};

use self::words::{has, means, option_for, words};
use super::{
    error::ApiError,
    recogniser::{Recognition, kind_word},
};
use crate::protocol::tickets::EntityKind;

/// Deeper schemas than this are nobody's real schema.
const DEEPEST: usize = 16;

/// A schema that refers to itself has options without end; no real one needs as many.
const MOST_TRIES: usize = 2_000;

/// Why a schema cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Names of properties, from the outside in.
    path: Vec<String>,
    why: String,
}

impl Refusal {
    fn new(why: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            why: why.into(),
        }
    }

    fn under(mut self, name: &str) -> Self {
        self.path.insert(0, name.to_owned());
        self
    }

    /// The error, with the path of the schema in the request before that of the property.
    pub fn into_error(self, schema: &str) -> ApiError {
        let path: String = self
            .path
            .iter()
            .flat_map(|name| [".properties.", name.as_str()])
            .collect();
        ApiError::invalid(format!("{schema}{path}: {}", self.why))
    }
}

/// Fills `schema`.
pub fn fill(schema: &Value, seen: &Recognition) -> Result<Value, Refusal> {
    let filler = Filler {
        root: schema,
        seen,
        tries: Cell::new(MOST_TRIES),
    };
    let value = filler.value("", schema, DEEPEST);
    if filler.tries.get() == 0 {
        return Err(Refusal::new("has more options than the lab's rules try"));
    }
    value
}

struct Filler<'a> {
    root: &'a Value,
    seen: &'a Recognition,
    /// How many schemas may still be looked at.
    tries: Cell<usize>,
}

impl Filler<'_> {
    fn value(&self, name: &str, schema: &Value, depth: usize) -> Result<Value, Refusal> {
        if depth == 0 {
            return Err(Refusal::new("is nested too deeply"));
        }
        let Some(left) = self.tries.get().checked_sub(1) else {
            return Err(Refusal::new("was not tried"));
        };
        self.tries.set(left);
        if let Some(reference) = schema["$ref"].as_str() {
            let target = reference
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer))
                .ok_or_else(|| Refusal::new(format!("refers to {reference}, which is not here")))?;
            return self.value(name, target, depth - 1);
        }
        if let Some(value) = schema.get("const") {
            return Ok(value.clone());
        }
        for union in ["anyOf", "oneOf", "allOf"] {
            if let Some(options) = schema[union].as_array() {
                return self.first_of(name, options, depth);
            }
        }
        if let Some(types) = schema["type"].as_array() {
            let options: Vec<Value> = types
                .iter()
                .map(|kind| {
                    let mut one = schema.clone();
                    one["type"] = kind.clone();
                    one
                })
                .collect();
            return self.first_of(name, &options, depth);
        }
        let kind = schema["type"].as_str().unwrap_or_else(|| {
            if schema["properties"].is_object() {
                "object"
            } else if schema["enum"].is_array() {
                "string"
            } else {
                ""
            }
        });
        match kind {
            "object" => self.object(schema, depth),
            "array" => self.array(name, schema, depth),
            "string" => self.string(name, schema),
            "boolean" => self.boolean(name),
            "integer" | "number" => self.number(name),
            "null" => Ok(Value::Null),
            other => Err(Refusal::new(format!(
                "the lab's rules do not know the type {other:?}"
            ))),
        }
    }

    /// The first option that can be filled; null only where nothing else can.
    fn first_of(&self, name: &str, options: &[Value], depth: usize) -> Result<Value, Refusal> {
        let is_null = |option: &&Value| option["type"] == "null";
        let mut refusal = None;
        for option in options.iter().filter(|option| !is_null(option)) {
            match self.value(name, option, depth - 1) {
                Ok(value) => return Ok(value),
                Err(why) => refusal = refusal.or(Some(why)),
            }
        }
        if options.iter().any(|option| is_null(&option)) {
            return Ok(Value::Null);
        }
        Err(refusal.unwrap_or_else(|| Refusal::new("has no option to choose from")))
    }

    fn object(&self, schema: &Value, depth: usize) -> Result<Value, Refusal> {
        let required = |name: &str| {
            schema["required"]
                .as_array()
                .is_some_and(|names| names.iter().any(|n| n == name))
        };
        let mut object = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            match self.value(name, property, depth - 1) {
                Ok(value) => {
                    object.insert(name.clone(), value);
                }
                Err(_) if !required(name) => {}
                Err(refusal) => return Err(refusal.under(name)),
            }
        }
        Ok(Value::Object(object))
    }

    fn array(&self, name: &str, schema: &Value, depth: usize) -> Result<Value, Refusal> {
        let items = self.resolved(&schema["items"], depth);
        let words = words(name);
        let mut values = if items["type"] == "object" || items["properties"].is_object() {
            if !has(
                &words,
                &[
                    "entity",
                    "entities",
                    "pii",
                    "placeholders",
                    "detected",
                    "redactions",
                    "masked",
                    "replacements",
                    "findings",
                    "items",
                ],
            ) {
                return Err(not_understood(name, "a list of objects"));
            }
            self.entities(items)?
        } else if items["type"] == "string" || items["enum"].is_array() {
            self.strings(name, items)?
        } else {
            return Err(not_understood(name, "a list"));
        };
        if let Some(most) = schema["maxItems"].as_u64() {
            values.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        }
        let least = schema["minItems"].as_u64().unwrap_or(0);
        if (values.len() as u64) < least {
            return Err(Refusal::new(format!(
                "asks for at least {least} items and the text has {}",
                values.len()
            )));
        }
        Ok(Value::Array(values))
    }

    fn resolved<'s>(&'s self, schema: &'s Value, depth: usize) -> &'s Value {
        let mut schema = schema;
        for _ in 0..depth {
            match schema["$ref"]
                .as_str()
                .and_then(|r| r.strip_prefix('#'))
                .and_then(|pointer| self.root.pointer(pointer))
            {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    /// Each placeholder as an object of a kind and the placeholder.
    fn entities(&self, items: &Value) -> Result<Vec<Value>, Refusal> {
        let required = items["required"].as_array();
        let mut values = Vec::new();
        for entity in &self.seen.entities {
            let mut object = Map::new();
            for (name, property) in items["properties"].as_object().into_iter().flatten() {
                let words = words(name);
                let value = if has(
                    &words,
                    &["placeholder", "replacement", "token", "mask", "tag"],
                ) {
                    Some(json!(entity.placeholder))
                } else if has(&words, &["type", "kind", "category", "label", "class"]) {
                    Some(kind_in(entity.kind, property).map_err(|why| why.under(name))?)
                } else {
                    None
                };
                match value {
                    Some(value) => {
                        object.insert(name.clone(), value);
                    }
                    None if !required.is_some_and(|names| names.iter().any(|n| n == name)) => {}
                    None => {
                        return Err(Refusal::new(
                            "the lab's rules give the kind and the placeholder of what they find, and never the value",
                        )
                        .under(name));
                    }
                }
            }
            values.push(Value::Object(object));
        }
        Ok(values)
    }

    fn strings(&self, name: &str, items: &Value) -> Result<Vec<Value>, Refusal> {
        let words = words(name);
        if let Some(options) = items["enum"].as_array() {
            return Ok(self.choices(options, &words));
        }
        if has(
            &words,
            &[
                "labels",
                "label",
                "tags",
                "categories",
                "topics",
                "areas",
                "components",
            ],
        ) {
            return Ok(self
                .seen
                .labels
                .iter()
                .map(|label| json!(label.as_str()))
                .collect());
        }
        if has(&words, &["placeholders", "entities", "replacements"]) {
            return Ok(self
                .seen
                .entities
                .iter()
                .map(|e| json!(e.placeholder))
                .collect());
        }
        Err(not_understood(name, "a list of strings"))
    }

    /// Those of `options` that fit the ticket, the best first.
    fn choices(&self, options: &[Value], words: &[String]) -> Vec<Value> {
        if has(words, &["entity", "entities", "pii", "kinds"]) {
            let mut kinds: Vec<Value> = Vec::new();
            for entity in &self.seen.entities {
                if let Some(kind) = option_for(entity.kind, options)
                    && !kinds.contains(kind)
                {
                    kinds.push(kind.clone());
                }
            }
            return kinds;
        }
        let by_label = self.seen.labels.iter().filter_map(|label| {
            options
                .iter()
                .find(|option| option.as_str().is_some_and(|option| means(option, *label)))
        });
        let text = format!("{} {}", self.seen.masked_subject, self.seen.masked_text).to_lowercase();
        let by_word = options.iter().filter(|option| {
            option.as_str().is_some_and(|option| {
                let option = option.to_lowercase().replace(['-', '_'], " ");
                option.len() > 2
                    && text.match_indices(option.as_str()).any(|(at, _)| {
                        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                        !letter(text[..at].chars().next_back())
                            && !letter(text[at + option.len()..].chars().next())
                    })
            })
        });
        let mut chosen: Vec<Value> = Vec::new();
        let labelled: Vec<&Value> = by_label.collect();
        let candidates: Vec<&Value> = if labelled.is_empty() {
            by_word.collect()
        } else {
            labelled
        };
        for option in candidates {
            if !chosen.contains(option) {
                chosen.push(option.clone());
            }
        }
        chosen.truncate(3);
        chosen
    }

    fn string(&self, name: &str, schema: &Value) -> Result<Value, Refusal> {
        let words = words(name);
        if let Some(options) = schema["enum"].as_array() {
            return self
                .choices(options, &words)
                .into_iter()
                .next()
                .ok_or_else(|| {
                    Refusal::new("none of the values follows from the text by the lab's rules")
                });
        }
        let masking = has(
            &words,
            &[
                "masked",
                "redacted",
                "sanitized",
                "sanitised",
                "anonymized",
                "anonymised",
                "scrubbed",
                "clean",
            ],
        );
        if has(&words, &["title", "headline", "heading"]) || (has(&words, &["subject"]) && !masking)
        {
            Ok(json!(self.seen.title))
        } else if has(&words, &["subject"]) {
            Ok(json!(self.seen.masked_subject))
        } else if has(&words, &["summary", "synopsis", "tldr", "abstract"]) {
            let labels: Vec<&str> = self.seen.labels.iter().map(|l| l.as_str()).collect();
            Ok(json!(format!(
                "{}. Area: {}.",
                self.seen.title,
                labels.join(", ")
            )))
        } else if masking
            || has(
                &words,
                &[
                    "body",
                    "text",
                    "content",
                    "description",
                    "message",
                    "ticket",
                ],
            )
        {
            Ok(json!(self.seen.masked_text))
        } else if has(&words, &["label", "category", "topic", "area", "component"]) {
            let label = self.seen.labels.first();
            Ok(json!(label.map(|label| label.as_str())))
        } else if has(&words, &["model", "author", "generator"]) {
            Ok(json!("hoptrail lab: rules, not a model"))
        } else {
            Err(not_understood(name, "a string"))
        }
    }

    fn boolean(&self, name: &str) -> Result<Value, Refusal> {
        let words = words(name);
        if has(
            &words,
            &[
                "pii",
                "personal",
                "sensitive",
                "redacted",
                "masked",
                "entities",
            ],
        ) {
            Ok(json!(!self.seen.entities.is_empty()))
        } else {
            Err(not_understood(name, "a boolean"))
        }
    }

    fn number(&self, name: &str) -> Result<Value, Refusal> {
        let words = words(name);
        if has(&words, &["count", "total", "number", "num"])
            && has(
                &words,
                &[
                    "entity",
                    "entities",
                    "pii",
                    "placeholders",
                    "redactions",
                    "replacements",
                    "count",
                ],
            )
        {
            Ok(json!(self.seen.entities.len()))
        } else {
            Err(not_understood(name, "a number"))
        }
    }
}

fn not_understood(name: &str, kind: &str) -> Refusal {
    let shown = if name.is_empty() { "the answer" } else { name };
    Refusal::new(format!(
        "the lab's rules do not know what {kind} called \"{shown}\" should hold; they fill title, summary, masked text, entities and labels"
    ))
}

fn kind_in(kind: EntityKind, property: &Value) -> Result<Value, Refusal> {
    match property["enum"].as_array() {
        None => Ok(json!(kind_word(kind))),
        Some(options) => option_for(kind, options)
            .cloned()
            .ok_or_else(|| Refusal::new(format!("has no value for {}", kind_word(kind)))),
    }
}
