//! What a cache does, level by level, over a store in memory that can be made to fail.

mod basics;
mod coherence;
mod expiry;
mod failures;
mod flights;
mod many;
mod support;
mod tags;
