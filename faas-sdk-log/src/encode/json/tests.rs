use std::{collections::BTreeMap, fmt, iter};

use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap, SerializeSeq},
};
use serde_json::{Value, json as value};

use super::{Limits, Redact, json};

fn limits() -> Limits {
    Limits {
        depth: 4,
        string: 100,
        total: 2000,
        entries: 64,
    }
}

pub(super) fn written<T: Serialize + ?Sized>(value: &T, limits: &Limits) -> (String, usize) {
    let mut out = b"before".to_vec();
    let removed = json(&mut out, value, limits, &Redact::standard());
    let text = String::from_utf8(out)
        .unwrap()
        .strip_prefix("before")
        .unwrap()
        .to_owned();
    serde_json::from_str::<Value>(&text).unwrap();
    (text, removed)
}

#[track_caller]
fn whole<T: Serialize + ?Sized>(value: &T, expected: &str) {
    assert_eq!(written(value, &limits()), (expected.to_owned(), 0));
}

#[track_caller]
fn part<T: Serialize + ?Sized>(value: &T, limits: &Limits, expected: &str) {
    let (text, removed) = written(value, limits);
    assert_eq!(text, expected);
    assert!(removed > 0);
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Newtype(u8);

#[derive(Serialize)]
struct Pair(u8, bool);

#[derive(Serialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Unit,
    Newtype(u8),
    Tuple(u8, u8),
    Struct { unit: u8, r#struct: u8 },
    Token(u8, u8),
    Secret { a: u8 },
    Password(u8),
}

struct Bytes(&'static [u8]);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[test]
fn values() {
    whole(&(), "null");
    whole(&Unit, "null");
    whole(&None::<u8>, "null");
    whole(&Some(1), "1");
    whole(&Newtype(2), "2");
    whole(&Pair(3, true), "[3,true]");
    whole(&'ü', "\"ü\"");
    whole("a\"b", r#""a\"b""#);
    whole("x://u:p@h", r#""x://[redacted]@h""#);
    whole(&Shown("x://u:p@h"), r#""x://[redacted]@h""#);
    whole(&Bytes(b"foob"), r#""Zm9vYg==""#);
    whole(
        &(i8::MIN, i16::MIN, i32::MIN, u8::MAX, u16::MAX, u32::MAX),
        "[-128,-32768,-2147483648,255,65535,4294967295]",
    );
    whole(
        &(u64::MAX, i64::MIN),
        r#"["18446744073709551615","-9223372036854775808"]"#,
    );
    whole(&(1_i128, 2_u128), r#"["1","2"]"#);
    whole(
        &(0.5_f32, 1e300_f64, f64::NAN, f32::INFINITY),
        r#"[0.5,1e+300,"NaN","Infinity"]"#,
    );
    whole(&[Some("a"), None], r#"["a",null]"#);
    whole(&[(); 0], "[]");
    whole(&BTreeMap::<u8, u8>::new(), "{}");
}

#[test]
fn variants() {
    whole(&Kind::Unit, r#""Unit""#);
    whole(&Kind::Newtype(1), r#"{"Newtype":1}"#);
    whole(&Kind::Tuple(1, 2), r#"{"Tuple":[1,2]}"#);
    whole(
        &Kind::Struct {
            unit: 1,
            r#struct: 2,
        },
        r#"{"Struct":{"unit":1,"struct":2}}"#,
    );
    whole(
        &[
            Kind::Token(1, 2),
            Kind::Secret { a: 1 },
            Kind::Password(1),
            Kind::Unit,
        ],
        r#"[{"Token":"[redacted]"},{"Secret":"[redacted]"},{"Password":"[redacted]"},"Unit"]"#,
    );
}

#[test]
fn keys() {
    whole(
        &BTreeMap::from([("a b", 1), ("ü", 2)]),
        r#"{"a_b":1,"_":2}"#,
    );
    whole(&BTreeMap::from([(-1, 1), (2, 2)]), r#"{"-1":1,"2":2}"#);
    whole(&BTreeMap::from([(true, 1)]), r#"{"true":1}"#);
    whole(&BTreeMap::from([('x', 1)]), r#"{"x":1}"#);
    whole(&BTreeMap::from([(Kind::Unit, 1)]), r#"{"Unit":1}"#);
    whole(&BTreeMap::from([(Some("s"), 1)]), r#"{"s":1}"#);
    whole(&BTreeMap::from([(None::<u8>, 1)]), r#"{"unsupported":1}"#);
    whole(
        &BTreeMap::from([(Kind::Newtype(1), 1)]),
        r#"{"unsupported":1}"#,
    );
    part(
        &BTreeMap::from([(vec![1], 1), (vec![2], 2)]),
        &limits(),
        r#"{"unsupported":1}"#,
    );
    whole(
        &Entries(vec![(1.5, 1), (f64::NAN, 2)]),
        r#"{"1.5":1,"NaN":2}"#,
    );
    whole(&Entries(vec![(Shown("k"), 1)]), r#"{"k":1}"#);
    let long = "x".repeat(5000);
    whole(
        &BTreeMap::from([(&*long, 1)]),
        &format!("{{\"{}\":1}}", &long[..128]),
    );
}

#[test]
fn the_first_of_a_key_is_kept() {
    part(
        &Entries(vec![("a", 1), ("b", 2), ("a", 3)]),
        &limits(),
        r#"{"a":1,"b":2}"#,
    );
    part(
        &Entries(vec![("a b", 1), ("a_b", 2), ("c", 3)]),
        &limits(),
        r#"{"a_b":1,"c":3}"#,
    );
    whole(
        &value!([{"a": {"a": 1}}, {"a": 1}]),
        r#"[{"a":{"a":1}},{"a":1}]"#,
    );
}

#[test]
fn secrets() {
    #[derive(Serialize)]
    struct Login<'a> {
        user: &'a str,
        password: &'a [&'a str],
        last: u8,
    }
    whole(
        &Login {
            user: "u",
            password: &["p"],
            last: 1,
        },
        r#"{"user":"u","password":"[redacted]","last":1}"#,
    );
    whole(
        &value!({"a": {"apiKey": {"b": 1}, "c": 2}}),
        r#"{"a":{"apiKey":"[redacted]","c":2}}"#,
    );
    whole(
        &BTreeMap::from([("token", Failing)]),
        r#"{"token":"[redacted]"}"#,
    );
}

#[test]
fn depth() {
    let limits = Limits {
        depth: 2,
        ..limits()
    };
    part(&value!([[[1], {}, 2]]), &limits, r#"[["[…]","{…}",2]]"#);
    part(&value!({"a": {"b": {}}}), &limits, r#"{"a":{"b":"{…}"}}"#);
    part(&[Kind::Tuple(1, 2)], &limits, r#"[{"Tuple":"[…]"}]"#);
    part(
        &[Kind::Struct {
            unit: 1,
            r#struct: 2,
        }],
        &limits,
        r#"[{"Struct":"{…}"}]"#,
    );
    part(
        &[[Kind::Tuple(1, 2), Kind::Newtype(1)]],
        &limits,
        r#"[["{…}","{…}"]]"#,
    );
    part(
        &[1],
        &Limits {
            depth: 0,
            ..limits.clone()
        },
        r#""[…]""#,
    );
}

#[test]
fn long_strings() {
    let text = "x".repeat(101);
    assert_eq!(
        written(&text, &limits()),
        (format!("\"{}\"", &text[1..]), 1)
    );
    assert_eq!(
        written(&Shown(&text), &limits()),
        (format!("\"{}\"", &text[1..]), 1)
    );
    assert_eq!(written(&Bytes(&[0; 200]), &limits()).1, 100);
}

#[test]
fn many_entries() {
    let limits = Limits {
        entries: 2,
        ..limits()
    };
    assert_eq!(written(&[1, 2, 3, 4], &limits), ("[1,2]".into(), 2));
    assert_eq!(written(&Pair(1, true), &limits), ("[1,true]".into(), 0));
    part(
        &value!({"a": 1, "b": [1, 2, 3], "c": 1}),
        &limits,
        r#"{"a":1,"b":[1,2]}"#,
    );
    part(&value!([[1, 2, 3], 4]), &limits, "[[1,2],4]");
}

#[test]
fn total() {
    let limits = Limits {
        total: 10,
        ..limits()
    };
    part(&value!([[1, 2, 3, 4, 5, 6], 7]), &limits, "[[1,2,3,4,5]]");
    part(
        &value!([[1, 2, "abcdef", 4], 7]),
        &limits,
        r#"[[1,2,"abcd"]]"#,
    );
    part(
        &value!({"a": {"bcdef": 1, "c": 2}}),
        &limits,
        r#"{"a":{"bcdef":1}}"#,
    );
}

#[test]
fn endless() {
    #[derive(Clone)]
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(iter::repeat(1))
        }
    }
    struct SameKey;
    impl Serialize for SameKey {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(iter::repeat(("k", Endless)))
        }
    }
    struct Chain;
    impl Serialize for Chain {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_some(self)
        }
    }
    let limits = Limits {
        entries: 3,
        ..limits()
    };
    part(&(Endless, 2), &limits, "[[1,1,1],2]");
    part(&SameKey, &limits, r#"{"k":[1,1,1]}"#);
    part(&[Chain, Chain], &limits, r#"["[…]","[…]"]"#);
    part(
        &Entries(vec![(Chain, 1)]),
        &Limits {
            entries: 0,
            ..limits.clone()
        },
        "{}",
    );
    whole(&Entries(vec![(Chain, 1)]), r#"{"unsupported":1}"#);
}

struct Failing;

impl Serialize for Failing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        seq.serialize_element(&1)?;
        Err(S::Error::custom("on purpose"))
    }
}

/// Written as a map, one key or value at a time.
struct Entries<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Entries<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_key(key)?;
            map.serialize_value(value)?;
        }
        map.end()
    }
}

#[test]
fn failing() {
    part(&Failing, &limits(), r#""[unserializable]""#);
    part(
        &value!([1]).as_array().map(|_| [Failing]),
        &limits(),
        r#""[unserializable]""#,
    );
    part(
        &BTreeMap::from([("a", Failing)]),
        &limits(),
        r#""[unserializable]""#,
    );
    whole(&BTreeMap::from([("a", Shown("s"))]), r#"{"a":"s"}"#);
}

/// Breaks the rules of serde.
#[test]
fn ill_behaved() {
    struct Ignores(u8);
    impl Serialize for Ignores {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            match self.0 {
                0 => {
                    let _ = map.serialize_value(&1);
                    let _ = map.serialize_key("a");
                    let _ = map.serialize_key("b");
                    let _ = map.serialize_value(&2);
                    let _ = map.serialize_key("c");
                }
                1 => {
                    let _ = map.serialize_entry("a", &Failing);
                    let _ = map.serialize_entry("a", &1);
                    let _ = map.serialize_entry("b", &[Failing]);
                    let _ = map.serialize_entry("c", &2);
                }
                _ => {
                    for key in 0..100 {
                        let _ = map.serialize_entry(&key, &0);
                    }
                    if self.0 == 3 {
                        return Err(S::Error::custom("of its own"));
                    }
                }
            }
            map.end()
        }
    }
    let limits = Limits {
        entries: 4,
        ..limits()
    };
    part(&[Ignores(0)], &limits, r#"[{"a":null,"b":2,"c":null}]"#);
    part(&[Ignores(1)], &limits, r#"[{"a":1,"c":2}]"#);
    part(&[Ignores(2)], &limits, r#"[{"0":0,"1":0,"2":0,"3":0}]"#);
    part(&[Ignores(3)], &limits, r#"[{"0":0,"1":0,"2":0,"3":0}]"#);
}
