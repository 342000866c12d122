//! Many threads at once.

use crate::support::{Kept, builder, end, invocation, json, subscriber};
use faas_sdk_log::Profile;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::thread;

const THREADS: usize = 8;
const ROUNDS: usize = 40;

#[test]
fn each_line_is_of_its_own_invocation() {
    let kept = Kept::default();
    let subscriber = subscriber(builder(Profile::AWS).sink(kept.sink()));
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (subscriber, barrier) = (&subscriber, &barrier);
            scope.spawn(move || {
                tracing::dispatcher::with_default(subscriber, || {
                    barrier.wait();
                    for round in 0..ROUNDS {
                        let id = format!("{thread}-{round}");
                        let span = invocation(&id);
                        let _entered = span.enter();
                        let inner = tracing::info_span!("inner", owner = id).entered();
                        tracing::debug!(owner = id, "kept");
                        tracing::info!(owner = ?id, "written");
                        drop(inner);
                        let outcome = if round % 2 == 0 { "ok" } else { "error" };
                        end!(outcome);
                    }
                });
            });
        }
    });
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    for line in kept.take() {
        let line = json::line(&line);
        let id = line["request_id"].as_str().expect("an id");
        if let Some(owner) = line["fields"]["owner"].as_str() {
            assert!(owner == id || owner == format!("{id:?}"), "{}", line.value);
        }
        if let Some(seq) = line["seq"].as_u64() {
            assert!(numbers.insert(seq), "{seq} twice");
        }
        let message = line["message"].as_str().expect("a message").to_owned();
        seen.entry(id.to_owned()).or_default().push(message);
    }
    assert_eq!(seen.len(), THREADS * ROUNDS);
    assert_eq!(numbers.len(), THREADS * ROUNDS * 2);
    assert_eq!(numbers.last(), Some(&(numbers.len() as u64 - 1)));
    for (id, messages) in seen {
        let round: usize = id
            .split_once('-')
            .expect("a round")
            .1
            .parse()
            .expect("a number");
        if round.is_multiple_of(2) {
            assert_eq!(messages, ["written", "invoke end"], "{id}");
        } else {
            assert_eq!(messages, ["written", "kept", "invoke end"], "{id}");
        }
    }
}

#[test]
fn a_span_may_be_opened_entered_and_closed_on_different_threads() {
    let kept = Kept::default();
    let subscriber = subscriber(builder(Profile::V1).sink(kept.sink()));
    let on_a_thread = |work: Box<dyn FnOnce() + Send + '_>| {
        thread::scope(|scope| {
            let subscriber = &subscriber;
            scope.spawn(move || tracing::dispatcher::with_default(subscriber, work));
        });
    };
    let mut span = tracing::Span::none();
    let opened = &mut span;
    on_a_thread(Box::new(move || *opened = invocation("id")));
    let mut inner = tracing::Span::none();
    let opened = &mut inner;
    let outer = &span;
    on_a_thread(Box::new(move || {
        *opened = tracing::info_span!(parent: outer, "inner", key = 1);
    }));
    on_a_thread(Box::new(|| inner.in_scope(|| tracing::debug!("kept"))));
    on_a_thread(Box::new(|| drop(span)));
    on_a_thread(Box::new(|| {
        inner.record("key", 2);
        inner.in_scope(|| tracing::info!("message"));
        inner.in_scope(|| end!("error"));
        drop(inner);
    }));
    let lines: Vec<_> = kept.take().iter().map(|line| json::line(line)).collect();
    assert_eq!(lines.len(), 3);
    for line in &lines {
        assert_eq!(line["request_id"], "id");
    }
    assert_eq!(lines[0]["fields"]["key"], 2);
    assert_eq!(lines[1]["fields"]["key"], 1, "as it was then");
}
