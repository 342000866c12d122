use crate::activity::Activity;
use crate::exchange::{Exchange, Link};
use crate::invocation::{self, Admission};
use crate::reply::{Reply, ReplyBody};
use crate::request_body::{RequestBody, too_large};
use crate::shared::Shared;
use crate::{Class, Codec, Detail, Situation, error_response};
use faas_sdk_core::{Body, Error, ErrorKind, Stage, report, report_refused};
use faas_sdk_scope::Scope;
use http::request::Parts;
use http::{Method, Request, Response, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// What answers the requests of one connection.
pub(crate) struct Endpoint<C>(Arc<Link<C>>);

impl<C: Codec> Endpoint<C> {
    pub(crate) fn new(shared: Arc<Shared<C>>, activity: Arc<Activity>, peer: SocketAddr) -> Self {
        Self(Arc::new(Link {
            shared,
            activity,
            peer,
        }))
    }

    fn situation(&self) -> Situation {
        let slots = self.0.shared.slots.as_ref();
        Situation {
            peer: self.0.peer,
            stopping: self.0.shared.is_stopping(),
            in_flight: self.0.shared.instance.in_flight(),
            full: slots.is_some_and(|slots| slots.available_permits() == 0),
        }
    }

    fn hook(&self, stage: Stage, method: &Method) -> Reply<C> {
        let (sender, response) = oneshot::channel();
        let shared = Arc::clone(&self.0.shared);
        // It runs to its end even if the platform does not wait for it.
        drop(tokio::spawn(async move {
            let result = shared.run_hooks(stage).await;
            if let Err(error) = &result {
                report(error, None, &format!("the {stage:?} hooks failed"));
            }
            // Nobody may be waiting any more.
            drop(sender.send(shared.codec.encode_hook(stage, result)));
        }));
        Reply::hook(response, method, self.0.activity.begin(None))
    }

    fn invoke(
        &self,
        call: C::Call,
        allowed: Option<Duration>,
        head: Parts,
        body: Incoming,
    ) -> Reply<C> {
        let shared = &self.0.shared;
        let method = head.method.clone();
        let limit = shared.max_body();
        if body.size_hint().lower() > limit as u64 {
            return self.refuse(call, too_large(limit), &head);
        }
        let permit = match &shared.slots {
            None => None,
            Some(slots) => match Arc::clone(slots).try_acquire_owned() {
                Ok(permit) => Some(permit),
                Err(_none_left) => {
                    let message = "too many invocations are under way";
                    let error = Error::new(shared.profile.overload, message);
                    return self.refuse(call, error, &head);
                }
            },
        };
        let (arrival, in_flight) = shared.instance.arrive();
        let scope = Scope::new(&shared.instance, allowed);
        let busy = self.0.activity.begin(Some(&scope));
        let body = if body.is_end_stream() {
            Body::empty()
        } else {
            let idle = shared.profile.limits.body_idle;
            Body::stream(RequestBody::new(
                body,
                limit,
                idle,
                Arc::clone(&self.0.activity),
            ))
        };
        let multiplexed = head.version > Version::HTTP_11;
        let exchange = Exchange::new(Arc::clone(&self.0), scope, multiplexed);
        let work = Box::pin(invocation::run(
            Arc::clone(&exchange),
            call,
            Request::from_parts(head, body),
            Admission {
                arrival,
                in_flight,
                permit,
            },
        ));
        Reply::invocation(exchange, work, &method, busy)
    }

    /// Answers without reading the body.
    fn refuse(&self, call: C::Call, error: Error, head: &Parts) -> Reply<C> {
        let id = self.0.shared.codec.id(&call);
        report_refused(&error, "an invocation was refused", id.as_deref(), None);
        let busy = self.0.activity.begin(None);
        self.0.activity.leave_unread();
        let response = self.0.shared.codec.encode(call, Err(error));
        let reply = Reply::ready(response, &head.method, busy);
        if head.version == Version::HTTP_2 {
            reply
        } else {
            reply.closing()
        }
    }
}

impl<C: Codec> hyper::service::Service<Request<Incoming>> for Endpoint<C> {
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = Reply<C>;

    fn call(&self, request: Request<Incoming>) -> Reply<C> {
        let (head, body) = request.into_parts();
        if head.version == Version::HTTP_10 {
            self.0.activity.delimit_by_close();
        }
        if head.method == Method::CONNECT {
            let error = Error::new(ErrorKind::MethodNotAllowed, "this server is no proxy");
            let response = error_response(&error, Detail::Public);
            return Reply::ready(response, &head.method, self.0.activity.begin(None));
        }
        match self.0.shared.codec.classify(&head, &self.situation()) {
            Class::Invoke { call, allowed } => self.invoke(call, allowed, head, body),
            Class::Hook(stage) => self.hook(stage, &head.method),
            Class::Answer(response) => {
                Reply::ready(response, &head.method, self.0.activity.begin(None))
            }
        }
    }
}
