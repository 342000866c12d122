//! `cargo xtask bench lambda`: one invocation on the Lambda Runtime API.

mod affinity;
mod allocations;
mod budgets;
mod host;
mod program;
mod rounds;
mod session;
mod wire;

use super::build::Built;
use super::figures::Metric;
use super::series::Series;
use super::table::Layout;
use super::{budget, machine, valgrind};
use crate::stage::stage;
use affinity::Processors;
use anyhow::{Result, ensure};
use pico_args::Arguments;
use program::{PAIRS, PROGRAMS, Program};

/// The hidden command under which this program is the other end of the wire.
pub(crate) const HOST: &str = "lambda-host";

/// What is measured, in the order of the tables.
const METRICS: [Metric; 9] = [
    Metric::Cpu,
    Metric::P50,
    Metric::P99,
    Metric::Connections,
    Metric::Allocations,
    Metric::Bytes,
    Metric::Size,
    Metric::Start,
    Metric::Resident,
];

/// How much is measured.
#[derive(Debug)]
struct Plan {
    rounds: u32,
    invocations: u32,
    starts: u32,
    only: Option<String>,
    /// Whether programs of one thread are kept off the host's processor.
    apart: bool,
}

/// Builds, measures, prints and judges.
///
/// # Errors
/// When a program cannot be built or misbehaves, and when a budget is missed for no known cause.
pub(super) fn run(mut args: Arguments) -> Result<()> {
    let plan = Plan {
        rounds: args.opt_value_from_str("--rounds")?.unwrap_or(5),
        invocations: args.opt_value_from_str("--invocations")?.unwrap_or(10_000),
        starts: args.opt_value_from_str("--starts")?.unwrap_or(21),
        only: args.opt_value_from_str("--only")?,
        apart: args.contains("--apart"),
    };
    crate::nothing_left(args)?;
    ensure!(
        plan.rounds > 0 && plan.invocations > 0 && plan.starts > 0,
        "--rounds, --invocations and --starts must be at least 1"
    );
    let mut series = Series::select(&PROGRAMS, |program| program.name, plan.only.as_deref())?;
    stage("valgrind", valgrind::provide)?;
    let built = stage("build", || build(&series))?;
    measure(&plan, &built, &mut series)?;
    let measured = series.figures();
    println!(
        "\n{} rounds of {} invocations, {} starts, interleaved",
        plan.rounds, plan.invocations, plan.starts
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

/// Runs the host, the other process of this bench.
pub(crate) fn host(args: Arguments) -> Result<()> {
    host::run(args)
}

/// Builds the host and the programs.
fn build(series: &Series<Program>) -> Result<Built> {
    let built = Built::new()?;
    built.own(&["--package", "xtask"], "xtask", HOST)?;
    for program in series.programs() {
        program.build(&built)?;
    }
    Ok(built)
}

fn measure(plan: &Plan, built: &Built, series: &mut Series<Program>) -> Result<()> {
    let processors = Processors::detect(plan.apart)?;
    machine::print(&processors, "multi-thread programs share one with the host");
    for number in 1..=plan.rounds {
        stage(&format!("round {number}"), || {
            series.each(|program, figures| {
                rounds::round(built, &processors, program, plan.invocations, figures)
            })
        })?;
    }
    stage("starts", || {
        rounds::starts(built, &processors, series, plan.starts)
    })?;
    stage("allocations", || {
        series.each(|program, figures| allocations::count(built, &processors, program, figures))
    })?;
    series.each(|program, figures| {
        #[expect(
            clippy::cast_precision_loss,
            reason = "programs have far fewer than 2^52 bytes"
        )]
        figures.add(Metric::Size, built.size(program.name)? as f64 / 1024.0);
        Ok(())
    })
}
