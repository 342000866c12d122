//! How the layers are put together.

use crate::receiver::Receiver;
use crate::support::{ENOUGH, Logging, invocation, otlp};
use faas_sdk_log::{Invocation, LogLayer, flush, pending, set_filter};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

#[tokio::test]
async fn where_nothing_is_exported_there_is_nothing_to_flush() {
    flush(ENOUGH).await.expect("nothing to do");
    let logging = Logging::of(|builder| builder);
    let span = tracing::info_span!("work");
    let given = Invocation::new("r-1").trace(1, 2, 1).bind(&span);
    span.in_scope(|| tracing::info!("said"));
    drop(span);
    flush(ENOUGH).await.expect("nothing to do");
    assert_eq!((given, pending()), (Some((1, 2, 1)), 0));
    assert_eq!(logging.line("said")["span_id"], "0000000000000002");
}

#[tokio::test]
async fn the_log_layer_is_found_and_its_filter_counts_for_spans_too() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    let found = tracing::dispatcher::get_default(Dispatch::is::<LogLayer>);
    assert!(found);
    tracing::debug!("not yet");
    tracing::debug_span!("not yet").in_scope(|| ());
    set_filter("debug").expect("a filter");
    tracing::debug!("said");
    tracing::debug_span!("work").in_scope(|| ());
    set_filter("info").expect("a filter");
    tracing::debug!("no more");
    tracing::debug_span!("no more").in_scope(|| ());
    flush(ENOUGH).await.expect("exported");
    assert_eq!(receiver.messages(), ["said"]);
    assert_eq!(receiver.span("work").name, "work");
    assert_eq!((receiver.spans().len(), logging.lines().len()), (1, 1));
}

#[tokio::test]
async fn the_log_layer_alone_exports_log_records_alone() {
    let receiver = Receiver::start();
    let layer = faas_sdk_log::builder()
        .filter("info")
        .sink(|_: &[u8]| {})
        .otlp(otlp(&receiver))
        .layer();
    let subscriber = tracing_subscriber::registry().with(layer);
    let _guard = tracing::subscriber::set_default(subscriber);
    let (span, ids) = invocation("r-1", 1);
    span.in_scope(|| tracing::info!("said"));
    drop(span);
    flush(ENOUGH).await.expect("exported");
    assert!(receiver.spans().is_empty());
    let record = receiver.record("said");
    assert_eq!((record.span_id, ids.1), (7_u64.to_be_bytes().to_vec(), 7));
}

#[tokio::test]
async fn other_layers_may_stand_below_and_above() {
    struct Other;
    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Other {}
    let receiver = Receiver::start();
    let layers = faas_sdk_log::builder()
        .filter("info")
        .sink(|_: &[u8]| {})
        .otlp(otlp(&receiver))
        .layers();
    let subscriber = tracing_subscriber::registry()
        .with(Other)
        .with(layers)
        .with(Other);
    let dispatch = Dispatch::new(subscriber);
    let _guard = tracing::dispatcher::set_default(&dispatch);
    let (span, ids) = invocation("r-1", 1);
    span.in_scope(|| tracing::info!("said"));
    drop(span);
    flush(ENOUGH).await.expect("exported");
    assert_eq!(receiver.span("invocation").span_id, ids.1.to_be_bytes());
    assert_eq!(receiver.record("said").span_id, ids.1.to_be_bytes());
}

#[tokio::test]
async fn asking_whether_a_line_would_be_written_changes_nothing() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    for asked in 0..3 {
        assert!(tracing::enabled!(tracing::Level::INFO));
        assert!(tracing::event_enabled!(tracing::Level::INFO));
        assert!(!tracing::event_enabled!(tracing::Level::TRACE));
        tracing::info_span!("work", asked).in_scope(|| {
            assert!(tracing::event_enabled!(tracing::Level::INFO));
            tracing::info!("said");
        });
    }
    flush(ENOUGH).await.expect("exported");
    assert_eq!((receiver.spans().len(), logging.lines().len()), (3, 3));
    assert!(receiver.spans().iter().all(|span| span.events.is_empty()));
}
