use super::compress::{Compression, compress};
use super::header::Header;
use super::layout::{self, CHECKSUM, FIXED, HAS_ETAG, HAS_TAGS, MAGIC, NEGATIVE};
use super::tags::{MAX_TAG_BYTES, MAX_TAGS};
use crate::version::Version;
use bytes::Bytes;

/// How long an etag may be, in bytes.
pub(super) const MAX_ETAG_BYTES: usize = 1024;

/// What does not fit into an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TooLarge {
    /// Too many tags.
    #[error("an entry has {0} tags, more than {MAX_TAGS}")]
    Tags(usize),
    /// A tag is too long.
    #[error("a tag takes {0} bytes, more than {MAX_TAG_BYTES}")]
    Tag(usize),
    /// The etag is too long.
    #[error("an etag takes {0} bytes, more than {MAX_ETAG_BYTES}")]
    Etag(usize),
    /// The value is too long for any store.
    #[error("a value takes {0} bytes, more than {max}", max = u32::MAX)]
    Value(usize),
}

/// Makes an envelope around an encoded value, which is compressed if it is longer than
/// `compress_above` and that pays.
pub(crate) fn encode(
    header: &Header,
    tags: &[(&str, Version)],
    etag: Option<&str>,
    plain: &[u8],
    compress_above: usize,
) -> Result<Bytes, TooLarge> {
    let plain_len = u32::try_from(plain.len()).map_err(|_| TooLarge::Value(plain.len()))?;
    let tag_count = match u8::try_from(tags.len()) {
        Ok(count) if tags.len() <= MAX_TAGS => count,
        _ => return Err(TooLarge::Tags(tags.len())),
    };
    let compressed = (plain.len() > compress_above)
        .then(|| compress(plain))
        .flatten();
    let (compression, payload) = match &compressed {
        Some(compressed) => (Compression::Lz4, compressed.as_slice()),
        None => (Compression::None, plain),
    };

    let tags_len: usize = tags.iter().map(|(name, _)| 2 + name.len() + 8).sum();
    let etag_len = etag.map_or(0, |etag| 2 + etag.len());
    let mut out = Vec::with_capacity(FIXED + 1 + tags_len + etag_len + payload.len() + CHECKSUM);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[layout::ENVELOPE_VERSION, header.state.byte()]);
    out.extend_from_slice(&header.version.to_le_bytes());
    out.extend_from_slice(&header.created_us.to_le_bytes());
    out.extend_from_slice(&header.ttl_ms.to_le_bytes());
    let flags = [
        (header.negative, NEGATIVE),
        (!tags.is_empty(), HAS_TAGS),
        (etag.is_some(), HAS_ETAG),
    ];
    let flags = flags
        .iter()
        .filter(|(on, _)| *on)
        .fold(0, |flags, (_, flag)| flags | flag);
    out.extend_from_slice(&[flags, header.codec.byte(), compression.byte(), 0]);
    for number in [header.schema, header.key_hash, header.cost_ms, plain_len] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&header.all_generation.to_le_bytes());
    out.extend_from_slice(&header.region_generation.to_le_bytes());
    if !tags.is_empty() {
        out.push(tag_count);
    }
    for (name, generation) in tags {
        push_text(&mut out, name, MAX_TAG_BYTES).map_err(TooLarge::Tag)?;
        out.extend_from_slice(&generation.to_le_bytes());
    }
    if let Some(etag) = etag {
        push_text(&mut out, etag, MAX_ETAG_BYTES).map_err(TooLarge::Etag)?;
    }
    out.extend_from_slice(payload);
    out.extend_from_slice(&layout::checksum(&out).to_le_bytes());
    Ok(Bytes::from(out))
}

/// Appends a text with its length, or says how long it is.
fn push_text(out: &mut Vec<u8>, text: &str, max: usize) -> Result<(), usize> {
    match u16::try_from(text.len()) {
        Ok(len) if text.len() <= max => {
            out.extend_from_slice(&len.to_le_bytes());
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
        _ => Err(text.len()),
    }
}
