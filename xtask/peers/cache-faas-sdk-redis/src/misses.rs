use crate::connect;
use crate::trips::Trips;
use cache_loop::Error;
use faas_sdk_cache::Region;

const TEXT: Region<String> = Region::new("text");

/// How many misses are counted, one after the other.
const MISSES: u32 = 200;

/// Tells the most round trips of a miss, and those of the first one.
pub(crate) async fn count(url: &str) -> Result<(), Error> {
    let (trips, port) = Trips::before(url.trim_start_matches("redis://").to_owned()).await?;
    let cache = connect::cache(connect::redis(&format!("redis://127.0.0.1:{port}"))?)?;
    let (mut first, mut most) = (None, 0);
    // Keys of a process of its own, so that all of them are missing.
    let process = std::process::id();
    for number in 0..MISSES {
        let before = trips.count();
        cache
            .get(&TEXT, &(process, number))
            .or_load(|_| async { Ok(String::from("loaded")) })
            .await?;
        let after = trips.count() - before;
        match first {
            None => first = Some(after),
            Some(_) => most = most.max(after),
        }
    }
    println!("{most} {}", first.unwrap_or_default());
    Ok(())
}
