//! tracing-subscriber's JSON lines as they are by default.

use log_loop::Sink;

fn main() -> Result<(), log_loop::Error> {
    log_loop::run(|sink| {
        let json = tracing_subscriber::fmt().json();
        match sink {
            Sink::Null => json.with_writer(std::io::sink).init(),
            Sink::Stdout => json.init(),
        }
    })
}
