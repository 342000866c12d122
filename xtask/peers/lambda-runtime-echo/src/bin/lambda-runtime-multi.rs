//! `lambda_runtime` on tokio's multi-thread runtime.

use lambda_runtime::{Error, run, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    run(service_fn(lambda_runtime_echo::echo)).await
}
