//! The tables of a bench.

use super::figures::{Figures, Metric, Spread};
use std::collections::BTreeMap;

/// What the tables of a bench show, in their order.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) metrics: &'static [Metric],
    pub(super) programs: Vec<&'static str>,
    /// Who is compared with whom: ours first.
    pub(super) pairs: &'static [(&'static str, &'static str)],
}

impl Layout {
    /// Prints the medians with least and greatest, then the ratios of ours to the peers.
    pub(super) fn print(&self, measured: &BTreeMap<&str, Figures>) {
        let programs = self.programs.iter().filter_map(|name| {
            let figures = measured.get(name)?;
            Some(self.row((*name).to_owned(), |metric| figures.spread(metric)))
        });
        self.rows("median (least–greatest) of one program", programs);
        let pairs = self.pairs.iter().filter_map(|(ours, peer)| {
            let (figures, peers) = (measured.get(ours)?, measured.get(peer)?);
            Some(self.row(format!("{ours} / {peer}"), |metric| {
                figures.ratio(peers, metric)
            }))
        });
        if !self.pairs.is_empty() {
            self.rows("ratio to a peer", pairs);
        }
    }

    fn row(&self, name: String, spread: impl Fn(Metric) -> Option<Spread>) -> Vec<String> {
        let cell =
            |metric: &Metric| spread(*metric).map_or_else(|| "–".to_owned(), |s| s.to_string());
        std::iter::once(name)
            .chain(self.metrics.iter().map(cell))
            .collect()
    }

    fn rows(&self, title: &str, rows: impl Iterator<Item = Vec<String>>) {
        println!("\n{title}");
        let titles = self.metrics.iter().map(|metric| metric.title().to_owned());
        let heading = std::iter::once("program".to_owned())
            .chain(titles)
            .collect();
        let lines: Vec<_> = std::iter::once(heading).chain(rows).collect();
        let widths: Vec<_> = (0..=self.metrics.len())
            .map(|column| lines.iter().map(|line| line[column].chars().count()).max())
            .map(Option::unwrap_or_default)
            .collect();
        for cells in &lines {
            let mut line = format!("  {:1$}", cells[0], widths[0]);
            for (cell, width) in cells.iter().zip(&widths).skip(1) {
                line.push_str(&format!("  {cell:>width$}"));
            }
            println!("{line}");
        }
    }
}
