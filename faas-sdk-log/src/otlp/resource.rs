use super::config::Otlp;
use crate::origin::Origin;
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use std::collections::BTreeMap;

/// What all spans and log records of the process come from. Settings count before the origin.
pub(super) fn resource(otlp: &Otlp, origin: &Origin) -> Resource {
    let mut attributes: BTreeMap<&str, &str> = BTreeMap::new();
    let service = origin.service.as_deref().or(origin.function.as_deref());
    attributes.insert("service.name", service.unwrap_or("unknown_service"));
    for (key, value) in [
        ("deployment.environment.name", &origin.env),
        ("faas.name", &origin.function),
        ("faas.version", &origin.function_version),
        ("faas.instance", &origin.instance),
        ("cloud.region", &origin.region),
    ] {
        if let Some(value) = value {
            attributes.insert(key, value);
        }
    }
    if let Some((provider, platform)) = origin.platform.as_deref().and_then(cloud) {
        attributes.insert("cloud.provider", provider);
        attributes.insert("cloud.platform", platform);
    }
    for (key, value) in &otlp.resource {
        attributes.insert(key, value);
    }
    if let Some(name) = &otlp.service_name {
        attributes.insert("service.name", name);
    }
    let attributes = attributes
        .into_iter()
        .map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(attributes)
        .build()
}

/// `cloud.provider` and `cloud.platform` of the platforms that OpenTelemetry has names for.
///
/// Source: OpenTelemetry semantic conventions, "Cloud attributes".
fn cloud(platform: &str) -> Option<(&'static str, &'static str)> {
    let known = match platform {
        "aws-lambda" => ("aws", "aws_lambda"),
        "alibaba-fc" => ("alibaba_cloud", "alibaba_cloud_fc"),
        "azure-functions" => ("azure", "azure.functions"),
        "gcp-cloud-run" => ("gcp", "gcp_cloud_run"),
        "gcp-functions" => ("gcp", "gcp_cloud_functions"),
        "tencent-scf" => ("tencent_cloud", "tencent_cloud_scf"),
        _ => return None,
    };
    Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(otlp: &Otlp, origin: &Origin) -> Vec<(String, String)> {
        let mut attributes: Vec<_> = resource(otlp, origin)
            .iter()
            .filter(|(key, _)| !key.as_str().starts_with("telemetry.sdk."))
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect();
        attributes.sort();
        attributes
    }

    fn expect(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        expected.iter().map(pair).collect()
    }

    #[test]
    fn the_origin_and_what_was_set() {
        let otlp = Otlp::new("http://localhost").expect("a URL");
        let mut origin = Origin::default();
        let unknown = expect(&[("service.name", "unknown_service")]);
        assert_eq!(of(&otlp, &origin), unknown);
        origin.function = Some("item".into());
        origin.platform = Some("local".into());
        let named = expect(&[("faas.name", "item"), ("service.name", "item")]);
        assert_eq!(of(&otlp, &origin), named);
        origin.service = Some("shop".into());
        origin.env = Some("prod".into());
        origin.function_version = Some("12".into());
        origin.instance = Some("i-1".into());
        origin.region = Some("cn-hangzhou".into());
        origin.platform = Some("alibaba-fc".into());
        let otlp = otlp
            .resource_attribute("service.name", "ignored")
            .resource_attribute("faas.version", "13")
            .service_name("light-shop");
        let all = expect(&[
            ("cloud.platform", "alibaba_cloud_fc"),
            ("cloud.provider", "alibaba_cloud"),
            ("cloud.region", "cn-hangzhou"),
            ("deployment.environment.name", "prod"),
            ("faas.instance", "i-1"),
            ("faas.name", "item"),
            ("faas.version", "13"),
            ("service.name", "light-shop"),
        ]);
        assert_eq!(of(&otlp, &origin), all);
    }
}
