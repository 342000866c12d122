//! Spans and log records, as a receiver decodes them.

mod delivery;
mod invocations;
mod layers;
mod logs;
mod receiver;
mod redaction;
mod spans;
mod support;
mod transport;
