//! `cargo xtask test`: all tests, with the outside tools they need.

use crate::cargo::{self, Metadata, cargo};
use crate::stage::stage;
use crate::tools::Tools;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Provides the tools, builds what they drive, and runs every test and doctest of the workspace.
///
/// All features are on: features only add, and the tests of each adapter need its feature. What the
/// façade does without a feature has unit tests of its own. That the other combinations compile is
/// `cargo xtask ci`'s to check.
pub(crate) fn run() -> Result<()> {
    let target = Metadata::read()?.target_directory;
    let tools = stage("outside tools", || Tools::provide(&target))?;
    let hello = stage("a function for the emulator", || lambda_function(&target))?;
    stage("tests of the façade without features", || {
        cargo::run(&mut cargo([
            "test",
            "--package",
            "faas-sdk",
            "--no-default-features",
            "--lib",
        ]))
    })?;
    stage("tests", || {
        let mut tests = cargo(["test", "--workspace", "--all-features"]);
        tools.export(&mut tests);
        cargo::run(tests.env("FAAS_TEST_LAMBDA_HELLO", hello))
    })
}

/// Builds the example `hello` for Lambda alone and keeps a copy: the tests' own build of `hello`,
/// with all features, has the same name.
fn lambda_function(target: &Path) -> Result<PathBuf> {
    let features = ["--no-default-features", "--features", "platform-aws-lambda"];
    cargo::run(cargo(["build", "--package", "hello", "--bin", "hello"]).args(features))?;
    let kept = target.join("tools/hello-aws-lambda");
    std::fs::copy(target.join("debug/hello"), &kept)
        .with_context(|| format!("copying `hello` to {}", kept.display()))?;
    Ok(kept)
}
