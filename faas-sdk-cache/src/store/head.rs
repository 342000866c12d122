//! What a store reads and writes of an envelope, for stores that do not do it in scripts.

pub use crate::wire::{expire, is_fresh, stamp, version_of};
