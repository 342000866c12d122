//! Values with structure, through fields that know text alone.
//!
//! `tracing` hands a layer every value that is no number or text as `&dyn Debug`. A value of ours
//! finds out on its thread whether a layer of ours is asking, gives the structure aside and writes
//! a marker instead of text. If the marker is not all that was written, the value stood inside of
//! another one, which is then asked for its text again.

use crate::encode;
use crate::error::{Chain, ErrorParts};
use crate::rules::Rules;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;
use tracing::field::DebugValue;

/// From Unicode's private use area.
const MARKER: &str = "\u{f8ff}";

thread_local! {
    static ASKING: Cell<bool> = const { Cell::new(false) };
    static EXCHANGE: RefCell<Exchange> = const { RefCell::new(Exchange::new()) };
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
    ask(rules, in_full);
    let removed = encode::formatted(out, scratch, format_args!("{value:?}"), rules.text());
    let asked = ASKING.replace(false);
    if asked {
        // The usual case: nobody answered.
        return (Kind::Value { text: true }, removed);
    }
    out.truncate(start);
    if scratch != MARKER {
        let removed = encode::formatted(out, scratch, format_args!("{value:?}"), rules.text());
        return (Kind::Value { text: true }, removed);
    }
    EXCHANGE.with_borrow_mut(|exchange| match exchange.given {
        Given::Error => {
            if let Some(given) = &mut exchange.error {
                std::mem::swap(error, given);
            }
            (Kind::Error, error.removed)
        }
        Given::Value | Given::Nothing => {
            out.extend_from_slice(&exchange.value);
            (Kind::Value { text: false }, exchange.removed)
        }
    })
}

fn ask(rules: &Arc<Rules>, in_full: bool) {
    EXCHANGE.with_borrow_mut(|exchange| {
        exchange.given = Given::Nothing;
        exchange.in_full = in_full;
        let same = exchange
            .rules
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, rules));
        if !same {
            exchange.rules = Some(Arc::clone(rules));
        }
    });
    ASKING.set(true);
}

/// Whoever is asked takes the exchange out, since it may run code that logs.
fn answer(give: impl FnOnce(&mut Exchange, &Arc<Rules>)) -> Option<&'static str> {
    if !ASKING.try_with(|asking| asking.replace(false)).ok()? {
        return None;
    }
    let mut exchange =
        EXCHANGE.with_borrow_mut(|exchange| std::mem::replace(exchange, Exchange::new()));
    let rules = exchange.rules.clone()?;
    give(&mut exchange, &rules);
    EXCHANGE.with_borrow_mut(|place| *place = exchange);
    // Events that were logged meanwhile have asked, too.
    ASKING.set(false);
    Some(MARKER)
}

/// Gives an error to the layer that asks, if one does; says what to write instead of text.
pub(crate) fn offer_error(chain: &Chain<'_>) -> Option<&'static str> {
    answer(|exchange, rules| {
        let mut error = exchange.error.take().unwrap_or_default();
        error.read(chain, rules, exchange.in_full, &mut exchange.scratch);
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
        encode::json(
            &mut text,
            self.0,
            &encode::Limits::default(),
            &crate::redact::Redact::standard(),
        );
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
