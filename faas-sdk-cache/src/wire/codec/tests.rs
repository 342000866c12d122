use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn again<V: Serialize, W: DeserializeOwned>(value: &V) -> Result<W, CodecError> {
    decode_named(&encode_named(value)?)
}

#[track_caller]
fn survives<V: Serialize + DeserializeOwned + PartialEq + Debug>(value: V) {
    assert_eq!(again::<V, V>(&value).expect("MessagePack"), value);
}

#[track_caller]
fn survives_both<V: Serialize + DeserializeOwned + PartialEq + Debug>(value: V) {
    let json = encode_json(&value).expect("JSON");
    assert_eq!(decode_json::<V>(&json).expect("JSON"), value);
    survives(value);
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Inner {
    ip: IpAddr,
    at: Duration,
    scores: Vec<f64>,
    note: Option<String>,
}

fn inner() -> Inner {
    let at = Duration::new(5, 6);
    Inner {
        ip: IpAddr::from([10, 1, 2, 3]),
        at,
        scores: vec![1.0, -0.5],
        note: None,
    }
}

#[test]
fn fields_come_and_go_between_deployments() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Old {
        id: u32,
        name: String,
        dropped: Inner,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct New {
        #[serde(default)]
        added: Option<Inner>,
        #[serde(default = "seven")]
        level: u8,
        name: String,
        id: u64,
    }
    fn seven() -> u8 {
        7
    }
    let old = Old {
        id: 1,
        name: "n".to_owned(),
        dropped: inner(),
    };
    let new: New = again(&old).expect("a new deployment reads what an old one wrote");
    assert_eq!(
        new,
        New {
            added: None,
            level: 7,
            name: "n".to_owned(),
            id: 1
        }
    );
    again::<_, Old>(&new).expect_err("a field without a default is missing");
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum External {
    Unit,
    New(Inner),
    Tuple(u8, String),
    Struct { a: u8, inner: Inner },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(tag = "type")]
enum Internal {
    Unit,
    New(Inner),
    Struct {
        inner: Inner,
        c: char,
        bytes: Vec<u8>,
        big: u64,
        kind: External,
    },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    Tuple(u8, Inner),
    Struct { inner: Inner },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Untagged {
    Struct { inner: Inner },
    Ip(IpAddr),
    Text(String),
    Number(u64),
    Float(f64),
    List(Vec<i8>),
    Nothing,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Flattened {
    id: u8,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    rest: BTreeMap<String, Untagged>,
}

#[test]
fn enums_of_every_kind_survive() {
    survives_both(vec![
        External::Unit,
        External::New(inner()),
        External::Tuple(1, "x".to_owned()),
        External::Struct {
            a: 1,
            inner: inner(),
        },
    ]);
    let kind = External::Tuple(1, "x".to_owned());
    survives_both(vec![
        Internal::Unit,
        Internal::New(inner()),
        Internal::Struct {
            inner: inner(),
            c: 'ü',
            bytes: vec![1, 200],
            big: u64::MAX,
            kind,
        },
    ]);
    survives_both(vec![
        Adjacent::Unit,
        Adjacent::Tuple(1, inner()),
        Adjacent::Struct { inner: inner() },
    ]);
    survives_both(vec![
        Untagged::Struct { inner: inner() },
        Untagged::Ip(IpAddr::from([0_u16; 8])),
        Untagged::Text("x".to_owned()),
        Untagged::Number(300),
        Untagged::Float(-1.5),
        Untagged::List(vec![-1, 2]),
        Untagged::Nothing,
    ]);
    let rest = BTreeMap::from([("more".to_owned(), Untagged::Number(1))]);
    survives_both(Flattened {
        id: 1,
        inner: inner(),
        rest,
    });
}

#[test]
fn what_json_cannot_say_survives() {
    survives(BTreeMap::from([((1_u32, "x".to_owned()), 'a')]));
    survives(BTreeMap::from([(None, 'a'), (Some(vec![1_u8]), 'b')]));
    survives(f64::INFINITY);
    assert!(again::<_, f64>(&f64::NAN).expect("a number").is_nan());
    let bytes = bytes_field(&[0, 1, 200]);
    assert_eq!(
        encode_named(&bytes).expect("bytes").len(),
        1 + 4 + 2 + 3,
        "one byte each"
    );
    survives(bytes);
}

/// As `serde_bytes` and the `serde` feature of `bytes` do.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Blob {
    #[serde(
        serialize_with = "serialize_bytes",
        deserialize_with = "deserialize_bytes"
    )]
    raw: Vec<u8>,
}

fn bytes_field(raw: &[u8]) -> Blob {
    Blob { raw: raw.to_vec() }
}

fn serialize_bytes<S: serde::Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(bytes)
}

fn deserialize_bytes<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    struct Visitor;
    impl serde::de::Visitor<'_> for Visitor {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
    from.deserialize_bytes(Visitor)
}

#[test]
fn numbers_and_other_types_of_std_survive() {
    survives_both((u64::MAX, i64::MIN, f32::MIN_POSITIVE, f64::MAX, -0.0_f64));
    survives_both((u128::MAX, i128::MIN));
    survives_both((
        UNIX_EPOCH,
        Duration::MAX,
        SystemTime::UNIX_EPOCH + Duration::new(1, 1),
    ));
    survives_both(BTreeMap::from([(-1_i64, true), (70_000, false)]));
    survives_both((
        Ok::<u8, String>(1),
        1..5_u8,
        std::path::PathBuf::from("/a"),
        (),
    ));
    survives_both(serde_json::json!({"a": [1, -2, 2.5, "x", null, {"b": true, "c": u64::MAX}]}));
}

#[test]
fn what_does_not_survive() {
    assert_eq!(
        again::<_, Option<Option<u8>>>(&Some(None::<u8>)).expect("decodes"),
        None
    );
    assert_eq!(again::<_, Option<()>>(&Some(())).expect("decodes"), None);

    #[derive(Serialize, Deserialize, Debug)]
    #[serde(untagged)]
    enum Big {
        Number(u128),
    }
    let Big::Number(_) = Big::Number(5);
    again::<_, Big>(&Big::Number(5)).expect_err("serde does not buffer 128-bit integers");
}

#[derive(Serialize, Deserialize, Debug)]
enum Chain {
    End,
    Link(Box<Chain>),
}

/// Levels are built and dropped without recursion, so that only the codec can overflow the stack.
fn chain_bytes(levels: usize) -> Vec<u8> {
    let mut bytes = b"\x81\xA4Link".repeat(levels);
    bytes.extend_from_slice(b"\xA3End");
    bytes
}

#[test]
fn what_nests_too_deep_is_refused() {
    decode_named::<Chain>(&chain_bytes(MAX_DEPTH)).expect("deep");
    decode_named::<Chain>(&chain_bytes(MAX_DEPTH + 1)).expect_err("too deep");
    decode_named::<Chain>(&chain_bytes(1_000_000)).expect_err("too deep");
    for levels in [MAX_DEPTH + 1, 512, 1_000_000] {
        let arrays = [&vec![0x91; levels][..], &[0xC0]].concat();
        decode_named::<serde_json::Value>(&arrays).expect_err("too deep");
    }
    let arrays = [&[0x91; MAX_DEPTH][..], &[0xC0]].concat();
    decode_named::<serde_json::Value>(&arrays).expect("deep");
}

#[test]
fn bytes_after_the_value_are_refused() {
    for rest in [&[0xC0_u8][..], &[0xC1], &[0x91], &[0x01, 0x02]] {
        decode_named::<u8>(&[&[5], rest].concat()).expect_err("bytes follow");
        decode_named::<Option<u8>>(&[&[0xC0], rest].concat()).expect_err("bytes follow");
    }
    decode_json::<u8>(b"5 6").expect_err("bytes follow");
}

#[test]
fn a_length_that_is_a_lie_takes_no_memory() {
    decode_named::<Vec<u64>>(&[0xDD, 0xFF, 0xFF, 0xFF, 0xFF]).expect_err("nothing follows");
    decode_named::<String>(&[0xDB, 0xFF, 0xFF, 0xFF, 0xFF]).expect_err("nothing follows");
    decode_named::<BTreeMap<u8, u8>>(&[0xDF, 0xFF, 0xFF, 0xFF, 0xFF]).expect_err("nothing follows");
}

#[test]
fn raw_values_are_their_bytes() {
    let bytes = Bytes::from_static(b"\xFF\x00");
    assert_eq!(Bytes::from_bytes(bytes.to_bytes()).expect("bytes"), bytes);
    assert_eq!(
        Vec::from_bytes(vec![1_u8, 2].to_bytes()).expect("bytes"),
        [1, 2]
    );
    assert_eq!(
        String::from_bytes("ü".to_owned().to_bytes()).expect("text"),
        "ü"
    );
    let error = String::from_bytes(bytes).expect_err("no UTF-8");
    assert_eq!(error.to_string(), "the bytes are no value of this type");
    assert!(std::error::Error::source(&error).is_some());
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_trouble(bytes in proptest::collection::vec(any::<u8>(), 0..1000)) {
        let _any = decode_named::<serde_json::Value>(&bytes);
        let _any = decode_named::<Flattened>(&bytes);
        let _any = decode_named::<Vec<Internal>>(&bytes);
        let _any = decode_named::<Chain>(&bytes);
        let _any = decode_named::<(u128, Option<Blob>, BTreeMap<u8, String>)>(&bytes);
    }

    #[test]
    fn damaged_values_are_no_trouble(at in any::<usize>(), byte in any::<u8>(), cut in any::<usize>()) {
        let kind = External::Struct { a: 1, inner: inner() };
        let value = Internal::Struct { inner: inner(), c: 'c', bytes: vec![1; 30], big: 1 << 40, kind };
        let mut bytes = encode_named(&value).expect("encodes");
        let at = at % bytes.len();
        bytes[at] = byte;
        let _any = decode_named::<Internal>(&bytes);
        bytes.truncate(cut % bytes.len());
        let _any = decode_named::<Internal>(&bytes);
    }
}
