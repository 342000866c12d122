use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// The most names that are kept, and the longest one in bytes.
const MOST: usize = 256;
const LONGEST: usize = 256;

/// A name that came with a line, as one that lasts: records of the SDK take no others. Names of
/// events are few; beyond the most that are kept there is none.
pub(super) fn lasting(name: &str) -> Option<&'static str> {
    static KNOWN: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    if name.len() > LONGEST {
        return None;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(name) = known.get(name) {
        return Some(name);
    }
    if known.len() >= MOST {
        return None;
    }
    // Kept for good, at most 64 KiB of them.
    let name: &'static str = name.to_owned().leak();
    known.insert(name);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_and_not_without_end() {
        let first = lasting("cache.miss").expect("room");
        let second = lasting("cache.miss").expect("room");
        assert!(std::ptr::eq(first, second));
        assert_eq!(lasting(&"x".repeat(LONGEST + 1)), None);
        let kept = (0..2 * MOST).filter_map(|number| lasting(&number.to_string()));
        assert!(kept.count() < MOST);
        assert_eq!(lasting("cache.miss"), Some("cache.miss"));
    }
}
