use super::{Values, fill, names};
use std::io;
use tokio::runtime::Builder;

/// By how many bytes the process grows for each value, the empty cache included.
pub(crate) fn each<V: Values>(make: impl FnOnce() -> V, keys: u64) -> io::Result<f64> {
    let names = names(keys);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let before = resident()?;
    let values = make();
    runtime.block_on(fill(&values, &names));
    let grown = resident()?.saturating_sub(before);
    drop(values);
    Ok(grown as f64 / keys as f64)
}

/// The resident memory of this process in bytes.
fn resident() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other("the system does not tell VmRSS"))
}
