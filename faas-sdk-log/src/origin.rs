use crate::encode;
use crate::profile::{Layout, Profile};
use crate::rules::ID;
use std::borrow::Cow;

/// What is the same in all lines of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The service the function belongs to. Default: the function's name.
    pub service: Option<Cow<'static, str>>,
    /// The stage it runs in: `prod`, `pre`, ….
    pub env: Option<Cow<'static, str>>,
    /// The deployed function.
    pub function: Option<Cow<'static, str>>,
    /// Its version.
    pub function_version: Option<Cow<'static, str>>,
    /// The platform, an open list: `aws-lambda`, `local`, ….
    pub platform: Option<Cow<'static, str>>,
    /// The region.
    pub region: Option<Cow<'static, str>>,
    /// The execution environment, container or machine.
    pub instance: Option<Cow<'static, str>>,
}

impl Origin {
    /// All but the function, which an invocation may have of its own.
    fn others(&self) -> [Option<&str>; 6] {
        [
            &self.service,
            &self.env,
            &self.function_version,
            &self.platform,
            &self.region,
            &self.instance,
        ]
        .map(known)
    }
}

/// The facts of one invocation, as they stand in its lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ids<'a> {
    pub(crate) request_id: &'a str,
    /// Trace id, span id, flags.
    pub(crate) trace: Option<(u128, u64, u8)>,
    pub(crate) cold_start: bool,
    pub(crate) function: Option<&'a str>,
}

/// The parts of a line that an invocation, or the process, renders once: what stands before the
/// sequence number, and what stands behind it. Each member ends with a comma.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    pub(crate) ids: Vec<u8>,
    pub(crate) origin: Vec<u8>,
    /// Whether there is a member `function`.
    pub(crate) has_function: bool,
    /// Bytes of ids and names that were left out.
    pub(crate) removed: usize,
}

impl Block {
    /// What lines outside of any invocation carry.
    pub(crate) fn of_process(profile: &Profile, origin: &Origin, project: Option<&str>) -> Self {
        Self::new(profile, origin, None, project)
    }

    pub(crate) fn of_invocation(
        profile: &Profile,
        origin: &Origin,
        ids: &Ids<'_>,
        project: Option<&str>,
    ) -> Self {
        Self::new(profile, origin, Some(ids), project)
    }

    fn new(
        profile: &Profile,
        origin: &Origin,
        ids: Option<&Ids<'_>>,
        project: Option<&str>,
    ) -> Self {
        let mut block = Self {
            ids: Vec::with_capacity(256),
            origin: Vec::with_capacity(256),
            ..Self::default()
        };
        let function = ids
            .and_then(|ids| ids.function)
            .filter(|function| !function.is_empty())
            .or(known(&origin.function));
        block.has_function = function.is_some();
        let id = ids.map(|ids| ids.request_id);
        block.removed = [id, function]
            .into_iter()
            .chain(origin.others())
            .flatten()
            .map(|name| name.len() - name.floor_char_boundary(ID))
            .sum();
        match profile.layout {
            Layout::Json(spelling) if spelling.google => {
                block.google(origin, ids, function, project);
            }
            Layout::Json(_) => block.standard(profile, origin, ids, function),
            Layout::Pretty => {
                if let Some(ids) = ids {
                    let id = ids.request_id.as_bytes();
                    let kept = ids.request_id.floor_char_boundary(ID);
                    block
                        .ids
                        .extend_from_slice(id.get(..kept).unwrap_or_default());
                }
            }
        }
        block
    }

    /// Whether this JSON text is the request id that stands here.
    pub(crate) fn names(&self, request_id: &[u8]) -> bool {
        const KEY: &[u8] = b"\"request_id\":";
        match memchr::memmem::find(&self.ids, KEY) {
            Some(at) => self
                .ids
                .get(at + KEY.len()..)
                .is_some_and(|rest| rest.starts_with(request_id)),
            // Lines for people have it as it is.
            None => request_id.get(1..request_id.len().saturating_sub(1)) == Some(&self.ids),
        }
    }

    fn standard(
        &mut self,
        profile: &Profile,
        origin: &Origin,
        ids: Option<&Ids<'_>>,
        function: Option<&str>,
    ) {
        let out = &mut self.ids;
        if let Some(ids) = ids {
            encode::key(out, "request_id");
            text(out, ids.request_id);
            if let Some((trace, _, flags)) = ids.trace {
                encode::key(out, "trace_id");
                hex(out, trace, 32);
                if profile.xray {
                    xray(out, trace);
                }
                encode::key(out, "trace_flags");
                hex(out, flags.into(), 2);
            }
            encode::key(out, "cold_start");
            out.extend_from_slice(if ids.cold_start { b"true," } else { b"false," });
            if let Some((_, span, _)) = ids.trace {
                encode::key(out, "span_id");
                hex(out, span.into(), 16);
            }
        }
        let out = &mut self.origin;
        out.extend_from_slice(b"\"v\":1,");
        member(out, "service", known(&origin.service).or(function));
        member(out, "env", known(&origin.env));
        member(out, "function", function);
        member(out, "function_version", known(&origin.function_version));
        member(out, "platform", known(&origin.platform));
        member(out, "region", known(&origin.region));
        member(out, "instance", known(&origin.instance));
    }

    fn google(
        &mut self,
        origin: &Origin,
        ids: Option<&Ids<'_>>,
        function: Option<&str>,
        project: Option<&str>,
    ) {
        const PREFIX: &str = "logging.googleapis.com/";
        let mut labels = Vec::new();
        if let Some(ids) = ids {
            encode::key(&mut labels, "request_id");
            text(&mut labels, ids.request_id);
            let cold = if ids.cold_start { "true" } else { "false" };
            member(&mut labels, "cold_start", Some(cold));
        }
        for (key, value) in [
            ("env", known(&origin.env)),
            ("function", function),
            ("function_version", known(&origin.function_version)),
            ("platform", known(&origin.platform)),
            ("region", known(&origin.region)),
            ("instance", known(&origin.instance)),
        ] {
            member(&mut labels, key, value);
        }
        let out = &mut self.ids;
        if labels.pop().is_some() {
            raw_key(out, PREFIX, "labels");
            out.push(b'{');
            out.extend_from_slice(&labels);
            out.extend_from_slice(b"},");
        }
        if let Some((trace, span, flags)) = ids.and_then(|ids| ids.trace) {
            let name = match project {
                Some(project) => format!("projects/{project}/traces/{trace:032x}"),
                None => format!("{trace:032x}"),
            };
            raw_key(out, PREFIX, "trace");
            text(out, &name);
            raw_key(out, PREFIX, "spanId");
            hex(out, span.into(), 16);
            raw_key(out, PREFIX, "trace_sampled");
            out.extend_from_slice(if flags & 1 == 1 { b"true," } else { b"false," });
        }
        let out = &mut self.origin;
        out.extend_from_slice(b"\"v\":1,");
        if let Some(service) = known(&origin.service).or(function) {
            encode::key(out, "serviceContext");
            out.push(b'{');
            member(out, "service", Some(service));
            member(out, "version", known(&origin.function_version));
            out.pop();
            out.extend_from_slice(b"},");
        }
    }
}

/// A name that says nothing is none.
fn known<'a>(name: &'a Option<Cow<'static, str>>) -> Option<&'a str> {
    name.as_deref().filter(|name| !name.is_empty())
}

fn member(out: &mut Vec<u8>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        encode::key(out, key);
        text(out, value);
    }
}

fn text(out: &mut Vec<u8>, value: &str) {
    encode::string(out, value, ID);
    out.push(b',');
}

/// A number in so many hexadecimal digits, as a text.
fn hex(out: &mut Vec<u8>, number: u128, digits: u32) {
    out.push(b'"');
    push_hex(out, number, digits);
    out.extend_from_slice(b"\",");
}

fn push_hex(out: &mut Vec<u8>, number: u128, digits: u32) {
    for place in (0..digits).rev() {
        let digit = (number >> (place * 4) & 0xf) as u8;
        out.push(if digit < 10 { b'0' } else { b'a' - 10 } + digit);
    }
}

/// `1-<8 digits of time>-<24 digits>`.
fn xray(out: &mut Vec<u8>, trace: u128) {
    out.extend_from_slice(b"\"xray_trace_id\":\"1-");
    push_hex(out, trace >> 96, 8);
    out.push(b'-');
    push_hex(out, trace, 24);
    out.extend_from_slice(b"\",");
}

/// A key with characters that keys of fields may not have.
fn raw_key(out: &mut Vec<u8>, prefix: &str, name: &str) {
    out.push(b'"');
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}
