//! Linear's scalars.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, OutputType, Positioned,
    Scalar, ScalarType, ServerResult, Value, parser::types::Field, registry::Registry,
};
use chrono::{DateTime as Instant, SecondsFormat, Utc};

/// A moment, in ISO 8601 with milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct DateTime(pub Instant<Utc>);

#[Scalar(name = "DateTime")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        moment(&value).map(Self)
    }

    fn to_value(&self) -> Value {
        written(self.0)
    }
}

/// What a date filter compares with. Linear also takes durations (`-P2W`); the lab does not.
#[derive(Debug, Clone, Copy)]
pub struct DateTimeOrDuration(pub Instant<Utc>);

#[Scalar(name = "DateTimeOrDuration")]
impl ScalarType for DateTimeOrDuration {
    fn parse(value: Value) -> InputValueResult<Self> {
        moment(&value).map(Self)
    }

    fn to_value(&self) -> Value {
        written(self.0)
    }
}

fn written(at: Instant<Utc>) -> Value {
    Value::String(at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn moment<T: InputType>(value: &Value) -> Result<Instant<Utc>, InputValueError<T>> {
    match value {
        Value::String(text) => Instant::parse_from_rfc3339(text)
            .map(|at| at.to_utc())
            .map_err(|_| InputValueError::custom("not an ISO 8601 date with a time")),
        other => Err(InputValueError::expected_type(other.clone())),
    }
}

/// A day without a time, `YYYY-MM-DD`.
#[derive(Debug, Clone)]
pub struct TimelessDate(pub String);

#[Scalar(name = "TimelessDate")]
impl ScalarType for TimelessDate {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if text.parse::<chrono::NaiveDate>().is_ok() => Ok(Self(text)),
            Value::String(_) => Err(InputValueError::custom("not a date of the form YYYY-MM-DD")),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// An empty JSON object: all that the lab ever has to say in one.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonObject;

#[Scalar(name = "JSONObject")]
impl ScalarType for JsonObject {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::Object(_) => Ok(Self),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Object(async_graphql::indexmap::IndexMap::new())
    }
}

/// A `Float` that is a whole number and is written as one (`1`, not `1.0`), as Linear writes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Whole(pub u64);

impl OutputType for Whole {
    fn type_name() -> Cow<'static, str> {
        <f64 as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <f64 as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::from(self.0))
    }
}
