//! What the names in a schema mean: the words of a property, and what others call our kinds of
//! personal data and our labels.

use serde_json::Value;

use crate::{protocol::tickets::EntityKind, upstream::anthropic::recogniser::Label};

/// The parts of a name: `detectedEntities` and `detected_entities` are the same.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && previous.is_lowercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        previous = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

pub(super) fn has(words: &[String], list: &[&str]) -> bool {
    words.iter().any(|word| list.contains(&word.as_str()))
}

/// Names that others give to our kinds of personal data.
const fn synonyms(kind: EntityKind) -> &'static [&'static str] {
    match kind {
        EntityKind::Name => &[
            "name",
            "person",
            "fullname",
            "personname",
            "people",
            "customername",
        ],
        EntityKind::Email => &["email", "emailaddress", "mail"],
        EntityKind::Phone => &["phone", "phonenumber", "telephone", "tel"],
        EntityKind::Ssn => &[
            "ssn",
            "socialsecuritynumber",
            "nationalid",
            "usssn",
            "governmentid",
            "taxid",
        ],
        EntityKind::Address => &["address", "location", "streetaddress", "postaladdress"],
        EntityKind::CreditCard => &[
            "creditcard",
            "card",
            "creditcardnumber",
            "cardnumber",
            "paymentcard",
            "financial",
        ],
        EntityKind::Credential => &[
            "credential",
            "secret",
            "apikey",
            "password",
            "token",
            "key",
            "credentials",
        ],
    }
}

pub(super) fn option_for(kind: EntityKind, options: &[Value]) -> Option<&Value> {
    let plain = |option: &Value| {
        option.as_str().map(|text| {
            text.chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_lowercase)
                .collect::<String>()
        })
    };
    let named = |names: &[&str]| {
        options
            .iter()
            .find(|option| plain(option).is_some_and(|text| names.contains(&text.as_str())))
    };
    named(synonyms(kind)).or_else(|| named(&["other", "misc", "unknown", "pii"]))
}

/// Whether somebody else's label means one of ours.
pub(super) fn means(option: &str, label: Label) -> bool {
    let option: String = option
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let names: &[&str] = match label {
        Label::Payments => &["payments", "payment", "billing", "checkout", "finance"],
        Label::Webhooks => &[
            "webhooks",
            "webhook",
            "integrations",
            "integration",
            "events",
        ],
        Label::DataExport => &[
            "dataexport",
            "export",
            "exports",
            "reporting",
            "reports",
            "data",
        ],
        Label::Auth => &[
            "auth",
            "authentication",
            "login",
            "security",
            "identity",
            "sso",
            "accounts",
            "account",
            "access",
        ],
        Label::Frontend => &["frontend", "ui", "web", "ux", "interface", "client"],
        Label::Api => &["api", "apis", "developer", "backend", "sdk"],
        Label::Infrastructure => &[
            "infrastructure",
            "infra",
            "platform",
            "operations",
            "ops",
            "performance",
            "reliability",
        ],
        Label::Notifications => &[
            "notifications",
            "notification",
            "email",
            "emails",
            "alerts",
            "messaging",
        ],
    };
    names.contains(&option.as_str())
}
