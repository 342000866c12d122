//! TOML text into values.

use std::{io, thread};

use toml::de::{DeTable, DeValue};

use super::MAX_DEPTH;
use super::error::Kind;
use super::position::Position;
use super::value::{Table, Value};

/// Parses a whole file. No error quotes the text: it may hold a secret.
pub(super) fn document(file: &str, bytes: Vec<u8>) -> Result<Table, Kind> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]);
        syntax(file, Position::after(&before), "not UTF-8 text")
    })?;
    let place = |start: Option<usize>| {
        let before = start.and_then(|start| text.get(..start));
        before.map_or(Position::UNKNOWN, Position::after)
    };
    let parsed = with_room(&text, || {
        let table = DeTable::parse(&text).map_err(|error| {
            syntax(
                file,
                place(error.span().map(|span| span.start)),
                error.message(),
            )
        })?;
        convert_table(table.into_inner(), 1)
            .map_err(|(start, message)| syntax(file, place(Some(start)), message))
    });
    parsed.map_err(|source| Kind::Unreadable {
        file: file.to_owned(),
        source,
    })?
}

/// Parses one value, as it stands right of `=`.
pub(super) fn value(text: &str) -> Option<Value> {
    with_room(text, || {
        let value = DeValue::parse(text).ok()?.into_inner();
        convert(value, 0, 1).ok()
    })
    .ok()?
}

/// Runs `parse` with enough stack to drop whatever `text` may hold: the parser bounds dotted keys and
/// brackets to 80 each, together some 6000 levels, before the bound here can refuse them.
fn with_room<T: Send>(text: &str, parse: impl FnOnce() -> T + Send) -> io::Result<T> {
    const SHALLOW: usize = 500;
    const STACK: usize = 32 * 1024 * 1024;
    let levels = text
        .bytes()
        .filter(|byte| matches!(byte, b'.' | b'[' | b'{'));
    if levels.count() <= SHALLOW {
        return Ok(parse());
    }
    thread::scope(|scope| {
        let parser = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, parse)?;
        parser
            .join()
            .map_err(|_| io::Error::other("the parser panicked"))
    })
}

fn syntax(file: &str, at: Position, message: &str) -> Kind {
    Kind::Syntax {
        file: file.to_owned(),
        at,
        message: message.to_owned(),
    }
}

/// Where a value starts and what is wrong with it.
type Wrong = (usize, &'static str);

fn convert_table(table: DeTable<'_>, depth: usize) -> Result<Table, Wrong> {
    table
        .into_iter()
        .map(|(key, value)| {
            let start = value.span().start;
            let value = convert(value.into_inner(), start, depth)?;
            Ok((key.into_inner().into_owned(), value))
        })
        .collect()
}

fn convert(value: DeValue<'_>, start: usize, depth: usize) -> Result<Value, Wrong> {
    if depth > MAX_DEPTH {
        return Err((start, "nested too deep"));
    }
    Ok(match value {
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Integer(digits) => {
            let (digits, radix) = (digits.as_str(), digits.radix());
            match (
                i64::from_str_radix(digits, radix),
                u64::from_str_radix(digits, radix),
            ) {
                (Ok(value), _) => Value::Integer(value),
                (_, Ok(value)) => Value::Unsigned(value),
                _ => return Err((start, "integer of more than 64 bits")),
            }
        }
        DeValue::Float(digits) => match digits.as_str().parse::<f64>() {
            Ok(value) if value.is_infinite() && !digits.as_str().contains("inf") => {
                return Err((start, "number too large"));
            }
            Ok(value) => Value::Float(value),
            Err(_) => return Err((start, "not a number")),
        },
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| {
                    let start = item.span().start;
                    convert(item.into_inner(), start, depth + 1)
                })
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => Value::Table(convert_table(table, depth + 1)?),
    })
}
