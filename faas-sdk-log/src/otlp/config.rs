use super::error::OtlpError;
use super::sampler::Sampling;
use super::tls;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use std::fmt;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// Where and how spans and log records are exported; see [`Builder::otlp`](crate::Builder::otlp).
///
/// ```
/// use faas_sdk_log::Otlp;
///
/// # fn main() -> Result<(), faas_sdk_log::OtlpError> {
/// let otlp = Otlp::new("http://localhost:4318")?.resource_attribute("team", "light");
/// let builder = faas_sdk_log::builder().otlp(otlp);
/// # drop(builder);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Otlp {
    pub(super) traces: Option<Receiver>,
    pub(super) logs: Option<Receiver>,
    pub(super) service_name: Option<String>,
    pub(super) resource: Vec<(String, String)>,
    pub(super) sampling: Sampling,
    pub(super) queue_limit: usize,
    /// Certificates that receivers may have theirs from, beside the public ones.
    pub(super) roots: Vec<CertificateDer<'static>>,
}

/// What one signal is sent to.
#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) endpoint: Uri,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
}

/// How long an answer is waited for by default.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// How many spans, and how many log records, wait for a flush by default.
const QUEUE: usize = 2048;

impl Otlp {
    /// Exports to a receiver: spans to `<endpoint>/v1/traces`, log records to `<endpoint>/v1/logs`,
    /// as protobuf over HTTP/1.1, with TLS if the scheme is `https`. Proxies are not used, and
    /// redirects not followed.
    ///
    /// # Errors
    ///
    /// The endpoint is no `http` or `https` URL with a host, or has a query or credentials in it.
    pub fn new(endpoint: &str) -> Result<Self, OtlpError> {
        let receiver = |signal| Receiver::below("endpoint", endpoint, signal);
        Ok(Self {
            traces: Some(receiver("traces")?),
            logs: Some(receiver("logs")?),
            ..Self::nowhere()
        })
    }

    pub(super) fn nowhere() -> Self {
        Self {
            traces: None,
            logs: None,
            service_name: None,
            resource: Vec::new(),
            sampling: Sampling::default(),
            queue_limit: QUEUE,
            roots: Vec::new(),
        }
    }

    /// Adds a header to every request, for example a key. Its value never appears in `Debug`,
    /// errors or lines.
    ///
    /// # Errors
    ///
    /// Name or value may not stand in a header.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, OtlpError> {
        let (name, value) = header("header", name, value)?;
        for receiver in self.receivers() {
            receiver.headers.insert(name.clone(), value.clone());
        }
        Ok(self)
    }

    /// How long one request may take, within what [`flush`](crate::flush()) is given. Default: 10 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        for receiver in self.receivers() {
            receiver.timeout = timeout;
        }
        self
    }

    /// The resource's `service.name`. Default: the [`Origin`](crate::Origin)'s service, else its
    /// function, else `unknown_service`.
    #[must_use]
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Adds an attribute to the resource, over what the [`Origin`](crate::Origin) says.
    #[must_use]
    pub fn resource_attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.resource.push((key.into(), value.into()));
        self
    }

    /// The share of new traces, from 0 to 1, whose spans are exported. A trace that a caller has
    /// begun is exported if the caller samples it. Default: 1.
    #[must_use]
    pub fn sample_ratio(mut self, share: f64) -> Self {
        self.sampling = Sampling::parent_based_ratio(share);
        self
    }

    /// How many spans, and how many log records, wait for a flush at most; also no more than some
    /// 4 MiB of each. Further ones are lost, and counted. Default: 2,048.
    #[must_use]
    pub fn queue_limit(mut self, items: usize) -> Self {
        self.queue_limit = items;
        self
    }

    /// Takes receivers whose certificates come from these, beside those from public authorities.
    ///
    /// # Errors
    ///
    /// The text is no list of certificates in PEM form.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, OtlpError> {
        self.roots.extend(tls::certificates("certificates", pem)?);
        Ok(self)
    }

    /// Whether spans are exported, where there is an endpoint for them. Default: yes.
    #[must_use]
    pub fn spans(mut self, export: bool) -> Self {
        self.traces = self.traces.filter(|_| export);
        self
    }

    /// Whether log records are exported, where there is an endpoint for them; lines are written in
    /// any case. Default: yes.
    #[must_use]
    pub fn logs(mut self, export: bool) -> Self {
        self.logs = self.logs.filter(|_| export);
        self
    }

    fn receivers(&mut self) -> impl Iterator<Item = &mut Receiver> {
        self.traces.iter_mut().chain(&mut self.logs)
    }
}

impl Receiver {
    /// The receiver of a signal below a common endpoint.
    pub(super) fn below(
        setting: &'static str,
        endpoint: &str,
        signal: &str,
    ) -> Result<Self, OtlpError> {
        if endpoint.contains(['?', '#']) {
            let problem = "a URL that paths are added to can't have a query";
            return Err(OtlpError::new(setting, problem));
        }
        let endpoint = endpoint.trim().trim_end_matches('/');
        Self::at(setting, &format!("{endpoint}/v1/{signal}"))
    }

    /// The receiver at exactly this URL.
    pub(super) fn at(setting: &'static str, endpoint: &str) -> Result<Self, OtlpError> {
        // The URL itself is not repeated: it may have a key in it.
        let wrong = |problem: &'static str| OtlpError::new(setting, problem);
        let endpoint: Uri = endpoint
            .trim()
            .parse()
            .map_err(|_| wrong("is no URL; write one such as http://localhost:4318"))?;
        if !matches!(endpoint.scheme_str(), Some("http" | "https")) {
            return Err(wrong("the URL has to begin with http:// or https://"));
        }
        let authority = endpoint
            .authority()
            .map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(wrong("credentials belong in a header, not in the URL"));
        }
        if endpoint.host().is_none_or(str::is_empty) {
            return Err(wrong("the URL has no host"));
        }
        Ok(Self {
            endpoint,
            headers: HeaderMap::new(),
            timeout: TIMEOUT,
        })
    }
}

pub(super) fn header(
    setting: &'static str,
    name: &str,
    value: &str,
) -> Result<(HeaderName, HeaderValue), OtlpError> {
    let wrong = || OtlpError::new(setting, "a name or value may not stand in a header");
    let name: HeaderName = name.parse().map_err(|_| wrong())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok((name, value))
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths and queries may have keys in them.
        let host = |receiver: &Option<Receiver>| {
            let endpoint = &receiver.as_ref()?.endpoint;
            Some(endpoint.authority()?.to_string())
        };
        f.debug_struct("Otlp")
            .field("traces", &host(&self.traces))
            .field("logs", &host(&self.logs))
            .field("service_name", &self.service_name)
            .field("sampling", &self.sampling)
            .field("queue_limit", &self.queue_limit)
            .finish_non_exhaustive()
    }
}
