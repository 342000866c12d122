/// What a platform says of the function that is deployed on it, and of this instance: for log
/// lines and exported traces.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deployment {
    /// The deployed function; `None` where each call names one.
    pub function: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The region it runs in.
    pub region: Option<String>,
    /// The execution environment, container or machine.
    pub instance: Option<String>,
    /// The name of the form that log lines have on this platform: `v1`, the default, `aws`,
    /// `google` or `alibaba`.
    pub log_profile: &'static str,
    /// The level at which the platform was told to log, `TRACE` to `FATAL`.
    pub log_level: Option<String>,
}

impl Deployment {
    /// A deployment of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self {
            function: None,
            version: None,
            region: None,
            instance: None,
            log_profile: "v1",
            log_level: None,
        }
    }
}

impl Default for Deployment {
    fn default() -> Self {
        Self::new()
    }
}
