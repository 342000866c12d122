//! What nearly every function needs.

pub use crate::{App, Context, Error, ErrorKind, Handler, Result};
