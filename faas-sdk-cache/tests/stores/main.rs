//! The behaviour suite, run against the stores of this crate; and what only Redis can suffer.

#![cfg(feature = "testing")]

mod memory;
#[cfg(feature = "redis")]
mod redis;
