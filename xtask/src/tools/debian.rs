//! Packages of a Debian system.

use crate::cargo::run;
use anyhow::{Context, Result, bail};
use std::process::Command;

/// Installs `packages`, which only root can.
///
/// # Errors
/// For anyone else, with the command to run by hand, and when apt fails.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install -y {}", packages.join(" "));
    if !nix::unistd::geteuid().is_root() {
        bail!("run `{by_hand}` as root, then try again");
    }
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run(apt().args(["update", "--quiet"]))
        .and_then(|()| {
            run(apt()
                .args(["install", "-y", "--no-install-recommends"])
                .args(packages))
        })
        .with_context(|| format!("`{by_hand}` failed: install them in the system's own way"))
}
