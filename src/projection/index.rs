//! Where a key's rows are, for every copy of a projection at once.
//!
//! What is known of a key only ever grows: each entry has a number, and a copy of the index is
//! the number of entries that it can see. A checkpoint therefore costs a number, not a table, and
//! folding a trace anew from a checkpoint finds every entry already there. It must not be asked
//! to forget: a run that goes another way gets a table of its own.

use std::{collections::HashMap, fmt, hash::Hash, sync::Arc};

use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard};

/// A table by keys that come from a trace. Its hashes are seeded anew in every run; what a hostile
/// trace can slow down with them is its own reading.
pub(super) type KeyMap<K, V> = HashMap<K, V, RandomState>;

/// From keys to values that were noted for them, in order.
pub(super) struct Index<K, V> {
    table: Arc<Mutex<Table<K, V>>>,
    /// How many of the table's entries are in sight.
    seen: u32,
}

struct Table<K, V> {
    places: KeyMap<K, Places>,
    values: Vec<V>,
}

/// The numbers of a key's entries, in order. Most keys have one.
#[derive(Clone)]
#[expect(
    clippy::box_collection,
    reason = "a table of millions is kept small by it"
)]
enum Places {
    One(u32),
    Many(Box<Vec<u32>>),
}

impl Places {
    fn all(&self) -> &[u32] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    /// Those among the first `seen` entries.
    fn seen(&self, seen: u32) -> &[u32] {
        let all = self.all();
        &all[..all.partition_point(|number| *number < seen)]
    }

    fn push(&mut self, number: u32) {
        match self {
            Self::One(one) => *self = Self::Many(Box::new(vec![*one, number])),
            Self::Many(many) => many.push(number),
        }
    }
}

impl<K, V> Default for Index<K, V> {
    fn default() -> Self {
        let table = Table {
            places: KeyMap::default(),
            values: Vec::new(),
        };
        Self {
            table: Arc::new(Mutex::new(table)),
            seen: 0,
        }
    }
}

impl<K, V> Clone for Index<K, V> {
    fn clone(&self) -> Self {
        Self {
            table: Arc::clone(&self.table),
            seen: self.seen,
        }
    }
}

impl<K, V> fmt::Debug for Index<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index({} entries)", self.seen)
    }
}

/// The same entries for the same keys, whoever keeps them.
impl<K: Eq + Hash + Clone, V: PartialEq + Clone> PartialEq for Index<K, V> {
    fn eq(&self, other: &Self) -> bool {
        if Arc::ptr_eq(&self.table, &other.table) || self.seen != other.seen {
            return self.seen == other.seen;
        }
        // One lock after the other: two threads that compare crosswise must not wait for ever.
        let (values, places) = self.entries();
        let theirs = other.lock();
        theirs.values[..other.seen as usize] == values
            && places.iter().all(|(key, places)| {
                let known = theirs.places.get(key);
                known.map_or(&[][..], |known| known.seen(other.seen)) == places
            })
    }
}

impl<K, V> Index<K, V> {
    fn lock(&self) -> MutexGuard<'_, Table<K, V>> {
        // Nothing that runs under the lock can leave the table half-written.
        self.table.lock()
    }
}

impl<K: Clone, V: Clone> Index<K, V> {
    /// What is seen of the table: its values, and each key with their places.
    fn entries(&self) -> (Vec<V>, Vec<(K, Vec<u32>)>) {
        let table = self.lock();
        let places = table.places.iter();
        let places = places.map(|(key, places)| (key.clone(), places.seen(self.seen).to_vec()));
        (
            table.values[..self.seen as usize].to_vec(),
            places.collect(),
        )
    }
}

impl<K: Eq + Hash + Clone, V: PartialEq + Copy> Index<K, V> {
    /// The last value that was noted for a key.
    pub fn get(&self, key: &K) -> Option<V> {
        let table = self.lock();
        let number = *table.places.get(key)?.seen(self.seen).last()?;
        table.values.get(number as usize).copied()
    }

    /// Every value that was noted for a key, in order.
    pub fn all(&self, key: &K) -> Vec<V> {
        let table = self.lock();
        let places = table.places.get(key);
        places
            .map_or(&[][..], |places| places.seen(self.seen))
            .iter()
            .filter_map(|number| table.values.get(*number as usize).copied())
            .collect()
    }

    /// Notes a value for a key.
    pub fn note(&mut self, key: K, value: V) {
        let mut table = self.lock();
        let number = self.seen;
        let known = table.values.len();
        if (number as usize) < known {
            let same = table.values.get(number as usize) == Some(&value)
                && table
                    .places
                    .get(&key)
                    .is_some_and(|places| places.all().binary_search(&number).is_ok());
            if !same {
                let mut own = table.until(number);
                own.add(key, number, value);
                drop(table);
                self.table = Arc::new(Mutex::new(own));
                self.seen = number.saturating_add(1);
                return;
            }
        } else {
            table.add(key, number, value);
        }
        drop(table);
        self.seen = number.saturating_add(1);
    }
}

impl<K: Eq + Hash + Clone, V: Copy> Table<K, V> {
    fn add(&mut self, key: K, number: u32, value: V) {
        self.values.push(value);
        self.places
            .entry(key)
            .and_modify(|places| places.push(number))
            .or_insert(Places::One(number));
    }

    /// A table of its own with the first `seen` entries, for a run that parts from this one.
    fn until(&self, seen: u32) -> Self {
        let mut own = Self {
            places: KeyMap::default(),
            values: self.values[..seen as usize].to_vec(),
        };
        for (key, places) in &self.places {
            let kept = match places.seen(seen) {
                [] => continue,
                [one] => Places::One(*one),
                many => Places::Many(Box::new(many.to_vec())),
            };
            own.places.insert(key.clone(), kept);
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_sees_what_was_there_and_no_more() {
        let mut index = Index::default();
        index.note("a", 1);
        index.note("b", 2);
        let early = index.clone();
        index.note("a", 3);
        assert_eq!((early.get(&"a"), index.get(&"a")), (Some(1), Some(3)));
        assert_eq!((early.all(&"a"), index.all(&"a")), (vec![1], vec![1, 3]));
        assert_eq!(early.get(&"c"), None);
        assert_ne!(early, index);
    }

    #[test]
    fn going_the_same_way_again_shares_and_another_way_parts() {
        let mut index = Index::default();
        index.note("a", 1);
        let (mut again, mut other) = (index.clone(), index.clone());
        index.note("b", 2);
        index.note("a", 3);
        again.note("b", 2);
        assert!(Arc::ptr_eq(&again.table, &index.table));
        again.note("a", 3);
        assert_eq!(again, index);
        other.note("b", 9);
        other.note("c", 3);
        assert_eq!((other.get(&"b"), index.get(&"b")), (Some(9), Some(2)));
        assert_eq!((other.get(&"a"), index.get(&"c")), (Some(1), None));
        // A value at another key is another way, too.
        let mut third = index.clone();
        third.seen = 1;
        third.note("c", 2);
        assert_eq!((third.get(&"b"), third.get(&"c")), (None, Some(2)));
    }
}
