//! Any valid event survives each mode; what a mode cannot express is said in `binary` and
//! `structured`. Anything else gives an event or a clear error.

use bytes::Bytes;
use faas_sdk_cloudevents::{
    BATCH_CONTENT_TYPE, Decoded, STRUCTURED_CONTENT_TYPE, decode, encode_batch, encode_binary,
    encode_structured, is_cloud_event, validate,
};
use faas_sdk_core::{Attribute, Data, ErrorKind, Event, Text};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[!-~]{1,12}", "\\PC{1,12}", "[ \"%\\\\€😀A0]{1,12}"].prop_map(|text: String| {
        let is_allowed = |char: &char| {
            !char.is_control()
                && !matches!(char, '\u{fdd0}'..='\u{fdef}')
                && u32::from(*char) & 0xfffe != 0xfffe
        };
        let text: String = text.chars().filter(is_allowed).collect();
        if text.is_empty() { "x".into() } else { text }
    })
}

fn reference() -> impl Strategy<Value = String> {
    prop_oneof![
        "/[a-z0-9%/]{0,10}".prop_map(|text| text.replace('%', "%2f")),
        "[a-z][a-z0-9+.-]{0,5}:([a-zA-Z0-9:_~,;=][a-zA-Z0-9:/_~,;=]{0,10})?",
        "https://[a-z]{1,5}(:[0-9]{1,3})?/[a-z]{0,5}(\\?[a-z=&]{0,5})?(#[a-z]{0,5})?",
        "[a-z0-9._-]{1,10}",
    ]
}

fn uri() -> impl Strategy<Value = String> {
    "(https://[a-z]{1,5}|urn|arn:aws):[0-9]{0,4}".prop_map(String::from)
}

fn time() -> impl Strategy<Value = SystemTime> {
    let seconds = -62_167_219_200i64..253_402_300_800;
    (seconds, prop_oneof![Just(0u32), 0..1_000_000_000u32]).prop_map(|(seconds, nanos)| {
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let start = if seconds < 0 {
            SystemTime::UNIX_EPOCH - whole
        } else {
            SystemTime::UNIX_EPOCH + whole
        };
        start + Duration::from_nanos(nanos.into())
    })
}

fn attribute() -> impl Strategy<Value = Attribute> {
    let any_text = prop_oneof![Just(String::new()), text()];
    prop_oneof![
        any::<bool>().prop_map(Attribute::Boolean),
        any::<i32>().prop_map(Attribute::Integer),
        any_text.prop_map(|text| Attribute::String(text.into())),
        text().prop_map(|text| Attribute::Untyped(text.into())),
        any::<Vec<u8>>().prop_map(|bytes| Attribute::Binary(bytes.into())),
        uri().prop_map(|text| Attribute::Uri(text.into())),
        reference().prop_map(|text| Attribute::UriReference(text.into())),
        time().prop_map(Attribute::Timestamp),
    ]
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("-1.50E+400".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::vec(inner, 0..3).prop_map(|values| {
            let members = values.iter().map(|value| format!("\"k\" : {value}"));
            format!("{{\n{} }}", members.collect::<Vec<_>>().join(", "))
        })
    })
}

fn data() -> impl Strategy<Value = Data> {
    prop_oneof![
        Just(Data::Absent),
        any::<Vec<u8>>().prop_map(|bytes| Data::Bytes(bytes.into())),
        any::<String>().prop_map(|text| Data::Text(text.into())),
        json().prop_map(|json| Data::Json(json.into())),
    ]
}

fn content_type() -> impl Strategy<Value = Option<Text>> {
    let types = [
        "application/json",
        "Application/Geo+JSON; charset=utf-8",
        "text/plain",
        "TEXT/csv; header=\"a;b\"; charset=\"utf-8\"",
        "application/xml",
        "application/octet-stream",
    ];
    prop::option::of(prop::sample::select(types.to_vec()).prop_map(Text::from_static))
}

prop_compose! {
    fn event()(
        (id, r#type, source) in (text(), text(), reference()),
        (subject, schema) in (prop::option::of(text()), prop::option::of(uri())),
        (time, content_type, data) in (prop::option::of(time()), content_type(), data()),
        extensions in prop::collection::btree_map("[a-z0-9]{1,20}", attribute(), 0..5),
    ) -> Event {
        let reserved = [
            "data", "specversion", "id", "source", "type", "subject", "time", "datacontenttype",
            "dataschema",
        ];
        let mut event = Event::new(id, source, r#type, data);
        event.subject = subject.map(Text::from);
        event.schema = schema.map(Text::from);
        event.time = time;
        event.content_type = content_type;
        for (name, value) in extensions {
            if !reserved.contains(&&*name) {
                event.set_extension(name, value);
            }
        }
        event
    }
}

fn declares_json(content_type: &Option<Text>) -> bool {
    let essence = content_type
        .as_deref()
        .unwrap_or_default()
        .split(';')
        .next();
    essence.is_some_and(|essence| essence.to_ascii_lowercase().ends_with("json"))
}

/// The content type that JSON and text imply is explicit in every mode.
fn explicit(mut event: Event) -> Event {
    if event.content_type.is_none() {
        event.content_type = match event.data {
            Data::Json(_) => Some("application/json".into()),
            Data::Text(_) => Some("text/plain; charset=utf-8".into()),
            _ => None,
        };
    }
    event
}

fn canonical(value: Attribute) -> Text {
    let mut event = Event::new("1", "/", "t", Data::Absent);
    event.time = match value {
        Attribute::Boolean(boolean) => return boolean.to_string().into(),
        Attribute::Integer(integer) => return integer.to_string().into(),
        Attribute::Binary(bytes) => {
            // What base64 is stands in `data_base64` as well.
            event.data = Data::Bytes(bytes);
            let json = encode_structured(&event).unwrap();
            let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
            return json["data_base64"].as_str().unwrap().into();
        }
        Attribute::Timestamp(time) => Some(time),
        textual => return textual.as_str().unwrap().into(),
    };
    encode_binary(&event).unwrap().0["ce-time"]
        .to_str()
        .unwrap()
        .into()
}

/// Binary mode has no types of attributes, no empty data, and no kinds of data but those that its
/// content type tells.
fn binary(event: Event) -> Event {
    let mut event = explicit(event);
    let body = event.data.into_bytes();
    let is_text = |content_type: &Text| content_type.to_ascii_lowercase().starts_with("text/");
    event.data = match Text::try_from(body.clone()) {
        _ if body.is_empty() => Data::Absent,
        _ if declares_json(&event.content_type) => Data::Json(body),
        Ok(text) if event.content_type.as_ref().is_some_and(is_text) => Data::Text(text),
        _ => Data::Bytes(body),
    };
    for (_, value) in &mut event.extensions {
        *value = Attribute::Untyped(canonical(value.clone()));
    }
    event
}

/// The JSON format knows three types of attributes, and `Json` and `Text` by the content type.
fn structured(event: Event) -> Event {
    let mut event = explicit(event);
    event.data = match event.data {
        Data::Text(text) if declares_json(&event.content_type) => Data::Json(text.into_bytes()),
        Data::Json(json) if !declares_json(&event.content_type) => {
            Data::Text(Text::try_from(json).unwrap())
        }
        data => data,
    };
    for (_, value) in &mut event.extensions {
        if !matches!(value, Attribute::Boolean(_) | Attribute::Integer(_)) {
            *value = Attribute::String(canonical(value.clone()));
        }
    }
    event
}

fn is_json(event: &Event) -> bool {
    serde_json::from_slice::<&serde_json::value::RawValue>(event.data.as_bytes()).is_ok()
}

/// Whether the JSON format can carry it: text under a JSON type must be JSON.
fn fits_json(event: &Event) -> bool {
    let is_text = matches!(event.data, Data::Text(_));
    !(is_text && declares_json(&event.content_type)) || is_json(event)
}

fn same(left: &Event, right: &Event) -> Result<(), TestCaseError> {
    prop_assert_eq!(&left.id, &right.id);
    prop_assert_eq!(&left.source, &right.source);
    prop_assert_eq!(&left.r#type, &right.r#type);
    prop_assert_eq!(&left.subject, &right.subject);
    prop_assert_eq!(left.time, right.time);
    prop_assert_eq!(&left.content_type, &right.content_type);
    prop_assert_eq!(&left.schema, &right.schema);
    prop_assert_eq!(&left.data, &right.data);
    prop_assert_eq!(&left.extensions, &right.extensions);
    prop_assert_eq!(left.kind, right.kind);
    Ok(())
}

fn headers(content_type: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static(content_type),
    )])
}

fn one(headers: &HeaderMap, body: Bytes) -> Event {
    match decode(headers, body).unwrap() {
        Some(Decoded::Event(event)) => event,
        other => panic!("one event was sent, not {other:?}"),
    }
}

/// What was decoded is valid and can be sent again; in JSON unless its data is not the JSON that
/// the sender said it was.
fn decoded(event: &Event) -> Result<(), TestCaseError> {
    prop_assert!(validate(event).is_ok());
    let (headers, body) = match encode_binary(event) {
        Ok(sent) => sent,
        Err(error) => {
            prop_assert!(error.message().contains("charset"), "{error}");
            return Ok(());
        }
    };
    same(&one(&headers, body), &binary(event.clone()))?;
    let is_sendable = !matches!(event.data, Data::Json(_)) || is_json(event);
    prop_assert_eq!(encode_structured(event).is_ok(), is_sendable);
    Ok(())
}

fn outcome(headers: &HeaderMap, body: Bytes) -> Result<(), TestCaseError> {
    let outcome = decode(headers, body);
    prop_assert_eq!(is_cloud_event(headers), !matches!(outcome, Ok(None)));
    match outcome {
        Ok(None) => {}
        Ok(Some(Decoded::Event(event))) => decoded(&event)?,
        Ok(Some(Decoded::Batch(events))) => {
            for event in events {
                match event {
                    Ok(event) => decoded(&event)?,
                    Err(error) => prop_assert!(!error.message().is_empty()),
                }
            }
        }
        Err(error) => prop_assert!(matches!(
            error.kind(),
            ErrorKind::InvalidInput | ErrorKind::UnsupportedMediaType | ErrorKind::PayloadTooLarge
        )),
    }
    Ok(())
}

fn member() -> impl Strategy<Value = String> {
    let names = [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "data",
        "data_base64",
        "ext",
        "Ext",
        "\\u0069d",
    ];
    let values = [
        "null",
        "true",
        "5",
        "5.5",
        "99999999999",
        "\"\"",
        "\"1.0\"",
        "\"x\"",
        "\"a/b\"",
        "\"text/json\"",
        "\"AAAA\"",
        "\"\\ud800\"",
        "\"\\ufffe\"",
        "{}",
        "[1,{\"a\":1}]",
        "\"2018-04-05T17:31:00Z\"",
        "\"/s\"",
        "\"urn:x\"",
        "tru",
        "\"",
        "-",
    ];
    let (names, values) = (names.to_vec(), values.to_vec());
    (prop::sample::select(names), prop::sample::select(values))
        .prop_map(|(name, value)| format!("\"{name}\": {value}"))
}

fn object() -> impl Strategy<Value = String> {
    let required = Just("\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/\",\"type\":\"t\"");
    let start = prop_oneof![3 => required, 1 => Just("\"specversion\":\"1.0\"")];
    (start, prop::collection::vec(member(), 0..4)).prop_map(|(start, members)| {
        let members: String = members.iter().map(|member| format!(",{member}")).collect();
        format!("{{{start}{members}}}")
    })
}

fn header() -> impl Strategy<Value = (HeaderName, HeaderValue)> {
    let names = [
        "ce-specversion",
        "ce-id",
        "ce-source",
        "ce-type",
        "ce-subject",
        "ce-time",
        "ce-dataschema",
        "ce-datacontenttype",
        "ce-data",
        "ce-ext",
        "ce-a-b",
        "content-type",
        "x-other",
    ];
    let value = prop_oneof![
        prop::sample::select(vec![
            "1.0",
            "/s",
            "urn:x",
            "2018-04-05T17:31:00Z",
            "text/plain",
            "a/json",
            "text/plain; charset=us-ascii",
            "application/cloudevents+json",
            "application/cloudevents-batch+json; charset=utf-8",
            "application/cloudevents+avro",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        "[%A-F0-9\" \\\\€]{0,8}".prop_map(String::into_bytes),
        any::<Vec<u8>>(),
    ];
    (prop::sample::select(names.to_vec()), value).prop_filter_map("a header", |(name, value)| {
        let value = HeaderValue::from_bytes(&value).ok()?;
        Some((HeaderName::from_static(name), value))
    })
}

proptest! {
    #[test]
    fn binary_mode_keeps_the_event(event in event()) {
        prop_assert!(validate(&event).is_ok());
        let (headers, body) = encode_binary(&event).unwrap();
        prop_assert!(is_cloud_event(&headers));
        let read = one(&headers, body);
        same(&read, &binary(event))?;
        prop_assert!(read.raw.is_none());
    }

    #[test]
    fn structured_mode_keeps_the_event(event in event()) {
        prop_assume!(fits_json(&event));
        let body = encode_structured(&event).unwrap();
        let read = one(&headers(STRUCTURED_CONTENT_TYPE), body.clone());
        let trimmed = |mut event: Event| {
            // White space around JSON is not part of it.
            if let Data::Json(json) = &event.data {
                event.data = Data::Json(json.slice_ref(json.trim_ascii()));
            }
            event
        };
        same(&read, &trimmed(structured(event)))?;
        prop_assert_eq!(read.raw.as_ref(), Some(&body));
        prop_assert_eq!(encode_structured(&read).unwrap(), body);
    }

    #[test]
    fn batch_mode_keeps_the_events(events in prop::collection::vec(event(), 0..4)) {
        let events: Vec<_> = events.into_iter().filter(fits_json).collect();
        let body = encode_batch(&events).unwrap();
        let read = decode(&headers(BATCH_CONTENT_TYPE), body).unwrap();
        let Some(Decoded::Batch(read)) = read else { panic!("a batch was sent") };
        prop_assert_eq!(read.len(), events.len());
        for (read, event) in read.into_iter().zip(events) {
            let alone = encode_structured(&event).unwrap();
            prop_assert_eq!(read.unwrap().raw, Some(alone));
        }
    }

    #[test]
    fn any_headers_and_body_have_an_outcome(
        list in prop::collection::vec(header(), 0..6),
        is_complete: bool,
        body in prop_oneof![any::<Vec<u8>>(), object().prop_map(String::into_bytes)],
    ) {
        let mut headers: HeaderMap = list.into_iter().collect();
        if is_complete {
            for (name, value) in [("specversion", "1.0"), ("id", "1"), ("source", "/"), ("type", "t")] {
                let name: HeaderName = format!("ce-{name}").parse().unwrap();
                headers.entry(name).or_insert(HeaderValue::from_static(value));
            }
        }
        outcome(&headers, body.into())?;
    }

    #[test]
    fn any_json_has_an_outcome(
        objects in prop::collection::vec(object(), 1..4),
        cut in any::<prop::sample::Index>(),
        byte in prop::option::of(any::<u8>()),
    ) {
        let mut batch = format!("[{}]", objects.join(",")).into_bytes();
        let mut single = objects[0].clone().into_bytes();
        if let Some(byte) = byte {
            let at = cut.index(batch.len());
            batch[at] = byte;
            let at = cut.index(single.len());
            single[at] = byte;
        }
        outcome(&headers(BATCH_CONTENT_TYPE), batch.into())?;
        outcome(&headers(STRUCTURED_CONTENT_TYPE), single.into())?;
    }
}
