//! `cargo xtask ci`: what every change must pass, in a clean clone.

mod features;
mod layers;
mod tree;

use crate::cargo::{self, Metadata, cargo};
use crate::stage::stage;
use anyhow::{Context, Result, bail};

/// The README's command for all tests.
const TEST: &str = "cargo xtask test";

/// Runs every check, the tests first.
pub(crate) fn run() -> Result<()> {
    stage("the README's test command", || {
        let readme = std::fs::read_to_string(cargo::root().join("README.md"));
        if !readme.context("README.md")?.contains(TEST) {
            bail!("README.md no longer gives `{TEST}` as the command for all tests");
        }
        cargo::run(&mut cargo(["xtask", "test"]))
    })?;
    stage("format", || {
        cargo::run(&mut cargo(["fmt", "--all", "--check"]))
    })?;
    stage("clippy", || {
        let all = ["--workspace", "--all-targets", "--all-features"];
        cargo::run(cargo(["clippy"]).args(all).args(["--", "-D", "warnings"]))
    })?;
    stage("docs", || {
        let mut docs = cargo(["doc", "--workspace", "--all-features", "--no-deps"]);
        cargo::run(docs.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    let metadata = Metadata::read()?;
    stage("feature combinations", || features::check(&metadata))?;
    stage("what hello pulls in", tree::check)?;
    stage("direction of dependencies", || layers::check(&metadata))
}
