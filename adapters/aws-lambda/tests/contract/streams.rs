use super::{program, serve};
use faas_sdk_core::{Body, BodySender, Content, Error, ErrorKind, Invocation, Outcome, Reply};
use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi};
use serde_json::json;

async fn three_pieces(mut out: BodySender) -> Result<(), Error> {
    for piece in ["one", "two", "three"] {
        out.send(piece).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_is_announced_and_sent_in_pieces() {
    let program = program(async |_: Invocation| -> Outcome {
        Ok(Reply::Content(Content::new(
            "text/plain",
            Body::produce(three_pieces),
        )))
    });
    let running = serve(FakeRuntimeApi::builder(), program).await;
    for _ in 0..3 {
        let outcome = running.api.invoke(Event::json(json!(1))).await;
        let response = outcome.response().expect("a response");
        assert!(response.streaming);
        assert_eq!(response.content_type.as_deref(), Some("text/plain"));
        assert_eq!(response.text(), "onetwothree");
        assert!(response.chunks.len() >= 3, "{:?}", response.chunks);
        assert!(response.trailers.is_empty());
    }
    assert_eq!(
        running.api.connections(),
        1,
        "a finished stream keeps the connection"
    );
    running.end().await;
}

#[tokio::test]
async fn an_error_in_mid_stream_is_told_in_trailers() {
    let program = program(async |_: Invocation| -> Outcome {
        let body = Body::produce(async move |mut out: BodySender| {
            out.send("first").await?;
            let error = Error::new(ErrorKind::Unavailable, "the store is gone");
            Err(error.with_source(std::io::Error::other("no route")))
        });
        Ok(Reply::Content(Content::new("text/plain", body)))
    });
    let running = serve(FakeRuntimeApi::builder(), program).await;
    let outcome = running.api.invoke(Event::json(json!(1))).await;
    let response = outcome.response().expect("a response");
    assert_eq!(
        response.text(),
        "first",
        "no error text in the caller's bytes"
    );
    let error = response
        .stream_error()
        .expect("it decodes")
        .expect("an error");
    assert_eq!(error.error_type, "Function.Unavailable");
    assert_eq!(error.details.error_message, "the store is gone");
    assert_eq!(error.details.stack_trace, ["caused by: no route"]);
    running.end().await;
}

#[tokio::test]
async fn an_error_before_the_first_byte_is_a_plain_error() {
    let program = program(async |_: Invocation| -> Outcome {
        let body = Body::produce(async move |_: BodySender| Err(ErrorKind::Unavailable.into()));
        Ok(Reply::Content(Content::new("text/plain", body)))
    });
    let running = serve(FakeRuntimeApi::builder(), program).await;
    let outcome = running.api.invoke(Event::json(json!(1))).await;
    assert_eq!(
        outcome.error().expect("an error").platform_error_type(),
        "Function.Unavailable"
    );
    running.end().await;
}

#[tokio::test]
async fn http_responses_have_their_two_forms() {
    let program = program(async |mut invocation: Invocation| -> Outcome {
        let streamed = match invocation.payload.take() {
            faas_sdk_core::Payload::Event(event) => event.data.as_bytes() == b"true",
            _ => false,
        };
        let body = if streamed {
            Body::produce(three_pieces)
        } else {
            Body::from("whole")
        };
        let response = http::Response::builder()
            .status(201)
            .header("content-type", "text/plain")
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2")
            .body(body);
        Ok(Reply::Http(response.expect("a response")))
    });
    let running = serve(FakeRuntimeApi::builder(), program).await;
    let head = json!({"statusCode": 201, "headers": {"content-type": "text/plain"}, "cookies": ["a=1", "b=2"]});

    let outcome = running.api.invoke(Event::json(json!(true))).await;
    let response = outcome.response().expect("a response");
    let integration = "application/vnd.awslambda.http-integration-response";
    assert_eq!(response.content_type.as_deref(), Some(integration));
    let end = response
        .body
        .windows(8)
        .position(|bytes| bytes == [0; 8])
        .expect("eight zeros");
    let prelude: serde_json::Value = serde_json::from_slice(&response.body[..end]).expect("JSON");
    assert_eq!(prelude, head);
    assert_eq!(&response.body[end + 8..], b"onetwothree");

    let outcome = running.api.invoke(Event::json(json!(false))).await;
    let whole = outcome
        .response()
        .expect("a response")
        .json()
        .expect("JSON");
    assert_eq!(
        (&whole["body"], &whole["isBase64Encoded"]),
        (&json!("whole"), &json!(false))
    );
    assert_eq!(
        (&whole["statusCode"], &whole["cookies"]),
        (&head["statusCode"], &head["cookies"])
    );
    running.end().await;
}
