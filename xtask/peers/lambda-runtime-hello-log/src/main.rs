//! Hello on `lambda_runtime` with its default subscriber, in JSON when the platform asks for it.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Greet {
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    message: String,
}

async fn hello(event: LambdaEvent<Greet>) -> Result<Greeting, Error> {
    Ok(Greeting {
        message: format!("Hello, {}!", event.payload.name),
    })
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    run(service_fn(hello)).await
}
