//! Errors as structure: kind, message, causes.

use crate::encode;
use crate::entries::Entries;
use crate::kind::kind_of;
use crate::rules::{MESSAGE, Rules, SHORT};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::error::Error;

/// The most causes that are told.
const CAUSES: usize = 8;
/// The longest backtrace, and the most frames of it.
const BACKTRACE: usize = 8 << 10;
const FRAMES: usize = 32;

pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    all_causes(error).take(CAUSES)
}

/// Without an end if an error is its own cause.
fn all_causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |error| (**error).source())
}

/// The members of an error object, apart, so that some may be left out. Each of the lists ends
/// with a comma; the others are values.
#[derive(Debug, Default)]
pub(crate) struct ErrorParts {
    pub(crate) present: bool,
    pub(crate) kind: Vec<u8>,
    pub(crate) message: Vec<u8>,
    pub(crate) details: Vec<u8>,
    pub(crate) causes: Vec<u8>,
    pub(crate) backtrace: Vec<u8>,
    /// `file:line` as a JSON text.
    pub(crate) location: Vec<u8>,
    /// Somebody knows its type, and would have known of a backtrace.
    described: bool,
    pub(crate) removed: usize,
    /// Used again for each context.
    entries: Entries,
}

impl ErrorParts {
    pub(crate) fn clear(&mut self) {
        self.present = false;
        self.removed = 0;
        self.described = false;
        for part in [
            &mut self.kind,
            &mut self.message,
            &mut self.details,
            &mut self.causes,
            &mut self.backtrace,
            &mut self.location,
        ] {
            part.clear();
        }
    }

    /// Reads an error and its chain; `in_full`, with the backtrace that it carries.
    pub(crate) fn read(
        &mut self,
        error: &(dyn Error + 'static),
        type_name: Option<&'static str>,
        rules: &Rules,
        in_full: bool,
        scratch: &mut String,
    ) {
        self.clear();
        self.present = true;
        let known = rules.describe.and_then(|describe| {
            std::iter::once(error)
                .chain(causes(error))
                .find_map(describe)
        });
        self.described = known.is_some();
        let known = known.unwrap_or_default();
        match &known.kind {
            Some(kind) => self.removed += encode::string(&mut self.kind, kind, SHORT),
            None => kind_of(error, type_name, &mut self.kind, scratch),
        }
        self.removed +=
            encode::formatted(&mut self.message, scratch, format_args!("{error}"), MESSAGE);
        if let Some(code) = &known.code {
            self.details.extend_from_slice(b"\"code\":");
            self.removed += encode::string(&mut self.details, code, SHORT);
            self.details.push(b',');
        }
        if let Some(retryable) = known.retryable {
            let text: &[u8] = if retryable {
                b"\"retryable\":true,"
            } else {
                b"\"retryable\":false,"
            };
            self.details.extend_from_slice(text);
        }
        self.context(known.context, rules);
        for (index, cause) in causes(error).enumerate() {
            self.causes
                .extend_from_slice(if index == 0 { b"\"causes\":[" } else { b"," });
            self.removed +=
                encode::formatted(&mut self.causes, scratch, format_args!("{cause}"), SHORT);
        }
        if !self.causes.is_empty() {
            self.causes.extend_from_slice(b"],");
        }
        // How many there would be, and how long they are, may have no end.
        self.removed += usize::from(all_causes(error).nth(CAUSES).is_some());
        if let Some(location) = &known.location {
            self.removed += encode::string(&mut self.location, location, SHORT);
        }
        if let Some(backtrace) = known.backtrace.filter(|_| in_full) {
            self.set_backtrace(&backtrace.to_string());
        }
    }

    /// Writes the named values; of those with one key the first.
    fn context(&mut self, context: &[(&'static str, String)], rules: &Rules) {
        if context.is_empty() {
            return;
        }
        let entries = &mut self.entries;
        entries.clear();
        for (name, value) in context {
            let value = if rules.redact.matches(name) {
                crate::redact::REDACTED
            } else {
                value
            };
            let removed = &mut self.removed;
            entries.put(name, |out| *removed += encode::string(out, value, SHORT));
        }
        self.details.extend_from_slice(b"\"context\":");
        entries.write(&mut self.details, None);
        self.details.push(b',');
        self.removed += entries.removed;
    }

    /// Takes a backtrace of this place, if the environment asks for them and the error is of a type
    /// that can't carry its own.
    pub(crate) fn capture_backtrace(&mut self) {
        if self.described || !self.backtrace.is_empty() {
            return;
        }
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            let text = backtrace.to_string();
            self.set_backtrace(text.get(start_of_frames(&text)..).unwrap_or(&text));
        }
    }

    fn set_backtrace(&mut self, text: &str) {
        let end = end_of_frames(text);
        self.removed += text.len() - end;
        let text = text.get(..end).unwrap_or(text);
        self.removed += encode::string(&mut self.backtrace, text, BACKTRACE);
    }

    /// Writes the object.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"kind\":");
        out.extend_from_slice(&self.kind);
        out.extend_from_slice(b",\"message\":");
        out.extend_from_slice(&self.message);
        out.push(b',');
        out.extend_from_slice(&self.details);
        out.extend_from_slice(&self.causes);
        if !self.backtrace.is_empty() {
            out.extend_from_slice(b"\"backtrace\":");
            out.extend_from_slice(&self.backtrace);
            out.push(b',');
        }
        out.pop();
        out.push(b'}');
    }
}

/// From where on the frames are the program's: those of this crate and of tracing stand first.
fn start_of_frames(text: &str) -> usize {
    let mut offset = 0;
    let mut own = true;
    for line in text.split_inclusive('\n') {
        if let Some((number, name)) = line.trim_start().split_once(": ")
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            let name = name.trim_start_matches('<');
            own = ["faas_sdk_log::", "tracing", "alloc::boxed::Box<dyn tracing"]
                .iter()
                .any(|own| name.starts_with(own));
        }
        if !own {
            break;
        }
        offset += line.len();
    }
    offset
}

/// Up to where the text of a backtrace has at most so many frames. A frame's first line is a number
/// and a colon behind spaces.
fn end_of_frames(text: &str) -> usize {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let frame = line
            .trim_start()
            .split_once(':')
            .and_then(|(number, _)| number.parse::<usize>().ok());
        if frame.is_some_and(|frame| frame >= FRAMES) {
            return offset;
        }
        offset += line.len();
    }
    text.len()
}
