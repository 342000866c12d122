//! Where lines go: each one synchronously, whole and within a time limit.
//!
//! There is no background thread and no buffer: a frozen process stops threads, and a line that is
//! only buffered when a process ends is lost.

#[cfg(not(unix))]
mod blocking;
#[cfg(unix)]
mod descriptor;
mod sink;
#[cfg(all(test, unix))]
mod tests;
#[cfg(unix)]
mod time_limit;
#[cfg(unix)]
mod turns;

#[cfg(not(unix))]
pub(crate) use blocking::Descriptor;
#[cfg(unix)]
pub(crate) use descriptor::Descriptor;
pub use sink::Sink;
