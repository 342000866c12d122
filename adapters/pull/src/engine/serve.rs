//! From the first hook to the last.

use std::fmt;
use std::sync::Arc;

use faas_sdk_core::{Error, Program, Result, Stage, Stop, Watchdog, report};
use faas_sdk_scope::Instance;

use super::codec::Codec;
use super::profile::Profile;
use super::shared::Shared;
use super::start::report_init_error;
use super::supervisor::Supervisor;

/// A long-poll platform: its codec, its profile, and the instance it runs in.
pub struct Engine<C> {
    codec: C,
    profile: Profile,
    instance: Arc<Instance>,
    stop: Stop,
    watchdog: Option<Watchdog>,
}

impl<C: Codec> Engine<C> {
    /// An engine in an instance that is never frozen, which nothing stops, and which ends the
    /// process when a handler does not yield.
    pub fn new(codec: C, profile: Profile) -> Self {
        Self {
            codec,
            profile,
            instance: Instance::new(),
            stop: Stop::new(),
            watchdog: None,
        }
    }

    /// Replaces the instance. If work may not go on after a reply there
    /// ([`Background`](faas_sdk_scope::Background)), the platform freezes idle instances and the
    /// hooks for that are run.
    #[must_use]
    pub fn instance(mut self, instance: Arc<Instance>) -> Self {
        self.instance = instance;
        self
    }

    /// Follows these requests to stop.
    #[must_use]
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Replaces the watchdog, whose drain time is that of the settings otherwise.
    #[must_use]
    pub fn watchdog(mut self, watchdog: Watchdog) -> Self {
        self.watchdog = Some(watchdog);
        self
    }

    /// Serves the program until it is stopped or the platform ends it.
    ///
    /// 1. The init hooks run; a failure is reported to the platform. The platform is told that the
    ///    function is ready, if it wants to know.
    /// 2. Each slot, a task of its own, polls, has the invocation [driven](faas_sdk_core::drive),
    ///    reports the outcome, finishes the scope, runs the hooks before a freeze, and polls again.
    ///    A poll that fails is repeated after a growing pause. A report that fails is logged; the
    ///    slot goes on. A slot that panics is replaced and its invocation reported as failed.
    /// 3. When asked to stop, idle polls are given up and running invocations finished. Those that
    ///    need longer than the settings' drain time are cancelled and reported as such. When asked
    ///    a second time, everything is dropped at once.
    /// 4. The shutdown hooks run, unless asked a second time.
    ///
    /// Dropping the future drops all running invocations.
    ///
    /// # Errors
    ///
    /// A failed init, a platform that does not take the ready request, or what the codec calls
    /// [fatal](super::Polled::Fatal). All have been reported or logged.
    pub async fn serve(self, program: Program) -> Result<()> {
        let Self {
            codec,
            profile,
            instance,
            stop,
            watchdog,
        } = self;
        let Program {
            invoke,
            hooks,
            settings,
            ..
        } = program;
        let watchdog = watchdog.unwrap_or_else(|| Watchdog::new(settings.drain));
        let mut next = Vec::new();
        codec.next(&mut next);
        let shared = Arc::new(Shared {
            codec,
            profile,
            instance,
            invoke,
            hooks,
            settings,
            next,
            quit: Stop::new(),
            cancel: Stop::new(),
        });
        tokio::select! {
            biased;
            started = shared.start() => started?,
            () = stop.requested() => return Ok(()),
        }
        let served = tokio::select! {
            biased;
            () = stop.forced() => {
                let dropped = shared.instance.in_flight();
                tracing::warn!(dropped, "asked to stop a second time, everything ends now");
                return Ok(());
            }
            served = Supervisor::new(&shared, &watchdog).run(&stop) => served,
        };
        tokio::select! {
            biased;
            () = stop.forced() => {}
            hooks = shared.hooks.run(Stage::Shutdown, shared.settings.drain) => {
                if let Err(error) = hooks {
                    report(&error, None, "a shutdown hook failed");
                }
            }
        }
        served
    }

    /// Tells the platform, if it wants to know, that the function cannot be served. For failures
    /// before [`serve`](Self::serve), which does this itself. Whether it worked is logged; it takes
    /// no longer than the profile's `post_timeout`.
    pub async fn report_init_error(&self, error: &Error) {
        report_init_error(&self.codec, &self.profile, error).await;
    }
}

impl<C> fmt::Debug for Engine<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("profile", &self.profile)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}
