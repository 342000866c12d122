//! The function: the example `hello`, started as Lambda would start it.

use crate::child::Owned;
use crate::emulator::{Emulator, LIMIT, provided, scratch};
use std::fmt::{self, Display, Formatter};
use std::fs::{File, read_to_string};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A running function, ended when dropped; shown as what it said.
#[derive(Debug)]
pub(crate) struct Function {
    process: Owned,
    log: PathBuf,
}

impl Function {
    /// Starts it with Lambda's variables and `more`. The emulator keeps invocations until it polls.
    pub(crate) fn start(emulator: &Emulator, more: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = scratch(&format!("hello-{}-{number}.log", std::process::id()));
        let out = File::create(&log).expect("a log file");
        let error = out.try_clone().expect("the same file again");
        let mut command = Command::new(provided("FAAS_TEST_LAMBDA_HELLO"));
        command.env_clear().envs([
            ("AWS_LAMBDA_RUNTIME_API", emulator.runtime_api().as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "hello"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/hello"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]1"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
            ("LAMBDA_TASK_ROOT", "/var/task"),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
            ("LANG", "en_US.UTF-8"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("TZ", ":UTC"),
            ("_HANDLER", "bootstrap"),
        ]);
        command.envs(more.iter().copied());
        command.stdin(Stdio::null()).stdout(out).stderr(error);
        let process = Owned::spawn(&mut command).expect("the function starts");
        Self { process, log }
    }

    /// Whether the process is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.0.try_wait().expect("its state").is_none()
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let limit = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.process.0.try_wait().expect("its state") {
                return status;
            }
            assert!(Instant::now() < limit, "the function does not end; {self}");
            sleep(Duration::from_millis(20));
        }
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let said = read_to_string(&self.log).unwrap_or_default();
        write!(f, "the function said {:?}", said.trim())
    }
}
