use crate::engine::Change;
use crate::error::Error;
use crate::handle::Handle;
use crate::key::Key;
use crate::region::Region;
use faas_sdk_scope::BoxFuture;
use std::fmt;

/// A key about to be removed or expired; made by [`Cache::remove`](crate::Cache::remove) and
/// [`Cache::expire`](crate::Cache::expire).
///
/// When it has been awaited, this process does not find the value any more, and no load that began
/// before will bring it back. Other instances notice within the bound. If the remote level fails, it is
/// told later, and its word on the key does not count until then.
#[must_use = "it does nothing until it is awaited"]
pub struct Invalidate<'a, V, K: ?Sized> {
    handle: &'a Handle,
    region: &'a Region<V>,
    key: &'a K,
    change: Change,
    strict: bool,
}

impl<'a, V, K: Key + ?Sized> Invalidate<'a, V, K> {
    pub(crate) fn new(
        handle: &'a Handle,
        region: &'a Region<V>,
        key: &'a K,
        change: Change,
    ) -> Self {
        Self {
            handle,
            region,
            key,
            change,
            strict: false,
        }
    }

    /// Makes it an error if the remote level did not take it.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }
}

impl<'a, V, K> IntoFuture for Invalidate<'a, V, K>
where
    V: Send + Sync + 'static,
    K: Key + Sync + ?Sized,
{
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                handle,
                region,
                key,
                change,
                strict,
            } = self;
            let key = handle.full_key(region, key)?;
            let target = handle.target(region, key, region.policy, &[]);
            handle
                .shared
                .change(handle.scope(), &target, change, strict)
                .await
        })
    }
}

/// Tags whose entries are about to be removed; made by
/// [`Cache::remove_by_tag`](crate::Cache::remove_by_tag).
#[must_use = "it does nothing until it is awaited"]
pub struct RemoveByTags<'a> {
    handle: &'a Handle,
    tags: Vec<&'a str>,
    strict: bool,
}

impl<'a> RemoveByTags<'a> {
    pub(crate) fn new(handle: &'a Handle, tags: Vec<&'a str>) -> Self {
        Self {
            handle,
            tags,
            strict: false,
        }
    }

    /// Adds another tag: entries that have any of them are removed.
    pub fn or_tag(mut self, tag: &'a str) -> Self {
        self.tags.push(tag);
        self
    }

    /// Makes it an error if the remote level did not take it.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }
}

impl<'a> IntoFuture for RemoveByTags<'a> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                handle,
                tags,
                strict,
            } = self;
            handle
                .shared
                .remove_by_tags(handle.scope(), &tags, strict)
                .await
        })
    }
}

/// A region, or all, about to be cleared; made by [`Cache::clear`](crate::Cache::clear).
#[must_use = "it does nothing until it is awaited"]
pub struct Clear<'a> {
    handle: &'a Handle,
    region: Option<&'static str>,
    strict: bool,
}

impl<'a> Clear<'a> {
    pub(crate) fn new(handle: &'a Handle, region: Option<&'static str>) -> Self {
        Self {
            handle,
            region,
            strict: false,
        }
    }

    /// Makes it an error if the remote level did not take it.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }
}

impl<'a> IntoFuture for Clear<'a> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                handle,
                region,
                strict,
            } = self;
            handle.shared.clear(handle.scope(), region, strict).await
        })
    }
}

impl<V, K: ?Sized> fmt::Debug for Invalidate<'_, V, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invalidate")
            .field("region", &self.region.name)
            .field("change", &self.change)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RemoveByTags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoveByTags")
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Clear<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clear")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
