use crate::connect;
use cache_loop::Error;
use faas_sdk_cache::Region;
use faas_sdk_redis::redis::{Cmd, cmd, from_redis_value};
use faas_sdk_redis::{Redis, Retry};
use std::io;
use std::time::{Duration, Instant};

const TEXT: Region<String> = Region::new("crowd");

/// How long a load takes.
const LOAD: Duration = Duration::from_millis(50);

/// Wants one value so many times at once, together with other processes.
pub(crate) async fn join(url: &str, callers: usize) -> Result<(), Error> {
    let redis = connect::redis(url)?;
    let cache = connect::cache(redis.clone())?;
    // The connection is made.
    number(&redis, cmd("EXISTS").arg("anything")).await?;
    println!("ready");
    let mut key = String::new();
    io::stdin().read_line(&mut key)?;
    let key = key.trim();
    // Counts the loads of all processes.
    let counter = format!("loads:{key}");
    let start = Instant::now();
    let running: Vec<_> = (0..callers)
        .map(|_| {
            let (cache, redis, key) = (cache.clone(), redis.clone(), key.to_owned());
            let counter = counter.clone();
            tokio::spawn(async move {
                let load = move |_| async move {
                    number(&redis, cmd("INCR").arg(counter)).await?;
                    tokio::time::sleep(LOAD).await;
                    Ok(String::from("loaded"))
                };
                cache.get(&TEXT, &key).or_load(load).await
            })
        })
        .collect();
    for caller in running {
        assert_eq!(*caller.await??, "loaded");
    }
    let took = start.elapsed().as_millis();
    let loads = number(&redis, cmd("GET").arg(counter)).await?;
    println!("{loads} {took}");
    Ok(())
}

async fn number(redis: &Redis, command: &Cmd) -> Result<u64, Error> {
    let answer = redis
        .query(command, Retry::Never, connect::PATIENCE)
        .await?;
    Ok(from_redis_value(answer)?)
}
