//! Progress notifications: steps from a server of ours, words from any other.

use serde_json::Value;

use super::http::TracedHttp;
use crate::{
    protocol::observed::{CallId, STEP_META_KEY, Step},
    trace::{Actor, Fact, sink::Report},
};

/// Reports what a `notifications/progress` says about a call. `params` is the notification's.
pub fn report(http: &TracedHttp, call: Option<CallId>, params: &Value) {
    let step = params
        .get("_meta")
        .and_then(|meta| meta.get(STEP_META_KEY))
        .and_then(|step| serde_json::from_value::<Step>(step.clone()).ok());
    if let Some(mut step) = step {
        step.scope = step.scope.map(|scope| http.clean(&scope));
        step.detail = step.detail.map(|detail| http.clean(&detail));
        let span = step.span;
        http.sink().report(
            Report::new(Actor::Server, Fact::StepReported(step))
                .on(span)
                .in_call(call),
        );
        return;
    }
    let number = |name: &str| params.get(name).and_then(Value::as_f64);
    http.sink().report(
        Report::new(
            Actor::Server,
            Fact::ProgressReported {
                message: params
                    .get("message")
                    .and_then(Value::as_str)
                    .map(|text| http.clean(text)),
                progress: number("progress").unwrap_or_default(),
                total: number("total"),
            },
        )
        .in_call(call),
    );
}
