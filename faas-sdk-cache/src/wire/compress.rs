use super::invalid::Invalid;
use lz4_flex::block;

/// Above how many bytes compression is tried, if nothing else is set.
pub(crate) const COMPRESS_ABOVE: usize = 1024;

/// A byte of lz4 stands for at most this many bytes.
const MAX_RATIO: usize = 255;

/// How a payload is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lz4,
}

impl Compression {
    pub(super) fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Lz4),
            _ => None,
        }
    }

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Lz4 => 1,
        }
    }
}

/// The compressed form, if it saves at least a tenth: less is not worth the time of every reader.
pub(super) fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    let compressed = block::compress(plain);
    (compressed.len() <= plain.len() - plain.len().div_ceil(10)).then_some(compressed)
}

/// Expands to exactly `plain_len` bytes. The caller bounds that number.
pub(super) fn decompress(compressed: &[u8], plain_len: usize) -> Result<Vec<u8>, Invalid> {
    // A length that these bytes cannot have is refused before memory is taken for it.
    if plain_len > compressed.len().saturating_mul(MAX_RATIO) {
        return Err(Invalid::Length);
    }
    let mut plain = vec![0; plain_len];
    match block::decompress_into(compressed, &mut plain) {
        Ok(len) if len == plain_len => Ok(plain),
        _ => Err(Invalid::Length),
    }
}
