//! Remote caches: the same values of 500 bytes, read again and again by many tasks, each of which waits
//! for one before it reads the next.

mod reads;

pub use reads::Reads;

use crate::{Arguments, Error};
use tokio::runtime::{Builder, Runtime};

/// The runtime that `--flavor current` or `multi` names.
///
/// # Errors
/// When the option is missing or names no flavour, or there can be no runtime.
pub fn runtime(args: &mut Arguments) -> Result<Runtime, Error> {
    let flavor: String = args.value("--flavor")?;
    let mut builder = match flavor.as_str() {
        "current" => Builder::new_current_thread(),
        "multi" => Builder::new_multi_thread(),
        _ => return Err("the flavor is neither `current` nor `multi`".into()),
    };
    Ok(builder.enable_all().build()?)
}

/// Has `--tasks N` read values, and tells the nanoseconds from one value to the next, of all tasks
/// together: the median of `--parts N` of the run.
///
/// # Errors
/// When an argument is missing or of another form, and when a value cannot be stored or read.
pub async fn run(mut args: Arguments, reads: impl Reads) -> Result<(), Error> {
    let (tasks, parts) = (args.value("--tasks")?, args.value("--parts")?);
    println!("{}", reads::time(reads, tasks, parts).await?);
    Ok(())
}
