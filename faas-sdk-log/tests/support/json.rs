//! JSON read strictly: a key that stands twice in an object is an error.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;
use std::ops::Deref;

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) value: Value,
    /// Its keys at the top level, in their order.
    pub(crate) keys: Vec<String>,
    /// How many bytes it has, with its line feed.
    pub(crate) length: usize,
}

impl Deref for Line {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

/// Reads a line, its line feed included.
#[track_caller]
pub(crate) fn line(text: &str) -> Line {
    let body = text
        .strip_suffix('\n')
        .unwrap_or_else(|| panic!("no line feed behind {text}"));
    assert!(!body.contains(['\n', '\r', '\u{2028}']), "{text}");
    let Members(value, keys) = match serde_json::from_str(body) {
        Ok(members) => members,
        Err(error) => panic!("{error}: {text}"),
    };
    Line {
        value,
        keys,
        length: text.len(),
    }
}

/// The keys of an object, in their order.
pub(crate) fn keys(object: &str) -> Vec<String> {
    let Members(_, keys) = serde_json::from_str(object).expect("an object");
    keys
}

/// An object, and its keys in their order.
struct Members(Value, Vec<String>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor).map(|members| {
            let keys = members.iter().map(|(key, _)| key.clone()).collect();
            Self(Value::Object(Map::from_iter(members)), keys)
        })
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object without duplicate keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Self::Value = Vec::new();
        while let Some((key, Strict(value))) = map.next_entry::<String, Strict>()? {
            if members.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom(format_args!("`{key}` stands there twice")));
            }
            members.push((key, value));
        }
        Ok(members)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without duplicate keys")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(Strict(element)) = seq.next_element()? {
            elements.push(element);
        }
        Ok(elements.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        let members = ObjectVisitor.visit_map(map)?;
        Ok(Value::Object(Map::from_iter(members)))
    }
}

#[test]
#[should_panic(expected = "`b` stands there twice")]
fn a_key_that_stands_twice_is_found_at_every_level() {
    line("{\"a\":[{\"b\":1,\"c\":{},\"b\":2}]}\n");
}
