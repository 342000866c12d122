use faas_sdk_core::Event;

/// Which events a function takes: `queue:orders` (kind and last segment of the source, `*` for any
/// source) or `ce:com.example.*` (the event's type, with `*` for any text).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subscription {
    Source { kind: String, name: String },
    Type(String),
}

const KINDS: &[&str] = &["queue", "topic", "stream", "timer", "object", "database"];

impl Subscription {
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        let form = "write `kind:name`, for example `queue:orders`, or `ce:type`, for example \
                    `ce:com.example.order.*`";
        let Some((kind, name)) = pattern.split_once(':') else {
            return Err(format!("the subscription `{pattern}` has no colon; {form}"));
        };
        if name.is_empty() {
            return Err(format!(
                "the subscription `{pattern}` names nothing; {form}"
            ));
        }
        match kind {
            "ce" => Ok(Self::Type(name.to_owned())),
            kind if KINDS.contains(&kind) => Ok(Self::Source {
                kind: kind.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(format!(
                "the subscription `{pattern}` is of no known kind: use one of {}, or ce",
                KINDS.join(", ")
            )),
        }
    }

    pub(crate) fn matches(&self, event: &Event) -> bool {
        match self {
            Self::Type(pattern) => glob(pattern.as_bytes(), event.r#type.as_bytes()),
            Self::Source { kind, name } => {
                event.kind.as_str() == kind && glob(name.as_bytes(), event.source_name().as_bytes())
            }
        }
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any text. Linear in both: after a
/// mismatch only the last star is tried again.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(byte) if *byte == text[read] => {
                at += 1;
                read += 1;
            }
            _ => match &mut star {
                Some((position, taken)) => {
                    *taken += 1;
                    (at, read) = (*position + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use faas_sdk_core::{Data, EventKind};

    fn event(kind: EventKind, source: &str, r#type: &str) -> Event {
        let mut event = Event::new("1", source, r#type, Data::Absent);
        event.kind = kind;
        event
    }

    #[test]
    fn patterns_match_kind_and_source_or_type() {
        let order = event(
            EventKind::Queue,
            "arn:aws:sqs:eu-west-1:1:orders",
            "com.example.paid",
        );
        for (pattern, fits) in [
            ("queue:orders", true),
            ("queue:*", true),
            ("queue:ord*s", true),
            ("queue:order", false),
            ("topic:orders", false),
            ("ce:com.example.*", true),
            ("ce:com.example", false),
            ("ce:*paid", true),
        ] {
            let subscription = Subscription::parse(pattern).expect(pattern);
            assert_eq!(subscription.matches(&order), fits, "{pattern}");
        }
    }

    #[test]
    fn bad_patterns_say_what_to_write() {
        for bad in ["orders", "queue:", "mail:me"] {
            let message = Subscription::parse(bad).expect_err(bad);
            assert!(message.contains(bad), "{message}");
        }
    }

    #[test]
    fn globs() {
        assert!(glob(b"a*b*c", b"a-b-b-c") && glob(b"***", b"") && glob(b"", b""));
        assert!(!glob(b"a*b", b"a-c") && !glob(b"", b"x") && !glob(b"ab", b"a"));
    }
}
