//! The Runtime API's contract, item by item, against the fake.

mod faults;
mod invocations;
mod lifecycle;
mod soak;
mod streams;

use faas_sdk_adapter_aws_lambda::AwsLambda;
use faas_sdk_core::{BoxFuture, Error, Invocation, Invoke, Outcome, Platform, Program, Stop};
use faas_sdk_testkit::lambda::{Builder, FakeRuntimeApi};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// A program made of a closure.
struct Call<F>(F);

impl<F, Fut> Invoke for Call<F>
where
    F: Fn(Invocation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Outcome> {
        Box::pin((self.0)(invocation))
    }
}

fn program<F, Fut>(call: F) -> Program
where
    F: Fn(Invocation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    Program::new(Arc::new(Call(call)))
}

/// A program that answers with its payload.
fn echo() -> Program {
    program(
        async |mut invocation: Invocation| match invocation.payload.take() {
            faas_sdk_core::Payload::Event(event) => {
                Ok(faas_sdk_core::Reply::json(event.data.into_bytes()))
            }
            other => panic!("no event: {other:?}"),
        },
    )
}

/// An adapter that is running against a fake.
struct Running {
    api: FakeRuntimeApi,
    stop: Stop,
    serving: JoinHandle<Result<(), Error>>,
}

async fn serve(builder: Builder, program: Program) -> Running {
    serve_as(AwsLambda::new(), builder, program).await
}

async fn serve_as(adapter: AwsLambda, builder: Builder, mut program: Program) -> Running {
    let api = builder.start().await.expect("the fake starts");
    program.env.extend(api.env());
    let stop = Stop::new();
    program.stop = Some(stop.clone());
    let serving = tokio::spawn(async move { adapter.serve(program).await });
    Running { api, stop, serving }
}

impl Running {
    async fn end(self) {
        self.stop.request();
        self.ended().await.expect("serving ends well");
    }

    async fn ended(self) -> Result<(), Error> {
        let ended = tokio::time::timeout(Duration::from_secs(20), self.serving).await;
        ended
            .expect("serving ends")
            .expect("serving does not panic")
    }
}
