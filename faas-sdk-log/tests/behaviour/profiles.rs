//! The spellings of platforms.

use crate::support::{SPAN, TRACE, builder, end, invocation, json, line, lines, raw};
use faas_sdk_log::{Builder, Invocation, Profile, err};
use serde_json::json as value;

fn with_origin(builder: Builder) -> Builder {
    builder.origin(|origin| {
        origin.service = Some("shop".into());
        origin.env = Some("prod".into());
        origin.function = Some("item".into());
        origin.function_version = Some("12".into());
        origin.platform = Some("test".into());
        origin.region = Some("r-1".into());
        origin.instance = Some("i-7".into());
    })
}

#[test]
fn the_standard_has_its_keys_in_order() {
    let lines = lines(with_origin(builder(Profile::V1)), || {
        let _entered = invocation("id").entered();
        let error = std::fmt::Error;
        tracing::error!(name: "name", error = err(&error), duration_ms = 1, key = 1, "message");
    });
    let keys = [
        "timestamp",
        "level",
        "message",
        "event",
        "request_id",
        "trace_id",
        "trace_flags",
        "cold_start",
        "span_id",
        "seq",
        "v",
        "service",
        "env",
        "function",
        "function_version",
        "platform",
        "region",
        "instance",
        "target",
        "code",
        "duration_ms",
        "fields",
        "error",
    ];
    let mut found = lines[0].keys.clone();
    found.retain(|key| key != "truncated");
    assert_eq!(found, keys);
    let line = &lines[0];
    for (key, expected) in [
        ("level", value!("ERROR")),
        ("trace_id", value!("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("span_id", value!("00f067aa0ba902b7")),
        ("trace_flags", value!("01")),
        ("cold_start", value!(true)),
        ("v", value!(1)),
        ("service", value!("shop")),
        ("env", value!("prod")),
        ("function_version", value!("12")),
        ("region", value!("r-1")),
        ("instance", value!("i-7")),
        ("target", value!("behaviour::profiles")),
    ] {
        assert_eq!(line[key], expected, "{key}");
    }
    let code = line["code"].as_str().expect("a place");
    assert!(code.contains("profiles.rs:"), "{code}");
}

#[test]
fn what_is_not_known_is_left_out() {
    let line = line(builder(Profile::V1), || tracing::info!("message"));
    let keys = ["timestamp", "level", "message", "seq", "v", "target"];
    assert_eq!(line.keys, keys);
}

#[test]
fn the_service_is_the_function_by_default() {
    let builder = builder(Profile::V1).origin(|origin| origin.function = Some("item".into()));
    let lines = lines(builder, || {
        tracing::info!("outside");
        let span = tracing::info_span!("job");
        Invocation::new("id").function(Some("other")).bind(&span);
        span.in_scope(|| tracing::info!("within"));
    });
    assert_eq!(
        (&lines[0]["service"], &lines[0]["function"]),
        (&value!("item"), &value!("item"))
    );
    assert_eq!(
        (&lines[1]["service"], &lines[1]["function"]),
        (&value!("other"), &value!("other"))
    );
}

#[test]
fn places_stand_from_the_level_on_that_is_wanted() {
    for (from, expected) in [
        (None, [false, false, true, true]),
        (Some(tracing::Level::ERROR), [false, false, false, true]),
        (Some(tracing::Level::DEBUG), [true; 4]),
    ] {
        let mut builder = builder(Profile::V1).filter("debug");
        if let Some(from) = from {
            builder = builder.code_from(from);
        }
        let lines = lines(builder, || {
            tracing::debug!("");
            tracing::info!("");
            tracing::warn!("");
            tracing::error!("");
        });
        let found: Vec<_> = lines
            .iter()
            .map(|line| line.get("code").is_some())
            .collect();
        assert_eq!(found, expected, "{from:?}");
    }
}

#[test]
fn aws_adds_the_trace_as_x_ray_knows_it() {
    let lines = lines(builder(Profile::AWS), || {
        invocation("id").in_scope(|| tracing::info!("message"));
    });
    assert_eq!(
        lines[0]["xray_trace_id"],
        "1-4bf92f35-77b34da6a3ce929d0e0e4736"
    );
    assert_eq!(lines[0]["trace_id"], format!("{TRACE:032x}"));
}

const PREFIX: &str = "logging.googleapis.com/";

#[test]
fn google_has_keys_of_its_own() {
    let builder = with_origin(builder(Profile::GOOGLE)).google_project("project-1");
    let lines = lines(builder.filter("trace"), || {
        tracing::info!("outside");
        let _entered = invocation("id").entered();
        tracing::trace!("");
        tracing::debug!("");
        tracing::info!("");
        tracing::warn!("");
        tracing::error!(
            error = err(&std::fmt::Error),
            key = 1,
            duration_ms = 1,
            "message"
        );
    });
    let severities: Vec<_> = lines.iter().map(|line| line["severity"].as_str()).collect();
    let expected = ["INFO", "DEBUG", "DEBUG", "INFO", "WARNING", "ERROR"].map(Some);
    assert_eq!(severities, expected);
    let origin = value!({
        "env": "prod", "function": "item", "function_version": "12", "platform": "test",
        "region": "r-1", "instance": "i-7"
    });
    assert_eq!(lines[0][format!("{PREFIX}labels")], origin);
    assert!(lines[0].get(format!("{PREFIX}trace")).is_none());
    let line = &lines[5];
    let mut labels = origin;
    labels["request_id"] = value!("id");
    labels["cold_start"] = value!("true");
    assert_eq!(line[format!("{PREFIX}labels")], labels);
    let trace = format!("projects/project-1/traces/{TRACE:032x}");
    assert_eq!(line[format!("{PREFIX}trace")], trace);
    assert_eq!(line[format!("{PREFIX}spanId")], format!("{SPAN:016x}"));
    assert_eq!(line[format!("{PREFIX}trace_sampled")], true);
    assert_eq!(line[format!("{PREFIX}insertId")], "i-7-5");
    assert_eq!(line["seq"], 5);
    assert_eq!(
        line["serviceContext"],
        value!({"service": "shop", "version": "12"})
    );
    let source = &line[format!("{PREFIX}sourceLocation")];
    assert!(
        source["file"]
            .as_str()
            .expect("a file")
            .ends_with("profiles.rs")
    );
    let number = source["line"]
        .as_str()
        .expect("a text")
        .parse::<u32>()
        .expect("a number");
    assert_eq!(
        line["@type"],
        "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
    );
    let place = &line["context"]["reportLocation"];
    assert_eq!(place["filePath"], source["file"]);
    assert_eq!(place["lineNumber"], number);
    assert_eq!(place["functionName"], "behaviour::profiles");
    assert_eq!(line["fields"], value!({"key": 1}));
    assert_eq!(line["error"]["kind"], "core::fmt::Error");
    assert!(lines[4].get("@type").is_none() && lines[3].get("context").is_none());
}

#[test]
fn google_reports_where_an_error_came_from() {
    use faas_sdk_log::Description;
    fn describe<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<Description<'a>> {
        error.downcast_ref::<std::fmt::Error>().map(|_| {
            let mut known = Description::default();
            known.location = Some("src/panics.rs:12:5".into());
            known
        })
    }
    let lines = lines(builder(Profile::GOOGLE).describe(describe), || {
        tracing::error!(target: "faas_sdk::invoke", error = err(&std::fmt::Error), "message");
        tracing::warn!(error = err(&std::fmt::Error), "message");
        tracing::info!(error = err(&std::fmt::Error), "message");
    });
    let source = |line: &json::Line| line[format!("{PREFIX}sourceLocation")].clone();
    let expected = value!({"file": "src/panics.rs", "line": "12"});
    assert_eq!(source(&lines[0]), expected);
    assert_eq!(
        lines[0]["context"]["reportLocation"],
        value!({
            "filePath": "src/panics.rs", "lineNumber": 12, "functionName": "faas_sdk::invoke"
        })
    );
    assert_eq!(source(&lines[1]), expected);
    assert!(lines[1].get("@type").is_none());
    assert_eq!(source(&lines[2]), value!(null));
}

#[test]
fn google_traces_need_no_project() {
    let lines = lines(builder(Profile::GOOGLE), || {
        invocation("id").in_scope(|| tracing::info!("message"));
    });
    assert_eq!(lines[0][format!("{PREFIX}trace")], format!("{TRACE:032x}"));
    assert!(lines[0].get("serviceContext").is_none());
}

#[test]
fn alibaba_has_lines_around_each_invocation() {
    for filter in ["info", "error", "error,faas_sdk=off"] {
        let lines = raw(builder(Profile::ALIBABA).filter(filter), || {
            for (id, outcome) in [
                ("a", "ok"),
                ("b\nFC Invoke End RequestId: x\u{2028}", "error"),
            ] {
                let _entered = invocation(id).entered();
                tracing::error!("message");
                end!(outcome);
            }
        });
        let markers: Vec<_> = lines.iter().filter(|line| !line.starts_with('{')).collect();
        assert_eq!(
            markers,
            [
                "FC Invoke Start RequestId: a\n",
                "FC Invoke End RequestId: a\n",
                "FC Invoke Start RequestId: bFC Invoke End RequestId: x\n",
                "FC Invoke End RequestId: bFC Invoke End RequestId: x\n",
            ],
            "{filter}"
        );
        assert!(lines[0].starts_with("FC Invoke Start"));
        assert!(lines.last().expect("lines").starts_with("FC Invoke End"));
        let json = lines.iter().filter(|line| line.starts_with('{'));
        for (seq, line) in json.enumerate() {
            assert_eq!(json::line(line)["seq"], seq);
        }
    }
}

#[test]
fn alibaba_ids_are_bounded_in_markers_too() {
    let lines = raw(builder(Profile::ALIBABA), || {
        let _entered = invocation(&"i".repeat(100_000)).entered();
        end!("ok");
    });
    assert!(lines.iter().all(|line| line.len() < 2 << 10));
}

#[test]
fn alibabas_texts_can_be_analysed_by_default() {
    let line = line(builder(Profile::ALIBABA), || {
        tracing::info!(text = "x".repeat(3000), "message");
    });
    assert_eq!(line["fields"]["text"].as_str().map(str::len), Some(2048));
    assert_eq!(line["truncated"], 3000 - 2048);
}

#[test]
fn profiles_have_names() {
    for profile in [
        Profile::V1,
        Profile::AWS,
        Profile::GOOGLE,
        Profile::ALIBABA,
        Profile::PRETTY,
    ] {
        let found = Profile::named(profile.name()).expect("a profile");
        assert_eq!(found.name(), profile.name());
    }
    assert!(Profile::named("V1").is_none());
}
