//! What structured output takes of JSON Schema, and what the lab's rules can keep to of it.
//!
//! The service refuses bounds in its own words; their wording for other keywords was not seen, so
//! those sentences are ours. A tool's `input_schema` is not held to any of this.

use serde_json::Value;

/// Refused by the service, for any type.
const BOUNDS: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

/// Why an answer cannot keep to `schema`, if so.
#[must_use]
pub fn unsupported(schema: &Value) -> Option<String> {
    let kind = schema["type"].as_str();
    let word = kind.unwrap_or("any");
    let refused = BOUNDS
        .iter()
        .find(|keyword| schema.get(**keyword).is_some());
    if let Some(keyword) = refused {
        return Some(format!(
            "For '{word}' type, property '{keyword}' is not supported"
        ));
    }
    // The service takes the bounds 0 and 1 only.
    if schema["minItems"].as_u64().is_some_and(|least| least > 1) {
        return Some(format!(
            "For '{word}' type, 'minItems' values other than 0 or 1 are not supported"
        ));
    }
    // The service takes some patterns; rules that fill a text cannot.
    if schema.get("pattern").is_some() {
        return Some("the lab's rules cannot keep to a 'pattern'".to_owned());
    }
    if kind == Some("object") && schema["additionalProperties"] != Value::Bool(false) {
        return Some(
            "For 'object' type, 'additionalProperties' must be explicitly set to false".to_owned(),
        );
    }
    let named = ["properties", "$defs", "definitions"]
        .iter()
        .filter_map(|keyword| schema[*keyword].as_object())
        .flat_map(serde_json::Map::values);
    let listed = ["anyOf", "oneOf", "allOf"]
        .iter()
        .filter_map(|keyword| schema[*keyword].as_array())
        .flatten();
    named
        .chain(listed)
        .chain(schema.get("items"))
        .find_map(unsupported)
}
