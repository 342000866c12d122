use crate::callsite::hash;
use crate::encode;
use crate::redact::REDACTED;
use crate::rules::KEYS;

/// The members of `fields`, written one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    bytes: Vec<u8>,
    list: Vec<Entry>,
    pub(crate) removed: usize,
}

/// One member, as places in the bytes.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    start: u32,
    value: u32,
    end: u32,
    /// It is a JSON text, which may be shortened.
    text: bool,
}

/// A member that was begun with [`Entries::begin`].
#[derive(Debug)]
#[must_use]
pub(crate) struct Begun {
    hash: u64,
    start: usize,
    value: usize,
}

impl Entries {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.list.clear();
        self.removed = 0;
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

    /// Ends a member. Of two with one key the later one stays; beyond the most keys there may be it
    /// is taken back.
    pub(crate) fn end(&mut self, begun: Begun, text: bool) {
        let Begun { hash, start, value } = begun;
        let (before, key) = (self.list.len(), self.bytes.get(start..value));
        let key = key.unwrap_or_default();
        self.list
            .retain(|entry| entry.hash != hash || self.bytes.get(entry.key()) != Some(key));
        let place = |offset: usize| u32::try_from(offset).ok();
        match (place(start), place(value), place(self.bytes.len())) {
            (Some(start), Some(value), Some(end))
                if self.list.len() < KEYS || self.list.len() < before =>
            {
                self.list.push(Entry {
                    hash,
                    start,
                    value,
                    end,
                    text,
                });
            }
            _ => {
                self.removed += self.bytes.len() - start;
                self.bytes.truncate(start);
            }
        }
    }

    /// Whether the last member has this value.
    pub(crate) fn ends_with(&self, value: &[u8]) -> bool {
        self.bytes.ends_with(value)
    }

    /// Adds a member whose value is no text.
    pub(crate) fn put(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        encode::key(&mut self.bytes, name);
        let value = self.bytes.len();
        let hash = hash(self.bytes.get(start..value).unwrap_or_default());
        write(&mut self.bytes);
        self.end(Begun { hash, start, value }, false);
    }

    pub(crate) fn redacted(&mut self, key: &[u8], hash: u64) {
        let begun = self.begin(key, hash);
        encode::string(&mut self.bytes, REDACTED, REDACTED.len());
        self.end(begun, false);
    }

    /// Takes over what has no key in common with what is here already.
    pub(crate) fn inherit(&mut self, outer: &Self) {
        self.removed += outer.removed;
        for entry in &outer.list {
            let member = outer.bytes.get(entry.start as usize..entry.end as usize);
            let (Some(member), Some(key)) = (member, outer.bytes.get(entry.key())) else {
                continue;
            };
            let known = self.list.iter().any(|inner| {
                inner.hash == entry.hash && self.bytes.get(inner.key()) == Some(key)
            });
            if known {
                continue;
            }
            let shift = self.bytes.len();
            if self.list.len() >= KEYS {
                self.removed += member.len();
                continue;
            }
            let moved = |offset: u32| u32::try_from(offset as usize - entry.start as usize + shift);
            let (Ok(start), Ok(value), Ok(end)) =
                (moved(entry.start), moved(entry.value), moved(entry.end))
            else {
                continue;
            };
            self.bytes.extend_from_slice(member);
            self.list.push(Entry {
                start,
                value,
                end,
                ..*entry
            });
        }
    }

    /// The members in the order in which they came: key with colon, value, whether it is a text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], bool)> {
        self.list.iter().filter_map(|entry| {
            let value = self.bytes.get(entry.value as usize..entry.end as usize)?;
            Some((self.bytes.get(entry.key())?, value, entry.text))
        })
    }

    /// Writes them as one object, texts with at most so many bytes. Returns the bytes left out.
    pub(crate) fn write(&self, out: &mut Vec<u8>, text: usize) -> usize {
        let mut removed = 0;
        out.push(b'{');
        for (index, (key, value, is_text)) in self.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            if is_text && value.len() > text + 2 {
                let kept = encode::cut_at(value, text);
                out.extend_from_slice(value.get(..=kept).unwrap_or_default());
                out.push(b'"');
                removed += value.len() - kept - 2;
            } else {
                out.extend_from_slice(value);
            }
        }
        out.push(b'}');
        removed
    }
}

impl Entry {
    fn key(&self) -> std::ops::Range<usize> {
        self.start as usize..self.value as usize
    }
}
