//! A run that only watches itself: the story on a lab, folded, for the chapters' checks.

use super::{
    Options, Output,
    headless::{self, Job, Voices},
};
use crate::{
    projection::Projection,
    support::error::{Exit, Failure},
    trace::codec::{self, CodecError},
};

/// Goes through the story and gives back what was seen of it.
///
/// # Errors
/// What stopped the run before its end.
pub async fn observe(options: Options) -> Result<Projection, Failure> {
    let mut trace = Vec::new();
    let mut words = Vec::new();
    let voices = Voices {
        out: &mut trace,
        err: &mut words,
    };
    // Whether the story held is for the checks to say.
    let _ = headless::run(options, Output::Json, Job::Demo { ticket: None }, voices).await?;
    fold(&String::from_utf8_lossy(&trace)).map_err(|error| {
        Failure::new(
            Exit::Failed,
            "The trace of the run cannot be read",
            error.to_string(),
            "this is a mistake in hoptrail; start with --log FILE to have the details for a report",
        )
    })
}

fn fold(trace: &str) -> Result<Projection, CodecError> {
    let mut lines = trace.lines().zip(1..);
    let (first, _) = lines.next().ok_or(CodecError::Empty)?;
    let mut projection = Projection::starting(codec::decode_header(first)?.started);
    for (line, number) in lines {
        projection.apply_line(&codec::decode(line, number)?, line);
    }
    Ok(projection)
}
