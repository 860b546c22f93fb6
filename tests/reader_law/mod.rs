//! What must hold of the reader for any bytes at all: the law that the fuzz target and the property
//! test share.

use hoptrail::{
    projection::Timeline,
    trace::{
        codec::{self, CodecError},
        reader::{BatchEnd, Item, Reader},
    },
};

/// Short, so that a small input has lines that are too long.
const LIMIT: usize = 2_000;

/// Reads, line by line and in batches, folds what is read, and goes about in it.
///
/// # Panics
/// If the law is broken.
pub fn holds(bytes: &[u8]) {
    let Ok((header, mut reader)) = Reader::open_with(bytes, LIMIT) else {
        return;
    };
    let mut timeline = Timeline::open(Some(header.started));
    let (mut events, mut damage) = (Vec::new(), Vec::new());
    let mut last_line = 1;
    loop {
        match reader.read_next().expect("memory can be read") {
            Item::Event(entry) => {
                assert!(entry.line.len() <= LIMIT);
                let start = usize::try_from(entry.start).expect("it is in memory");
                assert!(bytes[start..].starts_with(entry.line.as_bytes()));
                timeline.push(&entry.event, &entry.line);
                // What is read for folding is the same event, and is damaged where that is.
                let skimmed = codec::skim(&entry.line, 0).expect("it was read");
                events.push((skimmed, entry.start));
            }
            Item::Damaged(error) => {
                let CodecError::Damaged { line, column, .. } = &error else {
                    panic!("{error}");
                };
                assert!(*line > last_line && *column <= LIMIT + 1, "{error}");
                last_line = *line;
                damage.push(error);
            }
            Item::Torn => {
                if let Some(entry) = reader.rest() {
                    timeline.push(&entry.event, &entry.line);
                }
                break;
            }
            Item::End => break,
        }
    }
    assert!(reader.bytes() <= bytes.len() as u64);
    in_batches(bytes, &events, &damage);
    timeline.close();
    let end = timeline.len();
    let mut here = timeline.at(end);
    for place in [0, end / 2, end, end / 3] {
        timeline.bring(&mut here, place).expect("it is in memory");
        assert_eq!(here.log().len(), place);
    }
    let _ = timeline.at(end).story();
}

/// Batches of any size say the same.
fn in_batches(bytes: &[u8], events: &[(hoptrail::trace::TraceEvent, u64)], damage: &[CodecError]) {
    for size in [1, 300, usize::MAX] {
        let (_, mut reader) = Reader::open_with(bytes, LIMIT).expect("it was opened before");
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        loop {
            let (batch, end) = reader.read_batch(size).expect("memory can be read");
            for decoded in batch.decode(LIMIT) {
                match decoded {
                    Ok(event) => good.push(event),
                    Err(error) => bad.push(error),
                }
            }
            if end != BatchEnd::More {
                break;
            }
        }
        assert_eq!((&good[..], &bad[..]), (events, damage), "batches of {size}");
    }
}
