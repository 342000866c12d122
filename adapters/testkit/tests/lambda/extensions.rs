//! Internal extensions.

use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi, Lost, Outcome};
use serde_json::{Value, json};

use crate::client::{BASE, Client, EXTENSION, start};

async fn register(client: &mut Client, name: &str, body: &str) -> String {
    let headers = format!("Lambda-Extension-Name: {name}\r\n");
    let answer = client
        .post(&format!("{EXTENSION}/register"), &headers, body)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
        .header("Lambda-Extension-Identifier")
        .expect("identifier")
        .to_owned()
}

fn identified(id: &str) -> String {
    format!("Lambda-Extension-Identifier: {id}\r\n")
}

#[tokio::test]
async fn registration_tells_the_function_and_closes_with_the_first_next() {
    let api = start(FakeRuntimeApi::builder().function("shop")).await;
    let mut client = Client::new(&api).await;
    let path = format!("{EXTENSION}/register");
    let headers =
        "Lambda-Extension-Name: shutdown\r\nLambda-Extension-Accept-Feature: accountId\r\n";
    let answer = client.post(&path, headers, r#"{"events":[]}"#).await;
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(
        body,
        json!({"functionName": "shop", "functionVersion": "$LATEST", "handler": "bootstrap", "accountId": "123456789012"})
    );
    let refused = client
        .post(
            &path,
            "Lambda-Extension-Name: b\r\n",
            r#"{"events":["SHUTDOWN"]}"#,
        )
        .await;
    let message = "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension";
    refused.is_error(403, "Extension.InvalidEventType", message);
    let refused = client.post(&path, "", "{}").await;
    refused.is_error(
        403,
        "Extension.InvalidExtensionName",
        "Empty extension name",
    );

    let mut runtime = Client::new(&api).await;
    runtime.ask_next().await;
    api.wait_idle_next(1).await.expect("parked");
    let refused = client
        .post(&path, "Lambda-Extension-Name: c\r\n", "{}")
        .await;
    refused.is_error(
        403,
        "Extension.RegistrationClosed",
        "Extension registration closed already",
    );
    let seen = api.observe().extensions;
    assert_eq!((seen.len(), seen[0].name.as_str()), (1, "shutdown"));
    assert!(seen[0].events.is_empty());
}

#[tokio::test]
async fn no_event_is_handed_out_before_every_extension_waits() {
    let api = start(FakeRuntimeApi::builder()).await;
    let mut extension = Client::new(&api).await;
    let id = register(&mut extension, "silent", r#"{"events":[]}"#).await;
    let mut runtime = Client::new(&api).await;
    runtime.ask_next().await;
    let invocation = api.invoke(Event::bytes("e"));
    api.wait_for(|state| state.parked_next == 1)
        .await
        .expect("parked");
    assert!(runtime.is_silent().await);
    assert!(
        api.observe()
            .to_string()
            .contains("waiting for extension \"silent\"")
    );

    let next = format!("{EXTENSION}/event/next");
    extension
        .send(format!(
            "GET {next} HTTP/1.1\r\nHost: a\r\n{}\r\n",
            identified(&id)
        ))
        .await;
    let id = runtime.answer().await.request_id().to_owned();
    runtime.respond(&id, "").await.is_accepted();
    assert!(invocation.await.response().is_some());
    let seen = api.observe().extensions.remove(0);
    assert!(
        seen.waiting && extension.is_silent().await,
        "no events were asked for"
    );
    assert_eq!(seen.polls, 1);
}

#[tokio::test]
async fn invoke_events_reach_those_who_asked() {
    let api = start(FakeRuntimeApi::builder()).await;
    let mut extension = Client::new(&api).await;
    let id = register(&mut extension, "flush", r#"{"events":["INVOKE"]}"#).await;
    let next = format!(
        "GET {EXTENSION}/event/next HTTP/1.1\r\nHost: a\r\n{}\r\n",
        identified(&id)
    );
    extension.send(&next).await;
    let mut runtime = Client::new(&api).await;
    let _ = (
        api.invoke(Event::bytes("1").request_id("r").trace("Root=1")),
        api.invoke(Event::bytes("2")),
    );
    runtime.next().await;
    let event = extension.answer().await;
    assert!(event.header("Lambda-Extension-Event-Identifier").is_some());
    let body: Value = serde_json::from_slice(&event.body).expect("JSON");
    assert_eq!(body["eventType"], "INVOKE");
    assert_eq!(body["requestId"], "r");
    assert!(body["deadlineMs"].is_u64());
    assert_eq!(
        body["invokedFunctionArn"],
        "arn:aws:lambda:us-east-1:123456789012:function:function"
    );
    assert_eq!(
        body["tracing"],
        json!({"type": "X-Amzn-Trace-Id", "value": "Root=1"})
    );

    // The next event waits for the extension as well.
    runtime.respond("r", "").await.is_accepted();
    runtime.ask_next().await;
    api.wait_for(|state| state.parked_next == 1)
        .await
        .expect("parked");
    assert!(runtime.is_silent().await);
    extension.send(&next).await;
    assert_eq!(runtime.answer().await.text(), "2");
}

#[tokio::test]
async fn identifiers_and_states_are_checked() {
    let api = start(FakeRuntimeApi::builder()).await;
    let mut client = Client::new(&api).await;
    let next = format!("{EXTENSION}/event/next");
    let header = "Lambda-Extension-Identifier";
    let refused = client.get(&next, "").await;
    refused.is_error(
        403,
        "Extension.MissingExtensionIdentifier",
        &format!("Missing {header} header"),
    );
    let refused = client.get(&next, &identified("x")).await;
    refused.is_error(
        403,
        "Extension.InvalidExtensionIdentifier",
        &format!("Invalid {header}"),
    );
    let unknown = identified("00000000-0000-4000-8000-000000000000");
    let refused = client.get(&next, &unknown).await;
    refused.is_error(
        403,
        "Extension.UnknownExtensionIdentifier",
        &format!("Unknown {header}"),
    );

    let id = register(&mut client, "a", "{}").await;
    let mut parked = Client::new(&api).await;
    parked
        .send(format!(
            "GET {next} HTTP/1.1\r\nHost: a\r\n{}\r\n",
            identified(&id)
        ))
        .await;
    api.wait_for(|state| state.extensions[0].waiting)
        .await
        .expect("parked");
    let refused = client.get(&next, &identified(&id)).await;
    let message = format!(
        "State transition from Ready to Ready failed for extension {id}. Error: State transition is not allowed"
    );
    refused.is_error(403, "Extension.InvalidExtensionState", &message);
    // A new connection after the old one is gone is no violation.
    drop(parked);
    client
        .send(format!(
            "GET {next} HTTP/1.1\r\nHost: a\r\n{}\r\n",
            identified(&id)
        ))
        .await;
    api.wait_for(|state| state.extensions[0].polls == 2 && state.extensions[0].waiting)
        .await
        .expect("parked again");
}

#[tokio::test]
async fn extension_errors_are_recorded() {
    let api = start(FakeRuntimeApi::builder()).await;
    let mut client = Client::new(&api).await;
    for (call, name) in [("init", "a"), ("exit", "b")] {
        let id = register(&mut client, name, "{}").await;
        let path = format!("{EXTENSION}/{call}/error");
        let refused = client.post(&path, &identified(&id), "{}").await;
        let message = "Lambda-Extension-Function-Error-Type not found";
        refused.is_error(403, "Extension.MissingHeader", message);
        let headers = format!(
            "{}Lambda-Extension-Function-Error-Type: Extension.Broken\r\n",
            identified(&id)
        );
        client.post(&path, &headers, "{}").await.is_accepted();
        let refused = client
            .get(&format!("{EXTENSION}/event/next"), &identified(&id))
            .await;
        assert_eq!(refused.status, 403);
    }
    let seen = api.observe().extensions;
    assert_eq!(seen[0].init_error.as_deref(), Some("Extension.Broken"));
    assert_eq!(seen[1].exit_error.as_deref(), Some("Extension.Broken"));
}

#[tokio::test]
async fn a_restart_forgets_extensions_and_loses_what_is_open() {
    let api = start(FakeRuntimeApi::builder()).await;
    let mut client = Client::new(&api).await;
    register(&mut client, "a", "{}").await;
    let invocation = api.invoke(Event::bytes(""));
    api.restart();
    assert!(matches!(invocation.await, Outcome::Lost(Lost::Restarted)));
    register(&mut client, "a", "{}").await;
    assert_eq!(api.observe().extensions.len(), 1);
    let next = client.get(&format!("{BASE}/none"), "").await;
    assert_eq!(next.status, 404);
}
