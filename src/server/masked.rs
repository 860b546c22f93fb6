//! The model's answer, believed only after a look: its shape, and that the customer is not in it.
//!
//! The schema sent to the model cannot ask for all of this, and a model need not keep to a schema.
//! What does not pass here never reaches Linear.

mod customer;

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use self::customer::Customer;
use crate::{
    protocol::tickets::{DetectedEntity, Ticket},
    support::text::one_line,
};

/// The labels that the model may choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Label {
    Payments,
    Webhooks,
    DataExport,
    Auth,
    Frontend,
    Api,
    Infrastructure,
    Notifications,
}

/// The labels as they stand on the wire.
pub(super) const LABELS: [&str; 8] = [
    "payments",
    "webhooks",
    "data-export",
    "auth",
    "frontend",
    "api",
    "infrastructure",
    "notifications",
];

/// What a placeholder looks like.
pub(super) const PLACEHOLDER: &str = r"^\[[A-Z_]+(_\d+)?\]$";

/// A ticket fit for engineers' eyes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Masked {
    pub title: String,
    pub text: String,
    pub entities: Vec<DetectedEntity>,
    /// One to three, each once.
    pub labels: Vec<Label>,
}

/// Why an answer was not believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("it was not the JSON that was asked for")]
    Shape,
    #[error("its {0} is blank")]
    Blank(&'static str),
    #[error("it has {0} labels; one to three were asked for")]
    Labels(usize),
    #[error("a placeholder in it does not look like [EMAIL_1]")]
    Placeholder,
    #[error("its {place} still holds the customer's {what}")]
    Leak {
        place: &'static str,
        what: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Raw {
    title: String,
    masked_text: String,
    detected_entities: Vec<RawEntity>,
    labels: Vec<Label>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntity {
    #[serde(rename = "type")]
    kind: crate::protocol::tickets::EntityKind,
    placeholder: String,
}

impl Masked {
    /// Reads the model's `answer` about `ticket`.
    pub fn read(answer: &str, ticket: &Ticket) -> Result<Self, Unfit> {
        static PATTERN: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(PLACEHOLDER).expect("a constant pattern"));
        let raw: Raw = serde_json::from_str(answer.trim()).map_err(|_| Unfit::Shape)?;
        if !(1..=3).contains(&raw.labels.len()) {
            return Err(Unfit::Labels(raw.labels.len()));
        }
        if !raw
            .detected_entities
            .iter()
            .all(|entity| PATTERN.is_match(&entity.placeholder))
        {
            return Err(Unfit::Placeholder);
        }
        let title = one_line(raw.title.trim());
        if title.is_empty() {
            return Err(Unfit::Blank("title"));
        }
        // A ticket may be all subject.
        if raw.masked_text.trim().is_empty() && !ticket.body.trim().is_empty() {
            return Err(Unfit::Blank("text"));
        }
        let customer = Customer::of(ticket);
        customer.absent_from("title", &raw.title)?;
        customer.absent_from("text", &raw.masked_text)?;
        let mut labels = Vec::with_capacity(3);
        for label in raw.labels {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        Ok(Self {
            title,
            text: raw.masked_text,
            entities: raw
                .detected_entities
                .into_iter()
                .map(|entity| DetectedEntity {
                    kind: entity.kind,
                    placeholder: entity.placeholder,
                })
                .collect(),
            labels,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::tickets::{PlanTier, Severity, TicketStatus};

    pub(super) fn ticket() -> Ticket {
        Ticket {
            id: uuid::Uuid::nil(),
            created_at: String::new(),
            customer_name: "Ada Löwe".to_owned(),
            email: "ada@example.test".to_owned(),
            phone: "+1 (202) 555-0143".to_owned(),
            plan_tier: PlanTier::Pro,
            severity: Severity::Low,
            status: TicketStatus::Open,
            subject: String::new(),
            body: "the body".to_owned(),
        }
    }

    fn good() -> Value {
        json!({
            "title": "Card charged twice",
            "maskedText": "[NAME_1] was charged twice, call [PHONE_1]",
            "detectedEntities": [{"type": "NAME", "placeholder": "[NAME_1]"}],
            "labels": ["payments", "payments", "data-export"],
        })
    }

    fn read(answer: &Value) -> Result<Masked, Unfit> {
        Masked::read(&answer.to_string(), &ticket())
    }

    #[test]
    fn a_good_answer_is_believed() {
        let masked = read(&good()).unwrap();
        assert_eq!(masked.labels, [Label::Payments, Label::DataExport]);
        assert_eq!(masked.entities[0].placeholder, "[NAME_1]");
    }

    #[test]
    fn the_labels_on_the_wire_are_the_labels_that_are_known() {
        for label in LABELS {
            let known: Label = serde_json::from_value(json!(label)).unwrap();
            assert_eq!(json!(known), json!(label));
        }
    }

    #[rstest]
    #[case::label_unknown("labels", json!(["billing"]), Unfit::Shape)]
    #[case::no_label("labels", json!([]), Unfit::Labels(0))]
    #[case::four_labels("labels", json!(["api", "auth", "frontend", "payments"]), Unfit::Labels(4))]
    #[case::entity_unknown("detectedEntities", json!([{"type": "CAT", "placeholder": "[X]"}]), Unfit::Shape)]
    #[case::entity_with_more("detectedEntities", json!([{"type": "NAME", "placeholder": "[X]", "value": "Ada"}]), Unfit::Shape)]
    #[case::placeholder("detectedEntities", json!([{"type": "NAME", "placeholder": "Ada"}]), Unfit::Placeholder)]
    #[case::placeholder_in_lower_case("detectedEntities", json!([{"type": "NAME", "placeholder": "[name_1]"}]), Unfit::Placeholder)]
    #[case::blank_title("title", json!("  "), Unfit::Blank("title"))]
    #[case::blank_text("maskedText", json!(""), Unfit::Blank("text"))]
    #[case::missing("title", Value::Null, Unfit::Shape)]
    #[case::unknown_key("extra", json!(1), Unfit::Shape)]
    fn an_answer_of_another_shape_is_not(
        #[case] key: &str,
        #[case] value: Value,
        #[case] unfit: Unfit,
    ) {
        let mut answer = good();
        answer[key] = value;
        assert_eq!(read(&answer), Err(unfit));
    }

    #[rstest]
    #[case("write to ADA@example.test", "e-mail address")]
    #[case("call 202-555-0143", "phone number")]
    #[case("call +12025550143 now", "phone number")]
    #[case("call 202.555\n0143", "phone number")]
    #[case("ada   löwe wrote", "name")]
    #[case("Ada\u{200b} Löwe wrote", "name")]
    #[case("ADA LÖWE's card", "name")]
    fn the_customer_still_in_it_is_found(#[case] text: &str, #[case] what: &'static str) {
        for (key, place) in [("maskedText", "text"), ("title", "title")] {
            let mut answer = good();
            answer[key] = json!(text);
            assert_eq!(read(&answer), Err(Unfit::Leak { place, what }), "{key}");
        }
    }

    #[rstest]
    #[case("a canada löwenherz ticket")]
    #[case("order 2025 and 5550143 rows")]
    #[case("[NAME_1] at [EMAIL_1]")]
    fn what_only_looks_like_it_passes(#[case] text: &str) {
        let mut answer = good();
        answer["maskedText"] = json!(text);
        assert!(read(&answer).is_ok());
    }

    #[test]
    fn a_ticket_that_is_all_subject_may_have_no_text() {
        let mut answer = good();
        answer["maskedText"] = json!(" ");
        let mut ticket = ticket();
        " \n".clone_into(&mut ticket.body);
        assert!(Masked::read(&answer.to_string(), &ticket).is_ok());
    }

    #[test]
    fn empty_columns_match_nothing() {
        let mut ticket = ticket();
        ticket.customer_name.clear();
        ticket.email.clear();
        ticket.phone.clear();
        assert!(Masked::read(&good().to_string(), &ticket).is_ok());
    }
}
