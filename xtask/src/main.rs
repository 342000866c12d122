//! The project's own commands, run as `cargo xtask <command>`:
//!
//! ```text
//! cargo xtask test           everything that is tested, with the outside tools it needs
//! cargo xtask ci             test, and every other check a change must pass
//! cargo xtask bench lambda   measure an invocation against the peers, check the budgets
//! cargo xtask bench log      the same for a log line
//! cargo xtask bench cache    the same for the cache
//! cargo xtask soak           long races and fuzzing
//! ```
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks on them"
)]

mod bench;
mod cargo;
mod child;
mod ci;
mod soak;
mod stage;
mod test;
mod tools;

use anyhow::{Result, bail};
use pico_args::Arguments;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  test                    get the outside tools, build what they drive, run all tests and doctests
  ci                      test, then format, clippy, docs, feature combinations, dependency rules
  bench <name> [options]  measure against the peers; non-zero if a budget is missed
      lambda              one invocation on the Lambda Runtime API
        --rounds N        interleaved rounds (default 5)
        --invocations N   measured invocations a round (default 10000)
        --starts N        process starts (default 21)
        --only TEXT,…     only programs whose name contains one of these
        --apart           keep single-thread programs off the host's processor
      log                 one line of a log writer
        --rounds N        interleaved rounds (default 9)
        --lines N         measured lines a round (default 200000)
        --only TEXT,…     only programs whose name contains one of these
      cache               values from the process, and from Redis
        --rounds N        interleaved rounds (default 7)
        --hits N          measured hits of a thread and round (default 500000)
        --only TEXT,…     only programs whose name contains one of these
  soak [--minutes N]      the ignored tests named *soak*, again and again, for N minutes (default 10)
";

fn main() -> ExitCode {
    match run(Arguments::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: Arguments) -> Result<()> {
    if args.contains(["-h", "--help"]) {
        print!("{USAGE}");
        return Ok(());
    }
    match args.subcommand()?.as_deref() {
        Some("test") => {
            nothing_left(args)?;
            test::run()
        }
        Some("ci") => {
            nothing_left(args)?;
            ci::run()
        }
        Some("bench") => bench::run(args),
        Some("soak") => {
            let minutes = args.opt_value_from_str("--minutes")?.unwrap_or(10);
            nothing_left(args)?;
            soak::run(minutes)
        }
        Some(bench::HOST) => bench::host(args),
        Some(other) => bail!("unknown command `{other}`\n\n{USAGE}"),
        None => bail!("no command given\n\n{USAGE}"),
    }
}

/// Refuses arguments nobody asked for.
fn nothing_left(args: Arguments) -> Result<()> {
    match args.finish().first() {
        Some(extra) => bail!("unexpected argument `{}`\n\n{USAGE}", extra.display()),
        None => Ok(()),
    }
}
