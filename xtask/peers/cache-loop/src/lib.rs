//! The loops caches are measured in: [`local`] for what they keep in their process, [`remote`] for what
//! is in Redis. What was measured is told on standard output, as numbers.

mod arguments;
pub mod local;
pub mod remote;

pub use arguments::Arguments;

/// Any error.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
