//! The JSON batch format.

use crate::envelope::{Envelope, to_json};
use crate::structured;
use bytes::Bytes;
use faas_sdk_core::{Error, ErrorKind, Event, Result};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The largest number of events of one batch that is read.
pub const MAX_BATCH: usize = 10_000;

pub(crate) fn decode(body: Bytes) -> Result<Vec<Result<Event>>> {
    let text = structured::utf8(body)?;
    let Elements { elements, overflow } = serde_json::from_str(&text).map_err(|cause| {
        Error::new(ErrorKind::InvalidInput, "the batch is not a JSON array").with_source(cause)
    })?;
    if overflow {
        return Err(Error::new(
            ErrorKind::PayloadTooLarge,
            format!("the batch has more than {MAX_BATCH} events"),
        ));
    }
    let event = |(index, element): (usize, &RawValue)| {
        structured::object(&text, element.get()).map_err(|error| at(error, index))
    };
    Ok(elements.into_iter().enumerate().map(event).collect())
}

/// Writes events in the JSON batch format, for the content type
/// [`BATCH_CONTENT_TYPE`](crate::BATCH_CONTENT_TYPE). A batch is not to be sent unless it was asked
/// for.
///
/// # Errors
///
/// Those of [`encode_structured`](crate::encode_structured) for the first event that is refused,
/// with its position, from 0, in the context `index`.
pub fn encode_batch(events: &[Event]) -> Result<Bytes> {
    let envelopes = events.iter().enumerate();
    let envelopes = envelopes
        .map(|(index, event)| Envelope::new(event).map_err(|error| at(error, index)))
        .collect::<Result<Vec<_>>>()?;
    to_json(&envelopes)
}

fn at(error: Error, index: usize) -> Error {
    error.with_context("index", index.to_string())
}

/// The elements of an array, each as its text.
struct Elements<'a> {
    elements: Vec<&'a RawValue>,
    /// There are more than are kept.
    overflow: bool,
}

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("CloudEvents in a JSON array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while elements.len() < MAX_BATCH {
                    let Some(element) = seq.next_element()? else {
                        let overflow = false;
                        return Ok(Elements { elements, overflow });
                    };
                    elements.push(element);
                }
                let mut overflow = false;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    overflow = true;
                }
                Ok(Elements { elements, overflow })
            }
        }
        deserializer.deserialize_seq(Collect)
    }
}
