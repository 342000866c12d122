//! `lambda_runtime` on tokio's current-thread runtime.

use lambda_runtime::{Error, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(lambda_runtime_echo::echo)).await
}
