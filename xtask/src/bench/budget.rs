//! The budgets, and which of them are known to be missed.

use super::figures::Metric::{self, Allocations, Connections, Cpu, Size, Start};
use super::figures::{Figures, Spread};
use super::program::{
    CURRENT, HELLO, HELLO_LOG, MULTI, PEER_CURRENT, PEER_HELLO, PEER_HELLO_LOG, PEER_MULTI, START,
    STD,
};
use std::collections::BTreeMap;

/// A limit of one number of ours, or of its ratio to a peer's.
#[derive(Debug)]
struct Budget {
    ours: &'static str,
    peer: Option<&'static str>,
    metric: Metric,
    limit: f64,
}

const BUDGETS: [Budget; 13] = [
    ratio(Cpu, MULTI, PEER_MULTI, 0.50),
    ratio(Cpu, CURRENT, PEER_CURRENT, 0.85),
    ratio(Cpu, START, STD, 1.15),
    most(Connections, START, 1.0),
    most(Connections, CURRENT, 1.0),
    most(Connections, MULTI, 1.0),
    most(Allocations, START, 12.0),
    most(Allocations, CURRENT, 12.0),
    most(Allocations, MULTI, 12.0),
    ratio(Size, HELLO, PEER_HELLO, 0.7),
    ratio(Start, HELLO, PEER_HELLO, 0.7),
    ratio(Size, HELLO_LOG, PEER_HELLO_LOG, 1.0),
    ratio(Start, HELLO_LOG, PEER_HELLO_LOG, 1.0),
];

/// Misses that are understood: program, number, cause. They are shown and do not fail the run.
const KNOWN_MISSES: [(&str, Metric, &str); 3] = [
    (
        START,
        Cpu,
        "on the limit, 1.11 to 1.20 by run: two waits on epoll that blocking sockets do not need, \
         and about 1 µs for clocks, deadline guard and dispatch",
    ),
    (
        HELLO,
        Size,
        "the limit was set against a peer of 1.42 MB, which is 1143 KiB here; configuration, \
         router, batches and the guard are always linked",
    ),
    (
        HELLO,
        Start,
        "the bare std loop alone takes about 0.7 of the peer's start: the rest is a runtime's set-up, and the pages of a larger binary",
    ),
];

const fn ratio(metric: Metric, ours: &'static str, peer: &'static str, limit: f64) -> Budget {
    Budget {
        ours,
        peer: Some(peer),
        metric,
        limit,
    }
}

const fn most(metric: Metric, ours: &'static str, limit: f64) -> Budget {
    Budget {
        ours,
        peer: None,
        metric,
        limit,
    }
}

/// Prints each budget with what was measured; returns the names of those missed for no known cause.
pub(super) fn check(measured: &BTreeMap<&str, Figures>) -> Vec<String> {
    println!("\nbudgets");
    let mut missed = Vec::new();
    for budget in &BUDGETS {
        let Budget {
            ours,
            metric,
            limit,
            ..
        } = *budget;
        let against = budget
            .peer
            .map(|peer| format!(" / {peer}"))
            .unwrap_or_default();
        let name = format!("{}, {ours}{against}", metric.title());
        let Some(spread) = budget.measured(measured) else {
            println!("  not measured  {name}");
            continue;
        };
        let known = KNOWN_MISSES
            .iter()
            .find(|known| (known.0, known.1) == (ours, metric));
        let verdict = match (budget.kept(spread), known) {
            (true, _) => "kept".to_owned(),
            (false, Some((_, _, cause))) => format!("missed, known: {cause}"),
            (false, None) => {
                missed.push(name.clone());
                "MISSED".to_owned()
            }
        };
        println!("  {name}: {spread}, at most {limit}: {verdict}");
    }
    missed
}

impl Budget {
    fn measured(&self, measured: &BTreeMap<&str, Figures>) -> Option<Spread> {
        let ours = measured.get(self.ours)?;
        match self.peer {
            Some(peer) => ours.ratio(measured.get(peer)?, self.metric),
            None => ours.spread(self.metric),
        }
    }

    /// Ratios are judged by their median; a count must be kept in every round.
    fn kept(&self, spread: Spread) -> bool {
        let value = if self.peer.is_some() {
            spread.median
        } else {
            spread.max
        };
        value <= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::{Allocations, Budget, Cpu, Figures, HELLO, MULTI, PEER_MULTI, check, most, ratio};
    use std::collections::BTreeMap;

    fn measured(budget: &Budget, ours: &[f64], peers: &[f64]) -> bool {
        let mut all = BTreeMap::new();
        for (name, samples) in [(MULTI, ours), (PEER_MULTI, peers)] {
            let figures: &mut Figures = all.entry(name).or_default();
            samples
                .iter()
                .for_each(|sample| figures.add(budget.metric, *sample));
        }
        budget.kept(budget.measured(&all).expect("both were measured"))
    }

    #[test]
    fn a_ratio_is_judged_by_its_median() {
        let budget = ratio(Cpu, MULTI, PEER_MULTI, 0.5);
        assert!(measured(&budget, &[4.0, 5.0, 9.0], &[10.0, 10.0, 10.0]));
        assert!(!measured(&budget, &[4.0, 6.0, 9.0], &[10.0, 10.0, 10.0]));
    }

    #[test]
    fn a_count_is_judged_by_its_worst_round() {
        let budget = most(Allocations, MULTI, 12.0);
        assert!(measured(&budget, &[12.0, 8.0], &[]));
        assert!(!measured(&budget, &[8.0, 8.0, 13.0], &[]));
    }

    #[test]
    fn a_missed_budget_is_named_and_an_absent_one_is_not() {
        let mut ours = Figures::default();
        ours.add(Allocations, 90.0);
        let missed = check(&BTreeMap::from([
            (MULTI, ours),
            (HELLO, Figures::default()),
        ]));
        assert_eq!(missed, ["allocations, faas-sdk-multi"]);
    }
}
