use std::fmt::Write as _;

/// The longest key, the region's name included, in bytes.
pub(crate) const MAX_KEY_BYTES: usize = 1024;

/// What names an entry within a region: text, numbers, and tuples of them.
///
/// One region should use one type of key: the text `a:b` and the tuple `("a", "b")` are the same key.
/// Within tuples, `:` and `%` of a part are escaped, so that `("a:b", "c")` and `("a", "b:c")` differ.
pub trait Key {
    /// Appends the key's bytes.
    fn write(&self, out: &mut KeyBuffer);
}

/// Takes the bytes of a key; short keys need no allocation.
#[derive(Debug)]
pub struct KeyBuffer {
    short: [u8; 96],
    len: usize,
    long: Vec<u8>,
    escaping: bool,
}

impl KeyBuffer {
    pub(crate) fn new() -> Self {
        Self {
            short: [0; 96],
            len: 0,
            long: Vec::new(),
            escaping: false,
        }
    }

    /// Appends bytes as they are.
    pub fn push(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if self.long.is_empty()
            && let Some(room) = self.short.get_mut(self.len..end)
        {
            room.copy_from_slice(bytes);
        } else {
            if self.long.is_empty() {
                self.long.extend_from_slice(&self.short[..self.len]);
            }
            self.long.extend_from_slice(bytes);
        }
        self.len = end;
    }

    /// Appends text or bytes that a caller chose: escaped where the key is a tuple.
    pub fn push_part(&mut self, bytes: &[u8]) {
        if !self.escaping {
            return self.push(bytes);
        }
        for piece in bytes.split_inclusive(|byte| matches!(byte, b':' | b'%')) {
            match piece.split_last() {
                Some((b':', rest)) => {
                    self.push(rest);
                    self.push(b"%3A");
                }
                Some((b'%', rest)) => {
                    self.push(rest);
                    self.push(b"%25");
                }
                _ => self.push(piece),
            }
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        if self.long.is_empty() {
            &self.short[..self.len]
        } else {
            &self.long
        }
    }

    fn tuple(&mut self, parts: &[&dyn Key]) {
        let outer = std::mem::replace(&mut self.escaping, true);
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.push(b":");
            }
            part.write(self);
        }
        self.escaping = outer;
    }
}

impl std::fmt::Write for KeyBuffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.push_part(text.as_bytes());
        Ok(())
    }
}

impl Key for str {
    fn write(&self, out: &mut KeyBuffer) {
        out.push_part(self.as_bytes());
    }
}

impl Key for String {
    fn write(&self, out: &mut KeyBuffer) {
        self.as_str().write(out);
    }
}

impl Key for [u8] {
    fn write(&self, out: &mut KeyBuffer) {
        out.push_part(self);
    }
}

impl<const N: usize> Key for [u8; N] {
    fn write(&self, out: &mut KeyBuffer) {
        out.push_part(self);
    }
}

impl<K: Key + ?Sized> Key for &K {
    fn write(&self, out: &mut KeyBuffer) {
        (**self).write(out);
    }
}

macro_rules! displayed {
    ($($type:ty)+) => {
        $(impl Key for $type {
            fn write(&self, out: &mut KeyBuffer) {
                // Writing into the buffer does not fail.
                let _written = write!(out, "{self}");
            }
        })+
    };
}

displayed! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize bool char }

macro_rules! tuples {
    ($(($($part:ident)+))+) => {
        $(impl<$($part: Key),+> Key for ($($part,)+) {
            fn write(&self, out: &mut KeyBuffer) {
                #[allow(non_snake_case, reason = "parts are named like their types")]
                let ($($part,)+) = self;
                out.tuple(&[$($part),+]);
            }
        })+
    };
}

tuples! { (A B) (A B C) (A B C D) }

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: impl Key) -> String {
        let mut out = KeyBuffer::new();
        key.write(&mut out);
        String::from_utf8(out.bytes().to_vec()).expect("text")
    }

    #[test]
    fn parts_of_tuples_cannot_be_confused() {
        assert_eq!(text("a:b%"), "a:b%");
        assert_eq!(text(("a:b", "c")), "a%3Ab:c");
        assert_eq!(text(("a", "b:c")), "a:b%3Ac");
        assert_eq!(text(("a", ("b", 7_u8))), "a:b:7");
        assert_ne!(text(("%3A", "x")), text((":", "x")));
        assert_eq!(text((1_i32, -2_i64, true, 'x')), "1:-2:true:x");
    }

    #[test]
    fn long_keys_spill_over() {
        for len in [0, 95, 96, 97, 500] {
            let long = "k".repeat(len);
            assert_eq!(text(long.as_str()), long);
            assert_eq!(
                text((long.as_str(), long.as_str())),
                format!("{long}:{long}")
            );
        }
    }
}
