//! The redis-server that all programs use.

use super::run;
use crate::bench::build::Built;
use crate::child::Owned;
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// The package and the binary that starts one.
pub(super) const PACKAGE: &str = "cache-redis-server";

/// A running server, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    _child: Owned,
    url: String,
}

impl Server {
    /// Starts one of our own.
    pub(super) fn start(built: &Built) -> Result<Self> {
        let mut command = built.command(PACKAGE, &[]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = run::start(&mut command)?;
        let stdout = child.0.stdout.take().context("the server's output")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url)?;
        ensure!(url.starts_with("redis://"), "no redis-server has started");
        Ok(Self {
            _child: child,
            url: url.trim().to_owned(),
        })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}
