//! A private redis-server: its URL is told on standard output, and it ends with standard input.

use faas_sdk_test_servers::RedisServer;
use std::error::Error;
use std::io;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let server = runtime.block_on(RedisServer::start())?;
    println!("{}", server.url());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    drop(server);
    Ok(())
}
