use crate::media_type::MediaType;
use crate::refusal::invalid;
use crate::{timestamp, uri};
use faas_sdk_core::{Attribute, Event, Result};

/// The largest number of attributes and data members of one event that is read.
pub const MAX_ATTRIBUTES: usize = 1_000;

/// The attributes of the specification: no extension may have their names.
const CORE: [&str; 8] = [
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
];

/// Checks an event against the rules of the specification, all but those of its data.
///
/// # Errors
///
/// [`InvalidInput`](faas_sdk_core::ErrorKind::InvalidInput), with the name of the first attribute
/// that breaks a rule in the message and in the context `attribute`.
pub fn validate(event: &Event) -> Result<()> {
    filled("id", &event.id)?;
    filled("source", &event.source)?;
    uri_reference("source", &event.source)?;
    filled("type", &event.r#type)?;
    if let Some(subject) = &event.subject {
        filled("subject", subject)?;
    }
    if let Some(content_type) = &event.content_type {
        filled("datacontenttype", content_type)?;
        if MediaType::parse(content_type).is_none() {
            return Err(invalid("datacontenttype", "is not a media type"));
        }
    }
    if let Some(schema) = &event.schema {
        filled("dataschema", schema)?;
        absolute_uri("dataschema", schema)?;
    }
    if let Some(time) = event.time {
        in_range("time", time)?;
    }
    for (name, value) in &event.extensions {
        extension(name, value)?;
    }
    match duplicate(event.extensions.iter().map(|(name, _)| &**name)) {
        Some(name) => Err(invalid(name, "is given more than once")),
        None => Ok(()),
    }
}

/// A name that occurs more than once.
pub(crate) fn duplicate<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    let pair = names.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(pair[0])
}

fn filled(name: &str, value: &str) -> Result<()> {
    if value.is_empty() {
        return Err(invalid(name, "must not be empty"));
    }
    string(name, value)
}

fn string(name: &str, value: &str) -> Result<()> {
    match value.chars().find(|char| is_disallowed(*char)) {
        Some(char) => Err(invalid(
            name,
            format_args!("must not contain U+{:04X}", u32::from(char)),
        )),
        None => Ok(()),
    }
}

/// Control characters and noncharacters; a `char` is never a surrogate.
fn is_disallowed(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{fdd0}'..='\u{fdef}')
        || u32::from(char) & 0xfffe == 0xfffe
}

fn uri_reference(name: &str, value: &str) -> Result<()> {
    if uri::is_reference(value) {
        return Ok(());
    }
    Err(invalid(name, "is not a URI reference (RFC 3986)"))
}

fn absolute_uri(name: &str, value: &str) -> Result<()> {
    if uri::is_uri(value) {
        return Ok(());
    }
    Err(invalid(name, "is not an absolute URI (RFC 3986)"))
}

fn in_range(name: &str, time: std::time::SystemTime) -> Result<()> {
    match timestamp::format(time) {
        Some(_) => Ok(()),
        None => Err(invalid(name, "lies outside the years 0000 to 9999")),
    }
}

fn extension(name: &str, value: &Attribute) -> Result<()> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.is_empty() || !name.bytes().all(is_allowed) {
        return Err(invalid(
            name,
            "has an invalid name, use letters a-z and digits only",
        ));
    }
    if name == "data" || CORE.contains(&name) {
        return Err(invalid(name, "is reserved and can't be an extension"));
    }
    match value {
        Attribute::String(text) | Attribute::Untyped(text) => string(name, text),
        Attribute::Uri(text) => absolute_uri(name, text),
        Attribute::UriReference(text) => uri_reference(name, text),
        Attribute::Timestamp(time) => in_range(name, *time),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faas_sdk_core::{Data, ErrorKind};
    use std::time::{Duration, SystemTime};

    fn event() -> Event {
        Event::new("1", "/s", "t", Data::Absent)
    }

    #[track_caller]
    fn refused(attribute: &str, change: impl FnOnce(&mut Event)) {
        let mut event = event();
        change(&mut event);
        let error = validate(&event).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.context(), [("attribute", attribute.to_owned())]);
        assert!(error.message().contains(attribute), "{error}");
    }

    #[test]
    fn every_attribute_has_its_rule() {
        assert!(validate(&event()).is_ok());
        refused("id", |event| event.id = "".into());
        refused("id", |event| event.id = "a\nb".into());
        refused("source", |event| event.source = "".into());
        refused("source", |event| event.source = "/a b".into());
        refused("type", |event| event.r#type = "".into());
        refused("type", |event| event.r#type = "\u{fdd0}".into());
        refused("type", |event| event.r#type = "\u{1fffe}".into());
        refused("subject", |event| event.subject = Some("".into()));
        refused("subject", |event| event.subject = Some("\u{85}".into()));
        for content_type in ["", "json", "a/b; c", "a/b\t"] {
            refused("datacontenttype", |event| {
                event.content_type = Some(content_type.into());
            });
        }
        for schema in ["", "/relative", "http://a b"] {
            refused("dataschema", |event| event.schema = Some(schema.into()));
        }
        let year_10000 = Duration::from_secs(253_402_300_800);
        refused("time", |event| {
            event.time = SystemTime::UNIX_EPOCH.checked_add(year_10000);
        });
    }

    #[test]
    fn extensions_have_names_and_types() {
        for name in ["Upper", "under_score", "dash-ed", "data", "id", "time"] {
            refused(name, |event| {
                event.set_extension(name, Attribute::Boolean(true));
            });
        }
        for value in [
            Attribute::String("\u{7f}".into()),
            Attribute::Untyped("\u{ffff}".into()),
            Attribute::Uri("relative".into()),
            Attribute::UriReference("%".into()),
        ] {
            refused("ext", |event| event.set_extension("ext", value));
        }
        refused("twice", |event| {
            event.extensions = vec![
                ("twice".into(), Attribute::Integer(1)),
                ("twice".into(), Attribute::Integer(1)),
            ];
        });
        let mut event = event();
        event.set_extension("0", Attribute::String("".into()));
        assert!(validate(&event).is_ok());
    }
}
