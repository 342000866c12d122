/// How deep arrays, maps and enum variants may nest: as deep as `serde_json` reads them.
pub(super) const MAX_DEPTH: usize = 128;

/// Shorter bytes cannot nest deep enough to overflow a stack.
const SHALLOW: usize = 512;

/// Whether MessagePack nests at most [`MAX_DEPTH`] levels.
///
/// The decoder recurses, and does not count levels of enum variants: without this, a long value that
/// is nothing but levels would end the process. It stops at bytes that are not well formed, as the
/// decoder does.
pub(super) fn is_bounded(bytes: &[u8]) -> bool {
    bytes.len() <= SHALLOW || has_bounded_levels(bytes)
}

fn has_bounded_levels(mut rest: &[u8]) -> bool {
    // For each level that is open, how many of its elements are still to come.
    let mut open = [0_u64; MAX_DEPTH];
    let mut depth = 0;
    while let Some((&marker, after)) = rest.split_first() {
        let Some((skipped, elements)) = token(marker, after) else {
            return true;
        };
        let Some(after) = usize::try_from(skipped)
            .ok()
            .and_then(|skipped| after.get(skipped..))
        else {
            return true;
        };
        rest = after;
        if elements > 0 {
            let Some(level) = open.get_mut(depth) else {
                return false;
            };
            *level = elements;
            depth += 1;
            continue;
        }
        // A value is complete, and with it the levels that it was the last element of.
        loop {
            let Some(level) = depth.checked_sub(1).and_then(|top| open.get_mut(top)) else {
                return true;
            };
            *level -= 1;
            if *level > 0 {
                break;
            }
            depth -= 1;
        }
    }
    true
}

/// How many bytes follow a marker before the next one, and how many values belong to it.
fn token(marker: u8, after: &[u8]) -> Option<(u64, u64)> {
    let len = |bytes: usize| {
        let len = after.get(..bytes)?;
        Some(len.iter().fold(0, |len, byte| len << 8 | u64::from(*byte)))
    };
    Some(match marker {
        0x00..=0x7F | 0xE0..=0xFF | 0xC0 | 0xC2 | 0xC3 => (0, 0),
        0x80..=0x8F => (0, u64::from(marker & 0x0F) * 2),
        0x90..=0x9F => (0, u64::from(marker & 0x0F)),
        0xA0..=0xBF => (u64::from(marker & 0x1F), 0),
        0xC4 | 0xD9 => (1 + len(1)?, 0),
        0xC5 | 0xDA => (2 + len(2)?, 0),
        0xC6 | 0xDB => (4 + len(4)?, 0),
        0xC7 => (2 + len(1)?, 0),
        0xC8 => (3 + len(2)?, 0),
        0xC9 => (5 + len(4)?, 0),
        0xCC | 0xD0 => (1, 0),
        0xCD | 0xD1 => (2, 0),
        0xCA | 0xCE | 0xD2 => (4, 0),
        0xCB | 0xCF | 0xD3 => (8, 0),
        0xD4..=0xD8 => (1 + (1 << (marker - 0xD4)), 0),
        0xDC => (2, len(2)?),
        0xDD => (4, len(4)?),
        0xDE => (2, len(2)? * 2),
        0xDF => (4, len(4)? * 2),
        0xC1 => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nested(level: &[u8], levels: usize) -> Vec<u8> {
        let mut bytes = level.repeat(levels);
        bytes.push(0xC0);
        bytes
    }

    #[test]
    fn levels_are_counted_however_they_are_written() {
        let array16 = [0xDC, 0, 1];
        let map32 = [0xDF, 0, 0, 0, 1, 0xA1, b'k'];
        for level in [
            &[0x91][..],
            &[0x92, 0x05],
            &[0x81, 0xA1, b'k'],
            &array16,
            &map32,
        ] {
            assert!(has_bounded_levels(&nested(level, MAX_DEPTH)), "{level:?}");
            assert!(
                !has_bounded_levels(&nested(level, MAX_DEPTH + 1)),
                "{level:?}"
            );
        }
    }

    #[test]
    fn breadth_is_no_depth() {
        let row = nested(&[0x91], MAX_DEPTH - 1);
        let rows = [&[0xDC, 0x03, 0xE8][..], &row.repeat(1000)].concat();
        assert!(has_bounded_levels(&rows));
        let empty = [&[0xDC, 0x03, 0xE8][..], &[0x90, 0x80].repeat(500)].concat();
        assert!(has_bounded_levels(&empty));
    }

    #[test]
    fn every_token_is_skipped_whole() {
        // What the skipped bytes look like does not count.
        let hole = [0x91; 300];
        for (marker, len, data) in [
            (0xC4, &[200][..], 200),
            (0xC5, &[1, 0], 256),
            (0xC6, &[0, 0, 1, 0], 256),
            (0xC7, &[200, 0], 200),
            (0xC8, &[1, 0, 0], 256),
            (0xC9, &[0, 0, 1, 0, 0], 256),
            (0xD8, &[0], 16),
            (0xD9, &[200], 200),
            (0xDB, &[0, 0, 1, 0], 256),
            (0xCB, &[], 8),
            (0xCD, &[], 2),
        ] {
            let token = [&[0x92, marker][..], len, &hole[..data], &[0x07]].concat();
            assert!(has_bounded_levels(&token), "{marker:x}");
            let token = [&token[..token.len() - 1], &nested(&[0x91], MAX_DEPTH)].concat();
            assert!(!has_bounded_levels(&token), "{marker:x}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_trouble(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            has_bounded_levels(&bytes);
        }
    }
}
