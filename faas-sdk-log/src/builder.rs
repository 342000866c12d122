use crate::describe::Describe;
use crate::filter::{Filter, FilterError, platform_level};
use crate::layer::LogLayer;
use crate::logger::{Apart, Logger};
use crate::origin::{Block, Origin};
use crate::output::{Descriptor, Sink};
use crate::pretty::Colours;
use crate::profile::{Layout, Profile};
use crate::redact::Redact;
use crate::rules::Rules;
use crate::sampling::Sampling;
use std::fmt;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use tracing::Level;
use tracing::subscriber::{SetGlobalDefaultError, set_global_default};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

/// Sets up a [`LogLayer`].
///
/// ```
/// let layer = faas_sdk_log::builder()
///     .origin(|origin| origin.service = Some("light-shop".into()))
///     .redact("loyalty_number")
///     .layer();
/// ```
pub struct Builder {
    origin: Origin,
    profile: Option<Profile>,
    project: Option<String>,
    namespace: Option<String>,
    variables: Variables,
    filter: Option<String>,
    default_filter: Option<String>,
    line_limit: Option<usize>,
    platform_level: Option<String>,
    redact: Redact,
    describe: Option<Describe>,
    code_from: Level,
    ring: usize,
    sampling: f64,
    write_timeout: Duration,
    output: Output,
    #[cfg(feature = "otlp")]
    otlp: Option<crate::Otlp>,
}

type Variables = Box<dyn Fn(&str) -> Option<String>>;

enum Output {
    Stdout,
    Stderr,
    Sink(Arc<dyn Sink>),
}

/// Starts to set up a layer; every setting has a default.
#[must_use]
pub fn builder() -> Builder {
    Builder {
        origin: Origin::default(),
        profile: None,
        project: None,
        namespace: None,
        variables: Box::new(|name| std::env::var(name).ok()),
        filter: None,
        default_filter: None,
        line_limit: None,
        platform_level: None,
        redact: Redact::standard(),
        describe: None,
        code_from: Level::WARN,
        ring: 32 << 10,
        sampling: 0.0,
        write_timeout: Duration::from_secs(1),
        output: Output::Stdout,
        #[cfg(feature = "otlp")]
        otlp: None,
    }
}

impl Builder {
    /// What is the same in all lines of this process.
    #[must_use]
    pub fn origin(mut self, set: impl FnOnce(&mut Origin)) -> Self {
        set(&mut self.origin);
        self
    }

    /// How lines are spelt. Default: [`Profile::V1`], or [`Profile::PRETTY`] where the output is a
    /// terminal.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// The Google Cloud project, which trace names need there.
    #[must_use]
    pub fn google_project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// The namespace of metrics in CloudWatch's embedded format. Default: the service, else
    /// `faas-sdk`.
    #[must_use]
    pub fn metrics_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Where `FAAS_LOG`, `RUST_LOG` and `NO_COLOR` are read. Default: the process's environment.
    #[must_use]
    pub fn variables(mut self, variables: impl Fn(&str) -> Option<String> + 'static) -> Self {
        self.variables = Box::new(variables);
        self
    }

    /// The filter, over what any variable says. Default: `FAAS_LOG`, else the platform's level,
    /// else `RUST_LOG`, else `info`.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// The filter where none is given at all. Default: `info`.
    #[must_use]
    pub fn default_filter(mut self, filter: impl Into<String>) -> Self {
        self.default_filter = Some(filter.into());
        self
    }

    /// The longest line in bytes, whatever the profile says; at least 2 KiB are taken.
    #[must_use]
    pub fn line_limit(mut self, bytes: usize) -> Self {
        self.line_limit = Some(bytes);
        self
    }

    /// The level that the platform was told to log at: `TRACE` to `FATAL`.
    #[must_use]
    pub fn platform_level(mut self, level: Option<impl Into<String>>) -> Self {
        self.platform_level = level.map(Into::into);
        self
    }

    /// Redacts the values of a key beside those that are always redacted: `authorization`,
    /// `cookie`, `password`, `token`, `secret`, `card`, `phone` and others.
    #[must_use]
    pub fn redact(mut self, key: &str) -> Self {
        self.redact.with(key);
        self
    }

    /// Never redacts the values of this key, for example `token_count`.
    #[must_use]
    pub fn redact_never(mut self, key: &str) -> Self {
        self.redact.except(key);
        self
    }

    /// How kind, code and the like are read from errors. Default: the kind is the type.
    #[must_use]
    pub fn describe(mut self, describe: Describe) -> Self {
        self.describe = Some(describe);
        self
    }

    /// From which level on lines say where in the source they were written. Default: WARN.
    #[must_use]
    pub fn code_from(mut self, level: Level) -> Self {
        self.code_from = level;
        self
    }

    /// How many bytes of DEBUG lines are kept for each invocation, to be written if it fails; 0 for
    /// none. Default: 32 KiB.
    #[must_use]
    pub fn debug_ring(mut self, bytes: usize) -> Self {
        self.ring = bytes;
        self
    }

    /// The share of traces, from 0 to 1, whose DEBUG lines are written in any case. Default: 0.
    #[must_use]
    pub fn debug_sample(mut self, share: f64) -> Self {
        self.sampling = share;
        self
    }

    /// How long a full output may hold the program up. A line that can't be written in that time
    /// is lost, and counted in the next one; as long as the output stays full, no further line
    /// waits. Default: 1 s, and never beyond the invocation's deadline.
    #[must_use]
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// Writes to standard error instead of standard output.
    #[must_use]
    pub fn stderr(mut self) -> Self {
        self.output = Output::Stderr;
        self
    }

    /// Writes to a sink instead of standard output.
    #[must_use]
    pub fn sink(mut self, sink: impl Sink) -> Self {
        self.output = Output::Sink(Arc::new(sink));
        self
    }

    /// Exports spans and log records over OTLP, besides writing lines. Log records say what their
    /// lines do, with the same redactions and limits; so do the attributes of spans. Spans are those
    /// of INFO and above, and whatever the filter asks for.
    ///
    /// Nothing is sent before [`flush`](crate::flush) is called. What waits when the program ends is
    /// lost; where the subscriber is dropped before, a line at WARN says how much it was. Default:
    /// nothing is exported.
    #[cfg(feature = "otlp")]
    #[must_use]
    pub fn otlp(mut self, otlp: crate::Otlp) -> Self {
        self.otlp = Some(otlp);
        self
    }

    /// Makes the layer and, if spans are exported, the one of `tracing-opentelemetry` beside it, as
    /// one. [`Builder::init`] takes this one, too.
    ///
    /// ```
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// # fn main() -> Result<(), faas_sdk_log::OtlpError> {
    /// let mut builder = faas_sdk_log::builder();
    /// if let Some(otlp) = faas_sdk_log::Otlp::from_variables(|name| std::env::var(name).ok())? {
    ///     builder = builder.otlp(otlp);
    /// }
    /// let subscriber = tracing_subscriber::registry().with(builder.layers());
    /// # drop(subscriber);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "otlp")]
    #[must_use]
    pub fn layers<S>(self) -> Box<dyn tracing_subscriber::Layer<S> + Send + Sync>
    where
        S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a> + Send + Sync,
    {
        self.layer().with_spans()
    }

    /// Makes the layer, to be put on a `tracing_subscriber::registry()`. Where the filter does not
    /// parse, INFO is taken; [`Builder::build`] tells of it.
    #[cfg_attr(
        feature = "otlp",
        doc = "\n\nIt exports log records alone; spans are exported with [`Builder::layers`]."
    )]
    #[must_use]
    pub fn layer(self) -> LogLayer {
        self.build().0
    }

    /// Makes the layer, sets it as the program's subscriber, and has panics logged.
    ///
    /// # Errors
    ///
    /// A subscriber is set already; it stays.
    pub fn init(self) -> Result<(), InitError> {
        let (layer, warning) = self.build();
        let registry = tracing_subscriber::registry();
        // Not by `try_init`: where tracing-subscriber is built with `tracing-log`, that bridges records
        // of the crate `log`, whose lines would all have one target.
        #[cfg(feature = "otlp")]
        let set = if layer.otlp().is_some() {
            set_global_default(registry.with(layer.with_spans()))
        } else {
            set_global_default(registry.with(layer))
        };
        #[cfg(not(feature = "otlp"))]
        let set = set_global_default(registry.with(layer));
        set.map_err(InitError)?;
        crate::panic::log_panics();
        if let Some(error) = warning {
            warn(&error);
        }
        Ok(())
    }

    /// As [`Builder::layer`], and what is to be said about the filter once lines are written.
    #[must_use]
    pub fn build(self) -> (LogLayer, Option<FilterError>) {
        let (filter, warning) = self.choose_filter();
        let terminal = match &self.output {
            Output::Stdout => std::io::stdout().is_terminal(),
            Output::Stderr => std::io::stderr().is_terminal(),
            Output::Sink(_) => false,
        };
        let plain = (self.variables)("NO_COLOR").is_some_and(|value| !value.is_empty());
        let mut profile = self.profile.unwrap_or(if terminal {
            Profile::PRETTY
        } else {
            Profile::V1
        });
        if let Some(limit) = self.line_limit {
            profile = profile.with_line_limit(limit);
        }
        let rules = Rules {
            profile,
            redact: self.redact,
            describe: self.describe,
            code_from: self.code_from,
        };
        let origin = self.origin;
        let sink: Arc<dyn Sink> = match self.output {
            Output::Stdout => Arc::new(Descriptor::stdout()),
            Output::Stderr => Arc::new(Descriptor::stderr()),
            Output::Sink(sink) => sink,
        };
        let said = |name: &String| !name.trim().is_empty();
        let namespace = self.namespace.filter(said).or_else(|| {
            let service = origin.service.clone().map(String::from);
            service.filter(said)
        });
        let logger = Logger {
            id: next_id(),
            process: Block::of_process(&profile, &origin, self.project.as_deref()),
            rules: Arc::new(rules),
            origin,
            project: self.project,
            namespace: namespace.unwrap_or_else(|| "faas-sdk".to_owned()),
            sink,
            write_timeout: self.write_timeout,
            // Somebody who looks at a terminal is not helped by lines out of their order.
            ring: if profile.layout == Layout::Pretty {
                0
            } else {
                self.ring
            },
            sampling: Sampling::new(self.sampling),
            colours: if terminal && !plain {
                Colours::On
            } else {
                Colours::Off
            },
            filter: RwLock::new(filter),
            sites: RwLock::default(),
            rings: Mutex::default(),
            seq: Apart::default(),
            lost: AtomicU64::new(0),
        };
        let layer = LogLayer::new(logger);
        #[cfg(feature = "otlp")]
        let layer = match &self.otlp {
            Some(otlp) => layer.with_otlp(otlp),
            None => layer,
        };
        (layer, warning)
    }

    fn choose_filter(&self) -> (Filter, Option<FilterError>) {
        let info = || Filter::level(LevelFilter::INFO);
        let read = |text: &str| text.trim().parse::<Filter>();
        let variable = |name: &'static str| {
            let text = (self.variables)(name).filter(|text| !text.trim().is_empty())?;
            Some(read(&text).map_err(|error| error.of_variable(name)))
        };
        let platform = || {
            let level = platform_level(self.platform_level.as_deref()?.trim())?;
            Some(Ok(Filter::level(level)))
        };
        let chosen = self
            .filter
            .as_deref()
            .map(read)
            .or_else(|| variable("FAAS_LOG"))
            .or_else(platform)
            .or_else(|| variable("RUST_LOG"))
            .or_else(|| self.default_filter.as_deref().map(read));
        match chosen {
            Some(Ok(filter)) => (filter, None),
            Some(Err(error)) => (info(), Some(error)),
            None => (info(), None),
        }
    }
}

/// Says that a filter was not understood.
pub(crate) fn warn(error: &FilterError) {
    tracing::warn!(
        error = crate::err(error),
        "lines from INFO on are written, because the log filter does not parse"
    );
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A subscriber is set already.
#[derive(Debug)]
pub struct InitError(SetGlobalDefaultError);

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("log lines go elsewhere: the program has set a subscriber already")
    }
}

impl std::error::Error for InitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("origin", &self.origin)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
