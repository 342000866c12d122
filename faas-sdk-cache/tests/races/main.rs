//! Random races between loads, writes and invalidations, watched by a checker that knows which values
//! may be seen: within a process over a store in memory, and between processes over a real Redis.
//!
//! `FAAS_TEST_RACE_MS` says how long each race takes, 700 by default.

mod checker;
mod memory;
#[cfg(feature = "redis")]
mod processes;
mod world;
