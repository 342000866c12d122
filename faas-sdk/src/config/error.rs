use std::fmt;

use serde::de::{Expected, Unexpected};

use super::names;
use super::value::Value;
use super::words::{nearest, quoted};

/// Why the configuration cannot be used. The message names the file, the variable and the key; it
/// never holds a value.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ConfigError(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(super) enum Kind {
    #[cfg(feature = "config-file")]
    #[error("cannot read {file}")]
    Unreadable {
        file: String,
        source: std::io::Error,
    },
    #[cfg(feature = "config-file")]
    #[error("`FAAS_CONFIG` names `{file}`, which cannot be read; correct the path or unset it")]
    UnreadableNamed {
        file: String,
        source: std::io::Error,
    },
    #[cfg(feature = "config-file")]
    #[error("{file} is larger than {limit} bytes, the limit of a configuration file")]
    TooLarge { file: String, limit: u64 },
    #[cfg(feature = "config-file")]
    #[error("{file}{at}: {message}")]
    Syntax {
        file: String,
        at: super::position::Position,
        message: String,
    },
    #[cfg(not(feature = "config-file"))]
    #[error(
        "`FAAS_CONFIG` is set, but configuration files need the feature `config-file`; enable it or unset the variable"
    )]
    FilesNotCompiled,
    #[error("unknown {what} `{name}` {origin}; {hint}")]
    Unknown {
        what: &'static str,
        name: String,
        origin: Origin,
        hint: String,
    },
    #[error("`{name}` {origin} is a section: write `[{name}]` and its keys below")]
    NotASection { name: String, origin: Origin },
    #[error("section `{section}` needs the feature {features}; the section is {origin}")]
    FeatureNeeded {
        section: &'static str,
        features: String,
        origin: Origin,
    },
    #[error("`{variable}` is not UTF-8 text, in its name or its value")]
    NotUtf8 { variable: String },
    #[error(
        "`{variable}` does not name a key: write `FAAS_<SECTION>__<KEY>`, no part empty, at most {} parts",
        super::MAX_DEPTH
    )]
    VariableName { variable: String },
    #[error("`{first}` and `{second}` contradict each other; unset one of them")]
    Conflict { first: String, second: String },
    #[error("`{key}` is missing; set it {how}")]
    Missing { key: String, how: String },
    #[error("{place}: {problem}")]
    Refused { place: String, problem: String },
}

/// Where a key was set.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    File(String),
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "in {file}"),
            Self::Variable(variable) => write!(f, "set by `{variable}`"),
        }
    }
}

/// A value that its type refused: the place and what was wanted, never the value.
#[derive(Debug)]
pub(super) struct Refusal {
    /// From the innermost step outwards.
    path: Vec<Step>,
    variable: Option<String>,
    /// Whether the place lies within the text of one variable.
    in_text: bool,
    problem: Problem,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
    /// A key that the type names, whatever the configuration holds.
    Field(&'static str),
    /// A key within a variable's text, which is part of a value.
    Hidden,
}

#[derive(Debug)]
pub(super) enum Problem {
    Expected(String),
    Missing,
    Unknown(String),
    Duplicate,
    /// The type's own words, which are dropped: they may quote the value.
    Other,
}

impl Refusal {
    pub(super) fn new(problem: Problem) -> Self {
        Self {
            path: Vec::new(),
            variable: None,
            in_text: false,
            problem,
        }
    }

    fn below(problem: Problem, step: Step) -> Self {
        Self {
            path: vec![step],
            ..Self::new(problem)
        }
    }

    pub(super) fn has_path(&self) -> bool {
        !self.path.is_empty()
    }

    /// The same, seen from the table in which `value` stands as `key`.
    pub(super) fn at(mut self, key: &str, value: &Value) -> Self {
        self.path.push(Step::Key(key.to_owned()));
        self.set_by(value)
    }

    /// The same, seen from the list in which the value stands at `index`.
    pub(super) fn at_index(mut self, index: usize) -> Self {
        self.path.push(Step::Index(index));
        self
    }

    /// The same, seen from the variable whose text was read: the keys in it are not shown.
    pub(super) fn in_text(mut self) -> Self {
        for step in &mut self.path {
            if matches!(step, Step::Key(_)) {
                *step = Step::Hidden;
            }
        }
        self.in_text = true;
        self
    }

    pub(super) fn set_by(mut self, value: &Value) -> Self {
        if self.variable.is_none() {
            self.variable = value.variable().map(str::to_owned);
        }
        self
    }

    /// Says what was expected if the type's own words were all there was.
    pub(super) fn or_expected(mut self, expected: String) -> Self {
        if matches!(self.problem, Problem::Other) {
            self.problem = Problem::Expected(expected);
        }
        self
    }

    pub(super) fn into_error(self, file: Option<String>) -> ConfigError {
        let key = self.key();
        let problem = match self.problem {
            Problem::Missing if !self.in_text => {
                let variable = names::name(&key).map(|name| format!("as `{name}`"));
                let file =
                    cfg!(feature = "config-file").then(|| "in the configuration file".into());
                let how: Vec<String> = file.into_iter().chain(variable).collect();
                return Kind::Missing {
                    key,
                    how: how.join(" or "),
                }
                .into();
            }
            Problem::Missing => "missing".to_owned(),
            Problem::Expected(what) => format!("expected {what}"),
            Problem::Unknown(hint) => format!("unknown key; {hint}"),
            Problem::Duplicate => "set twice".to_owned(),
            Problem::Other => "not a value that its type accepts".to_owned(),
        };
        let origin = self
            .variable
            .map(Origin::Variable)
            .or(file.map(Origin::File));
        let place = match origin {
            Some(origin) => format!("`{key}` {origin}"),
            None => format!("`{key}`"),
        };
        Kind::Refused { place, problem }.into()
    }

    /// The path as `app.db.ports[0]`.
    fn key(&self) -> String {
        let mut key = String::new();
        for step in self.path.iter().rev() {
            if !key.is_empty() && !matches!(step, Step::Index(_)) {
                key.push('.');
            }
            match step {
                Step::Key(name) => key.push_str(name),
                Step::Field(name) => key.push_str(name),
                Step::Index(index) => key.push_str(&format!("[{index}]")),
                Step::Hidden => key.push('*'),
            }
        }
        key
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("value refused")
    }
}

impl std::error::Error for Refusal {}

impl serde::de::Error for Refusal {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(Problem::Other)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::Expected(expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::Expected(expected.to_string()))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::new(Problem::Expected(expected.to_string()))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(Problem::Expected(quoted(known.iter().copied(), " or ")))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::below(
            Problem::Unknown(nearest(field, known.iter().copied())),
            Step::Key(field.to_owned()),
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Self::below(Problem::Missing, Step::Field(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::below(Problem::Duplicate, Step::Field(field))
    }
}
