use super::{echo, program, serve};
use faas_sdk_core::{Disposition, Error, ErrorKind, Invocation, Reply};
use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi, Outcome};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn everything_the_platform_says_reaches_the_function() {
    let program = program(async |invocation: Invocation| {
        let Invocation { info, scope, .. } = invocation;
        let seen = json!({
            "id": &*info.id,
            "platform": info.platform,
            "tenant": info.tenant.as_deref(),
            "arn": info.function.resource.as_deref(),
            "name": info.function.name.as_deref(),
            "identity": info.identity.as_ref().map(|identity| &*identity.claims),
            "client": info.client_context.as_deref(),
            "native": info.trace.native(),
            "w3c": info.trace.context().map(|context| context.to_string()),
            "custom": info.metadata.get("x-custom"),
            "cold": info.cold_start,
            "remaining": scope.remaining().is_some_and(|left| left > Duration::from_secs(20)),
        });
        Ok(Reply::json(seen.to_string().into()))
    });
    let running = serve(FakeRuntimeApi::builder().function("greeter"), program).await;
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let event = Event::json(json!({}))
        .request_id("request-1")
        .deadline(Duration::from_secs(30))
        .tenant("blue")
        .trace(trace)
        .function_arn("arn:aws:lambda:eu-west-1:1:function:greeter:live")
        .client_context(json!({"custom": {"a": "b"}}))
        .identity("id-1", "pool-1")
        .header("X-Custom", "kept");
    let outcome = running.api.invoke(event).await;
    let seen = outcome
        .response()
        .expect("a response")
        .json()
        .expect("JSON");
    assert_eq!(seen["id"], "request-1");
    assert_eq!(seen["platform"], "aws-lambda");
    assert_eq!(
        (&seen["tenant"], &seen["name"]),
        (&json!("blue"), &json!("greeter"))
    );
    assert_eq!(
        seen["arn"],
        "arn:aws:lambda:eu-west-1:1:function:greeter:live"
    );
    assert!(
        seen["identity"]
            .as_str()
            .is_some_and(|claims| claims.contains("id-1"))
    );
    assert!(
        seen["client"]
            .as_str()
            .is_some_and(|client| client.contains("custom"))
    );
    assert_eq!(seen["native"], trace);
    assert_eq!(
        seen["w3c"],
        "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
    );
    assert_eq!(
        (&seen["custom"], &seen["cold"]),
        (&json!("kept"), &json!(true))
    );
    assert_eq!(seen["remaining"], true);
    let again = running.api.invoke(Event::json(json!({}))).await;
    let seen = again.response().expect("a response").json().expect("JSON");
    assert_eq!(
        (&seen["cold"], &seen["tenant"]),
        (&json!(false), &json!(null))
    );
    running.end().await;
}

#[tokio::test]
async fn the_invocation_id_is_sent_back_where_there_is_one() {
    for on in [true, false] {
        let builder = FakeRuntimeApi::builder()
            .invocation_id(on)
            .empty_headers(true);
        let running = serve(builder, echo()).await;
        let outcome = running.api.invoke(Event::json(json!(1))).await;
        assert_eq!(
            outcome
                .response()
                .expect("a response")
                .invocation_id
                .is_some(),
            on
        );
        running.end().await;
    }
}

#[tokio::test]
async fn a_path_prefix_is_kept() {
    let running = serve(FakeRuntimeApi::builder().path_prefix("/.rt/fn"), echo()).await;
    let outcome = running.api.invoke(Event::json(json!("hi"))).await;
    assert_eq!(
        outcome
            .response()
            .expect("a response")
            .json()
            .expect("JSON"),
        "hi"
    );
    running.end().await;
}

#[tokio::test]
async fn an_error_is_reported_with_a_stable_type_and_its_causes() {
    let program = program(async |_: Invocation| {
        let error = Error::new(ErrorKind::Conflict, "sold out").with_code("sold_out");
        Err(error.with_source(std::io::Error::other("the shelf is empty")))
    });
    let running = serve(FakeRuntimeApi::builder(), program).await;
    let outcome = running.api.invoke(Event::json(json!(1))).await;
    let report = outcome.error().expect("an error");
    assert_eq!(report.platform_error_type(), "Function.SoldOut");
    let details = report.details.as_ref().expect("details");
    assert_eq!(
        (&*details.error_message, &*details.error_type),
        ("sold out", "Function.SoldOut")
    );
    assert_eq!(details.stack_trace, ["caused by: the shelf is empty"]);
    assert!(
        report
            .xray_cause
            .as_ref()
            .is_some_and(|cause| cause.contains("the shelf is empty"))
    );
    running.end().await;
}

#[tokio::test]
async fn a_dropped_event_is_called_done_and_an_unfit_reply_an_error() {
    let program = program(
        async |mut invocation: Invocation| match invocation.payload.take() {
            faas_sdk_core::Payload::Event(event) if event.data.as_bytes() == b"1" => {
                Err(Error::from(ErrorKind::Internal).with_disposition(Disposition::Drop))
            }
            faas_sdk_core::Payload::Event(event) => Ok(Reply::Event(event)),
            _ => Ok(Reply::empty()),
        },
    );
    let running = serve(FakeRuntimeApi::builder(), program).await;
    let dropped = running.api.invoke(Event::json(json!(1))).await;
    assert_eq!(dropped.response().expect("a response").text(), "null");
    let unfit = running.api.invoke(Event::json(json!(2))).await;
    assert_eq!(
        unfit.error().expect("an error").platform_error_type(),
        "Function.Unsupported"
    );
    running.end().await;
}

#[tokio::test]
async fn odd_headers_are_survived() {
    let running = serve(
        FakeRuntimeApi::builder().patience(Duration::from_millis(300)),
        echo(),
    )
    .await;
    let odd = Event::json(json!(1)).header("Lambda-Runtime-Deadline-Ms", "soon");
    assert!(running.api.invoke(odd).await.response().is_some());
    let none = Event::json(json!(2)).without_header("Lambda-Runtime-Deadline-Ms");
    assert!(running.api.invoke(none).await.response().is_some());
    let no_id = Event::json(json!(3))
        .deadline(Duration::from_millis(300))
        .without_header("Lambda-Runtime-Aws-Request-Id");
    assert!(matches!(
        running.api.invoke(no_id).await,
        Outcome::TimedOut | Outcome::Lost(_)
    ));
    let after = running.api.invoke(Event::json(json!(4))).await;
    assert_eq!(after.response().expect("a response").text(), "4");
    running.end().await;
}

#[tokio::test]
async fn an_expired_invocation_is_answered_and_the_late_answer_taken_calmly() {
    let program = program(async |_: Invocation| std::future::pending().await);
    let builder = FakeRuntimeApi::builder().enforce_deadline(false);
    let running = serve(builder, program).await;
    let event = Event::json(json!(1)).deadline(Duration::ZERO);
    let outcome = running.api.invoke(event).await;
    assert_eq!(
        outcome.error().expect("an error").platform_error_type(),
        "Runtime.Timeout"
    );
    running.end().await;
}

#[tokio::test]
async fn one_connection_a_slot_serves_them_all() {
    for slots in [1, 4] {
        let mut program = echo();
        if slots > 1 {
            program
                .env
                .extend([("AWS_LAMBDA_MAX_CONCURRENCY", slots.to_string())]);
        }
        let builder = FakeRuntimeApi::builder().slots(slots).keep_requests(10);
        let running = serve(builder, program).await;
        running
            .api
            .wait_idle_next(slots)
            .await
            .expect("all slots poll");
        for number in 0..2_000 / slots {
            let calls: Vec<_> = (0..slots)
                .map(|_| running.api.invoke(Event::json(json!(number))))
                .collect();
            for call in calls {
                assert!(call.await.response().is_some());
            }
        }
        assert_eq!(running.api.connections(), slots as u64);
        running.end().await;
    }
}
