//! json-subscriber's lines as they are by default: those of tracing-subscriber.

use log_loop::Sink;

fn main() -> Result<(), log_loop::Error> {
    log_loop::run(|sink| {
        let json = json_subscriber::fmt();
        match sink {
            Sink::Null => json.with_writer(std::io::sink).init(),
            Sink::Stdout => json.init(),
        }
    })
}
