//! For tests of functions: contexts, and calls without a platform.
//!
//! ```
//! use faas_sdk::prelude::*;
//! use faas_sdk::testing::TestApp;
//!
//! async fn double(number: u32, cx: Context) -> Result<u32> {
//!     assert_eq!(cx.function(), "double");
//!     Ok(number * 2)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! // The function alone …
//! let cx = Context::builder().function("double").build();
//! assert_eq!(double(4, cx).await?, 8);
//!
//! // … and with its input and output as JSON.
//! let app = TestApp::new(double)?;
//! let answer: u32 = app.call("double", &4).await?;
//! assert_eq!(answer, 8);
//! # Ok(())
//! # }
//! ```

mod every_platform;

pub use every_platform::{Failure, OnPlatform, every_platform};

use crate::app::IntoApp;
use crate::config::Config;
use crate::context::{Context, Shared};
use crate::error::{Error, Result};
use faas_sdk_core::{
    Attempt, Body, Data, Drive, Event, HttpRequest, HttpResponse, Info, Invocation, Invoke,
    Outcome, Payload, Reply, Settings, Text, drive,
};
use faas_sdk_scope::{Clock, Instance, Scope, SystemClock};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Makes a [`Context`] for a unit test; see [`Context::builder`].
pub struct ContextBuilder {
    info: Info,
    function: Text,
    config: Config,
    deadline: Option<Duration>,
    clock: Box<dyn FnOnce() -> Arc<Instance>>,
}

impl Context {
    /// Starts to make a context for a unit test: request id `test`, function `test`, platform
    /// `test`, first attempt, no deadline, default configuration.
    #[must_use]
    pub fn builder() -> ContextBuilder {
        let mut info = Info::new("test");
        info.platform = "test";
        info.attempt = Attempt::number(1);
        ContextBuilder {
            info,
            function: Text::from_static("test"),
            config: Config::default(),
            deadline: None,
            clock: Box::new(|| Instance::builder().clock(SystemClock).build()),
        }
    }
}

impl ContextBuilder {
    /// Sets the request id.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<Text>) -> Self {
        self.info.id = id.into();
        self
    }

    /// Sets the name of the function.
    #[must_use]
    pub fn function(mut self, name: impl Into<Text>) -> Self {
        self.function = name.into();
        self
    }

    /// Sets the name of the platform.
    #[must_use]
    pub fn platform(mut self, name: &'static str) -> Self {
        self.info.platform = name;
        self
    }

    /// Sets which delivery it is, from 1 on.
    #[must_use]
    pub fn attempt(mut self, number: u32) -> Self {
        self.info.attempt = Attempt::number(number);
        self
    }

    /// Sets the tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<Text>) -> Self {
        self.info.tenant = Some(tenant.into());
        self
    }

    /// Sets all that is known about the invocation.
    #[must_use]
    pub fn info(mut self, info: Info) -> Self {
        self.info = info;
        self
    }

    /// Sets how much time is left.
    #[must_use]
    pub fn remaining(mut self, time: Duration) -> Self {
        self.deadline = Some(time);
        self
    }

    /// Sets the configuration, for example
    /// `Config::load(&Environment::default().with_variable("FAAS_APP__SIZE", "3"))?`.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Sets the clock by which `remaining` and everything else goes.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(move || Instance::builder().clock(clock).build());
        self
    }

    /// Makes the context.
    #[must_use]
    pub fn build(self) -> Context {
        let scope = Scope::new(&(self.clock)(), self.deadline);
        let shared = Shared::new(self.config, Settings::default())
            .unwrap_or_else(|error| panic!("the configuration given to the builder: {error}"));
        Context::new(self.info, self.function, scope, Arc::new(shared))
    }
}

impl fmt::Debug for ContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextBuilder")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

/// An app that is called directly, without a platform, but with everything that lies between:
/// dispatch, layers, decoding, encoding, panics.
#[derive(Clone)]
pub struct TestApp {
    invoke: Arc<dyn Invoke>,
    instance: Arc<Instance>,
    deadline: Option<Duration>,
}

impl TestApp {
    /// Builds the app with default configuration.
    ///
    /// # Errors
    ///
    /// What would keep it from being served.
    pub fn new<M>(app: impl IntoApp<M>) -> Result<Self> {
        Self::with_config(app, Config::default())
    }

    /// Builds the app with this configuration.
    ///
    /// # Errors
    ///
    /// What would keep it from being served.
    pub fn with_config<M>(app: impl IntoApp<M>, config: Config) -> Result<Self> {
        let env = faas_sdk_core::Env::default();
        let (invoke, ..) = app.into_app().with_config("test", None, &env, config)?;
        Ok(Self {
            invoke,
            instance: Instance::new(),
            deadline: None,
        })
    }

    /// Gives each call this much time.
    #[must_use]
    pub fn with_deadline(mut self, time: Duration) -> Self {
        self.deadline = Some(time);
        self
    }

    /// Calls a function by its name with an input that goes through JSON, as its output does.
    ///
    /// # Errors
    ///
    /// The function's, or what keeps input and output from passing through JSON.
    pub async fn call<O: DeserializeOwned>(
        &self,
        function: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Result<O> {
        let input = serde_json::to_vec(input)?;
        let event = Event::invoke("test", "test", Data::Json(input.into()));
        let mut invocation = self.invocation(event);
        invocation.info.function.called = Some(function.into());
        match drive(&self.invoke, invocation, &Drive::default()).await? {
            Reply::Content(content) => Ok(serde_json::from_slice(
                &content.body.collect(usize::MAX).await?,
            )?),
            other => Err(Error::internal(format!(
                "the function answered no JSON: {other:?}"
            ))),
        }
    }

    /// Sends an HTTP request to the routes.
    ///
    /// # Errors
    ///
    /// The function's, as it is before an adapter makes a response of it.
    pub async fn request(&self, request: http::Request<impl Into<Body>>) -> Result<HttpResponse> {
        let request: HttpRequest = request.map(Into::into);
        match self.send(request).await? {
            Reply::Http(response) => Ok(response),
            Reply::Content(content) => Ok(content.into_response()),
            other => Err(Error::internal(format!(
                "the function answered no HTTP: {other:?}"
            ))),
        }
    }

    /// Sends any payload: an event, a batch or a request.
    ///
    /// # Errors
    ///
    /// The function's.
    pub async fn send(&self, payload: impl Into<Payload>) -> Outcome {
        drive(&self.invoke, self.invocation(payload), &Drive::default()).await
    }

    fn invocation(&self, payload: impl Into<Payload>) -> Invocation {
        let mut invocation =
            Invocation::new("test", Scope::new(&self.instance, self.deadline), payload);
        invocation.info.platform = "test";
        invocation
    }
}

impl fmt::Debug for TestApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApp").finish_non_exhaustive()
    }
}
