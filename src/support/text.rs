//! Text as a terminal shows it: widths in cells, cutting, wrapping, and making foreign text harmless.

use std::{borrow::Cow, fmt::Display};

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The number of terminal cells that `text` takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Makes text from outside harmless without hiding that it was not.
///
/// Control characters become their visible pictures (ESC is `␛`), C1 controls, bidirectional
/// overrides and other invisible format characters become `�`, but for the joiner that makes one emoji
/// of two. Line feeds and tabs stay;
/// callers that need one line use [`one_line`].
#[must_use]
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| !is_hostile(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(match c {
            c if !is_hostile(c) => c,
            // Two emoji that it makes one: `👩‍🏫`. Anywhere else it would not be seen.
            JOINER
                if before.is_some_and(is_emoji) && rest.peek().copied().is_some_and(is_emoji) =>
            {
                c
            }
            '\u{7f}' => '␡',
            c if (c as u32) < 0x20 => char::from_u32(0x2400 + c as u32).unwrap_or('�'),
            _ => '�',
        });
        if !is_emoji_modifier(c) {
            before = Some(c);
        }
    }
    Cow::Owned(out)
}

/// Zero width joiner.
const JOINER: char = '\u{200d}';

/// Whether a character may stand on either side of a joiner in an emoji (Unicode's UTS 51).
const fn is_emoji(c: char) -> bool {
    matches!(c,
        '↔' | '↕' | '\u{2600}'..='\u{27bf}' | '⬛' | '⭐' | '\u{1f300}'..='\u{1f3fa}'
        | '\u{1f400}'..='\u{1f6ff}' | '\u{1f900}'..='\u{1faff}')
}

/// A skin tone, or that a character is to be drawn as an emoji.
const fn is_emoji_modifier(c: char) -> bool {
    matches!(c, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// [`sanitize`] plus line feeds and tabs made visible or blank: for a cell, a title, a log line.
#[must_use]
pub fn one_line(text: &str) -> String {
    sanitize(text)
        .chars()
        .map(|c| match c {
            '\n' => '⏎',
            '\t' => ' ',
            c => c,
        })
        .collect()
}

/// The first line of a text, also of one that [`one_line`] made of several.
#[must_use]
pub fn first_line(text: &str) -> &str {
    text.split(['\n', '⏎']).next().unwrap_or(text).trim_end()
}

/// How many of something there are: `1 ticket`, `2 tickets`.
#[must_use]
pub fn number_of<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Whether a terminal would obey a character, or show nothing where it stands.
pub(crate) const fn is_hostile(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Lower case without Latin diacritics: `Tomás` and `TOMAS` are the same name.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' | 'ạ'..='ặ' => 'a',
            'ç' | 'ć' | 'č' => 'c',
            'ď' | 'đ' | 'ð' => 'd',
            'è'..='ë' | 'ē' | 'ę' | 'ě' | 'ė' | 'ẹ'..='ệ' => 'e',
            'ğ' => 'g',
            'ì'..='ï' | 'ī' | 'į' | 'ı' | 'ỉ'..='ị' => 'i',
            'ł' => 'l',
            'ñ' | 'ń' | 'ň' => 'n',
            'ò'..='ö' | 'ø' | 'ō' | 'ő' | 'ơ' | 'ọ'..='ợ' => 'o',
            'ř' => 'r',
            'ś' | 'š' | 'ş' | 'ș' => 's',
            'ť' | 'ţ' | 'ț' => 't',
            'ù'..='ü' | 'ū' | 'ű' | 'ů' | 'ư' | 'ụ'..='ự' => 'u',
            'ý' | 'ÿ' | 'ỳ'..='ỹ' => 'y',
            'ź' | 'ż' | 'ž' => 'z',
            'ß' => {
                folded.push('s');
                's'
            }
            '\u{300}'..='\u{36f}' => continue,
            c => c,
        };
        folded.push(plain);
    }
    folded
}

/// Cuts `text` to at most `cells`, ending in `…` where something was cut.
#[must_use]
pub fn truncate(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let w = width(grapheme);
        if used + w > cells - 1 {
            break;
        }
        used += w;
        out.push_str(grapheme);
    }
    out.push('…');
    Cow::Owned(out)
}

/// Shortens an identifier in its middle, where identifiers differ least: `3f9a…5c6d`.
#[must_use]
pub fn shorten_middle(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells < 3 {
        return truncate(text, cells);
    }
    let graphemes: Vec<&str> = text.graphemes(true).collect();
    let head = (cells - 1).div_ceil(2);
    let tail = cells - 1 - head;
    let mut out = take_cells(graphemes.iter().copied(), head).concat();
    out.push('…');
    let mut end = take_cells(graphemes.iter().rev().copied(), tail);
    end.reverse();
    out.push_str(&end.concat());
    Cow::Owned(out)
}

fn take_cells<'a>(graphemes: impl Iterator<Item = &'a str>, cells: usize) -> Vec<&'a str> {
    let mut used = 0;
    graphemes
        .take_while(|g| {
            used += width(g);
            used <= cells
        })
        .collect()
}

/// Wraps `text` to lines of at most `cells`, at blanks where possible; hard line breaks are kept.
#[must_use]
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in runs(paragraph) {
            let w = width(word);
            if used + w <= cells {
                line.push_str(word);
                used += w;
                continue;
            }
            if word.trim().is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0;
                continue;
            }
            if used > 0 {
                let kept = line.trim_end().len();
                line.truncate(kept);
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            for grapheme in word.graphemes(true) {
                let w = width(grapheme);
                if used + w > cells && used > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push_str(grapheme);
                used += w;
            }
        }
        lines.push(line);
    }
    lines
}

/// [`wrap`] in at most so many lines; the last one ends in `…` where more would follow.
#[must_use]
pub fn wrap_at_most(text: &str, cells: usize, most: usize) -> Vec<String> {
    let mut lines = wrap(text, cells);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let more = format!("{} …", last.trim_end());
            *last = if width(&more) <= cells {
                more
            } else {
                truncate(&more, cells).into_owned()
            };
        }
    }
    lines
}

/// `text` in exactly so many cells: cut with an ellipsis, or with blanks behind it.
#[must_use]
pub fn padded(text: &str, cells: usize) -> String {
    let mut cut = truncate(text, cells).into_owned();
    let blanks = cells.saturating_sub(width(&cut));
    cut.extend(std::iter::repeat_n(' ', blanks));
    cut
}

/// Words and the blanks between them, in turn.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let blank = rest.chars().next()?.is_whitespace();
        let end = rest
            .find(|c: char| c.is_whitespace() != blank)
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

/// A duration in microseconds with one unit: `840 µs`, `2.4 ms`, `1.2 s`, `3 min`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.1} ms", micros as f64 / 1e3),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..120_000_000 => format!("{:.1} s", micros as f64 / 1e6),
        120_000_000..7_200_000_000 => format!("{} min", micros / 60_000_000),
        7_200_000_000..172_800_000_000 => format!("{} h", micros / 3_600_000_000),
        _ => format!("{} days", micros / 86_400_000_000),
    }
}

/// A word that a POSIX shell takes for `text`.
#[must_use]
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_a_word_for_the_text_that_it_is_of() {
        assert_eq!(shell_word("/tmp/a-b_c.env"), "/tmp/a-b_c.env");
        assert_eq!(shell_word("my lab"), "'my lab'");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn escape_sequences_become_visible_and_harmless() {
        assert_eq!(sanitize("a\u{1b}]0;x\u{7}b"), "a␛]0;x␇b");
        assert_eq!(sanitize("\u{202e}evil\u{9b}31m"), "�evil�31m");
        assert_eq!(one_line("a\r\nb"), "a␍⏎b");
        assert!(matches!(sanitize("plain\ntext"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_joiner_passes_between_two_emoji_only() {
        for emoji in [
            "👩\u{200d}🏫",
            "👩🏽\u{200d}🚀",
            "🏳\u{fe0f}\u{200d}🌈",
            "👨\u{200d}👩\u{200d}👧",
        ] {
            assert_eq!(sanitize(emoji), emoji);
            assert_eq!(width(emoji), 2, "{emoji}");
        }
        for (text, told) in [
            ("a\u{200d}b", "a�b"),
            ("👩\u{200d}b", "👩�b"),
            ("a\u{200d}👩", "a�👩"),
            ("👩\u{200d}\u{200d}🏫", "👩��🏫"),
            ("👩\u{200c}🏫", "👩�🏫"),
            ("\u{200d}", "�"),
            ("👩\u{200d}", "👩�"),
        ] {
            assert_eq!(sanitize(text), told);
        }
    }

    #[test]
    fn the_first_line_is_told_of_what_was_put_on_one() {
        assert_eq!(first_line(&one_line("it broke. \ntry again")), "it broke.");
    }

    #[test]
    fn a_number_and_its_noun_agree() {
        assert_eq!(number_of(0_usize, "ticket"), "0 tickets");
        assert_eq!(number_of(1_u64, "ticket"), "1 ticket");
        assert_eq!(number_of(2_u32, "ticket"), "2 tickets");
    }

    #[test]
    fn cutting_counts_cells_and_not_bytes() {
        assert_eq!(truncate("日本語", 4), "日…");
        assert_eq!(truncate("abc", 3), "abc");
        assert_eq!(truncate("abc", 0), "");
        assert_eq!(shorten_middle("3f9a2b1c-7d4e-5c6d", 9), "3f9a…5c6d");
    }

    #[test]
    fn wrapping_keeps_words_whole_where_they_fit() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("to [CARD_1].", 10), ["to", "[CARD_1]."]);
        assert_eq!(wrap_at_most("one two three", 7, 2), ["one two", "three"]);
        assert_eq!(wrap_at_most("one two three", 7, 1), ["one tw…"]);
        assert_eq!(wrap_at_most("one two three", 9, 1), ["one two …"]);
        assert_eq!(wrap_at_most("abcdefgh", 3, 2), ["abc", "de…"]);
    }

    #[test]
    fn durations_read_with_one_unit() {
        assert_eq!(duration(840), "840 µs");
        assert_eq!(duration(2_440), "2.4 ms");
        assert_eq!(duration(1_200_000), "1.2 s");
        assert_eq!(duration(5_400_000_000), "90 min");
        assert_eq!(duration(16_620_000_000), "4 h");
        assert_eq!(duration(3_456_009_271_000), "40 days");
    }

    #[test]
    fn folding_forgets_accents() {
        assert_eq!(fold("Tomás ŁUKASZ Jürgen"), "tomas lukasz jurgen");
        assert_eq!(fold("Straße Nguyễn e\u{301}"), "strasse nguyen e");
    }
}
