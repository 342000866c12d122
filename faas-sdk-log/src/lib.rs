#![doc = include_str!("../README.md")]

mod active;
mod buffers;
mod builder;
mod callsite;
mod chain;
mod describe;
mod encode;
mod entries;
mod error;
mod filter;
mod google;
mod invocation;
mod kind;
mod layer;
mod line;
mod local;
mod logger;
mod metrics;
mod origin;
#[cfg(feature = "otlp")]
mod otlp;
mod output;
mod panic;
mod pretty;
mod profile;
mod record;
mod redact;
mod ring;
mod rules;
mod sampling;
mod span;
mod value;

pub use builder::{Builder, InitError, builder};
pub use chain::{AsError, Chain, err};
pub use describe::{Describe, Description};
pub use filter::FilterError;
pub use invocation::Invocation;
pub use layer::{LogLayer, set_filter};
pub use origin::Origin;
#[cfg(feature = "otlp")]
pub use otlp::{FlushError, Otlp, OtlpError, flush, is_exporting, pending};
pub use output::Sink;
pub use profile::Profile;
pub use value::{Base64, Json, bytes, json};

/// The JSON Schema of a line, of [`Profile::V1`], [`Profile::AWS`] and [`Profile::ALIBABA`].
pub const SCHEMA: &str = include_str!("../schema/v1.schema.json");

/// Writes the program's log lines to standard output, with the defaults of [`builder`].
///
/// # Errors
///
/// A subscriber is set already; it stays.
pub fn init() -> Result<(), InitError> {
    builder().init()
}
