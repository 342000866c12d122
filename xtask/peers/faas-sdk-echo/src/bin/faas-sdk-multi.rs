//! `faas_sdk::run` on tokio's multi-thread runtime.

#[tokio::main]
async fn main() -> faas_sdk::Result<()> {
    faas_sdk::run(faas_sdk_echo::echo).await
}
