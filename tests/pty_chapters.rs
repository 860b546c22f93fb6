//! The book as a newcomer goes through it: whoever presses what the last line says next, and nothing
//! else, comes to the end of all nine chapters.
#![cfg(target_os = "linux")]

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod program;
#[expect(dead_code, reason = "each test binary uses a part of it")]
#[path = "pty/terminal.rs"]
mod terminal;

use program::Home;
use rstest::rstest;
use terminal::Terminal;

/// More than a reader needs, who presses some 90.
const MOST_KEYS: usize = 200;

/// What news begin with.
const MARKS: [char; 4] = ['✓', '✗', '!', '•'];

/// What the last line says to press; nothing while something is under way.
fn next_key(screen: &str) -> Option<&str> {
    let header = screen.lines().next()?;
    if header.contains(['◐', '◓', '◑', '◒']) {
        return None;
    }
    let line = screen.lines().last()?.trim();
    let keys = match line.strip_prefix("next ") {
        Some(keys) => keys,
        // What was said last stands before the keys.
        None if line.starts_with(MARKS) => line.split_once("  ")?.1,
        None => line,
    };
    // A window that says no more than how to move in it was read.
    match keys.split_whitespace().next()? {
        "j" if keys.contains("Esc close") => Some("Esc"),
        key => Some(key),
    }
}

/// As the terminal sends it.
fn sent(key: &str) -> &str {
    match key {
        "Enter" => "\r",
        "Esc" => "\u{1b}",
        "PgDn" => "\u{1b}[6~",
        letter => letter,
    }
}

#[rstest]
#[case(80, 24)]
#[case(120, 36)]
#[case(200, 60)]
fn the_next_key_alone_leads_through_all_nine_chapters(#[case] columns: u16, #[case] rows: u16) {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, columns, rows, &["learn", "--headless"], &[]);
    terminal.wait_for(&["0. The open door", "LAB", "next t"]);
    let mut pressed = Vec::new();
    loop {
        let before = terminal.wait("a next key", |screen| {
            next_key(&screen.contents()).is_some()
        });
        // At the end of a page nothing is left to read on to.
        let before = if before.contains(" on to ") {
            terminal.wait("the end of a page is known", |screen| {
                next_key(&screen.contents()).is_some_and(|key| key != "PgDn")
            })
        } else {
            before
        };
        let key = next_key(&before).unwrap();
        if key == "C" {
            break;
        }
        pressed.push(key.to_owned());
        assert!(pressed.len() < MOST_KEYS, "{pressed:?}\n{before}");
        terminal.press(sent(key));
        terminal.wait("the key does something", |screen| {
            screen.contents() != before
        });
    }
    terminal.press("C");
    terminal.wait_for(&["9 of 9 done"]);
    // What no check waits for was offered, too.
    let of_chapters: Vec<&[String]> = pressed.split(|key| key == "J").collect();
    let pressed_in = |chapter: usize, key: &str| of_chapters[chapter].iter().any(|one| one == key);
    assert!(pressed_in(6, "d"), "{pressed:?}");
    assert!(pressed_in(2, "t"), "{pressed:?}");
    assert!(!pressed_in(2, "s"), "{pressed:?}");
    if columns < 100 {
        assert!(pressed_in(0, "4") && pressed_in(7, "2"), "{pressed:?}");
    }
}
