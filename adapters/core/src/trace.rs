use crate::Text;
use faas_sdk_scope::Stamp;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

/// The trace of the hop that brought an invocation here.
///
/// An event may carry the trace of its producer besides, in its extension `traceparent`; the two
/// are kept apart, because one is to be continued and the other only to be linked.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    parent: Option<Text>,
    state: Option<Text>,
    native: Option<(Text, Translate)>,
    own: Option<TraceContext>,
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
            own: None,
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

    /// The span of the invocation itself, which calls to others name as their parent: in the trace
    /// of the hop, or in a new, unsampled one. It is the same each time for one id and start; `id`
    /// is the invocation's.
    #[must_use]
    pub fn own(&self, id: &str, started: Stamp) -> TraceContext {
        self.own
            .unwrap_or_else(|| TraceContext::new(self.context(), id, started))
    }

    /// Sets the span of the invocation itself, where it is recorded by others.
    pub fn set_own(&mut self, own: TraceContext) {
        self.own = Some(own);
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

    /// A span below `parent`, or the first one of a new trace. An invocation's id and start make it
    /// unique also in instances that were restored from one snapshot and share their random keys.
    fn new(parent: Option<Self>, id: &str, started: Stamp) -> Self {
        static KEYS: OnceLock<RandomState> = OnceLock::new();
        let keys = KEYS.get_or_init(RandomState::new);
        let number = |part: u8| {
            let mut hasher = keys.build_hasher();
            hasher.write(id.as_bytes());
            hasher.write_u128(started.realtime.as_nanos());
            hasher.write_u8(part);
            // Zero is no id.
            hasher.finish().max(1)
        };
        let trace_id = || u128::from(number(1)) << 64 | u128::from(number(2));
        Self {
            trace_id: parent.map_or_else(trace_id, |parent| parent.trace_id),
            span_id: number(0),
            flags: parent.map_or(0, |parent| parent.flags),
        }
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
    fn an_invocation_is_a_span_of_its_own_in_the_trace_of_its_hop() {
        let started = faas_sdk_scope::Instance::new().now();
        let hop = Trace::w3c(Some(VALID.into()), None);
        let own = hop.own("id", started);
        assert_eq!(own.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_ne!(own.span_id, 0x00f0_67aa_0ba9_02b7);
        assert_eq!((own.flags, own), (1, hop.own("id", started)));
        assert_ne!(own, hop.own("other", started));

        let none = Trace::default();
        let new = none.own("id", started);
        assert_eq!(new.flags, 0, "nobody records it");
        assert_ne!(new.trace_id, none.own("other", started).trace_id);
        assert_eq!(TraceContext::parse(&new.to_string()), Some(new));
    }

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
