//! Values with structure, through fields that know text alone.
//!
//! `tracing` hands a layer every value that is no number or text as `&dyn Debug`. A value of ours
//! finds out on its thread whether a layer of ours is asking, gives the structure aside and writes
//! a marker instead of text. If the marker is not all that was written, the value stood inside of
//! another one, which is then asked for its text again.

use crate::encode::{self, Limits};
use crate::error::ErrorParts;
use crate::redact::Redact;
use crate::rules::Rules;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use tracing::field::DebugValue;

/// From Unicode's private use area.
const MARKER: &str = "\u{f8ff}";

thread_local! {
    // Both without a destructor, so that they are there up to the very end of the thread.
    static ASKED: Cell<Asked> = const { Cell::new(Asked::Nobody) };
    static EXCHANGE: RefCell<ManuallyDrop<Exchange>> =
        const { RefCell::new(ManuallyDrop::new(Exchange::new())) };
    static AT_END: Empties = const { Empties };
}

/// Empties the exchange.
struct Empties;

impl Drop for Empties {
    fn drop(&mut self) {
        with_exchange(|exchange| *exchange = Exchange::new());
    }
}

/// Who is asked on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nobody,
    /// The value that is being formatted, if it has structure.
    Value,
    /// It has answered, or is about to.
    Answered,
}

/// What is given aside.
struct Exchange {
    rules: Option<Arc<Rules>>,
    /// Errors are to be told with their backtraces.
    in_full: bool,
    given: Given,
    value: Vec<u8>,
    removed: usize,
    error: Option<Box<ErrorParts>>,
    scratch: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Nothing,
    Value,
    Error,
}

impl Exchange {
    const fn new() -> Self {
        Self {
            rules: None,
            in_full: false,
            given: Given::Nothing,
            value: Vec::new(),
            removed: 0,
            error: None,
            scratch: String::new(),
        }
    }

    /// Gives what was left here. Returns what it was, and how many bytes were left out.
    fn give(&mut self, out: &mut Vec<u8>, error: &mut ErrorParts) -> (Kind, usize) {
        match (self.given, &mut self.error) {
            (Given::Error, Some(given)) => {
                std::mem::swap(error, given);
                (Kind::Error, error.removed)
            }
            _ => {
                out.extend_from_slice(&self.value);
                (Kind::Value { text: false }, self.removed)
            }
        }
    }
}

/// What a value turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It was written as text, or as JSON.
    Value { text: bool },
    /// It is an error, and the parts were filled.
    Error,
}

/// Writes a value to `out`, or reads it into `error`. Returns what it was, and how many bytes were
/// left out.
pub(crate) fn write(
    value: &dyn fmt::Debug,
    rules: &Arc<Rules>,
    in_full: bool,
    out: &mut Vec<u8>,
    error: &mut ErrorParts,
    scratch: &mut String,
) -> (Kind, usize) {
    let start = out.len();
    let _question = Question::ask(rules, in_full);
    let removed = encode::formatted(out, scratch, format_args!("{value:?}"), rules.text());
    if ASKED.get() == Asked::Value {
        // The usual case: nobody answered.
        return (Kind::Value { text: true }, removed);
    }
    out.truncate(start);
    if scratch == MARKER {
        return with_exchange(|exchange| exchange.give(out, error));
    }
    // It stood within other text; whoever has answered is not asked again.
    let removed = encode::formatted(out, scratch, format_args!("{value:?}"), rules.text());
    (Kind::Value { text: true }, removed)
}

/// A value is being asked, until this is dropped, also by a panic.
struct Question {
    /// The question within which this one is put: by a line that a value logs.
    outer: Option<(Asked, Box<Exchange>)>,
}

impl Question {
    fn ask(rules: &Arc<Rules>, in_full: bool) -> Self {
        // Has the exchange emptied at the end of the thread.
        let _ = AT_END.try_with(|_| ());
        let before = ASKED.replace(Asked::Value);
        with_exchange(|exchange| {
            let outer = (before != Asked::Nobody).then(|| {
                let outer = std::mem::replace(exchange, Exchange::new());
                (before, Box::new(outer))
            });
            exchange.given = Given::Nothing;
            exchange.in_full = in_full;
            let same = exchange
                .rules
                .as_ref()
                .is_some_and(|known| Arc::ptr_eq(known, rules));
            if !same {
                exchange.rules = Some(Arc::clone(rules));
            }
            Self { outer }
        })
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        match self.outer.take() {
            None => ASKED.set(Asked::Nobody),
            Some((before, outer)) => {
                ASKED.set(before);
                with_exchange(|exchange| *exchange = *outer);
            }
        }
    }
}

/// `work` must not run code of others, which may log.
fn with_exchange<T>(work: impl FnOnce(&mut Exchange) -> T) -> T {
    EXCHANGE.with_borrow_mut(|exchange| work(&mut *exchange))
}

/// Whoever is asked takes the exchange out, since it may run code that logs.
fn answer(give: impl FnOnce(&mut Exchange, &Arc<Rules>)) -> Option<&'static str> {
    if ASKED.get() != Asked::Value {
        return None;
    }
    let rules = rules()?;
    let mut exchange = with_exchange(|exchange| {
        let mut empty = Exchange::new();
        empty.rules = Some(Arc::clone(&rules));
        std::mem::replace(exchange, empty)
    });
    ASKED.set(Asked::Answered);
    give(&mut exchange, &rules);
    with_exchange(|place| *place = exchange);
    Some(MARKER)
}

/// How whoever asks wants values to be written.
fn rules() -> Option<Arc<Rules>> {
    let asked = ASKED.get() != Asked::Nobody;
    with_exchange(|exchange| exchange.rules.clone().filter(|_| asked))
}

/// Gives an error to the layer that asks, if one does; says what to write instead of text.
pub(crate) fn offer_error(
    cause: &(dyn Error + 'static),
    type_name: Option<&'static str>,
) -> Option<&'static str> {
    answer(|exchange, rules| {
        let mut error = exchange.error.take().unwrap_or_default();
        let Exchange {
            in_full, scratch, ..
        } = exchange;
        error.read(cause, type_name, rules, *in_full, scratch);
        exchange.error = Some(error);
        exchange.given = Given::Error;
    })
}

fn offer(write: impl FnOnce(&mut Vec<u8>, &Rules) -> usize) -> Option<&'static str> {
    answer(|exchange, rules| {
        exchange.value.clear();
        exchange.removed = write(&mut exchange.value, rules);
        exchange.given = Given::Value;
    })
}

/// Any serialisable value as a field's value, with its structure: `tracing::info!(order = json(&order))`.
///
/// At most four levels and 64 entries a level are written; keys that hold secrets are redacted at
/// every level. Other subscribers see JSON text.
#[must_use]
pub fn json<T: Serialize + ?Sized>(value: &T) -> DebugValue<Json<'_, T>> {
    tracing::field::debug(Json(value))
}

/// A serialisable value; see [`json`].
pub struct Json<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> fmt::Debug for Json<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marker = offer(|out, rules| encode::json(out, self.0, &rules.limits(), &rules.redact));
        if let Some(marker) = marker {
            return f.write_str(marker);
        }
        let mut text = Vec::new();
        match rules() {
            Some(rules) => encode::json(&mut text, self.0, &rules.limits(), &rules.redact),
            None => encode::json(&mut text, self.0, &Limits::default(), &Redact::standard()),
        };
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Bytes as a field's value, in base64 of at most 1 KiB: `tracing::info!(key_b64 = bytes(&key))`.
/// Plain byte slices are written as text instead.
#[must_use]
pub fn bytes(value: &[u8]) -> DebugValue<Base64<'_>> {
    tracing::field::debug(Base64(value))
}

/// Bytes; see [`bytes`].
pub struct Base64<'a>(&'a [u8]);

/// A multiple of three, so that what is cut is no padding.
const BASE64: usize = 768;

impl fmt::Debug for Base64<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(marker) = offer(|out, _| encode::base64(out, self.0, BASE64)) {
            return f.write_str(marker);
        }
        let mut text = Vec::new();
        encode::base64(&mut text, self.0, BASE64);
        f.write_str(String::from_utf8_lossy(&text).trim_matches('"'))
    }
}
