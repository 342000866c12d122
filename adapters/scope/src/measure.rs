use std::borrow::Cow;

/// One counter or timing of an invocation: how often it was added to, and the sum.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Measure {
    /// Dotted lower-case name, for example `cache.hits` or `lock.wait`.
    pub name: Cow<'static, str>,
    /// What the sum is a number of.
    pub unit: Unit,
    /// How many times something was added.
    pub count: u64,
    /// The sum of all that was added; it stays at the largest number rather than overflow.
    pub sum: u64,
}

/// What a [`Measure`] is a number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Things that were counted.
    Count,
    /// Time, in nanoseconds.
    Nanoseconds,
}

/// The most different measures of one invocation. What comes beyond is added to the counter
/// `measures.dropped`, so that a name made of data cannot use up the memory.
const MOST: usize = 128;

pub(crate) fn add(measures: &mut Vec<Measure>, name: Cow<'static, str>, unit: Unit, value: u64) {
    let known = |measure: &&mut Measure| measure.name == name && measure.unit == unit;
    if let Some(measure) = measures.iter_mut().find(known) {
        measure.count = measure.count.saturating_add(1);
        measure.sum = measure.sum.saturating_add(value);
    } else if measures.len() >= MOST && name != "measures.dropped" {
        add(measures, Cow::Borrowed("measures.dropped"), Unit::Count, 1);
    } else {
        measures.push(Measure {
            name,
            unit,
            count: 1,
            sum: value,
        });
    }
}
