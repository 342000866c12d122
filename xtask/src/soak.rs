//! `cargo xtask soak`: long races and fuzzing, bounded in time.
//!
//! A soak test is an ignored test whose name contains `soak`. It does a bounded piece of work; the
//! command repeats all of them, with many more generated cases, until the time is over.

use crate::cargo::{cargo, output};
use crate::child::Owned;
use crate::stage::stage;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Generated cases a property test, 256 in an ordinary run.
const CASES: &str = "20000";

/// A program of tests, as cargo tells of it when it has built one.
#[derive(Debug, Deserialize)]
struct Artifact {
    manifest_path: Option<PathBuf>,
    executable: Option<PathBuf>,
    profile: Option<Profile>,
}

/// How it was built: ordinary programs, which tests may start, are told of as well.
#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

/// Repeats all soak tests for `minutes`; a pass under way when the time is over is broken off.
///
/// # Errors
/// When a test fails or seems to hang, when there is none, and when the time does not suffice for one
/// pass.
pub(crate) fn run(minutes: u64) -> Result<()> {
    let tests = stage("soak tests", soak_tests)?;
    let end = Instant::now() + Duration::from_secs(minutes.saturating_mul(60));
    let mut passes = 0_u32;
    let mut longest = Duration::ZERO;
    loop {
        let start = Instant::now();
        let complete = stage(&format!("pass {}", passes + 1), || pass(&tests, end))?;
        let took = start.elapsed();
        if !complete {
            if passes > 0 && took > longest * 3 + Duration::from_secs(10) {
                bail!(
                    "broken off after {took:.0?}, where {longest:.0?} sufficed before: a test hangs"
                );
            }
            break;
        }
        longest = longest.max(took);
        passes += 1;
    }
    if passes == 0 {
        bail!("{minutes} min did not suffice for one pass: give more with --minutes");
    }
    println!("{passes} complete passes in {minutes} min");
    Ok(())
}

/// Builds all tests and keeps the programs that hold a soak test.
fn soak_tests() -> Result<Vec<Artifact>> {
    let selection = [
        "--workspace",
        "--all-features",
        "--no-run",
        "--message-format=json",
    ];
    let built = output(cargo(["test"]).args(selection))?;
    let mut found = Vec::new();
    for line in built.lines() {
        let artifact: Artifact = serde_json::from_str(line).context("a message of cargo")?;
        let is_test = artifact
            .profile
            .as_ref()
            .is_some_and(|profile| profile.test);
        if artifact.executable.is_none() || !is_test {
            continue;
        }
        let listed = output(artifact.command()?.arg("--list"))?;
        let mut tests = listed
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .peekable();
        if tests.peek().is_some() {
            tests.for_each(|test| println!("    {test}"));
            found.push(artifact);
        }
    }
    if found.is_empty() {
        bail!("no ignored test has `soak` in its name");
    }
    Ok(found)
}

/// One run of each program; `false` if the time was over before the last one ended.
fn pass(tests: &[Artifact], end: Instant) -> Result<bool> {
    for test in tests {
        let mut command = test.command()?;
        let mut child = Owned::spawn(command.env("PROPTEST_CASES", CASES).stdin(Stdio::null()))
            .with_context(|| format!("{command:?} cannot be started"))?;
        let status = loop {
            if let Some(status) = child.0.try_wait()? {
                break status;
            }
            if Instant::now() >= end {
                return Ok(false);
            }
            sleep(Duration::from_millis(100));
        };
        if !status.success() {
            bail!("{command:?} ended with {status}");
        }
    }
    Ok(Instant::now() < end)
}

impl Artifact {
    /// The program's soak tests, run where cargo would run them.
    fn command(&self) -> Result<Command> {
        let program = self.executable.as_ref().context("cargo built no program")?;
        let package = self
            .manifest_path
            .as_ref()
            .and_then(|manifest| manifest.parent());
        let mut command = Command::new(program);
        command.args(["--ignored", "soak"]);
        command.current_dir(package.context("cargo named no package")?);
        Ok(command)
    }
}
