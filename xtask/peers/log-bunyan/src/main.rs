//! tracing-bunyan-formatter's lines as they are by default.

use log_loop::Sink;
use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_subscriber::prelude::*;

fn main() -> Result<(), log_loop::Error> {
    log_loop::run(|sink| {
        let spans = tracing_subscriber::registry().with(JsonStorageLayer);
        let name = "bench".to_owned();
        match sink {
            Sink::Null => spans
                .with(BunyanFormattingLayer::new(name, std::io::sink))
                .init(),
            Sink::Stdout => spans
                .with(BunyanFormattingLayer::new(name, std::io::stdout))
                .init(),
        }
    })
}
