//! The schema, and whether a policy fits it.

use std::sync::LazyLock;

use cedar_policy::{
    Policy as CedarPolicy, PolicySet as CedarPolicySet, Schema, ValidationMode, Validator,
    ffi::DetailedError,
};

use crate::support::position::TextPosition;

/// The schema's text, as the management API serves it.
pub const SCHEMA_TEXT: &str = include_str!("../policies/schema.cedarschema");

/// The schema's version. Ours: Keycard's are dates.
pub const POLICY_SCHEMA_VERSION: &str = "hoptrail-1";

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA_TEXT)
        .expect("the schema is part of the program, and a test reads it");
    Validator::new(schema)
});

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

    #[test]
    fn two_policies_in_one_text_are_refused() {
        let one = "permit (principal, action, resource);";
        assert!(check(&format!("{one}\n{one}")).is_err());
    }
}
