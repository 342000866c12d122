use crate::encode;
use crate::entries::hash;
use crate::google::Place;
use crate::profile::Layout;
use crate::rules::{NAME, Rules};
use std::sync::atomic::{AtomicU8, Ordering};
use tracing::{Level, Metadata};

/// What becomes of the lines of a callsite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Decision {
    Never = 0,
    Write = 1,
    /// Kept with the invocation, and written if that fails.
    Keep = 2,
    /// Not written, but what it tells counts: it ends an invocation.
    Note = 3,
}

/// What is the same each time a callsite is passed, worked out once.
#[derive(Debug)]
pub(crate) struct Callsite {
    decision: AtomicU8,
    pub(crate) level: Level,
    /// From behind the timestamp up to the message.
    pub(crate) head: Vec<u8>,
    /// The member `event`, if the callsite has a name of its own.
    pub(crate) event: Vec<u8>,
    /// The member `target`.
    pub(crate) target: Vec<u8>,
    /// The member for the place in the source, if this level has it.
    pub(crate) code: Vec<u8>,
    pub(crate) fields: Vec<FieldPlan>,
    /// It is the line that ends an invocation.
    pub(crate) ends_invocation: bool,
}

/// One field of a callsite.
#[derive(Debug)]
pub(crate) struct FieldPlan {
    /// The key, sanitised and with its colon.
    pub(crate) key: Vec<u8>,
    pub(crate) hash: u64,
    pub(crate) role: Role,
}

/// Where a field's value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Message,
    Event,
    RequestId,
    Duration,
    Error,
    /// Whether the invocation failed, on the line that ends it.
    Outcome,
    /// Where a panic came from, which takes the place of the callsite's own.
    Location,
    /// For the layer that exports spans; lines do not have it.
    OpenTelemetry,
    User,
    Secret,
}

/// The target of the lines and the span of the engine that runs invocations, and the name of the
/// line that ends one.
pub(crate) const INVOKE_TARGET: &str = "faas_sdk::invoke";
pub(crate) const INVOKE_END: &str = "invoke.end";

impl Callsite {
    pub(crate) fn new(metadata: &Metadata<'_>, rules: &Rules, decision: Decision) -> Self {
        let ends_invocation = metadata.is_event()
            && metadata.name() == INVOKE_END
            && metadata.target() == INVOKE_TARGET;
        let fields = metadata.fields().iter().map(|field| {
            let name = field.name();
            let role = match name {
                "otel.name" | "otel.kind" | "otel.status_code" | "otel.status_description"
                    if metadata.is_span() =>
                {
                    Role::OpenTelemetry
                }
                _ if metadata.is_span() => Role::User,
                "message" => Role::Message,
                // The line that ends an invocation is found by its name.
                "event" if !ends_invocation => Role::Event,
                "request_id" => Role::RequestId,
                "duration_ms" => Role::Duration,
                "error" => Role::Error,
                "outcome" if ends_invocation => Role::Outcome,
                "location" if metadata.target() == crate::panic::TARGET => Role::Location,
                _ => Role::User,
            };
            // The engine's own word is no secret, and what it decides has to be read.
            let readable = matches!(
                role,
                Role::Message | Role::RequestId | Role::Outcome | Role::OpenTelemetry
            );
            let secret = !readable && rules.redact.matches(name);
            let mut key = Vec::new();
            encode::key(&mut key, name);
            FieldPlan {
                hash: hash(&key),
                key,
                role: if secret { Role::Secret } else { role },
            }
        });
        let mut site = Self {
            decision: AtomicU8::new(decision as u8),
            level: *metadata.level(),
            head: Vec::new(),
            event: Vec::new(),
            target: Vec::new(),
            code: Vec::new(),
            fields: fields.collect(),
            ends_invocation,
        };
        site.render(metadata, rules);
        site
    }

    fn render(&mut self, metadata: &Metadata<'_>, rules: &Rules) {
        let spelling = match rules.profile.layout {
            Layout::Json(spelling) => spelling,
            Layout::Pretty => {
                self.target.extend_from_slice(metadata.target().as_bytes());
                if let Some(name) = own_name(metadata) {
                    self.event.extend_from_slice(name.as_bytes());
                }
                if let Some((file, line)) = place(metadata, rules) {
                    self.code
                        .extend_from_slice(format!("{file}:{line}").as_bytes());
                }
                return;
            }
        };
        let level = spelling.levels[rank(self.level)];
        for part in [spelling.level, level, "\",\"message\":"] {
            self.head.extend_from_slice(part.as_bytes());
        }
        if let Some(name) = own_name(metadata) {
            encode::key(&mut self.event, "event");
            encode::string(&mut self.event, name, NAME);
            self.event.push(b',');
        }
        encode::key(&mut self.target, "target");
        encode::string(&mut self.target, metadata.target(), NAME);
        self.target.push(b',');
        if let Some((file, line)) = place(metadata, rules) {
            if spelling.google {
                self.google_code(file, line);
            } else {
                encode::key(&mut self.code, "code");
                encode::string(&mut self.code, &format!("{file}:{line}"), 512);
                self.code.push(b',');
            }
        }
    }

    fn google_code(&mut self, file: &str, line: u32) {
        let mut text = Vec::new();
        encode::string(&mut text, file, 512);
        let file = text.get(1..text.len().saturating_sub(1));
        let file = file.unwrap_or_default();
        let mut code = Vec::new();
        self.google_place(&mut code, Place { file, line });
        self.code = code;
    }

    /// Writes where this line comes from, and has it reported if it is an error.
    pub(crate) fn google_place(&self, out: &mut Vec<u8>, place: Place<'_>) {
        place.source(out);
        if self.level == Level::ERROR {
            let target = self.target.strip_prefix(b"\"target\":");
            let target = target.and_then(|target| target.strip_suffix(b","));
            place.report(out, target.unwrap_or(b"\"\""));
        }
    }

    pub(crate) fn decision(&self) -> Decision {
        match self.decision.load(Ordering::Relaxed) {
            1 => Decision::Write,
            2 => Decision::Keep,
            3 => Decision::Note,
            _ => Decision::Never,
        }
    }

    pub(crate) fn decide(&self, decision: Decision) {
        self.decision.store(decision as u8, Ordering::Relaxed);
    }
}

/// Where a line is written, if its level says so. The engine's lines, and those of panics, tell of
/// what happened elsewhere.
pub(crate) fn place<'a>(metadata: &Metadata<'a>, rules: &Rules) -> Option<(&'a str, u32)> {
    let elsewhere = [INVOKE_TARGET, crate::panic::TARGET].contains(&metadata.target());
    if *metadata.level() > rules.code_from || elsewhere {
        return None;
    }
    metadata.file().zip(metadata.line())
}

/// The name that the author gave to an event; without one, tracing makes one of file and line.
pub(crate) fn own_name<'a>(metadata: &Metadata<'a>) -> Option<&'a str> {
    let name = metadata.name();
    let made_up = name.starts_with("event ") && name.contains(':');
    (metadata.is_event() && !made_up).then_some(name)
}

/// 0 for TRACE up to 4 for ERROR.
pub(crate) fn rank(level: Level) -> usize {
    match level {
        Level::TRACE => 0,
        Level::DEBUG => 1,
        Level::INFO => 2,
        Level::WARN => 3,
        Level::ERROR => 4,
    }
}
