use super::codec::Codec;
use super::compress::{Compression, decompress};
use super::header::{Header, State};
use super::invalid::Invalid;
use super::layout::{
    self, CHECKSUM, FIXED, HAS_ETAG, HAS_TAGS, MAGIC, NEGATIVE, u8_at, u32_at, u64_at,
};
use super::parts::Parts;
use super::tags::Tags;
use bytes::Bytes;
use std::fmt;

/// A well formed envelope. It borrows nothing and copies nothing.
#[derive(Clone)]
pub(crate) struct Envelope {
    header: Header,
    compression: Compression,
    plain_len: usize,
    parts: Parts,
    bytes: Bytes,
}

impl Envelope {
    /// Takes what a store has answered.
    pub(crate) fn decode(bytes: Bytes) -> Result<Self, Invalid> {
        let end = check_frame(&bytes)?;
        let (header, compression, plain_len) = fixed(&bytes)?;
        let parts = Parts::of(&bytes[..end])?;
        if compression == Compression::None && plain_len != parts.payload.len() {
            return Err(Invalid::Length);
        }
        Ok(Self {
            header,
            compression,
            plain_len,
            parts,
            bytes,
        })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The tags, and the generation of each before the load.
    pub(crate) fn tags(&self) -> Tags<'_> {
        Tags::of(self.bytes.get(self.parts.tags.clone()).unwrap_or_default())
    }

    pub(crate) fn etag(&self) -> Option<&str> {
        let etag = self.bytes.get(self.parts.etag.clone()?)?;
        std::str::from_utf8(etag).ok()
    }

    /// How long the encoded value is.
    pub(crate) fn plain_len(&self) -> usize {
        self.plain_len
    }

    /// The encoded value: a slice of the envelope, unless it was compressed. It has at most `max` bytes.
    pub(crate) fn plain(&self, max: usize) -> Result<Bytes, Invalid> {
        if self.plain_len > max {
            return Err(Invalid::TooLarge);
        }
        match self.compression {
            Compression::None => Ok(self.bytes.slice(self.parts.payload.clone())),
            Compression::Lz4 => {
                let payload = self
                    .bytes
                    .get(self.parts.payload.clone())
                    .unwrap_or_default();
                decompress(payload, self.plain_len).map(Bytes::from)
            }
        }
    }

    /// Whether it is of this key, and of a form that the reader knows.
    pub(crate) fn check(
        &self,
        key_hash: u32,
        codec: Codec,
        reads_schema: impl FnOnce(u32) -> bool,
    ) -> Result<(), Invalid> {
        if self.header.key_hash != key_hash {
            Err(Invalid::KeyHash)
        } else if self.header.codec != codec {
            Err(Invalid::Codec)
        } else if !reads_schema(self.header.schema) {
            Err(Invalid::Schema)
        } else {
            Ok(())
        }
    }
}

/// Looks at what tells an envelope from anything else. Returns where the checksum starts.
fn check_frame(bytes: &[u8]) -> Result<usize, Invalid> {
    if !bytes.starts_with(&MAGIC) {
        return Err(if MAGIC.starts_with(bytes) {
            Invalid::TooShort
        } else {
            Invalid::Magic
        });
    }
    match u8_at(bytes, layout::ENVELOPE_VERSION_AT) {
        Some(layout::ENVELOPE_VERSION) => {}
        Some(other) => return Err(Invalid::Version(other)),
        None => return Err(Invalid::TooShort),
    }
    let end = bytes
        .len()
        .checked_sub(CHECKSUM)
        .filter(|end| *end >= FIXED)
        .ok_or(Invalid::TooShort)?;
    if u32_at(bytes, end) != Some(layout::checksum(&bytes[..end])) {
        return Err(Invalid::Checksum);
    }
    Ok(end)
}

/// The fields of fixed place, of an envelope that is long enough.
fn fixed(bytes: &[u8]) -> Result<(Header, Compression, usize), Invalid> {
    let byte = |at| u8_at(bytes, at).ok_or(Invalid::TooShort);
    let number = |at| u32_at(bytes, at).ok_or(Invalid::TooShort);
    let long = |at| u64_at(bytes, at).ok_or(Invalid::TooShort);
    let flags = byte(layout::FLAGS_AT)?;
    if flags & !(NEGATIVE | HAS_TAGS | HAS_ETAG) != 0 || byte(layout::RESERVED_AT)? != 0 {
        return Err(Invalid::Flags);
    }
    let header = Header {
        state: State::of(byte(layout::STATE_AT)?).ok_or(Invalid::State)?,
        version: long(layout::VERSION_AT)?,
        created_us: long(layout::CREATED_AT)?,
        ttl_ms: long(layout::TTL_AT)?,
        negative: flags & NEGATIVE != 0,
        codec: Codec::of(byte(layout::CODEC_AT)?).ok_or(Invalid::Codec)?,
        schema: number(layout::SCHEMA_AT)?,
        key_hash: number(layout::KEY_HASH_AT)?,
        cost_ms: number(layout::COST_AT)?,
        all_generation: long(layout::ALL_GENERATION_AT)?,
        region_generation: long(layout::REGION_GENERATION_AT)?,
    };
    let compression = Compression::of(byte(layout::COMPRESSION_AT)?).ok_or(Invalid::Compression)?;
    let plain_len = usize::try_from(number(layout::PLAIN_LEN_AT)?).map_err(|_| Invalid::Length)?;
    Ok((header, compression, plain_len))
}

impl fmt::Debug for Envelope {
    /// Without the value, which is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("header", &self.header)
            .field("compression", &self.compression)
            .field("plain_len", &self.plain_len)
            .finish_non_exhaustive()
    }
}
