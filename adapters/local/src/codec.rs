use crate::listing;
use crate::reply;
use faas_sdk_cloudevents::Decoded;
use faas_sdk_core::{
    Attempt, Batch, BoxFuture, Data, Entry, EntryKind, Error, ErrorKind, Event, HttpRequest,
    HttpResponse, Info, Invocation, Item, Metadata, Outcome, Payload, Result, Text,
};
use faas_sdk_push::{Class, Codec, Situation, request_id, trace};
use faas_sdk_scope::Scope;
use http::Method;
use http::header::HeaderMap;
use http::request::Parts;
use std::time::Duration;

/// What a development server makes of a request.
pub(crate) struct Requests {
    entries: Vec<Entry>,
    timeout: Option<Duration>,
}

/// What has to be remembered of a request.
pub(crate) struct Call {
    what: What,
    /// As an error names it: `hello`, or `GET /items/1`.
    name: String,
    id: Text,
}

/// What a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// A direct call of a function with a payload.
    Function(Text),
    /// An HTTP request, to the routes or to this function.
    Http(Option<Text>),
    /// One or more CloudEvents.
    Events,
    /// Nothing is there.
    Nothing,
}

/// The code of the error for a request that hit nothing; the router's too.
const NO_ROUTE: &str = "no_route";

impl Requests {
    pub(crate) fn new(entries: Vec<Entry>, timeout: Option<Duration>) -> Self {
        Self { entries, timeout }
    }

    fn functions(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::Function(name) => Some(&**name),
            _ => None,
        })
    }

    fn has_routes(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| matches!(entry.kind, EntryKind::Route(..)))
    }

    /// `POST /<function>` is a call; CloudEvents are events wherever else they are posted; the
    /// rest is HTTP for the routes or, where there are none, for the function that the path names
    /// or that is the only one.
    fn what(&self, method: &Method, path: &str, headers: &HeaderMap) -> What {
        let named = path
            .strip_prefix('/')
            .and_then(|name| self.functions().find(|of| *of == name));
        let is_post = method == Method::POST;
        match named {
            Some(name) if is_post => return What::Function(name.into()),
            Some(name) if !self.has_routes() => return What::Http(Some(name.into())),
            _ => {}
        }
        if is_post && faas_sdk_cloudevents::is_cloud_event(headers) {
            return What::Events;
        }
        if self.has_routes() {
            return What::Http(None);
        }
        let mut functions = self.functions();
        match (path, functions.next(), functions.next()) {
            ("/", Some(only), None) if is_post => What::Function(only.into()),
            ("/", Some(only), None) => What::Http(Some(only.into())),
            _ => What::Nothing,
        }
    }
}

fn info(call: &Call, headers: &HeaderMap) -> Info {
    let mut info = Info::new(call.id.clone());
    info.platform = listing::PLATFORM;
    info.attempt = Attempt::number(1);
    info.trace = trace(headers);
    if let What::Function(name) | What::Http(Some(name)) = &call.what {
        info.function.called = Some(name.clone());
        info.function.name = Some(name.clone());
    }
    info
}

impl Codec for Requests {
    type Call = Call;

    fn classify(&self, head: &Parts, _: &Situation) -> Class<Call> {
        let path = head.uri.path();
        let what = self.what(&head.method, path, &head.headers);
        let name = match &what {
            What::Function(name) => name.to_string(),
            _ => format!("{} {path}", head.method),
        };
        let call = Call {
            what,
            name,
            id: request_id(&head.headers, "x-request-id"),
        };
        Class::Invoke {
            call,
            allowed: self.timeout,
        }
    }

    fn decode<'a>(
        &'a self,
        call: &'a mut Call,
        request: HttpRequest,
        scope: Scope,
    ) -> BoxFuture<'a, Result<Invocation>> {
        Box::pin(async move {
            let mut info = info(call, request.headers());
            let payload = match &call.what {
                What::Http(_) => Payload::Http(request),
                What::Function(name) => {
                    let (parts, body) = request.into_parts();
                    info.metadata = metadata(&parts.headers);
                    // The engine bounds the body.
                    let data = Data::Json(body.collect(usize::MAX).await?);
                    Event::invoke(info.id.clone(), name.clone(), data).into()
                }
                What::Events => {
                    let (parts, body) = request.into_parts();
                    info.metadata = metadata(&parts.headers);
                    let body = body.collect(usize::MAX).await?;
                    match faas_sdk_cloudevents::decode(&parts.headers, body)? {
                        Some(Decoded::Event(mut event)) => {
                            event.wants_reply = true;
                            event.into()
                        }
                        Some(Decoded::Batch(events)) => batch(events).into(),
                        None => return Err(Error::new(ErrorKind::InvalidInput, "no CloudEvent")),
                    }
                }
                What::Nothing => {
                    let message = format!("nothing answers {}", call.name);
                    return Err(Error::new(ErrorKind::NotFound, message).with_code(NO_ROUTE));
                }
            };
            Ok(Invocation {
                info,
                payload,
                scope,
            })
        })
    }

    fn id(&self, call: &Call) -> Option<Text> {
        Some(call.id.clone())
    }

    fn encode(&self, _: Call, outcome: Outcome) -> HttpResponse {
        match outcome {
            Ok(reply) => reply::response(reply),
            Err(error) => {
                let missed = error.code() == NO_ROUTE;
                reply::failure(&error, missed.then(|| listing::names(&self.entries)))
            }
        }
    }
}

/// The events of a batch; one that is no valid event is a failed item under its place in it.
fn batch(events: Vec<Result<Event>>) -> Batch<Event> {
    let item = |(index, data): (usize, Result<Event>)| {
        let id = data
            .as_ref()
            .map_or_else(|_| index.to_string().into(), |event| event.id.clone());
        Item {
            id,
            attempt: Attempt::number(1),
            data,
        }
    };
    Batch::unordered(events.into_iter().enumerate().map(item).collect())
}

/// The headers of a request whose payload does not carry them.
fn metadata(headers: &HeaderMap) -> Metadata {
    let mut metadata = Metadata::default();
    for (name, value) in headers {
        metadata.push(name.as_str(), value.as_bytes().to_vec());
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(entries: &[EntryKind]) -> Requests {
        Requests::new(entries.iter().cloned().map(Entry::new).collect(), None)
    }

    fn function(name: &str) -> EntryKind {
        EntryKind::Function(name.to_owned())
    }

    #[test]
    fn requests_are_told_apart() {
        let none = HeaderMap::new();
        let mut event = HeaderMap::new();
        event.insert("ce-specversion", "1.0".parse().expect(""));
        event.insert("ce-id", "1".parse().expect(""));
        let hello = What::Function("hello".into());

        let one = requests(&[function("hello")]);
        assert_eq!(one.what(&Method::POST, "/hello", &none), hello);
        assert_eq!(one.what(&Method::POST, "/hello", &event), hello);
        assert_eq!(one.what(&Method::POST, "/", &none), hello);
        assert_eq!(one.what(&Method::POST, "/", &event), What::Events);
        assert_eq!(
            one.what(&Method::GET, "/hello", &none),
            What::Http(Some("hello".into()))
        );
        assert_eq!(one.what(&Method::POST, "/helo", &none), What::Nothing);

        let two = requests(&[function("a"), function("b")]);
        assert_eq!(two.what(&Method::POST, "/", &none), What::Nothing);

        let route = EntryKind::Route(None, "/x".to_owned());
        let routed = requests(&[function("hello"), route]);
        assert_eq!(routed.what(&Method::POST, "/hello", &none), hello);
        assert_eq!(routed.what(&Method::GET, "/hello", &none), What::Http(None));
        assert_eq!(routed.what(&Method::POST, "/", &none), What::Http(None));
    }
}
