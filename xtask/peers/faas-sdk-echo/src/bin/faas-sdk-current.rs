//! `faas_sdk::run` on tokio's current-thread runtime.

#[tokio::main(flavor = "current_thread")]
async fn main() -> faas_sdk::Result<()> {
    faas_sdk::run(faas_sdk_echo::echo).await
}
