//! The app's cache, made when it is first used.

use crate::config::{CacheConfig, Config};
use crate::error::{Error, Result};
use faas_sdk_cache::Cache;
use faas_sdk_cache::store::MemoryStore;
#[cfg(feature = "cache-redis")]
use faas_sdk_core::ErrorKind;
use faas_sdk_core::{Hooks, Settings, Stage};
use faas_sdk_scope::Instance;
use std::sync::{Arc, OnceLock};

/// Makes the cache once it is known where the app runs.
#[derive(Clone)]
pub(crate) struct Caching(Arc<Inner>);

struct Inner {
    config: CacheConfig,
    #[cfg(feature = "cache-redis")]
    redis: Option<faas_sdk_redis::RedisBuilder>,
    cache: OnceLock<Cache>,
}

impl Caching {
    /// Checks the configuration, and reaches no server.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        #[cfg(feature = "cache-redis")]
        let redis = redis(config)?;
        Ok(Self(Arc::new(Inner {
            config: config.cache().clone(),
            #[cfg(feature = "cache-redis")]
            redis,
            cache: OnceLock::new(),
        })))
    }

    pub(crate) fn cache(&self, platform: &str, instance: &Arc<Instance>) -> &Cache {
        self.0.cache.get_or_init(|| self.make(platform, instance))
    }

    fn make(&self, platform: &str, instance: &Arc<Instance>) -> Cache {
        let builder = self.0.config.builder().instance(instance);
        #[cfg(feature = "cache-redis")]
        if let Some(redis) = &self.0.redis {
            // Both have been built once, to see that they can be.
            let store = redis
                .clone()
                .instance(instance)
                .build()
                .ok()
                .and_then(|redis| {
                    faas_sdk_cache::store::RedisStore::new(redis, &self.0.config.namespace).ok()
                });
            if let Some(store) = store {
                return builder.store(store).build();
            }
        }
        // What a test makes by hand is on no platform.
        if matches!(platform, "local" | "test" | "") {
            return builder.store(MemoryStore::new()).build();
        }
        tracing::info!(
            "no remote cache is set up: values are cached in this process only (set `[redis] url`, with \
             the feature `cache-redis`)"
        );
        builder.build()
    }

    /// Has what Redis could not take repeated, before the platform may freeze the instance and before
    /// the process ends.
    pub(crate) fn add_hooks(&self, hooks: &mut Hooks, settings: &Settings) {
        for (stage, allowance) in [
            (Stage::BeforeFreeze, settings.end),
            (Stage::Shutdown, settings.drain),
        ] {
            let inner = Arc::clone(&self.0);
            // What is left of it is for the engine to see that it is over.
            let within = allowance * 9 / 10;
            hooks.add(stage, move || {
                let inner = Arc::clone(&inner);
                async move {
                    if let Some(cache) = inner.cache.get() {
                        match tokio::time::timeout(within, cache.flush()).await {
                            Ok(true) => {}
                            Ok(false) | Err(_) => tracing::warn!(
                                "changes wait for the remote cache, which does not answer"
                            ),
                        }
                    }
                    Ok(())
                }
            });
        }
    }
}

#[cfg(feature = "cache-redis")]
fn redis(config: &Config) -> Result<Option<faas_sdk_redis::RedisBuilder>> {
    let invalid =
        |message: String| Error::new(ErrorKind::NotConfigured, message).with_code("invalid_config");
    let Some(builder) = config.redis().builder().map_err(invalid)? else {
        return Ok(None);
    };
    let redis = builder
        .clone()
        .build()
        .map_err(|error| invalid(format!("[redis] {error}")))?;
    faas_sdk_cache::store::RedisStore::new(redis, &config.cache().namespace)
        .map_err(|error| invalid(format!("[cache] namespace: {error}")))?;
    Ok(Some(builder))
}

/// A loader may fail with the function's own error, whose kind is kept.
impl From<Error> for faas_sdk_cache::LoadError {
    fn from(error: Error) -> Self {
        Self::new(faas_sdk_core::Error::from(error))
    }
}
