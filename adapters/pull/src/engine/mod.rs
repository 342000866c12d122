//! The engine: polls, drives, reports.

mod codec;
mod delivery;
mod profile;
mod serve;
mod shared;
mod slot;
mod start;
mod stream;
mod stuck;
mod supervisor;

pub use codec::{Codec, Delivery, Polled, Report, refusal};
pub use profile::{Backoff, Profile};
pub use serve::Engine;
