//! The form of values in a remote store.
//!
//! Little endian:
//!
//! | bytes | field | written by |
//! |---|---|---|
//! | 2 | magic `0xFC 0xE5` | cache |
//! | 1 | envelope version, 1; unknown = a miss | cache |
//! | 1 | state: 0 live, 1 expired on demand | store |
//! | 8 | version | store |
//! | 8 | created, microseconds since the Unix epoch on the store's clock | store |
//! | 8 | logical time to live, milliseconds | cache; the checksum starts here |
//! | 1 | flags: 1 negative, 2 has tags, 4 has etag, 8 encrypted (reserved) | cache |
//! | 1 | codec: 0 raw, 1 JSON, 2 MessagePack with named fields, 3 postcard (reserved), 128+ user (reserved) | cache |
//! | 1 | compression: 0 none, 1 lz4, 2 zstd (reserved) | cache |
//! | 1 | reserved, 0 | cache |
//! | 4 | schema id | cache |
//! | 4 | hash of the key | cache |
//! | 4 | load cost, milliseconds | cache |
//! | 4 | length of the payload before compression | cache |
//! | 8 | generation of all regions | cache |
//! | 8 | generation of the region | cache |
//! | var | tags: u8 count, each u16 length, name, u64 generation; etag: u16 length, text | cache |
//! | n | payload | cache |
//! | 4 | checksum: XXH3-64 of everything from the time to live on, its low 32 bits | cache |
//!
//! The fields up to the time to live keep their place in every version of the envelope, so that stores
//! need not know the versions. [`layout`] has the offsets.

mod codec;
mod compress;
mod decode;
mod depth;
mod encode;
mod head;
mod header;
mod invalid;
mod layout;
mod parts;
mod tags;
#[cfg(test)]
mod tests;

pub(crate) use codec::{Codec, decode_json, decode_named, encode_json, encode_named};
pub use codec::{CodecError, RawValue};
pub(crate) use compress::COMPRESS_ABOVE;
pub(crate) use decode::Envelope;
pub(crate) use encode::encode;
pub(crate) use head::state_of;
pub use head::{expire, is_fresh, stamp, version_of};
pub(crate) use header::{Header, State};
pub(crate) use invalid::Invalid;
pub(crate) use layout::key_hash;
