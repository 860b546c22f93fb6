//! What holds for any trace and any way through it.

use hoptrail::{
    app::{
        msg::Msg,
        player::{Growth, Tape},
    },
    projection::{
        Projection, Timeline,
        timeline::{Direction, Unit},
    },
    trace::{codec, reader::Entry},
};
use proptest::prelude::*;

use super::{
    bytes, opening, read,
    screens::{self, draw, look, press},
};

/// A timeline with checkpoints: the story over and over.
fn long() -> (Timeline, Vec<Entry>) {
    let (header, entries, _) = read(&bytes()).unwrap();
    let mut all = Vec::new();
    let mut timeline = Timeline::open(Some(header.started));
    for round in 0..15_u64 {
        for entry in &entries {
            let mut event = entry.event.clone();
            event.at_us += round * 17_000_000;
            event.seq += round * 72;
            let line = codec::encode(&event).trim_end().to_owned();
            timeline.push(&event, &line);
            let start = 0;
            all.push(Entry { event, line, start });
        }
    }
    timeline.close();
    (timeline, all)
}

#[test]
fn a_place_is_the_same_whatever_way_led_there() {
    let (timeline, entries) = long();
    let started = screens::header().started;
    let mut straight = Vec::new();
    let mut projection = Projection::starting(started);
    straight.push(projection.clone());
    for entry in &entries {
        projection.apply_line(&entry.event, &entry.line);
        straight.push(projection.clone());
    }
    let runner = &mut proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
    let places = proptest::collection::vec(0..=entries.len(), 1..6);
    runner
        .run(&places, |places| {
            let mut here = timeline.at(places[0]);
            for place in places {
                timeline.bring(&mut here, place).unwrap();
                prop_assert!(here == straight[place], "at {place}");
                // A step forward is undone by a step back.
                if let Some(next) = timeline.step(place, Unit::Event, Direction::Forward) {
                    timeline.bring(&mut here, next).unwrap();
                    let back = timeline.step(next, Unit::Event, Direction::Back).unwrap();
                    timeline.bring(&mut here, back).unwrap();
                    prop_assert!(here == straight[place], "back at {place}");
                }
                for unit in [Unit::Hop, Unit::Call, Unit::Refusal] {
                    if let Some(next) = timeline.step(place, unit, Direction::Forward) {
                        prop_assert!(next > place);
                    }
                    if let Some(before) = timeline.step(place, unit, Direction::Back) {
                        prop_assert!(before < place);
                    }
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_file_cut_at_any_byte_opens_with_what_is_whole() {
    let bytes = bytes();
    let (_, all, _) = read(&bytes).unwrap();
    let header = bytes.iter().position(|b| *b == b'\n').unwrap();
    // Every byte around the ends of lines, and some of all others.
    let near = |cut: usize| {
        let from = cut.saturating_sub(2);
        bytes[from..(cut + 2).min(bytes.len())].contains(&b'\n')
    };
    for cut in (0..=bytes.len()).filter(|cut| *cut < 300 || near(*cut) || cut % 211 == 0) {
        let whole = bytes[..cut]
            .iter()
            .enumerate()
            .skip(header + 1)
            .filter(|(_, b)| **b == b'\n')
            .count();
        match read(&bytes[..cut]) {
            None => assert!(cut < header, "cut at {cut}"),
            Some((_, entries, damaged)) => {
                assert_eq!(damaged, 0, "cut at {cut}");
                // An event is whole without its line feed, too.
                assert!(entries.len() == whole || entries.len() == whole + 1);
                assert_eq!(entries, all[..entries.len()], "cut at {cut}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_damage_panics_or_takes_more_than_its_own_lines(
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = bytes();
        let (_, all, _) = read(&bytes).unwrap();
        for (place, byte) in &flips {
            let at = place.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Some((header, entries, _)) = read(&bytes) {
            prop_assert!(entries.len() + flips.len() * 2 >= all.len());
            let mut timeline = Timeline::open(Some(header.started));
            for entry in &entries {
                timeline.push(&entry.event, &entry.line);
            }
            timeline.close();
            let mut app = opening(80, 24);
            let _ = app.update(Msg::Opened(Box::new(Tape {
                timeline,
                title: String::new(),
                growth: Growth::Finished,
                warning: None,
            })));
            let _ = press(&mut app, "$ 1");
            let _ = draw(&app, &look(), 80, 24);
            let _ = press(&mut app, "0 ] } ! 7 .");
            let _ = draw(&app, &look(), 80, 24);
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_without_a_panic(
        tail in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let mut bytes = codec::encode_header(&screens::header()).into_bytes();
        bytes.extend_from_slice(&tail);
        let _ = read(&bytes);
        let _ = read(&tail);
    }
}
