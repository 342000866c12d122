//! The loop caches are measured in: the same values, got or loaded, again and again.
//!
//! `--keys N` values are loaded into the cache called `--cache NAME` of the program; what is then told
//! on standard output is one number:
//!
//! - `--work hits`: the nanoseconds that a hit takes, while each of `--threads N` does `--hits N` of them
//!   after it has got each value once,
//! - `--work memory`: the bytes by which the process has grown for one value.
//!
//! A value that has to be loaded twice is an error: what is measured are hits.

mod hits;
mod item;
mod memory;

pub use item::Item;
pub use pico_args::Error;

use std::fmt::Display;
use std::str::FromStr;

/// A cache under test.
pub trait Values: Clone + Send + Sync + 'static {
    /// Gets the value of a key, or has it loaded by [`Item::load`]; answers its number.
    fn get(&self, key: &str, number: u64) -> impl Future<Output = u64> + Send;
}

/// What is to be done with a cache.
#[derive(Clone, Copy, Debug)]
enum Work {
    Hits,
    Memory,
}

impl FromStr for Work {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "hits" => Ok(Self::Hits),
            "memory" => Ok(Self::Memory),
            _ => Err("neither `hits` nor `memory`"),
        }
    }
}

/// The arguments of a program.
#[derive(Debug)]
pub struct Arguments(pico_args::Arguments);

impl Arguments {
    /// Those of this process.
    #[must_use]
    pub fn new() -> Self {
        Self(pico_args::Arguments::from_env())
    }

    /// The value of an option.
    ///
    /// # Errors
    /// When it is missing or of another form.
    pub fn value<T>(&mut self, option: &'static str) -> Result<T, Error>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.0.value_from_str(option)
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Self::new()
    }
}

/// Does with a cache what the rest of the arguments say. `make` is told how many values it is for.
///
/// # Errors
/// When an argument is missing or of another form, or there can be no runtime.
///
/// # Panics
/// When a value was loaded twice.
pub fn run<V: Values>(
    mut args: Arguments,
    make: impl FnOnce(u64) -> V,
) -> Result<(), Box<dyn std::error::Error>> {
    let keys: u64 = args.value("--keys")?;
    let work: Work = args.value("--work")?;
    let number = match work {
        Work::Hits => {
            let (hits, threads) = (args.value("--hits")?, args.value("--threads")?);
            hits::time(&make(keys), keys, hits, threads)?
        }
        Work::Memory => memory::each(|| make(keys), keys)?,
    };
    assert_eq!(Item::loaded(), keys, "each value is loaded once");
    println!("{number}");
    Ok(())
}

/// The keys of the values.
fn names(keys: u64) -> Vec<String> {
    (0..keys).map(|number| format!("customer-{number:08}")).collect()
}

/// Gets every value once.
async fn fill<V: Values>(values: &V, names: &[String]) {
    for (name, number) in names.iter().zip(0..) {
        assert_eq!(values.get(name, number).await, number);
    }
}
