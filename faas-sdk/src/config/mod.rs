//! Layered configuration: defaults, then one file, then the environment; later wins, key by key.
//!
//! **File** (TOML, feature `config-file`, at most 1 MiB): the path in `FAAS_CONFIG`, else `faas.toml`
//! beside the executable, else `faas.toml` in the working directory. The first one found is the only
//! one read. A file that `FAAS_CONFIG` names must exist.
//!
//! **Variables**: `FAAS_<SECTION>__<KEY>`; two underscores separate, a further pair goes one table
//! deeper, and letter case does not matter: the parts name lower-case keys. Their text is parsed by
//! the type that reads the key: numbers and booleans as in Rust, lists and tables as JSON (or TOML,
//! with `config-file`), text as it stands. Where a type does not say what it wants (`serde(flatten)`,
//! internally tagged and untagged enums), the text is offered as a string first, and if the type
//! refuses that, as the JSON value it looks like. Names without a double underscore (`FAAS_PLATFORM`)
//! are not configuration.
//!
//! ```toml
//! [app]                    # the user's own, any content
//! greeting = "hello"
//! [app.shop]
//! page_size = 20           # or FAAS_APP__SHOP__PAGE_SIZE=20
//!
//! [invoke]                 # ours: unknown keys are refused
//! reserve_ms = 200         # or FAAS_INVOKE__RESERVE_MS=200
//! ```
//!
//! **Secrets**: `Debug` shows keys, and `[redacted]` for each value of `[app]` and each key declared
//! secret. No error prints a value: it says what was expected; keys within the text of a variable are
//! part of its value and shown as `*`.

#[cfg(feature = "cache")]
mod cache;
mod environment;
mod error;
mod file;
mod invoke;
#[cfg(feature = "log")]
mod log;
mod names;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "config-file")]
mod parse;
#[cfg(feature = "config-file")]
mod position;
mod read;
#[cfg(feature = "cache-redis")]
mod redis;
mod section;
mod text;
mod value;
mod variable;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use serde::de::DeserializeOwned;

#[cfg(feature = "cache")]
pub use cache::CacheConfig;
pub use environment::Environment;
pub use error::ConfigError;
use error::{Origin, Refusal};
use file::Source;
pub use invoke::InvokeConfig;
#[cfg(feature = "log")]
pub use log::{LogConfig, LogFormat};
#[cfg(feature = "otlp")]
pub use otlp::OtlpConfig;
#[cfg(feature = "cache-redis")]
pub use redis::RedisConfig;
use section::{SECTIONS, Section};
use value::{Table, Value};

/// Tables nested deeper than this are refused, in the file and in the names of variables.
const MAX_DEPTH: usize = 64;

/// What a section that nobody sets holds.
static EMPTY: Value = Value::Table(Table::new());

/// The configuration of one process, merged from the defaults, one file and the environment.
///
/// The default is what an empty environment without a file gives.
#[derive(Clone)]
pub struct Config {
    sections: &'static [Section],
    root: Value,
    source: Option<Source>,
    invoke: InvokeConfig,
    #[cfg(feature = "log")]
    log: LogConfig,
    #[cfg(feature = "otlp")]
    otlp: OtlpConfig,
    #[cfg(feature = "cache")]
    cache: CacheConfig,
    #[cfg(feature = "cache-redis")]
    redis: RedisConfig,
}

impl Config {
    /// Reads the file, if there is one, and the variables of `environment`.
    ///
    /// # Errors
    /// A file that cannot be read, is larger than 1 MiB or is not TOML; a section or key that does not
    /// exist or belongs to a feature that is not compiled in; a value of the wrong type in a section
    /// other than `[app]`; variables that contradict each other or are not UTF-8.
    pub fn load(environment: &Environment) -> Result<Self, ConfigError> {
        Self::load_with(environment, SECTIONS)
    }

    fn load_with(
        environment: &Environment,
        sections: &'static [Section],
    ) -> Result<Self, ConfigError> {
        let variables = variable::collect(environment)?;
        let (source, table) = match file::load(environment, variables.file)? {
            Some((source, table)) => (Some(source), table),
            None => (None, Table::new()),
        };
        if let Some(source) = &source {
            section::check_file(sections, &table, &Origin::File(source.shown.clone()))?;
        }
        let mut root = Value::Table(table);
        for setting in variables.settings {
            section::check_setting(sections, &setting)?;
            setting.apply(&mut root)?;
        }
        let mut config = Self {
            sections,
            root,
            source,
            invoke: InvokeConfig::default(),
            #[cfg(feature = "log")]
            log: LogConfig::default(),
            #[cfg(feature = "otlp")]
            otlp: OtlpConfig::default(),
            #[cfg(feature = "cache")]
            cache: CacheConfig::default(),
            #[cfg(feature = "cache-redis")]
            redis: RedisConfig::default(),
        };
        config.invoke = config.section("invoke")?;
        #[cfg(feature = "log")]
        {
            config.log = config.section("log")?;
        }
        #[cfg(feature = "otlp")]
        {
            config.otlp = config.section("otlp")?;
        }
        #[cfg(feature = "cache")]
        {
            config.cache = config.section("cache")?;
        }
        #[cfg(feature = "cache-redis")]
        {
            config.redis = config.section("redis")?;
        }
        Ok(config)
    }

    /// How invocations are run: section `[invoke]`.
    #[must_use]
    pub fn invoke(&self) -> &InvokeConfig {
        &self.invoke
    }

    /// How log lines are written: section `[log]`.
    #[cfg(feature = "log")]
    #[must_use]
    pub fn log(&self) -> &LogConfig {
        &self.log
    }

    /// Where spans and log records are exported to: section `[otlp]`.
    #[cfg(feature = "otlp")]
    #[must_use]
    pub fn otlp(&self) -> &OtlpConfig {
        &self.otlp
    }

    /// How values are cached: section `[cache]`.
    #[cfg(feature = "cache")]
    #[must_use]
    pub fn cache(&self) -> &CacheConfig {
        &self.cache
    }

    /// Where Redis is: section `[redis]`.
    #[cfg(feature = "cache-redis")]
    #[must_use]
    pub fn redis(&self) -> &RedisConfig {
        &self.redis
    }

    /// The section `[app]` as the user's own type; an empty table if nothing is set.
    ///
    /// # Errors
    /// A key that is missing, unknown to the type or of another type; the error names its path.
    pub fn app<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        self.section("app")
    }

    /// One value of the section `[app]`, by the path of its keys (`"shop.page_size"`); `None` if it is
    /// not set.
    ///
    /// # Errors
    /// The value is of another type.
    pub fn app_value<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ConfigError> {
        let path: Vec<&str> = path.split('.').collect();
        let app = self.table("app");
        read::pick(app, &path).map_err(|refusal| self.refused(refusal.at("app", app)))
    }

    /// The file that was read, if any.
    #[must_use]
    pub fn source(&self) -> Option<&Path> {
        self.source.as_ref().map(|source| source.path.as_path())
    }

    /// A section as the type of the part of the family that it configures.
    pub(crate) fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, ConfigError> {
        let table = self.table(name);
        read::decode(table).map_err(|refusal| self.refused(refusal.at(name, table)))
    }

    fn table(&self, name: &str) -> &Value {
        match &self.root {
            Value::Table(sections) => sections.get(name).unwrap_or(&EMPTY),
            _ => &EMPTY,
        }
    }

    fn refused(&self, refusal: Refusal) -> ConfigError {
        let file = self.source.as_ref().map(|source| source.shown.clone());
        refusal.into_error(file)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sections: SECTIONS,
            root: Value::Table(Table::new()),
            source: None,
            invoke: InvokeConfig::default(),
            #[cfg(feature = "log")]
            log: LogConfig::default(),
            #[cfg(feature = "otlp")]
            otlp: OtlpConfig::default(),
            #[cfg(feature = "cache")]
            cache: CacheConfig::default(),
            #[cfg(feature = "cache-redis")]
            redis: RedisConfig::default(),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Config");
        out.field("source", &self.source());
        out.field("invoke", &self.invoke);
        for section in self.sections.iter().filter(|s| s.name != "invoke") {
            if let Value::Table(table) = self.table(section.name)
                && !table.is_empty()
            {
                out.field(section.name, &section::Shown { section, table });
            }
        }
        out.finish_non_exhaustive()
    }
}
