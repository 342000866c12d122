//! Takes replies apart. Nothing that a server sends may cause more than an error.

use crate::store::{StoreError, Version};
use bytes::Bytes;
use faas_sdk_redis::redis::Value;

/// An entry of a stream.
#[derive(Debug)]
pub(super) struct Entry {
    /// The first half of its id.
    pub(super) version: Version,
    /// Its fields with their values.
    pub(super) fields: Vec<(Bytes, Bytes)>,
}

pub(super) fn array(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(StoreError::Garbled("no array")),
    }
}

/// An array of a known length.
pub(super) fn array_of(value: Value, count: usize) -> Result<Vec<Value>, StoreError> {
    let values = array(value)?;
    if values.len() == count {
        Ok(values)
    } else {
        Err(StoreError::Garbled("an array of another length"))
    }
}

pub(super) fn bytes(value: Value) -> Result<Option<Bytes>, StoreError> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes.into())),
        Value::SimpleString(text) => Ok(Some(text.into())),
        _ => Err(StoreError::Garbled("no string")),
    }
}

pub(super) fn number(value: &Value) -> Result<u64, StoreError> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(digits) => decimal(digits),
        Value::SimpleString(digits) => decimal(digits.as_bytes()),
        _ => None,
    }
    .ok_or(StoreError::Garbled("no number"))
}

/// The versions of so many changes; 0 stands for none.
pub(super) fn versions(values: &[Value], count: usize) -> Result<Vec<Option<Version>>, StoreError> {
    if values.len() != count {
        return Err(StoreError::Garbled("an array of another length"));
    }
    let version = |value| Ok(Some(number(value)?).filter(|version| *version > 0));
    values.iter().map(version).collect()
}

/// The answer to TIME, in microseconds.
pub(super) fn time(value: Value) -> Result<u64, StoreError> {
    let parts = array_of(value, 2)?;
    let seconds = number(&parts[0])?;
    Ok(seconds
        .saturating_mul(1_000_000)
        .saturating_add(number(&parts[1])?))
}

/// The answer to XRANGE.
pub(super) fn entries(value: Value) -> Result<Vec<Entry>, StoreError> {
    array(value)?.into_iter().map(entry).collect()
}

fn entry(value: Value) -> Result<Entry, StoreError> {
    let mut parts = array_of(value, 2)?.into_iter();
    let (Some(id), Some(fields)) = (parts.next(), parts.next()) else {
        return Err(StoreError::Garbled("an entry of another length"));
    };
    let id = bytes(id)?.unwrap_or_default();
    let version = id.split(|byte| *byte == b'-').next().and_then(decimal);
    let fields: Vec<Option<Bytes>> = array(fields)?
        .into_iter()
        .map(bytes)
        .collect::<Result<_, _>>()?;
    let pairs = fields
        .chunks_exact(2)
        .filter_map(|pair| pair[0].clone().zip(pair[1].clone()));
    Ok(Entry {
        version: version.ok_or(StoreError::Garbled("an entry without an id"))?,
        fields: pairs.collect(),
    })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    // A sign is no digit.
    let digits = Some(digits).filter(|digits| digits.iter().all(u8::is_ascii_digit));
    std::str::from_utf8(digits?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn what_is_expected_is_understood() {
        let fields = Value::Array(vec![text("r"), text("key"), text("x"), text("other")]);
        let stream = Value::Array(vec![Value::Array(vec![text("17-0"), fields])]);
        let found = entries(stream).expect("a stream");
        assert_eq!(found[0].version, 17);
        assert_eq!(found[0].fields[1], (Bytes::from("x"), Bytes::from("other")));
        let parts = Value::Array(vec![text("3"), text("000004")]);
        assert_eq!(time(parts).ok(), Some(3_000_004));
        let list = [Value::Int(5), Value::Int(0)];
        assert_eq!(versions(&list, 2).ok(), Some(vec![Some(5), None]));
        assert!(versions(&list, 3).is_err());
        assert!(matches!(bytes(Value::Nil), Ok(None)));
    }

    #[test]
    fn nonsense_is_an_error() {
        let nonsense = || {
            [
                Value::Nil,
                Value::Okay,
                Value::Int(-1),
                Value::Double(f64::NAN),
                text("-5"),
                text("+5"),
                text("99999999999999999999"),
                Value::Array(vec![Value::Nil]),
                Value::Array(vec![Value::Array(vec![Value::Nil, Value::Nil])]),
                Value::Array(vec![Value::Array(vec![text("x-y"), Value::Array(vec![])])]),
                Value::Map(vec![(Value::Nil, Value::Nil)]),
            ]
        };
        for value in nonsense() {
            assert!(number(&value).is_err(), "{value:?}");
        }
        for value in nonsense() {
            assert!(time(value.clone()).is_err(), "{value:?}");
            assert!(
                versions(&[Value::Int(1), value.clone()], 2).is_err(),
                "{value:?}"
            );
            assert!(entries(value.clone()).is_err(), "{value:?}");
        }
        let odd = Value::Array(vec![Value::Array(vec![
            text("1-0"),
            Value::Array(vec![text("r")]),
        ])]);
        assert!(entries(odd).is_ok_and(|entries| entries[0].fields.is_empty()));
    }
}
