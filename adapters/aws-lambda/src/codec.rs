use crate::environment::{Environment, NAME};
use crate::{error_report, response, trace};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use faas_sdk_core::{
    Content, Data, Disposition, Error, ErrorKind, Event, Identity, Info, Invocation, Metadata,
    Outcome, Reply, Result, Text,
};
use faas_sdk_pull::{Codec, Endpoint, Head, PathPart, Polled, Report, RequestWriter, refusal};
use faas_sdk_scope::{Instance, Scope};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

const INVOCATION: &str = "/2018-06-01/runtime/invocation/";
const ERROR_TYPE: &str = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY: &str = "Lambda-Runtime-Function-Error-Body";

/// The largest buffered reply: 6 MiB and a little, as the platform's own emulator has it.
pub(crate) const MAX_REPLY: usize = (6 << 20) + 100;

/// The Runtime API, version 2018-06-01.
pub(crate) struct RuntimeApi {
    pub(crate) environment: Environment,
}

/// What is needed to answer an invocation.
pub(crate) struct Call {
    id: Text,
    /// Unique for each attempt, to be sent back unchanged.
    invocation_id: Option<Text>,
}

impl RuntimeApi {
    /// Starts the request with which an invocation is answered.
    fn answer<'o>(&self, out: &'o mut Vec<u8>, call: &Call, to: &'static str) -> RequestWriter<'o> {
        let path = [
            PathPart::Fixed(INVOCATION),
            PathPart::Segment(&call.id),
            PathPart::Fixed(to),
        ];
        let request = RequestWriter::new(out, "POST", self.endpoint(), &path);
        match &call.invocation_id {
            Some(id) => request.header("Lambda-Runtime-Invocation-Id", id.as_bytes()),
            None => request,
        }
    }

    fn content(&self, call: &Call, content: Content, out: &mut Vec<u8>) -> Result<Report> {
        let content_type = content.content_type.as_deref();
        match content.body.try_into_bytes() {
            Ok(body) => {
                let content_type = content_type.unwrap_or("application/json");
                // Nothing at all is not JSON; the platform's callers expect some.
                let body = if body.is_empty() {
                    Bytes::from_static(b"null")
                } else {
                    body
                };
                self.whole(call, content_type, body, out)
            }
            Err(body) => {
                let content_type = content_type.unwrap_or("application/octet-stream");
                self.stream_head(call, content_type, out);
                Ok(Report::Stream {
                    prelude: Bytes::new(),
                    body,
                })
            }
        }
    }

    fn whole(
        &self,
        call: &Call,
        content_type: &str,
        body: Bytes,
        out: &mut Vec<u8>,
    ) -> Result<Report> {
        if body.len() > MAX_REPLY {
            let message = format!(
                "the reply has {} bytes, and AWS Lambda carries {MAX_REPLY} unless it is streamed",
                body.len()
            );
            return Err(Error::new(ErrorKind::ReplyTooLarge, message));
        }
        let request = self.answer(out, call, "/response");
        let request = request.header("Content-Type", content_type.as_bytes());
        Ok(finish(request, body))
    }

    fn stream_head(&self, call: &Call, content_type: &str, out: &mut Vec<u8>) {
        self.answer(out, call, "/response")
            .header("Content-Type", content_type.as_bytes())
            .header("Lambda-Runtime-Function-Response-Mode", b"streaming")
            .chunked(&[ERROR_TYPE, ERROR_BODY]);
    }

    fn error(&self, call: &Call, error: &Error, out: &mut Vec<u8>) -> Report {
        write_error(self.answer(out, call, "/error"), error)
    }
}

/// A small body goes out with the head in one write; a large one is not copied.
fn finish(request: RequestWriter<'_>, body: Bytes) -> Report {
    const SMALL: usize = 16 << 10;
    if body.len() <= SMALL {
        request.body(&body);
        Report::Whole
    } else {
        request.length(body.len());
        Report::Bytes(body)
    }
}

fn write_error(request: RequestWriter<'_>, error: &Error) -> Report {
    let error_type = error_report::error_type(error);
    let mut request = request
        .header("Content-Type", b"application/vnd.aws.lambda.error+json")
        .header(ERROR_TYPE, error_type.as_bytes());
    if let Some(cause) = error_report::xray_cause(error, &error_type) {
        request = request.header("Lambda-Runtime-Function-XRay-Error-Cause", &cause);
    }
    finish(request, error_report::body(error, &error_type).into())
}

impl Codec for RuntimeApi {
    type Call = Call;

    fn endpoint(&self) -> &Arc<Endpoint> {
        &self.environment.endpoint
    }

    fn next(&self, out: &mut Vec<u8>) {
        let path = [PathPart::Fixed(INVOCATION), PathPart::Fixed("next")];
        RequestWriter::new(out, "GET", self.endpoint(), &path).end();
    }

    fn polled(&self, head: &Head, body: &[u8]) -> Polled {
        let refused = || refusal("the poll for the next invocation", head, body);
        match head.status() {
            200 => Polled::Invocation,
            // "Container error. Non-recoverable state. Runtime should exit promptly."
            500 => Polled::Fatal(refused()),
            _ => Polled::Again(refused()),
        }
    }

    fn call(&self, head: &Head) -> Result<Call> {
        let Some(id) = text(head, "Lambda-Runtime-Aws-Request-Id")? else {
            let message = "the platform sent an invocation without Lambda-Runtime-Aws-Request-Id";
            return Err(Error::new(ErrorKind::Protocol, message));
        };
        Ok(Call {
            id,
            invocation_id: text(head, "Lambda-Runtime-Invocation-Id")?,
        })
    }

    fn id<'c>(&self, call: &'c Call) -> &'c str {
        &call.id
    }

    fn decode(
        &self,
        call: &Call,
        head: &Head,
        body: Bytes,
        instance: &Arc<Instance>,
    ) -> Result<Invocation> {
        let mut info = Info::new(call.id.clone());
        info.platform = NAME;
        info.function.handler.clone_from(&self.environment.handler);
        info.function.name.clone_from(&self.environment.name);
        info.function.version.clone_from(&self.environment.version);
        info.function.resource = text(head, "Lambda-Runtime-Invoked-Function-Arn")?;
        info.tenant = text(head, "Lambda-Runtime-Aws-Tenant-Id")?;
        info.client_context = text(head, "Lambda-Runtime-Client-Context")?;
        info.identity = text(head, "Lambda-Runtime-Cognito-Identity")?.map(|claims| Identity {
            provider: "cognito",
            claims,
        });
        if let Some(header) = text(head, "Lambda-Runtime-Trace-Id")? {
            info.trace = trace::read(header);
        }
        info.metadata = metadata(head);
        let scope = scope(head, instance);
        let source = info
            .function
            .resource
            .clone()
            .unwrap_or_else(|| NAME.into());
        let mut event = Event::invoke(call.id.clone(), source, Data::Absent);
        event.content_type = text(head, "Content-Type")?;
        let is_json = event
            .content_type
            .as_deref()
            .is_none_or(|essence| essence.contains("json"));
        event.data = if is_json {
            Data::Json(body)
        } else {
            Data::Bytes(body)
        };
        Ok(Invocation {
            info,
            payload: event.into(),
            scope,
        })
    }

    fn report(&self, call: &Call, outcome: Outcome, out: &mut Vec<u8>) -> Result<Report> {
        match outcome {
            Ok(Reply::Content(content)) => self.content(call, content, out),
            Ok(Reply::Http(http)) => {
                let (parts, body) = http.into_parts();
                match body.try_into_bytes() {
                    Ok(body) => {
                        let json = response::whole(&parts, &body)?;
                        self.whole(call, "application/json", json.into(), out)
                    }
                    Err(body) => {
                        let prelude = response::prelude(&parts)?;
                        self.stream_head(call, response::HTTP_INTEGRATION, out);
                        Ok(Report::Stream { prelude, body })
                    }
                }
            }
            Ok(Reply::Batch(items)) => {
                let json = response::batch(&items)?;
                self.whole(call, "application/json", json.into(), out)
            }
            Ok(other) => {
                let what = if matches!(other, Reply::Event(_)) {
                    "an event"
                } else {
                    "this reply"
                };
                let message = format!("{what} can't be the answer on AWS Lambda: return its data");
                Err(Error::new(ErrorKind::Unsupported, message))
            }
            // The only way to have an event forgotten is to call it done.
            Err(error) if matches!(error.disposition(), Disposition::Ack | Disposition::Drop) => {
                self.whole(call, "application/json", Bytes::from_static(b"null"), out)
            }
            Err(error) => Ok(self.error(call, &error, out)),
        }
    }

    fn trailers(&self, error: &Error) -> Option<Vec<(&'static str, Vec<u8>)>> {
        let error_type = error_report::error_type(error);
        let body = STANDARD.encode(error_report::body(error, &error_type));
        Some(vec![
            (ERROR_TYPE, error_type.into_bytes()),
            (ERROR_BODY, body.into_bytes()),
        ])
    }

    fn init_error(&self, error: &Error, out: &mut Vec<u8>) -> bool {
        let path = [PathPart::Fixed("/2018-06-01/runtime/init/error")];
        let request = RequestWriter::new(out, "POST", self.endpoint(), &path);
        match write_error(request, error) {
            Report::Bytes(body) => out.extend_from_slice(&body),
            Report::Whole | Report::Stream { .. } => {}
        }
        true
    }
}

fn text(head: &Head, name: &str) -> Result<Option<Text>> {
    head.text(name)
        .map_err(|error| Error::new(ErrorKind::Protocol, error.to_string()))
}

/// The scope of an invocation, with the deadline the platform names.
fn scope(head: &Head, instance: &Arc<Instance>) -> Scope {
    let name = "Lambda-Runtime-Deadline-Ms";
    let Some(value) = head.get(name).filter(|value| !value.is_empty()) else {
        return Scope::new(instance, None);
    };
    let number = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let deadline = number.and_then(|number| UNIX_EPOCH.checked_add(Duration::from_millis(number)));
    let Some(deadline) = deadline else {
        tracing::warn!(
            header = name,
            "the deadline is no time: the invocation runs without one"
        );
        return Scope::new(instance, None);
    };
    Scope::arrived(instance, deadline)
}

/// All headers but those of the exchange itself.
fn metadata(head: &Head) -> Metadata {
    const EXCHANGE: [&str; 5] = [
        "content-length",
        "transfer-encoding",
        "connection",
        "date",
        "keep-alive",
    ];
    let (raw, spans) = head.spans();
    let mut kept = Vec::with_capacity(head.len());
    kept.extend(spans.filter(|(name, _)| {
        let name = &raw[name.start as usize..name.end as usize];
        !EXCHANGE
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own.as_bytes()))
    }));
    Metadata::from_spans(raw, kept)
}
