use super::depth::{self, MAX_DEPTH};
use bytes::Bytes;
use rmp_serde::{Deserializer, Serializer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Room for most values, so that few grow the buffer.
const FIRST_BUFFER: usize = 512;

/// How a value becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// It is bytes.
    Raw,
    Json,
    /// With the names of fields, so that they may come and go.
    MessagePack,
}

impl Codec {
    pub(super) fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Raw),
            1 => Some(Self::Json),
            2 => Some(Self::MessagePack),
            _ => None,
        }
    }

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Raw => 0,
            Self::Json => 1,
            Self::MessagePack => 2,
        }
    }
}

/// A value has no encoded form, or bytes are not the form of a value.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct CodecError(Inner);

#[derive(Debug, thiserror::Error)]
enum Inner {
    #[error("the value cannot be encoded")]
    Encode(#[source] Source),
    #[error("the bytes are no value of this type")]
    Decode(#[source] Source),
}

type Source = Box<dyn std::error::Error + Send + Sync>;

impl CodecError {
    /// Bytes that are not the form of a value, for implementations of [`RawValue`].
    #[must_use]
    pub fn decode(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Inner::Decode(source.into()))
    }

    fn encode(source: impl Into<Source>) -> Self {
        Self(Inner::Encode(source.into()))
    }
}

/// A value that is bytes already, such as the body of a page or an encoded message.
pub trait RawValue: Sized {
    /// The bytes, of which [`RawValue::from_bytes`] makes the value again.
    fn to_bytes(&self) -> Bytes;

    /// The value.
    ///
    /// # Errors
    ///
    /// If the bytes are not those of a value; that counts as a miss.
    fn from_bytes(bytes: Bytes) -> Result<Self, CodecError>;
}

impl RawValue for Bytes {
    fn to_bytes(&self) -> Bytes {
        self.clone()
    }

    fn from_bytes(bytes: Bytes) -> Result<Self, CodecError> {
        Ok(bytes)
    }
}

impl RawValue for Vec<u8> {
    fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self)
    }

    fn from_bytes(bytes: Bytes) -> Result<Self, CodecError> {
        Ok(bytes.into())
    }
}

impl RawValue for String {
    fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.as_bytes())
    }

    fn from_bytes(bytes: Bytes) -> Result<Self, CodecError> {
        Self::from_utf8(bytes.into()).map_err(|error| CodecError::decode(error.utf8_error()))
    }
}

/// MessagePack, for [`decode_named`].
pub(crate) fn encode_named<V: Serialize>(value: &V) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::with_capacity(FIRST_BUFFER);
    // Human readable, because serde's buffered types (flattened, untagged, internally tagged) expect
    // it of the types within them whatever the format: addresses and UUIDs would not decode there.
    let mut serializer = Serializer::new(&mut out)
        .with_struct_map()
        .with_human_readable();
    value
        .serialize(&mut serializer)
        .map_err(CodecError::encode)?;
    Ok(out)
}

/// MessagePack of [`encode_named`]. Fields are found by their names, so that those with a default may
/// come and go, and their order may change.
///
/// What serde does not carry does not survive, in JSON neither: `Some(None)` and `Some(())` become
/// `None`; 128-bit integers within flattened, untagged or internally tagged types do not decode; nor
/// does anything that nests more than 128 levels. Other than JSON it carries bytes as such, keys of maps
/// that are no text, and numbers that are not finite.
pub(crate) fn decode_named<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, CodecError> {
    if !depth::is_bounded(bytes) {
        return Err(CodecError::decode("it nests too deep"));
    }
    let mut deserializer = Deserializer::from_read_ref(bytes).with_human_readable();
    deserializer.set_max_depth(MAX_DEPTH + 1);
    let value = V::deserialize(&mut deserializer).map_err(CodecError::decode)?;
    // The deserializer does not say what is left, but it fails in this way only where nothing is.
    match <()>::deserialize(&mut deserializer) {
        Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => Ok(value),
        _ => Err(CodecError::decode("bytes follow the value")),
    }
}

/// JSON, for [`decode_json`].
pub(crate) fn encode_json<V: Serialize>(value: &V) -> Result<Vec<u8>, CodecError> {
    serde_json::to_vec(value).map_err(CodecError::encode)
}

/// JSON of [`encode_json`].
pub(crate) fn decode_json<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, CodecError> {
    serde_json::from_slice(bytes).map_err(CodecError::decode)
}

#[cfg(test)]
mod tests;
