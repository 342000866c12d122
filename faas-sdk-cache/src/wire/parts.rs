use super::encode::MAX_ETAG_BYTES;
use super::invalid::Invalid;
use super::layout::{self, FIXED, HAS_ETAG, HAS_TAGS, u8_at, u16_at};
use super::tags::{MAX_TAGS, Tags};
use std::ops::Range;

/// Where the parts are that have no fixed place.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) tags: Range<usize>,
    pub(super) etag: Option<Range<usize>>,
    pub(super) payload: Range<usize>,
}

impl Parts {
    /// Of an envelope without its checksum.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, Invalid> {
        let flags = u8_at(bytes, layout::FLAGS_AT).ok_or(Invalid::TooShort)?;
        let mut at = FIXED;
        let mut tags = at..at;
        if flags & HAS_TAGS != 0 {
            let count = u8_at(bytes, at).ok_or(Invalid::TooShort)?;
            if count == 0 || usize::from(count) > MAX_TAGS {
                return Err(Invalid::Tags);
            }
            at += 1;
            let rest = bytes.get(at..).unwrap_or_default();
            let len = Tags::check(rest, count).ok_or(Invalid::Tags)?.bytes();
            tags = at..at + len;
            at = tags.end;
        }
        let mut etag = None;
        if flags & HAS_ETAG != 0 {
            let len = usize::from(u16_at(bytes, at).ok_or(Invalid::TooShort)?);
            let text = at + 2..at + 2 + len;
            let valid = bytes
                .get(text.clone())
                .is_some_and(|text| std::str::from_utf8(text).is_ok());
            if len > MAX_ETAG_BYTES || !valid {
                return Err(Invalid::Etag);
            }
            at = text.end;
            etag = Some(text);
        }
        Ok(Self {
            tags,
            etag,
            payload: at..bytes.len(),
        })
    }
}
