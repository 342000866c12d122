use crate::engine::Shared;
use crate::engine::target::Target;
use crate::store::Token;
use faas_sdk_scope::Moment;
use std::sync::Arc;

/// A lease of this instance; given back if it was not used.
pub(crate) struct Leased {
    shared: Arc<Shared>,
    shard: u16,
    key: Box<[u8]>,
    pub(crate) token: Token,
    /// When it was asked for.
    pub(crate) sent: Moment,
    used: bool,
}

impl Leased {
    pub(crate) fn new<V>(
        shared: &Arc<Shared>,
        target: &Target<V>,
        token: Token,
        sent: Moment,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            shard: target.shard.index(),
            key: target.key.bytes().into(),
            token,
            sent,
            used: false,
        }
    }

    /// It has ended with a fill.
    pub(crate) fn used(mut self) {
        self.used = true;
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if self.used {
            return;
        }
        let (shared, shard, token) = (Arc::clone(&self.shared), self.shard, self.token);
        let key = std::mem::take(&mut self.key);
        // If it is lost, the lease expires.
        drop(runtime.spawn(async move {
            if let Some(remote) = &shared.remote {
                let leases = [(&key[..], token)];
                let release = remote.store().release(shard, &leases);
                drop(remote.call(&shared.instance, release).await);
            }
        }));
    }
}

pub(crate) fn new_token() -> Option<Token> {
    let mut token = [0; 16];
    getrandom::fill(&mut token).ok()?;
    Some(Token(token))
}
