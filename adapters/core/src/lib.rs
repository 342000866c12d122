//! The contract between faas-sdk and its platform adapters.
//!
//! An adapter turns what its platform sends into an [`Invocation`], lets an engine [`drive`] it
//! through an [`Invoke`], and turns the [`Outcome`] into its platform's own signal. Function
//! authors meet these types through the façade; adapter authors depend on this crate alone.
//!
//! ```
//! use faas_sdk_core::{
//!     BoxFuture, Data, Drive, Event, Invocation, Invoke, Outcome, Payload, Reply, drive,
//! };
//! use faas_sdk_scope::{Instance, Scope};
//!
//! struct Echo;
//!
//! impl Invoke for Echo {
//!     fn invoke(&self, mut invocation: Invocation) -> BoxFuture<'_, Outcome> {
//!         Box::pin(async move {
//!             match invocation.payload.take() {
//!                 Payload::Event(event) => Ok(Reply::json(event.data.into_bytes())),
//!                 _ => Ok(Reply::empty()),
//!             }
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let scope = Scope::new(&Instance::new(), None);
//! let event = Event::invoke("42", "example", Data::Json("{\"a\":1}".into()));
//! let invocation = Invocation::new("42", scope, event);
//! let outcome = drive(&Echo, invocation, &Drive::default()).await;
//! assert!(matches!(outcome, Ok(Reply::Content(_))));
//! # }
//! ```

mod batch;
mod body;
mod deployment;
mod drive;
mod env;
mod error;
mod event;
mod example;
mod guard;
mod guarded_body;
mod hooks;
mod input;
mod invocation;
mod invoke;
mod loose;
mod metadata;
mod output;
mod panic;
mod platform;
mod program;
mod reply;
mod report;
mod stop;
mod trace;
mod watchdog;

pub use batch::{Batch, Item, ItemOutcome};
pub use body::{Body, BodySender};
pub use deployment::Deployment;
pub use drive::{catch_panic, drive};
pub use env::Env;
pub use error::{BoxError, Error, ErrorKind, Level, Result};
pub use event::{Attribute, Data, Event, EventKind};
pub use guard::Drive;
pub use hooks::{Hooks, Stage};
pub use input::{
    FromEvent, HttpRequest, PathParameters, Raw, ViaBatch, ViaEvent, ViaHttp, ViaInvocation,
    ViaJson, ViaRaw,
};
pub use invocation::{Attempt, Function, Identity, Info, Invocation, Payload};
pub use invoke::{Invoke, Layer};
pub use loose::Loose;
pub use metadata::Metadata;
pub use output::{HttpResponse, IntoReply, ViaReply, ViaStatus};
pub use panic::capture_panics;
pub use platform::{Detection, Platform};
pub use program::{Entry, EntryKind, Program, Settings};
pub use reply::{Content, Disposition, Outcome, Reply};
pub use report::{report, report_leftovers, report_refused};
pub use stop::Stop;
pub use trace::{Trace, TraceContext};
pub use watchdog::{Stuck, Watch, Watchdog};

pub use faas_sdk_scope::BoxFuture;

/// UTF-8 text that is cheap to clone and may be a slice of a receive buffer.
pub type Text = bytestring::ByteString;
