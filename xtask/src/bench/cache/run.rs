//! Running a program to its end, and reading the numbers that it tells.

use crate::child::Owned;
use anyhow::{Context, Result, ensure};
use std::io::Read;
use std::process::{Command, Stdio};

/// Adds an option with its value.
pub(super) fn option(command: &mut Command, name: &str, value: impl ToString) {
    command.args([name, &value.to_string()]);
}

/// Runs `command` to its end.
pub(super) fn numbers<const N: usize>(command: &mut Command) -> Result<[f64; N]> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = start(command)?;
    finish(command, child)
}

/// Starts it.
pub(super) fn start(command: &mut Command) -> Result<Owned> {
    Owned::spawn(command).with_context(|| format!("{command:?} cannot be started"))
}

/// Waits for its end.
pub(super) fn finish<const N: usize>(command: &Command, mut child: Owned) -> Result<[f64; N]> {
    let (mut told, mut errors) = (String::new(), String::new());
    let mut stdout = child.0.stdout.take().context("the program's output")?;
    stdout.read_to_string(&mut told)?;
    if let Some(mut stderr) = child.0.stderr.take() {
        stderr.read_to_string(&mut errors)?;
    }
    let status = child.0.wait()?;
    ensure!(
        status.success(),
        "{command:?} ended with {status}: {}",
        errors.trim()
    );
    parse(&told).with_context(|| format!("{command:?} told `{told}` in place of {N} numbers"))
}

fn parse<const N: usize>(told: &str) -> Option<[f64; N]> {
    let numbers: Result<Vec<f64>, _> = told.split_whitespace().map(str::parse).collect();
    numbers.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn as_many_numbers_are_told_as_are_expected() {
        assert_eq!(parse("3 1.5\n"), Some([3.0, 1.5]));
        assert_eq!(parse::<1>("3 1.5"), None);
        assert_eq!(parse::<1>("ready"), None);
    }
}
