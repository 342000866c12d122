use faas_sdk_core::{Text, Trace};
use http::header::{self, HeaderMap, HeaderName};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::SystemTime;

/// The trace of the hop, from the headers `traceparent` and `tracestate`.
#[must_use]
pub fn trace(headers: &HeaderMap) -> Trace {
    // A repeated `traceparent` is invalid, and without it `tracestate` means nothing.
    let mut parents = headers.get_all("traceparent").iter();
    let (Some(parent), None) = (parents.next(), parents.next()) else {
        return Trace::default();
    };
    let states: Vec<_> = headers
        .get_all("tracestate")
        .iter()
        .filter_map(|state| state.to_str().ok())
        .collect();
    Trace::w3c(
        parent.to_str().ok().map(Text::from),
        (!states.is_empty()).then(|| states.join(",").into()),
    )
}

/// The id of a request: the value of the header `name` if it is 1 to 128 visible ASCII
/// characters, else a new one.
#[must_use]
pub fn request_id(headers: &HeaderMap, name: &str) -> Text {
    let given = headers.get(name).and_then(|value| value.to_str().ok());
    let sane =
        |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    given.filter(sane).map_or_else(new_id, Text::from)
}

/// A new id: 32 hexadecimal digits, unique but no secret.
#[must_use]
pub fn new_id() -> Text {
    // The keys are random for each thread and differ at each call; the time tells two instances
    // apart that were started from one snapshot.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanoseconds = now.unwrap_or_default().as_nanos();
    let half = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u128(nanoseconds);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(), half()).into()
}

/// Headers that belong to one hop, which is the HTTP server's to write.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    const MORE: [&str; 2] = ["keep-alive", "proxy-connection"];
    [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::TE,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
    ]
    .contains(name)
        || MORE.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(*name, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn a_sane_id_is_taken_over_and_others_are_replaced() {
        assert_eq!(
            request_id(&headers(&[("x-request-id", "a-1")]), "x-request-id"),
            "a-1"
        );
        for bad in ["", "a b", &"x".repeat(129)] {
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", bad.parse().expect("a value"));
            assert_eq!(request_id(&headers, "x-request-id").len(), 32);
        }
        let ids: HashSet<_> = (0..1000).map(|_| new_id()).collect();
        assert_eq!(ids.len(), 1000);
    }

    #[test]
    fn the_trace_is_that_of_one_valid_parent() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let found = trace(&headers(&[
            ("traceparent", parent),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
        ]));
        assert_eq!(
            found
                .context()
                .map(|context| context.to_string())
                .as_deref(),
            Some(parent)
        );
        assert_eq!(found.state(), Some("a=1,b=2"));
        let twice = trace(&headers(&[
            ("traceparent", parent),
            ("traceparent", parent),
        ]));
        assert!(twice.context().is_none());
        assert!(trace(&headers(&[("tracestate", "a=1")])).state().is_none());
    }
}
