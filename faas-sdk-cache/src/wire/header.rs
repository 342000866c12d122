use super::codec::Codec;
use crate::version::Version;

/// The fields of an envelope that have a fixed place, except those that describe the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Written by stores; live when the cache sends it.
    pub(crate) state: State,
    /// Written by stores; 0 when the cache sends it.
    pub(crate) version: Version,
    /// In microseconds since the Unix epoch on the store's clock. Written by stores; 0 when the cache
    /// sends it.
    pub(crate) created_us: u64,
    /// How long the value is fresh.
    pub(crate) ttl_ms: u64,
    /// It says that there is no value.
    pub(crate) negative: bool,
    pub(crate) codec: Codec,
    pub(crate) schema: u32,
    /// See [`key_hash`](super::key_hash).
    pub(crate) key_hash: u32,
    /// How long the load took.
    pub(crate) cost_ms: u32,
    /// The generation of all regions before the load.
    pub(crate) all_generation: Version,
    /// The generation of the region before the load.
    pub(crate) region_generation: Version,
}

/// Whether a value was expired on demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    Live,
    /// It may only stand in for a value that cannot be loaded.
    Expired,
}

impl State {
    pub(super) fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Live),
            1 => Some(Self::Expired),
            _ => None,
        }
    }

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Live => 0,
            Self::Expired => 1,
        }
    }
}
