//! Free ports of the loopback device.

use anyhow::{Result, bail};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Ports below those the system gives to outgoing connections: one of those would take the port of
/// a server that is down for a moment, or even connect to itself.
const RANGE: Range<u16> = 10_100..22_500;

/// The distance from a cluster node's port to the port of its bus, also below those of the system.
const BUS: u16 = 10_000;

const ATTEMPTS: usize = 200;

/// A port on which, and on whose cluster bus, nobody listens now. Somebody else may take it before
/// it is used: then try another one.
pub(crate) fn free() -> Result<u16> {
    for _ in 0..ATTEMPTS {
        let port = fastrand::u16(RANGE);
        if vacant(port) && vacant(port + BUS) {
            return Ok(port);
        }
    }
    bail!("no free port was found in {ATTEMPTS} attempts between {RANGE:?}")
}

fn vacant(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
