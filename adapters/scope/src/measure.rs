use std::borrow::Cow;

/// One counter or timing of an invocation: how often it was added to, and the sum.
///
/// A counter's sum is its value; a timing's sum is in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Dotted lower-case name, for example `cache.hits` or `lock.wait_ns`.
    pub name: Cow<'static, str>,
    /// How many times something was added.
    pub count: u64,
    /// The sum of all that was added; it stays at the largest number rather than overflow.
    pub sum: u64,
}

pub(crate) fn add(measures: &mut Vec<Measure>, name: Cow<'static, str>, count: u64, value: u64) {
    if let Some(measure) = measures.iter_mut().find(|measure| measure.name == name) {
        measure.count = measure.count.saturating_add(count);
        measure.sum = measure.sum.saturating_add(value);
    } else {
        measures.push(Measure {
            name,
            count,
            sum: value,
        });
    }
}
