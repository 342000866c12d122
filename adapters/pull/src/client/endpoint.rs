//! Where the server listens.

use std::fmt;
use std::net::Ipv6Addr;

/// The address of a server reached by plain HTTP, with an optional path prefix.
///
/// Accepted forms: `host:port`, `http://host:port`, `http://host:port/prefix`, `http://host` (port
/// 80), and each of them with an IPv6 address in brackets. Space around the text is ignored, and so
/// is a trailing `/` of the prefix.
///
/// ```
/// # use faas_sdk_pull::Endpoint;
/// let endpoint = Endpoint::parse("AWS_LAMBDA_RUNTIME_API", "http://127.0.0.1:9000/.rt/hello/")?;
/// assert_eq!(endpoint.authority(), "127.0.0.1:9000");
/// assert_eq!(endpoint.prefix(), "/.rt/hello");
/// # Ok::<(), faas_sdk_pull::EndpointError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Without brackets, ready to be resolved.
    host: Box<str>,
    port: u16,
    /// As the `host` header wants it.
    authority: Box<str>,
    /// Empty, or `/…` without a trailing slash.
    prefix: Box<str>,
}

impl Endpoint {
    /// Reads `value`; `variable` is the name the error gives for where the text came from.
    ///
    /// # Errors
    ///
    /// Names the variable, the value and what is wrong with it. A value that holds an `@` is not
    /// repeated: it may contain a password.
    pub fn parse(variable: &str, value: &str) -> Result<Self, EndpointError> {
        split(value.trim()).map_err(|reason| EndpointError {
            variable: variable.to_owned(),
            value: (!value.contains('@')).then(|| value.to_owned()),
            reason,
        })
    }

    /// The host without brackets, as it is resolved.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host:port`, IPv6 in brackets: the value of the `host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What stands before every path: empty, or `/…` without a trailing slash.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.prefix)
    }
}

/// Why a text is not an [`Endpoint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointError {
    variable: String,
    value: Option<String>,
    reason: Reason,
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            variable,
            value,
            reason,
        } = self;
        match value {
            Some(value) => write!(f, "{variable} is {value:?}: ")?,
            None => write!(f, "{variable} is not usable: ")?,
        }
        f.write_str(match reason {
            Reason::Empty => "it is empty; write host:port or http://host:port/prefix",
            Reason::Scheme => {
                "only plain http:// can be spoken; write host:port or http://host:port/prefix"
            }
            Reason::UserInfo => {
                "a user name or password cannot be used here; remove all up to the @"
            }
            Reason::Host => {
                "the host is missing or holds characters no host name has; write host:port"
            }
            Reason::Ipv6 => "an IPv6 address is written in brackets, as in [::1]:9001",
            Reason::Port => "the port must be a number from 1 to 65535, as in host:port",
            Reason::Prefix => {
                "the path prefix may hold visible ASCII only, without ?, # and spaces"
            }
        })
    }
}

impl std::error::Error for EndpointError {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Empty,
    Scheme,
    UserInfo,
    Host,
    Ipv6,
    Port,
    Prefix,
}

fn split(text: &str) -> Result<Endpoint, Reason> {
    if text.is_empty() {
        return Err(Reason::Empty);
    }
    let (rest, default_port) = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (rest, Some(80)),
        Some(_) => return Err(Reason::Scheme),
        None => (text, None),
    };
    let (authority, prefix) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(Reason::UserInfo);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once(']').ok_or(Reason::Ipv6)?;
            host.parse::<Ipv6Addr>().map_err(|_| Reason::Ipv6)?;
            let port = match port {
                "" => None,
                _ => Some(port.strip_prefix(':').ok_or(Reason::Port)?),
            };
            (host, port)
        }
        None => match authority.split_once(':') {
            Some((_, rest)) if rest.contains(':') => return Err(Reason::Ipv6),
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let ipv6 = authority.starts_with('[');
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if !ipv6 && (host.is_empty() || !host.bytes().all(name)) {
        return Err(Reason::Host);
    }
    let port = match port {
        // `parse` alone would take a leading plus sign.
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or(Reason::Port)?,
        Some(_) => return Err(Reason::Port),
        None => default_port.ok_or(Reason::Port)?,
    };
    let prefix = prefix.trim_end_matches('/');
    if !prefix
        .bytes()
        .all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#'))
    {
        return Err(Reason::Prefix);
    }
    Ok(Endpoint {
        host: host.into(),
        port,
        authority: if ipv6 {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
        .into(),
        prefix: prefix.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(value: &str) -> (String, u16, String, String) {
        let e = Endpoint::parse("API", value).unwrap();
        (
            e.host().into(),
            e.port(),
            e.authority().into(),
            e.prefix().into(),
        )
    }

    #[test]
    fn reads_every_form() {
        for (value, host, port, authority, prefix) in [
            ("127.0.0.1:9001", "127.0.0.1", 9001, "127.0.0.1:9001", ""),
            ("localhost:80", "localhost", 80, "localhost:80", ""),
            (
                " http://rt.local:9000/.rt/fn/ ",
                "rt.local",
                9000,
                "rt.local:9000",
                "/.rt/fn",
            ),
            ("http://rt.local", "rt.local", 80, "rt.local:80", ""),
            ("HTTP://rt_1/", "rt_1", 80, "rt_1:80", ""),
            ("[::1]:9001", "::1", 9001, "[::1]:9001", ""),
            ("http://[fe80::1]:7/x", "fe80::1", 7, "[fe80::1]:7", "/x"),
            ("http://[::1]", "::1", 80, "[::1]:80", ""),
            ("host:1/x/y", "host", 1, "host:1", "/x/y"),
        ] {
            let expected = (host.into(), port, authority.into(), prefix.into());
            assert_eq!(parts(value), expected, "{value}");
        }
    }

    #[test]
    fn errors_name_the_variable_and_the_remedy() {
        for (value, reason) in [
            ("", Reason::Empty),
            ("  ", Reason::Empty),
            ("https://host:1", Reason::Scheme),
            ("host", Reason::Port),
            ("host:", Reason::Port),
            ("host:0", Reason::Port),
            ("host:+1", Reason::Port),
            ("host:65536", Reason::Port),
            (":80", Reason::Host),
            ("ho st:80", Reason::Host),
            ("http:///x", Reason::Host),
            ("::1:9001", Reason::Ipv6),
            ("[::1:9001", Reason::Ipv6),
            ("[nope]:1", Reason::Ipv6),
            ("[::1]x", Reason::Port),
            ("host:1/a b", Reason::Prefix),
            ("host:1/a?b", Reason::Prefix),
            ("host:1/\r\nx: y", Reason::Prefix),
        ] {
            let error = Endpoint::parse("MY_API", value).unwrap_err();
            assert_eq!(error.reason, reason, "{value:?}");
            assert!(error.to_string().starts_with("MY_API is \""), "{error}");
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        let error = Endpoint::parse("API", "http://me:secret@host:1").unwrap_err();
        assert!(!error.to_string().contains("secret"));
        assert!(!format!("{error:?}").contains("secret"));
    }

    proptest! {
        #[test]
        fn never_panics_and_what_it_accepts_reads_back(value in "\\PC{0,40}|(http://)?[\\[\\]:.a-f0-9/]{0,30}") {
            if let Ok(endpoint) = Endpoint::parse("API", &value) {
                prop_assert_eq!(Endpoint::parse("API", &endpoint.to_string()), Ok(endpoint));
            }
        }
    }
}
