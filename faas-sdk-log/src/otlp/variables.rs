//! The standard environment variables.
//!
//! Source: OpenTelemetry specification, "SDK environment variables" and "OTLP exporter
//! configuration".

use super::config::{Otlp, Receiver, header};
use super::error::OtlpError;
use super::pairs;
use super::sampler::Sampling;
use super::tls;
use std::time::Duration;

/// The variables of one signal; those that are not set give way to the general ones.
struct Signal {
    /// Below the endpoint of all.
    path: &'static str,
    exporter: &'static str,
    endpoint: &'static str,
    headers: &'static str,
    timeout: &'static str,
    protocol: &'static str,
}

const TRACES: Signal = Signal {
    path: "traces",
    exporter: "OTEL_TRACES_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    headers: "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    timeout: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    protocol: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
};

const LOGS: Signal = Signal {
    path: "logs",
    exporter: "OTEL_LOGS_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    headers: "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
    timeout: "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT",
    protocol: "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";

impl Otlp {
    /// Reads the standard variables; `None` if none of them gives an endpoint, or
    /// `OTEL_SDK_DISABLED` is `true`.
    ///
    /// | Variable | Meaning |
    /// |---|---|
    /// | `OTEL_EXPORTER_OTLP_ENDPOINT` | the URL that `/v1/traces` and `/v1/logs` are added to |
    /// | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `…_LOGS_ENDPOINT` | the URL of one signal, as it is |
    /// | `OTEL_EXPORTER_OTLP_HEADERS` | `key=value,key=value`, percent-encoded |
    /// | `OTEL_EXPORTER_OTLP_TIMEOUT` | how long a request may take, in milliseconds |
    /// | `OTEL_EXPORTER_OTLP_PROTOCOL` | `http/protobuf`; there is no other |
    /// | `OTEL_EXPORTER_OTLP_CERTIFICATE` | a file of root certificates in PEM form |
    /// | `OTEL_TRACES_EXPORTER`, `OTEL_LOGS_EXPORTER` | `none` for not this signal; `otlp` |
    /// | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | the resource |
    /// | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | which traces are exported |
    ///
    /// Headers, timeout and protocol have variables for one signal too, with `TRACES_` or `LOGS_`
    /// behind `OTLP_`.
    ///
    /// # Errors
    ///
    /// A variable that counts is not understood; it is named.
    pub fn from_variables(
        variables: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, OtlpError> {
        let variables = |name: &str| {
            let text = variables(name)?;
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        if variables("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let mut otlp = Self::nowhere();
        otlp.traces = TRACES.receiver(&variables)?;
        otlp.logs = LOGS.receiver(&variables)?;
        if otlp.traces.is_none() && otlp.logs.is_none() {
            return Ok(None);
        }
        otlp.service_name = variables("OTEL_SERVICE_NAME");
        if let Some(text) = variables("OTEL_RESOURCE_ATTRIBUTES") {
            otlp.resource = pairs::parse("OTEL_RESOURCE_ATTRIBUTES", &text)?;
        }
        otlp.sampling = Sampling::parse(
            variables("OTEL_TRACES_SAMPLER").as_deref(),
            variables("OTEL_TRACES_SAMPLER_ARG").as_deref(),
        )?;
        if let Some(path) = variables(CERTIFICATE) {
            let pem = std::fs::read(path)
                .map_err(|error| OtlpError::new(CERTIFICATE, format!("can't be read: {error}")))?;
            otlp.roots = tls::certificates(CERTIFICATE, &pem)?;
        }
        Ok(Some(otlp))
    }
}

impl Signal {
    fn receiver(
        &self,
        variables: &impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Receiver>, OtlpError> {
        match variables(self.exporter).as_deref() {
            None | Some("otlp") => {}
            Some("none") => return Ok(None),
            Some(_) => return Err(OtlpError::new(self.exporter, "write otlp or none")),
        }
        // Of the signal's own variable and the general one, the one that is set.
        let set = |own: &'static str, general: &'static str| {
            let of = |name| Some((name, variables(name)?));
            of(own).or_else(|| of(general))
        };
        let mut receiver = match set(self.endpoint, ENDPOINT) {
            Some((name, url)) if name == ENDPOINT => Receiver::below(name, &url, self.path)?,
            Some((name, url)) => Receiver::at(name, &url)?,
            None => return Ok(None),
        };
        if let Some((name, protocol)) = set(self.protocol, PROTOCOL)
            && protocol != "http/protobuf"
        {
            let problem = format!("{protocol} is not supported; write http/protobuf");
            return Err(OtlpError::new(name, problem));
        }
        if let Some((name, list)) = set(self.headers, HEADERS) {
            for (key, value) in pairs::parse(name, &list)? {
                let (key, value) = header(name, &key, &value)?;
                receiver.headers.insert(key, value);
            }
        }
        if let Some((name, text)) = set(self.timeout, TIMEOUT) {
            let milliseconds = text.parse().ok().filter(|&number| number > 0);
            receiver.timeout = milliseconds
                .map(Duration::from_millis)
                .ok_or_else(|| OtlpError::new(name, "write a number of milliseconds above 0"))?;
        }
        Ok(Some(receiver))
    }
}

#[cfg(test)]
mod tests;
