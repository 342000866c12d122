use crate::policy::{Policy, loading_setters, storing_setters};
use crate::wire::{
    Codec, CodecError, RawValue, decode_json, decode_named, encode_json, encode_named,
};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::Duration;

/// A kind of entries: their type, their name, and how they are kept. Declared once, as a constant:
///
/// ```
/// use faas_sdk_cache::Region;
/// use std::time::Duration;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Item {
///     name: String,
///     price: u64,
/// }
///
/// const ITEM: Region<Item> = Region::new("item")
///     .schema(3)
///     .ttl(Duration::from_secs(60))
///     .fail_safe(Duration::from_secs(86_400), Duration::from_secs(30))
///     .negative_ttl(Duration::from_secs(10));
/// ```
///
/// Two regions of one cache must not share a name.
#[must_use = "it declares a kind of entries and does nothing"]
pub struct Region<V> {
    pub(crate) name: &'static str,
    pub(crate) schema: u32,
    pub(crate) compatible: &'static [u32],
    pub(crate) tags: &'static [&'static str],
    pub(crate) policy: Policy,
    pub(crate) levels: Levels,
    pub(crate) form: Option<Form<V>>,
    pub(crate) weigher: Option<fn(&V) -> usize>,
}

/// Which levels a region uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Levels {
    Both,
    Local,
    Remote,
}

/// How values become bytes.
pub(crate) struct Form<V> {
    pub(crate) codec: Codec,
    pub(crate) encode: fn(&V) -> Result<Bytes, CodecError>,
    pub(crate) decode: fn(Bytes) -> Result<V, CodecError>,
}

impl<V: Serialize + DeserializeOwned> Region<V> {
    /// A region whose values travel as MessagePack with named fields: fields may come and go between
    /// deployments, as serde's attributes allow.
    ///
    /// What does not survive: `Some(None)` and `Some(())` become `None`; 128-bit integers within types
    /// that serde buffers (flattened, untagged, internally tagged); values nested deeper than 128.
    ///
    /// # Panics
    ///
    /// If the name is empty, longer than 64 bytes, or holds anything but ASCII letters, digits, `_`, `-`
    /// and `.`; in a constant, that is an error of the compiler.
    pub const fn new(name: &'static str) -> Self {
        Self::with(
            name,
            Some(Form {
                codec: Codec::MessagePack,
                encode: |value| encode_named(value).map(Bytes::from),
                decode: |bytes| decode_named(&bytes),
            }),
        )
    }

    /// A region whose values travel as JSON: readable with the store's own tools. Beside what
    /// [`Region::new`] names, keys of maps have to be text or numbers, and numbers finite.
    ///
    /// # Panics
    ///
    /// As [`Region::new`].
    pub const fn json(name: &'static str) -> Self {
        Self::with(
            name,
            Some(Form {
                codec: Codec::Json,
                encode: |value| encode_json(value).map(Bytes::from),
                decode: |bytes| decode_json(&bytes),
            }),
        )
    }
}

impl<V: RawValue> Region<V> {
    /// A region whose values are bytes or text already.
    ///
    /// # Panics
    ///
    /// As [`Region::new`].
    pub const fn raw(name: &'static str) -> Self {
        Self::with(
            name,
            Some(Form {
                codec: Codec::Raw,
                encode: |value| Ok(value.to_bytes()),
                decode: |bytes| V::from_bytes(bytes),
            }),
        )
    }
}

impl<V> Region<V> {
    /// A region that stays in this process, whose values need not be serializable.
    ///
    /// # Panics
    ///
    /// As [`Region::new`].
    pub const fn local(name: &'static str) -> Self {
        Self::with(name, None).l1_only()
    }

    const fn with(name: &'static str, form: Option<Form<V>>) -> Self {
        assert!(
            is_name(name.as_bytes()),
            "a region's name is 1 to 64 ASCII letters, digits, `_`, `-` and `.`"
        );
        Self {
            name,
            schema: 0,
            compatible: &[],
            tags: &[],
            policy: Policy::DEFAULT,
            levels: Levels::Both,
            form,
            weigher: None,
        }
    }

    /// The number of the type's present form; default 0. Remote values of another number are not read,
    /// unless it is [compatible](Region::compatible_with).
    pub const fn schema(mut self, id: u32) -> Self {
        self.schema = id;
        self
    }

    /// Numbers of earlier forms that this type can still be decoded from.
    pub const fn compatible_with(mut self, ids: &'static [u32]) -> Self {
        self.compatible = ids;
        self
    }

    /// Tags that every entry has.
    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    /// Keeps entries in this process only. They follow its own clears and removals of tags; those of
    /// other instances they learn of when the log is read for the sake of other regions.
    pub const fn l1_only(mut self) -> Self {
        self.levels = Levels::Local;
        self
    }

    /// Keeps entries at the remote level only. Without a remote level nothing is kept.
    ///
    /// # Panics
    ///
    /// If the values have no form for it, as those of [`Region::local`].
    pub const fn l2_only(mut self) -> Self {
        assert!(
            self.form.is_some(),
            "values of `Region::local` cannot be stored remotely"
        );
        self.levels = Levels::Remote;
        self
    }

    /// How many bytes a value takes in this process; default the length of its encoded form, or its
    /// type's own size where there is none.
    pub const fn weigher(mut self, weigh: fn(&V) -> usize) -> Self {
        self.weigher = Some(weigh);
        self
    }

    storing_setters!(const);
    loading_setters!(const);

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn reads_schema(&self, id: u32) -> bool {
        id == self.schema || self.compatible.contains(&id)
    }
}

const fn is_name(name: &[u8]) -> bool {
    let mut index = 0;
    while index < name.len() {
        if !(name[index].is_ascii_alphanumeric() || matches!(name[index], b'_' | b'-' | b'.')) {
            return false;
        }
        index += 1;
    }
    !name.is_empty() && name.len() <= 64
}

impl<V> Clone for Region<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Region<V> {}

impl<V> Clone for Form<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Form<V> {}

impl<V> fmt::Debug for Region<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region")
            .field("name", &self.name)
            .field("schema", &self.schema)
            .field("levels", &self.levels)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
