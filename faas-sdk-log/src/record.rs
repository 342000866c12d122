use crate::callsite::{Callsite, FieldPlan, Role};
use crate::encode;
use crate::entries::Entries;
use crate::error::ErrorParts;
use crate::origin::Block;
use crate::rules::{ID, MESSAGE, NAME, Rules};
use crate::value::{self, Kind};
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use tracing::Level;
use tracing::field::{Field, Visit};

/// What an event says, value by value, before it becomes a line. Kept and filled again.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// JSON text; empty if there was none.
    pub(crate) message: Vec<u8>,
    /// The name of the event as JSON text, if a field gave it.
    pub(crate) event: Vec<u8>,
    /// A request id that stands in a field, as JSON text.
    pub(crate) request_id: Vec<u8>,
    /// Bytes that were left out of it.
    pub(crate) request_id_removed: usize,
    /// A number.
    pub(crate) duration: Vec<u8>,
    pub(crate) fields: Entries,
    pub(crate) error: ErrorParts,
    /// Members at the top level that only some platforms want.
    pub(crate) extra: Vec<u8>,
    /// The invocation that this event ends has failed.
    pub(crate) failed: bool,
    /// Bytes that were left out of message and event.
    pub(crate) removed: usize,
    scratch: String,
}

impl Parts {
    pub(crate) fn clear(&mut self) {
        self.message.clear();
        self.event.clear();
        self.request_id.clear();
        self.request_id_removed = 0;
        self.duration.clear();
        self.fields.clear();
        self.error.clear();
        self.extra.clear();
        self.failed = false;
        self.removed = 0;
    }

    /// The fields of a span.
    pub(crate) fn take_fields(&mut self) -> Entries {
        std::mem::take(&mut self.fields)
    }

    /// Where the line has a request id of its own, another one is a field like all others.
    pub(crate) fn lower_request_id(&mut self, block: &Block) {
        if !self.request_id.is_empty() && !block.names(&self.request_id) {
            let removed = self.request_id_removed;
            self.fields.set("request_id", &self.request_id, removed);
        }
        self.request_id.clear();
    }

    /// How many bytes are kept for the next event.
    pub(crate) fn capacity(&self) -> usize {
        self.message.capacity() + self.fields.capacity() + self.extra.capacity()
    }
}

/// The outcomes that are failures of the function: what a caller did wrong, or gave up, is none.
const FAILURES: [&[u8]; 4] = [b"\"error\"", b"\"timeout\"", b"\"panic\"", b"\"partial\""];

/// Writes the fields of one event or span into parts.
pub(crate) struct Recorder<'a> {
    pub(crate) site: &'a Callsite,
    pub(crate) rules: &'a Arc<Rules>,
    pub(crate) parts: &'a mut Parts,
}

impl Recorder<'_> {
    fn plan(&self, field: &Field) -> Option<&FieldPlan> {
        self.site.fields.get(field.index())
    }

    /// Writes a value that is no text.
    fn plain(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        let site = self.site;
        let Some(plan) = site.fields.get(field.index()) else {
            return;
        };
        let fields = &mut self.parts.fields;
        match plan.role {
            Role::Secret => {
                fields.redacted(&plan.key, plan.hash);
                return;
            }
            Role::OpenTelemetry => return,
            _ => {}
        }
        let begun = fields.begin(&plan.key, plan.hash);
        write(fields.out());
        let value = fields.value(begun);
        // Some numbers are written as texts.
        let number = value
            .first()
            .is_some_and(|first| first.is_ascii_digit() || *first == b'-');
        if plan.role == Role::Duration && number {
            self.parts.duration.clear();
            self.parts.duration.extend_from_slice(value);
            fields.cancel(begun);
        } else {
            fields.end(begun, false, 0);
        }
    }

    /// Writes a text, which `write` puts down as JSON and of which it says how much it left out.
    fn text(
        &mut self,
        field: &Field,
        write: impl FnOnce(&mut Vec<u8>, &mut String, usize) -> usize,
    ) {
        let site = self.site;
        let Some(plan) = site.fields.get(field.index()) else {
            return;
        };
        let cap = self.rules.text();
        let parts = &mut *self.parts;
        let scratch = &mut parts.scratch;
        match plan.role {
            Role::Secret => parts.fields.redacted(&plan.key, plan.hash),
            Role::OpenTelemetry => {}
            Role::Message => {
                parts.message.clear();
                parts.removed += write(&mut parts.message, scratch, MESSAGE);
            }
            Role::Event => {
                parts.event.clear();
                parts.removed += write(&mut parts.event, scratch, NAME);
            }
            Role::RequestId => {
                parts.request_id.clear();
                parts.request_id_removed = write(&mut parts.request_id, scratch, ID);
            }
            Role::Location => {
                parts.error.location.clear();
                parts.removed += write(&mut parts.error.location, scratch, ID);
            }
            Role::Duration | Role::Error | Role::Outcome | Role::User => {
                let begun = parts.fields.begin(&plan.key, plan.hash);
                let removed = write(parts.fields.out(), scratch, cap);
                if plan.role == Role::Outcome {
                    parts.failed = FAILURES.contains(&parts.fields.value(begun));
                }
                parts.fields.end(begun, true, removed);
            }
        }
    }

    /// Writes an error that `aside` may have been read into already.
    fn error(&mut self, field: &Field) {
        let site = self.site;
        let Some(plan) = site.fields.get(field.index()) else {
            return;
        };
        let parts = &mut *self.parts;
        if plan.role != Role::Error {
            let begun = parts.fields.begin(&plan.key, plan.hash);
            parts.error.write(parts.fields.out());
            parts.fields.end(begun, false, parts.error.removed);
            parts.error.clear();
        }
    }
}

impl Visit for Recorder<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, |out, _, cap| encode::string(out, value, cap));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.text(field, |out, _, cap| encode::lossy(out, value, cap));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        let text: &[u8] = if value { b"true" } else { b"false" };
        self.plain(field, |out| out.extend_from_slice(text));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, |out| encode::i64(out, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, |out| encode::u64(out, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.plain(field, |out| encode::i128(out, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.plain(field, |out| encode::u128(out, value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let duration = self
            .plan(field)
            .is_some_and(|plan| plan.role == Role::Duration);
        // To the microsecond; beyond that there is none to be told.
        let value = if duration && value.abs() < 1e12 {
            (value * 1e3).round() / 1e3
        } else {
            value
        };
        self.plain(field, |out| encode::f64(out, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let role = self.plan(field).map_or(Role::User, |plan| plan.role);
        if matches!(role, Role::Secret | Role::OpenTelemetry) {
            self.plain(field, |_| {});
            return;
        }
        let kept = self.set_error_aside(role);
        let parts = &mut *self.parts;
        let in_full = self.site.level == Level::ERROR;
        parts
            .error
            .read(value, None, self.rules, in_full, &mut parts.scratch);
        self.error(field);
        self.put_error_back(kept);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let site = self.site;
        let Some(plan) = site.fields.get(field.index()) else {
            return;
        };
        match plan.role {
            // Not even asked for its text.
            Role::Secret => self.parts.fields.redacted(&plan.key, plan.hash),
            Role::OpenTelemetry => {}
            Role::User | Role::Error | Role::Duration => self.debug(field, plan, value),
            Role::Message | Role::Event | Role::RequestId | Role::Location | Role::Outcome => {
                self.text(field, |out, scratch, cap| {
                    encode::formatted(out, scratch, format_args!("{value:?}"), cap)
                });
            }
        }
    }
}

impl Recorder<'_> {
    /// Writes a value that may have structure.
    fn debug(&mut self, field: &Field, plan: &FieldPlan, value: &dyn fmt::Debug) {
        let kept = self.set_error_aside(plan.role);
        let in_full = self.site.level == Level::ERROR;
        let parts = &mut *self.parts;
        let begun = parts.fields.begin(&plan.key, plan.hash);
        let (kind, removed) = value::write(
            value,
            self.rules,
            in_full,
            parts.fields.out(),
            &mut parts.error,
            &mut parts.scratch,
        );
        match kind {
            Kind::Error => {
                parts.fields.cancel(begun);
                self.error(field);
            }
            Kind::Value { text } => parts.fields.end(begun, text, removed),
        }
        self.put_error_back(kept);
    }

    /// Where the line has its error already, one under another name is to leave it alone.
    fn set_error_aside(&mut self, role: Role) -> Option<ErrorParts> {
        let other = role != Role::Error && self.parts.error.present;
        other.then(|| std::mem::take(&mut self.parts.error))
    }

    fn put_error_back(&mut self, kept: Option<ErrorParts>) {
        if let Some(kept) = kept {
            self.parts.error = kept;
        }
    }
}
