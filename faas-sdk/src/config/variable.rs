//! The variables that are configuration, in one pass over the environment.

use super::MAX_DEPTH;
use super::environment::Environment;
use super::error::Kind;
use super::names::{PREFIX, SEPARATOR, path};
use super::value::{Table, Value};

pub(super) struct Variables<'a> {
    /// The value of `FAAS_CONFIG`.
    pub(super) file: Option<&'a str>,
    pub(super) settings: Vec<Setting>,
}

/// One `FAAS_<SECTION>__<KEY>`.
pub(super) struct Setting {
    /// Section, key and whatever lies deeper, in lower case; two parts at least, none empty.
    pub(super) path: Vec<String>,
    pub(super) variable: String,
    text: String,
}

pub(super) fn collect(environment: &Environment) -> Result<Variables<'_>, Kind> {
    let mut file: Option<(String, &str)> = None;
    let mut settings = Vec::new();
    for (name, value) in &environment.variables {
        let head = name.as_encoded_bytes().get(..PREFIX.len());
        if !head.is_some_and(|head| head.eq_ignore_ascii_case(PREFIX.as_bytes())) {
            continue;
        }
        let variable = name.to_string_lossy().into_owned();
        let rest = &variable[PREFIX.len()..];
        if rest.eq_ignore_ascii_case("CONFIG") {
            let Some(path) = value.to_str() else {
                return Err(Kind::NotUtf8 { variable });
            };
            if let Some((first, _)) = file {
                return Err(Kind::Conflict {
                    first,
                    second: variable,
                });
            }
            file = Some((variable, path));
            continue;
        }
        if !rest.contains(SEPARATOR) {
            continue;
        }
        let path = path(rest);
        let (Some(_), Some(text)) = (name.to_str(), value.to_str()) else {
            return Err(Kind::NotUtf8 { variable });
        };
        if path.len() > MAX_DEPTH || path.iter().any(String::is_empty) {
            return Err(Kind::VariableName { variable });
        }
        let text = text.to_owned();
        settings.push(Setting {
            path,
            variable,
            text,
        });
    }
    let file = file.map(|(_, path)| path);
    Ok(Variables { file, settings })
}

impl Setting {
    /// Puts the text in its place, over whatever the file says there.
    pub(super) fn apply(self, root: &mut Value) -> Result<(), Kind> {
        let Self {
            path,
            variable,
            text,
        } = self;
        set(root, &path, Value::Text { variable, text })
    }
}

fn set(place: &mut Value, path: &[String], text: Value) -> Result<(), Kind> {
    // Below a variable's text nothing can be set, and a text would hide what variables set below it.
    let set_before = match place {
        Value::Table(_) if !path.is_empty() => None,
        _ => place.variable(),
    };
    if let (Some(first), Some(second)) = (set_before, text.variable()) {
        return Err(Kind::Conflict {
            first: first.to_owned(),
            second: second.to_owned(),
        });
    }
    let Some((key, rest)) = path.split_first() else {
        *place = text;
        return Ok(());
    };
    if !matches!(place, Value::Table(_)) {
        *place = Value::Table(Table::new());
    }
    match place {
        Value::Table(table) => set(table.entry(key.clone()).or_insert(Value::Null), rest, text),
        _ => Ok(()),
    }
}
