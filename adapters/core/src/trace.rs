use crate::Text;
use std::fmt;

/// The trace of the hop that brought an invocation here.
///
/// An event may carry the trace of its producer besides, in its extension `traceparent`; the two
/// are kept apart, because one is to be continued and the other only to be linked.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    parent: Option<Text>,
    state: Option<Text>,
    native: Option<(Text, Translate)>,
}

/// Reads a platform's own trace header.
type Translate = fn(&str) -> Option<TraceContext>;

impl Trace {
    /// The headers `traceparent` and `tracestate`.
    #[must_use]
    pub fn w3c(parent: Option<Text>, state: Option<Text>) -> Self {
        Self {
            parent,
            state,
            native: None,
        }
    }

    /// Adds the platform's own trace header, and how it is read where there is no W3C header.
    #[must_use]
    pub fn with_native(mut self, header: Text, translate: Translate) -> Self {
        self.native = Some((header, translate));
        self
    }

    /// The W3C trace context, given as such or translated from the platform's own form.
    #[must_use]
    pub fn context(&self) -> Option<TraceContext> {
        let parent = self.parent.as_deref().and_then(TraceContext::parse);
        let native = || {
            self.native
                .as_ref()
                .and_then(|(header, translate)| translate(header))
        };
        parent.or_else(native)
    }

    /// The header `tracestate`, unchanged.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The platform's own trace header, unchanged, to be sent on with calls to that platform.
    #[must_use]
    pub fn native(&self) -> Option<&str> {
        self.native.as_ref().map(|(header, _)| &**header)
    }
}

/// A W3C trace context (version 00).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// Never zero.
    pub trace_id: u128,
    /// The caller's span; never zero.
    pub span_id: u64,
    /// Bit 0: sampled.
    pub flags: u8,
}

impl TraceContext {
    /// Reads a `traceparent` header. Later versions are read as far as version 00 goes, as the
    /// W3C recommendation asks; anything invalid gives `None`.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().splitn(5, '-');
        let [version, trace, span, flags] =
            [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let version = hex(version, 2)?;
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let context = Self {
            trace_id: hex(trace, 32)?,
            span_id: u64::try_from(hex(span, 16)?).ok()?,
            flags: u8::try_from(hex(flags, 2)?).ok()?,
        };
        (context.trace_id != 0 && context.span_id != 0).then_some(context)
    }

    /// Whether the caller records this trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }
}

/// Exactly `digits` lower-case hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let valid = text.len() == digits
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if valid {
        u128::from_str_radix(text, 16).ok()
    } else {
        None
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn reads_and_writes_version_00() {
        let context = TraceContext::parse(VALID).expect("valid");
        assert_eq!(context.to_string(), VALID);
        assert!(context.is_sampled());
    }

    #[test]
    fn later_versions_may_carry_more_and_version_00_may_not() {
        assert!(TraceContext::parse(&VALID.replacen("00", "01", 1)).is_some());
        assert!(TraceContext::parse(&format!("01{}-more", &VALID[2..])).is_some());
        assert!(TraceContext::parse(&format!("{VALID}-more")).is_none());
    }

    #[test]
    fn refuses_what_the_recommendation_calls_invalid() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }
}
