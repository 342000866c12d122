use crate::{Error, ErrorKind, catch_panic};
use faas_sdk_scope::BoxFuture;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// A moment in the life of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before the first invocation. Runs until it succeeded once; a failure is tried again at the
    /// next call, so it must be idempotent.
    Init,
    /// After a reply, before the platform may freeze the instance; where it may do so as soon as the
    /// reply is out, before that. Other invocations that are under way keep it from freezing.
    BeforeFreeze,
    /// Before the first invocation after a freeze.
    OnThaw,
    /// Before a snapshot is taken of the instance. Runs in reverse order of registration.
    BeforeSnapshot,
    /// After the instance was restored from a snapshot.
    AfterRestore,
    /// Before the process ends in order. Runs in reverse order of registration.
    Shutdown,
}

type Hook = Arc<dyn Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// What runs at which [`Stage`].
#[derive(Clone, Default)]
pub struct Hooks {
    hooks: Vec<(Stage, Hook)>,
    ready: Arc<OnceCell<()>>,
}

impl Hooks {
    /// Adds a hook.
    pub fn add<F, Fut>(&mut self, stage: Stage, hook: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.hooks.push((stage, Arc::new(move || Box::pin(hook()))));
    }

    /// Whether there is a hook for `stage`.
    #[must_use]
    pub fn has(&self, stage: Stage) -> bool {
        self.hooks.iter().any(|(of, _)| *of == stage)
    }

    /// Runs the init hooks unless they have succeeded before; calls at the same time share one
    /// run.
    ///
    /// # Errors
    ///
    /// The first failure; the hooks after it have not run.
    pub async fn init(&self) -> Result<(), Error> {
        if self.ready.initialized() {
            return Ok(());
        }
        self.ready
            .get_or_try_init(|| self.run_all(Stage::Init))
            .await?;
        Ok(())
    }

    /// Runs the hooks of a stage, all of them within `allowance`.
    ///
    /// # Errors
    ///
    /// The first failure, or a timeout; the hooks after it have not run.
    pub async fn run(&self, stage: Stage, allowance: Duration) -> Result<(), Error> {
        if !self.has(stage) {
            return Ok(());
        }
        tokio::time::timeout(allowance, self.run_all(stage))
            .await
            .unwrap_or_else(|_| {
                let message = format!("the {stage:?} hooks took longer than {allowance:?}");
                Err(Error::new(ErrorKind::Timeout, message))
            })
    }

    async fn run_all(&self, stage: Stage) -> Result<(), Error> {
        let mut hooks: Vec<_> = self.hooks.iter().filter(|(of, _)| *of == stage).collect();
        if matches!(stage, Stage::BeforeSnapshot | Stage::Shutdown) {
            hooks.reverse();
        }
        for (_, hook) in hooks {
            // A hook that panics has failed, and nothing else with it.
            catch_panic(Box::pin(async move { hook().await })).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.hooks.iter().map(|(stage, _)| stage))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn init_is_coalesced_and_tried_again_after_a_failure() {
        let runs = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&runs);
        let mut hooks = Hooks::default();
        hooks.add(Stage::Init, move || {
            let run = seen.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if run == 0 {
                    Err(ErrorKind::Unavailable.into())
                } else {
                    Ok(())
                }
            }
        });
        assert!(hooks.init().await.is_err());
        let (first, second) = tokio::join!(hooks.init(), hooks.init());
        assert!(first.is_ok() && second.is_ok() && hooks.init().await.is_ok());
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_is_the_failure_of_its_hook() {
        let mut hooks = Hooks::default();
        hooks.add(Stage::Init, || -> std::future::Ready<_> {
            panic!("on purpose")
        });
        let error = hooks.init().await.expect_err("a panic");
        assert_eq!(error.kind(), ErrorKind::Panic);
        assert!(error.message().contains("on purpose"));
    }

    #[tokio::test(start_paused = true)]
    async fn order_and_bounds() {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut hooks = Hooks::default();
        for name in ["a", "b"] {
            for stage in [Stage::OnThaw, Stage::Shutdown] {
                let order = Arc::clone(&order);
                hooks.add(stage, move || {
                    order.lock().expect("the order").push(name);
                    std::future::ready(Ok(()))
                });
            }
        }
        hooks.add(Stage::BeforeFreeze, std::future::pending);
        let second = Duration::from_secs(1);
        hooks.run(Stage::OnThaw, second).await.expect("thaw");
        hooks.run(Stage::Shutdown, second).await.expect("shutdown");
        assert_eq!(*order.lock().expect("the order"), ["a", "b", "b", "a"]);
        let error = hooks
            .run(Stage::BeforeFreeze, second)
            .await
            .expect_err("too slow");
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
}
