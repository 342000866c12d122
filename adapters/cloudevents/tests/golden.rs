//! The examples of the specification: the JSON event format's, sections 3.2 and 4.3, and the HTTP
//! binding's. Where the specification leaves out the bytes ("... base64 encoded string ..."),
//! some are filled in.

use bytes::Bytes;
use faas_sdk_cloudevents::{
    BATCH_CONTENT_TYPE, Decoded, STRUCTURED_CONTENT_TYPE, decode, encode_batch, encode_binary,
    encode_structured,
};
use faas_sdk_core::{Attribute, Data, Event};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::{Duration, SystemTime};

macro_rules! golden {
    ($($name:literal)+) => {
        [$((
            $name,
            include_bytes!(concat!("golden/", $name, ".json")).as_slice(),
            include_bytes!(concat!("golden/", $name, ".http")).as_slice(),
        )),+]
    };
}

fn headers(content_type: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static(content_type),
    )])
}

fn one(headers: &HeaderMap, body: impl Into<Bytes>) -> Event {
    match decode(headers, body.into()).unwrap() {
        Some(Decoded::Event(event)) => event,
        other => panic!("one event was sent, not {other:?}"),
    }
}

fn structured(json: impl Into<Bytes>) -> Event {
    one(&headers(STRUCTURED_CONTENT_TYPE), json)
}

/// Splits a message into its headers and its body.
fn message(bytes: &'static [u8]) -> (HeaderMap, &'static [u8]) {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let header = |line: &'static str| {
        let (name, value) = line.split_once(": ").unwrap();
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    (head.lines().map(header).collect(), &bytes[end + 2..])
}

#[test]
fn structured_examples_become_the_binary_ones() {
    for (name, json, http) in golden!("thrift" "xml" "object" "number" "string" "base64") {
        let (headers, body) = encode_binary(&structured(json)).unwrap();
        let expected = message(http);
        assert_eq!((headers, &body[..]), expected, "{name}");
    }
}

#[test]
fn both_modes_of_an_example_are_one_event() {
    for (name, json, http) in golden!("thrift" "xml" "object" "number" "string" "base64") {
        let from_json = structured(json);
        let (headers, body) = message(http);
        let from_http = one(&headers, body);
        assert_eq!(from_http.id, from_json.id);
        assert_eq!(from_http.source, "/mycontext");
        assert_eq!(from_http.r#type, "com.example.someevent");
        assert_eq!((&from_http.subject, &from_json.subject), (&None, &None));
        assert_eq!(from_http.time, from_json.time);
        assert_eq!(from_http.content_type, from_json.content_type);
        assert_eq!(from_http.data.as_bytes(), from_json.data.as_bytes());
        assert!(from_json.raw.as_deref() == Some(json), "{name}");
        assert_eq!(from_http.raw, None);
        if name == "base64" {
            assert_eq!(from_json.time, None);
            assert!(from_json.extensions.is_empty() && from_http.extensions.is_empty());
            continue;
        }
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_522_949_460);
        assert_eq!(from_json.time, Some(time));
        let (text, number) = ("comexampleextension1", "comexampleothervalue");
        assert_eq!(
            from_json.extensions,
            [
                (text.into(), Attribute::String("value".into())),
                (number.into(), Attribute::Integer(5)),
            ]
        );
        assert_eq!(
            from_http.extension(number),
            Some(&Attribute::Untyped("5".into()))
        );
    }
}

#[test]
fn the_kinds_of_data_are_told_apart() {
    let [thrift, xml, object, number, string, base64] =
        golden!("thrift" "xml" "object" "number" "string" "base64")
            .map(|(_, json, _)| structured(json));
    assert!(matches!(thrift.data, Data::Bytes(bytes) if bytes.len() == 15));
    assert_eq!(xml.data, Data::Text("<much wow=\"xml\"/>".into()));
    assert!(
        matches!(object.data, Data::Json(json) if json.starts_with(b"{\n        \"appinfoA\" :"))
    );
    assert_eq!(number.data, Data::Json("1.5".into()));
    assert_eq!(string.data, Data::Json("\"I'm just a string\"".into()));
    assert_eq!(string.content_type.as_deref(), Some("application/json"));
    assert_eq!(base64.data, Data::Bytes("{ \"xyz\": 123 }".into()));
    assert_eq!(base64.content_type, None);
}

#[test]
fn the_batch_example_is_read_and_written() {
    let json = include_bytes!("golden/batch.json").as_slice();
    let headers = headers(BATCH_CONTENT_TYPE);
    let Some(Decoded::Batch(events)) = decode(&headers, json.into()).unwrap() else {
        panic!("a batch was sent");
    };
    let events: Vec<_> = events.into_iter().map(Result::unwrap).collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].source, "/mycontext/4");
    assert_eq!(events[1].r#type, "com.example.someotherevent");
    assert!(matches!(&events[1].raw, Some(raw) if raw.starts_with(b"{") && raw.ends_with(b"}")));
    let expected = format!(
        "[{},{}]",
        std::str::from_utf8(&encode_structured(&events[0]).unwrap()).unwrap(),
        std::str::from_utf8(&encode_structured(&events[1]).unwrap()).unwrap(),
    );
    assert_eq!(encode_batch(&events).unwrap(), expected);

    let empty = decode(&headers, Bytes::from_static(b" [] ")).unwrap();
    assert!(matches!(empty, Some(Decoded::Batch(events)) if events.is_empty()));
    assert_eq!(encode_batch(&[]).unwrap(), "[]");
}

#[test]
fn structured_output_is_compact_and_keeps_the_json_text() {
    let (_, object, _) = golden!("object")[0];
    let written = encode_structured(&structured(object)).unwrap();
    let data = "{\n        \"appinfoA\" : \"abc\",\n        \"appinfoB\" : 123,\n        \
                \"appinfoC\" : true\n    }";
    let expected = format!(
        r#"{{"specversion":"1.0","id":"C234-1234-1234","source":"/mycontext","type":"com.example.someevent","time":"2018-04-05T17:31:00Z","datacontenttype":"application/json","comexampleextension1":"value","comexampleothervalue":5,"data":{data}}}"#
    );
    assert_eq!(written, expected);
}
