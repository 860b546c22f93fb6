//! Where a person wants to go in a trace, as they write it.

use crate::projection::Part;

/// Where a person wants to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Microseconds of the run, from the first to the last that are written so: what the screen shows to
    /// a tenth is all of that tenth.
    Time { from: u64, to: u64 },
    /// Where a part of the story begins.
    Part(Part),
    /// An event's number from 1, or 0 for the beginning.
    Event(usize),
}

impl Goal {
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(number) = text.strip_prefix('#') {
            return number.trim().parse().ok().map(Self::Event);
        }
        for word in ["chapter", "ch"] {
            if let Some(number) = text.strip_prefix(word) {
                let number = number.trim().parse().ok();
                return number.map(|number| Self::Part(Part::Chapter(number)));
            }
        }
        if let Some(number) = text.strip_prefix("cue") {
            let number = number.trim().parse().ok();
            return number.map(|number| Self::Part(Part::Cue(number)));
        }
        let from = written_time(text)?;
        Some(Self::Time {
            from,
            to: from.saturating_add(unwritten(text)),
        })
    }
}

/// Microseconds that the digits behind a point leave open.
fn unwritten(text: &str) -> u64 {
    let Some((_, part)) = text.split_once('.') else {
        return 0;
    };
    let digits = part.bytes().take_while(u8::is_ascii_digit).count();
    let digits = u32::try_from(digits).unwrap_or(u32::MAX);
    10_u64.pow(6_u32.saturating_sub(digits)) - 1
}

/// Microseconds, as a person writes a time or the timeline does: `12 s`, `500 ms`, `90 m`, `1:02.5`,
/// `1:02:03`, `2h18:30`, `40d00h00`.
fn written_time(text: &str) -> Option<u64> {
    let (days, text): (u64, _) = match text.split_once('d') {
        Some((days, rest)) => (days.trim().parse().ok()?, rest.trim()),
        None => (0, text),
    };
    let (hours, text) = match text.split_once('h') {
        Some((hours, rest)) => (Some(hours.trim().parse().ok()?), rest.trim()),
        None => (None, text),
    };
    let number = text.trim_end_matches(char::is_alphabetic);
    let unit = &text[number.len()..];
    let text = number.trim();
    let minutes_only = match (unit, hours) {
        ("", _) => None,
        ("ms", None) if days == 0 => return text.parse::<u64>().ok()?.checked_mul(1_000),
        ("s", None) if !text.is_empty() => None,
        ("m", _) => Some(text),
        _ => return None,
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (more_hours, minutes, seconds) = match (minutes_only, parts.as_slice(), hours) {
        (Some(minutes), ..) => ("0", minutes, "0"),
        (None, [""], _) if hours.is_some() || days > 0 => ("0", "0", "0"),
        // Behind hours come minutes.
        (None, [minutes], Some(_)) => ("0", *minutes, "0"),
        (None, [seconds], None) => ("0", "0", *seconds),
        (None, [minutes, seconds], _) => ("0", *minutes, *seconds),
        (None, [hours, minutes, seconds], None) => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let hours: u64 = hours.unwrap_or(0).max(more_hours.parse().ok()?);
    let minutes: u64 = minutes.parse().ok()?;
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let whole: u64 = whole.parse().ok()?;
    if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros = format!("{part:0<6.6}").parse::<u64>().ok()?;
    days.checked_mul(24)?
        .checked_add(hours)?
        .checked_mul(60)?
        .checked_add(minutes)?
        .checked_mul(60)?
        .checked_add(whole)?
        .checked_mul(1_000_000)?
        .checked_add(micros)
}

#[cfg(test)]
mod tests {
    use super::{Goal, Part};

    #[test]
    fn a_goal_is_a_time_or_an_event() {
        let time = |from, to| Some(Goal::Time { from, to });
        assert_eq!(Goal::read("1:02.5"), time(62_500_000, 62_599_999));
        assert_eq!(Goal::read(" 12 s"), time(12_000_000, 12_000_000));
        assert_eq!(Goal::read("0.25"), time(250_000, 259_999));
        assert_eq!(Goal::read("0.1234567"), time(123_456, 123_456));
        assert_eq!(Goal::read("500 ms"), time(500_000, 500_000));
        assert_eq!(Goal::read("12ms"), time(12_000, 12_000));
        for (text, seconds) in [
            ("1:02:03", 3_723),
            ("2h18:30", 8_310),
            ("1h", 3_600),
            ("1 h 5", 3_900),
            ("90 m", 5_400),
            ("40d00h00", 3_456_000),
            ("2d", 172_800),
        ] {
            assert_eq!(
                Goal::read(text),
                time(seconds * 1_000_000, seconds * 1_000_000),
                "{text}"
            );
        }
        assert_eq!(Goal::read("#41"), Some(Goal::Event(41)));
        assert_eq!(Goal::read("ch 7"), Some(Goal::Part(Part::Chapter(7))));
        assert_eq!(Goal::read("chapter 0"), Some(Goal::Part(Part::Chapter(0))));
        assert_eq!(Goal::read("cue 3"), Some(Goal::Part(Part::Cue(3))));
        for wrong in [
            "",
            "soon",
            "ch",
            "ch x",
            "1:",
            "#",
            "-3",
            "1.x",
            "h",
            "xd",
            "1h2:3:4",
            "1:2:3:4",
            "1hm",
            "ms",
            "1hs",
            "1h 5 s",
            "1h5ms",
            "12 m s",
            "5 µs",
            "5 min",
            "5 weeks",
            "99999999999999999999",
        ] {
            assert_eq!(Goal::read(wrong), None, "{wrong}");
        }
    }
}
