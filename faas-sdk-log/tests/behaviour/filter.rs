//! Which lines are written.

use crate::support::{Kept, builder, child, end, invocation, json, lines, subscriber};
use faas_sdk_log::{Profile, set_filter};

/// The levels that are written, given the filter, the variables, and the platform's level.
fn levels(
    filter: Option<&str>,
    variables: &[(&'static str, &'static str)],
    platform: Option<&str>,
    otherwise: Option<&str>,
) -> Vec<String> {
    let variables = variables.to_vec();
    let mut builder = builder(Profile::V1)
        .debug_ring(0)
        .variables(move |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
        .platform_level(platform);
    if let Some(filter) = filter {
        builder = builder.filter(filter);
    }
    if let Some(filter) = otherwise {
        builder = builder.default_filter(filter);
    }
    let lines = lines(builder, || {
        tracing::trace!("");
        tracing::debug!("");
        tracing::info!("");
        tracing::warn!("");
        tracing::error!("");
    });
    lines
        .iter()
        .map(|line| line["level"].as_str().expect("a level").to_owned())
        .collect()
}

#[test]
fn the_first_that_is_given_counts() {
    let all = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];
    let faas = ("FAAS_LOG", "debug");
    let rust = ("RUST_LOG", "error");
    for (filter, variables, platform, otherwise, from) in [
        (
            Some("trace"),
            &[faas, rust][..],
            Some("WARN"),
            Some("off"),
            0,
        ),
        (None, &[faas, rust], Some("WARN"), Some("off"), 1),
        (None, &[rust], Some("WARN"), Some("off"), 3),
        (None, &[rust], None, Some("off"), 4),
        (None, &[], None, Some("off"), 5),
        (None, &[], None, None, 2),
        // What is empty, or no level, is not given.
        (None, &[("FAAS_LOG", " "), ("RUST_LOG", "")], None, None, 2),
        (None, &[rust], Some("loud"), None, 4),
        (None, &[rust], Some(" trace "), None, 0),
        (None, &[], Some("FATAL"), None, 4),
    ] {
        let found = levels(filter, variables, platform, otherwise);
        assert_eq!(found, all[from..], "{filter:?} {variables:?} {platform:?}");
    }
}

#[test]
fn targets_have_levels_of_their_own() {
    let filter = " warn , shop = debug,shop::db=off ";
    let lines = lines(builder(Profile::V1).filter(filter), || {
        tracing::info!("this file");
        tracing::debug!(target: "shop::item", "shop");
        tracing::error!(target: "shop::db::pool", "off");
        tracing::error!("this file");
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0]["target"], "shop::item");
}

/// What is said of a filter that a variable gives.
fn complaint(variable: &'static str, text: &'static str) -> String {
    let (_, error) = builder(Profile::V1)
        .variables(move |name| (name == variable).then(|| text.to_owned()))
        .sink(|_: &[u8]| {})
        .build();
    error.expect("an error").to_string()
}

#[test]
fn a_filter_that_does_not_parse_is_named() {
    assert_eq!(
        complaint("FAAS_LOG", "info, shop = loud"),
        "FAAS_LOG does not parse: `shop = loud` is no level, and no target with one; write it like \
         `info,my_crate=debug`"
    );
    for part in [
        "=",
        "a=",
        "=info",
        "a=b=info",
        "infoo",
        "a b=info",
        "shop[span]=info",
    ] {
        let said = complaint("RUST_LOG", part);
        let expected = format!("RUST_LOG does not parse: `{part}` ");
        assert!(said.starts_with(&expected), "{said}");
    }
    let (_, error) = builder(Profile::V1).filter("loud").build();
    let said = error.expect("an error").to_string();
    assert!(
        said.starts_with("the log filter does not parse: `loud` "),
        "{said}"
    );
}

#[test]
fn targets_alone_leave_the_others_at_info() {
    let lines = lines(builder(Profile::V1).filter("shop=debug,"), || {
        tracing::debug!(target: "shop", "shop");
        tracing::debug!("not written");
        tracing::info!("other");
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
}

/// One that parses is not asked for where one before it does not.
#[test]
fn a_filter_that_does_not_parse_is_replaced_by_info() {
    let variables = [("FAAS_LOG", "loud=loud"), ("RUST_LOG", "trace")];
    assert_eq!(levels(None, &variables, Some("ERROR"), None).len(), 3);
}

#[test]
fn the_filter_changes_while_the_program_runs() {
    let kept = Kept::default();
    let subscriber = subscriber(builder(Profile::V1).sink(kept.sink()));
    let written = || {
        let _entered = invocation("id").entered();
        tracing::debug!("debug");
        tracing::info!("info");
        end!("error");
        let lines = kept.take();
        let lines = lines.iter().map(|line| json::line(line));
        lines
            .map(|line| {
                let number = if line["seq"].is_number() { "" } else { "kept " };
                format!("{number}{}", line["message"].as_str().expect("a message"))
            })
            .collect::<Vec<_>>()
    };
    tracing::dispatcher::with_default(&subscriber, || {
        let as_before = ["info", "kept debug", "invoke end"];
        for _ in 0..2 {
            assert_eq!(written(), as_before);
            set_filter(" debug ").expect("a filter");
            assert_eq!(written(), ["debug", "info", "invoke end"]);
            set_filter("off,behaviour=error").expect("a filter");
            assert!(written().is_empty());
            set_filter("error,faas_sdk=info").expect("a filter");
            assert_eq!(written(), ["invoke end"]);
            let error = set_filter("info,behaviour=loud").expect_err("no filter");
            assert!(
                error
                    .to_string()
                    .starts_with("the log filter does not parse")
            );
            assert_eq!(written(), ["invoke end"], "the one before stays");
            set_filter("off").expect("a filter");
            assert!(written().is_empty());
            set_filter("info").expect("a filter");
            assert_eq!(written(), as_before);
        }
    });
}

#[test]
fn an_empty_filter_is_none() {
    let kept = Kept::default();
    let subscriber = subscriber(builder(Profile::V1).sink(kept.sink()));
    tracing::dispatcher::with_default(&subscriber, || {
        set_filter("").expect_err("no filter");
        set_filter(" , ").expect_err("no filter");
        tracing::info!("message");
    });
    assert_eq!(kept.take().len(), 1);
}

#[test]
fn without_a_layer_of_ours_nothing_changes() {
    let other = tracing_subscriber::registry();
    tracing::subscriber::with_default(other, || set_filter("trace").expect("a filter"));
}

/// With one subscriber for the whole process `tracing` asks it once for each callsite.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn in_a_process_of_its_own() {
    builder(Profile::V1).stderr().init().expect("no subscriber");
    let write = |round: &str| {
        let _entered = invocation("id").entered();
        tracing::debug!("{round} debug");
        tracing::info!("{round} info");
        end!("error");
    };
    write("first");
    set_filter("behaviour=debug").expect("a filter");
    write("second");
    set_filter("off").expect("a filter");
    write("third");
    std::thread::spawn(|| set_filter("info").expect("a filter"))
        .join()
        .expect("no panic");
    write("fourth");
    builder(Profile::V1)
        .init()
        .expect_err("there is a subscriber");
}

#[test]
fn the_filter_of_the_whole_process_changes() {
    let ended = child::run("filter::in_a_process_of_its_own", &[]);
    assert!(ended.status.success(), "{ended:?}");
    let lines: Vec<_> = ended
        .errors
        .split_inclusive('\n')
        .map(json::line)
        .map(|line| line["message"].as_str().expect("a message").to_owned())
        .collect();
    let expected = [
        "first info",
        "first debug",
        "invoke end",
        "second debug",
        "second info",
        "invoke end",
        "fourth info",
        "fourth debug",
        "invoke end",
    ];
    assert_eq!(lines, expected);
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn with_a_filter_from_the_environment() {
    faas_sdk_log::builder()
        .stderr()
        .init()
        .expect("no subscriber");
    tracing::info!("written");
    tracing::debug!("not written");
}

#[test]
fn a_variable_that_does_not_parse_is_told_of() {
    let variables = [("FAAS_LOG", "info,shop=loud"), ("RUST_LOG", "trace")];
    let ended = child::run("filter::with_a_filter_from_the_environment", &variables);
    let lines: Vec<_> = ended.errors.split_inclusive('\n').map(json::line).collect();
    assert_eq!(lines.len(), 2, "{ended:?}");
    assert_eq!(lines[0]["level"], "WARN");
    let message = lines[0]["error"]["message"].as_str().expect("a message");
    assert!(message.starts_with("FAAS_LOG does not parse"), "{message}");
    assert_eq!(lines[1]["message"], "written");
}
