//! The sections that exist, and the refusal of all others.

use std::fmt;

use super::error::{Kind, Origin};
use super::value::{Table, Value};
use super::variable::Setting;
use super::words::{nearest, quoted};

pub(super) struct Section {
    pub(super) name: &'static str,
    /// The features that bring the section, any of them; none if it is always there.
    pub(super) features: &'static [&'static str],
    pub(super) compiled: bool,
    /// `None` if any key is accepted and every value is taken for a secret.
    pub(super) keys: Option<&'static [Key]>,
}

pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) secret: bool,
}

const fn plain(name: &'static str) -> Key {
    Key {
        name,
        secret: false,
    }
}

const fn secret(name: &'static str) -> Key {
    Key { name, secret: true }
}

pub(super) static SECTIONS: &[Section] = &[
    Section {
        name: "app",
        features: &[],
        compiled: true,
        keys: None,
    },
    Section {
        name: "invoke",
        features: &[],
        compiled: true,
        keys: Some(&[
            plain("reserve_ms"),
            plain("batch_concurrency"),
            plain("drain_ms"),
            plain("end_ms"),
            plain("max_body_bytes"),
        ]),
    },
    Section {
        name: "log",
        features: &["log"],
        compiled: cfg!(feature = "log"),
        keys: Some(&[
            plain("service"),
            plain("env"),
            plain("format"),
            plain("redact"),
            plain("redact_never"),
            plain("debug_ring_bytes"),
            plain("debug_sample"),
            plain("write_timeout_ms"),
            plain("line_limit_bytes"),
            plain("google_project"),
            plain("metrics_namespace"),
        ]),
    },
    Section {
        name: "cache",
        features: &["cache"],
        compiled: cfg!(feature = "cache"),
        keys: Some(&[
            plain("namespace"),
            plain("capacity_bytes"),
            plain("entry_cap_bytes"),
            plain("value_cap_bytes"),
            plain("verify_after_ms"),
            plain("remote_timeout_ms"),
        ]),
    },
    Section {
        name: "redis",
        features: &["cache-redis"],
        compiled: cfg!(feature = "cache-redis"),
        keys: Some(&[
            secret("url"),
            secret("urls"),
            plain("sentinel_service"),
            plain("username"),
            secret("password"),
            plain("database"),
            plain("tls_ca_file"),
            plain("links"),
            plain("pool_size"),
            plain("connect_timeout_ms"),
            plain("command_timeout_ms"),
        ]),
    },
    Section {
        name: "lock",
        features: &["lock"],
        compiled: false,
        keys: Some(&[]),
    },
    Section {
        name: "db",
        features: &["db-sqlite", "db-postgres", "db-mysql"],
        compiled: false,
        keys: Some(&[]),
    },
    Section {
        name: "otlp",
        features: &["otlp"],
        compiled: cfg!(feature = "otlp"),
        keys: Some(&[plain("endpoint"), plain("logs"), plain("interval_ms")]),
    },
];

/// Checks the sections of a file and their keys.
pub(super) fn check_file(sections: &[Section], root: &Table, origin: &Origin) -> Result<(), Kind> {
    for (name, value) in root {
        let section = find(sections, name, origin)?;
        let Value::Table(table) = value else {
            return Err(Kind::NotASection {
                name: name.clone(),
                origin: origin.clone(),
            });
        };
        for key in table.keys() {
            section.check_key(key, origin)?;
        }
    }
    Ok(())
}

/// Checks the section and the key that a variable names.
pub(super) fn check_setting(sections: &[Section], setting: &Setting) -> Result<(), Kind> {
    let origin = Origin::Variable(setting.variable.clone());
    match setting.path.as_slice() {
        [section, key, ..] => find(sections, section, &origin)?.check_key(key, &origin),
        _ => Err(Kind::VariableName {
            variable: setting.variable.clone(),
        }),
    }
}

fn find<'s>(sections: &'s [Section], name: &str, origin: &Origin) -> Result<&'s Section, Kind> {
    match sections.iter().find(|section| section.name == name) {
        Some(section) if section.compiled => Ok(section),
        Some(section) => Err(Kind::FeatureNeeded {
            section: section.name,
            features: quoted(section.features.iter().copied(), " or "),
            origin: origin.clone(),
        }),
        None => Err(Kind::Unknown {
            what: "section",
            name: name.to_owned(),
            origin: origin.clone(),
            hint: nearest(name, sections.iter().map(|section| section.name)),
        }),
    }
}

impl Section {
    fn check_key(&self, key: &str, origin: &Origin) -> Result<(), Kind> {
        match self.keys {
            Some(keys) if !keys.iter().any(|known| known.name == key) => Err(Kind::Unknown {
                what: "key",
                name: format!("{}.{key}", self.name),
                origin: origin.clone(),
                hint: nearest(key, keys.iter().map(|known| known.name)),
            }),
            _ => Ok(()),
        }
    }

    fn is_secret(&self, key: &str) -> bool {
        let declared = |keys: &[Key]| keys.iter().any(|known| known.name == key && known.secret);
        self.keys.is_none_or(declared)
    }
}

/// A section as `Debug` shows it.
pub(super) struct Shown<'a> {
    pub(super) section: &'a Section,
    pub(super) table: &'a Table,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.table {
            let redact = self.section.is_secret(key);
            map.entry(key, &ShownValue { value, redact });
        }
        map.finish()
    }
}

struct ShownValue<'a> {
    value: &'a Value,
    redact: bool,
}

impl fmt::Debug for ShownValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value| ShownValue {
            value,
            redact: self.redact,
        };
        match self.value {
            Value::Table(table) => {
                let entries = table.iter().map(|(key, value)| (key, shown(value)));
                f.debug_map().entries(entries).finish()
            }
            _ if self.redact => f.write_str("[redacted]"),
            Value::Null => f.write_str("null"),
            Value::Bool(value) => value.fmt(f),
            Value::Integer(value) => value.fmt(f),
            Value::Unsigned(value) => value.fmt(f),
            Value::Float(value) => value.fmt(f),
            Value::String(text) | Value::Text { text, .. } => text.fmt(f),
            Value::Array(items) => f.debug_list().entries(items.iter().map(shown)).finish(),
        }
    }
}
