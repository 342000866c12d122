//! The lines a program writes: whether they are what was asked for, and how long.

use super::program::{Program, Sink};
use super::run::{Load, run};
use crate::bench::build::Built;
use crate::bench::figures::{Figures, Metric};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

const LOAD: Load = Load {
    lines: 1_000,
    threads: super::MANY,
    warmup: 0,
};

/// The message and the values of event and span, in any of their forms.
const EXPECTED: [&str; 7] = [
    "order placed",
    "\"A-1047\"",
    "49.95",
    "\"192.0.2.77\"",
    "\"8476a536-e9f4-11e8-9739-2dfe598c3fcd\"",
    "\"north\"",
    "\"/orders\"",
];

/// Checks all lines of a short run of several threads, and takes their mean length.
pub(super) fn check(built: &Built, program: &Program, figures: &mut Figures) -> Result<()> {
    let mut output = Vec::new();
    run(built, program, LOAD, &[], &mut output)?;
    if program.sink == Sink::Null {
        return Ok(());
    }
    let output = String::from_utf8(output).context("lines in UTF-8")?;
    let length = length(&output).with_context(|| program.name.to_owned())?;
    figures.add(Metric::Length, length);
    Ok(())
}

/// The mean length of the events' lines; a program may write others when spans begin and end.
fn length(output: &str) -> Result<f64> {
    let (mut events, mut bytes) = (0, 0);
    for line in output.split_inclusive('\n') {
        serde_json::from_str::<Value>(line).with_context(|| format!("no JSON: `{line}`"))?;
        if !line.contains(EXPECTED[0]) {
            continue;
        }
        for part in EXPECTED {
            ensure!(line.contains(part), "`{part}` is missing in `{line}`");
        }
        events += 1;
        bytes += u32::try_from(line.len())?;
    }
    ensure!(
        events == LOAD.lines,
        "{events} lines for {} events",
        LOAD.lines
    );
    Ok((f64::from(bytes) / f64::from(events)).round())
}
