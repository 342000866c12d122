//! Values in the process: the time and the cost of a hit, and the memory of a value.

use super::program::Program;
use super::run::{numbers, option};
use crate::bench::build::Built;
use crate::bench::figures::{Figures, Metric};
use crate::bench::valgrind::{HEAP, INSTRUCTIONS};
use anyhow::Result;
use std::process::Command;

/// How many values are in the cache while hits are timed.
const KEYS: u32 = 10_000;

/// The same while they are counted, which takes a hundred times as long.
const COUNTED_KEYS: u32 = 1_000;

/// The same for the memory of each.
const MANY_KEYS: u32 = 100_000;

/// One round: a fresh process for each number of threads, of which each does so many hits.
pub(super) fn time(
    built: &Built,
    program: &Program,
    hits: u32,
    figures: &mut Figures,
) -> Result<()> {
    for (metric, threads) in [(Metric::Hit, 1), (Metric::HitOfTwo, 2)] {
        let mut command = command(built, program, &[], "hits", KEYS);
        option(&mut command, "--hits", hits);
        option(&mut command, "--threads", threads);
        let [nanoseconds] = numbers(&mut command)?;
        figures.add(metric, nanoseconds);
    }
    Ok(())
}

/// The memory of one value.
pub(super) fn weigh(built: &Built, program: &Program, figures: &mut Figures) -> Result<()> {
    let [bytes] = numbers(&mut command(built, program, &[], "memory", MANY_KEYS))?;
    figures.add(Metric::EntryBytes, bytes.round());
    Ok(())
}

/// What one hit costs in instructions and allocations.
pub(super) fn count(built: &Built, program: &Program, figures: &mut Figures) -> Result<()> {
    let hit = |wrapper: &[&str], hits| {
        let mut command = command(built, program, wrapper, "hits", COUNTED_KEYS);
        option(&mut command, "--hits", hits);
        option(&mut command, "--threads", 1);
        numbers::<1>(&mut command).map(drop)
    };
    let [instructions] = INSTRUCTIONS.each(built, hit)?;
    figures.add(Metric::Instructions, instructions.round());
    let [allocations, _] = HEAP.each(built, hit)?;
    figures.add(Metric::Allocations, allocations);
    Ok(())
}

fn command(built: &Built, program: &Program, wrapper: &[&str], work: &str, keys: u32) -> Command {
    let mut command = built.command(program.package, wrapper);
    option(&mut command, "--cache", program.cache);
    option(&mut command, "--work", work);
    option(&mut command, "--keys", keys);
    command
}
