//! Dispatch, decoding, encoding, layers and batches of an app, without a platform.
#![cfg(feature = "testing")]

use faas_sdk::http::{Request, Response};
use faas_sdk::prelude::*;
use faas_sdk::testing::TestApp;
use faas_sdk::{
    Batch, Body, Config, Data, Disposition, Environment, Event, EventKind, HttpRequest,
    HttpResponse, Invocation, Invoke, Item, ItemOutcome, Outcome, Reply, StatusCode,
};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Deserialize)]
struct Get {
    id: u32,
    #[serde(default)]
    lang: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Found {
    id: u32,
    lang: Option<String>,
    by: String,
}

async fn item(get: Get, cx: Context) -> Result<Found> {
    if get.id == 0 {
        return Err(Error::not_found("there is no item 0"));
    }
    Ok(Found {
        id: get.id,
        lang: get.lang,
        by: cx.function().to_owned(),
    })
}

async fn text(response: HttpResponse) -> String {
    let bytes = response.into_body().collect(1 << 20).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn event(kind: EventKind, source: &str, data: &str) -> Event {
    let mut event = Event::new("1", source, "test", Data::Json(data.to_owned().into()));
    event.kind = kind;
    event
}

fn batch(texts: &[&str], ordered: bool) -> Batch<Event> {
    let items = texts.iter().enumerate().map(|(index, text)| Item {
        id: index.to_string().into(),
        attempt: faas_sdk::Attempt::number(1),
        data: Ok(event(EventKind::Queue, "q/orders", text)),
    });
    let mut batch = Batch::unordered(items.collect());
    batch.ordered = ordered;
    batch
}

fn dispositions(outcome: Outcome) -> Vec<Disposition> {
    match outcome.expect("a reply") {
        Reply::Batch(items) => items.iter().map(ItemOutcome::disposition).collect(),
        other => panic!("no batch: {other:?}"),
    }
}

const RETRY: Disposition = Disposition::Retry { after: None };

#[tokio::test]
async fn a_route_joins_path_and_query() {
    let app = TestApp::new(App::new().http("GET /items/{id}", item)).expect("the app");
    let request = Request::get("/items/7?lang=fr")
        .body("")
        .expect("a request");
    let response = app.request(request).await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(
        text(response).await,
        r#"{"id":7,"lang":"fr","by":"GET /items/{id}"}"#
    );

    for (uri, kind) in [
        ("/items/0", ErrorKind::NotFound),
        ("/items/x", ErrorKind::InvalidInput),
        ("/elsewhere", ErrorKind::NotFound),
    ] {
        let error = app
            .request(Request::get(uri).body("").expect(""))
            .await
            .expect_err(uri);
        assert_eq!(error.kind(), kind, "{uri}");
    }
    let error = app
        .request(Request::post("/items/7").body("").expect(""))
        .await
        .expect_err("");
    assert_eq!(error.kind(), ErrorKind::MethodNotAllowed);
}

#[tokio::test]
async fn functions_are_called_by_name() {
    let app = App::new()
        .function("item", item)
        .function("other", async |_: (), _: Context| {
            Err::<(), _>(std::io::Error::other("the disk is gone"))
        });
    let app = TestApp::new(app).expect("the app");
    let found: Found = app
        .call("item", &serde_json::json!({"id": 3}))
        .await
        .expect("found");
    assert_eq!(
        found,
        Found {
            id: 3,
            lang: None,
            by: "item".into()
        }
    );
    let error = app.call::<()>("other", &()).await.expect_err("it fails");
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::Internal, "the disk is gone".into())
    );
    let error = app.call::<()>("nothing", &()).await.expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "there is no function `nothing`, only: item, other"
    );
    let error = app
        .call::<()>("item", &serde_json::json!({"id": "x"}))
        .await
        .expect_err("bad");
    assert!(
        error.to_string().starts_with("invalid input at `id`: "),
        "{error}"
    );
}

#[tokio::test]
async fn the_only_function_takes_whatever_comes_unless_there_are_routes() {
    let app = TestApp::new(item).expect("the app");
    let request = Request::get("/anything?id=5").body("").expect("a request");
    assert!(
        text(app.request(request).await.expect("an answer"))
            .await
            .contains(r#""by":"item""#)
    );
    let app = App::new().function("item", item).http("/x", item);
    let app = TestApp::new(app).expect("the app");
    let request = Request::get("/anything?id=5").body("").expect("a request");
    assert_eq!(
        app.request(request).await.expect_err("no route").kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn subscriptions_take_what_they_name() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let seen = Arc::clone(&seen);
        move |number: u32, _: Context| {
            let seen = Arc::clone(&seen);
            async move {
                seen.lock().expect("").push((name, number));
                Ok::<_, Error>(())
            }
        }
    };
    let app = App::new()
        .on("queue:orders", note("orders"))
        .on("queue:*", note("any queue"))
        .on("ce:com.example.*", note("example"));
    let app = TestApp::new(app).expect("the app");
    app.send(event(EventKind::Queue, "arn:aws:sqs:x:1:orders", "1"))
        .await
        .expect("taken");
    app.send(event(EventKind::Queue, "arn:aws:sqs:x:1:other", "2"))
        .await
        .expect("taken");
    let ce = Event::new("1", "/s", "com.example.paid", Data::Json("3".into()));
    app.send(ce).await.expect("taken");
    assert_eq!(
        *seen.lock().expect(""),
        [("orders", 1), ("any queue", 2), ("example", 3)]
    );
    let error = app
        .send(event(EventKind::Timer, "nightly", "1"))
        .await
        .expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_batch_runs_item_by_item_and_each_failure_is_its_own() {
    let handler = async |number: u32, cx: Context| {
        assert!(cx.item().is_some());
        match number {
            1 => Err(Error::unavailable("later")),
            2 => panic!("on purpose"),
            3 => Err(Error::internal("forget it").drop_event()),
            number => Ok(number),
        }
    };
    let app = TestApp::new(App::new().on("queue:orders", handler)).expect("the app");
    let unordered = app
        .send(batch(&["0", "1", "2", "3", "x", "5"], false))
        .await;
    assert_eq!(
        dispositions(unordered),
        [
            Disposition::Ack,
            RETRY,
            RETRY,
            Disposition::Drop,
            Disposition::Reject,
            Disposition::Ack
        ]
    );
    let ordered = app.send(batch(&["0", "1", "5"], true)).await;
    assert_eq!(dispositions(ordered), [Disposition::Ack, RETRY, RETRY]);
}

#[tokio::test(start_paused = true)]
async fn items_that_are_not_done_in_time_fail_alone_and_end_what_they_registered() {
    let ended = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&ended);
    let handler = move |number: u32, cx: Context| {
        let seen = Arc::clone(&seen);
        cx.on_end("count", move |_| async move {
            seen.fetch_add(1, Ordering::SeqCst);
        });
        async move {
            if number > 0 {
                std::future::pending::<()>().await;
            }
            Ok::<_, Error>(())
        }
    };
    let app = TestApp::new(App::new().on("queue:*", handler)).expect("the app");
    let app = app.with_deadline(std::time::Duration::from_secs(10));
    let outcome = app.send(batch(&["0", "1", "2"], false)).await;
    assert_eq!(dispositions(outcome), [Disposition::Ack, RETRY, RETRY]);
    assert_eq!(ended.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn no_more_items_at_once_than_configured() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let handler = move |_: u32, _: Context| {
        let (running, seen) = (Arc::clone(&running), Arc::clone(&seen));
        async move {
            seen.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            running.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, Error>(())
        }
    };
    let environment = Environment::default().with_variable("FAAS_INVOKE__BATCH_CONCURRENCY", "3");
    let config = Config::load(&environment).expect("the configuration");
    let app = TestApp::with_config(App::new().on("queue:*", handler), config).expect("the app");
    let outcome = app.send(batch(&["1"; 20], false)).await;
    assert_eq!(dispositions(outcome), [Disposition::Ack; 20]);
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_whole_batch_answers_for_its_items() {
    let handler = async |batch: Batch<u32>, _: Context| {
        let outcomes = batch.into_iter().map(|item| match item.data {
            Ok(number) if number > 1 => ItemOutcome::ack(item.id),
            Ok(_) => ItemOutcome::failed(item.id, ErrorKind::Conflict),
            Err(error) => ItemOutcome::failed(item.id, error),
        });
        Ok::<_, Error>(outcomes.collect::<Vec<_>>())
    };
    let app = TestApp::new(App::new().on("queue:*", handler)).expect("the app");
    let outcome = app.send(batch(&["1", "2", "x"], true)).await;
    assert_eq!(
        dispositions(outcome),
        [RETRY, Disposition::Ack, Disposition::Reject]
    );
}

#[tokio::test]
async fn layers_wrap_the_last_added_outermost() {
    struct Note(&'static str, Arc<Mutex<Vec<&'static str>>>, Arc<dyn Invoke>);
    impl Invoke for Note {
        fn invoke(&self, invocation: Invocation) -> faas_sdk::BoxFuture<'_, Outcome> {
            self.1.lock().expect("").push(self.0);
            self.2.invoke(invocation)
        }
    }
    let order = Arc::new(Mutex::new(Vec::new()));
    let layer = |name| {
        let order = Arc::clone(&order);
        move |inner: Arc<dyn Invoke>| -> Arc<dyn Invoke> {
            Arc::new(Note(name, Arc::clone(&order), inner))
        }
    };
    let app = App::new()
        .function("item", item)
        .layer(layer("first"))
        .layer(layer("second"));
    let app = TestApp::new(app).expect("the app");
    app.call::<Found>("item", &serde_json::json!({"id": 1}))
        .await
        .expect("found");
    assert_eq!(*order.lock().expect(""), ["second", "first"]);
}

#[tokio::test]
async fn outputs_have_their_status_and_streams_stream() {
    let app = App::new()
        .http("/made", async |_: (), _: Context| {
            Ok::<_, Error>((StatusCode::CREATED, "made"))
        })
        .http("/raw", async |request: HttpRequest, _: Context| {
            let body = request.into_body();
            Ok::<_, Error>(Response::new(body))
        })
        .http("/stream", async |_: (), _: Context| {
            Ok::<_, Error>(Body::produce(async move |mut out| {
                out.send("one ").await?;
                out.send("two").await
            }))
        });
    let app = TestApp::new(app).expect("the app");
    let get = |path: &str| Request::post(path).body("body").expect("a request");
    let response = app.request(get("/made")).await;
    assert_eq!(
        response.expect_err("a body that is no unit").kind(),
        ErrorKind::InvalidInput
    );
    let empty = Request::get("/made").body("").expect("");
    assert_eq!(
        app.request(empty).await.expect("made").status(),
        StatusCode::CREATED
    );
    assert_eq!(
        text(app.request(get("/raw")).await.expect("raw")).await,
        "body"
    );
    let empty = Request::get("/stream").body("").expect("");
    assert_eq!(
        text(app.request(empty).await.expect("streamed")).await,
        "one two"
    );
}

#[tokio::test]
async fn an_axum_router_is_mounted_with_the_context() {
    use axum::extract::Path;
    use axum::{Extension, Router, routing::get};
    async fn id(Extension(cx): Extension<Context>, Path(id): Path<u32>) -> String {
        format!("{} {id}", cx.request_id())
    }
    let router = Router::new().route("/api/{id}", get(id));
    let app = App::new()
        .http("GET /items/{id}", item)
        .service("/api", router);
    let app = TestApp::new(app).expect("the app");
    let response = app
        .request(Request::get("/api/9").body("").expect(""))
        .await
        .expect("axum");
    assert_eq!(text(response).await, "test 9");
    let response = app
        .request(Request::get("/api").body("").expect(""))
        .await
        .expect("axum");
    assert_eq!(
        response.status(),
        StatusCode::NOT_FOUND,
        "axum's own answer"
    );
}

#[tokio::test]
async fn mistakes_are_found_when_the_app_is_built() {
    for (app, word) in [
        (App::new(), "empty"),
        (
            App::new().function("a", item).function("a", item),
            "two functions",
        ),
        (App::new().function("a/b", item), "a/b"),
        (App::new().http("items", item), "slash"),
        (
            App::new().http("GET /a", item).http("GET /a", item),
            "two handlers",
        ),
        (App::new().on("orders", item), "no colon"),
    ] {
        let error = TestApp::new(app).expect_err(word);
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn any_error_passes_through_the_question_mark() {
    #[derive(Debug)]
    struct Wrapped(std::num::ParseIntError);
    impl std::fmt::Display for Wrapped {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("wrapped")
        }
    }
    impl std::error::Error for Wrapped {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    fn own() -> Result<()> {
        Err(Error::conflict("sold out").with_code("sold_out"))
    }
    fn boxed() -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        Ok("x".parse::<u8>().map_err(Wrapped)?)
    }
    async fn handler(which: u8, _: Context) -> Result<u8> {
        match which {
            0 => own().map(|()| 0),
            1 => Ok(boxed()?),
            _ => Err("plain text")?,
        }
    }
    let app = TestApp::new(handler).expect("the app");
    let error = app.call::<u8>("handler", &0).await.expect_err("");
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Conflict, "sold_out")
    );
    let error = app.call::<u8>("handler", &1).await.expect_err("");
    assert!(error.downcast_ref::<Wrapped>().is_some());
    assert_eq!(error.causes().count(), 1);
    assert_eq!(
        app.call::<u8>("handler", &2)
            .await
            .expect_err("")
            .to_string(),
        "plain text"
    );
}

/// What users hold over an await must be `Send`.
#[test]
fn futures_and_handles_may_cross_threads() {
    fn send<T: Send>(_: &T) {}
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Context>();
    shared::<Error>();
    shared::<App>();
    let cx = Context::builder().build();
    send(&cx.cancelled());
    send(&cx.scope().end(std::time::Duration::ZERO));
    send(&faas_sdk::run(item));
    send(&Body::empty().collect(1));
}
