//! What a miss, a read of many keys and a crowd cost in Redis.

use super::program::Program;
use super::run::{finish, numbers, option, start};
use super::server::Server;
use crate::bench::build::Built;
use crate::bench::figures::{Figures, Metric};
use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// How many processes want the value.
const PROCESSES: u32 = 4;

/// In each of them.
const CALLERS: u32 = 2_500;

/// What a process says when it waits for the others.
const READY: &[u8] = b"ready\n";

/// Counts round trips and commands.
pub(super) fn count(
    built: &Built,
    program: &Program,
    server: &Server,
    figures: &mut Figures,
) -> Result<()> {
    let [most, first] = numbers(&mut command(built, program, server, "misses"))?;
    figures.add(Metric::MissTrips, most);
    figures.add(Metric::FirstTrips, first);
    let mut many = command(built, program, server, "many");
    option(&mut many, "--keys", 100);
    let [mgets, calls, trips] = numbers(&mut many)?;
    figures.add(Metric::Mgets, mgets);
    figures.add(Metric::LoaderCalls, calls);
    figures.add(Metric::ManyTrips, trips);
    Ok(())
}

/// Has 10,000 callers want the value of the same key at once, which is not there.
pub(super) fn crowd(
    built: &Built,
    program: &Program,
    server: &Server,
    key: u32,
    figures: &mut Figures,
) -> Result<()> {
    let mut command = command(built, program, server, "crowd");
    option(&mut command, "--callers", CALLERS);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut children = Vec::new();
    for _ in 0..PROCESSES {
        let mut child = start(&mut command)?;
        let stdout = child.0.stdout.as_mut().context("the program's output")?;
        let mut word = [0; READY.len()];
        stdout.read_exact(&mut word)?;
        ensure!(word == READY, "{command:?} is not ready");
        children.push(child);
    }
    for child in &mut children {
        let mut stdin = child.0.stdin.take().context("the program's input")?;
        writeln!(stdin, "crowd-{key}")?;
    }
    let (mut loads, mut took) = (0.0_f64, 0.0_f64);
    for child in children {
        let [counted, milliseconds] = finish(&command, child)?;
        loads = loads.max(counted);
        took = took.max(milliseconds);
    }
    figures.add(Metric::Loads, loads);
    figures.add(Metric::Crowd, took);
    Ok(())
}

fn command(built: &Built, program: &Program, server: &Server, work: &str) -> Command {
    let mut command = built.command(program.package, &[]);
    option(&mut command, "--work", work);
    option(&mut command, "--flavor", "current");
    option(&mut command, "--url", server.url());
    command
}
