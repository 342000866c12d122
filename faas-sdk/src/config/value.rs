use std::collections::BTreeMap;

pub(super) type Table = BTreeMap<String, Value>;

/// A node of the merged configuration. It has no `Debug`: it may hold secrets.
#[derive(Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    String(String),
    Array(Vec<Value>),
    Table(Table),
    /// A variable's text, whose type the reader of the key decides.
    Text {
        variable: String,
        text: String,
    },
}

impl Value {
    /// The variable that set this value or, if several did, one of them.
    pub(super) fn variable(&self) -> Option<&str> {
        match self {
            Self::Text { variable, .. } => Some(variable),
            Self::Table(table) => table.values().find_map(Self::variable),
            _ => None,
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Self::Integer(value),
                (_, Some(value)) => Self::Unsigned(value),
                _ => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(value) => Self::String(value),
            Json::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Json::Object(map) => Self::Table(map.into_iter().map(|(k, v)| (k, v.into())).collect()),
        }
    }
}
