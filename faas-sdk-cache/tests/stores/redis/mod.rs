mod costs;
mod foreign;
mod late;
mod limits;
mod lost;
mod moved;
mod nonsense;
mod servers;
mod subject;

use bytes::Bytes;
use faas_sdk_cache::store::Write;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// An envelope whose value is fresh for an hour.
fn envelope(rest: &str) -> Bytes {
    let mut bytes = vec![0xFC, 0xE5, 1, 0];
    bytes.extend([0; 16]);
    bytes.extend(3_600_000_u64.to_le_bytes());
    bytes.extend(rest.as_bytes());
    bytes.into()
}

fn write<'a>(key: &'a [u8], rest: &str) -> Write<'a> {
    Write {
        key,
        envelope: envelope(rest),
        physical: HOUR,
        unless_after: None,
    }
}
