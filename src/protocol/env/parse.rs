//! Reads a `.env` file the way Node's `--env-file` does, but says where it could not.
//!
//! Must not say a value: a remark names a line, a column and a variable, nothing that stood
//! behind the equals sign.

use crate::protocol::secret::Secret;

/// A `.env` file as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvFile {
    /// One entry for each name, in the order of first appearance; the last value wins, as in Node.
    pub entries: Vec<EnvEntry>,
    /// What is odd but readable: a name that was given twice.
    pub warnings: Vec<EnvRemark>,
}

/// One variable. The value may be a key, so it is always kept as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvEntry {
    pub name: String,
    pub value: Secret,
    /// The line the name stands on, from 1.
    pub line: usize,
}

/// Something to say about a place in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct EnvRemark {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub message: String,
}

impl EnvFile {
    /// Reads `text`.
    ///
    /// Comments, `export`, single, double and back quotes (over several lines too), CRLF and a
    /// byte order mark are understood. Within double quotes `\n` is a line feed. An unquoted value
    /// ends at the first `#`, wherever it stands: that is Node's rule.
    ///
    /// # Errors
    /// Every line that is no assignment and every quote that never closes, all at once. Node skips
    /// the first and guesses at the second; a setting that vanishes without a word helps nobody.
    pub fn parse(text: &str) -> Result<Self, Vec<EnvRemark>> {
        let (file, faults) = Self::readable(text);
        if faults.is_empty() {
            Ok(file)
        } else {
            Err(faults)
        }
    }

    /// What can be read of `text`, and the faults of [`Self::parse`]: for who tells what is missing
    /// together with what is wrong.
    #[must_use]
    pub fn readable(text: &str) -> (Self, Vec<EnvRemark>) {
        let mut reader = Reader {
            rest: text.strip_prefix('\u{feff}').unwrap_or(text),
            line: 1,
        };
        let mut file = Self::default();
        let mut faults = Vec::new();
        while !reader.rest.is_empty() {
            match reader.assignment() {
                Ok(None) => {}
                Ok(Some(entry)) => file.add(entry),
                Err(fault) => faults.push(fault),
            }
        }
        (file, faults)
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.entries
            .iter()
            .find(|entry| entry.name == name)
            .map(|entry| &entry.value)
    }

    fn add(&mut self, entry: EnvEntry) {
        let earlier = self.entries.iter_mut().find(|e| e.name == entry.name);
        let Some(earlier) = earlier else {
            self.entries.push(entry);
            return;
        };
        self.warnings.push(EnvRemark {
            line: entry.line,
            column: 1,
            message: format!(
                "{} stands on line {} already; this later value counts",
                entry.name, earlier.line
            ),
        });
        *earlier = entry;
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    /// Takes the rest of the current line and its line break.
    fn take_line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        line.strip_suffix('\r').unwrap_or(line)
    }

    fn assignment(&mut self) -> Result<Option<EnvEntry>, EnvRemark> {
        let (number, start) = (self.line, self.rest);
        let line = self.take_line();
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return Ok(None);
        }
        let indent = line.len() - trimmed.len();
        let fault = |byte: usize, message: String| EnvRemark {
            line: number,
            column: line.get(..byte).map_or(1, |head| head.chars().count() + 1),
            message,
        };
        let Some(equals) = line.find('=') else {
            return Err(fault(
                indent,
                "expected NAME=value, and there is no equals sign".to_owned(),
            ));
        };
        let name_at = match trimmed.strip_prefix("export") {
            Some(after) if after.starts_with([' ', '\t']) => line.len() - after.trim_start().len(),
            _ => indent,
        };
        let name = line.get(name_at..equals).unwrap_or_default().trim_end();
        if let Some(wrong) = wrong_character(name) {
            let message = if name.is_empty() {
                "the name before the equals sign is missing".to_owned()
            } else {
                "a name is letters, digits and underscores, and does not begin with a digit"
                    .to_owned()
            };
            return Err(fault(name_at + wrong, message));
        }
        let raw = &line[equals + 1..];
        let value = raw.trim_start();
        let quote = value
            .chars()
            .next()
            .filter(|c| ['"', '\'', '`'].contains(c));
        let value = match quote {
            None => value
                .split('#')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            Some(quote) => {
                let open = equals + 1 + (raw.len() - value.len());
                self.quoted(start, open, quote).ok_or_else(|| {
                    fault(open, format!("the quote {quote} of {name} never closes"))
                })?
            }
        };
        Ok(Some(EnvEntry {
            name: name.to_owned(),
            value: Secret::new(value),
            line: number,
        }))
    }

    /// The text between the quote at byte `open` of `start` and its partner, which may stand on a
    /// later line; what follows the partner on its line is skipped.
    fn quoted(&mut self, start: &'a str, open: usize, quote: char) -> Option<String> {
        let body = &start[open + 1..];
        let close = body.find(quote)?;
        let value = &body[..close];
        let breaks = value.matches('\n').count();
        if breaks > 0 {
            self.line += breaks;
            let after = &body[close + 1..];
            self.rest = after.split_once('\n').map_or("", |(_, rest)| rest);
        }
        Some(match quote {
            '"' => value.replace("\\n", "\n"),
            _ => value.to_owned(),
        })
    }
}

/// The byte of the first character that a name must not have.
fn wrong_character(name: &str) -> Option<usize> {
    if name.is_empty() {
        return Some(0);
    }
    name.char_indices()
        .find(|(at, c)| !(c.is_ascii_alphabetic() || *c == '_' || (*at > 0 && c.is_ascii_digit())))
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn value(text: &str, name: &str) -> String {
        EnvFile::parse(text)
            .unwrap()
            .get(name)
            .unwrap()
            .expose()
            .clone()
    }

    #[rstest]
    #[case::plain("A=b", "b")]
    #[case::blanks_around("  A = b  ", "b")]
    #[case::empty("A=", "")]
    #[case::comment_behind("A=b # c", "b")]
    #[case::hash_cuts_as_in_node("A=b#c", "b")]
    #[case::export("export A=b", "b")]
    #[case::a_name_that_only_begins_so("A=b\nexported=c", "b")]
    #[case::double("A=\"b # c\" tail", "b # c")]
    #[case::single("A='b\\n'", "b\\n")]
    #[case::back("A=`b`", "b")]
    #[case::escaped_break("A=\"b\\nc\"", "b\nc")]
    #[case::over_lines("A=\"b\nc\"\nB=d", "b\nc")]
    #[case::windows("A=b\r\nB=c\r\n", "b")]
    #[case::byte_order_mark("\u{feff}A=b", "b")]
    #[case::equals_in_value("A=b=c==", "b=c==")]
    fn a_value_is_read_as_node_reads_it(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(value(text, "A"), expected);
    }

    #[test]
    fn lines_are_counted_through_quotes() {
        let file = EnvFile::parse("# x\nA='1\n2\n3'\n\nB=4").unwrap();
        let lines: Vec<_> = file.entries.iter().map(|e| (&*e.name, e.line)).collect();
        assert_eq!(lines, [("A", 2), ("B", 6)]);
    }

    #[test]
    fn every_fault_is_told_with_its_place_and_without_the_value() {
        let faults =
            EnvFile::parse("nonsense-zz\nA=1\n 1B=s3cr3t\n=s3cr3t\nC=\"s3cr3t\nD=2").unwrap_err();
        let places: Vec<_> = faults.iter().map(|f| (f.line, f.column)).collect();
        assert_eq!(places, [(1, 1), (3, 2), (4, 1), (5, 3)]);
        assert!(faults.iter().all(|f| !f.to_string().contains("s3cr3t")));
    }

    #[test]
    fn a_name_given_twice_is_warned_of_and_the_later_counts() {
        let file = EnvFile::parse("A=1\nA=2").unwrap();
        assert_eq!(file.get("A").unwrap().expose(), "2");
        assert_eq!(file.entries.len(), 1);
        assert_eq!(
            file.warnings[0].to_string(),
            "line 2, column 1: A stands on line 1 already; this later value counts"
        );
    }

    #[test]
    fn a_line_of_four_megabytes_is_no_problem() {
        let long = "x".repeat(4 << 20);
        assert_eq!(value(&format!("A={long}\nB=1"), "A").len(), 4 << 20);
    }

    #[test]
    fn a_value_is_never_shown_by_debug() {
        assert!(!format!("{:?}", EnvFile::parse("A=s3cr3t").unwrap()).contains("s3cr3t"));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(text in "[A-Za-z0-9_=\"'`#\\\\ \t\r\né\u{feff}]{0,80}") {
            let _ = EnvFile::parse(&text);
        }
    }
}
