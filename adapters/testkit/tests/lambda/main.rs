//! The fake Runtime API, walked through by a runtime on a raw socket.

mod client;
mod extensions;
mod faults;
mod invocations;
mod states;
mod streaming;
