//! JSON as the values of attributes.

use opentelemetry::logs::AnyValue;
use opentelemetry::{Array, Key, StringValue, Value};
use serde_json::Value as Json;
use std::collections::HashMap;

/// The value of a log record's attribute. There is no null.
pub(super) fn any(json: Json) -> Option<AnyValue> {
    let value = match json {
        Json::Null => return None,
        Json::Bool(value) => AnyValue::Boolean(value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => AnyValue::Int(number),
            None => AnyValue::Double(number.as_f64()?),
        },
        Json::String(text) => AnyValue::String(text.into()),
        Json::Array(values) => {
            // Places count in a list.
            let null = || AnyValue::String("null".into());
            let values = values
                .into_iter()
                .map(|value| any(value).unwrap_or_else(null));
            AnyValue::ListAny(Box::new(values.collect()))
        }
        Json::Object(members) => {
            let members = members
                .into_iter()
                .filter_map(|(key, value)| Some((Key::from(key), any(value)?)));
            AnyValue::Map(Box::new(members.collect::<HashMap<_, _>>()))
        }
    };
    Some(value)
}

/// The value of a span's attribute, which has no structure beyond lists of one type: anything else
/// becomes JSON text.
pub(super) fn plain(json: Json) -> Value {
    match json {
        Json::Bool(value) => Value::Bool(value),
        Json::Number(ref number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::I64(number),
            (None, Some(number)) => Value::F64(number),
            (None, None) => Value::String(json.to_string().into()),
        },
        Json::String(text) => Value::String(text.into()),
        Json::Array(values) => {
            list(&values).map_or_else(|| Json::Array(values).to_string().into(), Value::Array)
        }
        other => Value::String(other.to_string().into()),
    }
}

fn list(values: &[Json]) -> Option<Array> {
    fn all<T>(values: &[Json], each: impl Fn(&Json) -> Option<T>) -> Option<Vec<T>> {
        values.iter().map(each).collect()
    }
    let text = |value: &Json| Some(StringValue::from(value.as_str()?.to_owned()));
    all(values, text)
        .map(Array::String)
        .or_else(|| all(values, Json::as_bool).map(Array::Bool))
        .or_else(|| all(values, Json::as_i64).map(Array::I64))
        .or_else(|| all(values, Json::as_f64).map(Array::F64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_log_records() {
        assert_eq!(any(json!(null)), None);
        assert_eq!(any(json!(true)), Some(AnyValue::Boolean(true)));
        assert_eq!(any(json!(-7)), Some(AnyValue::Int(-7)));
        assert_eq!(any(json!(1.5)), Some(AnyValue::Double(1.5)));
        assert_eq!(
            any(json!(u64::MAX)),
            Some(AnyValue::Double(u64::MAX as f64))
        );
        let list = any(json!(["a", null]));
        let expected = ["a", "null"].map(|text| AnyValue::String(text.into()));
        assert_eq!(list, Some(AnyValue::ListAny(Box::new(expected.to_vec()))));
        let map = any(json!({"a": {"b": null, "c": 1}}));
        let inner = AnyValue::from_iter([("c", AnyValue::Int(1))]);
        assert_eq!(map, Some(AnyValue::from_iter([("a", inner)])));
    }

    #[test]
    fn of_spans() {
        assert_eq!(plain(json!("a")), Value::from("a"));
        assert_eq!(plain(json!(false)), Value::from(false));
        assert_eq!(plain(json!(3)), Value::from(3));
        assert_eq!(plain(json!(0.5)), Value::from(0.5));
        assert_eq!(plain(json!([1, 2])), Value::Array(vec![1, 2].into()));
        assert_eq!(plain(json!([1, 2.5])), Value::Array(vec![1.0, 2.5].into()));
        assert_eq!(plain(json!([1, "a"])), Value::from("[1,\"a\"]"));
        assert_eq!(plain(json!({"a": [null]})), Value::from("{\"a\":[null]}"));
    }
}
