use faas_sdk_core::ErrorKind;
use faas_sdk_scope::Background;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What tells one platform's HTTP server from another's, as data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// Where [`Server::serve`](crate::Server::serve) listens. Default: port 8080 on loopback.
    /// Only a platform whose contract asks for it listens on every interface.
    pub address: SocketAddr,
    /// What is accepted at most.
    pub limits: Limits,
    /// How many invocations run at the same time; the others are refused. Default: no limit.
    pub max_in_flight: Option<usize>,
    /// What an invocation above `max_in_flight` is refused with:
    /// [`RateLimited`](ErrorKind::RateLimited) (429, the default) or
    /// [`Unavailable`](ErrorKind::Unavailable) (503).
    pub overload: ErrorKind,
    /// When work may still run that an invocation started. Default: [`Background::Always`].
    pub background: Background,
    /// An idle time after which the instance is taken for thawed; for platforms that freeze it.
    pub idle_gap: Option<Duration>,
    /// When the init hooks run. Default: [`InitMoment::BeforeListening`].
    pub init: InitMoment,
    /// How long new connections and requests are still served after the stop signal, where the
    /// platform goes on sending them. Default: not at all.
    pub serve_on: Duration,
}

/// When the init hooks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitMoment {
    /// Before the port is opened: an open port means that the instance is ready.
    BeforeListening,
    /// Before the first invocation, unless the platform asked for them by a control path before.
    /// A failure is the answer to that invocation, and the next one tries again.
    FirstInvocation,
}

/// What is accepted at most. Whatever is above is answered (`431`, `413`, `408`) or closed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the request line and headers, at least 8 KiB. Default: 64 KiB.
    pub head: usize,
    /// Number of headers. Default: 100, which is also the cheapest.
    pub headers: usize,
    /// Bytes of a request body. `Settings::max_body` overrides it. Default: 32 MiB.
    pub body: usize,
    /// Connections at the same time; more wait in the backlog. Default: 4096.
    pub connections: usize,
    /// Time for a request head, from its first byte on, and for a new connection to send that
    /// byte. Default: 15 s.
    pub head_read: Duration,
    /// Time that may pass between two pieces of a request body somebody waits for. Default: 30 s.
    pub body_idle: Duration,
    /// Time after which an idle connection is closed; it may stay open for up to twice as long.
    /// Default: 15 min, since gateways keep their connections.
    pub idle: Duration,
    /// Time that may pass without the peer taking a byte of the answer. Default: 30 s.
    pub write_stall: Duration,
    /// How long the rest of a request that was refused is read and thrown away, so that the
    /// client gets to read why. Default: 2 s.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 << 10,
            headers: 100,
            body: 32 << 20,
            connections: 4096,
            head_read: Duration::from_secs(15),
            body_idle: Duration::from_secs(30),
            idle: Duration::from_secs(15 * 60),
            write_stall: Duration::from_secs(30),
            linger: Duration::from_secs(2),
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            limits: Limits::default(),
            max_in_flight: None,
            overload: ErrorKind::RateLimited,
            background: Background::Always,
            idle_gap: None,
            init: InitMoment::BeforeListening,
            serve_on: Duration::ZERO,
        }
    }
}
