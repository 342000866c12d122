//! `cargo-lambda`: an emulator of the Lambda service written by others.

use super::python;
use crate::cargo::{output, run};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version the tests were written against.
const VERSION: &str = "1.9.2";

/// The path of the program, installed below `home` if it is not there in the wanted version.
pub(super) fn provide(home: &Path) -> Result<PathBuf> {
    let environment = home.join("python");
    let program = environment.join("bin/cargo-lambda");
    if version(&program).is_ok_and(|found| found == VERSION) {
        return Ok(program);
    }
    python::provide(&environment)?;
    // Its only dependency is a cross linker, a hundred megabytes that the emulator has no use for.
    let package = format!("cargo-lambda=={VERSION}");
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--no-deps",
        "--quiet",
    ]);
    pip.args(["--timeout", "60", "--retries", "3", &package]);
    run(&mut pip)?;
    match version(&program) {
        Ok(found) if found == VERSION => Ok(program),
        Ok(found) => bail!("cargo-lambda {VERSION} was installed, but says it is {found}"),
        Err(error) => Err(error).context("cargo-lambda was installed but does not run"),
    }
}

/// What the program says of itself: `cargo-lambda 1.9.2 (67129fc 2026-08-21Z)`.
fn version(program: &Path) -> Result<String> {
    if !program.exists() {
        bail!("{} is missing", program.display());
    }
    let text = output(Command::new(program).args(["lambda", "--version"]))?;
    let found = text
        .split_whitespace()
        .nth(1)
        .context("no version in its answer")?;
    Ok(found.to_owned())
}
