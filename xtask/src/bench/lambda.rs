//! `cargo xtask bench lambda`: one invocation on the Lambda Runtime API.

use super::affinity::Processors;
use super::build::Built;
use super::figures::{Figures, Metric};
use super::program::{PROGRAMS, Program};
use super::{allocations, budget, machine, rounds, table};
use crate::cargo::Metadata;
use crate::stage::stage;
use anyhow::{Result, bail, ensure};
use std::collections::BTreeMap;

/// How much is measured.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) rounds: u32,
    pub(super) invocations: u32,
    pub(super) starts: u32,
    pub(super) only: Option<String>,
    /// Whether programs of one thread are kept off the host's processor.
    pub(super) apart: bool,
}

/// Builds, measures, prints and judges.
///
/// # Errors
/// When a program cannot be built or misbehaves, and when a budget is missed for no known cause.
pub(super) fn run(plan: &Plan) -> Result<()> {
    ensure!(
        plan.rounds > 0 && plan.invocations > 0 && plan.starts > 0,
        "--rounds, --invocations and --starts must be at least 1"
    );
    let mut programs = PROGRAMS.to_vec();
    if let Some(parts) = &plan.only {
        programs.retain(|program| parts.split(',').any(|part| program.name.contains(part)));
        ensure!(!programs.is_empty(), "no program has `{parts}` in its name");
    }
    stage("valgrind", allocations::provide)?;
    let target = Metadata::read()?.target_directory;
    let built = stage("build", || Built::new(&target, &programs))?;
    let measured = measure(plan, &built, &programs)?;
    println!(
        "\n{} rounds of {} invocations, {} starts, interleaved",
        plan.rounds, plan.invocations, plan.starts
    );
    table::print(&measured);
    let missed = budget::check(&measured);
    if !missed.is_empty() {
        bail!("budgets missed: {}", missed.join("; "));
    }
    Ok(())
}

fn measure(
    plan: &Plan,
    built: &Built,
    programs: &[Program],
) -> Result<BTreeMap<&'static str, Figures>> {
    let processors = Processors::detect(plan.apart)?;
    machine::print(&processors);
    let mut all: Vec<_> = programs
        .iter()
        .map(|program| (*program, Figures::default()))
        .collect();
    for number in 1..=plan.rounds {
        stage(&format!("round {number}"), || {
            all.iter_mut().try_for_each(|(program, figures)| {
                rounds::round(built, &processors, program, plan.invocations, figures)
            })
        })?;
    }
    stage("starts", || {
        let mut each: Vec<_> = all
            .iter_mut()
            .map(|(program, figures)| (*program, figures))
            .collect();
        rounds::starts(built, &processors, &mut each, plan.starts)
    })?;
    stage("allocations", || {
        all.iter_mut().try_for_each(|(program, figures)| {
            allocations::count(built, &processors, program, figures)
        })
    })?;
    for (program, figures) in &mut all {
        #[expect(
            clippy::cast_precision_loss,
            reason = "programs have far fewer than 2^52 bytes"
        )]
        figures.add(Metric::Size, built.size(program.name)? as f64 / 1024.0);
    }
    Ok(all
        .into_iter()
        .map(|(program, figures)| (program.name, figures))
        .collect())
}
