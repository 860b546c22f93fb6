//! Two runs side by side, as lines.

use std::io;

use super::style::{Style, Tone};
use crate::projection::{
    Comparison,
    compare::{Difference, Pair, Relation},
};

/// Writes what was the same and what differs, call by call; `left` and `right` name the runs.
///
/// # Errors
/// What the writer says.
pub fn write(
    out: &mut impl io::Write,
    style: Style,
    comparison: &Comparison,
    (left, right): (&str, &str),
) -> io::Result<()> {
    writeln!(out, "A is {}", style.clean(left))?;
    writeln!(out, "B is {}", style.clean(right))?;
    if !comparison.run.is_empty() {
        writeln!(out, "\n{}", style.paint(Tone::Strong, "The runs"))?;
        differences(out, style, "  ", &comparison.run)?;
    }
    for call in &comparison.calls {
        writeln!(out)?;
        let is_call = call.left.is_some() || call.right.is_some();
        if is_call {
            pair(out, style, "", call)?;
        } else {
            writeln!(
                out,
                "{}",
                style.paint(Tone::Strong, &style.clean(&call.title))
            )?;
        }
        for hop in &call.hops {
            pair(out, style, "  ", hop)?;
        }
    }
    let counts = comparison.counts();
    writeln!(
        out,
        "\n{} the same, {} differ, {} only in A, {} only in B",
        counts.same, counts.differ, counts.only_left, counts.only_right
    )
}

fn pair<C>(out: &mut impl io::Write, style: Style, indent: &str, pair: &Pair<C>) -> io::Result<()> {
    let (mark, tone) = match &pair.standing {
        Relation::Same => ("= same    ", Tone::Dim),
        Relation::Differs(_) => ("! differs ", Tone::Bad),
        Relation::OnlyLeft => ("< only A  ", Tone::Bad),
        Relation::OnlyRight => ("> only B  ", Tone::Bad),
    };
    let ended = match (&pair.left, &pair.right) {
        (Some(left), Some(right)) if left == right => left.clone(),
        (Some(left), Some(right)) => format!("{left} / {right}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => String::new(),
    };
    writeln!(
        out,
        "{indent}{}{}  {}",
        style.paint(tone, mark),
        style.clean(&pair.title),
        style.paint(Tone::Dim, &ended)
    )?;
    match &pair.standing {
        Relation::Differs(found) => differences(out, style, &format!("{indent}    "), found),
        Relation::Same | Relation::OnlyLeft | Relation::OnlyRight => Ok(()),
    }
}

fn differences(
    out: &mut impl io::Write,
    style: Style,
    indent: &str,
    found: &[Difference],
) -> io::Result<()> {
    let or_none = |text: &str| match text {
        "" => "none".to_owned(),
        text => style.clean(text),
    };
    for one in found {
        writeln!(
            out,
            "{indent}{}: A {}, B {}",
            style.clean(&one.what),
            or_none(&one.left),
            or_none(&one.right)
        )?;
    }
    Ok(())
}
