use faas_sdk_scope::Scope;
use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

/// Counters and timings of one invocation. They stand in the one line that ends it, under the names
/// given here; on AWS they become CloudWatch metrics by that.
///
/// ```
/// # use faas_sdk::prelude::*;
/// # async fn render() {}
/// async fn page(_: (), cx: Context) -> Result<()> {
///     cx.metrics().count("items", 3);
///     cx.metrics().timed("render", render()).await;
///     Ok(())
/// }
/// ```
///
/// What is counted after that line does not stand in it: by work that was spawned and that the handler
/// did not wait for.
///
/// A name is lower-case text with dots, not data: an invocation has at most 128 of them.
#[derive(Clone, Copy)]
pub struct Metrics<'a>(pub(crate) &'a Scope);

impl Metrics<'_> {
    /// Adds to a counter.
    pub fn count(&self, name: impl Into<Cow<'static, str>>, number: u64) {
        self.0.add(name, number);
    }

    /// Adds to a timing, which is shown in milliseconds as `<name>_ms`, and how often it was added
    /// to as `<name>_count`.
    pub fn time(&self, name: impl Into<Cow<'static, str>>, time: Duration) {
        self.0.add_time(name, time);
    }

    /// Adds the time that a future takes from here to its end. Nothing is added if it is dropped
    /// before.
    pub async fn timed<T>(
        &self,
        name: impl Into<Cow<'static, str>>,
        future: impl Future<Output = T>,
    ) -> T {
        let started = Instant::now();
        let output = future.await;
        self.0.add_time(name, started.elapsed());
        output
    }
}

impl fmt::Debug for Metrics<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.measures()).finish()
    }
}
