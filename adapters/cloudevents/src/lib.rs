//! CloudEvents 1.0 over HTTP: one codec for every adapter.
//!
//! [`decode`] reads all three content modes of the HTTP binding, [`encode_binary`],
//! [`encode_structured`] and [`encode_batch`] write them. An event that breaks a rule of the
//! specification is refused; the error names the attribute in its message and its context.
//!
//! ```
//! use bytes::Bytes;
//! use faas_sdk_cloudevents::{Decoded, decode, encode_binary, encode_structured};
//! use faas_sdk_core::{Attribute, Data, Event};
//! use http::{HeaderMap, HeaderValue};
//!
//! # fn main() -> faas_sdk_core::Result<()> {
//! let mut headers = HeaderMap::new();
//! for (name, value) in [
//!     ("ce-specversion", "1.0"),
//!     ("ce-id", "A-1"),
//!     ("ce-source", "/orders"),
//!     ("ce-type", "com.example.order.paid"),
//!     ("ce-subject", "Euro%20%E2%82%AC"),
//!     ("content-type", "application/json"),
//! ] {
//!     headers.insert(name, HeaderValue::from_static(value));
//! }
//! let body = Bytes::from_static(b"{\"sum\": 1.50}");
//! let Some(Decoded::Event(paid)) = decode(&headers, body)? else {
//!     panic!("one event was sent");
//! };
//! assert_eq!(paid.subject.as_deref(), Some("Euro €"));
//! assert_eq!(paid.data, Data::Json("{\"sum\": 1.50}".into()));
//!
//! let mut answer = Event::new("B-1", "/shop", "com.example.parcel.sent", Data::Absent);
//! answer.set_extension("weight", Attribute::Integer(5));
//! let (headers, body) = encode_binary(&answer)?;
//! assert_eq!((&headers["ce-weight"], body.len()), (&HeaderValue::from_static("5"), 0));
//! assert_eq!(
//!     encode_structured(&answer)?,
//!     r#"{"specversion":"1.0","id":"B-1","source":"/shop","type":"com.example.parcel.sent","weight":5}"#,
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # How attributes become an [`Event`](faas_sdk_core::Event)
//!
//! | | Binary | Structured, batch |
//! |---|---|---|
//! | Extensions | `Attribute::Untyped` | `Boolean`, `Integer` (32 bits) or `String`, by the JSON type |
//! | `null` | | the attribute is absent |
//! | `raw` | `None` | the body as it was sent; in a batch, the element |
//! | Given twice | refused | refused |
//! | More than [`MAX_ATTRIBUTES`] | refused | refused |
//!
//! `kind` is always `CloudEvent`. `wants_reply` is left to the adapter: the request header that
//! asks for an event in answer is a platform's own.
//!
//! Text follows the rules of the type String: no control characters, noncharacters or lone
//! surrogates. `source` is a URI reference and `dataschema` a URI, by the syntax of RFC 3986;
//! `dataschema` may have a fragment, as in the specification's JSON schema. `time` is RFC 3339:
//! a leap second is read as the second before it, and digits behind the nanoseconds are cut off.
//!
//! # How data becomes [`Data`](faas_sdk_core::Data)
//!
//! | Sent | Read |
//! |---|---|
//! | empty body in binary mode | `Absent`: HTTP can't tell it from empty data |
//! | body, content type `*/json` or `*/*+json` | `Json` with the bytes of the body |
//! | body, content type `text/*`, which is UTF-8 | `Text` |
//! | any other body | `Bytes` |
//! | no `data` and no `data_base64` | `Absent` |
//! | `data` with a JSON content type | `Json` with the JSON text as sent, so `null` is `Json("null")` |
//! | `data` without `datacontenttype` | the same, and the content type becomes `application/json` |
//! | `data` with another content type | `Text`; refused if it isn't a JSON string |
//! | `data_base64` | `Bytes` |
//!
//! JSON is carried as it was sent: numbers, white space and repeated keys are those of the sender.
//! It is checked when it is decoded, in binary mode, and for its syntax in the other ones.
//!
//! The way out is the same one backwards. `Json` without a content type goes out as
//! `application/json`, `Text` as `text/plain; charset=utf-8`; `Json` and `Text` follow the content
//! type, so that in the JSON format they are a JSON value under a JSON type and a string otherwise.
//!
//! # Header values
//!
//! Percent-encoded on the way out. On the way in, a quoted string is undone, then one round of
//! percent-decoding. Peers that do not encode are understood where that is unambiguous: UTF-8
//! bytes are taken as they are, so is a `%` without two hexadecimal digits behind it, and `source`
//! and `dataschema` are taken undecoded if only that is a URI. Bytes that are not UTF-8 are refused.

mod attributes;
mod batch;
mod binary;
mod data;
mod envelope;
mod header_value;
mod media_type;
mod mode;
mod refusal;
mod structured;
mod timestamp;
mod uri;
mod validate;

pub use batch::{MAX_BATCH, encode_batch};
pub use binary::encode_binary;
pub use envelope::encode_structured;
pub use mode::{BATCH_CONTENT_TYPE, Decoded, STRUCTURED_CONTENT_TYPE, decode, is_cloud_event};
pub use validate::{MAX_ATTRIBUTES, validate};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
