//! What errors of the client mean.

use crate::error::{Error, ErrorKind};
use crate::tls;
use deadpool_redis::redis::{ErrorKind as Kind, RedisError, ServerErrorKind as Server};
use std::time::Duration;

/// What a failed request tells about its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server answered: the link is well.
    Answered,
    /// The server is not the primary any longer.
    Demoted,
    /// The link broke.
    Broken,
}

pub(crate) fn of(error: &RedisError) -> Fault {
    match error.kind() {
        Kind::Io | Kind::Parse | Kind::ClusterConnectionNotFound => Fault::Broken,
        Kind::Server(Server::ReadOnly) => Fault::Demoted,
        _ => Fault::Answered,
    }
}

/// A request that failed.
pub(crate) fn request(error: RedisError) -> Error {
    let (kind, code) = (kind(&error), code(&error));
    let text = match (kind, &code) {
        (ErrorKind::Unavailable, Some(code)) => format!("Redis cannot serve for now: {code}"),
        (ErrorKind::Unavailable, None) => "the connection to Redis broke".to_owned(),
        (ErrorKind::Refused, Some(code)) => format!("Redis refused with {code}"),
        (ErrorKind::Refused, None) => "Redis refused".to_owned(),
        (ErrorKind::Config, _) => "the request cannot be sent as it is".to_owned(),
        (ErrorKind::Protocol, _) => "the answer of Redis was not understood".to_owned(),
    };
    Error::because(kind, code, text, Some(error))
}

/// Connecting that failed.
pub(crate) fn connecting(target: &str, error: RedisError) -> Error {
    let (kind, code) = if is_login(&error) {
        (ErrorKind::Refused, Some("WRONGPASS".into()))
    } else if tls::is_untrusted(&error) {
        (ErrorKind::Config, None)
    } else {
        (kind(&error), code(&error))
    };
    let hint = match (kind, &code) {
        (ErrorKind::Refused, Some(code)) if &**code == "WRONGPASS" => {
            ": the login was refused; check `username` and `password`, or what the URL has instead"
        }
        (ErrorKind::Refused, _) => {
            ": it was refused; check `database`, `username` and `password`, and the rights of the user"
        }
        (ErrorKind::Config, _) => {
            ": its certificate, or the URL, cannot be used; check that `tls_ca` (if not set: a public authority) has signed a certificate for the host of the URL"
        }
        (ErrorKind::Protocol, _) => {
            ": check that it is Redis or Valkey, and whether it wants `rediss`"
        }
        _ if error.kind() == Kind::MasterNameNotFoundBySentinel => {
            ": check that the sentinels know `service`"
        }
        _ => "",
    };
    let text = format!("cannot connect to Redis at {target}{hint}");
    // Some servers repeat what they do not understand, and that may be the login.
    let repeats = matches!(error.kind(), Kind::Server(_) | Kind::Extension) || is_login(&error);
    Error::because(kind, code, text, (!repeats).then_some(error))
}

/// A connection that was not there in time.
pub(crate) fn not_connected(target: &str, waited: Duration) -> Error {
    let waited = waited.as_millis();
    let text = format!("no connection to Redis at {target} within {waited} ms");
    Error::new(ErrorKind::Unavailable, text)
}

/// An answer that did not come in time.
pub(crate) fn not_answered(waited: Duration) -> Error {
    let waited = waited.as_millis();
    let text = format!(
        "Redis did not answer within {waited} ms, the caller's limit or else `command_timeout`"
    );
    Error::new(ErrorKind::Unavailable, text)
}

fn kind(error: &RedisError) -> ErrorKind {
    match error.kind() {
        Kind::Server(
            Server::BusyLoading | Server::ClusterDown | Server::MasterDown | Server::TryAgain,
        ) => ErrorKind::Unavailable,
        Kind::Server(_) | Kind::Extension => ErrorKind::Refused,
        Kind::Client | Kind::InvalidClientConfig => ErrorKind::Config,
        Kind::Parse | Kind::UnexpectedReturnType => ErrorKind::Protocol,
        _ => ErrorKind::Unavailable,
    }
}

/// The first word of the server's answer.
fn code(error: &RedisError) -> Option<Box<str>> {
    if !matches!(error.kind(), Kind::Server(_) | Kind::Extension) {
        return None;
    }
    let code = error.code().map(Into::into);
    code.or_else(|| {
        let errors = error.clone().into_server_errors()?;
        errors.first().map(|(_, error)| error.code().into())
    })
}

fn is_login(error: &RedisError) -> bool {
    match error.kind() {
        Kind::AuthenticationFailed => true,
        // A cluster tells of its first connects in words.
        Kind::Io => error
            .detail()
            .is_some_and(|told| told.contains("AuthenticationFailed")),
        _ => matches!(error.code(), Some("WRONGPASS" | "NOAUTH")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deadpool_redis::redis::parse_redis_value;

    fn answer(line: &str) -> RedisError {
        let value = parse_redis_value(line.as_bytes()).expect("a reply");
        value.extract_error().expect_err("an error")
    }

    #[test]
    fn refusals_are_told_by_their_first_word() {
        for (line, kind, code) in [
            ("-OOM command not allowed\r\n", ErrorKind::Refused, "OOM"),
            ("-READONLY You can't\r\n", ErrorKind::Refused, "READONLY"),
            ("-WRONGTYPE Operation\r\n", ErrorKind::Refused, "WRONGTYPE"),
            ("-ERR unknown\r\n", ErrorKind::Refused, "ERR"),
            ("-LOADING Redis is\r\n", ErrorKind::Unavailable, "LOADING"),
        ] {
            let error = request(answer(line));
            assert_eq!((error.kind(), error.code()), (kind, Some(code)));
            assert!(error.to_string().contains(code));
        }
    }

    #[test]
    fn what_a_server_says_of_a_login_is_not_repeated() {
        let error = answer("-ERR unknown command `AUTH`, with args beginning with: `hunter2`\r\n");
        let error = connecting("host:1", error);
        assert!(!format!("{error:?} {error}").contains("hunter2"));
        assert_eq!(error.code(), Some("ERR"));
    }
}
