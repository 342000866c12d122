use crate::guard::{self, Drive};
use crate::report::{Untold, report};
use crate::{Body, Error, Watch, panic};
use bytes::Bytes;
use faas_sdk_scope::{BoxFuture, CancelReason};
use http_body::{Frame, SizeHint};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The body of a streamed reply under the guard that its handler had: panic, deadline and
/// cancellation. The scope ends with the body, before the reader sees its end.
pub(crate) struct GuardedBody {
    state: State,
    untold: Untold,
    drive: Drive,
    watch: Option<Watch>,
    /// How much is to come, where the body says so: a server asks for no end behind that.
    left: Option<u64>,
    /// Whether anything was asked for: of an answer to HEAD, nothing is.
    started: bool,
}

enum State {
    /// The body, and what stops it; armed only when the body makes the reader wait.
    Streaming(Body, Option<BoxFuture<'static, Error>>),
    /// The scope is ending; then the reader gets the error, if there is one.
    Ending(BoxFuture<'static, ()>, Option<Error>),
    Ended,
}

impl GuardedBody {
    pub(crate) fn new(body: Body, untold: Untold, drive: Drive, watch: Option<Watch>) -> Self {
        Self {
            left: http_body::Body::size_hint(&body).exact(),
            state: State::Streaming(body, None),
            untold,
            drive,
            watch,
            started: false,
        }
    }

    fn finish(&mut self, error: Option<Error>) {
        let Untold { scope, span, .. } = &self.untold;
        if let Some(error) = &error {
            span.in_scope(|| report(error, None, error.message()));
        }
        let (scope, span, drive) = (scope.clone(), span.clone(), self.drive.clone());
        let end = Box::pin(async move { guard::end(&scope, &span, &drive).await });
        self.leave(State::Ending(end, error));
    }

    /// Goes on to another state. User code may run in the end of the one before, and log.
    fn leave(&mut self, next: State) {
        let before = std::mem::replace(&mut self.state, next);
        self.untold.span.in_scope(|| drop(before));
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, Error>>>;

fn poll_guarded(body: &mut Body, untold: &Untold, cx: &mut Context<'_>) -> Polled {
    let polled = untold.scope.poll(|| {
        let _entered = untold.span.enter();
        panic::guarded(|| {
            catch_unwind(AssertUnwindSafe(|| {
                http_body::Body::poll_frame(Pin::new(body), cx)
            }))
        })
    });
    polled.unwrap_or_else(|panic| Poll::Ready(Some(Err(panic::error(&*panic)))))
}

impl http_body::Body for GuardedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        this.started = true;
        loop {
            match &mut this.state {
                State::Streaming(body, stop) => {
                    // A body that is always ready never gets to the wait below.
                    if let Some(error) = guard::due(&this.untold.scope, &this.drive) {
                        this.finish(Some(error));
                        continue;
                    }
                    match poll_guarded(body, &this.untold, cx) {
                        Poll::Ready(Some(Ok(frame))) => {
                            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                            this.left = this.left.map(|left| left.saturating_sub(length));
                            return Poll::Ready(Some(Ok(frame)));
                        }
                        Poll::Ready(end) => this.finish(end.and_then(Result::err)),
                        Poll::Pending => {
                            let stop = stop.get_or_insert_with(|| {
                                let (scope, drive) =
                                    (this.untold.scope.clone(), this.drive.clone());
                                Box::pin(async move { guard::stopped(&scope, &drive).await })
                            });
                            let error = ready!(stop.as_mut().poll(cx));
                            this.finish(Some(error));
                        }
                    }
                }
                State::Ending(end, error) => {
                    ready!(end.as_mut().poll(cx));
                    let error = error.take();
                    this.watch = None;
                    this.untold.tell(error.as_ref());
                    this.state = State::Ended;
                    return Poll::Ready(error.map(Err));
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Streaming(body, _) => body.size_hint(),
            State::Ending(..) | State::Ended => SizeHint::default(),
        }
    }
}

impl Drop for GuardedBody {
    fn drop(&mut self) {
        // What is still registered is ended by the engine, which finishes the scope.
        if let State::Streaming(body, _) = &self.state {
            let all = self.left == Some(0) || http_body::Body::is_end_stream(body);
            if all || !self.started {
                self.untold.tell(None);
            } else {
                self.untold.scope.cancel(CancelReason::Disconnected);
            }
        }
        self.leave(State::Ended);
    }
}
