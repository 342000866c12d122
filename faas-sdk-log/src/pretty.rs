//! Lines for a person at a terminal.

use crate::callsite::Callsite;
use crate::encode::Timestamps;
use crate::origin::Block;
use crate::record::Parts;
use std::time::SystemTime;
use tracing::Level;

/// Whether escape sequences for colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colours {
    On,
    Off,
}

const DIM: &str = "\u{1b}[2m";
const RED: &str = "\u{1b}[31m";
const YELLOW: &str = "\u{1b}[33m";
const GREEN: &str = "\u{1b}[32m";
const BLUE: &str = "\u{1b}[34m";
const PURPLE: &str = "\u{1b}[35m";
const RESET: &str = "\u{1b}[0m";

struct Painter<'a> {
    out: &'a mut Vec<u8>,
    colours: Colours,
}

impl Painter<'_> {
    fn plain(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn painted(&mut self, colour: &str, text: &[u8]) {
        if self.colours == Colours::On {
            self.out.extend_from_slice(colour.as_bytes());
            self.out.extend_from_slice(text);
            self.out.extend_from_slice(RESET.as_bytes());
        } else {
            self.out.extend_from_slice(text);
        }
    }

    /// What comes from outside, as JSON. Its escapes stay, so that no text can move the cursor; JSON
    /// knows none for U+0080 to U+009F, which some terminals take for the start of a sequence.
    fn value(&mut self, json: &[u8]) {
        let mut rest = json;
        while let Some(at) = memchr::memchr(0xc2, rest) {
            let (before, from) = rest.split_at(at);
            self.plain(before);
            rest = match from {
                [_, control @ 0x80..=0x9f, behind @ ..] => {
                    self.plain(format!("\\u00{control:02x}").as_bytes());
                    behind
                }
                [letter, behind @ ..] => {
                    self.plain(&[*letter]);
                    behind
                }
                [] => from,
            };
        }
        self.plain(rest);
    }

    /// A JSON text without its quotes.
    fn text(&mut self, literal: &[u8]) {
        let content = literal.get(1..literal.len().saturating_sub(1));
        self.value(content.unwrap_or_default());
    }

    /// The lines of a JSON text, indented.
    fn lines(&mut self, literal: &[u8]) {
        let content = literal.get(1..literal.len().saturating_sub(1));
        let mut rest = content.unwrap_or_default();
        while let Some(at) = memchr::memchr(b'\\', rest) {
            let (before, escape) = rest.split_at(at);
            self.value(before);
            let (escape, behind) = escape.split_at(escape.len().min(2));
            self.plain(if escape == b"\\n" { b"\n  " } else { escape });
            rest = behind;
        }
        self.value(rest);
    }
}

/// What a line is put together from, beside its parts.
pub(crate) struct Frame<'a> {
    pub(crate) site: &'a Callsite,
    pub(crate) block: &'a Block,
    pub(crate) now: SystemTime,
    /// Lines that were lost before this one.
    pub(crate) lost: u64,
    pub(crate) colours: Colours,
}

impl Frame<'_> {
    /// Writes `05:37:37.692 INFO  message key=value target request-id`, and what belongs to an error
    /// on lines below it, to `line`, which is emptied first.
    pub(crate) fn write(&self, line: &mut Vec<u8>, parts: &Parts, stamps: &mut Timestamps) {
        line.clear();
        let mut out = Painter {
            out: line,
            colours: self.colours,
        };
        self.head(&mut out, stamps);
        let named = parts.event.len() > 2;
        match (parts.message.len() > 2, named) {
            (true, _) => out.text(&parts.message),
            (false, true) => out.text(&parts.event),
            (false, false) => out.plain(&self.site.event),
        }
        if parts.message.len() > 2 && named {
            member(&mut out, b"event\":", &parts.event, true);
        }
        if !parts.duration.is_empty() {
            member(&mut out, b"duration_ms\":", &parts.duration, false);
        }
        for (key, value, text) in parts.fields.iter() {
            member(&mut out, key.get(1..).unwrap_or_default(), value, text);
        }
        if self.lost > 0 {
            member(
                &mut out,
                b"lost\":",
                self.lost.to_string().as_bytes(),
                false,
            );
        }
        out.plain(b" ");
        out.painted(DIM, &self.site.target);
        self.place(&mut out, parts);
        self.id(&mut out, parts);
        error(&mut out, parts);
        out.plain(b"\n");
    }

    /// The time of day, to the millisecond, and the level.
    fn head(&self, out: &mut Painter<'_>, stamps: &mut Timestamps) {
        let mut stamp = Vec::with_capacity(27);
        stamps.write(&mut stamp, self.now);
        out.painted(DIM, stamp.get(11..23).unwrap_or_default());
        let (colour, level) = match self.site.level {
            Level::TRACE => (PURPLE, " TRACE "),
            Level::DEBUG => (BLUE, " DEBUG "),
            Level::INFO => (GREEN, " INFO  "),
            Level::WARN => (YELLOW, " WARN  "),
            Level::ERROR => (RED, " ERROR "),
        };
        out.painted(colour, level.as_bytes());
    }

    fn place(&self, out: &mut Painter<'_>, parts: &Parts) {
        let location = &parts.error.location;
        if !location.is_empty() {
            out.plain(b" ");
            out.text(location);
        } else if !self.site.code.is_empty() {
            out.plain(b" ");
            out.painted(DIM, &self.site.code);
        }
    }

    fn id(&self, out: &mut Painter<'_>, parts: &Parts) {
        let id = if self.block.ids.is_empty() {
            &parts.request_id
        } else {
            &self.block.ids
        };
        let id: Vec<u8> = id
            .iter()
            .copied()
            .filter(|byte| byte.is_ascii_graphic() && *byte != b'"')
            .collect();
        if !id.is_empty() {
            out.plain(b" ");
            out.painted(DIM, &id);
        }
    }
}

/// ` key=value`; the key comes as JSON without its opening quote. A text that is one word stands
/// without quotes.
fn member(out: &mut Painter<'_>, key: &[u8], value: &[u8], text: bool) {
    out.plain(b" ");
    let name = key.strip_suffix(b"\":").unwrap_or(key);
    out.painted(DIM, name);
    out.painted(DIM, b"=");
    let word = text && value.len() > 2 && !value.contains(&b' ') && !value.contains(&b'\\');
    if word {
        out.text(value);
    } else {
        out.value(value);
    }
}

fn error(out: &mut Painter<'_>, parts: &Parts) {
    let error = &parts.error;
    if !error.present {
        return;
    }
    out.plain(b"\n  ");
    out.painted(RED, b"error");
    out.plain(b": ");
    if error.message == parts.message {
        // The line says it already.
        out.text(&error.kind);
    } else {
        out.text(&error.message);
        out.plain(b" (");
        out.text(&error.kind);
        out.plain(b")");
    }
    for member in [&error.details, &error.causes] {
        let member = member.strip_suffix(b",").unwrap_or(member);
        if !member.is_empty() {
            out.plain(b"\n  ");
            out.value(member);
        }
    }
    if error.backtrace.len() > 2 {
        out.plain(b"\n  ");
        out.lines(&error.backtrace);
    }
}
