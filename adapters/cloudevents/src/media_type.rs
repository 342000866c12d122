use std::borrow::Cow;

/// A media type with parameters: `type/subtype; name=value` (RFC 2045, section 5.1).
#[derive(Debug)]
pub(crate) struct MediaType<'a> {
    essence: &'a str,
    subtype: &'a str,
    charset: Option<Cow<'a, str>>,
}

impl<'a> MediaType<'a> {
    /// `None` if it is not one.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (essence, mut rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        let essence = essence.trim_matches(WHITE);
        let (r#type, subtype) = essence.split_once('/')?;
        if !is_token(r#type) || !is_token(subtype) {
            return None;
        }
        let mut charset = None;
        while let Some(more) = rest.strip_prefix(';') {
            rest = more.trim_start_matches(WHITE);
            if rest.is_empty() || rest.starts_with(';') {
                continue;
            }
            let (name, more) = rest.split_once('=')?;
            let name = name.trim_end_matches(WHITE);
            let (value, more) = parameter_value(more.trim_start_matches(WHITE))?;
            if !is_token(name) {
                return None;
            }
            if name.eq_ignore_ascii_case("charset") && charset.is_none() {
                charset = Some(value);
            }
            rest = more.trim_start_matches(WHITE);
        }
        rest.is_empty().then_some(Self {
            essence,
            subtype,
            charset,
        })
    }

    /// Type and subtype.
    pub(crate) fn essence(&self) -> &'a str {
        self.essence
    }

    /// Whether type and subtype are these.
    pub(crate) fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    /// Whether it declares JSON: `*/json` or `*/*+json`.
    pub(crate) fn is_json(&self) -> bool {
        self.subtype.eq_ignore_ascii_case("json") || ends_with(self.subtype, "+json")
    }

    /// Whether it is `text/*`.
    pub(crate) fn is_text(&self) -> bool {
        starts_with(self.essence, "text/")
    }

    /// Whether what it declares is read as UTF-8: it says so, or says nothing, or says US-ASCII.
    pub(crate) fn is_utf8(&self) -> bool {
        self.charset.as_ref().is_none_or(|charset| {
            ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|name| charset.eq_ignore_ascii_case(name))
        })
    }

    /// Whether it declares US-ASCII.
    pub(crate) fn is_ascii(&self) -> bool {
        let charset = self.charset.as_deref().unwrap_or_default();
        charset.eq_ignore_ascii_case("us-ascii")
    }
}

const WHITE: [char; 2] = [' ', '\t'];

fn starts_with(text: &str, start: &str) -> bool {
    let head = text.get(..start.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(start))
}

fn ends_with(text: &str, end: &str) -> bool {
    let at = text.len().checked_sub(end.len());
    at.and_then(|at| text.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn is_token(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

/// A token or a quoted string, and what comes after it.
fn parameter_value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|char| char == ';' || WHITE.contains(&char));
        let (value, rest) = text.split_at(end.unwrap_or(text.len()));
        return is_token(value).then_some((Cow::Borrowed(value), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        let char = match char {
            '"' => return Some((Cow::Owned(value), &quoted[at + 1..])),
            '\\' => chars.next()?.1,
            char => char,
        };
        if !(char == ' ' || char.is_ascii_graphic()) {
            return None;
        }
        value.push(char);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_parameters_are_read() {
        for text in [
            "a/b",
            "text/plain;charset=utf-8",
            "TEXT/Plain; CharSet=\"UTF-8\"",
            "text/plain ; a=b ;charset = utf-8; ",
            "multipart/mixed; boundary=\"a;\\\"b\"; charset=us-ascii",
            "application/vnd.apache.thrift.binary",
        ] {
            let media_type = MediaType::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert!(media_type.is_utf8());
        }
        let latin = MediaType::parse("text/plain;charset=\"iso-8859-1\"").unwrap();
        assert!(latin.is_text() && !latin.is_utf8() && !latin.is_json());
    }

    #[test]
    fn json_is_a_subtype_or_a_suffix() {
        for (text, is_json) in [
            ("application/json", true),
            ("text/JSON; charset=utf-8", true),
            ("application/geo+Json", true),
            ("application/json-seq", false),
            ("application/geo+json-seq", false),
            ("json/xml", false),
            ("a/b+xml;c=\"+json\"", false),
        ] {
            let media_type = MediaType::parse(text).unwrap();
            assert_eq!(media_type.is_json(), is_json, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_media_type_is_told() {
        for text in [
            "",
            "json",
            "/",
            "a/",
            "/b",
            "a/b/c",
            "a b/c",
            "a/b c",
            "a/b, c/d",
            "a/b; c",
            "a/b; c=",
            "a/b; =c",
            "a/b; c=\"d",
            "a/b; c=\"d\\",
            "a/b; c=\"d\" e",
            "a/b; c=d e",
            "a/b; c=é",
            "a/b; c=\"é\"",
            "é/b",
        ] {
            assert!(MediaType::parse(text).is_none(), "{text}");
        }
    }
}
