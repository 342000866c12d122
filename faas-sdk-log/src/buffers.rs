use crate::encode::Timestamps;
use crate::record::Parts;

/// What a line is put together in.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) line: Vec<u8>,
    pub(crate) parts: Parts,
    pub(crate) stamps: Timestamps,
}
