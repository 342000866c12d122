//! The programs of a bench, and what was measured of them so far.

use super::figures::Figures;
use anyhow::{Result, ensure};
use std::collections::BTreeMap;

/// Programs that are measured in turn.
#[derive(Debug)]
pub(super) struct Series<P>(Vec<(&'static str, P, Figures)>);

impl<P: Copy> Series<P> {
    /// Those of `programs` whose name contains one of the comma-separated parts of `only`, or all.
    pub(super) fn select(
        programs: &[P],
        name: fn(&P) -> &'static str,
        only: Option<&str>,
    ) -> Result<Self> {
        let wanted =
            |name: &str| only.is_none_or(|parts| parts.split(',').any(|part| name.contains(part)));
        let selected = programs
            .iter()
            .map(|program| (name(program), *program, Figures::default()))
            .filter(|(name, ..)| wanted(name));
        let series = Self(selected.collect());
        ensure!(
            !series.0.is_empty(),
            "no program has `{}` in its name",
            only.unwrap_or_default()
        );
        Ok(series)
    }

    /// The programs.
    pub(super) fn programs(&self) -> impl Iterator<Item = &P> {
        self.0.iter().map(|(_, program, _)| program)
    }

    /// One step with each program, which adds to its figures.
    pub(super) fn each(
        &mut self,
        mut step: impl FnMut(&P, &mut Figures) -> Result<()>,
    ) -> Result<()> {
        self.0
            .iter_mut()
            .try_for_each(|(_, program, figures)| step(program, figures))
    }

    /// All figures by the names of their programs.
    pub(super) fn figures(self) -> BTreeMap<&'static str, Figures> {
        let named = |(name, _, figures)| (name, figures);
        self.0.into_iter().map(named).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Series;

    fn selected(only: Option<&str>) -> Option<Vec<&'static str>> {
        let series = Series::select(&["one", "two", "three"], |name| name, only);
        Some(series.ok()?.programs().copied().collect())
    }

    #[test]
    fn programs_are_selected_by_parts_of_their_names() {
        assert_eq!(selected(None), Some(vec!["one", "two", "three"]));
        assert_eq!(selected(Some("o,hr")), Some(vec!["one", "two", "three"]));
        assert_eq!(selected(Some("one,hr")), Some(vec!["one", "three"]));
        assert_eq!(selected(Some("four")), None);
    }
}
