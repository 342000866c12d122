use crate::encode;
use crate::redact::REDACTED;
use crate::rules::KEYS;
use std::ops::Range;

/// The members of `fields`, written one behind the other, each with a comma behind it.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    bytes: Vec<u8>,
    list: Vec<Entry>,
    /// A bit for each key that is there; a key whose bit is missing is new.
    seen: u64,
    /// Some of the bytes belong to no member any more.
    holes: bool,
    /// Bytes that were left out: of the values that are there, and members that found no room.
    pub(crate) removed: usize,
}

/// One member, as places in the bytes.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Half of it, which is enough to tell most keys apart.
    hash: u32,
    start: u32,
    value: u32,
    /// Behind the value; the comma is there.
    end: u32,
    /// Bytes of the value that were left out.
    removed: u32,
    /// It is a JSON text, which may be shortened.
    text: bool,
}

/// A member that was begun with [`Entries::begin`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Begun {
    hash: u64,
    start: usize,
    value: usize,
}

/// Beyond this, places are not counted any more; no line is ever so long.
const MOST: usize = u32::MAX as usize / 2;

impl Entries {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.list.clear();
        self.seen = 0;
        self.holes = false;
        self.removed = 0;
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Writes a key; its value is to be written to [`Entries::out`] next.
    pub(crate) fn begin(&mut self, key: &[u8], hash: u64) -> Begun {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        Begun {
            hash,
            start,
            value: self.bytes.len(),
        }
    }

    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Takes a member back.
    pub(crate) fn cancel(&mut self, begun: Begun) {
        self.bytes.truncate(begun.start);
    }

    /// Ends a member of whose value so much was left out. Of two with one key the later one stays;
    /// beyond the most keys there may be it is taken back.
    pub(crate) fn end(&mut self, begun: Begun, text: bool, removed: usize) {
        let Begun { hash, start, value } = begun;
        let end = self.bytes.len();
        if self.seen & bit(hash) != 0 {
            self.forget(hash, start..value);
        }
        self.removed += removed;
        if self.list.len() >= KEYS || end > MOST {
            self.removed += end - start;
            self.bytes.truncate(start);
            return;
        }
        self.bytes.push(b',');
        self.seen |= bit(hash);
        #[allow(clippy::cast_possible_truncation, reason = "checked above")]
        self.list.push(Entry {
            hash: hash as u32,
            start: start as u32,
            value: value as u32,
            end: end as u32,
            removed: removed.min(MOST) as u32,
            text,
        });
    }

    /// Forgets the member with this key, if there is one.
    fn forget(&mut self, hash: u64, key: Range<usize>) {
        let Some(place) = self.find(hash as u32, self.bytes.get(key)) else {
            return;
        };
        let forgotten = self.list.remove(place);
        self.removed = self.removed.saturating_sub(forgotten.removed as usize);
        self.holes = true;
    }

    fn find(&self, hash: u32, key: Option<&[u8]>) -> Option<usize> {
        let is_it = |entry: &Entry| entry.hash == hash && self.bytes.get(entry.key()) == key;
        self.list.iter().position(is_it)
    }

    /// What was written of a member's value.
    pub(crate) fn value(&self, begun: Begun) -> &[u8] {
        self.bytes.get(begun.value..).unwrap_or_default()
    }

    /// As [`Entries::begin`], for a name that no callsite knows.
    fn begin_named(&mut self, name: &str) -> Begun {
        let start = self.bytes.len();
        encode::key(&mut self.bytes, name);
        let value = self.bytes.len();
        let hash = hash(self.bytes.get(start..value).unwrap_or_default());
        Begun { hash, start, value }
    }

    /// Adds a member, unless there is one with its key.
    pub(crate) fn put(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let begun = self.begin_named(name);
        let Begun { hash, start, value } = begun;
        write(&mut self.bytes);
        if self
            .find(hash as u32, self.bytes.get(start..value))
            .is_none()
        {
            self.end(begun, false, 0);
        } else {
            self.removed += self.bytes.len() - start;
            self.cancel(begun);
        }
    }

    /// Adds a JSON text, of which so much was left out, in the place of a member with its key.
    pub(crate) fn set(&mut self, name: &str, text: &[u8], removed: usize) {
        let begun = self.begin_named(name);
        self.bytes.extend_from_slice(text);
        self.end(begun, true, removed);
    }

    pub(crate) fn redacted(&mut self, key: &[u8], hash: u64) {
        let begun = self.begin(key, hash);
        encode::string(&mut self.bytes, REDACTED, REDACTED.len());
        self.end(begun, false, 0);
    }

    /// Takes over what has no key in common with what is here already.
    pub(crate) fn inherit(&mut self, outer: &Self) {
        if outer.list.is_empty() {
            return;
        }
        let shift = self.bytes.len();
        let whole = self.seen & outer.seen == 0
            && !outer.holes
            && self.list.len() + outer.list.len() <= KEYS
            && shift + outer.bytes.len() <= MOST;
        if whole {
            self.bytes.extend_from_slice(&outer.bytes);
            self.list
                .extend(outer.list.iter().map(|entry| entry.moved(0, shift)));
            self.seen |= outer.seen;
            self.removed += outer.removed;
            return;
        }
        let mut of_values = 0;
        for entry in &outer.list {
            of_values += entry.removed as usize;
            self.inherit_one(entry, &outer.bytes);
        }
        // What found no room there finds none here.
        self.removed += outer.removed.saturating_sub(of_values);
    }

    fn inherit_one(&mut self, entry: &Entry, bytes: &[u8]) {
        let (from, to) = (entry.start as usize, entry.end as usize);
        let (Some(member), key) = (bytes.get(from..to), bytes.get(entry.key())) else {
            return;
        };
        if self.seen & bit(entry.hash.into()) != 0 && self.find(entry.hash, key).is_some() {
            return;
        }
        self.removed += entry.removed as usize;
        let shift = self.bytes.len();
        if self.list.len() >= KEYS || shift + member.len() > MOST {
            self.removed += member.len();
            return;
        }
        self.bytes.extend_from_slice(member);
        self.bytes.push(b',');
        self.seen |= bit(entry.hash.into());
        self.list.push(entry.moved(from, shift));
    }

    /// The members in the order in which they came: key with colon, value, whether it is a text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], bool)> {
        self.list.iter().filter_map(|entry| {
            let value = self.bytes.get(entry.value as usize..entry.end as usize)?;
            Some((self.bytes.get(entry.key())?, value, entry.text))
        })
    }

    /// Writes them as one object, texts with at most so many bytes. Returns the bytes left out.
    pub(crate) fn write(&self, out: &mut Vec<u8>, text: Option<usize>) -> usize {
        out.push(b'{');
        let removed = match text {
            None if !self.holes => {
                out.extend_from_slice(&self.bytes);
                0
            }
            cap => self
                .iter()
                .map(|(key, value, is_text)| put(out, key, value, cap.filter(|_| is_text)))
                .sum(),
        };
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b'}');
        removed
    }
}

/// Writes a member, a text with at most so many bytes. Returns the bytes left out.
fn put(out: &mut Vec<u8>, key: &[u8], value: &[u8], cap: Option<usize>) -> usize {
    out.extend_from_slice(key);
    let start = out.len();
    out.extend_from_slice(value);
    let removed = cap.map_or(0, |cap| encode::cut(out, start, cap));
    out.push(b',');
    removed
}

fn bit(hash: u64) -> u64 {
    1 << (hash & 63)
}

impl Entry {
    fn key(&self) -> Range<usize> {
        self.start as usize..self.value as usize
    }

    /// The same member, in other bytes: what began at `from` begins at `to` there.
    #[allow(clippy::cast_possible_truncation, reason = "bytes end before MOST")]
    fn moved(&self, from: usize, to: usize) -> Self {
        let moved = |place: u32| (place as usize - from + to) as u32;
        Self {
            start: moved(self.start),
            value: moved(self.value),
            end: moved(self.end),
            ..*self
        }
    }
}

/// FNV-1a; equal keys of different callsites are found by it.
pub(crate) fn hash(key: &[u8]) -> u64 {
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
