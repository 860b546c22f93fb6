//! The schema, and whether a policy fits it.

use std::sync::LazyLock;

use cedar_policy::{
    Policy as CedarPolicy, PolicySet as CedarPolicySet, Schema, ValidationMode, Validator,
    ffi::DetailedError,
};

use crate::support::{cause::innermost, position::TextPosition};

/// The schema's text, as the management API serves it.
pub const SCHEMA_TEXT: &str = include_str!("../policies/schema.cedarschema");

/// The schema's version. Ours: Keycard's are dates.
pub const POLICY_SCHEMA_VERSION: &str = "hoptrail-1";

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA_TEXT)
        .expect("the schema is part of the program, and a test reads it");
    Validator::new(schema)
});

/// The longest policy text in bytes, and how deep its brackets may nest. Cedar's parser recurses
/// without looking at the stack, and who overflows that ends the process; what is within these bounds
/// needs less than [`STACK`]. Keycard's bounds are not known.
const LONGEST_TEXT: usize = 16 * 1024;
const DEEPEST: usize = 64;

/// The stack of a thread that a zone runs on: eight times the usual one, for Cedar's parser.
pub const STACK: usize = 16 << 20;

/// What is wrong with a policy's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", place(*.at))]
pub struct PolicyFault {
    pub message: String,
    /// Where it is known.
    pub at: Option<TextPosition>,
}

fn place(at: Option<TextPosition>) -> String {
    at.map_or_else(String::new, |TextPosition { line, column }| {
        format!("line {line}, column {column}: ")
    })
}

/// Checks that `text` is one Cedar policy that fits the schema.
///
/// # Errors
/// Everything that is wrong with it, the first fault first.
pub fn check(text: &str) -> Result<(), Vec<PolicyFault>> {
    if let Some(fault) = beyond_bounds(text) {
        return Err(vec![fault]);
    }
    let policy = CedarPolicy::parse(None, text).map_err(|errors| {
        errors
            .iter()
            .map(|error| fault(text, &DetailedError::from(error)))
            .collect::<Vec<_>>()
    })?;
    let set = CedarPolicySet::from_policies([policy]).map_err(|error| {
        vec![PolicyFault {
            message: error.to_string(),
            at: None,
        }]
    })?;
    let result = VALIDATOR.validate(&set, ValidationMode::Strict);
    let faults: Vec<_> = result
        .validation_errors()
        .map(|error| fault(text, &DetailedError::from(error)))
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// The text of a policy in Cedar's JSON form, which says everything that a text does but where it says
/// it. It is yet to be checked.
///
/// # Errors
/// Why it is no policy.
pub fn text_of_json(json: serde_json::Value) -> Result<String, PolicyFault> {
    let policy = CedarPolicy::from_json(None, json).map_err(|error| PolicyFault {
        message: innermost(&error).unwrap_or_else(|| error.to_string()),
        at: None,
    })?;
    Ok(policy.to_string())
}

fn beyond_bounds(text: &str) -> Option<PolicyFault> {
    if text.len() > LONGEST_TEXT {
        return Some(PolicyFault {
            message: format!(
                "the policy is too long: {} bytes, and {LONGEST_TEXT} are taken; make several policies of it",
                text.len()
            ),
            at: None,
        });
    }
    let at = too_deep(text)?;
    Some(PolicyFault {
        message: format!("the brackets nest deeper than {DEEPEST} levels"),
        at: Some(TextPosition::of(text, at)),
    })
}

/// Where the brackets nest too deep; those in strings and comments are none.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some((_, inside)) = bytes.next() {
                    match inside {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            b'/' if bytes.peek().is_some_and(|(_, next)| *next == b'/') => {
                bytes.find(|(_, inside)| matches!(inside, b'\n' | b'\r'));
            }
            _ => {}
        }
        if depth > DEEPEST {
            return Some(at);
        }
    }
    None
}

fn fault(text: &str, error: &DetailedError) -> PolicyFault {
    let at = error
        .source_locations
        .first()
        .map(|label| TextPosition::of(text, label.loc.start));
    let mut message = error.message.clone();
    if let Some(help) = &error.help {
        message.push_str("; ");
        message.push_str(help);
    }
    PolicyFault { message, at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_line_and_column() {
        let faults = check("permit (\n  principal,\n  action,\n  resource\n) when { contxt.x };")
            .unwrap_err();
        let at = TextPosition {
            line: 5,
            column: 10,
        };
        assert_eq!(faults[0].at, Some(at), "{faults:?}");
    }

    #[test]
    fn an_attribute_that_the_schema_lacks_is_refused() {
        let faults = check(
            "permit (principal is Keycard::User, action, resource)\nwhen { principal.salary == 1 };",
        )
        .unwrap_err();
        assert_eq!(faults[0].at.map(|at| at.line), Some(2), "{faults:?}");
        assert!(faults[0].message.contains("salary"), "{faults:?}");
    }

    #[test]
    fn the_shapes_of_keycards_published_policies_fit() {
        for text in [
            r#"forbid(principal is Keycard::Application, action, resource is Keycard::Resource) when { principal.identifier == "urn:app:x" && resource.identifier == "urn:y" };"#,
            r#"permit (principal in Keycard::User::"u1", action, resource) when { context has scopes && context.scopes.contains("snowflake:delegate") };"#,
            "permit(principal is Keycard::Application, action, resource) when { context.on_behalf == true && principal.dependencies.contains(resource) };",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    fn when(condition: &str) -> String {
        format!("permit (principal, action, resource) when {{ {condition} }};")
    }

    fn nested(levels: usize) -> String {
        when(&format!("{}true{}", "(".repeat(levels), ")".repeat(levels)))
    }

    /// What `check` says on a stack of that size: the test's own would be too small.
    fn on_a_large_stack(text: String) -> Result<(), Vec<PolicyFault>> {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || check(&text))
            .unwrap()
            .join()
            .unwrap()
    }

    #[test]
    fn what_would_overflow_the_parsers_stack_is_refused_before_it() {
        // The braces of `when` are the first level.
        assert_eq!(on_a_large_stack(nested(DEEPEST - 1)), Ok(()));
        let faults = check(&nested(DEEPEST)).unwrap_err();
        assert!(faults[0].message.contains("nest"), "{faults:?}");
        assert!(faults[0].at.is_some());
        for chain in ["true && ", "if true then true else "] {
            let longest = (LONGEST_TEXT - 100) / chain.len();
            let fits = when(&format!("{}true", chain.repeat(longest)));
            assert_eq!(on_a_large_stack(fits), Ok(()), "{chain}");
            let faults = check(&when(&format!("{}true", chain.repeat(longest * 2)))).unwrap_err();
            assert!(faults[0].message.contains("too long"), "{faults:?}");
        }
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count_and_hide_nothing() {
        let many = "(".repeat(100);
        let written = when(&format!(
            "// {many}\n principal has id || \"{many}\\\"\" == \"{many}\""
        ));
        assert_eq!(too_deep(&written), None);
        let hidden = when(&"( // )\n".repeat(100));
        assert!(too_deep(&hidden).is_some());
        let hidden = when(&format!("\"\\\"{})\" == {many}", ")".repeat(200)));
        assert!(too_deep(&hidden).is_some());
    }

    #[test]
    fn two_policies_in_one_text_are_refused() {
        let one = "permit (principal, action, resource);";
        assert!(check(&format!("{one}\n{one}")).is_err());
    }
}
