//! `cargo xtask bench`: side by side measurements with budgets.
//!
//! Peers and ours run in one go, interleaved, on one machine: ratios count, absolute times do not.

mod budget;
mod build;
mod cache;
mod figures;
mod lambda;
mod log;
mod machine;
mod series;
mod table;
mod valgrind;

pub(crate) use lambda::{HOST, host};

use anyhow::{Result, bail};
use pico_args::Arguments;

/// Runs the named bench.
///
/// # Errors
/// When a program cannot be built or misbehaves, and when a budget is missed for no known cause.
pub(crate) fn run(mut args: Arguments) -> Result<()> {
    match args.subcommand()?.as_deref() {
        Some("lambda") => lambda::run(args),
        Some("log") => log::run(args),
        Some("cache") => cache::run(args),
        Some(other) => bail!("unknown bench `{other}`: there are `lambda`, `log` and `cache`"),
        None => bail!("which bench? There are `lambda`, `log` and `cache`"),
    }
}

#[cfg(test)]
mod tests {
    use super::{cache, lambda, log};

    #[test]
    fn pairs_name_programs() {
        let layouts = cache::layouts().into_iter();
        for layout in layouts.chain([lambda::layout(), log::layout()]) {
            for name in layout.pairs.iter().flat_map(|(ours, peer)| [ours, peer]) {
                assert!(layout.programs.contains(name), "{name}");
            }
        }
    }
}
