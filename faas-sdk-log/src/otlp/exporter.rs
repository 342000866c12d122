use super::answer::{Answer, Verdict};
use super::client::Client;
use super::config::Receiver;
use super::tls::Tls;
use opentelemetry_otlp::{
    LogExporter, Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::LogExporter as _;
use opentelemetry_sdk::trace::SpanExporter as _;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// An exporter of one signal, and the last answer that its client got.
pub(super) struct Exporter<E> {
    exporter: E,
    timeout: Duration,
    answer: Arc<Mutex<Option<Answer>>>,
}

impl Exporter<SpanExporter> {
    /// `None` where the exporter does not take the receiver, which was checked before.
    pub(super) fn of_spans(
        receiver: &Receiver,
        tls: &Arc<Tls>,
        resource: &Resource,
    ) -> Option<Self> {
        let answer = Arc::default();
        let builder = SpanExporter::builder().with_http();
        let mut exporter = configured(builder, receiver, tls, &answer).build().ok()?;
        exporter.set_resource(resource);
        Some(Self::new(exporter, receiver, answer))
    }
}

impl Exporter<LogExporter> {
    /// As [`Exporter::of_spans`].
    pub(super) fn of_records(
        receiver: &Receiver,
        tls: &Arc<Tls>,
        resource: &Resource,
    ) -> Option<Self> {
        let answer = Arc::default();
        let builder = LogExporter::builder().with_http();
        let mut exporter = configured(builder, receiver, tls, &answer).build().ok()?;
        exporter.set_resource(resource);
        Some(Self::new(exporter, receiver, answer))
    }
}

fn configured<B: WithExportConfig + WithHttpConfig>(
    builder: B,
    receiver: &Receiver,
    tls: &Arc<Tls>,
    answer: &Arc<Mutex<Option<Answer>>>,
) -> B {
    let client = Client::new(
        receiver.headers.clone(),
        Arc::clone(tls),
        Arc::clone(answer),
    );
    builder
        .with_endpoint(receiver.endpoint.to_string())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(receiver.timeout)
        // What fails is sent with the next flush: there may be no time for it in this one.
        .with_retry_policy(RetryPolicy::disabled())
        .with_http_client(client)
}

impl<E> Exporter<E> {
    fn new(exporter: E, receiver: &Receiver, answer: Arc<Mutex<Option<Answer>>>) -> Self {
        Self {
            exporter,
            timeout: receiver.timeout,
            answer,
        }
    }

    /// Exports with `send`, until the deadline or the exporter's own timeout.
    pub(super) async fn export<'a, F>(
        &'a self,
        deadline: Instant,
        send: impl FnOnce(&'a E) -> F,
    ) -> Verdict
    where
        F: Future<Output = OTelSdkResult>,
    {
        let own = Instant::now().checked_add(self.timeout);
        let deadline = own.map_or(deadline, |own| own.min(deadline));
        self.take_answer();
        let Ok(result) = timeout_at(deadline, send(&self.exporter)).await else {
            return Verdict::Later("the receiver did not answer in time".into());
        };
        match (self.take_answer(), result) {
            (Some(answer), _) => answer.verdict(),
            (None, Ok(())) => Verdict::Taken,
            // Nothing was sent.
            (None, Err(error)) => Verdict::Never(error.to_string().into()),
        }
    }

    fn take_answer(&self) -> Option<Answer> {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer.take()
    }
}

impl<E> fmt::Debug for Exporter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}
