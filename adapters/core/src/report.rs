//! The log lines that tell how invocations went.

use crate::{Error, ErrorKind, Level, Outcome, Reply};
use faas_sdk_scope::{CancelReason, Leftover, Scope};
use std::error::Error as StdError;
use tracing::Span;

/// The target of the span of each invocation, and of the lines that tell how it went.
pub(crate) const TARGET: &str = "faas_sdk::invoke";

/// Logs an error at the level of its kind, with its chain of causes as the field `error`. `what`
/// says what could not be done; `request_id` is for lines outside of the invocation's span.
pub fn report(error: &Error, request_id: Option<&str>, what: &str) {
    let level = error.kind().level();
    let error: &(dyn StdError + 'static) = error;
    match level {
        Level::Info => tracing::info!(target: TARGET, request_id, error, "{what}"),
        Level::Warn => tracing::warn!(target: TARGET, request_id, error, "{what}"),
        Level::Error => tracing::error!(target: TARGET, request_id, error, "{what}"),
    }
}

/// Logs what did not end with its invocation. `request_id` is for lines outside of its span.
pub fn report_leftovers(leftovers: &[Leftover], request_id: Option<&str>) {
    for leftover in leftovers {
        tracing::warn!(request_id, %leftover, "work did not end with its invocation");
    }
}

/// Logs an invocation that no function was called for: why, in the words of `what` and the error,
/// and the line that ends it. `scope` is there once the invocation has been admitted.
pub fn report_refused(error: &Error, what: &str, request_id: Option<&str>, scope: Option<&Scope>) {
    report(error, request_id, what);
    if scope.is_some_and(|scope| !scope.claim_end()) {
        return;
    }
    tracing::info!(
        name: "invoke.end",
        target: TARGET,
        request_id,
        outcome = outcome(error.kind()),
        error_code = error.code(),
        duration_ms = scope.map(milliseconds),
        "invoke end"
    );
}

/// The error of an invocation that was cancelled.
pub(crate) fn cancelled(reason: CancelReason) -> Error {
    let kind = match reason {
        CancelReason::Deadline => ErrorKind::Timeout,
        _ => ErrorKind::Cancelled,
    };
    Error::new(kind, reason.to_string())
}

/// What the last line of an invocation says beside its duration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// Which delivery it was.
    pub(crate) attempt: Option<u32>,
    /// The status of the HTTP response.
    pub(crate) status: Option<u16>,
    /// Some items of a batch failed.
    pub(crate) partial: bool,
}

impl Facts {
    /// Notes what is known of an outcome before a body is streamed.
    pub(crate) fn note(&mut self, outcome: &Outcome) {
        match outcome {
            Ok(Reply::Http(response)) => self.status = Some(response.status().as_u16()),
            Ok(Reply::Batch(items)) => self.partial = items.iter().any(|item| item.result.is_err()),
            _ => {}
        }
    }

    /// Writes the line that ends an invocation. Within its span.
    pub(crate) fn tell(self, scope: &Scope, error: Option<&Error>) {
        tracing::info!(
            name: "invoke.end",
            target: TARGET,
            outcome = error.map_or(self.success(), |error| outcome(error.kind())),
            error_code = error.map(Error::code),
            status = self.status,
            attempt = self.attempt,
            duration_ms = milliseconds(scope),
            "invoke end"
        );
    }
}

impl Facts {
    /// The outcome of an invocation whose handler returned no error.
    fn success(self) -> &'static str {
        match self.status {
            _ if self.partial => "partial",
            Some(500..) => "error",
            _ => "ok",
        }
    }
}

/// An invocation whose end is still to be told, which happens once: also when it is dropped.
pub(crate) struct Untold {
    pub(crate) scope: Scope,
    pub(crate) span: Span,
    pub(crate) facts: Facts,
}

impl Untold {
    pub(crate) fn new(scope: Scope, span: Span, facts: Facts) -> Self {
        Self { scope, span, facts }
    }

    pub(crate) fn tell(&self, error: Option<&Error>) {
        if self.scope.claim_end() {
            let (facts, scope) = (self.facts, &self.scope);
            self.span.in_scope(|| facts.tell(scope, error));
        }
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        if self.scope.claim_end() {
            let reason = self.scope.cancellation();
            let error = cancelled(reason.unwrap_or(CancelReason::Disconnected));
            let (facts, scope) = (self.facts, &self.scope);
            self.span.in_scope(|| facts.tell(scope, Some(&error)));
        }
    }
}

fn milliseconds(scope: &Scope) -> f64 {
    scope.elapsed().as_secs_f64() * 1e3
}

/// The coarse groups that alarms and dashboards tell apart; the error's code says more. What is the
/// caller's fault is `rejected`: nobody is to be woken for it.
fn outcome(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Timeout => "timeout",
        ErrorKind::Panic => "panic",
        ErrorKind::Cancelled => "cancelled",
        kind if kind.level() == Level::Error => "error",
        _ => "rejected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, BodySender, Content, Data, Drive, Event, Invocation, Invoke, drive};
    use faas_sdk_scope::{BoxFuture, Instance};
    use std::fmt;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;
    use tracing::Subscriber;
    use tracing::field::{Field, Visit};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
    use tracing_subscriber::registry::LookupSpan;

    /// Notes the outcome of each line that ends an invocation, and the number of those at ERROR.
    #[derive(Clone, Default)]
    struct Noted(Arc<Mutex<(Vec<String>, usize)>>);

    impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Noted {
        fn on_event(&self, event: &tracing::Event<'_>, cx: Context<'_, S>) {
            let span = cx.event_span(event).map(|span| span.name());
            if event.metadata().target() != TARGET {
                // What user code logs, also when it is dropped.
                assert_eq!(span, Some("invocation"), "{event:?}");
                return;
            }
            let mut noted = self.0.lock().expect("the notes");
            if event.metadata().name() == "invoke.end" {
                event.record(&mut Outcomes(&mut noted.0));
            }
            noted.1 += usize::from(*event.metadata().level() == tracing::Level::ERROR);
        }
    }

    /// Logs when it is dropped.
    struct Farewell;

    impl Drop for Farewell {
        fn drop(&mut self) {
            tracing::info!("farewell");
        }
    }

    struct Outcomes<'a>(&'a mut Vec<String>);

    impl Visit for Outcomes<'_> {
        fn record_str(&mut self, field: &Field, value: &str) {
            if field.name() == "outcome" {
                self.0.push(value.to_owned());
            }
        }

        fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
    }

    #[derive(Clone, Copy, Debug)]
    enum Do {
        Answer,
        Fail,
        Refuse,
        /// Answers with status 500.
        Status,
        /// Streams a body of known length, whose end a server does not ask for.
        Length,
        Panic,
        Hang,
        /// Hangs, and is dropped by whoever drives it.
        GivenUp,
        Stream,
        BreakTheStream,
        HangInTheStream,
    }

    impl Invoke for Do {
        fn invoke(&self, _: Invocation) -> BoxFuture<'_, Outcome> {
            let what = *self;
            let streamed = move |mut out: BodySender| async move {
                let _farewell = Farewell;
                out.send("one").await?;
                match what {
                    Do::BreakTheStream => Err(ErrorKind::Unavailable.into()),
                    Do::HangInTheStream => std::future::pending().await,
                    _ => Ok(()),
                }
            };
            Box::pin(async move {
                let _farewell = Farewell;
                match what {
                    Do::Answer => Ok(Reply::empty()),
                    Do::Fail => Err(ErrorKind::Unavailable.into()),
                    Do::Refuse => Err(ErrorKind::Conflict.into()),
                    Do::Status => {
                        let response = http::Response::builder().status(500);
                        Ok(Reply::Http(
                            response.body(Body::empty()).expect("a response"),
                        ))
                    }
                    Do::Length => {
                        let body = Body::stream(Known(Some("one".into())));
                        Ok(Reply::Content(Content::new("text/plain", body)))
                    }
                    Do::Panic => panic!("on purpose"),
                    Do::Hang | Do::GivenUp => std::future::pending().await,
                    _ => Ok(Reply::Content(Content::new(
                        "text/plain",
                        Body::produce(streamed),
                    ))),
                }
            })
        }
    }

    async fn run(what: Do, reads: bool) {
        let scope = Scope::new(&Instance::new(), Some(Duration::from_secs(3)));
        let event = Event::invoke("id", "test", Data::Absent);
        let invocation = Invocation::new("id", scope, event);
        let how = Drive::default();
        let driven = drive(&what, invocation, &how);
        if matches!(what, Do::GivenUp) {
            let given_up = tokio::time::timeout(Duration::from_secs(1), driven).await;
            assert!(given_up.is_err());
            return;
        }
        let outcome = driven.await;
        let Ok(mut reply) = outcome else { return };
        let Some(body) = reply.body_mut() else { return };
        if matches!(what, Do::Length) && reads {
            assert_eq!(
                body.next_data().await.expect("a piece").expect("one"),
                "one"
            );
        } else if reads {
            while let Ok(Some(_)) = body.next_data().await {}
        } else if matches!(what, Do::Stream) {
            // The reader goes after the first piece.
            assert!(body.next_data().await.expect("a piece").is_some());
        }
    }

    /// A body of one piece.
    struct Known(Option<bytes::Bytes>);

    impl http_body::Body for Known {
        type Data = bytes::Bytes;
        type Error = Error;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Error>>> {
            std::task::Poll::Ready(self.0.take().map(|piece| Ok(http_body::Frame::data(piece))))
        }

        fn size_hint(&self) -> http_body::SizeHint {
            let length = self.0.as_ref().map_or(0, |piece| piece.len() as u64);
            http_body::SizeHint::with_exact(length)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_invocation_ends_with_one_line() {
        crate::capture_panics();
        let noted = Noted::default();
        let subscriber = tracing_subscriber::registry().with(noted.clone());
        let _set = tracing::subscriber::set_default(subscriber);
        for (what, reads, outcome, errors) in [
            (Do::Answer, false, "ok", 0),
            (Do::Fail, false, "error", 1),
            (Do::Refuse, false, "rejected", 0),
            (Do::Status, false, "error", 0),
            (Do::Length, true, "ok", 0),
            (Do::Length, false, "ok", 0),
            (Do::Panic, false, "panic", 1),
            (Do::Hang, false, "timeout", 1),
            (Do::Stream, true, "ok", 0),
            (Do::BreakTheStream, true, "error", 1),
            (Do::HangInTheStream, true, "timeout", 1),
            (Do::Stream, false, "cancelled", 0),
            (Do::GivenUp, false, "cancelled", 0),
        ] {
            run(what, reads).await;
            let (ends, loud) = std::mem::take(&mut *noted.0.lock().expect("the notes"));
            assert_eq!((ends, loud), (vec![outcome.to_owned()], errors), "{what:?}");
        }
        let scope = Scope::new(&Instance::new(), None);
        report_refused(
            &ErrorKind::InvalidInput.into(),
            "no",
            Some("id"),
            Some(&scope),
        );
        assert_eq!(noted.0.lock().expect("the notes").0, ["rejected"]);
        assert!(!scope.claim_end(), "it has been told");
    }
}
