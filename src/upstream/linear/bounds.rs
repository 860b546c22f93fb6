//! How much a GraphQL request may ask. The engine's own limits count only after it has parsed and
//! expanded everything, and its recursion would use up the stack, which ends the process.

use std::collections::HashMap;

use async_graphql::{
    Name,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};
use serde_json::Value;

/// Brackets within brackets of any kind, in the document and in its variables each. Introspection
/// by the usual tools has about 12. A variable's value, or its default, can stand within a value of
/// the document, so that a filter nests twice as deep at most.
const DEEPEST_NESTING: usize = 20;

/// Selections within selections, with all fragments put in their places: the engine's own limit.
const DEEPEST_SELECTION: usize = 32;

/// Whether a document's brackets nest too deep; strings and comments do not count.
pub fn nests_too_deep(document: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = document;
    while let Some(at) = rest.find(['{', '}', '[', ']', '(', ')', '"', '#']) {
        let (tail, mark) = (&rest[at + 1..], rest.as_bytes()[at]);
        rest = match mark {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > DEEPEST_NESTING {
                    return true;
                }
                tail
            }
            b'"' => match tail.strip_prefix("\"\"") {
                Some(block) => after_quote(block, "\"\"\""),
                None => after_quote(tail, "\""),
            },
            b'#' => tail.split_once(['\n', '\r']).map_or("", |(_, next)| next),
            _ => {
                depth = depth.saturating_sub(1);
                tail
            }
        };
    }
    false
}

/// What follows the end of a string; a backslash takes the character behind it along.
fn after_quote<'a>(text: &'a str, quote: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\\', '\n']) {
        let mark = rest.as_bytes()[at];
        let here = &rest[at..];
        if let Some(behind) = here.strip_prefix(quote) {
            return behind;
        }
        // A line's end closes a broken string, so that nothing can hide behind it.
        if mark == b'\n' && quote.len() == 1 {
            return &here[1..];
        }
        let mut chars = here.chars();
        chars.next();
        if mark == b'\\' {
            chars.next();
        }
        rest = chars.as_str();
    }
    ""
}

/// Whether variables nest too deep. JSON that was read nests 128 deep at most.
pub fn value_nests_too_deep(value: &Value) -> bool {
    fn depth(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
            Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }
    depth(value) > DEEPEST_NESTING
}

/// Whether a document selects more than `most` fields, or too deep, once each spread is replaced by
/// its fragment. The engine counts by replacing them, which can take it minutes.
pub fn selects_too_much(document: &ExecutableDocument, most: usize) -> bool {
    let mut count = Count {
        document,
        fragments: HashMap::new(),
    };
    let mut total = 0_usize;
    document.operations.iter().any(|(_, operation)| {
        let Some(selected) = count.selections(&operation.node.selection_set.node, 0) else {
            return true;
        };
        total = total.saturating_add(selected);
        total > most
    })
}

struct Count<'a> {
    document: &'a ExecutableDocument,
    /// What a fragment stands for; nothing while it is being counted, so that a circle ends. The
    /// engine refuses a circle.
    fragments: HashMap<&'a Name, usize>,
}

impl<'a> Count<'a> {
    /// None if it goes too deep.
    fn selections(&mut self, set: &'a SelectionSet, depth: usize) -> Option<usize> {
        if depth > DEEPEST_SELECTION {
            return None;
        }
        let mut total = 0_usize;
        for selection in &set.items {
            let below = match &selection.node {
                Selection::Field(field) => {
                    self.selections(&field.node.selection_set.node, depth + 1)?
                }
                Selection::InlineFragment(fragment) => {
                    self.selections(&fragment.node.selection_set.node, depth + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, depth + 1)?
                }
            };
            total = total.saturating_add(below).saturating_add(1);
        }
        Some(total)
    }

    fn fragment(&mut self, name: &'a Name, depth: usize) -> Option<usize> {
        if let Some(counted) = self.fragments.get(name) {
            return Some(*counted);
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Some(0);
        };
        self.fragments.insert(name, 0);
        let counted = self.selections(&fragment.node.selection_set.node, depth)?;
        self.fragments.insert(name, counted);
        Some(counted)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::plain("query { a(b: [1, 2]) { c } }", false)]
    #[case::at_the_bound(&"{a".repeat(DEEPEST_NESTING), false)]
    #[case::deep(&"{a".repeat(DEEPEST_NESTING + 1), true)]
    #[case::lists(&format!("{{ a(b: {}", "[".repeat(DEEPEST_NESTING)), true)]
    #[case::in_a_string(&format!("{{ a(b: \"{}\") }}", "[".repeat(500)), false)]
    #[case::in_a_block(&format!("{{ a(b: \"\"\"\n\" {}\"\"\") }}", "[".repeat(500)), false)]
    #[case::in_a_comment(&format!("# {}\n{{ a }}", "{".repeat(500)), false)]
    #[case::behind_an_escaped_quote(&format!("{{ a(b: \"\\\"\") {}", "{".repeat(500)), true)]
    #[case::behind_a_broken_string(&format!("{{ a(b: \"x\n {}", "{".repeat(500)), true)]
    fn nesting_counts_brackets_and_nothing_else(#[case] document: &str, #[case] too_deep: bool) {
        assert_eq!(nests_too_deep(document), too_deep);
    }

    #[test]
    fn the_variables_count_as_the_document_does() {
        let nested = |levels: usize| (0..levels).fold(json!(1), |value, _| json!({ "and": value }));
        assert!(!value_nests_too_deep(&nested(DEEPEST_NESTING)));
        assert!(value_nests_too_deep(&nested(DEEPEST_NESTING + 1)));
    }

    #[rstest]
    #[case::fields("{ a { b } c }", 3)]
    #[case::aliases("{ x: a y: a }", 2)]
    #[case::a_fragment_counts_where_it_is_spread(
        "{ a { ...F } b { ...F } } fragment F on T { c d }",
        8
    )]
    #[case::operations_add_up("query A { a } query B { b }", 2)]
    #[case::inline("{ ... on Query { a } }", 2)]
    fn fields_are_counted_as_if_fragments_stood_in_their_places(
        #[case] document: &str,
        #[case] selected: usize,
    ) {
        let document = parse_query(document).unwrap();
        assert!(!selects_too_much(&document, selected));
        assert!(selects_too_much(&document, selected - 1));
    }
}
