//! What the text cannot show: the styles. Flow, audit, env and policy with their style runs, and
//! the rules that hold for every cell of every screen.

mod screens;

use hoptrail::{config::Palette, ui::look::Charset};
use ratatui::{
    buffer::Buffer,
    style::{Color, Modifier},
};
use screens::{draw, fresh, look, look_of, press, styled_dump, told};

fn dump(name: &str, keys: &str, size: (u16, u16)) {
    let mut app = told(size.0, size.1);
    let _ = press(&mut app, keys);
    let (buffer, _) = draw(&app, &look(), size.0, size.1);
    insta::assert_snapshot!(name, styled_dump(&buffer));
}

#[test]
fn flow_audit_env_and_policy_have_these_styles() {
    dump("flow", "1", (80, 24));
    dump("audit", "2", (80, 24));
    dump("env", "3", (80, 24));
    dump("policy", "5", (80, 24));
}

#[test]
fn without_colour_the_same_facts_are_bold_reversed_and_underlined() {
    let mut app = told(80, 24);
    let _ = press(&mut app, "2");
    let mono = look_of(Palette::Mono, Charset::Unicode);
    let (buffer, _) = draw(&app, &mono, 80, 24);
    insta::assert_snapshot!("audit-mono", styled_dump(&buffer));
}

fn every_screen(mut look_at: impl FnMut(&str, &Buffer)) {
    for keys in [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "v",
        "?",
        ":",
        "1 k enter",
        "2 enter l",
    ] {
        for size in [(80, 24), (120, 36), (200, 60)] {
            for palette in [Palette::Ansi, Palette::BlueOrange, Palette::Mono] {
                for mut app in [told(size.0, size.1), fresh(size.0, size.1)] {
                    let _ = press(&mut app, keys);
                    let look = look_of(palette, Charset::Unicode);
                    let (buffer, _) = draw(&app, &look, size.0, size.1);
                    look_at(&format!("{keys} {size:?} {palette:?}"), &buffer);
                }
            }
        }
    }
}

#[test]
fn no_background_is_ever_painted_and_only_the_terminals_colours_are_used() {
    every_screen(|name, buffer| {
        for cell in &buffer.content {
            assert_eq!(cell.bg, Color::Reset, "{name}: {}", cell.symbol());
            assert!(
                !matches!(
                    cell.fg,
                    Color::Rgb(..) | Color::Indexed(_) | Color::White | Color::Black
                ),
                "{name}: {:?}",
                cell.fg
            );
        }
    });
}

#[test]
fn red_and_green_are_for_verdicts_and_yellow_for_warnings() {
    every_screen(|name, buffer| {
        for y in 0..buffer.area.height {
            let red = (0..buffer.area.width)
                .any(|x| [Color::Red, Color::LightRed].contains(&buffer[(x, y)].fg));
            let line: String = (0..buffer.area.width)
                .map(|x| buffer[(x, y)].symbol())
                .collect();
            if red && name.ends_with("Ansi") {
                let told = [
                    "✗",
                    "█",
                    "▀",
                    "▄",
                    "no credential",
                    "never existed",
                    "denied",
                    "forbid",
                    "limit-linear-scopes",
                    "recorded",
                    "finished",
                    "exchanged",
                ];
                assert!(
                    told.iter().any(|word| line.contains(word)),
                    "{name}: {line}"
                );
            }
            let green = (0..buffer.area.width)
                .any(|x| [Color::Green, Color::LightGreen].contains(&buffer[(x, y)].fg));
            if green && name.ends_with("Ansi") {
                let told = [
                    "✓", "█", "▀", "▄", "0 keys", "permit", "▶", "issued", "recorded", "finished",
                    "→", "RULE ON",
                ];
                assert!(
                    told.iter().any(|word| line.contains(word)),
                    "{name}: {line}"
                );
            }
        }
    });
}

#[test]
fn mono_has_no_colour_at_all() {
    every_screen(|name, buffer| {
        if name.ends_with("Mono") {
            assert!(
                buffer.content.iter().all(|cell| cell.fg == Color::Reset),
                "{name}"
            );
        }
    });
}

#[test]
fn a_refusal_differs_from_an_issue_by_glyph_word_and_style() {
    for palette in [Palette::Ansi, Palette::BlueOrange, Palette::Mono] {
        let mut app = told(120, 36);
        let _ = press(&mut app, "2");
        let (buffer, _) = draw(&app, &look_of(palette, Charset::Unicode), 120, 36);
        let find = |wanted: &str| {
            (0..36).find_map(|y| {
                let line: String = (0..120).map(|x| buffer[(x, y)].symbol()).collect();
                let at = line.find(wanted)?;
                let x = u16::try_from(line[..at].chars().count()).unwrap();
                Some(buffer[(x, y)].style())
            })
        };
        let issued = find("✓ Issued").unwrap();
        let refused = find("✗ Failure").unwrap();
        assert_ne!(issued, refused, "{palette:?}");
        assert!(refused.add_modifier.contains(Modifier::BOLD), "{palette:?}");
    }
}
