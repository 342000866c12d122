//! The connections to a receiver.

use crate::receiver::{Receiver, Reply, TRACES};
use crate::support::{ENOUGH, Logging, otlp};
use faas_sdk_log::{Otlp, flush};
use std::collections::HashMap;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

#[tokio::test]
async fn each_request_has_a_connection_and_the_headers_that_were_set() {
    let receiver = Receiver::start();
    let otlp = otlp(&receiver)
        .header("authorization", "Bearer hunter2")
        .expect("a header");
    assert!(!format!("{otlp:?}").contains("hunter2"), "{otlp:?}");
    let logging = Logging::with(otlp, |builder| builder);
    for round in 1..=3 {
        tracing::info_span!("work").in_scope(|| tracing::info!("said"));
        flush(ENOUGH).await.expect("exported");
        assert_eq!(receiver.connections(), 2 * round);
    }
    for request in receiver.requests() {
        let headers = &request.headers;
        assert_eq!(headers["authorization"], "Bearer hunter2");
        assert_eq!(headers["content-type"], "application/x-protobuf");
        assert_eq!(headers["connection"], "close");
        assert_eq!(format!("http://{}", headers["host"]), receiver.endpoint);
        assert!(headers["user-agent"].starts_with("OTel-OTLP-Exporter-Rust/"));
    }
    let lines = format!("{:?}", logging.lines());
    assert!(!lines.contains("hunter2"), "{lines}");
}

#[tokio::test]
async fn variables_are_enough() {
    let receiver = Receiver::start();
    let variables = HashMap::from([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2%21"),
        ("OTEL_SERVICE_NAME", "light-shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=light"),
    ]);
    let otlp = Otlp::from_variables(|name| variables.get(name).map(ToString::to_string));
    let otlp = otlp.expect("understood").expect("an endpoint");
    let _logging = Logging::with(otlp, |builder| builder);
    tracing::info!("said");
    flush(ENOUGH).await.expect("exported");
    assert_eq!(receiver.requests()[0].headers["api-key"], "hunter2!");
    let resource = &receiver.resources()[0];
    assert_eq!(
        resource["service.name"],
        crate::receiver::text("light-shop")
    );
    assert_eq!(resource["team"], crate::receiver::text("light"));
}

#[tokio::test]
async fn an_answer_without_an_end_is_not_read_to_its_end() {
    let receiver = Receiver::start();
    let _logging = Logging::with(otlp(&receiver).logs(false), |builder| builder);
    receiver.reply(TRACES, Reply::Status(200, vec![0; 1 << 20]));
    tracing::info_span!("work").in_scope(|| ());
    flush(ENOUGH).await.expect("exported");
}

#[tokio::test]
async fn tls_is_checked() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .expect("a certificate");
    let receiver = Receiver::start_secure(config);

    let unknown = Logging::to(&receiver);
    tracing::info!("said");
    let error = flush(ENOUGH).await.expect_err("nobody knows it");
    assert_eq!((error.kept(), receiver.requests().len()), (1, 0), "{error}");
    drop(unknown);

    let otlp = otlp(&receiver)
        .root_certificates(own.cert.pem().as_bytes())
        .expect("certificates");
    let _known = Logging::with(otlp, |builder| builder);
    tracing::info!("said");
    flush(ENOUGH).await.expect("exported");
    assert_eq!(receiver.messages(), ["said"]);
    assert!(
        Otlp::new("https://h")
            .expect("a URL")
            .root_certificates(b"none")
            .is_err()
    );
}
