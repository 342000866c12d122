use crate::engine::flying::{Flying, Stored, guarded};
use crate::engine::interpret::{Meaning, interpret};
use crate::engine::leased::{Leased, new_token};
use crate::engine::storing::Prepared;
use crate::load::{LoadError, Loaded};
use crate::stats::Counter;
use crate::store::{Fill, Lease, LeaseRequest};
use futures_util::future::join_all;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Loads of several keys by one loader, each for all who wait for its key.
pub(crate) struct Squadron<V, K> {
    pub(crate) flights: Vec<(K, Flying<V>)>,
}

/// A flight whose turn it is, with its lease if it has one.
struct Ready<V, K> {
    key: K,
    flying: Flying<V>,
    leased: Option<Leased>,
}

impl<V, K> Squadron<V, K>
where
    V: Send + Sync + 'static,
    K: Eq + Hash + Clone + Send + 'static,
{
    pub(crate) async fn run<L, I, F, Fut>(self, loader: F)
    where
        L: Into<Loaded<V>> + Send + 'static,
        I: IntoIterator<Item = (K, L)> + Send + 'static,
        I::IntoIter: Send,
        F: FnOnce(Vec<K>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<I, LoadError>> + Send + 'static,
    {
        let mut shards: HashMap<u16, Vec<(K, Flying<V>)>> = HashMap::new();
        for (key, flying) in self.flights {
            shards
                .entry(flying.target.shard.index())
                .or_default()
                .push((key, flying));
        }
        let ready = join_all(shards.into_values().map(turns)).await;
        let ready: Vec<Ready<V, K>> = ready.into_iter().flatten().collect();
        let Some(first) = ready.first() else {
            return;
        };
        let shared = Arc::clone(&first.flying.shared);
        let sent = ready
            .iter()
            .find_map(|ready| Some(ready.leased.as_ref()?.sent));
        let now = shared.instance.moment();
        let allowed = first.flying.allowed(now.since(&sent.unwrap_or(now)));
        let befores: Vec<_> = ready
            .iter()
            .map(|ready| ready.flying.target.before(&shared))
            .collect();
        shared.count(first.flying.scope.as_ref(), Counter::Loads, 1);
        let start = shared.instance.moment();
        let keys = ready.iter().map(|ready| ready.key.clone()).collect();
        let loaded = guarded(allowed, async move { loader(keys).await }).await;
        let cost = shared.instance.moment().since(&start);
        let mut loaded: HashMap<K, Loaded<V>> = match loaded {
            Ok(loaded) => loaded
                .into_iter()
                .map(|(key, loaded)| (key, loaded.into()))
                .collect(),
            Err((kind, source)) => {
                // An error has one source: all share it as text, the first has it whole.
                let text = source.as_ref().map(ToString::to_string);
                let mut source = source;
                for ready in ready {
                    let source = source.take().or_else(|| text.clone().map(Into::into));
                    ready.flying.fail(kind, source);
                }
                return;
            }
        };
        let mut fills: HashMap<u16, Vec<(Flying<V>, Prepared, Leased)>> = HashMap::new();
        for (
            Ready {
                key,
                flying,
                leased,
            },
            before,
        ) in ready.into_iter().zip(befores)
        {
            let answer = loaded.remove(&key).unwrap_or_else(Loaded::absent);
            let (content, stored) = match flying.content(answer, &before, cost).await {
                Ok(content) => content,
                Err(kind) => {
                    flying.fail(kind, None);
                    continue;
                }
            };
            let prepared = flying.prepare(content, before);
            match (stored, leased) {
                (Stored::Yes, Some(leased)) if prepared.envelope.is_some() => {
                    let shard = flying.target.shard.index();
                    fills
                        .entry(shard)
                        .or_default()
                        .push((flying, prepared, leased));
                }
                (Stored::Yes, leased) => flying.store(prepared, leased).await,
                (stored, _) => flying.leave(prepared, stored).await,
            }
        }
        join_all(fills.into_iter().map(|(shard, fills)| fill(shard, fills))).await;
    }
}

/// Finds out whose turn it is, for flights of one shard; the others are ended.
async fn turns<V: Send + Sync + 'static, K>(mut flights: Vec<(K, Flying<V>)>) -> Vec<Ready<V, K>> {
    let guards: Vec<_> = flights
        .iter()
        .map(|(_, flying)| flying.target.guards())
        .collect();
    let Some((_, first)) = flights.first() else {
        return Vec::new();
    };
    let sent = first.shared.instance.moment();
    let leases = lease(&mut flights).await;
    let mut ready = Vec::with_capacity(flights.len());
    for (((key, mut flying), answer), guards) in flights.into_iter().zip(leases).zip(guards) {
        let (shared, target) = (Arc::clone(&flying.shared), Arc::clone(&flying.target));
        let leased = match answer {
            Some((token, Lease::Granted)) => Some(Leased::new(&shared, &target, token, sent)),
            Some((_, Lease::Value(bytes))) => {
                let scope = flying.scope.as_ref();
                if let (Meaning::Fresh(entry), _) =
                    interpret(&shared, scope, &target, guards, bytes).await
                {
                    flying.land(entry);
                    continue;
                }
                None
            }
            Some((_, Lease::Held { remaining })) => {
                let now = shared.instance.moment();
                let fail_safe = target.policy.fail_safe.is_some();
                let stale = flying.missing.stale.clone();
                if let Some(stale) = stale.filter(|stale| stale.may_stand_in(&now, fail_safe)) {
                    flying.rearm(&stale, remaining);
                    continue;
                }
                // It is loaded along with the others, and left to the other instance to store.
                None
            }
            None => None,
        };
        flying.missing.unasked |= leased.is_none();
        ready.push(Ready {
            key,
            flying,
            leased,
        });
    }
    ready
}

/// Asks for the leases of flights of one shard; `None` where there are none to be had.
async fn lease<V: Send + Sync + 'static, K>(
    flights: &mut [(K, Flying<V>)],
) -> Vec<Option<(crate::store::Token, Lease)>> {
    let tokens: Vec<_> = flights
        .iter()
        .map(|(_, flying)| new_token().filter(|_| !flying.missing.unasked))
        .collect();
    let mut answers: Vec<_> = tokens.iter().map(|_| None).collect();
    let Some((_, first)) = flights.first() else {
        return answers;
    };
    let Some(remote) = first
        .target
        .remote(&first.shared)
        .filter(|remote| remote.guarantees().leases)
    else {
        return answers;
    };
    let asked: Vec<usize> = (0..flights.len())
        .filter(|index| tokens[*index].is_some())
        .collect();
    let requests: Vec<LeaseRequest<'_>> = asked
        .iter()
        .filter_map(|index| {
            let flying = &flights[*index].1;
            Some(LeaseRequest {
                key: flying.target.key.bytes(),
                token: tokens[*index]?,
                ttl: flying.target.lease(),
                rejected: flying.missing.rejected,
            })
        })
        .collect();
    if requests.is_empty() {
        return answers;
    }
    let shard = first.target.shard.index();
    match remote
        .call(
            &first.shared.instance,
            remote.store().lease(shard, &requests),
        )
        .await
    {
        Ok(leases) => {
            for (index, lease) in asked.into_iter().zip(leases) {
                answers[index] = tokens[index].map(|token| (token, lease));
            }
        }
        Err(_) => first
            .shared
            .count(first.scope.as_ref(), Counter::RemoteErrors, 1),
    }
    answers
}

/// Stores loaded values of one shard remotely, and ends their flights.
async fn fill<V: Send + Sync + 'static>(shard: u16, loaded: Vec<(Flying<V>, Prepared, Leased)>) {
    let Some((first, ..)) = loaded.first() else {
        return;
    };
    let shared = Arc::clone(&first.shared);
    let Some(remote) = &shared.remote else {
        return;
    };
    let fills: Vec<Fill<'_>> = loaded
        .iter()
        .filter_map(|(flying, prepared, leased)| {
            Some(Fill {
                key: flying.target.key.bytes(),
                token: leased.token,
                envelope: prepared.envelope.clone()?,
                physical: prepared.physical,
            })
        })
        .collect();
    let filled = remote
        .call(&shared.instance, remote.store().fill(shard, &fills))
        .await;
    drop(fills);
    let versions = match filled {
        Ok(versions) => versions.into_iter().map(Ok).collect(),
        Err(_) => vec![Err(()); loaded.len()],
    };
    for ((flying, prepared, leased), version) in loaded.into_iter().zip(versions) {
        leased.used();
        flying.land_filled(prepared.entry, version);
    }
}
