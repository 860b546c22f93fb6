//! The fuzz target's law over the fuzz corpus, mutated: for machines without cargo-fuzz.

mod reader_law;

use proptest::{prelude::*, sample::Index};

fn corpus() -> Vec<Vec<u8>> {
    let mut files: Vec<_> = std::fs::read_dir("fuzz/corpus/reader")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

#[test]
fn every_file_of_the_corpus_keeps_the_law() {
    let corpus = corpus();
    assert!(corpus.len() >= 8);
    for bytes in &corpus {
        reader_law::holds(bytes);
    }
}

/// One change of a file.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// A line doubled elsewhere.
    Repeat(Index, Index),
    /// The end of another file of the corpus.
    Splice(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Flip(at, byte)),
        at().prop_map(Change::Cut),
        (at(), proptest::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at(), 1_usize..400).prop_map(|(at, count)| Change::Remove(at, count)),
        (at(), at()).prop_map(|(from, to)| Change::Repeat(from, to)),
        (at(), at()).prop_map(|(other, at)| Change::Splice(other, at)),
    ]
}

fn changed(mut bytes: Vec<u8>, change: &Change, corpus: &[Vec<u8>]) -> Vec<u8> {
    let place = |at: &Index, bytes: &[u8]| at.index(bytes.len() + 1);
    match change {
        Change::Flip(at, byte) => {
            let at = place(at, &bytes);
            if let Some(here) = bytes.get_mut(at) {
                *here ^= byte;
            }
        }
        Change::Cut(at) => bytes.truncate(place(at, &bytes)),
        Change::Insert(at, more) => {
            let at = place(at, &bytes);
            bytes.splice(at..at, more.iter().copied());
        }
        Change::Remove(at, count) => {
            let at = place(at, &bytes);
            bytes.drain(at..(at + count).min(bytes.len()));
        }
        Change::Repeat(from, to) => {
            let lines: Vec<Vec<u8>> = bytes
                .split_inclusive(|b| *b == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
            if !lines.is_empty() {
                let line = lines[from.index(lines.len())].clone();
                let mut lines = lines;
                lines.insert(to.index(lines.len()), line);
                bytes = lines.concat();
            }
        }
        Change::Splice(other, at) => {
            let other = &corpus[other.index(corpus.len())];
            bytes.extend_from_slice(&other[place(at, other).min(other.len())..]);
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_mutated_corpus_keeps_the_law(
        file in any::<Index>(),
        changes in proptest::collection::vec(change(), 1..6),
    ) {
        let corpus = corpus();
        let mut bytes = corpus[file.index(corpus.len())].clone();
        for change in &changes {
            bytes = changed(bytes, change, &corpus);
        }
        reader_law::holds(&bytes);
    }
}
