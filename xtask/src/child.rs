//! Child processes that never outlive their owner.

use std::process::{Child, Command};

/// A running child: killed and reaped when dropped, on failure too.
#[derive(Debug)]
pub(crate) struct Owned(pub(crate) Child);

impl Owned {
    /// Starts `command`.
    ///
    /// # Errors
    /// The system's, when the program cannot be started.
    pub(crate) fn spawn(command: &mut Command) -> std::io::Result<Self> {
        command.spawn().map(Self)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // Both fail only for a child that has ended and was reaped: then nothing is left to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
