//! Long runs; `cargo xtask soak` repeats them.

use super::{echo, serve_as};
use bytes::Bytes;
use faas_sdk_adapter_aws_lambda::AwsLambda;
use faas_sdk_testkit::lambda::{Cut, Event, FakeRuntimeApi, Fault, Outcome, Route};
use serde_json::json;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// A number that differs by seed and step.
struct Dice(RandomState, u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.1 += 1;
        (self.0.hash_one(self.1) % sides as u64) as usize
    }

    fn fault(&mut self) -> Fault {
        match self.roll(10) {
            0 => Fault::Close,
            1 => Fault::Raw(Bytes::from_static(b"HTTP/1.1 2000 what\r\n\r\n")),
            2 => Fault::status(503, "Busy", "later"),
            3 => Fault::Cut(Cut::Head),
            4 => Fault::Cut(Cut::At(self.roll(200))),
            5 => Fault::SingleBytes,
            6 => Fault::Delay(Duration::from_millis(self.roll(20) as u64)),
            7 => Fault::ConnectionClose,
            8 => Fault::Chunked {
                size: 1 + self.roll(9),
            },
            _ => Fault::Extra(Bytes::from_static(b"\r\n\r\n")),
        }
    }
}

/// Whatever happens on the wire, an invocation is answered with its own payload or known to be
/// lost, and all slots are there in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long; run by `cargo xtask soak`"]
async fn soak_random_faults() {
    let slots = 8;
    let mut program = echo();
    program
        .env
        .extend([("AWS_LAMBDA_MAX_CONCURRENCY", slots.to_string())]);
    let adapter = AwsLambda::new().post_timeout(Duration::from_millis(500));
    let builder = FakeRuntimeApi::builder()
        .lenient()
        .slots(slots)
        .deadline(Duration::from_secs(2));
    let running = serve_as(adapter, builder.keep_requests(10), program).await;
    let mut dice = Dice(RandomState::new(), 0);
    let mut answered = 0;
    for round in 0..40 {
        let calls: Vec<_> = (0..16)
            .map(|call| {
                if dice.roll(3) == 0 {
                    let route = if dice.roll(2) == 0 {
                        Route::Next
                    } else {
                        Route::Response
                    };
                    running.api.fault(route, dice.fault());
                }
                let payload = json!([round, call]);
                (payload.clone(), running.api.invoke(Event::json(payload)))
            })
            .collect();
        for (payload, call) in calls {
            match call.await {
                Outcome::Response(response) => {
                    assert_eq!(response.json().expect("JSON"), payload);
                    answered += 1;
                }
                Outcome::Error(report) => {
                    // An event that could not be read to its end.
                    assert!(report.details.is_some(), "{report:?}");
                }
                Outcome::TimedOut | Outcome::Lost(_) => {}
            }
        }
    }
    assert!(answered > 320, "{answered} of 640 answered");
    // What faults are left are used up by these.
    while running.api.faults_left() > 0 {
        drop(running.api.invoke(Event::json(json!(0))).await);
    }
    running
        .api
        .wait_idle_next(slots)
        .await
        .expect("all slots are there");
    running.end().await;
}
