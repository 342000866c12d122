//! The façade with fewer features than the tests use.

use crate::cargo::{Metadata, cargo, run};
use anyhow::{Context, Result};

/// Checks the façade with no feature, each alone, the defaults and all, warnings denied.
pub(super) fn check(metadata: &Metadata) -> Result<()> {
    let facade = metadata
        .packages
        .iter()
        .find(|package| package.name == "faas-sdk");
    let features = &facade
        .context("the workspace has no package `faas-sdk`")?
        .features;
    check_with(&["--no-default-features"])?;
    for feature in features.keys().filter(|feature| *feature != "default") {
        check_with(&["--no-default-features", "--features", feature])?;
    }
    check_with(&[])?;
    check_with(&["--all-features"])
}

/// Clippy is `cargo check` that can deny warnings without building the dependencies anew.
fn check_with(selection: &[&str]) -> Result<()> {
    run(cargo(["clippy", "--quiet", "--package", "faas-sdk"])
        .args(selection)
        .args(["--", "-D", "warnings"]))
}
