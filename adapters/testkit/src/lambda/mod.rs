//! A fake of the AWS Lambda Runtime API and the Extensions API.
//!
//! [`FakeRuntimeApi`] serves, on loopback, what a custom runtime talks to inside Lambda. Tests queue [`Event`]s,
//! await [`Outcome`]s, look at every request ([`Observed`]) and disturb answers ([`Fault`]). It reads the contract
//! strictly and on its own, from the developer guide and the runtime interface emulator, so it suits any runtime:
//!
//! | Call | Answers |
//! |---|---|
//! | `GET /2018-06-01/runtime/invocation/next` | `200` and the event; `403` while an invocation is unanswered or after an init error |
//! | `POST …/invocation/{id}/response` | `202`; `400 InvalidRequestID`, `InvalidFunctionResponseMode`, `TruncatedHTTPRequest`; `410 InvokeTimeout`; `413 RequestEntityTooLarge` |
//! | `POST …/invocation/{id}/error` | as above |
//! | `POST …/runtime/init/error` | `202`; `403` after the first `next` |
//! | `GET …/runtime/restore/next`, `POST …/runtime/restore/error` | with [`Builder::snap_start`] only; `200`, `202`, `403` |
//! | `GET …/ping` | `200 pong` |
//! | `POST /2020-01-01/extension/register`, `GET …/event/next`, `POST …/init/error`, `POST …/exit/error` | internal extensions; `403` with the `Extension.*` error types |
//!
//! Where it is stricter than the emulator: trailers must be announced in `Trailer`; `next` is refused while the
//! runtime holds as many unanswered invocations as it has slots; an event whose `next` answer was cut off is handed
//! out again. An environment with extensions gets its first event only when each has called `event/next`.
//!
//! Not covered: the telemetry and logs interfaces, external extensions, credentials of SnapStart, signals to the
//! runtime process.

mod api;
mod builder;
mod calls;
mod connection;
mod event;
mod extension;
mod fault;
mod http;
mod invocations;
mod lifecycle;
mod observe;
mod options;
mod outcome;
mod route;
mod server;
mod state;

pub use api::{FakeRuntimeApi, Invocation};
pub use builder::Builder;
pub use event::Event;
pub use extension::Registration;
pub use fault::{Cut, Fault};
pub use lifecycle::Phase;
pub use observe::{InFlight, Observed, RecordedRequest, WaitError};
pub use outcome::{
    ErrorDetails, ErrorReport, Lost, Outcome, Response, StreamError, StreamErrorInvalid,
};
pub use route::Route;
