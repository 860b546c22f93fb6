//! The table: what, what it should reach, what was measured, and how far that is within reach.

use std::fmt::Write as _;

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    what: String,
    reach: String,
    measured: String,
    ratio: Option<f64>,
}

impl Row {
    /// A number that should be at most `limit`.
    pub fn at_most(what: &str, limit: f64, measured: f64, unit: &str) -> Self {
        Self {
            what: what.to_owned(),
            reach: format!("≤ {limit} {unit}"),
            measured: format!("{} {unit}", number(measured)),
            ratio: Some(if measured <= limit && limit <= 0.0 {
                1.0
            } else {
                limit / measured.max(f64::MIN_POSITIVE)
            }),
        }
    }

    /// A number that should be at least `limit`.
    pub fn at_least(what: &str, limit: f64, measured: f64, unit: &str) -> Self {
        Self {
            what: what.to_owned(),
            reach: format!("≥ {limit} {unit}"),
            measured: format!("{} {unit}", number(measured)),
            ratio: Some(measured / limit),
        }
    }

    /// A number that is only told.
    pub fn told(what: &str, measured: f64, unit: &str) -> Self {
        Self {
            what: what.to_owned(),
            reach: "-".to_owned(),
            measured: format!("{} {unit}", number(measured)),
            ratio: None,
        }
    }

    /// Something that could not be measured here.
    pub fn skipped(what: &str, why: &str) -> Self {
        Self {
            what: what.to_owned(),
            reach: "-".to_owned(),
            measured: format!("not measured: {why}"),
            ratio: None,
        }
    }
}

fn number(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// The rows as text. A ratio of 1 and above is within reach.
pub fn render(rows: &[Row]) -> String {
    let width = |cells: fn(&Row) -> &str, head: &str| {
        rows.iter()
            .map(|row| cells(row).chars().count())
            .chain([head.len()])
            .max()
            .unwrap_or_default()
    };
    let what = width(|row| &row.what, "what");
    let reach = width(|row| &row.reach, "reach");
    let measured = width(|row| &row.measured, "measured");
    let mut text = format!(
        "\n{:what$} | {:reach$} | {:measured$} | ratio\n",
        "what", "reach", "measured"
    );
    for row in rows {
        let ratio = row.ratio.map_or("-".to_owned(), |ratio| match ratio {
            ratio if ratio > 99.0 => "> ×99".to_owned(),
            ratio if ratio >= 1.0 => format!("×{ratio:.1}"),
            ratio => format!("×{ratio:.2} misses"),
        });
        let line = writeln!(
            text,
            "{:what$} | {:reach$} | {:measured$} | {ratio}",
            row.what, row.reach, row.measured
        );
        line.expect("writing to a string");
    }
    text
}
