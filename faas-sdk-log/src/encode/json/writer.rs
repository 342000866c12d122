//! What is written so far.

use std::fmt;

use serde::{Serialize, ser};

use super::Limits;
use crate::{encode, redact::Redact};

/// How many `Some`s and newtypes may be within each other; they are no levels of JSON.
pub(super) const NESTED: usize = 64;

/// The value is not serialized any further: because it failed, or because enough is written.
#[derive(Debug)]
pub(super) struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("value can not be serialized for a log line")
    }
}

impl std::error::Error for Stopped {}

impl ser::Error for Stopped {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

pub(super) struct Writer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) limits: &'a Limits,
    pub(super) redact: &'a Redact,
    pub(super) removed: usize,
    /// Whether [`Stopped`] is on its way because enough is written. Kept here and not in the error,
    /// as an implementation of `Serialize` may replace the error by one of its own.
    pub(super) enough: bool,
    /// The brackets that close what is open.
    pub(super) open: Vec<u8>,
    /// Where in `out` the keys of the open objects are.
    pub(super) keys: Vec<(usize, usize)>,
    pub(super) scratch: String,
    start: usize,
    nested: usize,
}

/// A state of the writer to come back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    length: usize,
    open: usize,
    pub(super) keys: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, limits: &'a Limits, redact: &'a Redact) -> Self {
        let start = out.len();
        Self {
            out,
            limits,
            redact,
            removed: 0,
            enough: false,
            open: Vec::new(),
            keys: Vec::new(),
            scratch: String::new(),
            start,
            nested: 0,
        }
    }

    /// Writes the only value and returns how much was left out.
    pub(super) fn whole<T: Serialize + ?Sized>(mut self, value: &T) -> usize {
        if self.value(value).is_err() {
            self.out.truncate(self.start);
            self.out.extend_from_slice(br#""[unserializable]""#);
            self.removed += 1;
        }
        self.removed
    }

    /// Writes a value; if it stopped because enough is written, it is closed.
    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        let mark = self.mark();
        match value.serialize(&mut *self) {
            Ok(()) => Ok(()),
            Err(Stopped) if self.enough => {
                self.close(mark);
                Ok(())
            }
            Err(Stopped) => Err(Stopped),
        }
    }

    /// Writes a value that stands in a wrapper which does not show.
    pub(super) fn inner<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        if self.nested == NESTED {
            self.placeholder(']');
            return Ok(());
        }
        self.nested += 1;
        let result = value.serialize(&mut *self);
        self.nested -= 1;
        result
    }

    pub(super) fn text(&mut self, text: &str) {
        self.removed += encode::string(self.out, text, self.cap());
    }

    /// Writes the string that stands for a container which is left out, given its closing bracket.
    pub(super) fn placeholder(&mut self, bracket: char) {
        let text = if bracket == ']' {
            r#""[…]""#
        } else {
            r#""{…}""#
        };
        self.out.extend_from_slice(text.as_bytes());
        self.removed += 1;
    }

    /// How many bytes of a string can be written now.
    pub(super) fn cap(&self) -> usize {
        self.limits.string.min(
            self.limits
                .total
                .saturating_sub(self.out.len() - self.start),
        )
    }

    pub(super) fn is_full(&self) -> bool {
        self.out.len() - self.start >= self.limits.total
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            length: self.out.len(),
            open: self.open.len(),
            keys: self.keys.len(),
        }
    }

    /// Closes everything that was opened since `mark`.
    pub(super) fn close(&mut self, mark: Mark) {
        let open = mark.open.min(self.open.len());
        self.out.extend(self.open.drain(open..).rev());
        self.keys.truncate(mark.keys);
        self.enough = false;
    }

    /// Takes back everything since `mark`.
    pub(super) fn rewind(&mut self, mark: Mark) {
        self.out.truncate(mark.length);
        self.open.truncate(mark.open);
        self.keys.truncate(mark.keys);
    }
}
