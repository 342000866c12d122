//! What can be called, in words and curl lines.

use faas_sdk_core::{Entry, EntryKind};
use serde_json::Value;
use std::fmt::Write;
use std::net::SocketAddr;

/// The adapter's name.
pub(crate) const PLATFORM: &str = "local";

/// The lines that a server prints when it starts.
pub(crate) fn text(entries: &[Entry], address: SocketAddr) -> String {
    let base = format!("http://{address}");
    let mut text = String::new();
    for (title, of) in SECTIONS {
        let mut lines = entries.iter().filter(|entry| of(&entry.kind)).peekable();
        if lines.peek().is_none() {
            continue;
        }
        // Writing to a string can't fail.
        let _ = writeln!(text, "\n{title}:");
        for entry in lines {
            let _ = writeln!(text, "  {}\n    {}", name(&entry.kind), curl(entry, &base));
        }
    }
    text
}

type IsOf = fn(&EntryKind) -> bool;

const SECTIONS: [(&str, IsOf); 3] = [
    ("functions", |kind| matches!(kind, EntryKind::Function(_))),
    ("routes", |kind| matches!(kind, EntryKind::Route(..))),
    ("subscriptions", |kind| {
        matches!(kind, EntryKind::Subscription(_))
    }),
];

/// What there is, for an answer to a request that hit nothing.
pub(crate) fn names(entries: &[Entry]) -> Vec<String> {
    let shown = |entry: &Entry| match &entry.kind {
        EntryKind::Function(name) => format!("POST /{name}"),
        kind => name(kind),
    };
    entries.iter().map(shown).collect()
}

/// The function, if there is exactly one.
pub(crate) fn only_function(entries: &[Entry]) -> Option<&str> {
    let mut functions = entries.iter().filter_map(|entry| match &entry.kind {
        EntryKind::Function(name) => Some(&**name),
        _ => None,
    });
    functions.next().filter(|_| functions.next().is_none())
}

/// As it is called in listings.
pub(crate) fn name(kind: &EntryKind) -> String {
    match kind {
        EntryKind::Function(name) => name.clone(),
        EntryKind::Route(Some(method), path) => format!("{method} {path}"),
        EntryKind::Route(None, path) => format!("any method {path}"),
        EntryKind::Subscription(events) => events.clone(),
        _ => String::new(),
    }
}

fn curl(entry: &Entry, base: &str) -> String {
    let example = entry.example.as_deref();
    match &entry.kind {
        EntryKind::Function(name) => {
            let data = quoted(example.unwrap_or("{}"));
            format!("curl -s {} -d {data}", quoted(&format!("{base}/{name}")))
        }
        EntryKind::Route(method, path) => route(method.as_ref(), path, example, base),
        EntryKind::Subscription(events) => {
            let event_type = events.strip_prefix("ce:").unwrap_or("example");
            let event_type = event_type.replace('*', "example");
            format!(
                "curl -s {base}/ -H 'ce-specversion: 1.0' -H 'ce-id: 1' -H 'ce-source: /curl' \
                 -H {} -H 'content-type: application/json' -d {}",
                quoted(&format!("ce-type: {event_type}")),
                quoted(example.unwrap_or("{}"))
            )
        }
        _ => String::new(),
    }
}

/// A route's line: examples of fields that are in the path go there; the others go into the query,
/// or into the body where the method has one.
fn route(method: Option<&http::Method>, path: &str, example: Option<&str>, base: &str) -> String {
    let mut fields = match example.map(serde_json::from_str::<Value>) {
        Some(Ok(Value::Object(fields))) => fields,
        _ => serde_json::Map::new(),
    };
    let mut url = base.to_owned();
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            url.push('/');
        }
        match segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(name) => {
                let value = fields.remove(name.trim_start_matches('*'));
                url.push_str(&plain(value.as_ref()));
            }
            None => url.push_str(segment),
        }
    }
    let method = method.map_or("GET", http::Method::as_str);
    let has_body = !matches!(method, "GET" | "HEAD" | "DELETE" | "OPTIONS");
    if has_body {
        let json = if fields.is_empty() {
            "{}".to_owned()
        } else {
            Value::Object(fields).to_string()
        };
        return format!(
            "curl -s -X {method} {} -H 'content-type: application/json' -d {}",
            quoted(&url),
            quoted(&json)
        );
    }
    let query: Vec<_> = fields
        .iter()
        .filter(|(_, value)| !value.is_object() && !value.is_array() && !value.is_null())
        .map(|(name, value)| format!("{name}={}", plain(Some(value))))
        .collect();
    if !query.is_empty() {
        url.push('?');
        url.push_str(&query.join("&"));
    }
    let option = match method {
        "GET" => String::new(),
        "HEAD" => "-I ".to_owned(),
        other => format!("-X {other} "),
    };
    format!("curl -s {option}{}", quoted(&url))
}

/// A value as it stands in a URL.
fn plain(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "example".to_owned(),
    }
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:.-_".contains(&byte);
    if word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: EntryKind, example: &str) -> Entry {
        Entry::new(kind).with_example(Some(example.to_owned()))
    }

    #[test]
    fn each_entry_has_a_line_to_paste() {
        let entries = [
            entry(EntryKind::Function("hello".into()), r#"{"name":"it's"}"#),
            entry(
                EntryKind::Route(Some(http::Method::GET), "/items/{id}".into()),
                r#"{"id":1,"lang":"text"}"#,
            ),
            entry(
                EntryKind::Route(Some(http::Method::PUT), "/items/{id}".into()),
                r#"{"id":1,"n":2}"#,
            ),
            entry(EntryKind::Subscription("ce:com.example.*".into()), "1"),
        ];
        let text = text(&entries, ([127, 0, 0, 1], 9000).into());
        for line in [
            r#"curl -s http://127.0.0.1:9000/hello -d '{"name":"it'\''s"}'"#,
            "curl -s 'http://127.0.0.1:9000/items/1?lang=text'",
            r#"curl -s -X PUT http://127.0.0.1:9000/items/1 -H 'content-type: application/json' -d '{"n":2}'"#,
            "-H 'ce-type: com.example.example' -H 'content-type: application/json' -d 1",
        ] {
            assert!(text.contains(line), "{line}\nis not in\n{text}");
        }
    }
}
