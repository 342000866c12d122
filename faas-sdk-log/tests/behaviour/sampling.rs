//! DEBUG lines of a share of the traces.

use crate::support::{builder, end, lines};
use faas_sdk_log::{Builder, Invocation, Profile};

/// Which of these traces write their DEBUG lines at once.
fn sampled(builder: Builder, traces: &[u128]) -> Vec<u128> {
    let lines = lines(builder, || {
        for trace in traces {
            let span = tracing::info_span!("job");
            Invocation::new("id").trace(*trace, 1, 0).bind(&span);
            span.in_scope(|| {
                tracing::debug!("sampled");
                end!("ok");
            });
        }
    });
    let debug = lines.iter().filter(|line| line["level"] == "DEBUG");
    debug
        .map(|line| {
            assert!(line["seq"].is_number(), "it is written like all others");
            let trace = line["trace_id"].as_str().expect("an id");
            u128::from_str_radix(trace, 16).expect("hexadecimal")
        })
        .collect()
}

/// Their hashes, as shares of 2^64, worked out by the published finaliser of splitmix64: 0.133, 0.587
/// and 0.844.
const TRACES: [u128; 3] = [
    0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
    0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c,
    0x0000_0000_0000_0000_0000_0000_0000_0001,
];

#[test]
fn a_trace_is_sampled_everywhere_or_nowhere() {
    for (share, taken) in [
        (0.0, 0),
        (0.13, 0),
        (0.14, 1),
        (0.58, 1),
        (0.6, 2),
        (0.85, 3),
        (1.0, 3),
    ] {
        for ring in [0, 32 << 10] {
            let builder = builder(Profile::V1).debug_sample(share).debug_ring(ring);
            assert_eq!(sampled(builder, &TRACES), TRACES[..taken], "{share} {ring}");
        }
    }
}

#[test]
fn without_a_trace_nothing_is_sampled() {
    let lines = lines(builder(Profile::V1).debug_sample(1.0), || {
        let span = tracing::info_span!("job");
        Invocation::new("id").bind(&span);
        span.in_scope(|| {
            tracing::debug!("sampled");
            end!("ok");
        });
        tracing::debug!("outside");
    });
    assert_eq!(lines.len(), 1);
}

#[test]
fn what_fails_writes_the_kept_lines_of_traces_that_are_not_sampled() {
    let lines = lines(builder(Profile::V1).debug_sample(0.5), || {
        for trace in TRACES {
            let span = tracing::info_span!("job");
            Invocation::new("id").trace(trace, 1, 0).bind(&span);
            span.in_scope(|| {
                tracing::debug!("debug");
                end!("error");
            });
        }
    });
    let numbers: Vec<_> = lines.iter().map(|line| line["seq"].as_u64()).collect();
    assert_eq!(numbers, [Some(0), Some(1), None, Some(2), None, Some(3)]);
}
