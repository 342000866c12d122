mod properties;
mod refusals;
mod speed;

use super::encode::TooLarge;
use super::head::{created_of, ttl_of};
use super::tags::{MAX_TAG_BYTES, MAX_TAGS};
use super::*;
use bytes::Bytes;

/// Compress above this: never.
const NEVER: usize = usize::MAX;

fn sample(plain: &[u8], compress_above: usize) -> Bytes {
    let header = Header {
        state: State::Live,
        version: 0,
        created_us: 0,
        ttl_ms: 60_000,
        negative: false,
        codec: Codec::MessagePack,
        schema: 3,
        key_hash: key_hash(b"key"),
        cost_ms: 12,
        all_generation: 5,
        region_generation: 6,
    };
    encode(
        &header,
        &[("a", 7), ("b", 8)],
        Some("\"x\""),
        plain,
        compress_above,
    )
    .expect("within the caps")
}

/// Makes the checksum right again, as a writer of nonsense would.
fn reseal(bytes: &mut [u8]) {
    if let Some(end) = bytes.len().checked_sub(layout::CHECKSUM) {
        let checksum = layout::checksum(&bytes[..end]);
        bytes[end..].copy_from_slice(&checksum.to_le_bytes());
    }
}

fn changed(envelope: &Bytes, at: usize, new: &[u8]) -> Bytes {
    let mut bytes = envelope.to_vec();
    bytes[at..at + new.len()].copy_from_slice(new);
    reseal(&mut bytes);
    bytes.into()
}

fn why(envelope: Bytes) -> Invalid {
    Envelope::decode(envelope).expect_err("invalid")
}
