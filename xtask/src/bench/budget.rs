//! Budgets, and which of them are known to be missed.

use super::figures::{Figures, Metric, Spread};
use anyhow::{Result, ensure};
use std::collections::BTreeMap;

/// A limit of one number of ours, or of its ratio to a peer's.
#[derive(Debug)]
pub(super) struct Budget {
    ours: &'static str,
    peer: Option<&'static str>,
    metric: Metric,
    limit: f64,
    known_miss: Option<&'static str>,
}

/// At most `limit` times what the peer needs.
pub(super) const fn ratio(
    metric: Metric,
    ours: &'static str,
    peer: &'static str,
    limit: f64,
) -> Budget {
    Budget {
        peer: Some(peer),
        ..most(metric, ours, limit)
    }
}

/// At most `limit`.
pub(super) const fn most(metric: Metric, ours: &'static str, limit: f64) -> Budget {
    Budget {
        ours,
        peer: None,
        metric,
        limit,
        known_miss: None,
    }
}

/// Prints each budget with what was measured.
///
/// # Errors
/// Names those missed for no known cause.
pub(super) fn check(budgets: &[Budget], measured: &BTreeMap<&str, Figures>) -> Result<()> {
    println!("\nbudgets");
    let mut missed = Vec::new();
    for budget in budgets {
        let name = budget.name();
        let Some(spread) = budget.measured(measured) else {
            println!("  not measured  {name}");
            continue;
        };
        let verdict = match (budget.kept(spread), budget.known_miss) {
            (true, _) => "kept".to_owned(),
            (false, Some(cause)) => format!("missed, known: {cause}"),
            (false, None) => {
                missed.push(name.clone());
                "MISSED".to_owned()
            }
        };
        println!("  {name}: {spread}, at most {}: {verdict}", budget.limit);
    }
    ensure!(missed.is_empty(), "budgets missed: {}", missed.join("; "));
    Ok(())
}

impl Budget {
    /// The same, with the cause of a miss that is understood: it is shown and does not fail the run.
    pub(super) const fn missed_as(self, cause: &'static str) -> Self {
        Self {
            known_miss: Some(cause),
            ..self
        }
    }

    fn name(&self) -> String {
        let against = self.peer.map(|peer| format!(" / {peer}"));
        format!(
            "{}, {}{}",
            self.metric.title(),
            self.ours,
            against.unwrap_or_default()
        )
    }

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
    use super::super::figures::Metric::{Allocations, Cpu};
    use super::{Budget, Figures, check, most, ratio};
    use std::collections::BTreeMap;

    const OURS: &str = "ours";
    const PEER: &str = "peer";

    fn measured(budget: &Budget, ours: &[f64], peers: &[f64]) -> bool {
        let mut all = BTreeMap::new();
        for (name, samples) in [(OURS, ours), (PEER, peers)] {
            let figures: &mut Figures = all.entry(name).or_default();
            samples
                .iter()
                .for_each(|sample| figures.add(budget.metric, *sample));
        }
        budget.kept(budget.measured(&all).expect("both were measured"))
    }

    #[test]
    fn a_ratio_is_judged_by_its_median() {
        let budget = ratio(Cpu, OURS, PEER, 0.5);
        assert!(measured(&budget, &[4.0, 5.0, 9.0], &[10.0, 10.0, 10.0]));
        assert!(!measured(&budget, &[4.0, 6.0, 9.0], &[10.0, 10.0, 10.0]));
    }

    #[test]
    fn a_count_is_judged_by_its_worst_round() {
        let budget = most(Allocations, OURS, 12.0);
        assert!(measured(&budget, &[12.0, 8.0], &[]));
        assert!(!measured(&budget, &[8.0, 8.0, 13.0], &[]));
    }

    #[test]
    fn a_missed_budget_is_named_and_an_absent_or_known_one_is_not() {
        let mut ours = Figures::default();
        ours.add(Allocations, 90.0);
        let measured = BTreeMap::from([(OURS, ours), ("absent", Figures::default())]);
        let known = [
            most(Allocations, OURS, 12.0).missed_as("a cause"),
            most(Allocations, "absent", 12.0),
            ratio(Allocations, OURS, PEER, 0.5),
        ];
        check(&known, &measured).expect("nothing is missed for no known cause");
        let error = check(&[most(Allocations, OURS, 12.0)], &measured).unwrap_err();
        assert_eq!(error.to_string(), "budgets missed: allocations, ours");
    }
}
