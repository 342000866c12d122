//! Against real servers.

mod ask;
mod cluster;
mod dedicated;
mod failures;
mod login;
mod scripts;
mod sentinel;
mod sharing;
mod silent;
mod speed;
mod thaw;
mod tls;
