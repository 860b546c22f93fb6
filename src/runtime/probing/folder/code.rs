//! TypeScript without its comments: what is only remarked is no code that runs.

/// Where a reader is in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Code,
    /// In a string that this ends.
    Text(char),
    Line,
    Block,
}

/// A text without what stands in comments. A `#` begins one only as the first of a line, and not right
/// before a name: a private field is called so.
pub(super) fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut at = At::Code;
    for line in text.split_inclusive('\n') {
        // A string of one line, and what a regular expression made look like one, ends with it.
        if !matches!(at, At::Text('`') | At::Block) {
            at = At::Code;
        }
        if at == At::Code && is_remark(line) {
            continue;
        }
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            let next = rest.peek().copied();
            match (at, c, next) {
                (At::Code, '/', Some('/')) => at = At::Line,
                (At::Code, '/', Some('*')) => {
                    rest.next();
                    at = At::Block;
                }
                (At::Block, '*', Some('/')) => {
                    rest.next();
                    at = At::Code;
                }
                (At::Text(_), '\\', Some(escaped)) => {
                    rest.next();
                    code.extend([c, escaped]);
                }
                (At::Code, '"' | '\'' | '`', _) => {
                    at = At::Text(c);
                    code.push(c);
                }
                (At::Text(end), _, _) if c == end => {
                    at = At::Code;
                    code.push(c);
                }
                (At::Code | At::Text(_), _, _) => code.push(c),
                (At::Line | At::Block, _, _) => {}
            }
        }
    }
    code
}

/// Whether a line is a remark as shells write one, or says what runs the file.
fn is_remark(line: &str) -> bool {
    let behind = line.trim_start().strip_prefix('#');
    behind.is_some_and(|behind| behind.starts_with([' ', '\t', '!', '\r', '\n', '#']))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a // KEY\nb", "a b")]
    #[case("a /* KEY\n KEY */ b", "a  b")]
    #[case("# KEY\n#!KEY\nclass { #field = 1 }", "class { #field = 1 }")]
    #[case("'https://a' // KEY", "'https://a' ")]
    #[case("`a // b\n# c` // KEY", "`a // b\n# c` ")]
    #[case(r#""a\" // b" + '/* c'"#, r#""a\" // b" + '/* c'"#)]
    #[case("x = /'/;\n// KEY\ny", "x = /'/;\ny")]
    fn what_is_remarked_is_left_out_and_the_rest_stays(#[case] text: &str, #[case] code: &str) {
        assert_eq!(without_comments(text), code);
    }
}
