//! What has changed elsewhere, learnt from the logs of the remote level.
//!
//! Functions freeze, so nothing here listens: the logs are read along with the next command once the
//! last reading is older than the bound. Every entry carries guards, the epochs and generations that
//! were known before it was read; one that differs now makes the entry unusable.

mod guard;
mod shard;
mod tags;

pub(crate) use guard::{Guard, is_known};
pub(crate) use shard::{Applied, Shard};
pub(crate) use tags::{ALL, Knowledge, Names, Tags, tag_name};
