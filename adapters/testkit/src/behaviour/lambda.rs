use super::{Answer, Served, Serving, Subject, Traits};
use crate::lambda::{Event, FakeRuntimeApi, Outcome};
use async_trait::async_trait;
use bytes::Bytes;
use faas_sdk_core::{BoxError, BoxFuture, Platform, Program, Stop};
use std::sync::Arc;
use std::time::Duration;

/// An adapter for the AWS Lambda Runtime API, called through [`FakeRuntimeApi`].
#[derive(Debug)]
pub struct Lambda<F> {
    adapter: F,
    slots: usize,
}

impl<F, P> Lambda<F>
where
    F: Fn() -> P + Send + Sync,
    P: Platform + 'static,
{
    /// The adapter that `adapter` makes, with one invocation at a time.
    pub fn new(adapter: F) -> Self {
        Self { adapter, slots: 1 }
    }

    /// That many invocations at a time, as on managed instances.
    #[must_use]
    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }
}

#[async_trait]
impl<F, P> Subject for Lambda<F>
where
    F: Fn() -> P + Send + Sync,
    P: Platform + 'static,
{
    fn name(&self) -> &'static str {
        (self.adapter)().name()
    }

    fn traits(&self) -> Traits {
        let mut traits = Traits::new(self.slots);
        traits.max_reply = Some((6 << 20) + 100);
        traits
    }

    async fn start(
        &self,
        mut program: Program,
        deadline: Option<Duration>,
    ) -> Result<Arc<dyn Served>, BoxError> {
        let api = FakeRuntimeApi::builder()
            .slots(self.slots)
            .deadline(deadline.unwrap_or(Duration::from_secs(60)))
            .start()
            .await?;
        let mut variables = api.env();
        if self.slots > 1 {
            variables.push(("AWS_LAMBDA_MAX_CONCURRENCY", self.slots.to_string()));
        }
        program.env.extend(variables);
        let stop = Stop::new();
        program.stop = Some(stop.clone());
        let serving = Serving::start((self.adapter)(), program);
        Ok(Arc::new(OnLambda { api, stop, serving }))
    }
}

struct OnLambda {
    api: FakeRuntimeApi,
    stop: Stop,
    serving: Serving,
}

#[async_trait]
impl Served for OnLambda {
    async fn call(&self, payload: Bytes) -> Answer {
        match self.api.invoke(Event::bytes(payload)).await {
            Outcome::Response(response) => match response.stream_error() {
                Ok(None) => Answer::Reply(response.body),
                Ok(Some(_)) => Answer::Broken(response.body),
                Err(error) => Answer::Lost(error.to_string()),
            },
            Outcome::Error(report) => {
                let error_type = report.platform_error_type();
                let name = error_type.split('.').next_back().unwrap_or_default();
                let name = if name == "ResponseSizeTooLarge" {
                    "ReplyTooLarge"
                } else {
                    name
                };
                let message = report
                    .details
                    .as_ref()
                    .map(|details| details.error_message.clone());
                Answer::Failed {
                    name: name.to_owned(),
                    message: message.unwrap_or_default(),
                }
            }
            other => Answer::Lost(format!("{other:?}")),
        }
    }

    async fn abandon(&self, _: Bytes, _: BoxFuture<'_, ()>) {
        // The platform has no signal for a caller that goes away; the traits say so.
    }

    fn stop(&self) {
        self.stop.request();
    }

    async fn ended(&self) -> Result<(), BoxError> {
        self.serving.ended().await
    }
}
