//! Running a program to its end.

use super::program::{Program, Sink};
use crate::bench::build::Built;
use crate::child::Owned;
use anyhow::{Context, Result, ensure};
use std::io::{BufReader, Read, Write, copy};
use std::process::Stdio;

/// As much as a pipe holds, so that one read empties it.
const PIPE: usize = 64 * 1024;

/// What a program is asked to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Measured lines, of all threads together.
    pub(super) lines: u32,
    pub(super) threads: u32,
    /// Lines of each thread before them: buffers have grown, lazy things are made.
    pub(super) warmup: u32,
}

/// Runs `program` under the words of `wrapper`, draining its lines into `lines`; the nanoseconds
/// that its measured lines took.
pub(super) fn run(
    built: &Built,
    program: &Program,
    load: Load,
    wrapper: &[&str],
    lines: &mut impl Write,
) -> Result<f64> {
    let mut command = built.command(program.package, wrapper);
    command.args(["--sink", program.sink.word()]);
    for (option, value) in [
        ("--lines", load.lines),
        ("--threads", load.threads),
        ("--warmup", load.warmup),
    ] {
        command.args([option, &value.to_string()]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child =
        Owned::spawn(&mut command).with_context(|| format!("{command:?} cannot be started"))?;
    let stdout = child.0.stdout.take().context("the program's output")?;
    let drained = copy(&mut BufReader::with_capacity(PIPE, stdout), lines)?;
    let mut told = String::new();
    let mut stderr = child.0.stderr.take().context("the program's errors")?;
    stderr.read_to_string(&mut told)?;
    let status = child.0.wait()?;
    let told = told.trim();
    ensure!(status.success(), "{command:?} ended with {status}: {told}");
    ensure!(
        (program.sink == Sink::Null) == (drained == 0),
        "{command:?} wrote {drained} bytes"
    );
    told.parse()
        .with_context(|| format!("{command:?} told `{told}`, which is no duration"))
}
