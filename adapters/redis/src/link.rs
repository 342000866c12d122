use crate::connection::Connection;
use faas_sdk_scope::Epoch;
use tokio::time::Instant;

/// A connection that commands share. Clones share it, too.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) connection: Connection,
    /// When connecting began; it is of no use in another epoch.
    pub(crate) epoch: Epoch,
    pub(crate) made: Instant,
    /// Which one of its slot it is.
    pub(crate) number: u64,
}
