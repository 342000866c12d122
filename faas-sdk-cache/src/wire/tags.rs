use super::layout::{u16_at, u64_at};
use crate::version::Version;

/// How many tags an entry may have.
pub(super) const MAX_TAGS: usize = 64;
/// How long a tag may be, in bytes.
pub(super) const MAX_TAG_BYTES: usize = 256;

/// The tags of an envelope and the generations that they had before the load, read on demand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tags<'a> {
    rest: &'a [u8],
}

impl<'a> Tags<'a> {
    /// Over bytes that [`Tags::check`] has seen.
    pub(super) fn of(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// The bytes of `count` tags at the start of `bytes`, if they are well formed.
    pub(super) fn check(bytes: &'a [u8], count: u8) -> Option<Self> {
        let mut tags = Self { rest: bytes };
        for _ in 0..count {
            let (name, _) = tags.next()?;
            if name.len() > MAX_TAG_BYTES {
                return None;
            }
        }
        let len = bytes.len() - tags.rest.len();
        bytes.get(..len).map(Self::of)
    }

    /// How many bytes the rest takes.
    pub(super) fn bytes(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = (&'a str, Version);

    fn next(&mut self) -> Option<Self::Item> {
        let name_end = 2 + usize::from(u16_at(self.rest, 0)?);
        let name = std::str::from_utf8(self.rest.get(2..name_end)?).ok()?;
        let generation = u64_at(self.rest, name_end)?;
        self.rest = self.rest.get(name_end + 8..)?;
        Some((name, generation))
    }
}
