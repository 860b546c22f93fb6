//! Large letters, to be read from the back of the room: two pixels a cell, or one where there
//! are no half blocks.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::put;
use crate::ui::look::{Blocks, Look};

/// How large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// A pixel is as wide as a cell.
    Once,
    /// A pixel is as wide as two cells, and as high as one.
    Twice,
}

impl Scale {
    const fn cells(self) -> u16 {
        match self {
            Self::Once => 1,
            Self::Twice => 2,
        }
    }
}

/// Rows that large letters take in a look.
#[must_use]
pub const fn height(look: &Look, scale: Scale) -> u16 {
    match (scale, look.glyphs.block) {
        (Scale::Once, Blocks::Half) => 3,
        (Scale::Once, Blocks::Hash) | (Scale::Twice, Blocks::Half | Blocks::Hash) => 5,
    }
}

/// Five rows of pixels for a character.
const fn pixels(c: char) -> [&'static str; 5] {
    match c {
        'A' => [".##.", "#..#", "####", "#..#", "#..#"],
        'B' => ["###.", "#..#", "###.", "#..#", "###."],
        'C' => [".###", "#...", "#...", "#...", ".###"],
        'D' => ["###.", "#..#", "#..#", "#..#", "###."],
        'E' => ["####", "#...", "###.", "#...", "####"],
        'F' => ["####", "#...", "###.", "#...", "#..."],
        'G' => [".###", "#...", "#.##", "#..#", ".###"],
        'H' => ["#..#", "#..#", "####", "#..#", "#..#"],
        'I' => ["#", "#", "#", "#", "#"],
        'J' => ["...#", "...#", "...#", "#..#", ".##."],
        'K' => ["#..#", "#.#.", "##..", "#.#.", "#..#"],
        'L' => ["#...", "#...", "#...", "#...", "####"],
        'M' => ["#...#", "##.##", "#.#.#", "#...#", "#...#"],
        'N' => ["#..#", "##.#", "#.##", "#..#", "#..#"],
        'O' | '0' => [".##.", "#..#", "#..#", "#..#", ".##."],
        'P' => ["###.", "#..#", "###.", "#...", "#..."],
        'Q' => [".##.", "#..#", "#..#", "#.#.", ".#.#"],
        'R' => ["###.", "#..#", "###.", "#.#.", "#..#"],
        'S' => [".###", "#...", ".##.", "...#", "###."],
        'T' => ["#####", "..#..", "..#..", "..#..", "..#.."],
        'U' => ["#..#", "#..#", "#..#", "#..#", ".##."],
        'V' => ["#...#", "#...#", ".#.#.", ".#.#.", "..#.."],
        'W' => ["#...#", "#...#", "#.#.#", "##.##", "#...#"],
        'X' | '✗' => ["#...#", ".#.#.", "..#..", ".#.#.", "#...#"],
        'Y' => ["#...#", ".#.#.", "..#..", "..#..", "..#.."],
        '!' => ["#", "#", "#", ".", "#"],
        'Z' => ["####", "..#.", ".#..", "#...", "####"],
        '1' => [".#", "##", ".#", ".#", ".#"],
        '2' => ["###.", "...#", ".##.", "#...", "####"],
        '3' => ["###.", "...#", ".##.", "...#", "###."],
        '4' => ["#..#", "#..#", "####", "...#", "...#"],
        '5' => ["####", "#...", "###.", "...#", "###."],
        '6' => [".##.", "#...", "###.", "#..#", ".##."],
        '7' => ["####", "...#", "..#.", ".#..", ".#.."],
        '8' => [".##.", "#..#", ".##.", "#..#", ".##."],
        '9' => [".##.", "#..#", ".###", "...#", ".##."],
        '✓' => ["......#", ".....#.", "#...#..", ".#.#...", "..#...."],
        '-' => ["...", "...", "###", "...", "..."],
        '_' => ["...", "...", "...", "...", "###"],
        '…' => [".....", ".....", ".....", ".....", "#.#.#"],
        _ => ["..", "..", "..", "..", ".."],
    }
}

/// Whether there is a large letter for each of `text`.
#[must_use]
pub fn can_spell(text: &str) -> bool {
    text.chars()
        .all(|c| matches!(c, 'A'..='Z' | '0'..='9' | '-' | '_' | ' '))
}

/// The cells that `text` takes in large letters.
#[must_use]
pub fn width(text: &str, scale: Scale) -> usize {
    let pixels = text
        .chars()
        .map(|c| pixels(c)[0].len() + 1)
        .sum::<usize>()
        .saturating_sub(1);
    pixels * usize::from(scale.cells())
}

/// Draws `text`, upper case, in large letters where the look and the width have them, else plainly
/// in the middle row. Returns the cells used.
pub fn draw(
    buf: &mut Buffer,
    area: Rect,
    text: &str,
    scale: Scale,
    style: Style,
    look: &Look,
) -> u16 {
    let area = put::on_screen(area, buf);
    let height = height(look, scale);
    let large = width(text, scale) <= usize::from(area.width) && area.height >= height;
    if !large {
        // Spaced, a plain word still reads from afar.
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let spaced = format!(" {} ", letters.join(" "));
        let row = area.height.min(height) / 2;
        return put::text(buf, area, row, 0, &look.fit(&spaced), style, look);
    }
    let mut x = area.x;
    for c in text.chars() {
        let rows = pixels(c);
        let lit = |row: usize, column: usize| {
            rows.get(row)
                .is_some_and(|line| line.as_bytes().get(column) == Some(&b'#'))
        };
        for column in 0..rows[0].len() {
            for _ in 0..scale.cells() {
                for row in 0..height {
                    let pixel = usize::from(row);
                    let symbol = match (look.glyphs.block, scale) {
                        (Blocks::Half, Scale::Once) => {
                            let upper = pixel * 2;
                            match (lit(upper, column), lit(upper + 1, column)) {
                                (true, true) => "█",
                                (true, false) => "▀",
                                (false, true) => "▄",
                                (false, false) => continue,
                            }
                        }
                        (Blocks::Half, Scale::Twice) if lit(pixel, column) => "█",
                        (Blocks::Hash, _) if lit(pixel, column) => "#",
                        (Blocks::Half | Blocks::Hash, _) => continue,
                    };
                    buf[(x, area.y + row)].set_symbol(symbol).set_style(style);
                }
                x += 1;
            }
        }
        x += scale.cells();
    }
    x - area.x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_a_letter_is_as_wide_as_the_others() {
        for c in ('A'..='Z')
            .chain('0'..='9')
            .chain(['✓', '✗', '…', ' ', '-', '_'])
        {
            let rows = pixels(c);
            assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{c}");
        }
    }
}
