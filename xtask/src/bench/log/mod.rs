//! `cargo xtask bench log`: one line of a log writer.
//!
//! An event at INFO with a message and four fields (a string, an integer, a float, a value that is
//! displayed), inside one span with three strings: formatted only, and written to a pipe.

mod budgets;
mod lines;
mod program;
mod run;

use super::build::Built;
use super::figures::{Figures, Metric};
use super::series::Series;
use super::table::Layout;
use super::valgrind::{HEAP, INSTRUCTIONS};
use super::{budget, machine, valgrind};
use crate::stage::stage;
use anyhow::{Result, ensure};
use pico_args::Arguments;
use program::{PAIRS, PROGRAMS, Program};
use run::Load;
use std::collections::BTreeSet;
use std::io::sink;

/// The threads of [`Metric::LineOfEight`].
const MANY: u32 = 8;

/// Lines of each thread that are not measured.
const WARMUP: u32 = 1_000;

/// What is measured, in the order of the tables.
const METRICS: [Metric; 5] = [
    Metric::Line,
    Metric::LineOfEight,
    Metric::Instructions,
    Metric::Allocations,
    Metric::Length,
];

/// Builds, measures, prints and judges.
///
/// # Errors
/// When a program cannot be built or misbehaves, and when a budget is missed for no known cause.
pub(super) fn run(mut args: Arguments) -> Result<()> {
    let rounds = args.opt_value_from_str("--rounds")?.unwrap_or(9);
    let lines = args.opt_value_from_str("--lines")?.unwrap_or(200_000);
    let only: Option<String> = args.opt_value_from_str("--only")?;
    crate::nothing_left(args)?;
    ensure!(
        rounds > 0 && lines > 0,
        "--rounds and --lines must be at least 1"
    );
    let mut series = Series::select(&PROGRAMS, |program| program.name, only.as_deref())?;
    stage("valgrind", valgrind::provide)?;
    let built = stage("build", || build(&series))?;
    measure(&built, &mut series, rounds, lines)?;
    let measured = series.figures();
    println!(
        "\n{rounds} rounds of {lines} lines, interleaved; ns: wall time over all lines, \
         whatever the number of threads that share them"
    );
    layout().print(&measured);
    budget::check(&budgets::BUDGETS, &measured)
}

/// What the tables show.
pub(super) fn layout() -> Layout {
    Layout {
        metrics: &METRICS,
        programs: PROGRAMS.map(|program| program.name).to_vec(),
        pairs: &PAIRS,
    }
}

/// Builds each package once, whatever the number of its programs.
fn build(series: &Series<Program>) -> Result<Built> {
    let built = Built::new()?;
    let packages: BTreeSet<_> = series.programs().map(|program| program.package).collect();
    for package in packages {
        built.peer(package, package)?;
    }
    Ok(built)
}

fn measure(built: &Built, series: &mut Series<Program>, rounds: u32, lines: u32) -> Result<()> {
    machine::print(
        "processors are left to the system",
        "a pipe's writers share one with its reader",
    );
    stage("lines", || {
        series.each(|program, figures| lines::check(built, program, figures))
    })?;
    for number in 1..=rounds {
        stage(&format!("round {number}"), || {
            series.each(|program, figures| time(built, program, lines, figures))
        })?;
    }
    stage("counts", || {
        series.each(|program, figures| count(built, program, figures))
    })
}

/// One round of `program`: a fresh process for each number of threads.
fn time(built: &Built, program: &Program, lines: u32, figures: &mut Figures) -> Result<()> {
    for (metric, threads) in [(Metric::Line, 1), (Metric::LineOfEight, MANY)] {
        let load = Load {
            lines,
            threads,
            warmup: WARMUP,
        };
        let took = run::run(built, program, load, &[], &mut sink())?;
        figures.add(metric, took / f64::from(lines));
    }
    Ok(())
}

/// What one line of `program` costs in instructions and allocations.
fn count(built: &Built, program: &Program, figures: &mut Figures) -> Result<()> {
    let log = |wrapper: &[&str], lines| {
        let load = Load {
            lines,
            threads: 1,
            warmup: WARMUP,
        };
        run::run(built, program, load, wrapper, &mut sink()).map(drop)
    };
    let [instructions] = INSTRUCTIONS.each(built, log)?;
    figures.add(Metric::Instructions, instructions.round());
    let [allocations, _] = HEAP.each(built, log)?;
    figures.add(Metric::Allocations, allocations);
    Ok(())
}
