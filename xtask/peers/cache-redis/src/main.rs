//! Bare Redis: a multiplexed connection that all tasks share (`multiplexed`), and one taken from a pool
//! for each command (`pool`), as deadpool-redis has it by default.

use cache_loop::remote::{self, Reads};
use cache_loop::{Arguments, Error};
use deadpool_redis::redis::aio::{ConnectionLike, MultiplexedConnection};
use deadpool_redis::redis::{Client, cmd};
use deadpool_redis::{Config, Pool, Runtime};

#[derive(Clone)]
struct Multiplexed(MultiplexedConnection);

impl Reads for Multiplexed {
    async fn store(&self, key: &str, value: Vec<u8>) -> Result<(), Error> {
        set(&mut self.0.clone(), key, &value).await
    }

    async fn read(&self, key: &str) -> Result<usize, Error> {
        get(&mut self.0.clone(), key).await
    }
}

#[derive(Clone)]
struct Pooled(Pool);

impl Reads for Pooled {
    async fn store(&self, key: &str, value: Vec<u8>) -> Result<(), Error> {
        set(&mut self.0.get().await?, key, &value).await
    }

    async fn read(&self, key: &str) -> Result<usize, Error> {
        get(&mut self.0.get().await?, key).await
    }
}

async fn set(to: &mut impl ConnectionLike, key: &str, value: &[u8]) -> Result<(), Error> {
    Ok(cmd("SET").arg(key).arg(value).exec_async(to).await?)
}

async fn get(from: &mut impl ConnectionLike, key: &str) -> Result<usize, Error> {
    let value: Vec<u8> = cmd("GET").arg(key).query_async(from).await?;
    Ok(value.len())
}

fn main() -> Result<(), Error> {
    let mut args = Arguments::new();
    let (cache, url): (String, String) = (args.value("--cache")?, args.value("--url")?);
    remote::runtime(&mut args)?.block_on(async {
        if cache == "pool" {
            let pool = Config::from_url(url).create_pool(Some(Runtime::Tokio1))?;
            return remote::run(args, Pooled(pool)).await;
        }
        let connection = Client::open(url)?
            .get_multiplexed_async_connection()
            .await?;
        remote::run(args, Multiplexed(connection)).await
    })
}
