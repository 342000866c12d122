//! The emulator: `cargo-lambda lambda watch --only-lambda-apis`.

use crate::child::Owned;
use crate::function::Function;
use std::fs::{File, read_to_string};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest any single wait takes.
pub(crate) const LIMIT: Duration = Duration::from_secs(25);

/// A running emulator, ended when dropped.
#[derive(Debug)]
pub(crate) struct Emulator {
    _process: Owned,
    port: u16,
}

/// What an invocation got.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Emulator {
    /// Starts one on a free port. Another process may take the port in between: then on the next.
    pub(crate) fn start() -> Self {
        let mut said = String::new();
        for _ in 0..5 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            let port = free.local_addr().expect("its number").port();
            drop(free);
            match Self::on(port) {
                Ok(emulator) => return emulator,
                Err(output) => said = output,
            }
        }
        panic!("the emulator does not start: {said}");
    }

    /// The one on `port` once it accepts connections, or what it said when it ended instead.
    fn on(port: u16) -> Result<Self, String> {
        let log = scratch(&format!("emulator-{port}.log"));
        let out = File::create(&log).expect("a log file");
        let error = out.try_clone().expect("the same file again");
        let mut command = cargo_lambda("watch", port);
        command.arg("--only-lambda-apis").stdout(out).stderr(error);
        let mut process = Owned::spawn(&mut command).expect("cargo-lambda starts");
        let limit = Instant::now() + LIMIT;
        while TcpStream::connect(address(port)).is_err() {
            let said = || read_to_string(&log).unwrap_or_default();
            if process.0.try_wait().expect("its state").is_some() {
                return Err(said());
            }
            assert!(
                Instant::now() < limit,
                "the emulator does not listen: {}",
                said()
            );
            sleep(Duration::from_millis(20));
        }
        Ok(Self {
            _process: process,
            port,
        })
    }

    /// The base of the Runtime API for the function `hello`.
    pub(crate) fn runtime_api(&self) -> String {
        format!("http://{}/.rt/hello", address(self.port))
    }

    /// Invokes `hello` as the Lambda API does; `function` is who should answer.
    pub(crate) fn invoke(&self, event: &str, function: &Function) -> Answer {
        let url = format!(
            "http://{}/2015-03-31/functions/hello/invocations",
            address(self.port)
        );
        let request = ureq::post(url)
            .config()
            .timeout_global(Some(LIMIT))
            .http_status_as_error(false)
            .build()
            .content_type("application/json");
        let mut response = request
            .send(event)
            .unwrap_or_else(|error| panic!("{error}; {function}"));
        Answer {
            status: response.status().as_u16(),
            body: response
                .body_mut()
                .read_to_string()
                .expect("a whole body in UTF-8"),
        }
    }

    /// Invokes `hello` by the emulator's own client.
    pub(crate) fn invoke_by_command(&self, event: &str) -> Output {
        let mut command = cargo_lambda("invoke", self.port);
        command.args(["hello", "--data-ascii", event]);
        command.output().expect("cargo-lambda starts")
    }
}

/// A command of cargo-lambda, run in the package `hello`: it serves only the functions it finds as
/// programs of the package it runs in.
fn cargo_lambda(subcommand: &str, port: u16) -> Command {
    let mut command = Command::new(provided("FAAS_TEST_CARGO_LAMBDA"));
    command.args(["lambda", subcommand, "--invoke-address", "127.0.0.1"]);
    command.args(["--invoke-port", &port.to_string()]);
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello"));
    command.stdin(Stdio::null());
    command
}

/// A path that `cargo xtask test` hands to the tests.
pub(crate) fn provided(variable: &str) -> PathBuf {
    let value = std::env::var_os(variable);
    value
        .unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test`"))
        .into()
}

/// A file of this test, below the target directory.
pub(crate) fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
