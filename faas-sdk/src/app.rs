use crate::config::{Config, ConfigError};
use crate::context::Shared;
use crate::erase::erase;
use crate::error::Result;
use crate::function::Function;
use crate::handler::Handler;
use crate::router::{Router, Target};
use crate::routes::{self, Routes};
use crate::subscription::Subscription;
use faas_sdk_core::{
    BoxError, Entry, EntryKind, Env, Error, ErrorKind, FromEvent, Hooks, HttpRequest, IntoReply,
    Invoke, Layer, Program, Settings, Stage, Text, ViaHttp, ViaReply,
};
use http::Method;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a program consists of: functions, HTTP routes, subscriptions to events, layers around
/// them and hooks.
///
/// ```no_run
/// use faas_sdk::prelude::*;
///
/// async fn item(id: String, _cx: Context) -> Result<String> {
///     Ok(id)
/// }
///
/// faas_sdk::start(App::new().function("item", item).http("GET /items/{id}", item));
/// ```
///
/// A mistake in it, such as two functions of one name, is reported when the app is run, to the
/// platform too.
#[derive(Default)]
pub struct App {
    targets: Vec<Target>,
    functions: Vec<usize>,
    routes: Routes,
    subscriptions: Vec<(Subscription, usize)>,
    layers: Vec<Arc<dyn Layer>>,
    hooks: Hooks,
    entries: Vec<Entry>,
    mistakes: Vec<String>,
}

impl App {
    /// An app with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function under a name. Platforms call it by this name; which one is called where
    /// there are several is decided by the caller, by `FAAS_FUNCTION`, by the platform's handler
    /// string, or by the platform's name of the function, in this order.
    #[must_use]
    pub fn function<H, I, MI, MO>(mut self, name: impl Into<String>, handler: H) -> Self
    where
        H: Handler<I, Output: IntoReply<MO>>,
        I: FromEvent<MI> + 'static,
        MI: 'static,
        MO: 'static,
    {
        let name = name.into();
        if name.is_empty() || name.contains(['/', ' ', '?', '#']) {
            let mistake = format!("`{name}` can't name a function: it must fit into a URL's path");
            self.mistakes.push(mistake);
        }
        if self
            .functions
            .iter()
            .any(|index| *self.targets[*index].name == *name)
        {
            self.mistakes
                .push(format!("there are two functions of the name `{name}`"));
        }
        self.entry::<I, MI>(EntryKind::Function(name.clone()));
        let target = self.target(name, erase(handler));
        self.functions.push(target);
        self
    }

    /// Adds an HTTP route: `GET /items/{id}`, or `/items/{id}` for any method; `{*rest}` at the
    /// end takes all that follows. Names in braces are path parameters, decoded.
    #[must_use]
    pub fn http<H, I, MI, MO>(mut self, route: &str, handler: H) -> Self
    where
        H: Handler<I, Output: IntoReply<MO>>,
        I: FromEvent<MI> + 'static,
        MI: 'static,
        MO: 'static,
    {
        let target = self.target(route.to_owned(), erase(handler));
        match routes::parse(route) {
            Ok((method, path)) => self.route(method, path, target, example::<I, MI>()),
            Err(mistake) => self.mistakes.push(mistake),
        }
        self
    }

    /// Takes events: `queue:orders`, `topic:…`, `stream:…`, `timer:…`, `object:…` or
    /// `database:…` with the last segment of the source, or `ce:com.example.*` with the type of
    /// the event; `*` stands for any text. Of several that match, the first added is called.
    #[must_use]
    pub fn on<H, I, MI, MO>(mut self, events: &str, handler: H) -> Self
    where
        H: Handler<I, Output: IntoReply<MO>>,
        I: FromEvent<MI> + 'static,
        MI: 'static,
        MO: 'static,
    {
        let target = self.target(events.to_owned(), erase(handler));
        match Subscription::parse(events) {
            Ok(subscription) => {
                self.entry::<I, MI>(EntryKind::Subscription(events.to_owned()));
                self.subscriptions.push((subscription, target));
            }
            Err(mistake) => self.mistakes.push(mistake),
        }
        self
    }

    /// Mounts an existing tower service, such as an axum `Router`, at `path` and all below it.
    /// The service sees the whole path, and the [`Context`](crate::Context) in the extensions of
    /// each request.
    #[must_use]
    pub fn service<S, B>(mut self, path: &str, service: S) -> Self
    where
        S: tower_service::Service<HttpRequest, Response = http::Response<B>>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let handler = crate::tower::service(service);
        let function = erase::<_, HttpRequest, ViaHttp, ViaReply>(handler);
        let target = self.target(path.to_owned(), function);
        let root = path.trim_end_matches('/');
        if path.starts_with('/') && !path.contains(['{', '}']) {
            for path in [
                root.to_owned(),
                format!("{root}/"),
                format!("{root}/{{*rest}}"),
            ] {
                if !path.is_empty() {
                    self.route(None, &path, target, None);
                }
            }
        } else {
            let mistake = format!("a service can't be mounted at `{path}`: give a plain path");
            self.mistakes.push(mistake);
        }
        self
    }

    /// Puts a layer around all functions. The last one added is the outermost.
    ///
    /// ```
    /// use faas_sdk::prelude::*;
    /// use faas_sdk::{BoxFuture, Invocation, Invoke, Outcome, Payload};
    /// use std::sync::Arc;
    ///
    /// /// Lets HTTP requests pass only with a token.
    /// struct Auth(Arc<dyn Invoke>);
    ///
    /// impl Invoke for Auth {
    ///     fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Outcome> {
    ///         if let Payload::Http(request) = &invocation.payload
    ///             && !request.headers().contains_key("authorization")
    ///         {
    ///             return Box::pin(async { Err(Error::unauthenticated("send a token").into()) });
    ///         }
    ///         self.0.invoke(invocation)
    ///     }
    /// }
    ///
    /// # async fn hello(_: (), _: Context) -> Result<()> { Ok(()) }
    /// let app = App::new()
    ///     .function("hello", hello)
    ///     .layer(|inner: Arc<dyn Invoke>| -> Arc<dyn Invoke> { Arc::new(Auth(inner)) });
    /// ```
    #[must_use]
    pub fn layer(mut self, layer: impl Layer) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    /// Runs `hook` at a [`Stage`] of the instance's life. Hooks of [`Stage::Init`] run before the
    /// first invocation and are tried again after a failure, so they must be idempotent.
    ///
    /// What a hook makes for the handlers, such as a client, it puts where they look for it: into a
    /// cell that both captured. Settings for it are read with
    /// `Config::load(&Environment::from_process())`.
    #[must_use]
    pub fn hook<F, Fut>(mut self, stage: Stage, hook: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.hooks.add(stage, move || {
            let running = hook();
            async move { running.await.map_err(Into::into) }
        });
        self
    }

    fn target(&mut self, name: String, function: Arc<dyn Function>) -> usize {
        self.targets.push(Target {
            name: Text::from(name),
            function,
        });
        self.targets.len() - 1
    }

    fn route(&mut self, method: Option<Method>, path: &str, to: usize, example: Option<String>) {
        match self.routes.add(method.clone(), path, to) {
            Ok(()) => {
                let entry = Entry::new(EntryKind::Route(method, path.to_owned()));
                self.entries.push(entry.with_example(example));
            }
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    fn entry<I: FromEvent<M>, M>(&mut self, kind: EntryKind) {
        self.entries
            .push(Entry::new(kind).with_example(example::<I, M>()));
    }

    /// What a platform adapter serves. `platform` is the adapter's name, `deployed_as` what the
    /// platform calls the one function that it calls here.
    pub(crate) fn into_program(
        self,
        platform: &str,
        deployed_as: Option<Vec<String>>,
        env: Env,
        config: Result<Config, ConfigError>,
    ) -> Program {
        let entries = self.entries.clone();
        let built = config
            .map_err(invalid_config)
            .and_then(|config| self.with_config(platform, deployed_as.as_deref(), &env, config));
        let mut program = match built {
            Ok((invoke, settings, hooks)) => {
                let mut program = Program::new(invoke);
                program.settings = settings;
                program.hooks = hooks;
                program
            }
            // The adapter runs the init hooks first and reports their failure in its own way.
            Err(error) => refused(error),
        };
        program.env = env;
        program.entries = entries;
        program
    }

    pub(crate) fn with_config(
        self,
        platform: &str,
        deployed_as: Option<&[String]>,
        env: &Env,
        config: Config,
    ) -> Result<(Arc<dyn Invoke>, Settings, Hooks), Error> {
        if let Some(mistake) = self.mistakes.into_iter().next() {
            return Err(wrong(mistake));
        }
        if self.targets.is_empty() {
            return Err(wrong(
                "the app is empty: add a function, a route or a subscription",
            ));
        }
        let settings = settings(&config);
        let shared = Arc::new(Shared::new(config, settings.clone())?);
        #[cfg_attr(
            not(feature = "cache"),
            allow(unused_mut, reason = "the cache has hooks")
        )]
        let mut hooks = self.hooks;
        #[cfg(feature = "cache")]
        shared.caching.add_hooks(&mut hooks, &settings);
        let mut router = Router {
            shared: Arc::clone(&shared),
            targets: self.targets,
            functions: self.functions,
            routes: self.routes,
            subscriptions: self.subscriptions,
            configured: None,
        };
        if platform == "local" {
            let taken = router
                .functions
                .iter()
                .map(|index| &router.targets[*index].name);
            for name in taken {
                if router.routes.takes(&Method::POST, &format!("/{name}")) {
                    let message = format!(
                        "a route takes POST /{name}, where the local platform calls the function \
                         `{name}`: rename one of the two"
                    );
                    return Err(wrong(message));
                }
            }
        }
        if let Some(name) = env.get("FAAS_FUNCTION") {
            let Some(target) = router.function(name) else {
                let error = router.unknown(name);
                return Err(wrong(format!("FAAS_FUNCTION: {error}")));
            };
            router.configured = Some(target);
        }
        if let Some(names) = deployed_as {
            router.check_deployment(names)?;
        }
        let mut invoke: Arc<dyn Invoke> = Arc::new(router);
        for layer in self.layers {
            invoke = layer.layer(invoke);
        }
        #[cfg(feature = "log")]
        {
            invoke = Arc::new(crate::log::Logged::new(invoke, &shared.config));
        }
        Ok((invoke, settings, hooks))
    }
}

fn invalid_config(error: ConfigError) -> Error {
    Error::new(ErrorKind::NotConfigured, error.to_string()).with_code("invalid_config")
}

fn wrong(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::NotConfigured, message).with_code("invalid_app")
}

/// An example input, where there is somebody to show it to.
fn example<I: FromEvent<M>, M>() -> Option<String> {
    if cfg!(feature = "platform-local") {
        I::example()
    } else {
        None
    }
}

fn settings(config: &Config) -> Settings {
    let invoke = config.invoke();
    let mut settings = Settings::default();
    settings.reserve = Duration::from_millis(invoke.reserve_ms);
    settings.drain = Duration::from_millis(invoke.drain_ms);
    settings.end = Duration::from_millis(invoke.end_ms);
    settings.max_body = invoke
        .max_body_bytes
        .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    settings
}

/// A program whose init fails with `error`.
fn refused(error: Error) -> Program {
    struct Never;
    impl Invoke for Never {
        fn invoke(
            &self,
            _: faas_sdk_core::Invocation,
        ) -> faas_sdk_core::BoxFuture<'_, faas_sdk_core::Outcome> {
            Box::pin(async { Err(wrong("the app could not be built")) })
        }
    }
    let mut program = Program::new(Arc::new(Never));
    program.hooks.add(Stage::Init, move || {
        let error =
            Error::new(error.kind(), error.message().to_owned()).with_code(error.code().to_owned());
        async move { Err(error) }
    });
    program
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

/// What can be run: an [`App`], or a single [`Handler`], which is then named after the Rust
/// function or type.
pub trait IntoApp<M> {
    /// Makes the app.
    fn into_app(self) -> App;
}

impl IntoApp<()> for App {
    fn into_app(self) -> App {
        self
    }
}

impl<H, I, MI, MO> IntoApp<(I, MI, MO)> for H
where
    H: Handler<I, Output: IntoReply<MO>>,
    I: FromEvent<MI> + 'static,
    MI: 'static,
    MO: 'static,
{
    fn into_app(self) -> App {
        App::new().function(type_name(std::any::type_name::<H>()), self)
    }
}

/// The last segment of a type's path without its parameters; closures have no name of their own.
fn type_name(path: &str) -> &str {
    let path = path.split('<').next().unwrap_or(path);
    let mut segments = path.rsplit("::");
    segments
        .find(|segment| !segment.starts_with('{'))
        .filter(|_| !path.ends_with('}'))
        .unwrap_or("function")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_of_which_nothing_can_be_called_is_refused() {
        let two = || {
            let handler = async |_: (), _: crate::Context| Ok::<_, crate::Error>(());
            App::new().function("a", handler).function("b", handler)
        };
        let build = |app: App, names: &[&str], env: Env| {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            let built = app.with_config("test", Some(&names), &env, Config::default());
            built.map(drop).map_err(|error| error.to_string())
        };
        let error = build(two(), &["shop", "c"], Env::default()).expect_err("nothing is meant");
        assert!(
            error.contains("shop or c") && error.contains("a, b"),
            "{error}"
        );
        build(two(), &["b"], Env::default()).expect("the platform names one");
        let env = Env::from_iter([("FAAS_FUNCTION", "a")]);
        build(two(), &["shop"], env).expect("the variable names one");
        let handler = async |_: (), _: crate::Context| Ok::<_, crate::Error>(());
        build(two().http("/x", handler), &[], Env::default()).expect("there is a route");
        build(App::new().function("a", handler), &[], Env::default()).expect("the only one");
    }

    #[test]
    fn functions_are_named_after_themselves() {
        assert_eq!(type_name("hello::hello"), "hello");
        assert_eq!(type_name("shop::Item<shop::Repo>"), "Item");
        assert_eq!(type_name("hello::main::{{closure}}"), "function");
    }
}
