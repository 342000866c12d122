//! Whatever events and spans say, one event is one valid line within its budget, which says all of it
//! or that something was left out.

mod callsites;
mod case;
mod model;
mod schema;
#[path = "../support/mod.rs"]
mod support;
mod values;

use case::{ID, cases};
use faas_sdk_log::{Invocation, Profile, err};
use faas_sdk_scope::{Instance, Scope};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::time::Duration;
use support::{SPAN, TRACE};
use tracing::field::{Empty, debug};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn every_event_is_one_valid_line(case in cases()) {
        case.check();
    }
}

proptest! {
    #![proptest_config(config(100))]

    /// With a person's eyes there is less to be checked.
    #[test]
    fn no_control_character_reaches_a_terminal(mut case in cases()) {
        case.profile = Profile::PRETTY;
        let lines = case.written();
        prop_assert_eq!(lines.len(), 2);
        for letter in lines.concat().chars() {
            prop_assert!(letter == '\n' || !letter.is_control(), "{letter:?}");
        }
    }

    /// What looks like a credential does not stay, so that such texts do not come back as they were.
    #[test]
    fn texts_with_urls_are_valid_lines(
        text in "([a-c@:/\\\\?\"'\u{2028}\u{1} ]|://){0,60}",
        repeat in prop::sample::select(vec![1, 1, 200, 2000]),
        small: bool,
    ) {
        let text = text.repeat(repeat);
        let builder = support::builder(Profile::V1).line_limit(if small { 0 } else { 200 << 10 });
        let lines = support::lines(builder, || {
            let _span = tracing::info_span!("span", later = Empty, url = text).entered();
            tracing::Span::current().record("later", debug(&text));
            tracing::warn!(
                event = text, display = %text, bytes = text.as_bytes(), tree = faas_sdk_log::json(&[&text]),
                error = err(&Plain(text.clone())), nested = ?Some(faas_sdk_log::json(&[&text])), "{text}"
            );
        });
        for line in &lines {
            schema::check(line);
            prop_assert!(!small || line.length <= 2 << 10, "{}", line.length);
        }
        prop_assert_eq!(lines.len(), 1);
    }

    #[test]
    fn whatever_is_counted_the_end_of_an_invocation_is_a_valid_line(
        counts in prop::collection::vec((name(), any::<u64>()), 0..130),
        times in prop::collection::vec((name(), any::<u64>()), 0..130),
        small: bool,
        function in prop::option::of("\\PC{0,20}"),
    ) {
        let limit = if small { 2 << 10 } else { 200 << 10 };
        let builder = support::builder(Profile::AWS).line_limit(limit).origin(|origin| {
            origin.function = function.map(Into::into);
        });
        let lines = support::lines(builder, || {
            let scope = Scope::new(&Instance::new(), None);
            let span = tracing::info_span!("job", span = 1);
            Invocation::new(ID).trace(TRACE, SPAN, 1).scope(&scope).bind(&span);
            for (name, count) in counts {
                scope.add(name, count);
            }
            for (name, time) in times {
                scope.add_time(name, Duration::from_nanos(time));
            }
            span.in_scope(|| support::end!("ok"));
        });
        let [line] = lines.as_slice() else {
            panic!("{} lines", lines.len())
        };
        schema::check(line);
        prop_assert!(line.length <= limit, "{}", line.length);
        let metrics = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        let metrics = metrics.as_array().map(Vec::as_slice).unwrap_or_default();
        let names: BTreeSet<_> = metrics.iter().map(|metric| metric["Name"].as_str()).collect();
        prop_assert_eq!(names.len(), metrics.len());
        for name in names.into_iter().flatten() {
            prop_assert!(line[name].is_number(), "{name}");
        }
    }
}

/// Names of counters, some of them taken already.
fn name() -> impl Strategy<Value = String> {
    let taken = schema::listed();
    prop_oneof![
        "[a-z]{1,3}(\\.[a-z]{1,3})?",
        "\\PC{0,8}",
        prop::sample::select(taken),
        prop::sample::select(vec!["errors", "cold_starts", "duration", "outcome", "span"])
            .prop_map(str::to_owned),
    ]
}

#[derive(Debug)]
struct Plain(String);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Plain {}
