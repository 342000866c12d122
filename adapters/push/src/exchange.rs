use crate::activity::Activity;
use crate::shared::Shared;
use crate::{Codec, Detail, error_response};
use bytes::Bytes;
use faas_sdk_core::{Body, Error, ErrorKind, HttpResponse, Stuck};
use faas_sdk_scope::{CancelReason, Scope};
use std::io::ErrorKind as Io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// One request between its connection and the task that works on it: the answer goes over, once,
/// and the connection's end comes back as a cancellation.
pub(crate) struct Exchange<C: Codec> {
    pub(crate) link: Arc<Link<C>>,
    pub(crate) scope: Scope,
    /// Whether other answers share the connection.
    pub(crate) multiplexed: bool,
    state: Mutex<State<C::Call>>,
}

/// What the requests of one connection share.
pub(crate) struct Link<C> {
    pub(crate) shared: Arc<Shared<C>>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) peer: SocketAddr,
}

struct State<Call> {
    /// There while the handler runs: whoever takes it makes the answer.
    call: Option<Call>,
    slot: Slot,
    waker: Option<Waker>,
}

enum Slot {
    Waiting,
    Ready(Answer),
    /// The answer was taken over, or nobody is there to take it.
    Done,
}

/// An answer, and who wants to know when it has been written or given up.
pub(crate) struct Answer {
    pub(crate) response: HttpResponse,
    pub(crate) written: Option<oneshot::Sender<()>>,
}

impl<C: Codec> Exchange<C> {
    pub(crate) fn new(link: Arc<Link<C>>, scope: Scope, multiplexed: bool) -> Arc<Self> {
        Arc::new(Self {
            link,
            scope,
            multiplexed,
            state: Mutex::new(State {
                call: None,
                slot: Slot::Waiting,
                waker: None,
            }),
        })
    }

    /// Leaves what is needed to answer here while the handler runs, so that the watchdog can.
    pub(crate) fn put_call(&self, call: C::Call) {
        self.state().call = Some(call);
    }

    /// Takes it back; `None` if the watchdog answers.
    pub(crate) fn take_call(&self) -> Option<C::Call> {
        self.state().call.take()
    }

    /// Hands the answer over. Says whether somebody waits for it; otherwise it is dropped, and
    /// its body with it.
    pub(crate) fn answer(&self, answer: Answer) -> bool {
        let mut state = self.state();
        if !matches!(state.slot, Slot::Waiting) {
            drop(state);
            return false;
        }
        state.slot = Slot::Ready(answer);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Answers for work that died without an answer.
    pub(crate) fn fail(&self) {
        let error = Error::new(
            ErrorKind::Internal,
            "the invocation ended without an answer",
        );
        let response = match self.take_call() {
            Some(call) => self.link.shared.codec.encode(call, Err(error)),
            None => error_response(&error, Detail::Public),
        };
        // Nobody may be waiting.
        let _ = self.answer(Answer {
            response,
            written: None,
        });
    }

    pub(crate) fn poll_answer(&self, cx: &mut Context<'_>) -> Poll<Answer> {
        let mut state = self.state();
        match std::mem::replace(&mut state.slot, Slot::Done) {
            Slot::Ready(answer) => Poll::Ready(answer),
            Slot::Waiting => {
                state.slot = Slot::Waiting;
                if !state
                    .waker
                    .as_ref()
                    .is_some_and(|waker| waker.will_wake(cx.waker()))
                {
                    state.waker = Some(cx.waker().clone());
                }
                Poll::Pending
            }
            // The watchdog has answered on the socket itself.
            Slot::Done => Poll::Pending,
        }
    }

    /// The connection is gone before it took the answer.
    pub(crate) fn abandon(&self) {
        let before = std::mem::replace(&mut self.state().slot, Slot::Done);
        self.scope.cancel(CancelReason::Disconnected);
        // An answer that nobody took is dropped outside of the lock: its body may be user code.
        drop(before);
    }

    fn state(&self) -> MutexGuard<'_, State<C::Call>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_picked_up(&self) -> bool {
        matches!(self.state().slot, Slot::Done)
    }

    /// Takes an answer back that the connection's task has not picked up.
    fn take_back(&self) -> Option<HttpResponse> {
        let mut state = self.state();
        match std::mem::replace(&mut state.slot, Slot::Done) {
            Slot::Ready(answer) => Some(answer.response),
            Slot::Waiting | Slot::Done => None,
        }
    }

    /// Writes an answer past the connection's task, which has nothing in flight then.
    fn write(&self, response: HttpResponse, until: Instant) {
        if self.multiplexed {
            return;
        }
        let Some(socket) = self.link.activity.socket() else {
            return;
        };
        let answer = serialise(response);
        let mut rest = &answer[..];
        while !rest.is_empty() && Instant::now() < until {
            match socket.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == Io::WouldBlock => std::thread::sleep(TICK),
                Err(_) => return,
            }
        }
    }
}

const TICK: Duration = Duration::from_millis(1);

impl<C: Codec> Stuck for Exchange<C> {
    /// The connection's task answers, if a thread of the runtime is left to run it; otherwise
    /// this thread writes the answer.
    fn answer(&self, _id: &str, within: Duration) {
        let Some(call) = self.take_call() else {
            return;
        };
        let message = "the handler did not yield until its deadline";
        let error = Error::new(ErrorKind::Timeout, message);
        let response = self.link.shared.codec.encode(call, Err(error));
        let until = Instant::now() + within;
        let handed_over = Instant::now() + within / 2;
        let flushes = self.link.activity.flushes();
        let answer = Answer {
            response,
            written: None,
        };
        if !Exchange::answer(self, answer) {
            return;
        }
        while !self.is_picked_up() && Instant::now() < handed_over {
            std::thread::sleep(TICK);
        }
        if let Some(response) = self.take_back() {
            return self.write(response, until);
        }
        while self.link.activity.flushes() == flushes && Instant::now() < until {
            std::thread::sleep(TICK);
        }
    }

    fn stop(&self) {
        self.link.shared.stuck.send_replace(true);
    }
}

/// The bytes of an HTTP/1.1 answer with a whole body, after which the connection ends.
fn serialise(response: HttpResponse) -> Vec<u8> {
    let (head, body) = response.into_parts();
    let body = Body::try_into_bytes(body).unwrap_or_else(|_streamed| Bytes::new());
    let mut bytes = format!(
        "HTTP/1.1 {} {}\r\ncontent-length: {}\r\nconnection: close\r\n",
        head.status.as_str(),
        head.status.canonical_reason().unwrap_or_default(),
        body.len()
    )
    .into_bytes();
    for (name, value) in &head.headers {
        if !crate::headers::is_hop_by_hop(name) && name != http::header::CONTENT_LENGTH {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_past_the_connection_is_complete_and_the_last() {
        let response = http::Response::builder()
            .status(504)
            .header("x-part", "1")
            .header("content-length", "99")
            .header("connection", "keep-alive")
            .body(Body::from("late"))
            .expect("a response");
        assert_eq!(
            String::from_utf8_lossy(&serialise(response)),
            "HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 4\r\nconnection: close\r\n\
             x-part: 1\r\n\r\nlate"
        );
    }
}
