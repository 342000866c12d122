//! faas-sdk-cache before Redis. `--work` says what is measured or counted:
//!
//! - `reads`: the remote loop of cache-loop, on a region that is kept in Redis alone,
//! - `misses`: the most round trips that one miss takes, and those of the first one of a process,
//! - `many`: of one `get_many` with `--keys N` that are missing, the calls of MGET, of the loader, and
//!   the round trips,
//! - `crowd`: says `ready`, waits for a line on standard input, then has `--callers N` want the same
//!   value at once; tells how often it has been loaded by then, by any process, and the milliseconds
//!   until all had it.

mod connect;
mod crowd;
mod many;
mod misses;
mod reads;
mod trips;

use cache_loop::{Arguments, Error, remote};

fn main() -> Result<(), Error> {
    let mut args = Arguments::new();
    let (work, url): (String, String) = (args.value("--work")?, args.value("--url")?);
    let runtime = remote::runtime(&mut args)?;
    runtime.block_on(async {
        match work.as_str() {
            "misses" => misses::count(&url).await,
            "many" => many::count(&url, args.value("--keys")?).await,
            "crowd" => crowd::join(&url, args.value("--callers")?).await,
            _ => remote::run(args, reads::Remote::new(&url)?).await,
        }
    })
}
