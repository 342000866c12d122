use crate::context::Shared;
use crate::function::Function;
use crate::routes::Routes;
use crate::subscription::Subscription;
use faas_sdk_core::{
    BoxFuture, Error, ErrorKind, Event, EventKind, Invocation, Invoke, Outcome, Payload, Text,
};
use std::sync::Arc;

/// Something that was registered, and its name.
pub(crate) struct Target {
    pub(crate) name: Text,
    pub(crate) function: Arc<dyn Function>,
}

/// Finds the function of each invocation:
///
/// 1. an HTTP request goes to the route that matches it, an event to the first subscription that
///    does;
/// 2. otherwise to the function that the caller named, or that `FAAS_FUNCTION` names;
/// 3. otherwise to the one that the platform's handler string or function name names;
/// 4. otherwise to the only function there is, unless the app has routes or subscriptions of the
///    kind that came.
pub(crate) struct Router {
    pub(crate) shared: Arc<Shared>,
    pub(crate) targets: Vec<Target>,
    /// Which of the targets are functions.
    pub(crate) functions: Vec<usize>,
    pub(crate) routes: Routes,
    pub(crate) subscriptions: Vec<(Subscription, usize)>,
    /// The function that `FAAS_FUNCTION` names.
    pub(crate) configured: Option<usize>,
}

impl Router {
    fn find(&self, invocation: &mut Invocation) -> Result<usize, Error> {
        let function = &invocation.info.function;
        if let Some(called) = &function.called {
            return self.function(called).ok_or_else(|| self.unknown(called));
        }
        let mut missed = None;
        match &mut invocation.payload {
            Payload::Http(request) if !self.routes.is_empty() => {
                match self.routes.find(request)? {
                    Some(target) => return Ok(target),
                    None => missed = Some(format!("no route matches {}", request.uri().path())),
                }
            }
            Payload::Event(event) => {
                if let Some(target) = self.subscription(event) {
                    return Ok(target);
                }
                missed = self.missed(event);
            }
            Payload::Batch(batch) => {
                let mut events = batch
                    .items
                    .iter()
                    .filter_map(|item| item.data.as_ref().ok());
                if let Some(event) = events.next() {
                    if let Some(target) = self.subscription(event) {
                        return Ok(target);
                    }
                    missed = self.missed(event);
                }
            }
            _ => {}
        }
        let platform = [&function.handler, &function.name].into_iter().flatten();
        let named = platform.into_iter().find_map(|name| self.function(name));
        if let Some(target) = self.configured.or(named) {
            return Ok(target);
        }
        match (&*self.functions, missed) {
            ([only], None) => Ok(*only),
            (_, Some(missed)) => Err(Error::new(ErrorKind::NotFound, missed).with_code("no_route")),
            (_, None) => {
                let message = format!(
                    "nothing says which function is meant; set FAAS_FUNCTION to one of: {}",
                    self.names()
                );
                Err(Error::new(ErrorKind::NotConfigured, message))
            }
        }
    }

    /// Refuses an app of which nothing could ever be called, where the platform calls one function
    /// by these names.
    pub(crate) fn check_deployment(&self, names: &[String]) -> Result<(), Error> {
        let known = self.configured.is_some()
            || self.functions.len() < 2
            || !self.routes.is_empty()
            || !self.subscriptions.is_empty()
            || names.iter().any(|name| self.function(name).is_some());
        if known {
            return Ok(());
        }
        let message = format!(
            "the platform calls {}, and none of the functions is named so; set FAAS_FUNCTION to \
             one of: {}",
            if names.is_empty() {
                "a function without a name".to_owned()
            } else {
                names.join(" or ")
            },
            self.names()
        );
        Err(Error::new(ErrorKind::NotConfigured, message).with_code("invalid_app"))
    }

    fn subscription(&self, event: &Event) -> Option<usize> {
        let mut subscriptions = self.subscriptions.iter();
        subscriptions
            .find(|(subscription, _)| subscription.matches(event))
            .map(|(_, to)| *to)
    }

    /// Why an event that matched no subscription must not go to the only function.
    fn missed(&self, event: &Event) -> Option<String> {
        (!self.subscriptions.is_empty() && event.kind != EventKind::Invoke).then(|| {
            let (kind, source) = (event.kind.as_str(), event.source_name());
            format!(
                "no subscription matches the event of {kind}:{source}, type `{}`",
                event.r#type
            )
        })
    }

    pub(crate) fn function(&self, name: &str) -> Option<usize> {
        self.functions
            .iter()
            .copied()
            .find(|index| self.targets[*index].name == name)
    }

    pub(crate) fn unknown(&self, name: &str) -> Error {
        let message = format!("there is no function `{name}`, only: {}", self.names());
        Error::new(ErrorKind::NotFound, message)
    }

    fn names(&self) -> String {
        let names: Vec<_> = self
            .functions
            .iter()
            .map(|index| &*self.targets[*index].name)
            .collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    }
}

impl Invoke for Router {
    fn invoke(&self, mut invocation: Invocation) -> BoxFuture<'_, Outcome> {
        match self.find(&mut invocation) {
            Ok(index) => {
                let Target { name, function } = &self.targets[index];
                if self.targets.len() > 1 {
                    // Of several, the log tells which.
                    tracing::Span::current().record("handler", &**name);
                }
                function.call(invocation, name, &self.shared)
            }
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}
