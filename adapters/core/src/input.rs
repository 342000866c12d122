use crate::{
    Batch, Body, Data, Error, ErrorKind, Event, Invocation, Item, Loose, Payload, Result, Text,
};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An HTTP request with its body. Everything the platform sent is in it: the path and query as
/// they were, header values as bytes, repeated headers in their order.
pub type HttpRequest = http::Request<Body>;

/// The path parameters of the matched route, decoded, in the extensions of an [`HttpRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathParameters(Vec<(Text, Text)>);

impl PathParameters {
    /// The value of this parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| &**value)
    }

    /// All parameters, in the order of the path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl<N: Into<Text>, V: Into<Text>> FromIterator<(N, V)> for PathParameters {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(parameters: I) -> Self {
        let parameters = parameters.into_iter();
        Self(
            parameters
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// The untouched event of the platform, decoded as `T`: for platform types that have no neutral
/// form.
#[derive(Clone, Debug)]
pub struct Raw<T>(pub T);

/// How a handler's input is made of an invocation.
///
/// `M` tells the ways apart and is always inferred:
///
/// | Input | From |
/// |---|---|
/// | `T: Deserialize` | an event: its JSON data; an HTTP request: the JSON (or form) body's object, then the query, then the path parameters, the later winning |
/// | [`HttpRequest`] | an HTTP request, with a streamed body |
/// | [`Event`] | an event |
/// | [`Batch<T>`] | several events, each decoded on its own; one event is a batch of one |
/// | [`Raw<T>`] | the platform's own event, untouched |
/// | [`Payload`] | whatever came |
///
/// Where nothing came, or `{}`, the unit type `()` and `Option` decode too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the input of a function",
    label = "not an input",
    note = "an input implements `serde::Deserialize` and owns its data (`#[derive(Deserialize)]`), or is `HttpRequest`, `Event`, `Batch<T>`, `Raw<T>` or `Payload`"
)]
pub trait FromEvent<M>: Sized + Send {
    /// Whether the input takes a batch whole; otherwise the handler runs once for each item.
    const WHOLE_BATCH: bool = false;

    /// An example of the JSON it is made of, for people who try a function out; `None` if there is
    /// no telling.
    #[must_use]
    fn example() -> Option<String> {
        None
    }

    /// Takes the payload out of the invocation and decodes it.
    fn from_event(invocation: &mut Invocation) -> impl Future<Output = Result<Self>> + Send;
}

/// Marks inputs and outputs that go through `serde` and JSON.
#[derive(Debug)]
pub enum ViaJson {}
/// Marks HTTP requests.
#[derive(Debug)]
pub enum ViaHttp {}
/// Marks events.
#[derive(Debug)]
pub enum ViaEvent {}
/// Marks untouched platform events.
#[derive(Debug)]
pub enum ViaRaw {}
/// Marks whole payloads.
#[derive(Debug)]
pub enum ViaInvocation {}
/// Marks batches of inputs that are marked `M`.
#[derive(Debug)]
pub struct ViaBatch<M>(std::marker::PhantomData<M>);

/// No engine lets more than its limit through; this bounds what a handler holds when a layer has
/// put another body in place.
const MAX_BODY: usize = 256 << 20;

impl<T: DeserializeOwned + Send> FromEvent<ViaJson> for T {
    fn example() -> Option<String> {
        crate::example::of::<T>()
    }

    async fn from_event(invocation: &mut Invocation) -> Result<Self> {
        match invocation.payload.take() {
            Payload::Empty => from_json(&[]),
            Payload::Event(event) => match event.data {
                Data::Text(text) => from_loose(|| Ok(Loose::Text(text.to_string()))),
                data => from_json(data.as_bytes()),
            },
            Payload::Http(request) => {
                let (parts, body) = request.into_parts();
                let input = from_http(&parts, &body.collect(MAX_BODY).await?);
                invocation.info.http = Some(Box::new(parts));
                input
            }
            Payload::Batch(_) => Err(unfit("one event", "a batch")),
        }
    }
}

impl FromEvent<ViaHttp> for HttpRequest {
    async fn from_event(invocation: &mut Invocation) -> Result<Self> {
        match invocation.payload.take() {
            Payload::Http(request) => Ok(request),
            other => Err(unfit("an HTTP request", other.name())),
        }
    }
}

impl FromEvent<ViaEvent> for Event {
    async fn from_event(invocation: &mut Invocation) -> Result<Self> {
        match invocation.payload.take() {
            Payload::Event(event) => Ok(*event),
            other => Err(unfit("an event", other.name())),
        }
    }
}

impl<T: DeserializeOwned + Send> FromEvent<ViaRaw> for Raw<T> {
    async fn from_event(invocation: &mut Invocation) -> Result<Self> {
        match invocation.payload.take() {
            Payload::Event(event) => {
                let raw = event
                    .raw
                    .as_deref()
                    .unwrap_or_else(|| event.data.as_bytes());
                from_json(raw).map(Self)
            }
            other => Err(unfit("an event", other.name())),
        }
    }
}

impl FromEvent<ViaInvocation> for Payload {
    const WHOLE_BATCH: bool = true;

    async fn from_event(invocation: &mut Invocation) -> Result<Self> {
        Ok(invocation.payload.take())
    }
}

impl<T: FromEvent<M>, M> FromEvent<ViaBatch<M>> for Batch<T> {
    const WHOLE_BATCH: bool = true;

    fn example() -> Option<String> {
        T::example()
    }

    async fn from_event(invocation: &mut Invocation) -> Result<Self> {
        let batch = match invocation.payload.take() {
            Payload::Batch(batch) => batch,
            Payload::Event(event) => Batch::unordered(vec![Item {
                id: event.id.clone(),
                attempt: invocation.info.attempt.clone(),
                data: Ok(*event),
            }]),
            other => return Err(unfit("a batch of events", other.name())),
        };
        let mut items = Vec::with_capacity(batch.items.len());
        for item in batch.items {
            let data = match item.data {
                Ok(event) => {
                    let mut one = Invocation {
                        info: invocation.info.clone(),
                        payload: event.into(),
                        scope: invocation.scope.clone(),
                    };
                    T::from_event(&mut one).await
                }
                Err(error) => Err(error),
            };
            items.push(Item {
                id: item.id,
                attempt: item.attempt,
                data,
            });
        }
        Ok(Self {
            items,
            ordered: batch.ordered,
        })
    }
}

impl Payload {
    fn name(&self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Http(_) => "an HTTP request",
            Self::Event(_) => "an event",
            Self::Batch(_) => "a batch",
        }
    }
}

fn unfit(wanted: &str, came: &str) -> Error {
    let message = format!("this function takes {wanted}, but {came} came");
    Error::new(ErrorKind::InvalidInput, message)
}

/// Decodes JSON text. Where it is empty or `{}`, whatever decodes from `null` does too.
fn from_json<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let error = match serde_json::from_slice(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let trimmed = text.trim_ascii();
    let stand_ins: &[&str] = match trimmed {
        b"" => &["null", "{}"],
        b"{}" => &["null"],
        _ => &[],
    };
    for stand_in in stand_ins {
        if let Ok(value) = serde_json::from_str(stand_in) {
            return Ok(value);
        }
    }
    if trimmed.is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, "the input is empty"));
    }
    // The path costs a second pass, which only failures pay for.
    let mut text = serde_json::Deserializer::from_slice(text);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut text) {
        Ok(_) => return Err(invalid("", error)),
        Err(error) => error,
    };
    let path = error.path().to_string();
    Err(invalid(
        if matches!(&*path, "." | "?") {
            ""
        } else {
            &path
        },
        error.into_inner(),
    ))
}

fn from_loose<T: DeserializeOwned>(build: impl Fn() -> Result<Loose>) -> Result<T> {
    match T::deserialize(build()?) {
        Ok(value) => Ok(value),
        Err(error) => match build()?.decode::<T>() {
            Ok(_) => Err(invalid("", error)),
            Err((path, error)) => Err(invalid(&path, error)),
        },
    }
}

fn invalid(path: &str, error: serde_json::Error) -> Error {
    if error.is_syntax() || error.is_eof() {
        return Error::new(
            ErrorKind::InvalidInput,
            format!("the input is not JSON: {}", clipped(error.to_string())),
        );
    }
    let text = clipped(error.to_string());
    let message = if path.is_empty() {
        format!("invalid input: {text}")
    } else {
        format!("invalid input at `{path}`: {text}")
    };
    // The path ends at the object; the field that it lacks stands in the text alone.
    let missing = text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    let field = match (path, missing) {
        ("", None) => None,
        (path, None) => Some(path.to_owned()),
        ("", Some(missing)) => Some(missing.to_owned()),
        (path, Some(missing)) => Some(format!("{path}.{missing}")),
    };
    let error = Error::new(ErrorKind::InvalidInput, message);
    match field {
        Some(field) => error.with_context("field", field),
        None => error,
    }
}

/// Decoders quote what they do not like; the caller decides how long that is.
fn clipped(mut text: String) -> String {
    const MOST: usize = 300;
    if text.len() > MOST {
        let end = (0..=MOST)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or_default();
        text.truncate(end);
        text.push('…');
    }
    text
}

fn from_http<T: DeserializeOwned>(parts: &http::request::Parts, body: &Bytes) -> Result<T> {
    let query = parts.uri.query().unwrap_or_default();
    let path = parts.extensions.get::<PathParameters>();
    let form = match media_type(parts) {
        _ if body.is_empty() => false,
        None => false,
        Some(media_type) if is_json(&media_type) => false,
        Some(media_type) if media_type == "application/x-www-form-urlencoded" => true,
        Some(media_type) => {
            let message = format!("the body is `{media_type}`, send `application/json`");
            return Err(Error::new(ErrorKind::UnsupportedMediaType, message));
        }
    };
    if !form && query.is_empty() && path.is_none_or(|path| path.0.is_empty()) {
        return from_json(body);
    }
    let object = if form || body.trim_ascii().is_empty() {
        serde_json::Map::new()
    } else {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => object,
            // Only an object can be joined with parameters.
            _ => return from_json(body),
        }
    };
    from_loose(|| {
        let mut fields: Vec<(String, Loose)> = object
            .iter()
            .map(|(name, value)| (name.clone(), Loose::Json(value.clone())))
            .collect();
        if form {
            overlay(&mut fields, form_urlencoded::parse(body).into_owned());
        }
        overlay(
            &mut fields,
            form_urlencoded::parse(query.as_bytes()).into_owned(),
        );
        let path = path.into_iter().flat_map(PathParameters::iter);
        overlay(
            &mut fields,
            path.map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        Ok(Loose::Map(fields))
    })
}

/// Lets each named value of `parameters` replace the field of its name; a name that is repeated
/// within `parameters` becomes a list.
fn overlay(fields: &mut Vec<(String, Loose)>, parameters: impl Iterator<Item = (String, String)>) {
    let mut added: Vec<(String, Loose)> = Vec::new();
    for (name, text) in parameters {
        let text = Loose::Text(text);
        match added.iter_mut().find(|(key, _)| *key == name) {
            None => added.push((name, text)),
            Some((_, Loose::List(list))) => list.push(text),
            Some((_, first)) => {
                let one = std::mem::replace(first, Loose::List(Vec::new()));
                *first = Loose::List(vec![one, text]);
            }
        }
    }
    fields.retain(|(name, _)| !added.iter().any(|(key, _)| key == name));
    fields.append(&mut added);
}

/// The media type without its parameters, in lower case.
fn media_type(parts: &http::request::Parts) -> Option<String> {
    let value = parts.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim();
    (!essence.is_empty()).then(|| essence.to_ascii_lowercase())
}

fn is_json(media_type: &str) -> bool {
    media_type.ends_with("/json") || media_type.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use faas_sdk_scope::{Instance, Scope};
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        id: u32,
        #[serde(default)]
        tags: Vec<String>,
        q: Option<String>,
    }

    async fn decode<T: FromEvent<M>, M>(payload: impl Into<Payload>) -> Result<T> {
        let scope = Scope::new(&Instance::new(), None);
        T::from_event(&mut Invocation::new("id", scope, payload)).await
    }

    fn event(text: &str) -> Event {
        Event::invoke("1", "test", Data::Json(text.to_owned().into()))
    }

    fn request(uri: &str, content_type: &str, body: &str) -> HttpRequest {
        http::Request::post(uri)
            .header(CONTENT_TYPE, content_type)
            .body(body.to_owned().into())
            .expect("a request")
    }

    #[tokio::test]
    async fn nothing_and_an_empty_object_are_units() {
        for text in ["", " ", "null", "{}"] {
            decode::<(), _>(event(text)).await.expect(text);
            assert_eq!(
                decode::<Option<u8>, _>(event(text)).await.expect(text),
                None
            );
        }
        let error = decode::<Item, _>(event("{}")).await.expect_err("no id");
        assert_eq!(error.context(), [("field", "id".to_owned())]);
        let long = event(&format!("{{\"id\":\"{}\"}}", "é".repeat(10_000)));
        let error = decode::<Item, _>(long).await.expect_err("no number");
        assert!(error.message().len() < 400, "{}", error.message().len());
        let error = decode::<Item, _>(event("{")).await.expect_err("no JSON");
        assert!(
            error.message().starts_with("the input is not JSON: "),
            "{error}"
        );
        let error = decode::<Item, _>(event("")).await.expect_err("no id");
        assert_eq!(error.message(), "the input is empty");
        assert!(decode::<(), _>(event("[1]")).await.is_err());
    }

    #[tokio::test]
    async fn an_error_names_the_field() {
        let error = decode::<Vec<Item>, _>(event(r#"[{"id":1},{"id":"x"}]"#))
            .await
            .expect_err("");
        assert!(
            error.message().starts_with("invalid input at `[1].id`: "),
            "{error}"
        );
        assert_eq!(
            (error.kind(), &*error.context()[0].1),
            (ErrorKind::InvalidInput, "[1].id")
        );
        for bad in ["{", "\u{fffd}", "{\"id\":1}x", "nul"] {
            assert!(decode::<Item, _>(event(bad)).await.is_err(), "{bad}");
        }
        let bytes = Event::invoke(
            "1",
            "t",
            Data::Json(Bytes::from_static(b"{\"id\":1,\"q\":\"\xff\"}")),
        );
        assert!(decode::<Item, _>(bytes).await.is_err());
    }

    #[tokio::test]
    async fn body_then_query_then_path() {
        let mut http = request(
            "/?id=2&tags=a&tags=b%20c",
            "application/json",
            r#"{"id":1,"q":"x"}"#,
        );
        let item: Item = decode(http).await.expect("the query wins");
        assert_eq!(
            (item.id, item.tags, item.q.as_deref()),
            (2, vec!["a".into(), "b c".into()], Some("x"))
        );
        http = request("/?id=2", "application/json", "");
        http.extensions_mut()
            .insert(PathParameters::from_iter([("id", "3")]));
        assert_eq!(decode::<Item, _>(http).await.expect("the path wins").id, 3);
        let error = decode::<Item, _>(request("/?id=two", "", ""))
            .await
            .expect_err("no number");
        assert!(
            error.message().starts_with("invalid input at `id`"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn forms_decode_and_other_types_do_not() {
        let form = request(
            "/",
            "application/x-www-form-urlencoded; charset=utf-8",
            "id=4&q=a+b",
        );
        assert_eq!(
            decode::<Item, _>(form).await.expect("a form").q.as_deref(),
            Some("a b")
        );
        let xml = request("/", "text/xml", "<id/>");
        let error = decode::<Item, _>(xml).await.expect_err("no JSON");
        assert_eq!(error.kind(), ErrorKind::UnsupportedMediaType);
        let json = request("/?x=1", "application/merge-patch+json", r#"{"id":5}"#);
        assert_eq!(decode::<Item, _>(json).await.expect("JSON").id, 5);
        let list = request("/?x=1", "application/json", "[1,2]");
        assert_eq!(decode::<Vec<u8>, _>(list).await.expect("a list"), [1, 2]);
    }

    #[tokio::test]
    async fn a_bad_item_poisons_no_other() {
        let item = |id: &str, text: &str| crate::Item {
            id: id.into(),
            attempt: crate::Attempt::number(1),
            data: Ok(event(text)),
        };
        let batch = Batch::ordered(vec![item("a", "1"), item("b", "x"), item("c", "3")]);
        let batch: Batch<u8> = decode(batch).await.expect("a batch");
        let shape: Vec<_> = batch
            .items
            .iter()
            .map(|item| item.data.as_ref().ok())
            .collect();
        assert_eq!(shape, [Some(&1), None, Some(&3)]);
        assert!(batch.ordered);
        let one: Batch<u8> = decode(event("7")).await.expect("a batch of one");
        assert_eq!(one.items.len(), 1);
    }

    #[tokio::test]
    async fn what_does_not_fit_is_said() {
        let error = decode::<HttpRequest, _>(event("1"))
            .await
            .expect_err("no request");
        assert_eq!(
            error.message(),
            "this function takes an HTTP request, but an event came"
        );
        let Raw(raw): Raw<u8> = decode(event("1")).await.expect("raw");
        assert_eq!(raw, 1);
        let text: String = decode(Event::new("1", "s", "t", Data::Text("plain".into())))
            .await
            .expect("");
        assert_eq!(text, "plain");
    }
}
