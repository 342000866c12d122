//! One connection: requests in, answers out, faults in between.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::fault::Fault;
use super::http::{Answer, Body, BodyError, BodyReader, Head, HeadError, parse};
use super::observe::RecordedRequest;
use super::route::{Match, Route, resolve};
use super::state::{Shared, State};

/// Bytes a peer may send ahead while its request waits.
const PIPELINE_LIMIT: usize = 1 << 16;
/// How long a closed connection is read on, so that the peer gets the last answer instead of a reset.
const LINGER: Duration = Duration::from_secs(1);

/// Undoes a hand-out whose answer did not reach the peer.
pub(super) type Undo = Box<dyn FnOnce(&mut State) + Send>;

/// What a call is answered.
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) undo: Option<Undo>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, undo: None }
    }
}

/// The connection has ended, by the peer or by a fault.
pub(super) struct Ended;

/// A request whose head was read and whose body was not.
pub(super) struct Pending {
    pub(super) head: Head,
    /// `None` once the body was read, or can no longer be.
    reader: Option<BodyReader>,
    /// The framing is lost, so the connection must be closed.
    broken: bool,
}

pub(super) struct Connection<S> {
    pub(super) shared: Arc<Shared>,
    number: u64,
    stream: S,
    input: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(shared: Arc<Shared>, number: u64, stream: S) -> Self {
        Self {
            shared,
            number,
            stream,
            input: BytesMut::new(),
        }
    }

    /// Serves requests until either side closes.
    pub(super) async fn serve(mut self) {
        while let Ok(Some(head)) = self.head().await {
            if self.exchange(head).await.is_err() {
                return;
            }
        }
    }

    async fn exchange(&mut self, head: Head) -> Result<(), Ended> {
        let options = &self.shared.options;
        let call = resolve(
            &options.prefix,
            options.snap_start,
            &head.method,
            &head.target,
        );
        let (route, id) = match &call {
            Match::Call(route, id) => (Some(*route), id.clone()),
            Match::WrongMethod | Match::Unknown => (None, None),
        };
        let (record, fault) = self.shared.update(|state| {
            let record = state
                .traffic
                .record(self.number, head.clone(), route, id.clone());
            (record, route.and_then(|route| state.faults.take(route)))
        });
        let reader = match BodyReader::new(&head, options.strict) {
            Ok(reader) if options.strict && !head.has_host() => {
                drop(reader);
                return self
                    .refuse(
                        &record,
                        400,
                        "400 Bad Request: missing required Host header",
                    )
                    .await;
            }
            Ok(reader) => reader,
            Err(HeadError::TransferEncoding(_)) => {
                return self
                    .refuse(&record, 501, "Unsupported transfer encoding")
                    .await;
            }
            Err(_) => return self.refuse(&record, 400, "400 Bad Request").await,
        };
        let mut pending = Pending {
            head,
            reader: Some(reader),
            broken: false,
        };
        let reply = match (route, fault.as_ref()) {
            (Some(route), Some(fault)) if fault.instead() => {
                self.instead(route, id.as_deref(), fault, &mut pending)
                    .await?
            }
            (Some(route), _) => {
                self.call(route, id.as_deref().unwrap_or_default(), &mut pending)
                    .await?
            }
            (None, _) if call == Match::WrongMethod => Answer::text(405, "").into(),
            (None, _) => Answer::text(404, "404 page not found\n").into(),
        };
        self.drain(&mut pending).await;
        self.answer(reply, &pending, &record, fault.as_ref()).await
    }

    /// Applies a fault that takes the place of the call.
    async fn instead(
        &mut self,
        route: Route,
        id: Option<&str>,
        fault: &Fault,
        pending: &mut Pending,
    ) -> Result<Reply, Ended> {
        if let (Route::Response | Route::Error, Some(id)) = (route, id) {
            self.shared.update(|state| state.invocations.spoil(id));
        }
        match fault {
            Fault::Answer {
                status,
                headers,
                body,
            } => Ok(Reply::from(Answer {
                status: *status,
                headers: headers.clone(),
                body: body.clone(),
            })),
            Fault::Raw(bytes) => {
                self.drain(pending).await;
                let _ = self.stream.write_all(bytes).await;
                self.linger().await;
                Err(Ended)
            }
            Fault::Stall => {
                self.discard().await;
                Err(Ended)
            }
            Fault::Freeze => std::future::pending().await,
            _ => Err(Ended),
        }
    }

    async fn answer(
        &mut self,
        reply: Reply,
        pending: &Pending,
        record: &RecordedRequest,
        fault: Option<&Fault>,
    ) -> Result<(), Ended> {
        if let Some(Fault::Delay(delay)) = fault {
            sleep(*delay).await;
        }
        self.shared.update(|_| record.answered(reply.answer.status));
        let wire = reply
            .answer
            .wire(pending.broken || pending.head.closes(), fault);
        let sent = if matches!(fault, Some(Fault::SingleBytes)) {
            self.write_single(&wire.bytes).await
        } else {
            self.stream.write_all(&wire.bytes).await
        };
        if (sent.is_err() || !wire.whole)
            && let Some(undo) = reply.undo
        {
            self.shared.update(undo);
        }
        if sent.is_err() {
            return Err(Ended);
        }
        if wire.close {
            if wire.whole {
                self.linger().await;
            }
            return Err(Ended);
        }
        Ok(())
    }

    async fn write_single(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            self.stream.write_all(std::slice::from_ref(byte)).await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Answers a request whose framing is unusable, and closes.
    async fn refuse(
        &mut self,
        record: &RecordedRequest,
        status: u16,
        text: &'static str,
    ) -> Result<(), Ended> {
        self.shared.update(|_| record.answered(status));
        self.last_words(status, text).await;
        Err(Ended)
    }

    async fn last_words(&mut self, status: u16, text: &'static str) {
        let wire = Answer::text(status, text).wire(true, None);
        if self.stream.write_all(&wire.bytes).await.is_ok() {
            self.linger().await;
        }
    }

    /// Reads the next head; `None` if the peer closed between requests.
    async fn head(&mut self) -> Result<Option<Head>, Ended> {
        if self.input.is_empty() && self.fill().await? == 0 {
            return Ok(None);
        }
        let patience = self.shared.options.patience;
        let read = timeout(patience, async {
            loop {
                if let Some((head, length)) = parse(&self.input)? {
                    let _ = self.input.split_to(length);
                    return Ok(Some(head));
                }
                match self.fill().await {
                    Ok(0) | Err(Ended) => return Ok(None),
                    Ok(_) => {}
                }
            }
        })
        .await;
        match read {
            Ok(Ok(head)) => return Ok(head),
            Ok(Err(HeadError::TooLarge)) => {
                self.last_words(431, "431 Request Header Fields Too Large")
                    .await;
            }
            Ok(Err(_)) => self.last_words(400, "400 Bad Request").await,
            Err(_) => self.last_words(408, "408 Request Timeout").await,
        }
        Err(Ended)
    }

    /// Reads the body, keeping at most `limit` bytes; `progress` is told how many there are so far.
    pub(super) async fn body(
        &mut self,
        pending: &mut Pending,
        limit: usize,
        mut progress: impl FnMut(usize),
    ) -> Result<Body, BodyError> {
        let mut body = Body::new(limit);
        let Some(mut reader) = pending.reader.take() else {
            return Ok(body);
        };
        // Until the end is found, the next request cannot be.
        pending.broken = true;
        if pending.head.expects_continue() && self.input.is_empty() {
            let written = self
                .stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await;
            written.map_err(|_| BodyError::Ended)?;
        }
        while !reader.decode(&mut self.input, &mut body)? {
            progress(body.len());
            match timeout(self.shared.options.patience, self.fill()).await {
                Err(_) => return Err(BodyError::Slow),
                Ok(Err(Ended) | Ok(0)) => return Err(BodyError::Ended),
                Ok(Ok(_)) => {}
            }
        }
        pending.broken = false;
        Ok(body)
    }

    /// Reads and drops a body nobody wants.
    pub(super) async fn drain(&mut self, pending: &mut Pending) {
        if pending.head.expects_continue() && pending.reader.is_some() && self.input.is_empty() {
            // The peer was not told to go on, so no body may come; the connection cannot be used further.
            pending.reader = None;
            pending.broken = true;
            return;
        }
        // A body that cannot be read leaves `broken` set, which is all that matters here.
        let _ = self.body(pending, 0, |_| {}).await;
    }

    /// Waits until `take` gives something, as long as the peer is there. Faults aside, this is where an idle
    /// runtime spends its time.
    pub(super) async fn parked<T>(
        &mut self,
        mut take: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<T, Ended> {
        let shared = Arc::clone(&self.shared);
        let mut changes = shared.subscribe();
        loop {
            changes.borrow_and_update();
            if let Some(taken) = shared.try_update(&mut take) {
                return Ok(taken);
            }
            let room = self.input.len() < PIPELINE_LIMIT;
            tokio::select! {
                // A peer that is gone must be seen before it is handed an event.
                biased;
                read = self.fill(), if room => {
                    if read? == 0 {
                        return Err(Ended);
                    }
                }
                _ = changes.changed() => {}
            }
        }
    }

    /// Reads what there is; 0 at the end of the stream.
    async fn fill(&mut self) -> Result<usize, Ended> {
        self.input.reserve(16 * 1024);
        self.stream
            .read_buf(&mut self.input)
            .await
            .map_err(|_| Ended)
    }

    /// Reads and drops until the peer closes.
    async fn discard(&mut self) {
        loop {
            self.input.clear();
            if !matches!(self.fill().await, Ok(1..)) {
                return;
            }
        }
    }

    /// Closes politely.
    async fn linger(&mut self) {
        if self.stream.shutdown().await.is_ok() {
            let _ = timeout(LINGER, self.discard()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::event::Event;
    use crate::lambda::options::Options;
    use proptest::prelude::*;
    use tokio::sync::oneshot;

    /// Sends `input` in pieces of `step` bytes, closes the sending side and collects all answers.
    fn talk(input: &[u8], step: usize, strict: bool) -> Vec<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("runtime");
        runtime.block_on(async {
            let shared = Arc::new(Shared::new(Options {
                strict,
                ..Options::default()
            }));
            let (reply, _outcome) = oneshot::channel();
            shared.update(|state| {
                state
                    .invocations
                    .push(Event::bytes("{}"), "id".to_owned(), reply);
            });
            let (client, server) = tokio::io::duplex(64);
            let serve = Connection::new(shared, 0, server).serve();
            let (mut read, mut write) = tokio::io::split(client);
            let send = async {
                for piece in input.chunks(step) {
                    if write.write_all(piece).await.is_err() {
                        break;
                    }
                }
                // The server may have closed already.
                let _ = write.shutdown().await;
            };
            let receive = async {
                let mut answers = Vec::new();
                read.read_to_end(&mut answers).await.expect("reads");
                answers
            };
            let all = async { tokio::join!(serve, send, receive).2 };
            timeout(Duration::from_secs(5), all)
                .await
                .expect("must not hang")
        })
    }

    const NEXT: &str = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn pipelined_requests_are_answered_in_order() {
        let post = "POST /2018-06-01/runtime/invocation/id/response HTTP/1.1\r\nHost: a\r\n\
                    Content-Length: 2\r\n\r\n{}";
        let answers = talk(format!("{NEXT}{post}").as_bytes(), 7, true);
        let text = String::from_utf8(answers).expect("UTF-8");
        let next = text.find("HTTP/1.1 200 OK").expect("next answered");
        let response = text
            .find("HTTP/1.1 202 Accepted")
            .expect("response answered");
        assert!(next < response, "{text}");
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let fragments = [
            NEXT,
            "POST /2018-06-01/runtime/invocation/id/response HTTP/1.1\r\n",
            "POST /2018-06-01/runtime/invocation/id/error HTTP/1.1\r\n",
            "POST /2020-01-01/extension/register HTTP/1.1\r\n",
            "Host: a\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Trailer: x\r\n",
            "Expect: 100-continue\r\n",
            "Lambda-Runtime-Function-Response-Mode: streaming\r\n",
            "Content-Length: 3\r\n",
            "3\r\nabc\r\n",
            "0\r\n",
            "x: y\r\n",
            "\r\n",
        ];
        prop_oneof![
            3 => proptest::sample::select(fragments.map(str::as_bytes).map(<[u8]>::to_vec).to_vec()),
            1 => proptest::collection::vec(any::<u8>(), 0..30),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn arbitrary_bytes_neither_panic_nor_hang(
            pieces in proptest::collection::vec(piece(), 0..12),
            step in 1_usize..100,
            strict in any::<bool>(),
        ) {
            let answers = talk(&pieces.concat(), step, strict);
            prop_assert!(answers.is_empty() || answers.starts_with(b"HTTP/1.1 "));
        }
    }
}
