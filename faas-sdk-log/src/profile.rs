use std::fmt;

/// How lines are spelt on a platform: a static table of keys, limits and additions.
///
/// All of them carry the same facts. [`Profile::V1`] is the standard; its keys are already what
/// CloudWatch's level filter and OpenTelemetry's trace keys ask for.
#[derive(Clone, Copy)]
pub struct Profile {
    /// The name under which configuration knows it.
    pub(crate) name: &'static str,
    pub(crate) layout: Layout,
    /// The longest line in bytes, its line feed included.
    pub(crate) budget: usize,
    /// The longest text of a field in bytes.
    pub(crate) text: usize,
    /// Adds the trace id in X-Ray's form.
    pub(crate) xray: bool,
    /// Adds metrics in CloudWatch's embedded format to the line that ends an invocation.
    pub(crate) embedded_metrics: bool,
    /// Lines around each invocation that the platform groups output by.
    pub(crate) markers: Option<Markers>,
}

/// The shape of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// JSON with these spellings.
    Json(&'static Spelling),
    /// Text for a person.
    Pretty,
}

/// The keys that differ between platforms.
#[derive(PartialEq, Eq)]
pub(crate) struct Spelling {
    /// Up to the text of the timestamp.
    pub(crate) open: &'static str,
    /// From behind the timestamp to the level's name.
    pub(crate) level: &'static str,
    /// TRACE, DEBUG, INFO, WARN, ERROR.
    pub(crate) levels: [&'static str; 5],
    /// Google Cloud's structured keys for trace, source location, labels and insert id.
    pub(crate) google: bool,
}

/// What is written before and after an invocation, each followed by its id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Markers {
    pub(crate) start: &'static str,
    pub(crate) end: &'static str,
}

const STANDARD: Spelling = Spelling {
    open: "{\"timestamp\":\"",
    level: "\",\"level\":\"",
    levels: ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"],
    google: false,
};

const GOOGLE: Spelling = Spelling {
    open: "{\"time\":\"",
    level: "\",\"severity\":\"",
    levels: ["DEBUG", "DEBUG", "INFO", "WARNING", "ERROR"],
    google: true,
};

/// Docker splits lines at 16 KiB and nothing puts them together again.
const CONTAINER: usize = 15 << 10;
/// Loki refuses entries above 256 KiB, Google Cloud and CloudWatch take about as much.
const CLOUD: usize = 200 << 10;

impl Profile {
    /// The standard, for containers and everything else: lines of at most 15 KiB.
    pub const V1: Self = Self {
        name: "v1",
        layout: Layout::Json(&STANDARD),
        budget: CONTAINER,
        text: 8 << 10,
        xray: false,
        embedded_metrics: false,
        markers: None,
    };

    /// AWS Lambda: the standard with `xray_trace_id`, metrics in CloudWatch's embedded format on
    /// the line that ends an invocation, and lines of at most 200 KiB.
    pub const AWS: Self = Self {
        name: "aws",
        budget: CLOUD,
        xray: true,
        embedded_metrics: true,
        ..Self::V1
    };

    /// Google Cloud Logging's structured keys; lines of at most 200 KiB.
    pub const GOOGLE: Self = Self {
        name: "google",
        layout: Layout::Json(&GOOGLE),
        budget: CLOUD,
        ..Self::V1
    };

    /// Alibaba Cloud Function Compute: the standard between the lines that mark an invocation's
    /// start and end; texts of at most 2,048 bytes, which is what the log service can analyse by
    /// default.
    pub const ALIBABA: Self = Self {
        name: "alibaba",
        budget: CLOUD,
        text: 2048,
        markers: Some(Markers {
            start: "FC Invoke Start RequestId: ",
            end: "FC Invoke End RequestId: ",
        }),
        ..Self::V1
    };

    /// Text for a person at a terminal, in colours if the output is a terminal and `NO_COLOR` is
    /// not set.
    pub const PRETTY: Self = Self {
        name: "pretty",
        layout: Layout::Pretty,
        ..Self::V1
    };

    const ALL: [Self; 5] = [
        Self::V1,
        Self::AWS,
        Self::GOOGLE,
        Self::ALIBABA,
        Self::PRETTY,
    ];

    /// The profile of this name: `v1`, `aws`, `google`, `alibaba` or `pretty`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Sets the longest line in bytes; at least 2 KiB are taken. CRI-O wants 7.5 KiB.
    #[must_use]
    pub fn with_line_limit(mut self, bytes: usize) -> Self {
        self.budget = bytes.max(2 << 10);
        self
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("name", &self.name)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}
