//! What is no valid event is refused, and the refusal says which attribute is at fault.

use bytes::Bytes;
use faas_sdk_cloudevents::{
    BATCH_CONTENT_TYPE, Decoded, MAX_ATTRIBUTES, MAX_BATCH, STRUCTURED_CONTENT_TYPE, decode,
    encode_batch, encode_binary, encode_structured,
};
use faas_sdk_core::{Attribute, Data, Error, ErrorKind, Event};
use http::{HeaderMap, HeaderName, HeaderValue};

const BINARY: [(&str, &str); 4] = [
    ("ce-specversion", "1.0"),
    ("ce-id", "1"),
    ("ce-source", "/s"),
    ("ce-type", "t"),
];

fn content_type(value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static(value))])
}

fn with(more: &[(&str, &[u8])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let base = BINARY.map(|(name, value)| (name, value.as_bytes()));
    for (name, value) in base
        .iter()
        .filter(|(name, _)| more.iter().all(|m| m.0 != *name))
    {
        headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_bytes(value).unwrap(),
        );
    }
    for (name, value) in more {
        headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_bytes(value).unwrap(),
        );
    }
    headers
}

fn event(headers: &HeaderMap, body: impl Into<Bytes>) -> Result<Event, Error> {
    match decode(headers, body.into())? {
        Some(Decoded::Event(event)) => Ok(event),
        other => panic!("an event was sent, not {other:?}"),
    }
}

fn structured(json: impl Into<Bytes>) -> Result<Event, Error> {
    event(&content_type(STRUCTURED_CONTENT_TYPE), json)
}

/// An event in JSON with these members beside the required ones.
fn json(more: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t"{more}}}"#)
}

#[track_caller]
fn names(error: &Error, attribute: &str) {
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(
        error
            .context()
            .contains(&("attribute", attribute.to_owned())),
        "{error:?}"
    );
    assert!(
        error
            .message()
            .starts_with(&format!("attribute `{attribute}` ")),
        "{error}"
    );
}

#[test]
fn a_message_without_attributes_is_no_event() {
    for headers in [HeaderMap::new(), content_type("application/json")] {
        assert!(decode(&headers, "{}".into()).unwrap().is_none());
    }
}

#[test]
fn each_missing_required_attribute_is_named() {
    for (header, _) in BINARY {
        let mut headers = with(&[]);
        headers.remove(header);
        names(&event(&headers, "").unwrap_err(), &header[3..]);

        let attribute = &header[3..];
        for null in [false, true] {
            let mut members: serde_json::Map<_, _> = serde_json::from_str(&json("")).unwrap();
            members.remove(attribute);
            if null {
                members.insert(attribute.into(), serde_json::Value::Null);
            }
            let body = serde_json::to_string(&members).unwrap();
            names(&structured(body).unwrap_err(), attribute);
        }
    }
}

#[test]
fn invalid_headers_are_refused() {
    for (header, value) in [
        ("ce-specversion", &b"0.3"[..]),
        ("ce-specversion", b"1.0.2"),
        ("ce-specversion", b""),
        ("ce-id", b""),
        ("ce-id", b"%00"),
        ("ce-id", b"%EF%BF%BF"),
        ("ce-id", b"a\tb"),
        ("ce-source", b""),
        ("ce-source", b"a b"),
        ("ce-type", b"\"\""),
        ("ce-type", b"%C0%A0"),
        ("ce-type", b"caf\xe9"),
        ("ce-subject", b""),
        ("ce-time", b"yesterday"),
        ("ce-time", b"2018-04-05T17:31:00"),
        ("ce-time", b"0000-01-01T00:00:00+01:00"),
        ("ce-dataschema", b"relative"),
        ("ce-datacontenttype", b"text/plain"),
        ("ce-data", b"x"),
        ("ce-data_base64", b"x"),
        ("ce-my-extension", b"x"),
        ("ce-", b"x"),
        ("ce-ext", b"%7F"),
    ] {
        let error = event(&with(&[(header, value)]), "").unwrap_err();
        names(&error, &header[3..]);
    }
    for value in [&b"json"[..], b"text/plain; charset", b"text/plain;\xe9"] {
        let headers = with(&[("content-type", value)]);
        names(&event(&headers, "x").unwrap_err(), "datacontenttype");
    }
}

#[test]
fn headers_given_twice_are_refused() {
    for (header, _) in BINARY {
        let mut headers = with(&[]);
        headers.append(
            header.parse::<HeaderName>().unwrap(),
            headers[header].clone(),
        );
        names(&event(&headers, "").unwrap_err(), &header[3..]);
    }
    let twice = with(&[("content-type", b"a/b"), ("content-type", b"a/b")]);
    assert!(
        event(&twice, "")
            .unwrap_err()
            .message()
            .contains("content-type")
    );
}

#[test]
fn senders_that_do_not_encode_are_understood() {
    let headers = with(&[
        ("ce-id", "Euro € 😀 \"q\" %".as_bytes()),
        ("ce-source", b"https://example.com/a%20b"),
        ("ce-dataschema", b"\"https://example.com/caf%C3%A9\""),
        ("ce-subject", b"\"a \\\"b\\\" %41\""),
    ]);
    let event = event(&headers, "").unwrap();
    assert_eq!(event.id, "Euro € 😀 \"q\" %");
    assert_eq!(event.source, "https://example.com/a%20b");
    assert_eq!(
        event.schema.as_deref(),
        Some("https://example.com/caf%C3%A9")
    );
    assert_eq!(event.subject.as_deref(), Some("a \"b\" A"));
    let encoded = with(&[("ce-source", b"/a%2520b")]);
    assert_eq!(self::event(&encoded, "").unwrap().source, "/a%20b");
}

#[test]
fn invalid_members_are_refused() {
    for (attribute, more) in [
        ("subject", r#","subject":"""#),
        ("subject", r#","subject":5"#),
        ("subject", r#","subject":"\ud800""#),
        ("subject", r#","subject":"\u0007""#),
        ("time", r#","time":"2018-04-05""#),
        ("time", r#","time":1522949460"#),
        ("dataschema", r#","dataschema":"/relative""#),
        ("datacontenttype", r#","datacontenttype":"json","data":1"#),
        ("datacontenttype", r#","datacontenttype":"""#),
        ("datacontenttype", r#","datacontenttype":true"#),
        ("ext", r#","ext":2147483648"#),
        ("ext", r#","ext":-2147483649"#),
        ("ext", r#","ext":5.0"#),
        ("ext", r#","ext":1e3"#),
        ("ext", r#","ext":{}"#),
        ("ext", r#","ext":[]"#),
        ("Ext", r#","Ext":1"#),
        ("my_ext", r#","my_ext":1"#),
        ("", r#","":1"#),
        ("ext", r#","ext":1,"ext":1"#),
        ("ext", r#","ext":1,"\u0065xt":null"#),
        ("id", r#","id":"1""#),
        ("data", r#","data":1,"data":1"#),
        ("data", r#","datacontenttype":"text/plain","data":1"#),
        ("data", r#","datacontenttype":"text/plain","data":null"#),
        ("data", r#","datacontenttype":"text/plain","data":"\udead""#),
        ("data_base64", r#","data":null,"data_base64":"AA==""#),
        ("data_base64", r#","data_base64":"AA""#),
        ("data_base64", r#","data_base64":"A-__""#),
        ("data_base64", r#","data_base64":1"#),
    ] {
        match structured(json(more)) {
            Err(error) => names(&error, attribute),
            Ok(event) => panic!("{more} was taken as {event:?}"),
        }
    }
    let error = structured(json(r#","datacontenttype":"text/plain","data":1"#)).unwrap_err();
    assert!(
        error.message().contains("content type is not JSON"),
        "{error}"
    );
    let version = r#"{"specversion":1.0,"id":"1","source":"/s","type":"t"}"#;
    names(&structured(version).unwrap_err(), "specversion");
    let old = r#"{"specversion":"0.3","id":5,"schemaURL":"x"}"#;
    names(&structured(old).unwrap_err(), "specversion");
}

#[test]
fn valid_members_are_taken_as_they_are() {
    let body = json(
        r#","min":-2147483648,"max":2147483647,"zero":-0,"yes":true,"no":false,"gone":null,"text":"","data":null,"data_base64":null"#,
    );
    let event = structured(body.clone()).unwrap();
    let expected = [
        ("min", Attribute::Integer(i32::MIN)),
        ("max", Attribute::Integer(i32::MAX)),
        ("zero", Attribute::Integer(0)),
        ("yes", Attribute::Boolean(true)),
        ("no", Attribute::Boolean(false)),
        ("text", Attribute::String("".into())),
    ];
    assert_eq!(
        event.extensions,
        expected.map(|(name, value)| (name.into(), value))
    );
    assert_eq!(event.data, Data::Json("null".into()));
    assert_eq!(event.content_type.as_deref(), Some("application/json"));
    assert_eq!(event.raw.as_deref(), Some(body.as_bytes()));

    let absent = structured(json(r#","datacontenttype":"text/plain""#)).unwrap();
    assert_eq!(absent.data, Data::Absent);
    assert_eq!(absent.content_type.as_deref(), Some("text/plain"));

    let exact = r#"{"a" : 1.50e+10, "a":18446744073709551616,"é":"\u00e9"}"#;
    let event = structured(json(&format!(r#","data": {exact} "#))).unwrap();
    assert_eq!(event.data, Data::Json(exact.into()));
}

#[test]
fn the_body_wins_over_repeated_headers() {
    let mut headers = with(&[("ce-id", b"other"), ("ce-Bad-Name", b"x")]);
    headers.extend(content_type("application/cloudevents+json; charset=UTF-8"));
    let event = event(&headers, json("")).unwrap();
    assert_eq!((&*event.id, event.extensions.len()), ("1", 0));
}

#[test]
fn what_is_not_a_json_object_is_refused_with_its_cause() {
    let deep = "[".repeat(100_000);
    for body in ["", "null", "[]", "{", "\u{feff}{}", "{} x", &deep] {
        let error = structured(body.to_owned()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.causes().count(), 1, "{error:?}");
    }
    let error = structured(Bytes::from_static(b"{\"id\":\"\xff\"}")).unwrap_err();
    assert_eq!(error.message(), "the body is not UTF-8");
    let nested = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let event = structured(json(&format!(",\"data\":{nested}"))).unwrap();
    assert!(encode_structured(&event).is_ok());
}

#[test]
fn a_bad_event_of_a_batch_spoils_no_other() {
    let body = format!(
        "[{},1,{{}},{}]",
        json(""),
        json(r#","id":"2""#).replacen("\"id\":\"1\",", "", 1)
    );
    let Some(Decoded::Batch(events)) =
        decode(&content_type(BATCH_CONTENT_TYPE), body.into()).unwrap()
    else {
        panic!("a batch was sent");
    };
    let ids: Vec<_> = events
        .iter()
        .map(|event| event.as_ref().map(|event| &*event.id).ok())
        .collect();
    assert_eq!(ids, [Some("1"), None, None, Some("2")]);
    names(events[2].as_ref().unwrap_err(), "specversion");
    for index in [1, 2] {
        let error = events[index].as_ref().unwrap_err();
        assert!(error.context().contains(&("index", index.to_string())));
    }
    for body in ["", "{}", "1", "[", "[{}", "[] []"] {
        let error = decode(&content_type(BATCH_CONTENT_TYPE), body.into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{body}");
    }
}

#[test]
fn counts_are_limited() {
    let batch = |count: usize| {
        let body = format!("[{}]", vec!["1"; count].join(","));
        decode(&content_type(BATCH_CONTENT_TYPE), body.into())
    };
    assert!(
        matches!(batch(MAX_BATCH), Ok(Some(Decoded::Batch(events))) if events.len() == MAX_BATCH)
    );
    assert_eq!(
        batch(MAX_BATCH + 1).unwrap_err().kind(),
        ErrorKind::PayloadTooLarge
    );

    let members = |count: usize| {
        let more: String = (0..count).map(|index| format!(",\"e{index}\":1")).collect();
        structured(json(&more))
    };
    assert_eq!(
        members(MAX_ATTRIBUTES - 4).unwrap().extensions.len(),
        MAX_ATTRIBUTES - 4
    );
    assert_eq!(
        members(MAX_ATTRIBUTES - 3).unwrap_err().kind(),
        ErrorKind::PayloadTooLarge
    );

    let headers = |count: usize| {
        let mut headers = with(&[]);
        for index in 0..count {
            let name: HeaderName = format!("ce-e{index}").parse().unwrap();
            headers.append(name, HeaderValue::from_static("1"));
        }
        event(&headers, "")
    };
    assert_eq!(
        headers(MAX_ATTRIBUTES - 4).unwrap().extensions.len(),
        MAX_ATTRIBUTES - 4
    );
    assert_eq!(
        headers(MAX_ATTRIBUTES - 3).unwrap_err().kind(),
        ErrorKind::PayloadTooLarge
    );
}

#[test]
fn an_invalid_event_is_not_sent_and_it_is_our_own_fault() {
    let good = Event::new("1", "/s", "t", Data::Absent);
    let bad = Event::new("1", "not a uri", "t", Data::Absent);
    let errors = [
        encode_binary(&bad).unwrap_err(),
        encode_structured(&bad).unwrap_err(),
        encode_batch(&[good, bad]).unwrap_err(),
    ];
    for error in &errors {
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(
            error
                .context()
                .contains(&("attribute", "source".to_owned()))
        );
    }
    assert!(errors[2].context().contains(&("index", "1".to_owned())));
    for json in [&b"{"[..], b"", b"1 2", b"\"\xff\""] {
        let event = Event::new("1", "/s", "t", Data::Json(json.into()));
        let error = encode_structured(&event).unwrap_err();
        assert!(error.message().starts_with("attribute `data` "), "{error}");
    }
}

#[test]
fn long_and_hostile_names_are_shown_short_and_escaped() {
    let name = format!("\\n\\u001b{}", "x".repeat(10_000));
    let error = structured(json(&format!(",\"{name}\":1"))).unwrap_err();
    assert!(error.message().len() < 300 && !error.message().contains(['\n', '\u{1b}']));
}
