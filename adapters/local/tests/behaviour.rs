//! The behaviour that all adapters share, over real sockets.

use faas_sdk_adapter_local::Local;
use faas_sdk_testkit::behaviour::{Http, Traits, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_development_server_behaves() {
    let mut traits = Traits::new(64);
    traits.disconnects = true;
    traits.max_request = Some(32 << 20);
    let variables = |address: std::net::SocketAddr, deadline: Option<std::time::Duration>| {
        let mut variables = vec![("FAAS_LOCAL_ADDR", address.to_string())];
        if let Some(deadline) = deadline {
            variables.push(("FAAS_LOCAL_TIMEOUT_MS", deadline.as_millis().to_string()));
        }
        variables
    };
    run(&Http::new(Local::new, "/behaviour", traits, variables)).await;
}
