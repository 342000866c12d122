use super::*;
use faas_sdk_scope::{Clock, ManualClock};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Barrier};
use std::thread;

const SECOND: Duration = Duration::from_secs(1);

#[track_caller]
fn fail(breaker: &Breaker, clock: &ManualClock) {
    breaker
        .admit(&clock.now())
        .expect("admitted")
        .failure(&clock.now());
}

#[track_caller]
fn succeed(breaker: &Breaker, clock: &ManualClock) {
    breaker.admit(&clock.now()).expect("admitted").success();
}

/// One that has just opened.
fn open() -> (Breaker, ManualClock) {
    let (breaker, clock) = (Breaker::new(3, SECOND), ManualClock::new());
    (0..3).for_each(|_| fail(&breaker, &clock));
    assert!(breaker.is_open());
    (breaker, clock)
}

#[test]
fn it_opens_after_failures_in_a_row() {
    let (breaker, clock) = (Breaker::default(), ManualClock::new());
    for _ in 0..3 {
        (1..DEFAULT_FAILURES).for_each(|_| fail(&breaker, &clock));
        assert!(!breaker.is_open());
        succeed(&breaker, &clock);
    }
    (0..DEFAULT_FAILURES).for_each(|_| fail(&breaker, &clock));
    assert!(breaker.is_open());
    assert!(breaker.admit(&clock.now()).is_none());
}

#[test]
fn calls_without_a_result_count_as_nothing() {
    let (breaker, clock) = (Breaker::new(2, SECOND), ManualClock::new());
    for _ in 0..5 {
        drop(breaker.admit(&clock.now()));
    }
    fail(&breaker, &clock);
    drop(breaker.admit(&clock.now()));
    assert!(!breaker.is_open());
    fail(&breaker, &clock);
    assert!(breaker.is_open(), "nor as a success");
}

#[test]
fn after_the_pause_one_caller_probes() {
    let (breaker, clock) = open();
    clock.advance(SECOND.mul_f64(0.75) - Duration::from_millis(1));
    assert!(
        breaker.admit(&clock.now()).is_none(),
        "jitter takes at most a quarter"
    );
    clock.advance(SECOND / 4 + Duration::from_millis(1));
    let probe = breaker.admit(&clock.now()).expect("the probe");
    assert!(breaker.admit(&clock.now()).is_none() && breaker.is_open());
    probe.success();
    assert!(!breaker.is_open());
    let calls: Vec<_> = (0..10).map(|_| breaker.admit(&clock.now())).collect();
    assert!(calls.iter().all(Option::is_some));
    fail(&breaker, &clock);
    assert!(!breaker.is_open(), "it counts from the start");
}

#[test]
fn pauses_double_up_to_half_a_minute() {
    let (breaker, clock) = open();
    for seconds in [1, 2, 4, 8, 16, 30, 30, 30] {
        let pause = SECOND * seconds;
        clock.advance(pause.mul_f64(0.75) - Duration::from_millis(1));
        assert!(breaker.admit(&clock.now()).is_none(), "{seconds} s");
        clock.advance(pause / 4 + Duration::from_millis(1));
        fail(&breaker, &clock);
    }
    clock.advance(SECOND * 30);
    succeed(&breaker, &clock);
    (0..3).for_each(|_| fail(&breaker, &clock));
    clock.advance(SECOND);
    assert!(
        breaker.admit(&clock.now()).is_some(),
        "after a success pauses are short again"
    );
}

#[test]
fn a_long_pause_stays_as_it_is() {
    let (breaker, clock) = (Breaker::new(0, SECOND * 100), ManualClock::new());
    fail(&breaker, &clock);
    for _ in 0..2 {
        clock.advance(SECOND * 74);
        assert!(breaker.admit(&clock.now()).is_none());
        clock.advance(SECOND * 26);
        fail(&breaker, &clock);
    }
}

#[test]
fn a_probe_that_is_cancelled_is_given_back() {
    let (breaker, clock) = open();
    clock.advance(SECOND);
    for _ in 0..3 {
        let probe = breaker.admit(&clock.now()).expect("the probe");
        assert!(breaker.admit(&clock.now()).is_none());
        drop(probe);
        assert!(breaker.is_open());
    }
    succeed(&breaker, &clock);
    assert!(!breaker.is_open());
}

#[test]
fn a_probe_that_never_ends_is_replaced() {
    let (breaker, clock) = open();
    clock.advance(SECOND);
    let lost = breaker.admit(&clock.now()).expect("the probe");
    clock.advance(LONGEST_PAUSE - Duration::from_millis(1));
    assert!(breaker.admit(&clock.now()).is_none());
    clock.advance(Duration::from_millis(1));
    let probe = breaker.admit(&clock.now()).expect("another probe");
    lost.failure(&clock.now());
    assert!(
        breaker.admit(&clock.now()).is_none(),
        "the lost one does not count any more"
    );
    probe.success();
    assert!(!breaker.is_open());
}

#[test]
fn results_of_an_earlier_phase_do_not_count() {
    let (breaker, clock) = (Breaker::new(3, SECOND), ManualClock::new());
    let mut early: Vec<_> = (0..12)
        .filter_map(|_| breaker.admit(&clock.now()))
        .collect();
    early
        .drain(..6)
        .for_each(|permit| permit.failure(&clock.now()));
    early.drain(..2).for_each(Permit::success);
    assert!(breaker.is_open(), "a late success does not close it");
    clock.advance(SECOND);
    succeed(&breaker, &clock);
    early
        .drain(..)
        .for_each(|permit| permit.failure(&clock.now()));
    assert!(!breaker.is_open(), "late failures do not open it again");
}

#[test]
fn a_freeze_counts_and_a_clock_set_back_does_not() {
    let (breaker, clock) = open();
    let before = clock.now();
    clock.step(Duration::ZERO, SECOND * 5, SECOND * 5);
    assert!(
        breaker.admit(&clock.now()).is_some(),
        "the probe, which is given back"
    );
    let back = Stamp {
        realtime: Duration::ZERO,
        ..before
    };
    assert!(breaker.admit(&back).is_none());
}

#[test]
fn of_many_threads_one_gets_the_probe() {
    const THREADS: usize = 8;
    let (breaker, clock) = open();
    for round in 0..200 {
        clock.advance(LONGEST_PAUSE);
        let (now, start, admitted) = (clock.now(), Barrier::new(THREADS), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    start.wait();
                    let permit = breaker.admit(&now);
                    admitted.fetch_add(usize::from(permit.is_some()), Ordering::Relaxed);
                    start.wait();
                    match permit {
                        Some(permit) if round % 2 == 0 => permit.failure(&now),
                        permit => drop(permit),
                    }
                });
            }
        });
        assert_eq!(admitted.into_inner(), 1);
        assert!(breaker.is_open());
    }
}

#[test]
fn threads_cannot_wedge_it() {
    let (breaker, clock) = (
        Arc::new(Breaker::new(2, SECOND)),
        Arc::new(ManualClock::new()),
    );
    let threads: Vec<_> = (0..4_u64)
        .map(|seed| {
            let (breaker, clock) = (Arc::clone(&breaker), Arc::clone(&clock));
            thread::spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                for _ in 0..20_000 {
                    let permit = breaker.admit(&clock.now());
                    match (permit, random.u8(..3)) {
                        (Some(permit), 0) => permit.success(),
                        (Some(permit), 1) => permit.failure(&clock.now()),
                        (permit, _) => drop(permit),
                    }
                    clock.advance(Duration::from_millis(random.u64(..200)));
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().expect("no panic"));
    clock.advance(LONGEST_PAUSE);
    succeed(&breaker, &clock);
    assert!(!breaker.is_open());
    (0..2).for_each(|_| fail(&breaker, &clock));
    assert!(breaker.is_open());
}
