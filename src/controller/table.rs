//! Takes values that know their own identity, keeps them side by side in one slice that the allocator can read, each with
//! the version it was stored in; never keeps an older version over a newer one.

use std::hash::{BuildHasher as _, Hash, RandomState};

use hashbrown::HashTable;

/// A value with an identity.
pub(super) trait Identified {
    /// What tells two values apart.
    type Id: Clone + Eq + Hash;
    /// The value's identity.
    fn id(&self) -> &Self::Id;
}

/// Values in no particular order, found by identity.
#[derive(Debug)]
pub(super) struct Table<T: Identified, N> {
    values: Vec<T>,
    notes: Vec<(Version, N)>,
    /// Where each value is, by its identity, which only the value itself holds: there are tens of thousands.
    places: HashTable<usize>,
    hasher: RandomState,
}

impl<T: Identified, N> Default for Table<T, N> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            notes: Vec::new(),
            places: HashTable::new(),
            hasher: RandomState::new(),
        }
    }
}

/// A resourceVersion. The API server's own (and etcd's) are numbers that grow; whatever is no number is taken as newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version(pub(super) String);

impl Version {
    /// Whether something stored in this version may not replace what is stored in `other`.
    pub(super) fn is_older_or_same(&self, other: &Self) -> bool {
        match (self.0.parse::<u64>(), other.0.parse::<u64>()) {
            (Ok(own), Ok(other)) => own <= other,
            _ => self == other,
        }
    }
}

impl<T: Identified, N> Table<T, N> {
    /// All values, as the allocator reads them.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    /// The values with what was noted beside them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&T, &N)> {
        self.values.iter().zip(self.notes.iter().map(|(_, note)| note))
    }

    /// The values for a change that keeps every identity.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = (&mut T, &N)> {
        self.values.iter_mut().zip(self.notes.iter().map(|(_, note)| note))
    }

    fn place(&self, id: &T::Id) -> Option<usize> {
        let hash = self.hasher.hash_one(id);
        self.places.find(hash, |&place| self.values[place].id() == id).copied()
    }

    /// The value with its version and what was noted beside it.
    pub(super) fn get(&self, id: &T::Id) -> Option<(&T, &Version, &N)> {
        let place = self.place(id)?;
        let (version, note) = &self.notes[place];
        Some((&self.values[place], version, note))
    }

    /// Stores the value unless one of the same or a newer version is there. Gives the value that it replaced, or nothing
    /// where it was not stored.
    pub(super) fn put(&mut self, value: T, version: Version, note: N) -> Option<Option<T>> {
        match self.place(value.id()) {
            None => {
                let hash = self.hasher.hash_one(value.id());
                self.values.push(value);
                self.notes.push((version, note));
                let (values, hasher) = (&self.values, &self.hasher);
                let hash_of = |&place: &usize| hasher.hash_one(values[place].id());
                self.places.insert_unique(hash, values.len() - 1, hash_of);
                Some(None)
            }
            Some(place) => {
                if version.is_older_or_same(&self.notes[place].0) {
                    return None;
                }
                self.notes[place] = (version, note);
                Some(Some(std::mem::replace(&mut self.values[place], value)))
            }
        }
    }

    /// Takes the value out.
    pub(super) fn remove(&mut self, id: &T::Id) -> Option<T> {
        let hash = self.hasher.hash_one(id);
        let values = &self.values;
        let entry = self.places.find_entry(hash, |&place| values[place].id() == id).ok()?;
        let (place, _) = entry.remove();
        // The last value moves up, so its place is noted anew first, while every place still leads to its value.
        let last = self.values.len() - 1;
        if place != last {
            let hash = self.hasher.hash_one(self.values[last].id());
            if let Some(moved) = self.places.find_mut(hash, |&place| place == last) {
                *moved = place;
            }
        }
        let value = self.values.swap_remove(place);
        self.notes.swap_remove(place);
        Some(value)
    }

    /// The identities of the values stored in `version` or before that are not kept.
    pub(super) fn stale(&self, version: &Version, is_kept: impl Fn(&T::Id) -> bool) -> Vec<T::Id> {
        let values = self.values.iter().zip(&self.notes);
        values
            .filter(|(value, (stored, _))| stored.is_older_or_same(version) && !is_kept(value.id()))
            .map(|(value, _)| value.id().clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Word(String, u8);

    impl Identified for Word {
        type Id = String;
        fn id(&self) -> &String {
            &self.0
        }
    }

    fn word(text: &str, number: u8) -> Word {
        Word(text.into(), number)
    }

    #[test]
    fn an_older_version_never_replaces_a_newer_one() {
        let mut table = Table::default();
        assert_eq!(table.put(word("a", 1), Version("10".into()), ()), Some(None));
        assert_eq!(table.put(word("a", 2), Version("9".into()), ()), None);
        assert_eq!(table.put(word("a", 3), Version("10".into()), ()), None);
        assert_eq!(
            table.put(word("a", 4), Version("11".into()), ()),
            Some(Some(word("a", 1)))
        );
        assert_eq!(table.values(), [word("a", 4)]);
    }

    #[test]
    fn what_moves_up_on_removal_is_still_found() {
        let mut table = Table::default();
        for (text, version) in [("a", "1"), ("b", "2"), ("c", "3")] {
            table.put(word(text, 0), Version(version.into()), ());
        }
        assert_eq!(table.remove(&"a".to_owned()), Some(word("a", 0)));
        assert_eq!(
            table
                .get(&"c".to_owned())
                .map(|(w, v, ())| (w.0.as_str(), v.0.as_str())),
            Some(("c", "3"))
        );
        let mut stale = table.stale(&Version("2".into()), |_| false);
        stale.sort();
        assert_eq!(stale, ["b"]);
    }

    #[test]
    fn it_holds_what_a_map_holds() {
        let (mut table, mut map) = (Table::default(), std::collections::HashMap::new());
        // Any numbers do, as long as they are the same each time.
        let mut number: u64 = 1;
        for version in 1..4000_u64 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let text = format!("word-{}", number >> 55);
            if (number >> 40).is_multiple_of(3) {
                assert_eq!(table.remove(&text), map.remove(&text));
            } else {
                let size = u8::try_from(version % 200).unwrap();
                table.put(word(&text, size), Version(version.to_string()), ());
                map.insert(text.clone(), word(&text, size));
            }
            assert_eq!(table.values().len(), map.len());
        }
        assert!(map.len() > 100, "{}", map.len());
        for (text, word) in &map {
            assert_eq!(table.get(text).map(|(value, _, ())| value), Some(word));
        }
    }
}
