//! Values into the types that want them.

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::{Problem, Refusal};
use super::value::{Table, Value};

/// Reads a value as `T`.
pub(super) fn decode<T: DeserializeOwned>(value: &Value) -> Result<T, Refusal> {
    let reader = Reader {
        value,
        guess: false,
    };
    T::deserialize(reader).or_else(|refusal| {
        // A type that buffers what it reads has lost what it wanted; a variable's number then has to
        // look like one by itself.
        let reader = Reader { value, guess: true };
        match value.variable() {
            Some(_) => T::deserialize(reader).map_err(|_| refusal),
            None => Err(refusal),
        }
    })
}

/// Reads the value below `value` at `path`, if there is one; a variable's text may hold it too.
pub(super) fn pick<T: DeserializeOwned>(
    value: &Value,
    path: &[&str],
) -> Result<Option<T>, Refusal> {
    let Some((key, rest)) = path.split_first() else {
        return decode(value).map(Some);
    };
    match value {
        Value::Table(table) => match table.get(*key) {
            Some(inner) => pick(inner, rest).map_err(|refusal| refusal.at(key, inner)),
            None => Ok(None),
        },
        Value::Text { text, .. } => match super::text::value(text) {
            Some(table @ Value::Table(_)) => pick(&table, path).map_err(Refusal::in_text),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    value: &'a Value,
    /// Whether a variable's text is offered as what it looks like where the type does not say.
    guess: bool,
}

impl<'a> Reader<'a> {
    fn of(self, value: &'a Value) -> Self {
        Self { value, ..self }
    }

    /// Reads a list or a table, which a variable writes as text.
    fn structured<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.value {
            Value::Text { text, .. } => match super::text::value(text) {
                Some(value @ (Value::Array(_) | Value::Table(_))) => {
                    let read = self.of(&value).deserialize_any(visitor);
                    read.map_err(Refusal::in_text)
                }
                _ => Err(Refusal::new(Problem::Expected(format!(
                    "{}, written as JSON",
                    &visitor as &dyn Expected
                )))),
            },
            _ => self.deserialize_any(visitor),
        }
    }
}

/// Numbers and booleans: a variable's text is parsed as the very type.
macro_rules! parsed {
    ($($method:ident $visit:ident $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            match self.value {
                Value::Text { text, .. } => match text.trim().parse::<$type>() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => Err(Refusal::invalid_value(Unexpected::Other("text"), &visitor)),
                },
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

/// Methods that do what another one does.
macro_rules! routed {
    ($($to:ident: $($method:ident($($argument:ty),*))*;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* visitor: V) -> Result<V::Value, Refusal> {
            self.$to(visitor)
        }
    )*)*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => visitor.visit_i64(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Array(items) => {
                let mut list = List {
                    reader: self,
                    items: items.iter(),
                    index: 0,
                };
                let value = visitor.visit_seq(&mut list)?;
                list.finish(value)
            }
            Value::Table(table) => visitor.visit_map(Entries::new(self, table)),
            Value::Text { text, .. } if self.guess => match super::text::value(text) {
                Some(Value::Null | Value::String(_)) | None => self.deserialize_str(visitor),
                Some(value) => {
                    let read = self.of(&value).deserialize_any(visitor);
                    read.map_err(Refusal::in_text)
                }
            },
            Value::String(_) | Value::Text { .. } => self.deserialize_str(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.value {
            Value::String(text) | Value::Text { text, .. } => {
                let expected = (&visitor as &dyn Expected).to_string();
                visitor
                    .visit_str(text)
                    .map_err(|refusal: Refusal| refusal.or_expected(expected))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    parsed! {
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.value {
            Value::Text { text, .. } if text.trim_start().starts_with('{') => {
                match super::text::value(text) {
                    Some(Value::Table(table)) => {
                        self.variant(&table, visitor).map_err(Refusal::in_text)
                    }
                    _ => Err(Refusal::invalid_type(Unexpected::Other("text"), &visitor)),
                }
            }
            Value::String(text) | Value::Text { text, .. } => {
                visitor.visit_enum(text.as_str().into_deserializer())
            }
            Value::Table(table) => self.variant(table, visitor),
            _ => Err(Refusal::invalid_type(Unexpected::Other("value"), &visitor)),
        }
    }

    routed! {
        deserialize_str: deserialize_char() deserialize_string() deserialize_identifier()
            deserialize_bytes() deserialize_byte_buf();
        structured: deserialize_seq() deserialize_map() deserialize_tuple(usize)
            deserialize_tuple_struct(&'static str, usize)
            deserialize_struct(&'static str, &'static [&'static str]);
    }

    forward_to_deserialize_any! { unit unit_struct ignored_any }
}

impl Reader<'_> {
    /// An enum's variant with content: a table whose one key is the variant.
    fn variant<'de, V: Visitor<'de>>(self, table: &Table, visitor: V) -> Result<V::Value, Refusal> {
        match table.len() {
            1 => visitor.visit_enum(MapAccessDeserializer::new(Entries::new(self, table))),
            _ => Err(Refusal::invalid_type(Unexpected::Map, &visitor)),
        }
    }
}

struct List<'a> {
    reader: Reader<'a>,
    items: std::slice::Iter<'a, Value>,
    index: usize,
}

impl List<'_> {
    /// A tuple that left items unread was given too many.
    fn finish<T>(self, value: T) -> Result<T, Refusal> {
        match self.items.len() {
            0 => Ok(value),
            _ => Err(Refusal::new(Problem::Expected(format!(
                "{} items",
                self.index
            )))),
        }
    }
}

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = Refusal;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        seed.deserialize(self.reader.of(item))
            .map(Some)
            .map_err(|refusal| refusal.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'a> {
    reader: Reader<'a>,
    entries: std::collections::btree_map::Iter<'a, String, Value>,
    /// The entry whose key was read last.
    open: Option<(&'a str, &'a Value)>,
}

impl<'a> Entries<'a> {
    fn new(reader: Reader<'a>, table: &'a Table) -> Self {
        Self {
            reader,
            entries: table.iter(),
            open: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        self.open = Some((key, value));
        // Read as text is, so that the keys of a map may be numbers.
        let text = Value::Text {
            variable: String::new(),
            text: key.clone(),
        };
        let reader = Reader {
            value: &text,
            guess: false,
        };
        seed.deserialize(reader)
            .map(Some)
            .map_err(|refusal| match refusal.has_path() {
                true => refusal.set_by(value),
                false => refusal.at(key, value),
            })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        match self.open.take() {
            Some((key, value)) => seed
                .deserialize(self.reader.of(value))
                .map_err(|refusal| refusal.at(key, value)),
            None => Err(Refusal::custom("value asked for before its key")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}
