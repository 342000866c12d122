use crate::chance::jittered;
use crate::coherence::Guard;
use crate::engine::Shared;
use crate::engine::target::{Before, Target};
use crate::local::Entry;
use crate::stats::Counter;
use crate::value::Source;
use crate::wire::{self, COMPRESS_ABOVE, Header, State};
use bytes::Bytes;
use faas_sdk_scope::Scope;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What is to be stored under a key.
pub(crate) struct Content<V> {
    /// `None`: there is no such thing.
    pub(crate) value: Option<Arc<V>>,
    /// In place of the policy's.
    pub(crate) ttl: Option<Duration>,
    pub(crate) etag: Option<Box<str>>,
    pub(crate) cost: Duration,
    /// Guards on tags beside the target's.
    pub(crate) tags: Vec<Guard>,
}

/// What is stored at each level.
pub(crate) struct Prepared {
    pub(crate) entry: Entry,
    /// `None`: it is not for the remote level.
    pub(crate) envelope: Option<Bytes>,
    pub(crate) physical: Duration,
}

/// What came of preparing.
pub(crate) type Preparing = (Prepared, Result<(), crate::error::BoxError>);

/// Makes an entry of what was loaded or set, and an envelope if it can be stored remotely. An error
/// says why it cannot; the entry is right in any case.
pub(crate) fn prepare<V: Send + Sync + 'static>(
    shared: &Shared,
    scope: Option<&Scope>,
    target: &Target<V>,
    content: Content<V>,
    before: Before,
) -> Preparing {
    let Target { region, policy, .. } = target;
    let Content {
        value,
        ttl,
        etag,
        cost,
        tags,
    } = content;
    let default = if value.is_some() {
        policy.ttl
    } else {
        policy.negative_ttl.unwrap_or_default()
    };
    let ttl = jittered(ttl.unwrap_or(default), policy.jitter);
    let physical = if value.is_some() {
        policy.physical(ttl)
    } else {
        ttl
    };
    let before = Before {
        guards: before.guards.with_tags(tags),
        ..before
    };

    let remote = target.remote(shared).is_some();
    let weighed = value
        .as_ref()
        .and_then(|value| Some(region.weigher?(value)));
    let encoded = match (&value, &region.form) {
        (Some(value), Some(form)) if remote || weighed.is_none() => Some((form.encode)(value)),
        _ => None,
    };
    let mut fault = Ok(());
    let plain = match encoded.transpose() {
        Ok(plain) => plain,
        Err(error) => {
            fault = Err(error.into());
            None
        }
    };
    let length = plain.as_ref().map_or(0, Bytes::len);
    let weight = weighed.unwrap_or(length.max(size_of::<V>()));

    let mut envelope = None;
    // A lifetime of nothing is none: stores count in milliseconds.
    let lasting = physical >= Duration::from_millis(1);
    if remote && lasting && fault.is_ok() && before.are_known(shared) {
        match envelop(
            target,
            &before,
            etag.as_deref(),
            cost,
            ttl,
            value.is_none(),
            plain.unwrap_or_default(),
        ) {
            Ok(made) if made.len().max(length) <= shared.settings.value_cap => {
                envelope = Some(made);
            }
            Ok(_) => shared.count(scope, Counter::TooLarge, 1),
            Err(error) => fault = Err(error),
        }
    }
    let l1_ttl = policy
        .l1_ttl
        .map_or(ttl, |l1_ttl| jittered(l1_ttl, policy.jitter).min(ttl));
    let entry = Entry {
        value: value.map(|value| value as _),
        version: 0,
        taken: shared.instance.moment(),
        age: Duration::ZERO,
        l1_fresh: l1_ttl,
        fresh: ttl,
        kept: physical,
        cost,
        etag,
        weight,
        guards: before.guards,
        origin: Source::Loader,
        rearmed: false,
        expired: AtomicBool::new(false),
    };
    (
        Prepared {
            entry,
            envelope,
            physical,
        },
        fault,
    )
}

fn envelop<V>(
    target: &Target<V>,
    before: &Before,
    etag: Option<&str>,
    cost: Duration,
    ttl: Duration,
    negative: bool,
    plain: Bytes,
) -> Result<Bytes, crate::error::BoxError> {
    let form = target
        .region
        .form
        .as_ref()
        .ok_or("the region has no form for it")?;
    let header = Header {
        state: State::Live,
        version: 0,
        created_us: 0,
        ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
        negative,
        codec: form.codec,
        schema: target.region.schema,
        key_hash: wire::key_hash(target.key.bytes()),
        cost_ms: u32::try_from(cost.as_millis()).unwrap_or(u32::MAX),
        all_generation: before.all,
        region_generation: before.region,
    };
    let tags: Vec<_> = before.guards.tags().collect();
    Ok(wire::encode(&header, &tags, etag, &plain, COMPRESS_ABOVE)?)
}
