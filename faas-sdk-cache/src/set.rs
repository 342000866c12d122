use crate::error::Error;
use crate::handle::Handle;
use crate::key::Key;
use crate::policy::{Policy, storing_setters};
use crate::region::Region;
use faas_sdk_scope::BoxFuture;
use std::fmt;
use std::time::Duration;

/// A value about to be stored; made by [`Cache::set`](crate::Cache::set).
///
/// When it has been awaited, this process finds the value, and so does every other one that reads the
/// remote level. If that fails, it is told later; see [`Set::strict`].
#[must_use = "it does nothing until it is awaited"]
pub struct Set<'a, V, K: ?Sized> {
    handle: &'a Handle,
    region: &'a Region<V>,
    key: &'a K,
    value: V,
    policy: Policy,
    tags: Vec<String>,
    strict: bool,
}

impl<'a, V, K: Key + ?Sized> Set<'a, V, K> {
    pub(crate) fn new(handle: &'a Handle, region: &'a Region<V>, key: &'a K, value: V) -> Self {
        let policy = region.policy;
        Self {
            handle,
            region,
            key,
            value,
            policy,
            tags: Vec::new(),
            strict: false,
        }
    }

    storing_setters!();

    /// Adds a tag, by which it can be removed.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Makes it an error if the remote level did not take it.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }
}

impl<'a, V, K> IntoFuture for Set<'a, V, K>
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
                value,
                policy,
                tags,
                strict,
            } = self;
            let target = handle.target(region, handle.full_key(region, key)?, policy, &tags);
            handle
                .shared
                .set(handle.scope(), &target, value, strict)
                .await
        })
    }
}

impl<V, K: ?Sized> fmt::Debug for Set<'_, V, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Set")
            .field("region", &self.region.name)
            .finish_non_exhaustive()
    }
}
