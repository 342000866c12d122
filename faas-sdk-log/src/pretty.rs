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

    /// A JSON text without its quotes. Escapes stay, so that no text can move the cursor.
    fn text(&mut self, literal: &[u8]) {
        let content = literal.get(1..literal.len().saturating_sub(1));
        self.plain(content.unwrap_or_default());
    }
}

/// Writes `05:37:37.692 INFO  message key=value target request-id`, and what belongs to an error on
/// lines below it.
pub(crate) fn write(
    line: &mut Vec<u8>,
    parts: &Parts,
    stamps: &mut Timestamps,
    site: &Callsite,
    block: &Block,
    now: SystemTime,
    colours: Colours,
) {
    line.clear();
    let mut stamp = Vec::with_capacity(27);
    stamps.write(&mut stamp, now);
    let mut out = Painter { out: line, colours };
    // The time of day, to the millisecond.
    out.painted(DIM, stamp.get(11..23).unwrap_or_default());
    let (colour, level) = match site.level {
        Level::TRACE => (PURPLE, " TRACE "),
        Level::DEBUG => (BLUE, " DEBUG "),
        Level::INFO => (GREEN, " INFO  "),
        Level::WARN => (YELLOW, " WARN  "),
        Level::ERROR => (RED, " ERROR "),
    };
    out.painted(colour, level.as_bytes());
    if parts.message.len() > 2 {
        out.text(&parts.message);
    } else {
        out.plain(&site.event);
    }
    if !parts.duration.is_empty() {
        member(&mut out, b"duration_ms\":", &parts.duration, false);
    }
    for (key, value, text) in parts.fields.iter() {
        member(&mut out, key.get(1..).unwrap_or_default(), value, text);
    }
    out.plain(b" ");
    out.painted(DIM, &site.target);
    if parts.error.location.is_empty() {
        if !site.code.is_empty() {
            out.plain(b" ");
            out.painted(DIM, &site.code);
        }
    } else {
        out.plain(b" ");
        out.text(&parts.error.location);
    }
    if !block.ids.is_empty() {
        out.plain(b" ");
        let id: Vec<u8> = block
            .ids
            .iter()
            .copied()
            .filter(u8::is_ascii_graphic)
            .collect();
        out.painted(DIM, &id);
    }
    error(&mut out, parts);
    out.plain(b"\n");
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
        out.plain(value);
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
            out.plain(member);
        }
    }
    let backtrace = error
        .backtrace
        .get(1..error.backtrace.len().saturating_sub(1));
    if let Some(backtrace) = backtrace.filter(|text| !text.is_empty()) {
        let text = String::from_utf8_lossy(backtrace).replace("\\n", "\n  ");
        out.plain(b"\n  ");
        out.plain(text.as_bytes());
    }
}
