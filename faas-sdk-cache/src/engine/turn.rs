use crate::chance;
use crate::engine::Shared;
use crate::engine::interpret::{Meaning, interpret};
use crate::engine::leased::{Leased, new_token};
use crate::engine::missing::Missing;
use crate::engine::target::Target;
use crate::local::Entry;
use crate::stats::Counter;
use crate::store::{Lease, LeaseRequest};
use faas_sdk_scope::{Moment, Scope};
use std::sync::Arc;
use std::time::Duration;

/// Whether this instance is the one to load.
pub(crate) enum Turn {
    /// It is, and holds the lease.
    Leased(Leased),
    /// It loads for itself: there are no leases, or the remote level does not answer.
    Unleased,
    /// Another instance has loaded it by now.
    Found(Entry),
    /// Another instance is loading it; this one serves what it has.
    Elsewhere(Arc<Entry>, Duration),
    /// Others have been loading it for too long.
    TooLong,
}

/// The first pause before another look at a key that someone else loads; it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_millis(100);

/// Finds out whether it is this instance's turn to load.
pub(crate) async fn turn<V: Send + Sync + 'static>(
    shared: &Arc<Shared>,
    scope: Option<&Scope>,
    target: &Target<V>,
    missing: &mut Missing,
    start: &Moment,
) -> Turn {
    let Some(remote) = target.remote(shared).filter(|_| !missing.unasked) else {
        return Turn::Unleased;
    };
    if !remote.guarantees().leases {
        return Turn::Unleased;
    }
    let policy = &target.policy;
    let Some(token) = new_token() else {
        return Turn::Unleased;
    };
    let mut pause = FIRST_PAUSE;
    loop {
        let request = LeaseRequest {
            key: target.key.bytes(),
            token,
            ttl: target.lease(),
            rejected: missing.rejected,
        };
        let guards = target.guards();
        let sent = shared.instance.moment();
        let shard = target.shard.index();
        let answer = remote
            .call(&shared.instance, remote.store().lease(shard, &[request]))
            .await;
        match answer.map(|mut answers| answers.pop()) {
            // A lease that may have been granted without our knowing is of no use.
            Err(_) | Ok(None) => {
                shared.count(scope, Counter::RemoteErrors, 1);
                return Turn::Unleased;
            }
            Ok(Some(Lease::Granted)) => {
                return Turn::Leased(Leased::new(shared, target, token, sent));
            }
            Ok(Some(Lease::Value(bytes))) => {
                let (meaning, version) = interpret(shared, scope, target, guards, bytes).await;
                if let Meaning::Fresh(entry) = meaning {
                    return Turn::Found(entry);
                }
                if version.is_none() || version == missing.rejected {
                    // The store takes it for fresh, and we do not: nobody would ever load it.
                    return Turn::Unleased;
                }
                missing.rejected = version;
            }
            Ok(Some(Lease::Held { remaining })) => {
                if !policy.cross_instance {
                    return Turn::Unleased;
                }
                let now = shared.instance.moment();
                let fail_safe = policy.fail_safe.is_some();
                let stale = missing.stale.as_ref();
                if let Some(stale) = stale.filter(|stale| stale.may_stand_in(&now, fail_safe)) {
                    return Turn::Elsewhere(Arc::clone(stale), remaining);
                }
                if now.since(start) > policy.lease.saturating_mul(3) {
                    return Turn::TooLong;
                }
                let shortened = chance::jittered(pause, 0.5);
                tokio::time::sleep(shortened.min(remaining.max(Duration::from_millis(1)))).await;
                pause = (pause * 2).min(LAST_PAUSE);
            }
        }
    }
}
