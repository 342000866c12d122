//! What each call does.

use bytes::Bytes;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

use super::connection::{Connection, Ended, Pending, Reply, Undo};
use super::event::INVOCATION_ID;
use super::extension::Report;
use super::http::{Answer, Head};
use super::lifecycle::Phase;
use super::outcome::{ErrorReport, Lost, Outcome, Response};
use super::route::Route;
use super::state::{State, uuid};

const RESPONSE_MODE: &str = "Lambda-Runtime-Function-Response-Mode";
const EXTENSION_ID: &str = "Lambda-Extension-Identifier";
const EXTENSION_BODY_LIMIT: usize = 1 << 16;
/// How long an extension's earlier call may take to be seen as gone before a new one counts as a violation.
const RECONNECT: Duration = Duration::from_millis(100);

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Carries out a call. The body is read only where it is wanted; the caller drains the rest.
    pub(super) async fn call(
        &mut self,
        route: Route,
        id: &str,
        pending: &mut Pending,
    ) -> Result<Reply, Ended> {
        match route {
            Route::Ping => Ok(Answer::text(200, "pong").into()),
            Route::Next => self.next(pending).await,
            Route::Response => Ok(self.response(id, pending).await.into()),
            Route::Error => Ok(self.error(id, pending).await.into()),
            Route::InitError => Ok(self.failure(Phase::InitError, pending).await.into()),
            Route::RestoreError => Ok(self.failure(Phase::RestoreError, pending).await.into()),
            Route::RestoreNext => self.restore_next(pending).await,
            Route::Register => Ok(self.register(pending).await.into()),
            Route::ExtensionNext => self.extension_next(pending).await,
            Route::ExtensionInitError => Ok(self.extension_error(Report::Init, pending).into()),
            Route::ExtensionExitError => Ok(self.extension_error(Report::Exit, pending).into()),
        }
    }

    async fn next(&mut self, pending: &mut Pending) -> Result<Reply, Ended> {
        self.drain(pending).await;
        let entered = self.shared.update(|state| {
            state.enter(Phase::Serving, &self.shared.options)?;
            state.parked_next += 1;
            Ok::<_, Answer>(())
        });
        if let Err(refusal) = entered {
            return Ok(refusal.into());
        }
        let shared = self.shared.clone();
        let parked = self.parked(|state| state.hand_out(&shared.options)).await;
        let Ok(handed_out) = parked else {
            self.shared.update(|state| state.parked_next -= 1);
            return Err(Ended);
        };
        self.shared.new_deadline.notify_one();
        let serial = handed_out.serial;
        let undo: Undo = Box::new(move |state| state.invocations.take_back(serial));
        Ok(Reply {
            answer: handed_out.answer,
            undo: Some(undo),
        })
    }

    /// The invocation id a runtime echoed, if the fake sends any.
    fn echoed(&self, head: &Head) -> Option<String> {
        let on = self.shared.options.invocation_id;
        head.non_empty(INVOCATION_ID)
            .filter(|_| on)
            .map(str::to_owned)
    }

    async fn response(&mut self, id: &str, pending: &mut Pending) -> Answer {
        let echoed = self.echoed(&pending.head);
        let claimed = self
            .shared
            .update(|state| state.invocations.claim(id, echoed.as_deref()));
        let serial = match claimed {
            Ok(serial) => serial,
            Err(refused) => return refused.into(),
        };
        let (outcome, answer) = self.read_response(serial, echoed, pending).await;
        match self
            .shared
            .update(|state| state.invocations.finish(serial, outcome))
        {
            Ok(()) => answer,
            Err(refused) => refused.into(),
        }
    }

    async fn read_response(
        &mut self,
        serial: u64,
        echoed: Option<String>,
        pending: &mut Pending,
    ) -> (Outcome, Answer) {
        let streaming = match pending.head.non_empty(RESPONSE_MODE) {
            None => false,
            Some("streaming") => true,
            Some(other) => {
                let answer = Answer::error(
                    400,
                    "InvalidFunctionResponseMode",
                    "Invalid function response mode",
                );
                return (Outcome::Lost(Lost::InvalidMode(other.to_owned())), answer);
            }
        };
        let shared = self.shared.clone();
        let limit = if streaming {
            shared.options.stream_limit
        } else {
            shared.options.response_limit
        };
        let progress = |received| {
            if streaming {
                shared.update(|state| state.invocations.progress(serial, received));
            }
        };
        let mut body = match self.body(pending, limit, progress).await {
            Ok(body) => body,
            Err(error) => {
                let answer = Answer::error(
                    400,
                    "TruncatedHTTPRequest",
                    "HTTP request detected as truncated",
                );
                return (Outcome::Lost(Lost::Truncated(error.to_string())), answer);
            }
        };
        if body.too_large() {
            return (Outcome::Lost(Lost::TooLarge { limit }), too_large(limit));
        }
        let (data, chunks) = body.take();
        let response = Response {
            body: data,
            chunks,
            trailers: body.trailers,
            headers: pending.head.headers.clone(),
            content_type: pending.head.header("content-type").map(str::to_owned),
            streaming,
            invocation_id: echoed,
        };
        (Outcome::Response(response), Answer::accepted())
    }

    async fn error(&mut self, id: &str, pending: &mut Pending) -> Answer {
        let echoed = self.echoed(&pending.head);
        let claimed = self
            .shared
            .update(|state| state.invocations.claim(id, echoed.as_deref()));
        let serial = match claimed {
            Ok(serial) => serial,
            Err(refused) => return refused.into(),
        };
        let report = match self.report(echoed, pending).await {
            Ok(report) => report,
            Err(refusal) => {
                self.shared
                    .update(|state| state.invocations.release(serial));
                return refusal;
            }
        };
        let finished = self
            .shared
            .update(|state| state.invocations.finish(serial, Outcome::Error(report)));
        match finished {
            Ok(()) => Answer::accepted(),
            Err(refused) => refused.into(),
        }
    }

    /// Reads an error report.
    async fn report(
        &mut self,
        echoed: Option<String>,
        pending: &mut Pending,
    ) -> Result<ErrorReport, Answer> {
        let limit = self.shared.options.response_limit;
        let mut body = self.body(pending, limit, |_| {}).await.map_err(|_| {
            Answer::error(
                400,
                "TruncatedHTTPRequest",
                "HTTP request detected as truncated",
            )
        })?;
        if body.too_large() {
            return Err(too_large(limit));
        }
        Ok(ErrorReport::new(
            pending.head.headers.clone(),
            body.take().0,
            echoed,
        ))
    }

    /// An init or restore error. An init error during a restore is taken for a restore error, as the platform does.
    async fn failure(&mut self, to: Phase, pending: &mut Pending) -> Answer {
        let report = match self.report(None, pending).await {
            Ok(report) => report,
            Err(refusal) => return refusal,
        };
        self.shared.update(|state| {
            let to = match state.phase {
                Phase::Restoring => Phase::RestoreError,
                _ => to,
            };
            match state.enter(to, &self.shared.options) {
                Ok(()) => {
                    state.fail(report, to);
                    Answer::accepted()
                }
                Err(refusal) => refusal,
            }
        })
    }

    async fn restore_next(&mut self, pending: &mut Pending) -> Result<Reply, Ended> {
        self.drain(pending).await;
        let entered = self.shared.update(|state| {
            state.enter(Phase::RestoreReady, &self.shared.options)?;
            state.parked_restore += 1;
            Ok::<_, Answer>(())
        });
        if let Err(refusal) = entered {
            return Ok(refusal.into());
        }
        let restored = self
            .parked(|state| {
                state.restored.then(|| {
                    state.phase = Phase::Restoring;
                    state.parked_restore -= 1;
                })
            })
            .await;
        if restored.is_err() {
            self.shared.update(|state| state.parked_restore -= 1);
            return Err(Ended);
        }
        Ok(Reply::from(Answer {
            status: 200,
            headers: Vec::new(),
            body: Bytes::new(),
        }))
    }

    async fn register(&mut self, pending: &mut Pending) -> Answer {
        let Ok(mut body) = self.body(pending, EXTENSION_BODY_LIMIT, |_| {}).await else {
            return Answer::error(
                400,
                "TruncatedHTTPRequest",
                "HTTP request detected as truncated",
            );
        };
        if body.too_large() {
            return too_large(EXTENSION_BODY_LIMIT);
        }
        let name = pending.head.non_empty("Lambda-Extension-Name");
        let registered = self.shared.update(|state| {
            let closed = state.phase != Phase::Started;
            state
                .extensions
                .register(name, &body.take().0, closed, uuid())
        });
        let id = match registered {
            Ok(id) => id,
            Err(refusal) => return refusal,
        };
        let mut json = json!({
            "functionName": self.shared.options.function,
            "functionVersion": "$LATEST",
            "handler": "bootstrap",
        });
        if pending
            .head
            .members("Lambda-Extension-Accept-Feature")
            .any(|feature| feature == "accountId")
        {
            json["accountId"] = json!("123456789012");
        }
        let mut answer = Answer::json(200, format!("{json}\n"));
        answer.headers.push((EXTENSION_ID.to_owned(), id));
        answer
    }

    async fn extension_next(&mut self, pending: &mut Pending) -> Result<Reply, Ended> {
        self.drain(pending).await;
        let id = pending.head.non_empty(EXTENSION_ID).map(str::to_owned);
        if let Some(id) = &id {
            let free = |state: &State| !state.extensions.waiting(id);
            self.shared.until(RECONNECT, free).await;
        }
        let parked = self
            .shared
            .update(|state| state.extensions.park(id.as_deref()));
        if let Err(refusal) = parked {
            return Ok(refusal.into());
        }
        let id = id.unwrap_or_default();
        let Ok(event) = self.parked(|state| state.extensions.take(&id)).await else {
            self.shared.update(|state| state.extensions.unpark(&id));
            return Err(Ended);
        };
        let mut answer = Answer::json(200, event.clone());
        let event_id = ("Lambda-Extension-Event-Identifier".to_owned(), uuid());
        answer.headers.push(event_id);
        let undo: Undo = Box::new(move |state| state.extensions.take_back(&id, event));
        Ok(Reply {
            answer,
            undo: Some(undo),
        })
    }

    fn extension_error(&self, report: Report, pending: &Pending) -> Answer {
        let id = pending.head.non_empty(EXTENSION_ID);
        let error_type = pending
            .head
            .non_empty("Lambda-Extension-Function-Error-Type");
        self.shared.update(
            |state| match state.extensions.report(id, report, error_type) {
                Ok(()) => Answer::accepted(),
                Err(refusal) => refusal,
            },
        )
    }
}

fn too_large(limit: usize) -> Answer {
    let message = format!("Exceeded maximum allowed payload size ({limit} bytes).");
    Answer::error(413, "RequestEntityTooLarge", &message)
}
