//! What lines say, and when they are written.

mod errors;
mod exit;
mod filter;
mod lost;
mod metrics;
mod nested;
mod panics;
mod pretty;
mod profiles;
mod redaction;
mod ring;
mod roles;
mod sampling;
mod size;
mod spans;
#[path = "../support/mod.rs"]
mod support;
mod threads;
