//! `cargo xtask bench cache`: values got from a cache.
//!
//! In the process: a hit of get-or-load, among 10,000 values. On Redis: a value of 500 bytes that is kept
//! there alone, wanted by several tasks at once; what a miss, a read of 100 keys, and 10,000 callers in
//! four processes who want the same key cost there.

mod budgets;
mod counts;
mod local;
mod program;
mod remote;
mod run;
mod server;

use super::build::Built;
use super::figures::Metric;
use super::series::Series;
use super::table::Layout;
use super::{budget, machine, valgrind};
use crate::stage::stage;
use crate::tools::redis;
use anyhow::{Result, ensure};
use pico_args::Arguments;
use program::{COUNTS, LOCAL, LOCAL_PAIRS, Program, REMOTE, REMOTE_PAIRS, STORE, Work};
use server::Server;
use std::collections::BTreeSet;

/// What is measured in the process, in the order of the table.
const LOCAL_METRICS: [Metric; 5] = [
    Metric::Hit,
    Metric::HitOfTwo,
    Metric::Instructions,
    Metric::Allocations,
    Metric::EntryBytes,
];

/// The same on Redis.
const REMOTE_METRICS: [Metric; 4] = [
    Metric::ReadOf1,
    Metric::ReadOf16,
    Metric::ReadOf64,
    Metric::ReadOf256,
];

/// What is counted.
const COUNTED_METRICS: [Metric; 7] = [
    Metric::MissTrips,
    Metric::FirstTrips,
    Metric::Mgets,
    Metric::LoaderCalls,
    Metric::ManyTrips,
    Metric::Loads,
    Metric::Crowd,
];

/// Builds, measures, prints and judges.
///
/// # Errors
/// When a program cannot be built or misbehaves, and when a budget is missed for no known cause.
pub(super) fn run(mut args: Arguments) -> Result<()> {
    let rounds = args.opt_value_from_str("--rounds")?.unwrap_or(7);
    let hits = args.opt_value_from_str("--hits")?.unwrap_or(500_000);
    let only: Option<String> = args.opt_value_from_str("--only")?;
    crate::nothing_left(args)?;
    ensure!(
        rounds > 0 && hits > 0,
        "--rounds and --hits must be at least 1"
    );
    let mut series = Series::select(&program::all(), |program| program.name, only.as_deref())?;
    stage("valgrind", valgrind::provide)?;
    stage("redis", redis::provide)?;
    let built = stage("build", || build(&series))?;
    measure(&built, &mut series, rounds, hits)?;
    let measured = series.figures();
    println!(
        "\n{rounds} rounds, interleaved; ns: from one hit to the next of one thread, of {hits} the median \
         of parts; µs: from one value to the next of all tasks together"
    );
    for layout in layouts() {
        layout.print(&measured);
    }
    budget::check(&budgets::BUDGETS, &measured)
}

/// What the tables show.
pub(super) fn layouts() -> [Layout; 3] {
    let names = |programs: &[Program]| programs.iter().map(|program| program.name).collect();
    [
        Layout {
            metrics: &LOCAL_METRICS,
            programs: names(&LOCAL),
            pairs: &LOCAL_PAIRS,
        },
        Layout {
            metrics: &REMOTE_METRICS,
            programs: names(&REMOTE),
            pairs: &REMOTE_PAIRS,
        },
        Layout {
            metrics: &COUNTED_METRICS,
            programs: vec![COUNTS],
            pairs: &[],
        },
    ]
}

/// Builds each package once, whatever the number of its programs.
fn build(series: &Series<Program>) -> Result<Built> {
    let built = Built::new()?;
    let packages: BTreeSet<_> = series.programs().map(|program| program.package).collect();
    for package in packages.into_iter().chain([server::PACKAGE]) {
        built.peer(package, package)?;
    }
    Ok(built)
}

fn measure(built: &Built, series: &mut Series<Program>, rounds: u32, hits: u32) -> Result<()> {
    machine::print(
        "processors are left to the system",
        "two threads, or a program and redis-server, have none to spare for anything else",
    );
    let server = Server::start(built)?;
    for number in 1..=rounds {
        stage(&format!("round {number}"), || {
            series.each(|program, figures| match program.work {
                Work::Local => local::time(built, program, hits, figures),
                Work::Remote(flavor) => remote::time(built, program, flavor, &server, figures),
                Work::Counts => {
                    counts::count(built, program, &server, figures)?;
                    counts::crowd(built, program, &server, number, figures)
                }
            })
        })?;
    }
    stage("cost of a hit", || {
        series.each(|program, figures| {
            if program.work != Work::Local {
                return Ok(());
            }
            // A store in the process has a copy of each value in the same memory.
            if program.name != STORE {
                local::weigh(built, program, figures)?;
            }
            local::count(built, program, figures)
        })
    })
}
