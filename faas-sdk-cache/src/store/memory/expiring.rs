use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};

/// What an entry costs besides its key and value, roughly: two map entries.
const OVERHEAD: usize = 160;

/// A map whose entries have deadlines, bounded in bytes: what is over is removed, the soonest to
/// expire first.
#[derive(Debug)]
pub(super) struct Expiring<V> {
    entries: HashMap<Bytes, Entry<V>>,
    /// By deadline, then by age.
    order: BTreeMap<(u64, u64), Bytes>,
    inserted: u64,
    bytes: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    place: (u64, u64),
    weight: usize,
}

impl<V> Expiring<V> {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            inserted: 0,
            bytes: 0,
            max_bytes,
        }
    }

    /// The value, and its deadline.
    pub(super) fn get(&self, key: &[u8], now: u64) -> Option<(&V, u64)> {
        let entry = self.entries.get(key)?;
        (now < entry.place.0).then_some((&entry.value, entry.place.0))
    }

    /// Changes a value where it is; its weight must stay the same.
    pub(super) fn replace(&mut self, key: &[u8], change: impl FnOnce(V) -> V)
    where
        V: Clone,
    {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.value = change(entry.value.clone());
        }
    }

    /// Inserts a value of so many bytes; what is too large for the bound is gone at once.
    pub(super) fn insert(&mut self, key: &[u8], value: V, bytes: usize, deadline: u64, now: u64) {
        self.remove(key);
        let weight = key.len() + bytes + OVERHEAD;
        if weight > self.max_bytes {
            return;
        }
        let key = Bytes::copy_from_slice(key);
        let place = (deadline, self.inserted);
        self.inserted += 1;
        self.bytes += weight;
        self.order.insert(place, key.clone());
        self.entries.insert(
            key,
            Entry {
                value,
                place,
                weight,
            },
        );
        self.shrink(now);
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Some(entry) = self.entries.remove(key) {
            self.order.remove(&entry.place);
            self.bytes -= entry.weight;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.max_bytes);
    }

    /// Drops what has expired, and what is over the bound.
    fn shrink(&mut self, now: u64) {
        while let Some((place, key)) = self.order.first_key_value() {
            if now < place.0 && self.bytes <= self.max_bytes {
                break;
            }
            let key = key.clone();
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_expires_soonest_makes_room() {
        let mut map = Expiring::new(3 * (OVERHEAD + 11));
        for (key, deadline) in [("a", 30), ("b", 10), ("c", 20)] {
            map.insert(key.as_bytes(), key, 10, deadline, 0);
        }
        map.insert(b"d", "d", 10, 40, 0);
        assert!(map.get(b"b", 0).is_none());
        map.insert(b"e", "e", 10, 5, 0);
        assert!(map.get(b"e", 0).is_none(), "it is the soonest itself");
        for key in [b"a", b"c", b"d"] {
            assert!(map.get(key, 0).is_some());
        }
        map.insert(b"f", "f", 1 << 20, 100, 0);
        assert!(map.get(b"f", 0).is_none() && map.get(b"a", 0).is_some());
    }

    #[test]
    fn the_expired_are_dropped_and_nothing_leaks() {
        let mut map = Expiring::new(1 << 20);
        for round in 0..100_u64 {
            map.insert(&round.to_le_bytes(), (), 10, round + 10, round);
        }
        assert_eq!((map.entries.len(), map.order.len()), (10, 10));
        assert!(map.get(&99_u64.to_le_bytes(), 108).is_some());
        assert!(map.get(&99_u64.to_le_bytes(), 109).is_none());
        for round in 0..100_u64 {
            map.insert(b"same", (), 10, 1_000 - round, 200);
            map.remove(&round.to_le_bytes());
        }
        map.remove(b"same");
        assert_eq!((map.bytes, map.entries.len(), map.order.len()), (0, 0, 0));
    }
}
