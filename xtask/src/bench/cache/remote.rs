//! Values read from Redis.

use super::program::Program;
use super::run::{numbers, option};
use super::server::Server;
use crate::bench::build::Built;
use crate::bench::figures::{Figures, Metric};
use anyhow::Result;

/// Into how many parts a run is divided, of which the median counts.
const PARTS: u32 = 11;

/// One round: a fresh process for each number of tasks.
pub(super) fn time(
    built: &Built,
    program: &Program,
    flavor: &str,
    server: &Server,
    figures: &mut Figures,
) -> Result<()> {
    for (metric, tasks) in [
        (Metric::ReadOf1, 1),
        (Metric::ReadOf16, 16),
        (Metric::ReadOf64, 64),
        (Metric::ReadOf256, 256),
    ] {
        let mut command = built.command(program.package, &[]);
        option(&mut command, "--work", "reads");
        option(&mut command, "--cache", program.cache);
        option(&mut command, "--flavor", flavor);
        option(&mut command, "--url", server.url());
        option(&mut command, "--tasks", tasks);
        option(&mut command, "--parts", PARTS);
        let [nanoseconds] = numbers(&mut command)?;
        figures.add(metric, nanoseconds / 1_000.0);
    }
    Ok(())
}
