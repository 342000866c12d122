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
//! with [`Context::spawn`](crate::Context::spawn). Work that is spawned otherwise, with `tokio::spawn`
//! or on a thread, carries them if it runs in the current span, as with `tracing::Instrument`.
//! Records of the crate `log` are lines only where the program bridges them.
//!
//! Calls from the command line write to standard error, from WARN on unless `FAAS_LOG` or `RUST_LOG`
//! is set. A program that sets a subscriber of its own takes [`layer`] into it. See [`faas_sdk_log`]
//! for the keys of a line, for what is redacted and for the limits, and
//! [`LogConfig`](crate::LogConfig) for the settings.

mod describe;
#[cfg(feature = "otlp")]
mod export;
mod invocation;
mod start;

#[cfg(feature = "otlp")]
pub(crate) use export::add_hooks;
pub(crate) use invocation::Logged;
pub use start::layer;
pub(crate) use start::start;

pub use faas_sdk_log::{FilterError, LogLayer, SCHEMA, bytes, err, json, set_filter};
