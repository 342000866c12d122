//! Events that wait, invocations under way, and those that ended.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::event::{Attempt, Event, REQUEST_ID};
use super::http::{Answer, find};
use super::options::Options;
use super::outcome::{Lost, Outcome};

/// Ended invocations remembered to tell late and second answers from unknown ones.
const REMEMBERED: usize = 10_000;
/// What a deadline too far to represent becomes.
const FAR: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Debug, Default)]
pub(super) struct Invocations {
    pub(super) answered: u64,
    pub(super) timed_out: u64,
    queue: VecDeque<Queued>,
    active: Vec<Active>,
    past: VecDeque<Past>,
    serial: u64,
}

#[derive(Debug)]
struct Queued {
    event: Event,
    request_id: String,
    reply: oneshot::Sender<Outcome>,
}

#[derive(Debug)]
struct Active {
    serial: u64,
    invocation_id: String,
    deadline: Instant,
    /// An answer is being received.
    claimed: bool,
    /// The runtime was kept from answering, so it may call `next` all the same.
    spoiled: bool,
    received: usize,
    queued: Queued,
}

#[derive(Debug)]
struct Past {
    request_id: String,
    invocation_id: String,
    timed_out: bool,
}

/// An event on its way to the runtime.
#[derive(Debug)]
pub(super) struct HandedOut {
    pub(super) serial: u64,
    pub(super) answer: Answer,
    pub(super) notice: Notice,
}

/// What extensions are told about an invocation.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) deadline_ms: u128,
    pub(super) request_id: String,
    pub(super) arn: String,
    pub(super) trace: Option<String>,
}

/// Why an answer is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The id is unknown or was answered already.
    Invalid,
    /// The invocation timed out or the echoed invocation id is stale.
    Gone,
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid => Self::error(400, "InvalidRequestID", "Invalid request ID"),
            Refused::Gone => Self::error(410, "InvokeTimeout", "Invoke timeout"),
        }
    }
}

impl Invocations {
    pub(super) fn push(
        &mut self,
        event: Event,
        request_id: String,
        reply: oneshot::Sender<Outcome>,
    ) {
        self.queue.push_back(Queued {
            event,
            request_id,
            reply,
        });
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Invocations that keep a slot of the runtime.
    pub(super) fn busy(&self) -> usize {
        self.active.iter().filter(|active| !active.spoiled).count()
    }

    /// Request id and bytes received of the answer, of each invocation under way.
    pub(super) fn active(&self) -> impl Iterator<Item = (&str, usize)> {
        self.active
            .iter()
            .map(|active| (active.queued.request_id.as_str(), active.received))
    }

    /// Takes the oldest event off the queue and starts its time.
    pub(super) fn hand_out(
        &mut self,
        options: &Options,
        invocation_id: String,
    ) -> Option<HandedOut> {
        let queued = self.queue.pop_front()?;
        self.serial += 1;
        let allowed = queued.event.deadline.unwrap_or(options.deadline).min(FAR);
        let deadline_ms = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| (now + allowed).as_millis());
        let arn = options.arn();
        let headers = queued.event.headers(&Attempt {
            request_id: &queued.request_id,
            invocation_id: options.invocation_id.then_some(&invocation_id),
            deadline_ms,
            arn: &arn,
            empty_headers: options.empty_headers,
        });
        let answerable = find(&headers, REQUEST_ID) == Some(&queued.request_id);
        let handed_out = HandedOut {
            serial: self.serial,
            notice: Notice {
                deadline_ms,
                request_id: queued.request_id.clone(),
                arn: queued.event.arn.clone().unwrap_or(arn),
                trace: queued.event.trace.clone(),
            },
            answer: Answer {
                status: 200,
                headers,
                body: queued.event.body.clone(),
            },
        };
        self.active.push(Active {
            serial: self.serial,
            invocation_id,
            deadline: Instant::now() + allowed,
            claimed: false,
            spoiled: !answerable,
            received: 0,
            queued,
        });
        Some(handed_out)
    }

    /// Puts an event that did not reach the runtime back to the head of the queue.
    pub(super) fn take_back(&mut self, serial: u64) {
        if let Some(active) = self.remove(serial) {
            self.queue.push_front(active.queued);
        }
    }

    /// Starts to take an answer: the serial of its invocation.
    pub(super) fn claim(&mut self, request_id: &str, echoed: Option<&str>) -> Result<u64, Refused> {
        let (mut stale, mut in_progress) = (false, false);
        for active in &mut self.active {
            if active.queued.request_id != request_id {
                continue;
            }
            if echoed.is_some_and(|echoed| echoed != active.invocation_id) {
                stale = true;
            } else if active.claimed {
                in_progress = true;
            } else {
                active.claimed = true;
                return Ok(active.serial);
            }
        }
        if in_progress {
            return Err(Refused::Invalid);
        }
        let mut known = self
            .past
            .iter()
            .rev()
            .filter(|past| past.request_id == request_id)
            .peekable();
        let of_request = known.peek().copied();
        let ended = match echoed {
            None => of_request,
            Some(echoed) => {
                let exact = known.find(|past| past.invocation_id == echoed);
                stale = stale || (exact.is_none() && of_request.is_some());
                exact
            }
        };
        if stale || ended.is_some_and(|past| past.timed_out) {
            Err(Refused::Gone)
        } else {
            Err(Refused::Invalid)
        }
    }

    /// Gives a claimed invocation back, unanswered.
    pub(super) fn release(&mut self, serial: u64) {
        if let Some(active) = self.find(serial) {
            active.claimed = false;
            active.received = 0;
        }
    }

    /// Notes how much of an answer has come.
    pub(super) fn progress(&mut self, serial: u64, received: usize) {
        if let Some(active) = self.find(serial) {
            active.received = received;
        }
    }

    /// Ends a claimed invocation; refused if it timed out meanwhile.
    pub(super) fn finish(&mut self, serial: u64, outcome: Outcome) -> Result<(), Refused> {
        let active = self.remove(serial).ok_or(Refused::Gone)?;
        self.answered += 1;
        self.end(active, false, outcome);
        Ok(())
    }

    /// Marks that the runtime was kept from answering.
    pub(super) fn spoil(&mut self, request_id: &str) {
        for active in &mut self.active {
            if active.queued.request_id == request_id {
                active.spoiled = true;
            }
        }
    }

    /// Times out what is due; whether there was any.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(at) = self.active.iter().position(|active| active.deadline <= now) {
            let active = self.active.remove(at);
            self.timed_out += 1;
            self.end(active, true, Outcome::TimedOut);
            any = true;
        }
        any
    }

    /// When the next invocation times out.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.active.iter().map(|active| active.deadline).min()
    }

    /// Ends everything queued and under way.
    pub(super) fn lose_all(&mut self, lost: &Lost) {
        for active in std::mem::take(&mut self.active) {
            self.end(active, false, Outcome::Lost(lost.clone()));
        }
        for queued in self.queue.drain(..) {
            let _ = queued.reply.send(Outcome::Lost(lost.clone()));
        }
    }

    fn find(&mut self, serial: u64) -> Option<&mut Active> {
        self.active
            .iter_mut()
            .find(|active| active.serial == serial)
    }

    fn remove(&mut self, serial: u64) -> Option<Active> {
        let at = self
            .active
            .iter()
            .position(|active| active.serial == serial)?;
        Some(self.active.remove(at))
    }

    fn end(&mut self, active: Active, timed_out: bool, outcome: Outcome) {
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back(Past {
            request_id: active.queued.request_id,
            invocation_id: active.invocation_id,
            timed_out,
        });
        // The test may not be interested in the outcome.
        let _ = active.queued.reply.send(outcome);
    }
}

/// The body of the `INVOKE` event for extensions.
impl From<&Notice> for Bytes {
    fn from(notice: &Notice) -> Self {
        let mut json = serde_json::json!({
            "eventType": "INVOKE",
            "deadlineMs": u64::try_from(notice.deadline_ms).unwrap_or(u64::MAX),
            "requestId": notice.request_id,
            "invokedFunctionArn": notice.arn,
        });
        if let Some(trace) = &notice.trace {
            json["tracing"] = serde_json::json!({"type": "X-Amzn-Trace-Id", "value": trace});
        }
        Self::from(json.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixture {
        all: Invocations,
        options: Options,
        replies: Vec<oneshot::Receiver<Outcome>>,
    }

    impl Fixture {
        fn new() -> Self {
            Self {
                all: Invocations::default(),
                options: Options::default(),
                replies: Vec::new(),
            }
        }

        fn start(&mut self, request_id: &str, invocation_id: &str) -> u64 {
            let (reply, receiver) = oneshot::channel();
            self.replies.push(receiver);
            let event = Event::bytes("").deadline(Duration::from_secs(1));
            self.all.push(event, request_id.to_owned(), reply);
            self.all
                .hand_out(&self.options, invocation_id.to_owned())
                .expect("queued")
                .serial
        }
    }

    #[test]
    fn a_reused_request_id_is_told_apart_by_the_invocation_id() {
        let mut f = Fixture::new();
        f.start("r", "old");
        assert!(f.all.expire(Instant::now() + Duration::from_secs(1)));
        let new = f.start("r", "new");
        assert_eq!(f.all.claim("r", Some("old")), Err(Refused::Gone));
        assert_eq!(f.all.claim("r", Some("new")), Ok(new));
        assert_eq!(
            f.all.claim("r", Some("new")),
            Err(Refused::Invalid),
            "in progress"
        );
        assert_eq!(f.all.finish(new, Outcome::TimedOut), Ok(()));
        assert_eq!(
            f.all.claim("r", Some("new")),
            Err(Refused::Invalid),
            "answered"
        );
        assert_eq!(f.all.claim("r", Some("old")), Err(Refused::Gone));
        assert_eq!(f.all.claim("r", Some("never")), Err(Refused::Gone));
        assert_eq!(f.all.claim("other", Some("new")), Err(Refused::Invalid));
    }

    #[test]
    fn without_an_echo_the_request_id_alone_counts() {
        let mut f = Fixture::new();
        let serial = f.start("r", "i");
        assert_eq!(f.all.claim("r", None), Ok(serial));
        f.all.release(serial);
        assert_eq!(f.all.claim("r", None), Ok(serial));
        assert!(f.all.expire(Instant::now() + Duration::from_secs(1)));
        assert_eq!(f.all.finish(serial, Outcome::TimedOut), Err(Refused::Gone));
        assert_eq!(f.all.claim("r", None), Err(Refused::Gone));
        assert!(matches!(f.replies[0].try_recv(), Ok(Outcome::TimedOut)));
    }

    #[test]
    fn an_event_taken_back_comes_first_again() {
        let mut f = Fixture::new();
        let first = f.start("a", "1");
        let (reply, _receiver) = oneshot::channel();
        f.all.push(Event::bytes(""), "b".to_owned(), reply);
        f.all.take_back(first);
        assert_eq!((f.all.busy(), f.all.queued()), (0, 2));
        let again = f.all.hand_out(&f.options, "2".to_owned()).expect("queued");
        assert_eq!(again.notice.request_id, "a");
        assert_ne!(again.serial, first);
    }

    #[test]
    fn spoiled_invocations_keep_no_slot_but_may_be_answered() {
        let mut f = Fixture::new();
        let serial = f.start("r", "i");
        assert_eq!(f.all.busy(), 1);
        f.all.spoil("r");
        assert_eq!(f.all.busy(), 0);
        assert_eq!(f.all.claim("r", None), Ok(serial));
    }
}
