//! Credentials in URLs.
//!
//! In `scheme://user:password@host` and `scheme://token@host` everything between `://` and `@` is
//! left out. Passwords are often not encoded as they should be, so a text can be read in more than
//! one way. Then the reading that hides more is chosen, unless what it would hide looks like a host:
//!
//! * Normally the authority ends at `/`, `?` or `#`, and the last `@` before that counts.
//! * If there is no `@` in it and it is not a host with an optional port (`redis://:pa/ss@host`),
//!   or if a password stands before the `@` and no full host name behind it (`x://u:p@a/b@host`),
//!   the last `@` before white space, a quote, an angle bracket or the end of the text counts.
//! * If the text is cut before any of this is known, the rest of it goes.
//!
//! What can not be told from a path stays: `x://user:80/secret@host` is host `user`, port 80. A
//! scheme is not asked for: `://` is enough. Slashes may be escaped as in JSON (`x:\/\/u:p@host`).

use std::{net::Ipv4Addr, ops::Range};

/// Finds the credentials in one text. Needs time in proportion to the text, whatever is in it.
pub(super) struct Scrubber<'a> {
    text: &'a [u8],
    complete: bool,
    /// The stretch last searched, as later URLs within it share its end.
    stretch: Option<Stretch>,
}

#[derive(Clone, Copy)]
struct Stretch {
    /// Where white space or the like stands, or the text ends.
    end: usize,
    last_at: Option<usize>,
}

impl<'a> Scrubber<'a> {
    /// For `text`, which is `complete` or goes on in an unknown way.
    pub(super) fn new(text: &'a [u8], complete: bool) -> Self {
        Self {
            text,
            complete,
            stretch: None,
        }
    }

    /// The user information of the URL whose scheme ends with the colon at `colon`, if there is a
    /// URL with user information.
    #[inline]
    pub(super) fn userinfo(&mut self, colon: usize) -> Option<Range<usize>> {
        let rest = self.text.get(colon + 1..)?;
        if rest.starts_with(b"//") {
            self.authority(colon + 3)
        } else if rest.starts_with(br"\/\/") {
            self.authority(colon + 5)
        } else {
            None
        }
    }

    fn authority(&mut self, start: usize) -> Option<Range<usize>> {
        let stretch = self.stretch(start);
        let whole = self.text.get(start..stretch.end)?;
        let last_at = stretch.last_at.filter(|&at| at > start);
        let known = self.complete || stretch.end < self.text.len();
        let Some(end) = whole
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
        else {
            return if known {
                Some(start..last_at?)
            } else {
                Some(start..self.text.len())
            };
        };
        let authority = whole.get(..end)?;
        // From a URL with escaped slashes.
        let authority = authority.strip_suffix(br"\").unwrap_or(authority);
        match authority.iter().rposition(|&byte| byte == b'@') {
            Some(at) => {
                let (user, host) = authority.split_at(at);
                let host = host.get(1..)?;
                let sure = if user.contains(&b':') {
                    is_full_host(host)
                } else {
                    is_host(host)
                };
                let at = start + at;
                let at = if sure { at } else { last_at.unwrap_or(at) };
                (at > start).then_some(start..at)
            }
            None if is_host(authority) => None,
            None if known => Some(start..last_at?),
            None => Some(start..self.text.len()),
        }
    }

    fn stretch(&mut self, start: usize) -> Stretch {
        if let Some(stretch) = self.stretch.filter(|stretch| start <= stretch.end) {
            return stretch;
        }
        let text = self.text.get(start..).unwrap_or_default();
        let length = text
            .iter()
            .position(|&byte| ends_url(byte))
            .unwrap_or(text.len());
        let last_at = text.iter().take(length).rposition(|&byte| byte == b'@');
        let stretch = Stretch {
            end: start + length,
            last_at: last_at.map(|at| start + at),
        };
        self.stretch = Some(stretch);
        stretch
    }
}

fn ends_url(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, 0x7f | b'"' | b'\'' | b'`' | b'<' | b'>')
}

/// Whether `text` can be a host, or several with commas, each with an optional port.
fn is_host(text: &[u8]) -> bool {
    text.split(|&byte| byte == b',')
        .all(|host| match name_and_port(host) {
            (b"", Some(_)) => false,
            (name, port) => name.iter().all(|&byte| is_host_byte(byte)) && port.is_none_or(is_port),
        })
}

/// Whether `text` is a host beyond doubt: with a port, with a domain, an address or `localhost`.
fn is_full_host(text: &[u8]) -> bool {
    is_host(text)
        && text
            .split(|&byte| byte == b',')
            .all(|host| match name_and_port(host) {
                (_, Some(_)) | (b"localhost" | [b'[', ..], None) => true,
                (name, None) => has_domain(name) || is_address(name),
            })
}

fn name_and_port(host: &[u8]) -> (&[u8], Option<&[u8]>) {
    // The colons of an IPv6 address are within brackets.
    let name_end = match host.first() {
        Some(b'[') => host.iter().position(|&byte| byte == b']').unwrap_or(0),
        _ => 0,
    };
    let colon = host.iter().skip(name_end).position(|&byte| byte == b':');
    match colon.and_then(|colon| host.split_at_checked(name_end + colon)) {
        Some((name, port)) => (name, port.get(1..)),
        None => (host, None),
    }
}

fn is_host_byte(byte: u8) -> bool {
    // Braces, dollars and stars stand in templates; international names are not ASCII.
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"-._~%[]:(){}$*".contains(&byte)
}

fn is_port(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
        && str::from_utf8(text).is_ok_and(|text| text.parse::<u16>().is_ok())
}

fn has_domain(name: &[u8]) -> bool {
    let mut labels = name.rsplit(|&byte| byte == b'.');
    let top = labels.next().unwrap_or_default();
    top.len() >= 2
        && top.iter().all(u8::is_ascii_alphabetic)
        && labels.next().is_some_and(|label| !label.is_empty())
}

fn is_address(name: &[u8]) -> bool {
    str::from_utf8(name).is_ok_and(|name| name.parse::<Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `text` with every redaction made, as it is when `complete` or cut.
    fn scrubbed(text: &str, complete: bool) -> String {
        let mut scrubber = Scrubber::new(text.as_bytes(), complete);
        let (mut out, mut clean) = (String::new(), 0);
        for (colon, _) in text.match_indices(':') {
            if colon < clean {
                continue;
            }
            if let Some(range) = scrubber.userinfo(colon) {
                out.push_str(&text[clean..range.start]);
                out.push('*');
                clean = range.end;
            }
        }
        out + &text[clean..]
    }

    #[test]
    fn redacts() {
        for (text, expected) in [
            ("postgres://u:p@db/x", "postgres://*@db/x"),
            ("https://token@host", "https://*@host"),
            (
                "https://token@host/npm/@scope/x",
                "https://*@host/npm/@scope/x",
            ),
            ("x://u:p@ss:w@rd@host:80/", "x://*@host:80/"),
            ("x://u:@host", "x://*@host"),
            ("x://u:p@[::1]:80/a@b", "x://*@[::1]:80/a@b"),
            (
                "git+https://u:p@example.org/a/b@main",
                "git+https://*@example.org/a/b@main",
            ),
            ("x://u:p@10.0.0.1?to=a@b.c", "x://*@10.0.0.1?to=a@b.c"),
            ("x://u:p@h1:1,h2:2/?to=a@b.c", "x://*@h1:1,h2:2/?to=a@b.c"),
            // Raw delimiters in the password.
            ("redis://:pa/ss@host", "redis://*@host"),
            ("redis://:pa?ss@host:6379/0", "redis://*@host:6379/0"),
            ("redis://:12/34@host", "redis://*@host"),
            ("x://u:p#@host", "x://*@host"),
            ("x://u:/p@host", "x://*@host"),
            ("x://u:123456/p@host", "x://*@host"),
            ("x://u:p@a/b@host", "x://*@host"),
            ("x://me@example.org:p/w@host/x", "x://*@host/x"),
            ("x://to+ken/=@host", "x://*@host"),
            // Surroundings.
            ("(x://u:p@h)", "(x://*@h)"),
            ("\"x://u:p@h\" y@z", "\"x://*@h\" y@z"),
            ("x://u:p@h y://v:q@i 'z://w@j'", "x://*@h y://*@i 'z://*@j'"),
            ("x://a/,y://u:p@b/", "x://a/,y://*@b/"),
            ("<x://u:p@h>@", "<x://*@h>@"),
            (r"x:\/\/u:p@h\/y", r"x:\/\/*@h\/y"),
            ("x://ü:ß@h", "x://*@h"),
            ("://u:p@h", "://*@h"),
        ] {
            assert_eq!(scrubbed(text, true), expected, "{text}");
        }
    }

    #[test]
    fn leaves() {
        for text in [
            "http://example.org/@user/a@b",
            "http://example.org:8080/?to=a@b.c",
            "http://[::1]/a@b",
            "http://[::1]:80/a@b",
            "http://{host}:80/a@b",
            "https://bücher.example/a@b",
            r"http:\/\/host:80\/a@b",
            "file:///home/a@b",
            "mongodb://h1:1,h2:2/db?x=a@b",
            "http://@host",
            "http://host:port",
            "x://",
            "x:// u:p@h",
            "x:/u:p@h",
            "mail a@b: c://d",
        ] {
            assert_eq!(scrubbed(text, true), text);
        }
    }

    #[test]
    fn cut() {
        for (text, expected) in [
            ("x://us", "x://*"),
            ("x://user:p@ho", "x://*"),
            ("x://user:pa/ss", "x://*"),
            ("x://host/a", "x://host/a"),
            ("x://host:80/a", "x://host:80/a"),
            ("x://u:p@example.org/a", "x://*@example.org/a"),
            ("x://u:p@h/a", "x://*@h/a"),
            ("x://host ", "x://host "),
        ] {
            assert_eq!(scrubbed(text, false), expected, "{text}");
        }
    }

    #[test]
    fn many_urls_take_linear_time() {
        let text = "a://b:".repeat(200_000);
        assert_eq!(scrubbed(&text, true), text);
    }

    proptest! {
        #[test]
        fn no_password_is_left(
            user in "[a-z]{0,4}",
            password in "[A-Z][A-Z0-9:/?#!$&*+,;=%~^|{}().\\\\-]{0,16}",
            host in "[a-z]{1,5}(:[0-9]{1,4})?",
            rest in "(/[a-z/]{0,5})?",
        ) {
            let text = format!("see x://{user}:{password}@{host}{rest} there");
            prop_assert_eq!(scrubbed(&text, true), format!("see x://*@{host}{rest} there"));
        }

        #[test]
        fn no_password_with_an_at_sign_is_left(
            password in "[A-Z][A-Z@:/?#!$&*+;=%~^|]{0,16}",
            host in "[a-z]{1,5}(:[0-9]{1,4})?",
        ) {
            let text = format!("(x://user:{password}@{host})");
            prop_assert_eq!(scrubbed(&text, true), format!("(x://*@{host})"));
        }

        #[test]
        fn anything_goes(text in "([a-c0-9@:/?# \\\\]|://|[\\[\\],]){0,40}", complete: bool) {
            scrubbed(&text, complete);
        }
    }
}
