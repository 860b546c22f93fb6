//! What an error of the system or of a library says, in words for people.

use std::{borrow::Cow, error::Error, io};

use serde_json::error::Category;

use super::text::one_line;

/// The innermost cause below `error`, which is the one that says something, in one line; nothing if
/// `error` has no cause.
#[must_use]
pub fn innermost(error: &dyn Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Some(without_number(&one_line(&cause.to_string())).into_owned())
}

/// `text` without the number that the standard library puts behind what the system says
/// (`Connection refused (os error 111)`): the words say it, and the number is another one elsewhere.
#[must_use]
pub fn without_number(text: &str) -> Cow<'_, str> {
    const BEFORE: &str = " (os error ";
    let Some((words, rest)) = text.split_once(BEFORE) else {
        return Cow::Borrowed(text);
    };
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    match digits.strip_prefix(')') {
        Some(after) if digits.len() < rest.len() => {
            Cow::Owned(format!("{words}{}", without_number(after)))
        }
        _ => Cow::Owned(format!("{words}{BEFORE}{}", without_number(rest))),
    }
}

/// Why JSON is not what was asked for. Most of serde's texts quote a value, which may be a secret, so
/// only what names a member is told.
#[must_use]
pub fn misfit(error: &serde_json::Error) -> String {
    let told = error.to_string();
    match error.classify() {
        Category::Data if told.starts_with("missing field") => told,
        Category::Data => "a value in it is of another kind".to_owned(),
        Category::Io | Category::Syntax | Category::Eof => "it is no JSON".to_owned(),
    }
}

/// What to do about something that could not be written: on a full disk another folder of it is no
/// help, nor is any right.
#[must_use]
pub fn remedy<'a>(error: &io::Error, otherwise: &'a str) -> &'a str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => MAKE_ROOM,
        _ => otherwise,
    }
}

/// What to do when the disk is full.
pub const MAKE_ROOM: &str = "free some room on the disk, then try again";

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_number_goes_and_everything_else_stays() {
        for (text, said) in [
            ("Connection refused (os error 111)", "Connection refused"),
            (
                "a: Denied (os error 13); b: Gone (os error 2).",
                "a: Denied; b: Gone.",
            ),
            ("no number", "no number"),
            (" (os error )", " (os error )"),
            ("x (os error 1", "x (os error 1"),
        ] {
            assert_eq!(without_number(text), said);
        }
    }

    #[test]
    fn a_full_disk_wants_room_and_no_other_right() {
        for (kind, next) in [
            (io::ErrorKind::StorageFull, MAKE_ROOM),
            (io::ErrorKind::PermissionDenied, "name another"),
        ] {
            assert_eq!(remedy(&kind.into(), "name another"), next);
        }
    }

    #[test]
    fn the_innermost_cause_is_what_is_told() {
        #[derive(Debug, thiserror::Error)]
        #[error("outside")]
        struct Outside(#[source] io::Error);

        let refused = io::Error::from_raw_os_error(111);
        assert!(innermost(&refused).is_none());
        let told = innermost(&Outside(refused)).unwrap();
        assert_eq!(told, without_number(&told));
        assert!(!told.is_empty());
    }
}
