//! The façade and the leaves with fewer features than the tests use.

use crate::cargo::{Metadata, cargo, run};
use anyhow::{Context, Result};

/// The packages that users choose features of.
const PACKAGES: [&str; 3] = ["faas-sdk", "faas-sdk-cache", "faas-sdk-log"];

/// Checks each package with no feature, each alone, the defaults and all, warnings denied.
pub(super) fn check(metadata: &Metadata) -> Result<()> {
    for name in PACKAGES {
        let package = metadata
            .packages
            .iter()
            .find(|package| package.name == name)
            .with_context(|| format!("the workspace has no package `{name}`"))?;
        check_with(name, &["--no-default-features"])?;
        let features = package.features.keys();
        for feature in features.filter(|feature| *feature != "default") {
            check_with(name, &["--no-default-features", "--features", feature])?;
        }
        check_with(name, &[])?;
        check_with(name, &["--all-features"])?;
    }
    Ok(())
}

/// Clippy is `cargo check` that can deny warnings without building the dependencies anew.
fn check_with(package: &str, selection: &[&str]) -> Result<()> {
    run(cargo(["clippy", "--quiet", "--package", package])
        .args(selection)
        .args(["--", "-D", "warnings"]))
}
