//! The lines of faas-sdk-log as they are by default: redacted and capped.

use log_loop::Sink;
use tracing_subscriber::prelude::*;

fn main() -> Result<(), log_loop::Error> {
    log_loop::run(|sink| {
        let registry = tracing_subscriber::registry();
        let log = faas_sdk_log::builder();
        match sink {
            Sink::Null => registry.with(log.sink(|_: &[u8]| {}).layer()).init(),
            Sink::Stdout => registry.with(log.layer()).init(),
        }
    })
}
