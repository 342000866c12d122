//! `cargo xtask bench`: side by side measurements with budgets.
//!
//! Peers and ours run in one go, interleaved, on one machine: ratios count, absolute times do not.

mod affinity;
mod allocations;
mod budget;
mod build;
mod figures;
mod host;
mod lambda;
mod machine;
mod program;
mod rounds;
mod session;
mod table;
mod wire;

use anyhow::{Result, bail};
use pico_args::Arguments;

/// The hidden command under which this program is the other end of the wire.
pub(crate) const HOST: &str = "lambda-host";

/// Runs the named bench.
///
/// # Errors
/// When a program cannot be built or misbehaves, and when a budget is missed for no known cause.
pub(crate) fn run(mut args: Arguments) -> Result<()> {
    match args.subcommand()?.as_deref() {
        Some("lambda") => {
            let plan = lambda::Plan {
                rounds: args.opt_value_from_str("--rounds")?.unwrap_or(5),
                invocations: args.opt_value_from_str("--invocations")?.unwrap_or(10_000),
                starts: args.opt_value_from_str("--starts")?.unwrap_or(21),
                only: args.opt_value_from_str("--only")?,
                apart: args.contains("--apart"),
            };
            crate::nothing_left(args)?;
            lambda::run(&plan)
        }
        Some(other) => bail!("unknown bench `{other}`: there is `lambda`"),
        None => bail!("which bench? There is `lambda`"),
    }
}

/// Runs the host, the other process of a bench.
pub(crate) fn host(args: Arguments) -> Result<()> {
    host::run(args)
}
