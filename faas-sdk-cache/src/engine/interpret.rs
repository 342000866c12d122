use crate::coherence::{Guard, tag_name};
use crate::engine::Shared;
use crate::engine::target::Target;
use crate::local::{Entry, Guards};
use crate::stats::Counter;
use crate::store::Version;
use crate::value::Source;
use crate::wire::{self, Envelope, Header, Invalid, State};
use bytes::Bytes;
use faas_sdk_scope::{Moment, Scope};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What a remote value is good for.
pub(crate) enum Meaning {
    Fresh(Entry),
    /// It has expired, and may stand in or help the loader.
    Stale(Entry),
    /// Nothing: it was cleared, is not readable, or is dead.
    Useless,
}

/// Judges a remote value. Also says which version it has, so that a lease is not refused for its sake.
pub(crate) async fn interpret<V: Send + Sync + 'static>(
    shared: &Arc<Shared>,
    scope: Option<&Scope>,
    target: &Target<V>,
    guards: Guards,
    bytes: Bytes,
) -> (Meaning, Option<Version>) {
    let version = wire::version_of(&bytes);
    let meaning = match read(shared, target, guards, bytes).await {
        Ok(meaning) => meaning,
        Err(invalid) => {
            shared.count(scope, Counter::Invalid, 1);
            tracing::warn!(
                region = target.region.name,
                reason = invalid.as_str(),
                "a value of the remote cache cannot be read and is taken for missing"
            );
            Meaning::Useless
        }
    };
    (meaning, version)
}

async fn read<V: Send + Sync + 'static>(
    shared: &Arc<Shared>,
    target: &Target<V>,
    guards: Guards,
    bytes: Bytes,
) -> Result<Meaning, Invalid> {
    let Some(form) = &target.region.form else {
        return Ok(Meaning::Useless);
    };
    let envelope = Envelope::decode(bytes)?;
    let key_hash = wire::key_hash(target.key.bytes());
    envelope.check(key_hash, form.codec, |id| target.region.reads_schema(id))?;
    let header = envelope.header();
    let Some(guards) = complete(shared, target, guards, &envelope).await else {
        return Ok(Meaning::Useless);
    };
    let now = shared.instance.moment();
    let times = Times::of(target, header, &now);
    if times.kept.is_zero() {
        return Ok(Meaning::Useless);
    }
    let value: Option<Arc<dyn Any + Send + Sync>> = if header.negative {
        None
    } else {
        let plain = envelope.plain(shared.settings.value_cap)?;
        Some(Arc::new(
            (form.decode)(plain).map_err(|_undecodable| Invalid::Schema)?,
        ))
    };
    let weigh = |value: &Arc<dyn Any + Send + Sync>| {
        let weigher = target.region.weigher?;
        Some(weigher(value.downcast_ref::<V>()?))
    };
    let weight = value.as_ref().and_then(weigh);
    let entry = Entry {
        value,
        version: header.version,
        taken: now,
        age: times.age,
        l1_fresh: target
            .policy
            .l1_ttl
            .map_or(times.fresh, |ttl| ttl.min(times.fresh)),
        fresh: times.fresh,
        kept: times.kept,
        cost: Duration::from_millis(u64::from(header.cost_ms)),
        etag: envelope.etag().map(Into::into),
        weight: weight.unwrap_or(envelope.plain_len().max(size_of::<V>())),
        guards,
        origin: Source::L2,
        rearmed: false,
        expired: AtomicBool::new(header.state == State::Expired),
    };
    Ok(if times.fresh.is_zero() {
        Meaning::Stale(entry)
    } else {
        Meaning::Fresh(entry)
    })
}

/// How old a remote value is, and how long it will do.
struct Times {
    age: Duration,
    fresh: Duration,
    kept: Duration,
}

impl Times {
    fn of<V>(target: &Target<V>, header: &Header, now: &Moment) -> Self {
        let own = now.realtime / 1000;
        // A store that does not tell its time has to do with ours.
        let micros = target.shard.store_micros(now).unwrap_or(own);
        let age = Duration::from_micros(micros.saturating_sub(header.created_us));
        let ttl = Duration::from_millis(header.ttl_ms);
        let physical = if header.negative {
            ttl
        } else {
            target.policy.physical(ttl)
        };
        let fresh = match header.state {
            State::Live => ttl.saturating_sub(age),
            State::Expired => Duration::ZERO,
        };
        Self {
            age,
            fresh,
            kept: physical.saturating_sub(age),
        }
    }
}

/// Adds the guards of an entry's tags; `None` if one of its generations has passed or is
/// not known.
async fn complete<V>(
    shared: &Arc<Shared>,
    target: &Target<V>,
    guards: Guards,
    envelope: &Envelope,
) -> Option<Guards> {
    let header = envelope.header();
    if !shared.tags.is_remote() {
        let tags = envelope
            .tags()
            .map(|(name, _)| shared.tags.tag(name).guard())
            .collect();
        return Some(guards.with_tags(tags));
    }
    let (all, region) = (shared.tags.all(), &target.names.generation);
    if header.all_generation > all.get() || header.region_generation > region.get() {
        // Whoever stored it has learnt of a clear that is news here.
        shared
            .verify(target.asked_shard(shared), Vec::new())
            .await
            .ok()?;
    }
    if header.all_generation != all.get() || header.region_generation != region.get() {
        return None;
    }
    let unknown: Vec<String> = envelope
        .tags()
        .filter(|(name, _)| !shared.tags.tag(name).is_known())
        .map(|(name, _)| tag_name(name))
        .collect();
    if !unknown.is_empty() {
        shared
            .verify(target.asked_shard(shared), unknown)
            .await
            .ok()?;
    }
    let tags: Vec<Guard> = envelope
        .tags()
        .map(|(name, generation)| Guard::on(&shared.tags.tag(name), generation))
        .collect();
    tags.iter()
        .all(Guard::holds)
        .then(|| guards.with_tags(tags))
}
