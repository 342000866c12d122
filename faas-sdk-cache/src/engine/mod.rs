//! How values are found, loaded, written and invalidated.
//!
//! From the bottom: [`shared`] holds the parts, [`reading`] reads the remote level and takes what the
//! logs say, [`interpret`] makes entries of remote values, [`flying`] loads, [`obtaining`] is the way
//! of one `get`, [`many`] and [`squadron`] of several at once, [`writing`] changes, [`replay`] repeats
//! what failed.

mod flying;
mod interpret;
mod leased;
mod many;
mod missing;
mod obtaining;
mod reading;
mod replay;
mod shared;
mod squadron;
mod storing;
mod target;
mod turn;
mod writing;

pub(crate) use flying::Flying;
pub(crate) use obtaining::{Found, Here, end_within, spawn};
pub(crate) use shared::{Settings, Shared};
pub(crate) use squadron::Squadron;
pub(crate) use target::Target;
pub(crate) use writing::Change;
