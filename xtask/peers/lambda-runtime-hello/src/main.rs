//! Hello on `lambda_runtime`, without a log subscriber.

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
    run(service_fn(hello)).await
}
