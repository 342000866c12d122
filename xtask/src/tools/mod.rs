//! The outside tools that tests need: got by the project itself, so that a fresh machine passes.
//!
//! A tool that cannot be had is an error: nothing is skipped for want of one.

mod cargo_lambda;
pub(crate) mod debian;
mod python;
pub(crate) mod redis;

use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tools, each ready to run.
#[derive(Debug)]
pub(crate) struct Tools {
    cargo_lambda: PathBuf,
}

impl Tools {
    /// Makes sure that each tool is there, below `target/tools` or as a package of the system.
    ///
    /// # Errors
    /// Names the tool, and what to do by hand if it cannot be installed.
    pub(crate) fn provide(target: &Path) -> Result<Self> {
        let home = target.join("tools");
        redis::provide()?;
        Ok(Self {
            cargo_lambda: cargo_lambda::provide(&home)?,
        })
    }

    /// Tells `command` where the tools are, in the variables the tests read.
    pub(crate) fn export(&self, command: &mut Command) {
        command.env("FAAS_TEST_CARGO_LAMBDA", &self.cargo_lambda);
    }
}
