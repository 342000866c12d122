//! Values for the fields of events and spans.

use proptest::prelude::*;
use serde_json::Value;
use std::error::Error;
use std::fmt;

/// One of each kind.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    pub(crate) message: String,
    pub(crate) text: String,
    pub(crate) other: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) truth: bool,
    pub(crate) signed: i64,
    pub(crate) unsigned: u64,
    pub(crate) float: f64,
    pub(crate) large: i128,
    pub(crate) natural: u128,
    pub(crate) tree: Value,
    pub(crate) option: Option<String>,
    pub(crate) failure: Failure,
}

pub(crate) fn values() -> impl Strategy<Value = Values> {
    let texts = (text(), text(), text(), prop::option::of(text()));
    let bytes = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..40),
        1 => text().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 3000..9000),
    ];
    let numbers = (
        any::<bool>(),
        prop_oneof![any::<i64>(), -9..9_i64],
        prop_oneof![any::<u64>(), 0..9_u64, Just(1 << 53), Just((1 << 53) - 1)],
        prop_oneof![
            any::<f64>(),
            prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1, -0.0])
        ],
        any::<i128>(),
        any::<u128>(),
    );
    (texts, bytes, numbers, tree(), failure()).prop_map(
        |((message, text, other, option), bytes, numbers, tree, failure)| {
            let (truth, signed, unsigned, float, large, natural) = numbers;
            Values {
                message,
                text,
                other,
                bytes,
                truth,
                signed,
                unsigned,
                float,
                large,
                natural,
                tree,
                option,
                failure,
            }
        },
    )
}

/// Texts of all lengths and characters, and without URLs: their credentials do not stay.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let short = prop_oneof![
        "\\PC{0,16}",
        "(\\PC|[\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{2029}\"\\\\/]){0,24}",
        any::<String>(),
        Just(String::new()),
        Just("\u{f8ff}".to_owned()),
    ];
    let unit = prop::sample::select(vec![
        "x", "\u{1}", "é", "\u{2028}", "\"", "\\", "😀", "a b ",
    ]);
    let length = prop_oneof![
        8 => 200..300_usize,
        4 => 900..1100_usize,
        4 => 2000..2100_usize,
        4 => 8180..8200_usize,
        1 => Just(1 << 20),
    ];
    let long = (unit, length).prop_map(|(unit, length): (&str, usize)| {
        let mut text = unit.repeat(length / unit.len());
        text.push('.');
        text
    });
    prop_oneof![9 => short, 1 => long]
        .prop_map(|text| text.replace("//", "--").replace(r"\/", "--"))
}

/// A structured value, some of them deeper and wider than is written.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c_. ]{1,3}", "\\PC{0,4}", "[a-c]{120,140}"]
}

/// An error, with as many causes as there are further texts.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) texts: Vec<String>,
    cause: Option<Box<Failure>>,
}

impl Failure {
    fn new(texts: &[String]) -> Self {
        let rest = texts.get(1..).unwrap_or_default();
        Self {
            texts: texts.to_vec(),
            cause: (!rest.is_empty()).then(|| Box::new(Self::new(rest))),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts[0])
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause = self.cause.as_deref()?;
        Some(cause)
    }
}

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        8 => prop::collection::vec(text(), 1..4),
        1 => prop::collection::vec("[a-z]{1,5}", 8..12),
    ]
    .prop_map(|texts| Failure::new(&texts))
}
