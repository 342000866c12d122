//! What every adapter must do, over real sockets.
//!
//! An adapter's test names its [`Subject`] and calls [`run`]; each case serves a program of its
//! own, calls it the way the platform would, and looks at what the caller gets.
//!
//! ```no_run
//! # fn adapter() -> impl faas_sdk_core::Platform + 'static { Never }
//! # #[derive(Debug)] struct Never;
//! # impl faas_sdk_core::Platform for Never {
//! #     fn name(&self) -> &'static str { "never" }
//! #     fn detect(&self, _: &faas_sdk_core::Env) -> faas_sdk_core::Detection { faas_sdk_core::Detection::No }
//! #     async fn serve(&self, _: faas_sdk_core::Program) -> faas_sdk_core::Result<()> { Ok(()) }
//! # }
//! use faas_sdk_testkit::behaviour::{self, Lambda};
//!
//! # async fn test() {
//! behaviour::run(&Lambda::new(adapter)).await;
//! # }
//! ```

mod cases;
mod function;
mod http;
mod lambda;

use async_trait::async_trait;
use bytes::Bytes;
use faas_sdk_core::{BoxError, Platform, Program};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

pub use cases::run;
pub use http::{Http, HttpReply, http_call};
pub use lambda::Lambda;

/// An adapter together with a caller that stands for its platform.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The adapter's name.
    fn name(&self) -> &'static str;

    /// What the platform knows of.
    fn traits(&self) -> Traits;

    /// Starts to serve `program`, whose calls may take `deadline` each.
    async fn start(
        &self,
        program: Program,
        deadline: Option<Duration>,
    ) -> Result<Arc<dyn Served>, BoxError>;
}

/// What a platform knows of; cases that need more are not run on it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Traits {
    /// How many calls run at once.
    pub concurrency: usize,
    /// Whether a caller that goes away is noticed.
    pub disconnects: bool,
    /// The largest request that reaches a function; `None` if the platform itself sees to it.
    pub max_request: Option<usize>,
    /// The largest whole reply; `None` if there is no limit.
    pub max_reply: Option<usize>,
}

impl Traits {
    /// A platform without limits that runs this many calls at once.
    #[must_use]
    pub fn new(concurrency: usize) -> Self {
        Self {
            concurrency,
            disconnects: false,
            max_request: None,
            max_reply: None,
        }
    }
}

/// A program that is being served.
#[async_trait]
pub trait Served: Send + Sync {
    /// Calls the function with this payload, which should be JSON.
    async fn call(&self, payload: Bytes) -> Answer;

    /// Calls the function and goes away when `gone` is done.
    async fn abandon(&self, payload: Bytes, gone: faas_sdk_core::BoxFuture<'_, ()>);

    /// Asks the adapter to stop in order.
    fn stop(&self);

    /// Waits until serving has ended, and says how. To be called once.
    async fn ended(&self) -> Result<(), BoxError>;
}

/// What a caller got.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The function's reply.
    Reply(Bytes),
    /// An error in the platform's own form.
    Failed {
        /// The error's kind or code in camel case, for example `InvalidInput`.
        name: String,
        /// Its message.
        message: String,
    },
    /// A streamed reply that broke after these bytes, visibly for the caller.
    Broken(Bytes),
    /// No answer that the platform would understand.
    Lost(String),
}

/// The task in which a program is served.
struct Serving(Mutex<Option<JoinHandle<faas_sdk_core::Result<()>>>>);

impl Serving {
    fn start<P: Platform + 'static>(adapter: P, program: Program) -> Self {
        let serving = tokio::spawn(async move { adapter.serve(program).await });
        Self(Mutex::new(Some(serving)))
    }

    fn is_over(&self) -> bool {
        let serving = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serving.as_ref().is_none_or(JoinHandle::is_finished)
    }

    async fn ended(&self) -> Result<(), BoxError> {
        let serving = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match serving {
            Some(serving) => Ok(serving.await??),
            None => Err("its end was waited for before".into()),
        }
    }
}

/// `invalid_input` as `InvalidInput`.
fn camel_case(code: &str) -> String {
    code.split('_')
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        })
        .collect()
}
