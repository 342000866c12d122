use super::*;
use std::collections::HashMap;

fn read(variables: &[(&str, &str)]) -> Result<Option<Otlp>, OtlpError> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    Otlp::from_variables(|name| variables.get(name).map(ToString::to_string))
}

fn otlp(variables: &[(&str, &str)]) -> Otlp {
    read(variables).expect("understood").expect("an endpoint")
}

fn endpoints(otlp: &Otlp) -> [Option<String>; 2] {
    [&otlp.traces, &otlp.logs].map(|receiver| {
        let endpoint = &receiver.as_ref()?.endpoint;
        Some(endpoint.to_string())
    })
}

#[test]
fn without_an_endpoint_there_is_nothing_and_nothing_else_counts() {
    for variables in [
        &[][..],
        &[(ENDPOINT, " "), (PROTOCOL, "grpc")],
        &[
            (ENDPOINT, "http://h"),
            ("OTEL_SDK_DISABLED", "TRUE"),
            (TIMEOUT, "x"),
        ],
        &[
            (ENDPOINT, "http://h"),
            (TRACES.exporter, "none"),
            (LOGS.exporter, "none"),
            (HEADERS, "x"),
        ],
    ] {
        assert!(read(variables).expect("nothing to complain of").is_none());
    }
}

#[test]
fn paths_are_added_to_the_endpoint_of_all_alone() {
    let both = otlp(&[(ENDPOINT, "https://h:1/base/")]);
    let expected = ["https://h:1/base/v1/traces", "https://h:1/base/v1/logs"];
    assert_eq!(endpoints(&both), expected.map(|url| Some(url.to_owned())));
    let own = otlp(&[
        (ENDPOINT, "http://h"),
        (TRACES.endpoint, "http://t/x?key=1"),
    ]);
    let expected = ["http://t/x?key=1", "http://h/v1/logs"];
    assert_eq!(endpoints(&own), expected.map(|url| Some(url.to_owned())));
    let one = otlp(&[(LOGS.endpoint, "http://l"), (PROTOCOL, "http/protobuf")]);
    assert_eq!(endpoints(&one), [None, Some("http://l/".to_owned())]);
    let spans = otlp(&[(ENDPOINT, "http://h"), (LOGS.exporter, "none")]);
    assert!(spans.logs.is_none() && spans.traces.is_some());
}

#[test]
fn headers_and_times_are_those_of_the_signal_else_the_general_ones() {
    let otlp = otlp(&[
        (ENDPOINT, "http://h"),
        (HEADERS, "authorization=Basic%20abc,x=1"),
        (LOGS.headers, "x=2"),
        (TIMEOUT, "250"),
        (TRACES.timeout, "50"),
    ]);
    let (traces, logs) = (otlp.traces.expect("traces"), otlp.logs.expect("logs"));
    assert_eq!(traces.headers["authorization"], "Basic abc");
    assert_eq!(traces.headers["x"], "1");
    assert_eq!(
        (logs.headers.len(), &logs.headers["x"]),
        (1, &"2".parse().expect("a value"))
    );
    assert_eq!(traces.timeout, Duration::from_millis(50));
    assert_eq!(logs.timeout, Duration::from_millis(250));
}

#[test]
fn the_resource() {
    let otlp = otlp(&[
        (ENDPOINT, "http://h"),
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=light%2Cdark"),
    ]);
    assert_eq!(otlp.service_name.as_deref(), Some("shop"));
    assert_eq!(
        otlp.resource,
        [("team".to_owned(), "light,dark".to_owned())]
    );
}

#[test]
fn what_is_not_understood_names_its_variable_and_no_secret() {
    for (name, value) in [
        (ENDPOINT, "secret"),
        (ENDPOINT, "ftp://secret"),
        (ENDPOINT, "http://user:secret@h"),
        (ENDPOINT, "http://h?secret"),
        (ENDPOINT, "http:///secret"),
        (TRACES.endpoint, "http://secret secret"),
        (PROTOCOL, "grpc"),
        (LOGS.protocol, "http/json"),
        (HEADERS, "secret"),
        (HEADERS, "a\u{7f}=secret"),
        (HEADERS, "a=secret%0A"),
        (TIMEOUT, "0"),
        (TIMEOUT, "1s"),
        (TRACES.exporter, "console"),
        ("OTEL_RESOURCE_ATTRIBUTES", "secret"),
        ("OTEL_TRACES_SAMPLER", "xray"),
        (CERTIFICATE, "/"),
    ] {
        let error = read(&[(ENDPOINT, "http://h"), (name, value)]).expect_err(value);
        let text = format!("{error} {error:?}");
        assert!(text.starts_with(&format!("{name}: ")), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
    let error = read(&[(ENDPOINT, "http://h"), (PROTOCOL, "grpc")]).expect_err("no gRPC");
    assert!(error.to_string().contains("grpc"), "{error}");
}

#[test]
fn nothing_secret_is_shown() {
    let otlp = otlp(&[
        (ENDPOINT, "http://h"),
        (TRACES.endpoint, "http://t/secret?secret"),
        (HEADERS, "authorization=secret"),
    ]);
    let shown = format!("{otlp:?}");
    assert!(shown.contains("Some(\"t\")"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}
