//! The remote level as the cache sees it: bounded calls, a circuit breaker, reads made together, and
//! what could not be written yet.

mod coalesce;
mod link;
mod recovery;

pub(crate) use coalesce::{Coalescer, distinct};
pub(crate) use link::{Down, Remote};
pub(crate) use recovery::{Mark, Owed, Recovery};
