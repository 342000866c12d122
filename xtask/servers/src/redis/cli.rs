//! `redis-cli` as a client.

use super::PACKAGE;
use crate::process::find;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// How long one command may take; the slowest forms a cluster.
const LIMIT: Duration = Duration::from_secs(15);

/// What a client needs to know besides the port.
#[derive(Default)]
pub(super) struct Access {
    pub(super) password: Option<String>,
    /// The file of the authority that signed the server's certificate, for TLS.
    pub(super) ca: Option<PathBuf>,
}

/// Runs `redis-cli` with `args` against the server on `port` and returns what it prints, without the
/// last line break.
pub(super) async fn run(port: u16, access: &Access, args: &[&str]) -> Result<String> {
    let mut command = Command::new(find("redis-cli", PACKAGE)?);
    command.args(["-e", "-h", "127.0.0.1", "-p", &port.to_string()]);
    if let Some(ca) = &access.ca {
        command.arg("--tls").arg("--cacert").arg(ca);
    }
    command.env_remove("REDISCLI_AUTH");
    if let Some(password) = &access.password {
        command.env("REDISCLI_AUTH", password);
    }
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let shown = || format!("`redis-cli -p {port} {}`", args.join(" "));
    let output = timeout(LIMIT, command.output())
        .await
        .with_context(|| format!("{} does not end within {LIMIT:?}", shown()))?
        .with_context(|| format!("{} cannot be run", shown()))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        bail!("{} ended with {}: {}", shown(), output.status, said.trim());
    }
    let mut text = String::from_utf8(output.stdout).with_context(shown)?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}
