//! Where the fields are, for this crate and for the scripts of stores, which count from 1 in Lua.

use twox_hash::XxHash3_64;

/// The first two bytes. Neither JSON nor MessagePack nor UTF-8 starts like this.
pub(super) const MAGIC: [u8; 2] = [0xFC, 0xE5];
/// The envelope version that this crate writes and reads.
pub(super) const ENVELOPE_VERSION: u8 = 1;

/// u8, the envelope version.
pub(super) const ENVELOPE_VERSION_AT: usize = 2;
/// u8, written in place by stores.
pub(super) const STATE_AT: usize = 3;
/// u64, written by stores.
pub(super) const VERSION_AT: usize = 4;
/// u64, microseconds since the Unix epoch, written by stores.
pub(super) const CREATED_AT: usize = 12;
/// Here ends what stores write, and starts what the checksum covers.
pub(super) const HEAD: usize = 20;
/// u64, milliseconds.
pub(super) const TTL_AT: usize = 20;
/// u8, a set of the flags below.
pub(super) const FLAGS_AT: usize = 28;
/// u8.
pub(super) const CODEC_AT: usize = 29;
/// u8.
pub(super) const COMPRESSION_AT: usize = 30;
/// u8, 0.
pub(super) const RESERVED_AT: usize = 31;
/// u32.
pub(super) const SCHEMA_AT: usize = 32;
/// u32.
pub(super) const KEY_HASH_AT: usize = 36;
/// u32, milliseconds.
pub(super) const COST_AT: usize = 40;
/// u32.
pub(super) const PLAIN_LEN_AT: usize = 44;
/// u64.
pub(super) const ALL_GENERATION_AT: usize = 48;
/// u64.
pub(super) const REGION_GENERATION_AT: usize = 56;
/// Here starts what has no fixed place: tags, etag, payload.
pub(super) const FIXED: usize = 64;
/// The checksum's length; it ends the envelope.
pub(super) const CHECKSUM: usize = 4;

/// There is no value.
pub(super) const NEGATIVE: u8 = 1;
/// Tags follow, at least one.
pub(super) const HAS_TAGS: u8 = 2;
/// An etag follows.
pub(super) const HAS_ETAG: u8 = 4;

/// The hash of a key that its envelope carries, so that an answer to another question is noticed.
pub(crate) fn key_hash(key: &[u8]) -> u32 {
    low_half(XxHash3_64::oneshot(key))
}

/// The checksum of an envelope without its last four bytes.
pub(super) fn checksum(envelope: &[u8]) -> u32 {
    low_half(XxHash3_64::oneshot(
        envelope.get(HEAD..).unwrap_or_default(),
    ))
}

pub(super) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_le_bytes)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn low_half(hash: u64) -> u32 {
    (hash & u64::from(u32::MAX)) as u32
}
