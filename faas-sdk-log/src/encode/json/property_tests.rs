use proptest::prelude::*;
use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap},
};
use serde_json::{Value, json};

use super::{Limits, tests::written};

/// A value of any kind.
#[derive(Clone, Debug)]
enum Tree {
    Json(Value),
    Wide(u128, i128),
    Floats(f32, f64),
    Bytes(Vec<u8>),
    Fails,
    Seq(Vec<Tree>),
    Map(Vec<(String, Tree)>),
    Wrapped(Box<Tree>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Json(value) => value.serialize(serializer),
            Self::Wide(unsigned, signed) => (unsigned, signed).serialize(serializer),
            Self::Floats(single, double) => (single, double).serialize(serializer),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Fails => Err(S::Error::custom("on purpose")),
            Self::Seq(elements) => serializer.collect_seq(elements),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(None)?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Wrapped(inner) => serializer.serialize_newtype_variant("Tree", 0, "V", inner),
        }
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Json(Value::Null)),
        any::<bool>().prop_map(|value| Tree::Json(value.into())),
        any::<i64>().prop_map(|value| Tree::Json(value.into())),
        any::<u64>().prop_map(|value| Tree::Json(value.into())),
        "(.|x://|[@:/\"]){0,40}".prop_map(|value| Tree::Json(value.into())),
        (any::<u128>(), any::<i128>()).prop_map(|(a, b)| Tree::Wide(a, b)),
        (prop::num::f32::ANY, prop::num::f64::ANY).prop_map(|(a, b)| Tree::Floats(a, b)),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(Tree::Bytes),
    ];
    let keys = ".{0,3}|token|[a-z]{100,200}";
    leaf.prop_recursive(8, 64, 12, move |inner| {
        prop_oneof![
            10 => prop::collection::vec(inner.clone(), 0..12).prop_map(Tree::Seq),
            10 => prop::collection::vec((keys, inner.clone()), 0..12).prop_map(Tree::Map),
            5 => inner.prop_map(|inner| Tree::Wrapped(inner.into())),
            1 => Just(Tree::Fails),
        ]
    })
}

fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(depth_of).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}

fn widest(value: &Value) -> usize {
    match value {
        Value::Array(elements) => elements
            .iter()
            .map(widest)
            .max()
            .unwrap_or(0)
            .max(elements.len()),
        Value::Object(entries) => entries
            .values()
            .map(widest)
            .max()
            .unwrap_or(0)
            .max(entries.len()),
        _ => 0,
    }
}

proptest! {
    #[test]
    fn any_value(
        tree in trees(),
        depth in 0..6_usize,
        string in 0..50_usize,
        total in 0..600_usize,
        entries in 0..10_usize,
    ) {
        let limits = Limits { depth, string, total, entries };
        let (text, _) = written(&tree, &limits);
        let value: Value = serde_json::from_str(&text).unwrap();
        prop_assert!(depth_of(&value) <= depth);
        prop_assert!(widest(&value) <= entries);
        // One entry: its key, its value and what closes it.
        prop_assert!(text.len() <= total + 131 + 6 * string + 20 + depth);
    }

    #[test]
    fn within_limits_as_serde_json(value in trees().prop_map(plain)) {
        let limits = Limits { depth: 99, string: 9999, total: 99_999, entries: 99 };
        let (text, removed) = written(&value, &limits);
        prop_assert_eq!(removed, 0);
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}

/// The tree without what is written in another way than by serde_json.
fn plain(tree: Tree) -> Value {
    match tree {
        Tree::Json(Value::Number(number)) => {
            let safe = -9_007_199_254_740_991..=9_007_199_254_740_991;
            number
                .as_i64()
                .filter(|number| safe.contains(number))
                .into()
        }
        Tree::Json(Value::String(text)) => text.replace('/', "").into(),
        Tree::Json(value) => value,
        Tree::Seq(elements) => elements.into_iter().map(plain).collect(),
        Tree::Map(entries) => {
            let named = |(at, (_, value))| (format!("k{at}"), plain(value));
            entries.into_iter().enumerate().map(named).collect()
        }
        Tree::Wrapped(inner) => json!({"V": plain(*inner)}),
        Tree::Wide(..) | Tree::Floats(..) | Tree::Bytes(_) | Tree::Fails => Value::Null,
    }
}
