//! What a line has to say, worked out apart from how it is written.

use crate::values::{Failure, Values};
use serde_json::{Map, Value, json};

/// What an event or a span says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// The members of `fields`: what is said first comes first.
    pub(crate) members: Vec<(String, Told)>,
    pub(crate) error: Option<Told>,
    pub(crate) event: Option<Told>,
    pub(crate) duration: Option<Told>,
}

/// A value as it has to be written.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) value: Value,
    /// Whether all of it may be written; else the line says that something was left out.
    pub(crate) complete: bool,
}

impl From<Value> for Told {
    fn from(value: Value) -> Self {
        Self {
            value,
            complete: true,
        }
    }
}

impl Said {
    pub(crate) fn member(&mut self, key: &str, told: Option<Told>) {
        let Some(told) = told else { return };
        let key = key_of(key);
        self.members.retain(|(known, _)| *known != key);
        self.members.push((key, told));
    }

    /// Adds what an outer span says of other keys.
    pub(crate) fn inherit(&mut self, outer: &Self) {
        for (key, told) in &outer.members {
            if self.members.iter().all(|(known, _)| known != key) {
                self.members.push((key.clone(), told.clone()));
            }
        }
    }

    /// Takes over what was recorded later.
    pub(crate) fn record(&mut self, later: Self) {
        let before = std::mem::replace(self, later);
        self.inherit(&before);
    }

    pub(crate) fn fields(&self) -> Value {
        let members = self.members.iter();
        Value::Object(Map::from_iter(
            members.map(|(key, told)| (key.clone(), told.value.clone())),
        ))
    }

    pub(crate) fn complete(&self) -> bool {
        let members = self.members.iter().map(|(_, told)| told);
        let others = [&self.error, &self.event, &self.duration];
        self.members.len() <= 64
            && members
                .chain(others.into_iter().flatten())
                .all(|told| told.complete)
    }
}

/// A name of a field as a key.
pub(crate) fn key_of(name: &str) -> String {
    if name.is_empty() {
        return "_".to_owned();
    }
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() || "_.-".contains(letter) {
            letter
        } else {
            '_'
        }
    };
    name.chars().take(128).map(plain).collect()
}

pub(crate) fn text(value: &str) -> Option<Told> {
    Some(json!(value).into())
}

pub(crate) fn lossy(value: &[u8]) -> Option<Told> {
    text(&String::from_utf8_lossy(value))
}

pub(crate) fn base64(value: &[u8]) -> Option<Told> {
    use std::fmt::Write;
    let kept = value.get(..768).unwrap_or(value);
    let bits = kept.iter().fold(String::new(), |mut bits, byte| {
        let _ = write!(bits, "{byte:08b}");
        bits
    });
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut written: String = bits
        .as_bytes()
        .chunks(6)
        .map(|six| {
            let six = format!("{:0<6}", String::from_utf8_lossy(six));
            let at = usize::from_str_radix(&six, 2).expect("bits");
            char::from(letters.as_bytes()[at])
        })
        .collect();
    while !written.len().is_multiple_of(4) {
        written.push('=');
    }
    Some(Told {
        value: json!(written),
        complete: value.len() <= 768,
    })
}

pub(crate) fn signed(value: i64) -> Option<Told> {
    Some(integer(value.into()).into())
}

pub(crate) fn unsigned(value: u64) -> Option<Told> {
    Some(integer(value.into()).into())
}

fn integer(value: i128) -> Value {
    match i64::try_from(value) {
        Ok(safe) if safe.unsigned_abs() < 1 << 53 => json!(safe),
        _ => json!(value.to_string()),
    }
}

pub(crate) fn float(value: f64) -> Option<Told> {
    let told = if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    };
    Some(told.into())
}

pub(crate) fn tree(value: &Value) -> Option<Told> {
    let mut complete = true;
    let value = nested(value, 0, &mut complete);
    Some(Told { value, complete })
}

fn nested(value: &Value, depth: usize, complete: &mut bool) -> Value {
    match value {
        Value::Array(_) if depth == 4 => {
            *complete = false;
            json!("[…]")
        }
        Value::Object(_) if depth == 4 => {
            *complete = false;
            json!("{…}")
        }
        Value::Array(elements) => elements
            .iter()
            .map(|element| nested(element, depth + 1, complete))
            .collect(),
        Value::Object(members) => {
            let mut told = Map::new();
            for (key, value) in members {
                let key = key_of(key);
                if told.contains_key(&key) {
                    *complete = false;
                } else {
                    told.insert(key, nested(value, depth + 1, complete));
                }
            }
            told.into()
        }
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => integer(number.into()),
            (_, Some(number)) => integer(number.into()),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

/// An error as the line's own, or as a field's value.
pub(crate) fn error(failure: &Failure) -> Option<Told> {
    let (message, causes) = failure.texts.split_first().expect("a message");
    let mut value = json!({"kind": "conformance::values::Failure", "message": message});
    if !causes.is_empty() {
        value["causes"] = causes.iter().take(8).map(String::as_str).collect();
    }
    Some(Told {
        value,
        complete: causes.len() <= 8,
    })
}

/// The same, of a type that somebody knows.
pub(crate) fn described(values: &Values) -> Option<Told> {
    let mut told = error(&values.failure)?;
    told.value["kind"] = json!(values.text);
    told.value["code"] = json!(values.other);
    told.value["retryable"] = json!(values.truth);
    told.value["context"] = json!({"a_b": values.other, "password": "[redacted]"});
    Some(told)
}

/// Whether `found` is `wanted`, or a part of it if `part` says so.
pub(crate) fn agrees(found: &Value, wanted: &Value, part: bool) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => {
            let (found, wanted) = (found.as_f64(), wanted.as_f64());
            let (Some(found), Some(wanted)) = (found, wanted) else {
                return false;
            };
            // This reader may be off by the last bit.
            (found - wanted).abs() <= wanted.abs() * 1e-15
        }
        (Value::String(found), Value::String(wanted)) if part => wanted.starts_with(found.as_str()),
        (Value::Array(found), Value::Array(wanted)) => {
            (part || found.len() == wanted.len())
                && found
                    .iter()
                    .zip(wanted)
                    .all(|(found, wanted)| agrees(found, wanted, part))
        }
        (Value::Object(found), Value::Object(wanted)) => {
            (part || found.len() == wanted.len())
                && found.iter().all(|(key, found)| {
                    wanted
                        .get(key)
                        .is_some_and(|wanted| agrees(found, wanted, part))
                })
        }
        _ => found == wanted,
    }
}
