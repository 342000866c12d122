//! Events and spans with fields of every kind, each with what it has to say.

use crate::model::{self, Said};
use crate::values::Values;
use faas_sdk_log::{bytes, err, json};
use std::error::Error;
use tracing::Span;
use tracing::field::{Empty, debug};

/// Two functions: one that passes the callsite, and one that knows what it says.
macro_rules! callsite {
    ($emit:ident $said:ident |$values:ident| { $($key:literal: $value:expr => $told:expr,)* }) => {
        fn $emit($values: &Values) {
            tracing::info!($($key = $value,)* "{}", $values.message);
        }

        fn $said($values: &Values) -> Said {
            #[allow(unused_mut, reason = "some say nothing")]
            let mut said = Said::default();
            $(said.member($key, $told);)*
            let _ = $values;
            said
        }
    };
}

/// The same for a span, with what is recorded later.
macro_rules! span {
    ($emit:ident $said:ident |$values:ident|
        { $($key:literal: $value:expr => $told:expr,)* }
        { $($late:literal: $late_value:expr => $late_told:expr,)* }
    ) => {
        fn $emit($values: &Values) -> Span {
            let _ = $values;
            let span = tracing::info_span!("span", $($key = $value,)* $($late = Empty,)*);
            $(span.record($late, $late_value);)*
            span
        }

        fn $said($values: &Values) -> Said {
            #[allow(unused_mut, reason = "some say nothing")]
            let mut said = Said::default();
            $(said.member($key, $told);)*
            $(
                let mut later = Said::default();
                later.member($late, $late_told);
                said.record(later);
            )*
            let _ = $values;
            said
        }
    };
}

callsite!(emit_scalars said_scalars |v| {
    "truth": v.truth => Some(v.truth).map(|truth| serde_json::json!(truth).into()),
    "signed": v.signed => model::signed(v.signed),
    "unsigned": v.unsigned => model::unsigned(v.unsigned),
    "float": v.float => model::float(v.float),
    "large": v.large => model::text(&v.large.to_string()),
    "natural": v.natural => model::text(&v.natural.to_string()),
    "small": v.signed as i8 => model::signed((v.signed as i8).into()),
    "single": f64::from(v.float as f32) => model::float(f64::from(v.float as f32)),
    "none": None::<u64> => None,
    "some": Some(v.unsigned) => model::unsigned(v.unsigned),
    "empty": Empty => None,
});

callsite!(emit_texts said_texts |v| {
    "text": v.text.as_str() => model::text(&v.text),
    "owned": v.other => model::text(&v.other),
    "option": v.option.as_deref() => v.option.as_deref().and_then(model::text),
    "bytes": v.bytes.as_slice() => model::lossy(&v.bytes),
    "display": tracing::field::display(&v.text) => model::text(&v.text),
    "debug": debug(&v.other) => model::text(&format!("{:?}", v.other)),
    "parts": debug((&v.option, v.signed)) => model::text(&format!("{:?}", (&v.option, v.signed))),
    "arguments": format_args!("{}/{}", v.signed, v.text) => {
        model::text(&format!("{}/{}", v.signed, v.text))
    },
});

callsite!(emit_structures said_structures |v| {
    "tree": json(&v.tree) => model::tree(&v.tree),
    "again": json(&(v.truth, &v.text)) => model::tree(&serde_json::json!([v.truth, v.text])),
    "base64": bytes(&v.bytes) => model::base64(&v.bytes),
    "failure": err(&v.failure) => model::error(&v.failure),
    "dynamic": (&v.failure as &(dyn Error + 'static)) => model::error(&v.failure).map(|mut told| {
        // Its type is not known any more, but its name still is.
        told.value["kind"] = serde_json::json!("Failure");
        told
    }),
    "in_text": debug(Some(json(&v.signed))) => {
        model::text(&format!("Some({})", model::signed(v.signed).expect("a value").value))
    },
});

callsite!(emit_odd_names said_odd_names |v| {
    "a b": v.signed => model::signed(v.signed),
    "ключ": v.text.as_str() => model::text(&v.text),
    "": v.truth => Some(serde_json::json!(v.truth).into()),
    "new\nline": v.unsigned => model::unsigned(v.unsigned),
    "quote\"": v.unsigned => model::unsigned(v.unsigned),
    "back\\slash": 1 => model::signed(1),
    "a.dotted-name": 2 => model::signed(2),
    "timestamp": 3 => model::signed(3),
    "level": v.text.as_str() => model::text(&v.text),
    "truncated": 4 => model::signed(4),
    "_aws": 5 => model::signed(5),
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
    0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789":
        6 => model::signed(6),
    "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678\
    90123456789012345678901234567": 7 => model::signed(7),
});

callsite!(emit_duplicates said_duplicates |v| {
    "key": v.text.as_str() => model::text(&v.text),
    "a b": v.signed => model::signed(v.signed),
    "a_b": v.other.as_str() => model::text(&v.other),
    "key": v.unsigned => model::unsigned(v.unsigned),
    "a?b": debug(&v.option) => model::text(&format!("{:?}", v.option)),
});

callsite!(emit_nothing said_nothing |v| {});

callsite!(emit_many_texts said_many_texts |v| {
    "t0": v.text.as_str() => model::text(&v.text),
    "t1": v.other.as_str() => model::text(&v.other),
    "t2": v.text.as_str() => model::text(&v.text),
    "t3": v.other.as_str() => model::text(&v.other),
    "t4": v.text.as_str() => model::text(&v.text),
    "t5": v.other.as_str() => model::text(&v.other),
    "t6": v.bytes.as_slice() => model::lossy(&v.bytes),
    "t7": tracing::field::display(&v.text) => model::text(&v.text),
});

fn emit_error(v: &Values) {
    // At WARN no backtrace is taken of this place, whatever the environment says.
    tracing::warn!(error = err(&v.failure), other = v.signed, "{}", v.message);
}

fn said_error(v: &Values) -> Said {
    let mut said = Said::default();
    said.member("other", model::signed(v.signed));
    said.error = model::error(&v.failure);
    said
}

fn emit_described(v: &Values) {
    tracing::error!(
        error = err(&crate::case::Described(v.clone())),
        text = v.text,
        tree = json(&v.tree),
        "{}",
        v.message
    );
}

fn said_described(v: &Values) -> Said {
    let mut said = Said::default();
    said.member("text", model::text(&v.text));
    said.member("tree", model::tree(&v.tree));
    said.error = model::described(v);
    said
}

fn emit_two_errors(v: &Values) {
    tracing::warn!(
        error = err(&v.failure),
        also = err(&crate::case::Described(v.clone())),
        text = v.text,
        "{}",
        v.message
    );
}

fn said_two_errors(v: &Values) -> Said {
    let mut said = Said::default();
    said.member("also", model::described(v));
    said.member("text", model::text(&v.text));
    said.error = model::error(&v.failure);
    said
}

fn emit_error_text(v: &Values) {
    tracing::error!(error = %v.failure, event = v.signed, "{}", v.message);
}

fn said_error_text(v: &Values) -> Said {
    let mut said = Said::default();
    said.member("error", model::text(&v.failure.to_string()));
    said.member("event", model::signed(v.signed));
    said
}

fn emit_roles(v: &Values) {
    tracing::info!(
        event = v.other,
        duration_ms = 1_234.567_891,
        message = v.message
    );
}

fn said_roles(v: &Values) -> Said {
    Said {
        event: model::text(&v.other),
        duration: model::float(1234.568),
        ..Said::default()
    }
}

fn emit_odd_roles(v: &Values) {
    tracing::info!(event = ?v.option, duration_ms = v.text, "{}", v.message);
}

fn said_odd_roles(v: &Values) -> Said {
    let mut said = Said {
        event: model::text(&format!("{:?}", v.option)),
        ..Said::default()
    };
    said.member("duration_ms", model::text(&v.text));
    said
}

fn emit_not_finite_duration(v: &Values) {
    tracing::info!(duration_ms = v.float, "{}", v.message);
}

fn said_not_finite_duration(v: &Values) -> Said {
    let mut said = Said::default();
    if v.float.abs() < 1e12 {
        said.duration = model::float((v.float * 1e3).round() / 1e3);
    } else if v.float.is_finite() {
        said.duration = model::float(v.float);
    } else {
        said.member("duration_ms", model::float(v.float));
    }
    said
}

fn emit_large_duration(v: &Values) {
    tracing::info!(duration_ms = v.unsigned, "{}", v.message);
}

fn said_large_duration(v: &Values) -> Said {
    let mut said = Said::default();
    let told = model::unsigned(v.unsigned);
    if v.unsigned < 1 << 53 {
        said.duration = told;
    } else {
        said.member("duration_ms", told);
    }
    said
}

span!(open_plain span_plain |v| {
    "text": v.other.as_str() => model::text(&v.other),
    "signed": v.unsigned => model::unsigned(v.unsigned),
    "key": v.text.as_str() => model::text(&v.text),
    "tree": json(&v.tree) => model::tree(&v.tree),
    "message": "of the span" => model::text("of the span"),
    "request_id": v.signed => model::signed(v.signed),
} {});

span!(open_recorded span_recorded |v| {
    "before": v.text.as_str() => model::text(&v.text),
    "truth": 1 => model::signed(1),
} {
    "later": v.other.as_str() => model::text(&v.other),
    "truth": debug(&v.option) => model::text(&format!("{:?}", v.option)),
    "before": v.signed => model::signed(v.signed),
    "error": err(&v.failure) => model::error(&v.failure),
    "later": json(&v.tree) => model::tree(&v.tree),
});

span!(open_duplicates span_duplicates |v| {
    "a b": v.text.as_str() => model::text(&v.text),
    "a_b": v.float => model::float(v.float),
    "key": v.bytes.as_slice() => model::lossy(&v.bytes),
    "duration_ms": v.natural => model::text(&v.natural.to_string()),
    "event": v.other.as_str() => model::text(&v.other),
} {
    "a?b": v.truth => Some(serde_json::json!(v.truth).into()),
});

span!(open_twice span_twice |v| {
    "one key": v.text.as_str() => model::text(&v.text),
    "other": v.signed => model::signed(v.signed),
    "one_key": v.unsigned => model::unsigned(v.unsigned),
} {});

span!(open_empty span_empty |v| {} {});

macro_rules! numbered {
    ($emit:ident $said:ident $($key:literal)*) => {
        span!($emit $said |v| {
            $($key: v.unsigned => model::unsigned(v.unsigned),)*
        } {});
    };
}

numbered!(open_thirty span_thirty
    "a00" "a01" "a02" "a03" "a04" "a05" "a06" "a07" "a08" "a09"
    "a10" "a11" "a12" "a13" "a14" "a15" "a16" "a17" "a18" "a19"
    "a20" "a21" "a22" "a23" "a24" "a25" "a26" "a27" "a28" "a29");
numbered!(open_thirty_more span_thirty_more
    "b00" "b01" "b02" "b03" "b04" "b05" "b06" "b07" "b08" "b09"
    "b10" "b11" "b12" "b13" "b14" "b15" "b16" "b17" "b18" "b19"
    "b20" "b21" "b22" "b23" "b24" "b25" "b26" "b27" "b28" "b29");
numbered!(open_mixed span_mixed
    "a00" "b01" "a02" "b03" "a04" "b05" "a06" "b07" "a08" "b09"
    "text" "key" "c12" "c13" "c14" "c15" "c16" "c17" "c18" "c19");

type Emit = fn(&Values);
type Open = fn(&Values) -> Span;
type Tell = fn(&Values) -> Said;

pub(crate) const EVENTS: &[(Emit, Tell)] = &[
    (emit_scalars, said_scalars),
    (emit_texts, said_texts),
    (emit_structures, said_structures),
    (emit_odd_names, said_odd_names),
    (emit_duplicates, said_duplicates),
    (emit_nothing, said_nothing),
    (emit_many_texts, said_many_texts),
    (emit_error, said_error),
    (emit_described, said_described),
    (emit_two_errors, said_two_errors),
    (emit_error_text, said_error_text),
    (emit_roles, said_roles),
    (emit_odd_roles, said_odd_roles),
    (emit_not_finite_duration, said_not_finite_duration),
    (emit_large_duration, said_large_duration),
];

pub(crate) const SPANS: &[(Open, Tell)] = &[
    (open_plain, span_plain),
    (open_recorded, span_recorded),
    (open_duplicates, span_duplicates),
    (open_twice, span_twice),
    (open_empty, span_empty),
    (open_thirty, span_thirty),
    (open_thirty_more, span_thirty_more),
    (open_mixed, span_mixed),
];
