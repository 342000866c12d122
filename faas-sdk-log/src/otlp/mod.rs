//! Spans and log records over OTLP.
//!
//! A function is frozen between its invocations, and nothing that it left running then runs on. So
//! there is no thread and no task here: spans and log records wait in two bounded queues until
//! [`flush`] sends them, within the time that the invocation has for it.
//!
//! Spans are those of `tracing-opentelemetry`, whose layer stands beside the log layer. Log records
//! are made from what a line was put together from, so that whatever is redacted or cut there is so
//! here, too; spans get the fields that were recorded for their lines.

mod answer;
mod attributes;
mod client;
mod closing;
mod config;
mod error;
mod exported;
mod exporter;
mod facts;
mod flush;
mod invocation;
mod kept;
mod layer;
mod line;
mod lost;
mod names;
mod pairs;
mod pipeline;
mod protobuf;
mod queue;
mod record;
mod resource;
mod sampler;
mod spans;
mod tls;
mod value;
mod variables;

pub use config::Otlp;
pub use error::OtlpError;
pub(crate) use exported::Exported;
pub use flush::{FlushError, flush, is_exporting, pending};
pub(crate) use pipeline::Pipeline;
