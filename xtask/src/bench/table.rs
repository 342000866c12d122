//! The tables of a bench.

use super::figures::{Figures, Metric, Spread};
use super::program::{PAIRS, PROGRAMS};
use std::collections::BTreeMap;

/// Prints the medians with least and greatest, then the ratios of ours to the peers.
pub(super) fn print(measured: &BTreeMap<&str, Figures>) {
    let programs = PROGRAMS.iter().filter_map(|program| {
        let figures = measured.get(program.name)?;
        Some((
            program.name.to_owned(),
            Metric::ALL.map(|metric| figures.spread(metric)),
        ))
    });
    rows("median (least–greatest) of one program", programs);
    let pairs = PAIRS.iter().filter_map(|(ours, peer)| {
        let (figures, peers) = (measured.get(ours)?, measured.get(peer)?);
        let ratios = Metric::ALL.map(|metric| figures.ratio(peers, metric));
        Some((format!("{ours} / {peer}"), ratios))
    });
    rows("ratio to a peer", pairs);
}

fn rows(title: &str, rows: impl Iterator<Item = (String, [Option<Spread>; 9])>) {
    println!("\n{title}");
    let heading = (
        "program".to_owned(),
        Metric::ALL.map(|metric| metric.title().to_owned()),
    );
    let cell = |spread: Option<Spread>| spread.map_or_else(|| "–".to_owned(), |s| s.to_string());
    let lines: Vec<_> = std::iter::once(heading)
        .chain(rows.map(|(name, spreads)| (name, spreads.map(cell))))
        .collect();
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| line.1[column].chars().count())
            .max()
    };
    let names = lines
        .iter()
        .map(|line| line.0.chars().count())
        .max()
        .unwrap_or(0);
    for (name, cells) in &lines {
        let mut line = format!("  {name:names$}");
        for (column, cell) in cells.iter().enumerate() {
            let width = width(column).unwrap_or(0);
            line.push_str(&format!("  {cell:>width$}"));
        }
        println!("{line}");
    }
}
