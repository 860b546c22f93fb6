//! JSON's escapes in text that is no whole JSON: `\/` and `\u002d` hide a secret from a search.

use std::borrow::Cow;

/// The text with every escape resolved that stands for a visible ASCII character. A quotation mark
/// and a backslash stay escaped: without them nobody could tell where a string ends.
pub(super) fn plainly(text: &str) -> Cow<'_, str> {
    if !text.contains("\\/") && !text.contains("\\u00") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (shown, length) = match escape.as_bytes().get(1) {
            Some(b'/') => (Some('/'), 2),
            Some(b'u') => (visible(escape.get(2..6)), 6),
            Some(_) | None => (None, 0),
        };
        rest = if let Some(letter) = shown {
            out.push(letter);
            &escape[length..]
        } else {
            // Whatever is escaped goes along with its backslash, lest `\\/` be taken for `\/`.
            let mut letters = escape.char_indices();
            let end = letters.nth(2).map_or(escape.len(), |(place, _)| place);
            out.push_str(&escape[..end]);
            &escape[end..]
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn visible(digits: Option<&str>) -> Option<char> {
    let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let byte = u8::try_from(u32::from_str_radix(digits, 16).ok()?).ok()?;
    (byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')).then_some(char::from(byte))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::plainly;

    #[rstest]
    #[case(r"a\/b\u002dc\u002Dd", "a/b-c-d")]
    #[case(r"a\\/b", r"a\\/b")]
    #[case(r"\\u002d\/", r"\\u002d/")]
    #[case(r"\u0022\u005c\u000a\u00e9\/", r"\u0022\u005c\u000a\u00e9/")]
    #[case(r"\u00zz\u00\/", r"\u00zz\u00/")]
    #[case("\\é\\/\\", "\\é/\\")]
    fn what_is_visible_is_shown(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(plainly(text), shown);
    }
}
