//! Running a program: for a round, and for its start.

use super::affinity::Processors;
use super::program::Program;
use super::session::{Session, number};
use crate::bench::build::Built;
use crate::bench::figures::{Figures, Metric};
use crate::bench::series::Series;
use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::path::Path;
use std::time::Duration;

/// Invocations before the measured ones: buffers have grown, lazy things are made.
const WARMUP: &str = "500";

/// One round of `program`: a fresh process, warmed up, then `invocations` measured ones.
pub(super) fn round(
    built: &Built,
    processors: &Processors,
    program: &Program,
    invocations: u32,
    figures: &mut Figures,
) -> Result<()> {
    let (event, answer) = program.work.event_and_answer();
    let count = invocations.to_string();
    let script = [
        "--event",
        event,
        "--answer",
        answer,
        "--warmup",
        WARMUP,
        "--invocations",
        &count,
    ];
    let mut session = Session::new(built, processors, &script)?;
    let mut running = session.start(built, processors, program, &[])?;
    session.expect("first", built, &mut running)?;
    session.expect("warm", built, &mut running)?;
    let id = i32::try_from(running.child.0.id())?;
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(id)).context("the program's CPU clock")?;
    let before = Duration::from(clock_gettime(clock)?);
    session.go()?;
    let done = session.expect("done", built, &mut running)?;
    let used = Duration::from(clock_gettime(clock)?).saturating_sub(before);
    let told: Vec<f64> = done.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [p50, p99, connections] = told[..] else {
        anyhow::bail!("the host said `done {done}`")
    };
    let resident = number(Path::new(&format!("/proc/{id}/status")), "VmRSS:")?;
    figures.add(
        Metric::Cpu,
        used.as_secs_f64() * 1e6 / f64::from(invocations),
    );
    figures.add(Metric::P50, p50 / 1e3);
    figures.add(Metric::P99, p99 / 1e3);
    figures.add(Metric::Connections, connections);
    figures.add(Metric::Resident, resident / 1024.0);
    Ok(())
}

/// Starts every program `starts` times, in turn, each until its first poll.
pub(super) fn starts(
    built: &Built,
    processors: &Processors,
    series: &mut Series<Program>,
    starts: u32,
) -> Result<()> {
    let session = Session::new(built, processors, &["--hold"])?;
    // The first turn reads the programs from disk and does not count.
    for turn in 0..=starts {
        series.each(|program, figures| {
            let mut running = session.start(built, processors, program, &[])?;
            let first = session.expect("first", built, &mut running)?.parse()?;
            let took = Duration::from_nanos(first).saturating_sub(running.started);
            if turn > 0 {
                figures.add(Metric::Start, took.as_secs_f64() * 1e3);
            }
            Ok(())
        })?;
    }
    Ok(())
}
