//! Redis, whose servers the tests start themselves.

use super::debian;
use anyhow::{Context, Result};
use std::process::{Command, Stdio};

/// Makes sure that the programs of Redis are there.
pub(crate) fn provide() -> Result<()> {
    if ["redis-server", "redis-cli"].into_iter().all(runs) {
        return Ok(());
    }
    debian::install(&["redis-server"]).context("redis-server and redis-cli are needed")
}

fn runs(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
