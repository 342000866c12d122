/// Why stored bytes are no value for whoever asked. It counts as a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// It ends before all fields are there.
    TooShort,
    /// It is no envelope.
    Magic,
    /// It is an envelope of a version that this crate does not know.
    Version(u8),
    /// The state is unknown.
    State,
    /// It was damaged.
    Checksum,
    /// A flag is unknown or reserved, or a reserved byte is used.
    Flags,
    /// The codec is unknown, or not the region's.
    Codec,
    /// The compression is unknown.
    Compression,
    /// There are none or too many tags, or one is too long or no UTF-8.
    Tags,
    /// The etag is too long or no UTF-8.
    Etag,
    /// The payload has not the length that the header says.
    Length,
    /// The value is longer than the caller takes.
    TooLarge,
    /// It belongs to another key.
    KeyHash,
    /// The value's schema is not one that the region reads.
    Schema,
}

impl Invalid {
    /// A label for counters and logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TooShort => "too-short",
            Self::Magic => "magic",
            Self::Version(_) => "envelope-version",
            Self::State => "state",
            Self::Checksum => "checksum",
            Self::Flags => "flags",
            Self::Codec => "codec",
            Self::Compression => "compression",
            Self::Tags => "tags",
            Self::Etag => "etag",
            Self::Length => "length",
            Self::TooLarge => "too-large",
            Self::KeyHash => "key-hash",
            Self::Schema => "schema",
        }
    }
}
