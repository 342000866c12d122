//! Arrays and objects.

use serde::{Serialize, ser};

use super::{
    key_text::key_text,
    writer::{Mark, Stopped, Writer},
};
use crate::{encode, redact::REDACTED};

/// An array or object of which the opening bracket is written.
pub(super) struct Compound<'w, 'a> {
    writer: &'w mut Writer<'a>,
    /// Before the opening bracket.
    mark: Mark,
    /// How many entries are announced.
    announced: Option<usize>,
    /// How many entries came.
    seen: usize,
    /// Whether the next entry needs a comma.
    comma: bool,
    /// Whether a placeholder is written, and no entries are.
    closed: bool,
    /// The entry of which the key is written, but not the value.
    entry: Option<Entry>,
}

enum Entry {
    /// To be followed by its value.
    Open(Before),
    /// The value is not wanted.
    Done,
}

/// The state before an entry.
#[derive(Clone, Copy)]
struct Before {
    mark: Mark,
    comma: bool,
}

impl<'w, 'a> Compound<'w, 'a> {
    /// An array or object, given its brackets.
    pub(super) fn new(
        writer: &'w mut Writer<'a>,
        brackets: [char; 2],
        announced: Option<usize>,
    ) -> Self {
        let mark = writer.mark();
        let mut compound = Self {
            writer,
            mark,
            announced,
            seen: 0,
            comma: false,
            closed: false,
            entry: None,
        };
        compound.open(brackets);
        compound
    }

    /// An array or object in an object with the name of the variant as its only key.
    pub(super) fn variant(
        writer: &'w mut Writer<'a>,
        variant: &str,
        brackets: [char; 2],
        announced: usize,
    ) -> Self {
        let mut compound = Self::new(writer, ['{', '}'], Some(announced));
        if !compound.closed {
            let writer = &mut *compound.writer;
            encode::key(writer.out, variant);
            if writer.redact.matches(variant) {
                redacted(writer.out);
                compound.closed = true;
            } else {
                compound.open(brackets);
            }
        }
        compound
    }

    fn open(&mut self, [opening, closing]: [char; 2]) {
        let writer = &mut *self.writer;
        if writer.open.len() >= writer.limits.depth {
            writer.placeholder(closing);
            self.closed = true;
        } else {
            writer.out.push(opening as u8);
            writer.open.push(closing as u8);
        }
    }

    /// Stops if there is no room for another entry.
    fn admit(&mut self) -> Result<(), Stopped> {
        if self.closed {
            self.writer.enough = true;
            return Err(Stopped);
        }
        if self.seen >= self.writer.limits.entries || self.writer.is_full() {
            let announced = self.announced.unwrap_or(0);
            self.writer.removed += announced.saturating_sub(self.seen).max(1);
            self.closed = true;
            self.writer.enough = true;
            return Err(Stopped);
        }
        self.seen += 1;
        Ok(())
    }

    fn separate(&mut self) -> Before {
        let before = Before {
            mark: self.writer.mark(),
            comma: self.comma,
        };
        if self.comma {
            self.writer.out.push(b',');
        }
        self.comma = true;
        before
    }

    fn take_back(&mut self, before: Before) {
        self.writer.rewind(before.mark);
        self.writer.removed += 1;
        self.comma = before.comma;
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        self.admit()?;
        let before = self.separate();
        self.value(value, before)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T, before: Before) -> Result<(), Stopped> {
        let result = self.writer.value(value);
        if result.is_err() {
            // The caller may go on in spite of the error.
            self.take_back(before);
        }
        result
    }

    /// Starts an entry of an object.
    fn key(&mut self, name: &str) -> Entry {
        let before = self.separate();
        let writer = &mut *self.writer;
        let start = writer.out.len();
        encode::key(writer.out, name);
        let end = writer.out.len();
        let key = writer.out.get(start..end);
        let mut keys = writer.keys.iter().skip(self.mark.keys);
        if keys.any(|&(start, end)| writer.out.get(start..end) == key) {
            self.take_back(before);
            return Entry::Done;
        }
        writer.keys.push((start, end));
        if writer.redact.matches(name) {
            redacted(writer.out);
            return Entry::Done;
        }
        Entry::Open(before)
    }

    fn entry<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Stopped> {
        self.admit()?;
        match self.key(name) {
            Entry::Open(before) => self.value(value, before),
            Entry::Done => Ok(()),
        }
    }

    /// Gives an entry a value that did not get one.
    fn finish_entry(&mut self) {
        if let Some(Entry::Open(_)) = self.entry.take() {
            self.writer.out.extend_from_slice(b"null");
        }
    }

    fn finish(mut self) -> Result<(), Stopped> {
        self.finish_entry();
        self.writer.close(self.mark);
        Ok(())
    }
}

fn redacted(out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(REDACTED.as_bytes());
    out.push(b'"');
}

impl ser::SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = Stopped;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stopped> {
        self.finish_entry();
        self.admit()?;
        // Taken, as writing the value may need it as well.
        let mut name = std::mem::take(&mut self.writer.scratch);
        key_text(&mut name, key);
        self.entry = Some(self.key(&name));
        self.writer.scratch = name;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        match self.entry.take() {
            Some(Entry::Open(before)) => self.value(value, before),
            Some(Entry::Done) => Ok(()),
            None => {
                self.writer.removed += 1;
                Ok(())
            }
        }
    }

    fn end(self) -> Result<(), Stopped> {
        self.finish()
    }
}

macro_rules! elements {
    ($($trait:ident $method:ident),+) => {$(
        impl ser::$trait for Compound<'_, '_> {
            type Ok = ();
            type Error = Stopped;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
                self.element(value)
            }

            fn end(self) -> Result<(), Stopped> {
                self.finish()
            }
        }
    )+};
}

elements!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

macro_rules! fields {
    ($($trait:ident),+) => {$(
        impl ser::$trait for Compound<'_, '_> {
            type Ok = ();
            type Error = Stopped;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Stopped> {
                self.entry(key, value)
            }

            fn end(self) -> Result<(), Stopped> {
                self.finish()
            }
        }
    )+};
}

fields!(SerializeStruct, SerializeStructVariant);
