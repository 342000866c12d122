use crate::config::Config;
use crate::metrics::Metrics;
use faas_sdk_core::{Attempt, Identity, Info, Metadata, Settings, Text, Trace};
use faas_sdk_scope::{CancelReason, Ending, Registration, Scope, Spawned};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// Everything that a function is given beside its input. Cheap to clone; may be moved into
/// spawned work.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    info: Info,
    function: Text,
    scope: Scope,
    shared: Arc<Shared>,
    /// The app's cache, bound to this invocation when it is first asked for.
    #[cfg(feature = "cache")]
    cache: std::sync::OnceLock<faas_sdk_cache::Cache>,
}

/// What all invocations of an app share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) settings: Settings,
    #[cfg(feature = "cache")]
    pub(crate) caching: crate::caching::Caching,
}

impl Shared {
    /// Reaches no server.
    pub(crate) fn new(config: Config, settings: Settings) -> crate::Result<Self> {
        Ok(Self {
            #[cfg(feature = "cache")]
            caching: crate::caching::Caching::new(&config)?,
            config,
            settings,
        })
    }
}

impl Context {
    pub(crate) fn new(info: Info, function: Text, scope: Scope, shared: Arc<Shared>) -> Self {
        Self(Arc::new(Inner {
            info,
            function,
            scope,
            shared,
            #[cfg(feature = "cache")]
            cache: std::sync::OnceLock::new(),
        }))
    }

    /// The platform's id of this invocation.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.0.info.id
    }

    /// The name under which the running function was registered: a function's name, a route or a
    /// subscription.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.0.function
    }

    /// The adapter's name, for example `local` or `aws-lambda`.
    #[must_use]
    pub fn platform(&self) -> &'static str {
        self.0.info.platform
    }

    /// Which delivery this is, as far as the platform says.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        &self.0.info.attempt
    }

    /// The name of the item, where this is one item of a batch.
    #[must_use]
    pub fn item(&self) -> Option<&str> {
        self.0.info.item.as_deref()
    }

    /// The tenant, on platforms that know tenants.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.0.info.tenant.as_deref()
    }

    /// Who the caller is, if the platform has checked it.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.0.info.identity.as_ref()
    }

    /// What the calling program said of itself, as JSON text, where the platform passes it on.
    #[must_use]
    pub fn client_context(&self) -> Option<&str> {
        self.0.info.client_context.as_deref()
    }

    /// The trace of the hop that brought the invocation here.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.0.info.trace
    }

    /// The header `traceparent` for calls to others: the trace of the hop, or a new one, and the
    /// span of this invocation. [`Trace::state`] goes with it as `tracestate`.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let Inner { info, scope, .. } = &*self.0;
        info.trace.own(&info.id, scope.started()).to_string()
    }

    /// What the platform sent beside the payload.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.0.info.metadata
    }

    /// The head of the HTTP request (method, URI, headers), where a typed input was decoded from
    /// one. A handler that takes the whole request has it there.
    #[must_use]
    pub fn http(&self) -> Option<&http::request::Parts> {
        self.0.info.http.as_deref()
    }

    /// All that is known about the invocation.
    #[must_use]
    pub fn info(&self) -> &Info {
        &self.0.info
    }

    /// Whether it is the first invocation of this instance.
    #[must_use]
    pub fn is_cold_start(&self) -> bool {
        self.0.info.cold_start
    }

    /// How much time is left until the platform's deadline; `None` if it names none. The handler
    /// is cancelled a reserve before that (`[invoke] reserve_ms`, 150 by default).
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.0.scope.remaining()
    }

    /// Waits until the invocation is cancelled; for spawned work that has to stop with it. The
    /// handler itself is dropped then and need not look. Cancel-safe.
    pub async fn cancelled(&self) -> CancelReason {
        self.0.scope.cancelled().await
    }

    /// Whether the invocation is cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.scope.cancellation().is_some()
    }

    /// Starts work beside the handler, in the same log span. It is awaited before the reply where
    /// the platform may freeze the process after it, after the reply where there is time for it,
    /// and goes on freely where the process keeps running. Work that does not end in its
    /// allowance (`[invoke] end_ms`, 1000 by default) is dropped and reported in the log.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Spawned<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.0.scope.spawn(future.in_current_span())
    }

    /// Runs `callback` when the invocation ends, the last registered first; see
    /// [`Scope::on_end`].
    pub fn on_end<F, Fut>(&self, name: &'static str, callback: F) -> Registration
    where
        F: FnOnce(Ending) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let span = tracing::Span::current();
        self.0
            .scope
            .on_end(name, move |ending| callback(ending).instrument(span))
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.shared.config
    }

    /// Counters and timings of this invocation, for the line that ends it.
    #[must_use]
    pub fn metrics(&self) -> Metrics<'_> {
        Metrics(&self.0.scope)
    }

    /// The cache of this app, shared by all its invocations. Without `[redis]` it has only this process,
    /// and on the local platform and in tests a remote level in memory.
    ///
    /// What it counts, counts for this invocation, and the loads it starts belong to it.
    ///
    /// ```
    /// use faas_sdk::cache::Region;
    /// use faas_sdk::prelude::*;
    /// use std::time::Duration;
    ///
    /// const PRICE: Region<u64> = Region::new("price").ttl(Duration::from_secs(60));
    ///
    /// async fn price(item: String, cx: Context) -> Result<u64> {
    ///     let wanted = item.clone();
    ///     let price = cx.cache().get(&PRICE, &item).or_load(|_| async move { ask(&wanted).await });
    ///     Ok(*price.await?)
    /// }
    /// # async fn ask(_: &str) -> Result<u64, faas_sdk::cache::LoadError> { Ok(250) }
    /// ```
    #[cfg(feature = "cache")]
    #[must_use]
    pub fn cache(&self) -> &faas_sdk_cache::Cache {
        let Inner {
            info,
            scope,
            shared,
            cache,
            ..
        } = &*self.0;
        let caching = &shared.caching;
        cache.get_or_init(|| caching.cache(info.platform, scope.instance()).bind(scope))
    }

    /// The invocation's scope, to which libraries bind their handles.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.0.scope
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("function", &self.0.function)
            .field("info", &self.0.info)
            .field("scope", &self.0.scope)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use faas_sdk_core::TraceContext;

    #[test]
    fn calls_to_others_name_this_invocation_as_their_parent() {
        let hop = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut info = Info::new("id");
        info.trace = Trace::w3c(Some(hop.into()), None);
        let cx = Context::builder().info(info).build();
        let own = TraceContext::parse(&cx.traceparent()).expect("a header");
        assert_eq!(own.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert!(own.span_id != 0x00f0_67aa_0ba9_02b7 && own.is_sampled());
        assert_eq!(cx.traceparent(), cx.clone().traceparent());

        let cx = Context::builder().build();
        let own = TraceContext::parse(&cx.traceparent()).expect("a header");
        assert!(!own.is_sampled(), "a new trace that nobody records");
    }
}
