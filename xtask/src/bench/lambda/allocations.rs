//! Counting the allocations of one invocation.

use super::affinity::Processors;
use super::program::Program;
use super::session::Session;
use crate::bench::build::Built;
use crate::bench::figures::{Figures, Metric};
use crate::bench::valgrind::HEAP;
use anyhow::{Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Allocations, and bytes of them, for one invocation of `program`.
pub(super) fn count(
    built: &Built,
    processors: &Processors,
    program: &Program,
    figures: &mut Figures,
) -> Result<()> {
    let [allocations, bytes] = HEAP.each(built, |wrapper, invocations| {
        serve(built, processors, program, wrapper, invocations)
    })?;
    figures.add(Metric::Allocations, allocations);
    figures.add(Metric::Bytes, bytes.round());
    Ok(())
}

/// A whole run of `invocations`.
fn serve(
    built: &Built,
    processors: &Processors,
    program: &Program,
    wrapper: &[&str],
    invocations: u32,
) -> Result<()> {
    let (event, answer) = program.work.event_and_answer();
    let count = invocations.to_string();
    let script = [
        "--event",
        event,
        "--answer",
        answer,
        "--invocations",
        &count,
    ];
    let mut session = Session::new(built, processors, &script)?;
    let mut running = session.start(built, processors, program, wrapper)?;
    session.expect("first", built, &mut running)?;
    session.expect("warm", built, &mut running)?;
    session.go()?;
    session.expect("done", built, &mut running)?;
    kill(
        Pid::from_raw(i32::try_from(running.child.0.id())?),
        Signal::SIGTERM,
    )?;
    let limit = Instant::now() + Duration::from_secs(30);
    while running.child.0.try_wait()?.is_none() {
        if Instant::now() > limit {
            bail!("{} does not end on SIGTERM", program.name);
        }
        sleep(Duration::from_millis(10));
    }
    Ok(())
}
