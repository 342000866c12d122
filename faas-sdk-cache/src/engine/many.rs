use crate::engine::Shared;
use crate::engine::interpret::{Meaning, interpret};
use crate::engine::missing::Missing;
use crate::engine::obtaining::{Found, Here};
use crate::engine::target::Target;
use crate::local::Entry;
use crate::remote::Down;
use crate::value::Source;
use faas_sdk_scope::Scope;
use futures_util::future::join_all;
use std::collections::HashMap;
use std::sync::Arc;

impl Shared {
    /// Looks for several keys at both levels: one read for each shard.
    pub(crate) async fn find_many<V: Send + Sync + 'static>(
        self: &Arc<Self>,
        scope: Option<&Scope>,
        targets: &[Arc<Target<V>>],
    ) -> Vec<Found> {
        let now = self.instance.moment();
        let mut found: Vec<Found> = Vec::with_capacity(targets.len());
        let mut asked: HashMap<u16, Vec<usize>> = HashMap::new();
        for (index, target) in targets.iter().enumerate() {
            let here = if target.is_local() {
                self.here::<V>(&target.key, &now)
            } else {
                Here::Nothing
            };
            let missing = match here {
                Here::Fresh(entry) => {
                    found.push(Found::Entry {
                        entry,
                        source: Source::L1,
                        unverified: false,
                    });
                    continue;
                }
                // It is read again, which costs as little as reading the logs for it.
                Here::Due(entry) | Here::Unverified(entry) => Missing {
                    stale: Some(entry),
                    ..Missing::default()
                },
                Here::Nothing => Missing::default(),
            };
            found.push(Found::Missing(missing));
            if target.remote(self).is_some() {
                asked.entry(target.shard.index()).or_default().push(index);
            }
        }
        let reads = asked
            .into_values()
            .map(|indices| self.read_shard(scope, targets, indices));
        for (index, read) in join_all(reads).await.into_iter().flatten() {
            let target = &targets[index];
            // The logs may have been read along, and told that it is no more.
            let here = match (&found[index], &read) {
                (_, Read::Down) => Here::Nothing,
                _ if target.is_local() => self.here::<V>(&target.key, &self.instance.moment()),
                _ => Here::Nothing,
            };
            let Found::Missing(missing) = &mut found[index] else {
                continue;
            };
            if !matches!(read, Read::Down) {
                missing.stale = match &here {
                    Here::Due(entry) => Some(Arc::clone(entry)),
                    _ => None,
                };
            }
            match (read, here) {
                (Read::Entry(entry), _) => {
                    found[index] = Found::Entry {
                        entry,
                        source: Source::L2,
                        unverified: false,
                    };
                }
                (Read::Down, _) => {
                    missing.unasked = true;
                    let missing = std::mem::take(missing);
                    found[index] = self.make_do(missing);
                }
                (_, Here::Fresh(entry) | Here::Unverified(entry)) => {
                    found[index] = Found::Entry {
                        entry,
                        source: Source::L1,
                        unverified: false,
                    };
                }
                (Read::Stale(entry, version), _) => {
                    missing.rejected = version;
                    let newer = |there: &Arc<Entry>| {
                        entry
                            .as_ref()
                            .is_some_and(|entry| there.version < entry.version)
                    };
                    if missing.stale.as_ref().is_none_or(newer) {
                        missing.stale = entry;
                    }
                }
                (Read::Nothing, _) => {}
            }
        }
        found
    }

    async fn read_shard<V: Send + Sync + 'static>(
        self: &Arc<Self>,
        scope: Option<&Scope>,
        targets: &[Arc<Target<V>>],
        indices: Vec<usize>,
    ) -> Vec<(usize, Read)> {
        let (held, asked): (Vec<usize>, Vec<usize>) = indices
            .into_iter()
            .partition(|index| self.recovery.holds(targets[*index].key.bytes()));
        let mut read: Vec<_> = held.into_iter().map(|index| (index, Read::Down)).collect();
        if !read.is_empty() {
            self.replay_soon();
        }
        let Some(first) = asked.first().map(|index| &targets[*index]) else {
            return read;
        };
        let states: Vec<_> = asked
            .iter()
            .map(|index| {
                let target = &targets[*index];
                (target.guards(), self.ticket(target))
            })
            .collect();
        let mut names: Vec<String> = asked
            .iter()
            .flat_map(|index| targets[*index].unknown_names(self))
            .collect();
        names.sort_unstable();
        names.dedup();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let keys: Vec<&[u8]> = asked
            .iter()
            .map(|index| targets[*index].key.bytes())
            .collect();
        let values = match self.read_many(&first.shard, &keys, &names, false).await {
            Ok(values) => values,
            Err(Down) => {
                read.extend(asked.into_iter().map(|index| (index, Read::Down)));
                return read;
            }
        };
        for ((index, value), (guards, ticket)) in asked.into_iter().zip(values).zip(states) {
            let Some(bytes) = value else {
                read.push((index, Read::Nothing));
                continue;
            };
            let target = &targets[index];
            let (meaning, version) = interpret(self, scope, target, guards, bytes).await;
            read.push((
                index,
                match meaning {
                    Meaning::Fresh(entry) => {
                        let entry = Arc::new(entry);
                        if let Some(ticket) = ticket {
                            self.stripes.store(target.key.hash(), ticket, || {
                                self.table.insert(
                                    &target.key.stored(),
                                    &entry,
                                    &self.instance.moment(),
                                );
                            });
                        }
                        Read::Entry(entry)
                    }
                    Meaning::Stale(entry) => Read::Stale(Some(Arc::new(entry)), version),
                    Meaning::Useless => Read::Stale(None, version),
                },
            ));
        }
        read
    }
}

/// What the remote level said of one of several keys.
enum Read {
    Entry(Arc<Entry>),
    Stale(Option<Arc<Entry>>, Option<crate::store::Version>),
    Nothing,
    Down,
}
