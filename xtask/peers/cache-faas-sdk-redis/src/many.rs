use crate::connect;
use crate::trips::Trips;
use cache_loop::Error;
use faas_sdk_cache::Region;
use faas_sdk_redis::redis::{Cmd, cmd, from_redis_value};
use faas_sdk_redis::{Redis, Retry};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const TEXT: Region<String> = Region::new("many");

/// Tells the calls of MGET and of the loader, and the round trips.
pub(crate) async fn count(url: &str, keys: u32) -> Result<(), Error> {
    let (trips, port) = Trips::before(url.trim_start_matches("redis://").to_owned()).await?;
    let cache = connect::cache(connect::redis(&format!("redis://127.0.0.1:{port}"))?)?;
    let loads = Arc::new(AtomicU64::new(0));
    let process = std::process::id();
    let get = async |first: u32| {
        let loads = Arc::clone(&loads);
        let keys = (first..first + keys).map(|key| (process, key)).collect();
        let load = move |keys: Vec<(u32, u32)>| async move {
            loads.fetch_add(1, Ordering::AcqRel);
            let pairs = keys.into_iter().map(|key| (key, String::from("loaded")));
            Ok(pairs.collect::<Vec<_>>())
        };
        cache.get_many(&TEXT, keys).or_load_many(load).await
    };
    // The connection is made, and the scripts are known.
    get(0).await?;
    let server = connect::redis(url)?;
    run(&server, cmd("CONFIG").arg("RESETSTAT")).await?;
    let before = (trips.count(), loads.load(Ordering::Acquire));
    let values = get(keys).await?;
    let trips = trips.count() - before.0;
    let loads = loads.load(Ordering::Acquire) - before.1;
    if values.iter().any(Option::is_none) {
        return Err(io::Error::other("a value is missing").into());
    }
    println!("{} {loads} {trips}", mget_calls(&server).await?);
    Ok(())
}

/// `cmdstat_mget:calls=1,usec=…`
async fn mget_calls(server: &Redis) -> Result<u64, Error> {
    let stats = run(server, cmd("INFO").arg("commandstats")).await?;
    let calls = stats
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_mget:calls="))
        .and_then(|rest| rest.split(',').next());
    Ok(calls.map_or(Ok(0), str::parse)?)
}

async fn run(server: &Redis, command: &Cmd) -> Result<String, Error> {
    let answer = server
        .query(command, Retry::Never, connect::PATIENCE)
        .await?;
    Ok(from_redis_value(answer)?)
}
