//! What became of a request.

use super::protobuf::{Value, members};
use opentelemetry_http::Bytes;
use std::borrow::Cow;

/// How a receiver answered, or why it did not.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Status {
        status: u16,
        body: Bytes,
    },
    /// There was no answer.
    None(String),
}

/// What that means for what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    /// So many items were not taken, or none, and the receiver has something to say.
    TakenInPart {
        rejected: u64,
        message: String,
    },
    /// Sending it again may help.
    Later(Cow<'static, str>),
    /// Sending it again does not help.
    Never(Cow<'static, str>),
}

/// The longest message of a receiver that is told, in bytes.
const LONGEST: usize = 512;

impl Answer {
    /// Source: OTLP specification, "OTLP/HTTP response".
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::None(reason) => Verdict::Later(reason.clone().into()),
            Self::Status {
                status: 200..=299,
                body,
            } => taken(body),
            Self::Status { status, .. } if matches!(status, 429 | 502 | 503 | 504) => {
                Verdict::Later(format!("the receiver answered with status {status}").into())
            }
            Self::Status { status, body } => {
                // google.rpc.Status: 2 is the message.
                let reason = match bytes(body, 2).map(text).filter(|text| !text.is_empty()) {
                    Some(text) => format!("the receiver answered with status {status}: {text}"),
                    None => format!("the receiver answered with status {status}"),
                };
                Verdict::Never(reason.into())
            }
        }
    }
}

/// The answers for all signals are alike: 1 is the partial success, in which 1 is how many items
/// were rejected, and 2 why.
fn taken(body: &[u8]) -> Verdict {
    let Some(partial) = bytes(body, 1) else {
        return Verdict::Taken;
    };
    let rejected = members(partial).find_map(|member| match member {
        (1, Value::Number(number)) => i64::try_from(number).ok(),
        _ => None,
    });
    let rejected = rejected.map_or(0, i64::unsigned_abs);
    let message = bytes(partial, 2).map(text).unwrap_or_default();
    if rejected == 0 && message.is_empty() {
        Verdict::Taken
    } else {
        Verdict::TakenInPart { rejected, message }
    }
}

fn bytes(message: &[u8], wanted: u64) -> Option<&[u8]> {
    members(message).find_map(|member| match member {
        (number, Value::Bytes(bytes)) if number == wanted => Some(bytes),
        _ => None,
    })
}

/// The start of a text; what is none gives an empty one.
fn text(bytes: &[u8]) -> String {
    let text = str::from_utf8(bytes).unwrap_or_default();
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &'static [u8]) -> Verdict {
        let body = Bytes::from_static(body);
        Answer::Status { status, body }.verdict()
    }

    #[test]
    fn only_some_statuses_mean_later() {
        for status in [429, 502, 503, 504] {
            assert!(
                matches!(verdict(status, b"busy"), Verdict::Later(_)),
                "{status}"
            );
        }
        for status in [301, 400, 401, 404, 413, 500, 501] {
            assert!(
                matches!(verdict(status, b"no"), Verdict::Never(_)),
                "{status}"
            );
        }
        assert!(matches!(
            Answer::None("gone".into()).verdict(),
            Verdict::Later(_)
        ));
    }

    #[test]
    fn the_reason_for_a_refusal_is_read() {
        let reason = "the receiver answered with status 400: bad";
        assert_eq!(
            verdict(400, b"\x08\x03\x12\x03bad"),
            Verdict::Never(reason.into())
        );
        let reason = "the receiver answered with status 404";
        assert_eq!(verdict(404, b"<html>"), Verdict::Never(reason.into()));
        assert_eq!(
            verdict(404, b"\x12\x02\xff\xff"),
            Verdict::Never(reason.into())
        );
    }

    #[test]
    fn a_partial_success_is_read() {
        assert_eq!(verdict(200, b""), Verdict::Taken);
        assert_eq!(verdict(202, b"\x0a\x00"), Verdict::Taken);
        assert_eq!(verdict(200, b"{}"), Verdict::Taken);
        let part = |rejected, message: &str| Verdict::TakenInPart {
            rejected,
            message: message.to_owned(),
        };
        assert_eq!(verdict(200, b"\x0a\x02\x08\x02"), part(2, ""));
        assert_eq!(verdict(200, b"\x0a\x04\x12\x02hm"), part(0, "hm"));
        assert_eq!(verdict(200, b"\x0a\x06\x08\x02\x12\x02hm"), part(2, "hm"));
    }
}
