use crate::coherence::{Applied, Guard, Shard, tag_name};
use crate::engine::Shared;
use crate::engine::target::{Before, Target};
use crate::local::FullKey;
use crate::remote::{Down, distinct};
use crate::stats::Counter;
use crate::store::{Change, ChangeKind, Read, ReadAnswer};
use bytes::Bytes;
use std::sync::Arc;

/// How many changes are taken one by one; where there are more, everything is thrown away.
const LOG_LIMIT: usize = 1000;

impl Shared {
    /// Reads a value from the remote level, and the logs if they are due, together with whatever else
    /// is read at this moment. The generations of `names` are known afterwards, if nothing changed them.
    pub(crate) async fn read(
        self: &Arc<Self>,
        shard: &Arc<Shard>,
        key: &[u8],
        names: Vec<String>,
    ) -> Result<Option<Bytes>, Down> {
        self.ask(shard, Some(Bytes::copy_from_slice(key)), names)
            .await
    }

    /// Reads the logs, so that entries of the shard may be served.
    pub(crate) async fn verify(
        self: &Arc<Self>,
        shard: &Arc<Shard>,
        names: Vec<String>,
    ) -> Result<(), Down> {
        self.ask(shard, None, names).await.map(drop)
    }

    /// Guards on tags that a loader added, as they were before the load; `None` if one has changed since.
    pub(crate) async fn late_guards<V>(
        self: &Arc<Self>,
        target: &Target<V>,
        tags: &[String],
        before: &Before,
    ) -> Option<Vec<Guard>> {
        let unknown: Vec<_> = tags
            .iter()
            .filter(|tag| !self.tags.tag(tag).is_known())
            .collect();
        if !unknown.is_empty() && self.tags.is_remote() {
            let names = unknown.into_iter().map(|tag| tag_name(tag)).collect();
            // If it fails, they stay unknown, and the value stays in this process.
            let _asked = self.verify(target.asked_shard(self), names).await;
        }
        tags.iter()
            .map(|tag| self.tags.late_guard(tag, before.knowledge))
            .collect()
    }

    async fn ask(
        self: &Arc<Self>,
        shard: &Arc<Shard>,
        key: Option<Bytes>,
        names: Vec<String>,
    ) -> Result<Option<Bytes>, Down> {
        let (wait, start) = self.coalescer.submit(shard.index(), key, names);
        if start {
            self.start_batch(shard);
        }
        // Whoever should have answered is gone, with its runtime.
        wait.await.unwrap_or(Err(Down))
    }

    /// A read belongs to all who wait for it, so none of them drives it; it is bounded by the timeout of
    /// the remote level.
    fn start_batch(self: &Arc<Self>, shard: &Arc<Shard>) {
        let scheduled = Scheduled {
            shared: Arc::clone(self),
            index: shard.index(),
            taken: false,
        };
        drop(tokio::spawn(batch(scheduled, Arc::clone(shard))));
    }

    /// Reads several values of one shard at once.
    pub(crate) async fn read_many(
        &self,
        shard: &Shard,
        keys: &[&[u8]],
        names: &[&str],
        verify: bool,
    ) -> Result<Vec<Option<Bytes>>, Down> {
        let Some(remote) = &self.remote else {
            return Err(Down);
        };
        let (thaw, sent) = (self.instance.epoch(), self.instance.moment());
        let with_logs =
            self.logged().is_some() && (verify || !names.is_empty() || self.is_due(shard, &sent));
        let (asked, asked_tags) = (shard.position(), self.tags.asked());
        let read = Read {
            shard: shard.index(),
            keys,
            log: with_logs.then_some(asked),
            tag_log: (with_logs && self.tags.is_remote()).then_some(asked_tags.position),
            names,
            log_limit: LOG_LIMIT,
        };
        let Ok(answer) = remote.call(&self.instance, remote.store().read(read)).await else {
            self.count(None, Counter::RemoteErrors, 1);
            return Err(Down);
        };
        let ReadAnswer {
            mut values,
            log,
            tag_log,
            generations,
            time,
        } = answer;
        let logged = log.is_some();
        if let Some(log) = log {
            let position = log.position;
            self.take_log(shard.apply(asked, log));
            shard.moved(asked, position);
        }
        if let Some(log) = tag_log {
            if log.gap {
                self.missed("generations");
            }
            self.tags.apply(asked_tags, log, names, &generations);
        }
        if logged {
            shard.verified(&sent, thaw, time);
        }
        values.resize(keys.len(), None);
        Ok(values)
    }

    fn take_log(&self, applied: Applied<Change>) {
        match applied {
            Applied::Gap => self.missed("changes"),
            Applied::Entries(changes) => changes.iter().for_each(|change| self.take_change(change)),
        }
    }

    fn take_change(&self, change: &Change) {
        let key = FullKey::of_bytes(&change.key, self.settings.seed);
        let entry = self.table.get(&key);
        if entry
            .as_ref()
            .is_some_and(|entry| entry.version >= change.version)
        {
            return;
        }
        match change.kind {
            ChangeKind::Expired => self.stripes.void(&key, || {
                self.table.get(&key).iter().for_each(|entry| entry.expire());
            }),
            ChangeKind::Replaced => self.void(&key),
        }
    }

    fn missed(&self, what: &'static str) {
        self.count(None, Counter::Gaps, 1);
        tracing::info!(
            what,
            "the log of the remote cache has a gap: entries in this process are void"
        );
    }
}

/// A read that is about to start. Lost with its runtime before it has, it leaves nobody waiting.
struct Scheduled {
    shared: Arc<Shared>,
    index: u16,
    taken: bool,
}

impl Drop for Scheduled {
    fn drop(&mut self) {
        while !self.taken {
            let (lost, more) = self.shared.coalescer.take(self.index);
            drop(lost);
            self.taken = !more;
        }
    }
}

async fn batch(mut scheduled: Scheduled, shard: Arc<Shard>) {
    // Others that are ready to run may want something of the same read.
    tokio::task::yield_now().await;
    let shared = Arc::clone(&scheduled.shared);
    scheduled.taken = true;
    let (batch, more) = shared.coalescer.take(shard.index());
    if more {
        shared.start_batch(&shard);
    }
    let (keys, places) = distinct(&batch);
    let mut names: Vec<&str> = batch
        .iter()
        .flat_map(|wanted| &wanted.names)
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    let verify = places.iter().any(Option::is_none);
    let alone = keys.len() == batch.len();
    let mut values = shared.read_many(&shard, &keys, &names, verify).await;
    for (wanted, place) in batch.into_iter().zip(places) {
        let value = match &mut values {
            Err(down) => Err(*down),
            // Where nobody shares a value it is handed on, which a copy of it costs more than.
            Ok(values) => Ok(place.and_then(|place| {
                let value = values.get_mut(place)?;
                if alone { value.take() } else { value.clone() }
            })),
        };
        wanted.answer(value);
    }
    shared.replay_soon();
}
