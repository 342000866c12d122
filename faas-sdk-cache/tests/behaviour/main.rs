//! What a cache does, level by level, over a store in memory that can be made to fail.

mod basics;
mod coherence;
mod debts;
mod expiry;
mod failures;
mod flights;
mod late;
mod late_store;
mod limits;
mod many;
mod removed;
mod support;
mod tags;
