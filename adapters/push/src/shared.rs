use crate::{Codec, InitMoment, Profile};
use faas_sdk_core::{Hooks, Invoke, Program, Result, Settings, Stage, Watchdog};
use faas_sdk_scope::Instance;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// What all connections of a server share.
pub(crate) struct Shared<C> {
    pub(crate) codec: Arc<C>,
    pub(crate) profile: Profile,
    pub(crate) settings: Settings,
    pub(crate) invoke: Arc<dyn Invoke>,
    pub(crate) instance: Arc<Instance>,
    pub(crate) watchdog: Watchdog,
    /// One permit for each invocation that may run, where their number is limited.
    pub(crate) slots: Option<Arc<Semaphore>>,
    pub(crate) course: watch::Sender<Course>,
    pub(crate) stopping: AtomicBool,
    /// Whether nothing more is accepted because a handler is stuck.
    pub(crate) stuck: watch::Sender<bool>,
    hooks: Hooks,
    ready: AtomicBool,
}

/// How far a server is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Course {
    Serving,
    /// Connections end with their current answer.
    Draining,
    /// What is still under way is cancelled.
    Cancelling,
}

impl<C: Codec> Shared<C> {
    pub(crate) fn new(
        codec: Arc<C>,
        profile: Profile,
        program: &Program,
        instance: Option<Arc<Instance>>,
        watchdog: Option<Watchdog>,
    ) -> Arc<Self> {
        let instance = instance.unwrap_or_else(|| {
            Instance::builder()
                .background(profile.background)
                .idle_gap(profile.idle_gap)
                .build()
        });
        let settings = program.settings.clone();
        Arc::new(Self {
            codec,
            slots: profile
                .max_in_flight
                .map(|most| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))),
            profile,
            invoke: Arc::clone(&program.invoke),
            hooks: program.hooks.clone(),
            instance,
            watchdog: watchdog.unwrap_or_else(|| Watchdog::new(settings.drain)),
            settings,
            course: watch::Sender::new(Course::Serving),
            stopping: AtomicBool::new(false),
            stuck: watch::Sender::new(false),
            ready: AtomicBool::new(false),
        })
    }

    pub(crate) fn max_body(&self) -> usize {
        self.settings.max_body.unwrap_or(self.profile.limits.body)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn inits_first(&self) -> bool {
        self.profile.init == InitMoment::BeforeListening
    }

    /// Runs the init hooks unless they have succeeded.
    pub(crate) async fn init(&self) -> Result<()> {
        self.hooks.init().await?;
        self.ready.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the init hooks have succeeded.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Runs the hooks of a stage within the time that the end of an invocation may take.
    pub(crate) async fn run_hooks(&self, stage: Stage) -> Result<()> {
        if stage == Stage::Init {
            return self.init().await;
        }
        self.run_hooks_within(stage, self.settings.end).await
    }

    /// Runs the hooks of a stage other than the first within this time.
    pub(crate) async fn run_hooks_within(&self, stage: Stage, allowance: Duration) -> Result<()> {
        if !self.hooks.has(stage) {
            return Ok(());
        }
        self.hooks.run(stage, allowance).await
    }
}
