//! The calls of the Runtime API and the Extensions API.

/// A call a runtime or an extension can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Route {
    /// `GET /2018-06-01/runtime/invocation/next`
    Next,
    /// `POST /2018-06-01/runtime/invocation/{request-id}/response`
    Response,
    /// `POST /2018-06-01/runtime/invocation/{request-id}/error`
    Error,
    /// `POST /2018-06-01/runtime/init/error`
    InitError,
    /// `GET /2018-06-01/runtime/restore/next`
    RestoreNext,
    /// `POST /2018-06-01/runtime/restore/error`
    RestoreError,
    /// `GET /2018-06-01/ping`
    Ping,
    /// `POST /2020-01-01/extension/register`
    Register,
    /// `GET /2020-01-01/extension/event/next`
    ExtensionNext,
    /// `POST /2020-01-01/extension/init/error`
    ExtensionInitError,
    /// `POST /2020-01-01/extension/exit/error`
    ExtensionExitError,
}

/// What a request line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    Call(Route, Option<String>),
    WrongMethod,
    Unknown,
}

/// Finds the call of a request line; `prefix` has no trailing slash.
pub(super) fn resolve(prefix: &str, snap_start: bool, method: &str, target: &str) -> Match {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let Some(path) = path.strip_prefix(prefix) else {
        return Match::Unknown;
    };
    let (wanted, route, id) = if let Some(path) = path.strip_prefix("/2018-06-01") {
        match path {
            "/ping" => ("GET", Route::Ping, None),
            "/runtime/invocation/next" => ("GET", Route::Next, None),
            "/runtime/init/error" => ("POST", Route::InitError, None),
            "/runtime/restore/next" if snap_start => ("GET", Route::RestoreNext, None),
            "/runtime/restore/error" if snap_start => ("POST", Route::RestoreError, None),
            _ => match answered(path) {
                Some((route, id)) => ("POST", route, Some(id)),
                None => return Match::Unknown,
            },
        }
    } else if let Some(path) = path.strip_prefix("/2020-01-01/extension") {
        match path {
            "/register" => ("POST", Route::Register, None),
            "/event/next" => ("GET", Route::ExtensionNext, None),
            "/init/error" => ("POST", Route::ExtensionInitError, None),
            "/exit/error" => ("POST", Route::ExtensionExitError, None),
            _ => return Match::Unknown,
        }
    } else {
        return Match::Unknown;
    };
    if method == wanted {
        Match::Call(route, id)
    } else {
        Match::WrongMethod
    }
}

fn answered(path: &str) -> Option<(Route, String)> {
    let (id, call) = path.strip_prefix("/runtime/invocation/")?.split_once('/')?;
    let route = match call {
        "response" => Route::Response,
        "error" => Route::Error,
        _ => return None,
    };
    Some((route, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_resolve_below_the_prefix_only() {
        let next = "/2018-06-01/runtime/invocation/next";
        assert_eq!(
            resolve("", false, "GET", next),
            Match::Call(Route::Next, None)
        );
        assert_eq!(resolve("/f", false, "GET", next), Match::Unknown);
        assert_eq!(
            resolve("/f", false, "GET", &format!("/f{next}?a=b")),
            Match::Call(Route::Next, None)
        );
        assert_eq!(resolve("", false, "POST", next), Match::WrongMethod);
    }

    #[test]
    fn answers_carry_their_request_id() {
        let path = "/2018-06-01/runtime/invocation/a-1/response";
        assert_eq!(
            resolve("", false, "POST", path),
            Match::Call(Route::Response, Some("a-1".to_owned()))
        );
        let other = "/2018-06-01/runtime/invocation/a-1/other";
        assert_eq!(resolve("", false, "POST", other), Match::Unknown);
    }

    #[test]
    fn restore_exists_with_snap_start_only() {
        let path = "/2018-06-01/runtime/restore/next";
        assert_eq!(resolve("", false, "GET", path), Match::Unknown);
        assert_eq!(
            resolve("", true, "GET", path),
            Match::Call(Route::RestoreNext, None)
        );
    }
}
