use crate::engine::Shared;
use crate::engine::Target;
use crate::error::{Error, ErrorKind};
use crate::key::Key;
use crate::local::FullKey;
use crate::policy::Policy;
use crate::region::Region;
use faas_sdk_scope::Scope;
use std::sync::Arc;

/// A cache and the invocation that uses it.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) scope: Option<Scope>,
}

impl Handle {
    pub(crate) fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    pub(crate) fn full_key<V, K: Key + ?Sized>(
        &self,
        region: &Region<V>,
        key: &K,
    ) -> Result<FullKey, Error> {
        FullKey::new(region.name, key, self.shared.settings.seed)
            .ok_or_else(|| Error::new(ErrorKind::KeyTooLong, region.name))
    }

    pub(crate) fn target<V>(
        &self,
        region: &Region<V>,
        key: FullKey,
        policy: Policy,
        tags: &[String],
    ) -> Target<V> {
        let all = region
            .tags
            .iter()
            .map(|&tag| tag.to_owned())
            .chain(tags.iter().cloned());
        Target::new(&self.shared, region, key, policy, all.collect())
    }
}
