use crate::key::{Key, KeyBuffer, MAX_KEY_BYTES};
use bytes::Bytes;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use twox_hash::xxhash3_64::Hasher as Xxh3;

/// An entry's key over all regions, `region:key`, hashed once.
#[derive(Debug)]
pub(crate) struct FullKey {
    hash: u64,
    buffer: KeyBuffer,
}

impl FullKey {
    /// `None` if it is too long.
    pub(crate) fn new<K: Key + ?Sized>(region: &'static str, key: &K, seed: u64) -> Option<Self> {
        let mut buffer = KeyBuffer::new();
        buffer.push(region.as_bytes());
        buffer.push(b":");
        key.write(&mut buffer);
        if buffer.bytes().len() > MAX_KEY_BYTES {
            return None;
        }
        let hash = Xxh3::oneshot_with_seed(seed, buffer.bytes());
        Some(Self { hash, buffer })
    }

    pub(crate) fn of_bytes(bytes: &[u8], seed: u64) -> Self {
        let mut buffer = KeyBuffer::new();
        buffer.push(bytes);
        Self {
            hash: Xxh3::oneshot_with_seed(seed, bytes),
            buffer,
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.bytes()
    }

    pub(crate) fn stored(&self) -> StoredKey {
        StoredKey {
            hash: self.hash,
            bytes: Bytes::copy_from_slice(self.bytes()),
        }
    }
}

/// The shard of a key, the same in every process.
pub(crate) fn shard_of(bytes: &[u8], shards: u16) -> u16 {
    if shards <= 1 {
        return 0;
    }
    // The remainder is below a u16.
    u16::try_from(Xxh3::oneshot(bytes) % u64::from(shards)).unwrap_or_default()
}

/// A key that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredKey {
    hash: u64,
    bytes: Bytes,
}

impl StoredKey {
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Hash for StoredKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for FullKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl equivalent::Equivalent<StoredKey> for FullKey {
    fn equivalent(&self, key: &StoredKey) -> bool {
        self.hash == key.hash && self.bytes() == &key.bytes[..]
    }
}

/// Passes on the hash that a key brings.
#[derive(Default)]
pub(crate) struct Prehashed(u64);

pub(crate) type BuildPrehashed = BuildHasherDefault<Prehashed>;

impl Hasher for Prehashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Keys write their hash as one number; this is for anything else.
        self.0 = Xxh3::oneshot_with_seed(self.0, bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
