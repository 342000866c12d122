//! Caches in their own process: the same values, got or loaded, again and again.
//!
//! `--keys N` values are loaded; `--work hits` or `memory` says what is told then. A value that has to be
//! loaded twice is an error: what is measured are hits.

mod hits;
mod item;
mod memory;

pub use item::Item;

use crate::{Arguments, Error};

/// A cache under test.
pub trait Values: Clone + Send + Sync + 'static {
    /// Gets the value of a key, or has it loaded by [`Item::load`]; answers its number.
    fn get(&self, key: &str, number: u64) -> impl Future<Output = u64> + Send;
}

/// Tells what the rest of the arguments ask for:
///
/// - `--work hits`: the nanoseconds that a hit takes, while each of `--threads N` does `--hits N` of them
///   after it has got each value once,
/// - `--work memory`: the bytes by which the process has grown for one value.
///
/// `make` is told how many values the cache is for.
///
/// # Errors
/// When an argument is missing or of another form, or there can be no runtime.
///
/// # Panics
/// When a value was loaded twice.
pub fn run<V: Values>(mut args: Arguments, make: impl FnOnce(u64) -> V) -> Result<(), Error> {
    let keys: u64 = args.value("--keys")?;
    let work: String = args.value("--work")?;
    let number = match work.as_str() {
        "hits" => {
            let (hits, threads) = (args.value("--hits")?, args.value("--threads")?);
            hits::time(&make(keys), keys, hits, threads)?
        }
        "memory" => memory::each(|| make(keys), keys)?,
        _ => return Err("the work is neither `hits` nor `memory`".into()),
    };
    assert_eq!(Item::loaded(), keys, "each value is loaded once");
    println!("{number}");
    Ok(())
}

/// The keys of the values.
fn names(keys: u64) -> Vec<String> {
    (0..keys)
        .map(|number| format!("customer-{number:08}"))
        .collect()
}

/// Gets every value once.
async fn fill(values: &impl Values, names: &[String]) {
    for (name, number) in names.iter().zip(0..) {
        assert_eq!(values.get(name, number).await, number);
    }
}
