//! Stages: the named, timed steps of a command.

use anyhow::{Context, Result};
use std::time::Instant;

/// Runs one step, printing its name before and its duration after it.
///
/// # Errors
/// The step's own, with the step's name as context.
pub(crate) fn stage<T>(name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {name}");
    let start = Instant::now();
    let done = step();
    let outcome = if done.is_ok() { "ok" } else { "FAILED" };
    println!(
        "<== {name}: {outcome}, {:.1} s",
        start.elapsed().as_secs_f64()
    );
    done.with_context(|| format!("stage `{name}`"))
}
