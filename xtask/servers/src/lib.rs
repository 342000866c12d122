//! Private instances of real servers for tests and benches, and a proxy that misbehaves on demand.
//!
//! Each server listens on a free loopback port, keeps its files in a temporary folder of its own and
//! ends with its owner: when that is dropped, and also when the process of the test is killed. One in
//! a `static`, which is never dropped, ends with the process.
//!
//! Redis has to be installed, in version 7.0 or later: `cargo xtask test` sees to it on Debian.
//!
//! ```no_run
//! # async fn test() -> anyhow::Result<()> {
//! use faas_sdk_test_servers::{Proxy, RedisServer};
//!
//! let server = RedisServer::start().await?;
//! let proxy = Proxy::start(server.address()).await?;
//! proxy.black_hole();
//! # Ok(())
//! # }
//! ```

mod folder;
mod ports;
mod process;
mod proxy;
mod redis;
mod wait;

pub use proxy::Proxy;
pub use redis::{RedisCluster, RedisSentinels, RedisServer, RedisServerBuilder, SlotMove};
