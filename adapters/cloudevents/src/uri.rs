//! The syntax of RFC 3986. Percent-encoding and the characters of each part are checked; what an
//! IP literal in brackets means is not.

/// Whether it is a `URI-reference` (section 4.1).
pub(crate) fn is_reference(text: &str) -> bool {
    parse(text).is_some()
}

/// Whether it is a `URI` (section 3): a reference with a scheme.
pub(crate) fn is_uri(text: &str) -> bool {
    parse(text) == Some(Scheme::Given)
}

#[derive(PartialEq, Eq)]
enum Scheme {
    Given,
    Absent,
}

fn parse(text: &str) -> Option<Scheme> {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    let (scheme, hierarchy) = match text.split_once(':') {
        // A colon in the first segment always ends a scheme.
        Some((scheme, rest)) if !scheme.contains('/') => (Some(scheme), rest),
        _ => (None, text),
    };
    let path = match hierarchy.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            is_authority(authority).then_some(path)?
        }
        None => hierarchy,
    };
    let well_formed = scheme.is_none_or(is_scheme)
        && consists_of(path, b":@/")
        && consists_of(query, b":@/?")
        && consists_of(fragment, b":@/?");
    well_formed.then_some(if scheme.is_some() {
        Scheme::Given
    } else {
        Scheme::Absent
    })
}

fn is_scheme(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(is_allowed)
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (is_host, port) = match host.strip_prefix('[') {
        Some(literal) => match literal.split_once(']') {
            Some((address, port)) => (
                !address.is_empty() && consists_of(address, b":") && !address.contains('%'),
                port,
            ),
            None => return false,
        },
        None => {
            let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            (consists_of(name, b""), port)
        }
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    is_host
        && consists_of(user, b":")
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// Unreserved characters, sub-delimiters, percent-encoded bytes and the ones in `more`.
fn consists_of(text: &str, more: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_allowed = match byte {
            b'%' => [bytes.next(), bytes.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            _ => {
                byte.is_ascii_alphanumeric()
                    || b"-._~!$&'()*+,;=".contains(&byte)
                    || more.contains(&byte)
            }
        };
        if !is_allowed {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_told_from_references() {
        for uri in [
            "https://github.com/cloudevents",
            "mailto:cncf-wg-serverless@lists.cncf.io",
            "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
            "arn:aws:sqs:eu-west-1:1:orders",
            "http://u:p@[2001:db8::1]:80/a/b;c=d?q=/?#f/?",
            "file:///etc/hosts",
            "http://example.com:",
            "a:",
        ] {
            assert!(is_uri(uri) && is_reference(uri), "{uri}");
        }
        for reference in [
            "/cloudevents/spec/pull/123",
            "1-555-123-4567",
            "//pubsub.googleapis.com/projects/p/topics/t",
            "aws.s3",
            "/a:b",
            "./a:b",
            "?q",
            "#f",
            "%41",
            "",
        ] {
            assert!(is_reference(reference) && !is_uri(reference), "{reference}");
        }
    }

    #[test]
    fn what_is_not_in_the_grammar_is_no_reference() {
        for text in [
            " ",
            "/a b",
            "/é",
            "1:b",
            ":b",
            "%4",
            "%zz",
            "a%",
            "/[",
            "/a#b#c",
            "http://a:b",
            "http://[::1",
            "http://[]",
            "http://[::1]x",
            "http://a@b@c",
            "//a\\b",
            "<x>",
            "{x}",
            "\"",
            "a|b",
        ] {
            assert!(!is_reference(text), "{text}");
        }
    }
}
