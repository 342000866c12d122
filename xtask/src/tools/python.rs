//! Virtual environments of Python, for tools that come as packages of its index.

use super::debian;
use crate::cargo::run;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};

/// Makes a virtual environment with pip at `environment`, anew if what is there does not work.
pub(super) fn provide(environment: &Path) -> Result<()> {
    let own_pip = || works(&environment.join("bin/python"), "import pip");
    if own_pip() {
        return Ok(());
    }
    if !works(Path::new("python3"), "import venv, ensurepip") {
        debian::install(&["python3-venv", "python3-pip"])
            .context("python3 with venv and ensurepip is needed")?;
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(environment))
}

fn works(python: &Path, statement: &str) -> bool {
    Command::new(python)
        .args(["-c", statement])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
