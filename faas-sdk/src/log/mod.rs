//! Log lines: one JSON object a line, the same on every platform, written with plain `tracing`
//! macros. A terminal shows them as text.
//!
//! ```
//! use faas_sdk::log::{err, json};
//! # let (order, error) = (vec![1, 2], "x".parse::<u32>().unwrap_err());
//! tracing::info!(order = json(&order), "order taken");
//! tracing::error!(error = err(&error), "the price is no number");
//! ```
//!
//! Every line of an invocation carries its request id, trace and the like, also lines of work started
//! with [`Context::spawn`](crate::Context::spawn); work that is spawned otherwise carries them if it
//! is instrumented with the current span. See [`faas_sdk_log`] for the keys of a line, for what is
//! redacted and for the limits, and [`LogConfig`](crate::LogConfig) for the settings.

mod describe;
#[cfg(feature = "otlp")]
mod export;
mod invocation;
mod start;

#[cfg(feature = "otlp")]
pub(crate) use export::add_hooks;
pub(crate) use invocation::Logged;
pub(crate) use start::start;

pub use faas_sdk_log::{FilterError, SCHEMA, bytes, err, json, set_filter};
