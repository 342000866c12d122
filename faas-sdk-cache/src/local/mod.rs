//! The level in this process: storage, and the guard over what may enter it.

mod entry;
mod key;
mod stripes;
mod table;

pub(crate) use entry::{Entry, Freshness, Guards};
pub(crate) use key::{BuildPrehashed, FullKey, shard_of};
pub(crate) use stripes::{FlightEnd, FlightGuard, Join, Stripes, Ticket};
pub(crate) use table::Table;
