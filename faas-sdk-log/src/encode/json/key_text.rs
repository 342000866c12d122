//! Keys of maps as text.

use std::fmt::{self, Display, Write};

use serde::{Serialize, Serializer, ser::Impossible};

use super::writer::{NESTED, Stopped};

/// No more of a key is looked at. What is written of it is shorter.
const LONGEST: usize = 1024;

/// Stored for a key that has no text of its own.
const UNSUPPORTED: &str = "unsupported";

/// Replaces `text` by the key as text.
pub(super) fn key_text<T: Serialize + ?Sized>(text: &mut String, key: &T) {
    text.clear();
    if key.serialize(KeyText { text, nested: 0 }).is_err() {
        text.clear();
        text.push_str(UNSUPPORTED);
    }
}

struct KeyText<'a> {
    text: &'a mut String,
    nested: usize,
}

impl KeyText<'_> {
    fn put(self, text: &str) -> Result<(), Stopped> {
        // A text that does not fit is stored as far as it does.
        let _ = Bounded(self.text).write_str(text);
        Ok(())
    }

    fn inner<T: Serialize + ?Sized>(self, key: &T) -> Result<(), Stopped> {
        let nested = self.nested + 1;
        if nested > NESTED {
            Err(Stopped)
        } else {
            key.serialize(Self { nested, ..self })
        }
    }
}

/// Ends with an error as soon as there is enough.
struct Bounded<'a>(&'a mut String);

impl Write for Bounded<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = part.floor_char_boundary(LONGEST.saturating_sub(self.0.len()));
        self.0.push_str(part.get(..end).unwrap_or_default());
        if end < part.len() {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

type Never = Impossible<(), Stopped>;

macro_rules! integers {
    ($($method:ident $type:ty),+ $(,)?) => {$(
        fn $method(self, value: $type) -> Result<(), Stopped> {
            self.put(itoa::Buffer::new().format(value))
        }
    )+};
}

/// What can not be a key.
macro_rules! unsupported {
    ($($method:ident($($argument:ty),*) -> $result:ty;)+) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$result, Stopped> {
            Err(Stopped)
        }
    )+};
}

impl Serializer for KeyText<'_> {
    type Ok = ();
    type Error = Stopped;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    integers! {
        serialize_i8 i8,
        serialize_i16 i16,
        serialize_i32 i32,
        serialize_i64 i64,
        serialize_i128 i128,
        serialize_u8 u8,
        serialize_u16 u16,
        serialize_u32 u32,
        serialize_u64 u64,
        serialize_u128 u128,
    }

    fn serialize_bool(self, value: bool) -> Result<(), Stopped> {
        self.put(if value { "true" } else { "false" })
    }

    fn serialize_f32(self, value: f32) -> Result<(), Stopped> {
        self.put(zmij::Buffer::new().format(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Stopped> {
        self.put(zmij::Buffer::new().format(value))
    }

    fn serialize_char(self, value: char) -> Result<(), Stopped> {
        self.put(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Stopped> {
        self.put(value)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Stopped> {
        // As far as it fits, or as the value gets before it fails.
        let _ = write!(Bounded(self.text), "{value}");
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Stopped> {
        self.put(variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stopped> {
        self.inner(value)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        self.inner(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Stopped> {
        Err(Stopped)
    }

    unsupported! {
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }
}
