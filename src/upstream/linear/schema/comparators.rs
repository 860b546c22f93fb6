//! How a filter compares one value.

use async_graphql::InputObject;
use chrono::{DateTime as Instant, Utc};

use super::scalars::DateTimeOrDuration;

/// Whether a condition that may be absent holds: an absent one always does.
fn holds<T: ?Sized, V>(condition: Option<&T>, check: impl FnOnce(&T) -> V) -> bool
where
    V: Into<bool>,
{
    condition.is_none_or(|condition| check(condition).into())
}

macro_rules! text_comparator {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, InputObject)]
        pub struct $name {
            pub eq: Option<String>,
            pub neq: Option<String>,
            #[graphql(name = "in")]
            pub one_of: Option<Vec<String>>,
            #[graphql(name = "nin")]
            pub none_of: Option<Vec<String>>,
            pub null: Option<bool>,
            pub eq_ignore_case: Option<String>,
            pub neq_ignore_case: Option<String>,
            pub contains: Option<String>,
            pub not_contains: Option<String>,
            pub contains_ignore_case: Option<String>,
            pub not_contains_ignore_case: Option<String>,
            pub starts_with: Option<String>,
            pub not_starts_with: Option<String>,
            pub starts_with_ignore_case: Option<String>,
            pub ends_with: Option<String>,
            pub not_ends_with: Option<String>,
        }

        impl $name {
            /// Whether `text` fits all conditions.
            #[must_use]
            pub fn fits(&self, text: Option<&str>) -> bool {
                let there = text.is_some();
                let text = text.unwrap_or_default();
                let lower = text.to_lowercase();
                let is = |s: &Option<String>, check: &dyn Fn(&str) -> bool| {
                    holds(s.as_deref(), |s| check(s))
                };
                holds(self.null.as_ref(), |null| *null != there)
                    && is(&self.eq, &|s| there && s == text)
                    && is(&self.neq, &|s| s != text)
                    && holds(self.one_of.as_deref(), |all| there && all.iter().any(|s| s == text))
                    && holds(self.none_of.as_deref(), |all| all.iter().all(|s| s != text))
                    && is(&self.eq_ignore_case, &|s| there && s.to_lowercase() == lower)
                    && is(&self.neq_ignore_case, &|s| s.to_lowercase() != lower)
                    && is(&self.contains, &|s| text.contains(s))
                    && is(&self.not_contains, &|s| !text.contains(s))
                    && is(&self.contains_ignore_case, &|s| lower.contains(&s.to_lowercase()))
                    && is(&self.not_contains_ignore_case, &|s| !lower.contains(&s.to_lowercase()))
                    && is(&self.starts_with, &|s| text.starts_with(s))
                    && is(&self.not_starts_with, &|s| !text.starts_with(s))
                    && is(&self.starts_with_ignore_case, &|s| lower.starts_with(&s.to_lowercase()))
                    && is(&self.ends_with, &|s| text.ends_with(s))
                    && is(&self.not_ends_with, &|s| !text.ends_with(s))
            }
        }
    };
}

text_comparator! {
    /// Compares a text that is always there.
    StringComparator
}
text_comparator! {
    /// Compares a text that may be absent.
    NullableStringComparator
}

macro_rules! id_comparator {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, InputObject)]
        pub struct $name {
            pub eq: Option<async_graphql::ID>,
            pub neq: Option<async_graphql::ID>,
            #[graphql(name = "in")]
            pub one_of: Option<Vec<async_graphql::ID>>,
            #[graphql(name = "nin")]
            pub none_of: Option<Vec<async_graphql::ID>>,
        }

        impl $name {
            /// Whether an entity that goes by these names fits all conditions.
            #[must_use]
            pub fn fits(&self, names: &[&str]) -> bool {
                let is = |id: &async_graphql::ID| names.contains(&id.as_str());
                holds(self.eq.as_ref(), &is)
                    && holds(self.neq.as_ref(), |id| !is(id))
                    && holds(self.one_of.as_deref(), |all| all.iter().any(&is))
                    && holds(self.none_of.as_deref(), |all| !all.iter().any(&is))
            }
        }
    };
}

id_comparator! {
    /// Compares an id.
    IDComparator
}
id_comparator! {
    /// Compares an issue's id or identifier.
    IssueIDComparator
}

macro_rules! number_comparator {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, InputObject)]
        pub struct $name {
            pub eq: Option<f64>,
            pub neq: Option<f64>,
            #[graphql(name = "in")]
            pub one_of: Option<Vec<f64>>,
            #[graphql(name = "nin")]
            pub none_of: Option<Vec<f64>>,
            pub lt: Option<f64>,
            pub lte: Option<f64>,
            pub gt: Option<f64>,
            pub gte: Option<f64>,
        }

        impl $name {
            /// Whether `number` fits all conditions.
            #[must_use]
            pub fn fits(&self, number: u32) -> bool {
                let number = f64::from(number);
                // Whole numbers of this size are exact.
                let same = |n: &f64| (n - number).abs() < 0.5;
                holds(self.eq.as_ref(), &same)
                    && holds(self.neq.as_ref(), |n| !same(n))
                    && holds(self.one_of.as_deref(), |all| all.iter().any(same))
                    && holds(self.none_of.as_deref(), |all| !all.iter().any(same))
                    && holds(self.lt.as_ref(), |n| number < *n)
                    && holds(self.lte.as_ref(), |n| number <= *n)
                    && holds(self.gt.as_ref(), |n| number > *n)
                    && holds(self.gte.as_ref(), |n| number >= *n)
            }
        }
    };
}

number_comparator! {
    /// Compares a number that is always there.
    NumberComparator
}
number_comparator! {
    /// Compares a number that may be absent.
    NullableNumberComparator
}

/// Compares a yes or no.
#[derive(Debug, Clone, Default, InputObject)]
pub struct BooleanComparator {
    pub eq: Option<bool>,
    pub neq: Option<bool>,
}

impl BooleanComparator {
    /// Whether `value` fits all conditions.
    #[must_use]
    pub fn fits(&self, value: bool) -> bool {
        self.eq.is_none_or(|v| v == value) && self.neq.is_none_or(|v| v != value)
    }
}

/// Compares a moment.
#[derive(Debug, Clone, Default, InputObject)]
pub struct DateComparator {
    pub eq: Option<DateTimeOrDuration>,
    pub neq: Option<DateTimeOrDuration>,
    pub lt: Option<DateTimeOrDuration>,
    pub lte: Option<DateTimeOrDuration>,
    pub gt: Option<DateTimeOrDuration>,
    pub gte: Option<DateTimeOrDuration>,
}

impl DateComparator {
    /// Whether `at` fits all conditions.
    #[must_use]
    pub fn fits(&self, at: Instant<Utc>) -> bool {
        self.eq.is_none_or(|v| at == v.0)
            && self.neq.is_none_or(|v| at != v.0)
            && self.lt.is_none_or(|v| at < v.0)
            && self.lte.is_none_or(|v| at <= v.0)
            && self.gt.is_none_or(|v| at > v.0)
            && self.gte.is_none_or(|v| at >= v.0)
    }
}
