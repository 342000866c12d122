use crate::context::Shared;
use crate::function::Function;
use faas_sdk_core::{
    Batch, Error, ErrorKind, Event, Info, Invocation, Item, ItemOutcome, Outcome, Reply, Text,
    catch_panic, report_leftovers,
};
use faas_sdk_scope::{CancelReason, Scope};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// The target of the lines and spans of the engine.
const TARGET: &str = "faas_sdk::invoke";

/// Runs a function once for each item of a batch: in order and up to the first failure where the
/// source keeps an order, several at once otherwise. A panic, or time that runs out, is the
/// failure of the items it meets.
pub(crate) async fn each(
    function: &dyn Function,
    batch: Batch<Event>,
    invocation: Invocation,
    name: &Text,
    shared: &Arc<Shared>,
) -> Outcome {
    let run = Run {
        function,
        info: &invocation.info,
        scope: &invocation.scope,
        name,
        shared,
    };
    let ids: Vec<Text> = batch.items.iter().map(|item| item.id.clone()).collect();
    let mut outcomes: Vec<Option<Result<(), Error>>> = ids.iter().map(|_| None).collect();
    let work = async {
        if batch.ordered {
            run.ordered(batch.items, &mut outcomes).await;
        } else {
            run.unordered(batch.items, &mut outcomes).await;
        }
    };
    match run.allowed() {
        // What is missing in the outcomes afterwards is what did not get done in time.
        Some(allowed) => {
            if tokio::time::timeout(allowed, work).await.is_err() {
                run.scope.cancel(CancelReason::Deadline);
            }
        }
        None => work.await,
    }
    let results = outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(|| Err(too_late())));
    let items = ids.into_iter().zip(results);
    let outcomes: Vec<_> = items
        .map(|(id, result)| report(ItemOutcome { id, result }))
        .collect();
    let failed = outcomes.iter().filter(|item| item.result.is_err()).count();
    run.scope.add("batch.items", outcomes.len() as u64);
    run.scope.add("batch.failed", failed as u64);
    Ok(Reply::Batch(outcomes))
}

fn too_late() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "the time of the invocation was up before this item was done",
    )
}

fn report(outcome: ItemOutcome) -> ItemOutcome {
    if let Err(error) = &outcome.result {
        let span = tracing::info_span!(target: TARGET, "item", item = %outcome.id);
        span.in_scope(|| faas_sdk_core::report(error, None, error.message()));
    }
    outcome
}

struct Run<'a> {
    function: &'a dyn Function,
    info: &'a Info,
    scope: &'a Scope,
    name: &'a Text,
    shared: &'a Arc<Shared>,
}

impl Run<'_> {
    /// Until when items may run, so that the outcomes of the others still get out.
    fn allowed(&self) -> Option<Duration> {
        let reserve = self.shared.settings.reserve.min(self.scope.allowed()? / 10);
        Some(self.scope.remaining()?.saturating_sub(reserve * 2))
    }

    async fn ordered(&self, items: Vec<Item<Event>>, outcomes: &mut [Option<Result<(), Error>>]) {
        let mut failed = false;
        for (item, outcome) in items.into_iter().zip(outcomes) {
            let result = if failed {
                let message = "an item before this one failed, and their order counts";
                Err(Error::new(ErrorKind::Cancelled, message))
            } else {
                self.one(item).await
            };
            failed |= result.is_err();
            *outcome = Some(result);
        }
    }

    async fn unordered(&self, items: Vec<Item<Event>>, outcomes: &mut [Option<Result<(), Error>>]) {
        let at_once = self.shared.config.invoke().batch_concurrency.get();
        let mut waiting = items.into_iter().enumerate();
        let numbered = |(index, item)| async move { (index, self.one(item).await) };
        let mut running: FuturesUnordered<_> =
            waiting.by_ref().take(at_once).map(numbered).collect();
        while let Some((index, result)) = running.next().await {
            outcomes[index] = Some(result);
            running.extend(waiting.next().map(numbered));
        }
    }

    async fn one(&self, item: Item<Event>) -> Result<(), Error> {
        let event = item.data?;
        let part = Part(self.scope.child());
        let span = tracing::info_span!(target: TARGET, "item", item = %item.id);
        let mut info = self.info.clone();
        info.item = Some(item.id);
        info.attempt = item.attempt;
        let invocation = Invocation {
            info,
            payload: event.into(),
            scope: part.0.clone(),
        };
        let called = Box::pin(async {
            let mut reply = self
                .function
                .call(invocation, self.name, self.shared)
                .await?;
            // Nobody reads the reply of an item; a streamed one has to run all the same.
            if let Some(body) = reply.body_mut() {
                while body.next_data().await?.is_some() {}
            }
            Ok(())
        });
        let result = catch_panic(Box::pin(called.instrument(span.clone()))).await;
        let end = part.0.end(self.shared.settings.end);
        let leftovers = end.instrument(span.clone()).await;
        span.in_scope(|| report_leftovers(&leftovers, None));
        result
    }
}

/// The scope of an item. If the item is dropped unfinished, the batch ends what it registered.
struct Part(Scope);

impl Drop for Part {
    fn drop(&mut self) {
        self.0.hand_over();
    }
}
