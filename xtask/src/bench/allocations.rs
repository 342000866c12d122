//! Counting allocations from outside, on the very programs that are measured.
//!
//! Valgrind counts every call of the C allocator, which Rust's default one is; a growing
//! reallocation counts as one. The difference between a short and a long run leaves the start out.

use super::affinity::Processors;
use super::build::Built;
use super::figures::{Figures, Metric};
use super::program::Program;
use super::session::Session;
use crate::tools::debian;
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SHORT: u32 = 200;
const LONG: u32 = 1_200;

/// Makes sure that valgrind is there.
pub(super) fn provide() -> Result<()> {
    let found = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    debian::install(&["valgrind"]).context("valgrind counts the allocations")
}

/// Allocations, and bytes of them, for one invocation of `program`.
pub(super) fn count(
    built: &Built,
    processors: &Processors,
    program: &Program,
    figures: &mut Figures,
) -> Result<()> {
    let short = heap(built, processors, program, SHORT)?;
    let long = heap(built, processors, program, LONG)?;
    let each = |index: usize| (long[index] - short[index]) / f64::from(LONG - SHORT);
    // To a tenth: what happens once in a hundred invocations is growth, not cost.
    figures.add(Metric::Allocations, (each(0) * 10.0).round() / 10.0);
    figures.add(Metric::Bytes, each(1).round());
    Ok(())
}

/// Allocations and bytes of a whole run of `invocations`.
fn heap(
    built: &Built,
    processors: &Processors,
    program: &Program,
    invocations: u32,
) -> Result<[f64; 2]> {
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
    let report = built.notes("valgrind");
    let to = format!("--log-file={}", report.display());
    let wrapper = [
        "valgrind",
        "--leak-check=no",
        "--undef-value-errors=no",
        &to,
    ];
    let mut running = session.start(built, processors, program, &wrapper)?;
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
    let text = std::fs::read_to_string(&report).with_context(|| report.display().to_string())?;
    totals(&text).with_context(|| format!("no heap summary in valgrind's report: {text}"))
}

/// `==1== total heap usage: 1,234 allocs, 1,200 frees, 56,789 bytes allocated`
fn totals(report: &str) -> Option<[f64; 2]> {
    let (_, usage) = report.split_once("total heap usage: ")?;
    let mut words = usage.split_whitespace();
    let number = |word: &str| word.replace(',', "").parse().ok();
    Some([number(words.next()?)?, number(words.nth(3)?)?])
}

#[cfg(test)]
mod tests {
    use super::totals;

    #[test]
    fn the_totals_are_read_from_a_report() {
        let report = "==1== HEAP SUMMARY:\n==1==     in use at exit: 1 bytes in 1 blocks\n\
            ==1==   total heap usage: 12,034 allocs, 12,000 frees, 1,256,789 bytes allocated\n";
        assert_eq!(totals(report), Some([12_034.0, 1_256_789.0]));
        assert_eq!(totals("==1== Process terminating"), None);
    }
}
