//! Tests that need a process of their own: the global subscriber is set once, and a panic hook is
//! everybody's.

use std::process::{Command, ExitStatus};

/// How a process ended, and what it wrote to standard error.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) errors: String,
}

/// A test whose body runs in a process of its own.
macro_rules! own_process {
    ($(fn $name:ident() $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "not each of them needs its surroundings")]
            use super::*;

            #[test]
            #[ignore = "run by `passes`, in a process of its own"]
            fn child() $body

            #[test]
            fn passes() {
                let ended = $crate::support::child::run(
                    concat!(module_path!(), "::child").split_once("::").expect("a module").1,
                    &[],
                );
                assert!(ended.status.success(), "{}\n{}", ended.status, ended.errors);
            }
        }
    )*};
}
pub(crate) use own_process;

/// Runs an ignored test of this file in a process of its own.
pub(crate) fn run(test: &str, variables: &[(&str, &str)]) -> Ended {
    let own = std::env::current_exe().expect("the path of this test");
    let output = Command::new(own)
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LIB_BACKTRACE")
        .env_remove("FAAS_LOG")
        .env_remove("RUST_LOG")
        .envs(variables.iter().copied())
        .output()
        .expect("it starts");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("running 1 test"), "no test {test}: {out}");
    Ended {
        status: output.status,
        errors: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}
