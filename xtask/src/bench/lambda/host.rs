//! The other end of the wire: a fake Runtime API in a process of its own, on blocking threads.
//!
//! It talks to the bench in lines. On standard output: `port <n>`; `first <ns>` when a program
//! polls for the first time (monotonic clock); `warm` before the measured invocations, which wait
//! for a line on standard input; `done <p50 ns> <p99 ns> <connections>` after them; `fault <text>`.
//! With `--hold` it answers no poll at all, and every one is a `first`.

use super::wire::{Request, Wire};
use anyhow::{Result, bail, ensure};
use nix::time::{ClockId, clock_gettime};
use pico_args::Arguments;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\n\
    content-length: 16\r\n\r\n{\"status\":\"OK\"}\n";

/// What is asked and expected.
#[derive(Debug)]
struct Script {
    hold: bool,
    event: String,
    answer: String,
    warmup: usize,
    invocations: usize,
}

/// How far the script is. One slot: one invocation at a time, whatever connection it comes on.
#[derive(Debug, Default)]
struct Progress {
    connections: usize,
    served: usize,
    sent: Option<Instant>,
    latencies: Vec<Duration>,
}

/// Serves one program until standard input ends.
pub(super) fn run(mut args: Arguments) -> Result<()> {
    let hold = args.contains("--hold");
    let script = Script {
        hold,
        event: args.opt_value_from_str("--event")?.unwrap_or_default(),
        answer: args.opt_value_from_str("--answer")?.unwrap_or_default(),
        warmup: args.opt_value_from_str("--warmup")?.unwrap_or(0),
        invocations: args.opt_value_from_str("--invocations")?.unwrap_or(0),
    };
    crate::nothing_left(args)?;
    ensure!(
        hold || script.invocations > 0,
        "--invocations must be at least 1"
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    say(&format!("port {}", listener.local_addr()?.port()));
    let shared = Arc::new((script, Mutex::new(Progress::default())));
    loop {
        let mut wire = Wire::new(listener.accept()?.0)?;
        let shared = Arc::clone(&shared);
        std::thread::spawn(move || {
            let (script, progress) = &*shared;
            lock(progress).connections += 1;
            let mut out = Vec::with_capacity(1024);
            if let Err(error) = serve(&mut wire, script, progress, &mut out) {
                say(&format!("fault {error:#}"));
            }
        });
    }
}

/// One line for the bench, at once.
fn say(line: &str) {
    println!("{line}");
}

/// A thread that panicked has ended the run with a fault already: the state is still readable.
fn lock(progress: &Mutex<Progress>) -> std::sync::MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers one connection until it is closed.
fn serve(
    wire: &mut Wire,
    script: &Script,
    progress: &Mutex<Progress>,
    out: &mut Vec<u8>,
) -> Result<()> {
    while let Some(request) = wire.request()? {
        if request.method == "GET" && request.path == NEXT {
            if script.hold {
                first();
                continue;
            }
            let mut progress = lock(progress);
            next(script, &mut progress, out)?;
            progress.sent = Some(Instant::now());
            drop(progress);
            wire.answer(out)?;
        } else {
            report(script, &mut lock(progress), &request)?;
            wire.answer(ACCEPTED)?;
        }
    }
    Ok(())
}

/// Tells when a program polled first, on the clock that the bench read before starting it.
fn first() {
    match clock_gettime(ClockId::CLOCK_MONOTONIC) {
        Ok(now) => say(&format!("first {}", Duration::from(now).as_nanos())),
        Err(error) => say(&format!("fault reading the clock: {error}")),
    }
}

/// Writes the next event into `out`, pausing before and after the measured ones.
fn next(script: &Script, progress: &mut Progress, out: &mut Vec<u8>) -> Result<()> {
    ensure!(
        progress.sent.is_none(),
        "a poll while an invocation waits for its report"
    );
    if progress.served == 0 {
        first();
    }
    if progress.served == script.warmup {
        progress.latencies = Vec::with_capacity(script.invocations);
        say("warm");
        wait()?;
    }
    if progress.served == script.warmup + script.invocations {
        progress.latencies.sort_unstable();
        let at = |percent: usize| progress.latencies[(script.invocations - 1) * percent / 100];
        let (p50, p99) = (at(50).as_nanos(), at(99).as_nanos());
        say(&format!("done {p50} {p99} {}", progress.connections));
        wait()?;
    }
    progress.served += 1;
    let deadline = SystemTime::now() + Duration::from_secs(60);
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
    out.clear();
    write!(
        out,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
         lambda-runtime-aws-request-id: {}\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:bench\r\n\
         lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;\
         Parent=9a9197af755a6419;Sampled=0\r\ncontent-length: {}\r\n\r\n{}",
        request_id(progress.served),
        script.event.len(),
        script.event
    )?;
    Ok(())
}

/// Checks one report against the invocation under way.
fn report(script: &Script, progress: &mut Progress, request: &Request) -> Result<()> {
    let expected = format!(
        "/2018-06-01/runtime/invocation/{}/response",
        request_id(progress.served)
    );
    let body = String::from_utf8_lossy(&request.body);
    let Some(sent) = progress.sent.take_if(|_| request.path == expected) else {
        bail!("unexpected {} {}: {body}", request.method, request.path);
    };
    progress.latencies.push(sent.elapsed());
    ensure!(request.method == "POST", "a report by {}", request.method);
    ensure!(
        body == script.answer,
        "the answer is `{body}`, not `{}`",
        script.answer
    );
    Ok(())
}

fn request_id(number: usize) -> String {
    format!("8476a536-e9f4-11e8-9739-{number:012x}")
}

/// Waits for a line of the bench; its end ends this process, with whatever is under way.
fn wait() -> Result<()> {
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        std::process::exit(0);
    }
    Ok(())
}
