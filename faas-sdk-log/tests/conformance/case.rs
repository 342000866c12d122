//! One event in its spans, and what its line has to be like.

use crate::callsites::{EVENTS, SPANS};
use crate::model::{Said, agrees};
use crate::schema;
use crate::support::json::Line;
use crate::support::{self, Kept, SPAN, TRACE};
use crate::values::{Values, values};
use faas_sdk_log::{Description, Profile};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::error::Error;
use std::fmt;

/// An error of a type that [`describe`] knows.
#[derive(Debug)]
pub(crate) struct Described(pub(crate) Values);

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.failure, f)
    }
}

impl Error for Described {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.failure.source()
    }
}

/// What stays the same for each error is made once, as the context has to be borrowed.
fn describe<'a>(error: &'a (dyn Error + 'static)) -> Option<Description<'a>> {
    let Described(values) = error.downcast_ref()?;
    let context: &'static [(&'static str, String)] = Box::leak(Box::new([
        ("a b", values.other.clone()),
        ("password", values.text.clone()),
    ]));
    let mut known = Description::default();
    known.kind = Some(values.text.as_str().into());
    known.code = Some(values.other.as_str().into());
    known.retryable = Some(values.truth);
    known.context = context;
    Some(known)
}

/// One event in its spans.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) profile: Profile,
    limit: Option<usize>,
    /// The outermost first.
    spans: Vec<(usize, Values)>,
    event: usize,
    values: Values,
    invoked: bool,
    function: Option<String>,
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let profiles = vec![Profile::V1, Profile::AWS, Profile::GOOGLE, Profile::ALIBABA];
    let limits = vec![1, 2 << 10, 3 << 10, 7 << 10, 15 << 10, 200 << 10];
    (
        prop::sample::select(profiles),
        prop::option::of(prop::sample::select(limits)),
        prop::collection::vec((0..SPANS.len(), values()), 0..5),
        0..EVENTS.len(),
        values(),
        any::<bool>(),
        prop::option::of("\\PC{0,20}"),
    )
        .prop_map(
            |(profile, limit, spans, event, values, invoked, function)| Case {
                profile,
                limit,
                spans,
                event,
                values,
                invoked,
                function,
            },
        )
}

/// Most texts are too long to be read.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = |values: &Values| format!("{values:?}").chars().take(4000).collect::<String>();
        write!(f, "{:?}, limit {:?}, ", self.profile, self.limit)?;
        for (span, said) in &self.spans {
            write!(f, "span {span} of {}, ", values(said))?;
        }
        write!(f, "event {} of {}, ", self.event, values(&self.values))?;
        write!(f, "invoked {}, function {:?}", self.invoked, self.function)
    }
}

pub(crate) const ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

impl Case {
    /// The lines of the event, and of another one behind it in the same spans.
    pub(crate) fn written(&self) -> Vec<String> {
        let mut builder = support::builder(self.profile).describe(describe);
        if let Some(limit) = self.limit {
            builder = builder.line_limit(limit);
        }
        let function = self.function.clone();
        let builder = builder.origin(|origin| {
            origin.function = function.map(Into::into);
            origin.platform = Some("test".into());
        });
        let kept = Kept::default();
        let subscriber = support::subscriber(builder.sink(kept.sink()));
        tracing::dispatcher::with_default(&subscriber, || {
            let mut open = Vec::new();
            if self.invoked {
                open.push(support::invocation(ID).entered());
            }
            for (span, values) in &self.spans {
                open.push((SPANS[*span].0)(values).entered());
            }
            (EVENTS[self.event].0)(&self.values);
            tracing::info!("after");
            // The innermost one is left first.
            while open.pop().is_some() {}
        });
        kept.take()
    }

    fn said(&self) -> (Said, Said) {
        let mut said = (EVENTS[self.event].1)(&self.values);
        let mut spans = Said::default();
        for (span, values) in self.spans.iter().rev() {
            spans.inherit(&(SPANS[*span].1)(values));
        }
        said.inherit(&spans);
        (said, spans)
    }

    fn budget(&self) -> usize {
        match (self.limit, self.profile.name()) {
            (Some(limit), _) => limit.max(2 << 10),
            (None, "v1") => 15 << 10,
            (None, _) => 200 << 10,
        }
    }

    pub(crate) fn check(&self) {
        let mut raw = self.written();
        if self.profile.name() == "alibaba" && self.invoked {
            assert_eq!(raw.remove(0), format!("FC Invoke Start RequestId: {ID}\n"));
        }
        let lines: Vec<Line> = raw.iter().map(|line| support::json::line(line)).collect();
        let [first, second] = lines.as_slice() else {
            panic!("{} lines", lines.len())
        };
        let (said, spans) = self.said();
        self.check_line(first, &said, &self.values.message, 0);
        self.check_line(second, &spans, "after", 1);
    }

    fn check_line(&self, line: &Line, said: &Said, message: &str, seq: u64) {
        assert!(
            line.length <= self.budget(),
            "{} bytes, {} allowed: {}",
            line.length,
            self.budget(),
            line.value
        );
        if self.profile.name() == "google" {
            schema::check_google(line);
        } else {
            schema::check(line);
        }
        self.check_ids(line, seq);
        let left_out = line.get("truncated").is_some();
        let wanted = wanted(said, message);
        let found: Value = ["message", "event", "duration_ms", "fields", "error"]
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), line.get(*key)?.clone())))
            .collect();
        let whole = said.complete() && agrees(&found, &wanted, false);
        assert_eq!(left_out, !whole, "\nwanted {wanted}\nfound {}", line.value);
        if left_out && said.complete() {
            assert!(
                agrees(&found, &wanted, true),
                "\nwanted {wanted}\nfound {found}"
            );
        }
    }

    fn check_ids(&self, line: &Line, seq: u64) {
        assert_eq!(line["seq"], seq);
        let google = self.profile.name() == "google";
        if !self.invoked {
            assert!(line.get("trace_id").is_none() && line.get("request_id").is_none());
            return;
        }
        let (trace, span) = (format!("{TRACE:032x}"), format!("{SPAN:016x}"));
        if google {
            const PREFIX: &str = "logging.googleapis.com/";
            assert_eq!(line[format!("{PREFIX}labels")]["request_id"], ID);
            assert_eq!(line[format!("{PREFIX}trace")], trace);
            assert_eq!(line[format!("{PREFIX}spanId")], span);
        } else {
            assert_eq!(line["request_id"], ID);
            assert_eq!(line["trace_id"], trace);
            assert_eq!(line["span_id"], span);
            assert_eq!(line["trace_flags"], "01");
            assert_eq!(line["cold_start"], true);
        }
    }
}

/// What a line has to say, whatever the platform.
fn wanted(said: &Said, message: &str) -> Value {
    let mut wanted = json!({"message": message});
    let members = [
        ("event", &said.event),
        ("duration_ms", &said.duration),
        ("error", &said.error),
    ];
    for (key, told) in members {
        if let Some(told) = told {
            wanted[key] = told.value.clone();
        }
    }
    if !said.members.is_empty() {
        wanted["fields"] = said.fields();
    }
    wanted
}
