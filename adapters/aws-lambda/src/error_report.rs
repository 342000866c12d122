//! Errors in the Runtime API's words.

use faas_sdk_core::{Error, ErrorKind};
use serde::Serialize;

/// An error as the Runtime API takes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorReport<'a> {
    error_message: &'a str,
    error_type: &'a str,
    stack_trace: Vec<String>,
}

/// The stable type: `Runtime.…` for what this runtime found, `Function.…` for what the function
/// said; the name is the error's code in camel case. The platform records other forms as unknown.
pub(crate) fn error_type(error: &Error) -> String {
    let side = match error.kind() {
        ErrorKind::ReplyTooLarge => return "Function.ResponseSizeTooLarge".to_owned(),
        ErrorKind::Timeout
        | ErrorKind::Cancelled
        | ErrorKind::Panic
        | ErrorKind::Protocol
        | ErrorKind::NotConfigured => "Runtime",
        _ => "Function",
    };
    format!(
        "{side}.{}",
        camel_case(error.code()).unwrap_or_else(|| error.kind().name().to_owned())
    )
}

/// `sold_out` as `SoldOut`; nothing but letters may come out of it.
fn camel_case(code: &str) -> Option<String> {
    let mut name = String::with_capacity(code.len());
    for word in code.split(['_', '-', '.', ' ']) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.extend(letters);
    }
    let letters = name.bytes().all(|byte| byte.is_ascii_alphabetic());
    (letters && (2..=64).contains(&name.len())).then_some(name)
}

/// The JSON body. The chain of causes and the place of a panic stand in `stackTrace`.
pub(crate) fn body(error: &Error, error_type: &str) -> Vec<u8> {
    let context = error
        .context()
        .iter()
        .map(|(name, value)| format!("{name}: {}", clipped(value)));
    let causes = error
        .causes()
        .map(|cause| format!("caused by: {}", clipped(&cause)));
    let report = ErrorReport {
        error_message: clipped(error.message()),
        error_type,
        stack_trace: context.chain(causes).take(MOST_LINES).collect(),
    };
    // Text serialises always.
    serde_json::to_vec(&report).unwrap_or_default()
}

/// The longest message, value or cause, and the most of them: a report that the platform refuses
/// for its size leaves the invocation without an answer.
const LONGEST: usize = 4 << 10;
const MOST_LINES: usize = 32;

fn clipped(text: &str) -> &str {
    let fits = (0..=LONGEST.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..fits.unwrap_or_default()]
}

#[derive(Serialize)]
struct Cause<'a> {
    working_directory: &'a str,
    exceptions: Vec<Exception<'a>>,
    paths: [&'a str; 0],
}

#[derive(Serialize)]
struct Exception<'a> {
    message: String,
    r#type: &'a str,
    stack: [(); 0],
}

/// The cause for X-Ray as a header value, plain ASCII; `None` if it would be too large: the
/// platform takes 64 KiB, and all headers together should stay far below that.
pub(crate) fn xray_cause(error: &Error, error_type: &str) -> Option<Vec<u8>> {
    const LIMIT: usize = 8 << 10;
    let exception = |message| Exception {
        message,
        r#type: error_type,
        stack: [],
    };
    let message = clipped(error.message()).to_owned();
    let messages = std::iter::once(message).chain(error.causes());
    let cause = Cause {
        working_directory: "/var/task",
        exceptions: messages.map(exception).collect(),
        paths: [],
    };
    let json = serde_json::to_string(&cause).ok()?;
    let mut ascii = String::with_capacity(json.len());
    let mut units = [0; 2];
    for letter in json.chars() {
        if letter.is_ascii() && letter != '\u{7f}' {
            ascii.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut units) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    (ascii.len() <= LIMIT).then(|| ascii.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_stable_and_of_the_platforms_form() {
        for (error, expected) in [
            (
                Error::from(ErrorKind::InvalidInput),
                "Function.InvalidInput",
            ),
            (Error::from(ErrorKind::Timeout), "Runtime.Timeout"),
            (Error::from(ErrorKind::Panic), "Runtime.Panic"),
            (
                Error::new(ErrorKind::Conflict, "x").with_code("sold_out"),
                "Function.SoldOut",
            ),
            (
                Error::new(ErrorKind::Conflict, "x").with_code("e42"),
                "Function.Conflict",
            ),
            (
                Error::new(ErrorKind::Conflict, "x").with_code("é"),
                "Function.Conflict",
            ),
        ] {
            assert_eq!(error_type(&error), expected);
        }
    }

    #[test]
    fn the_body_tells_the_causes_and_the_header_stays_ascii() {
        let error = Error::new(ErrorKind::Unavailable, "no \"store\"\n€😀")
            .with_source(std::io::Error::other("the disk is gone"))
            .with_context("store", "orders");
        let body: serde_json::Value = serde_json::from_slice(&body(&error, "T")).expect("JSON");
        assert_eq!(body["errorMessage"], "no \"store\"\n€😀");
        assert_eq!(body["stackTrace"][0], "store: orders");
        assert_eq!(body["stackTrace"][1], "caused by: the disk is gone");
        let cause = xray_cause(&error, "T").expect("a cause");
        assert!(cause.iter().all(|byte| (0x20..0x7f).contains(byte)));
        let cause: serde_json::Value = serde_json::from_slice(&cause).expect("JSON");
        assert_eq!(cause["exceptions"][0]["message"], "no \"store\"\n€😀");
        assert_eq!(cause["exceptions"][1]["message"], "the disk is gone");
        let long = Error::new(ErrorKind::Internal, "é".repeat(4 << 20))
            .with_source(std::io::Error::other("\u{0}".repeat(4 << 20)));
        let size = super::body(&long, "T").len();
        assert!(size < 64 << 10, "{size}");
        assert!(xray_cause(&Error::new(ErrorKind::Internal, "é".repeat(9000)), "T").is_none());
    }
}
