//! What stores read and write, without a look at the rest: the scripts of remote stores do exactly
//! this.
//!
//! What does not start like an envelope, or is shorter than a head, has no fields here, is not fresh,
//! and is not written to. The envelope version is not looked at.

use super::header::State;
use super::layout::{CREATED_AT, HEAD, MAGIC, STATE_AT, TTL_AT, VERSION_AT, u8_at, u64_at};
use crate::version::Version;
use bytes::{Bytes, BytesMut};

/// Writes the version and the time of creation. Copies, unless the envelope is not shared.
pub fn stamp(envelope: Bytes, version: Version, created_us: u64) -> Bytes {
    edit(envelope, |head| {
        head[VERSION_AT..CREATED_AT].copy_from_slice(&version.to_le_bytes());
        head[CREATED_AT..].copy_from_slice(&created_us.to_le_bytes());
    })
}

/// Marks it as expired. Copies, unless the envelope is not shared.
pub fn expire(envelope: Bytes) -> Bytes {
    edit(envelope, |head| head[STATE_AT] = State::Expired.byte())
}

fn edit(envelope: Bytes, change: impl FnOnce(&mut [u8; HEAD])) -> Bytes {
    if marked(&envelope).is_none() {
        return envelope;
    }
    let mut envelope = BytesMut::from(envelope);
    envelope.first_chunk_mut().map(change);
    envelope.freeze()
}

/// Whether it is live and its time to live has not passed.
pub fn is_fresh(envelope: &[u8], now_us: u64) -> bool {
    let (Some(State::Live), Some(created), Some(ttl)) =
        (state_of(envelope), created_of(envelope), ttl_of(envelope))
    else {
        return false;
    };
    now_us < created.saturating_add(ttl.saturating_mul(1000))
}

/// The version. `None` for what is no envelope, as with the others.
pub fn version_of(envelope: &[u8]) -> Option<Version> {
    marked(envelope).and_then(|envelope| u64_at(envelope, VERSION_AT))
}

/// The time of creation in microseconds since the Unix epoch, on the store's clock.
pub(super) fn created_of(envelope: &[u8]) -> Option<u64> {
    marked(envelope).and_then(|envelope| u64_at(envelope, CREATED_AT))
}

/// The time to live in milliseconds.
pub(super) fn ttl_of(envelope: &[u8]) -> Option<u64> {
    marked(envelope).and_then(|envelope| u64_at(envelope, TTL_AT))
}

/// The state.
pub(crate) fn state_of(envelope: &[u8]) -> Option<State> {
    marked(envelope)
        .and_then(|envelope| u8_at(envelope, STATE_AT))
        .and_then(State::of)
}

/// Nothing else has a head.
fn marked(envelope: &[u8]) -> Option<&[u8]> {
    (envelope.len() >= HEAD && envelope.starts_with(&MAGIC)).then_some(envelope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(ttl_ms: u64) -> Bytes {
        let mut bytes = vec![0xAA; 3 * HEAD];
        bytes[..2].copy_from_slice(&MAGIC);
        bytes[STATE_AT] = 0;
        bytes[TTL_AT..TTL_AT + 8].copy_from_slice(&ttl_ms.to_le_bytes());
        bytes.into()
    }

    #[test]
    fn a_stamp_touches_version_and_created_alone() {
        let before = envelope(5);
        let after = stamp(before.clone(), 7, 9);
        assert_eq!(
            (version_of(&after), created_of(&after), ttl_of(&after)),
            (Some(7), Some(9), Some(5))
        );
        assert_eq!(after[..VERSION_AT], before[..VERSION_AT]);
        assert_eq!(after[HEAD..], before[HEAD..]);
    }

    #[test]
    fn freshness_ends_with_the_time_to_live_or_on_demand() {
        let stamped = stamp(envelope(5), 1, 1_000_000);
        assert!(is_fresh(&stamped, 0) && is_fresh(&stamped, 1_004_999));
        assert!(!is_fresh(&stamped, 1_005_000));
        let expired = expire(stamped.clone());
        assert!(!is_fresh(&expired, 1_000_000));
        assert_eq!(state_of(&expired), Some(State::Expired));
        assert_eq!(expired[STATE_AT + 1..], stamped[STATE_AT + 1..]);
    }

    #[test]
    fn a_time_to_live_without_end_does_not_overflow() {
        assert!(is_fresh(&stamp(envelope(u64::MAX), 1, 1), u64::MAX - 1));
        assert!(is_fresh(&stamp(envelope(1), 1, u64::MAX), 1));
    }

    #[test]
    fn what_has_no_head_is_left_alone() {
        for len in 0..HEAD {
            let short = envelope(1).slice(..len);
            assert_eq!(stamp(short.clone(), 1, 1), short);
            assert_eq!(expire(short.clone()), short);
            assert!(!is_fresh(&short, 0));
        }
        let other = Bytes::from_static(b"not an envelope, but long enough to be");
        assert_eq!((version_of(&other), state_of(&other)), (None, None));
        assert_eq!(expire(stamp(other.clone(), 1, 1)), other);
        assert!(!is_fresh(&other, 0));
    }
}
