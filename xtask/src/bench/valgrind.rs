//! Counting from outside, on the very programs that are measured.
//!
//! The difference between a short and a long run leaves the start out.

use super::build::Built;
use crate::tools::debian;
use anyhow::{Context, Result};
use std::fs::read_to_string;
use std::process::{Command, Stdio};

const SHORT: u32 = 200;
const LONG: u32 = 1_200;

/// One of valgrind's tools, and how its report is read.
#[derive(Debug)]
pub(super) struct Tool<const N: usize> {
    options: &'static [&'static str],
    totals: fn(&str) -> Option<[f64; N]>,
}

/// Allocations and bytes of them: every call of the C allocator, which Rust's default one is. A
/// growing reallocation counts as one.
pub(super) const HEAP: Tool<2> = Tool {
    options: &["--leak-check=no", "--undef-value-errors=no"],
    totals: heap,
};

/// Instructions executed by the program, those of the kernel left out.
pub(super) const INSTRUCTIONS: Tool<1> = Tool {
    options: &["--tool=callgrind", "--callgrind-out-file=/dev/null"],
    totals: instructions,
};

/// Makes sure that valgrind is there.
pub(super) fn provide() -> Result<()> {
    let found = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    debian::install(&["valgrind"]).context("valgrind counts allocations and instructions")
}

impl<const N: usize> Tool<N> {
    /// What one unit of work costs, where `run` has a program do so many of them under the words
    /// of a wrapper, and ends it.
    pub(super) fn each(
        &self,
        built: &Built,
        mut run: impl FnMut(&[&str], u32) -> Result<()>,
    ) -> Result<[f64; N]> {
        let report = built.notes("valgrind");
        let to = format!("--log-file={}", report.display());
        let wrapper = [&["valgrind", &to], self.options].concat();
        let mut totals = |count| {
            run(&wrapper, count)?;
            let text = read_to_string(&report).with_context(|| report.display().to_string())?;
            (self.totals)(&text).with_context(|| format!("no totals in valgrind's report: {text}"))
        };
        let (short, long) = (totals(SHORT)?, totals(LONG)?);
        // To a tenth: what happens once in a hundred units is growth, not cost.
        let tenths = |more: f64| (more * 10.0 / f64::from(LONG - SHORT)).round() / 10.0;
        Ok(std::array::from_fn(|index| {
            tenths(long[index] - short[index])
        }))
    }
}

/// `==1== total heap usage: 1,234 allocs, 1,200 frees, 56,789 bytes allocated`
fn heap(report: &str) -> Option<[f64; 2]> {
    let (_, usage) = report.split_once("total heap usage: ")?;
    let mut words = usage.split_whitespace();
    Some([number(words.next()?)?, number(words.nth(3)?)?])
}

/// `==1== Collected : 1234`
fn instructions(report: &str) -> Option<[f64; 1]> {
    let (_, collected) = report.split_once("Collected : ")?;
    Some([number(collected.split_whitespace().next()?)?])
}

fn number(word: &str) -> Option<f64> {
    word.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{heap, instructions};

    #[test]
    fn the_totals_are_read_from_a_report() {
        let report = "==1== HEAP SUMMARY:\n==1==     in use at exit: 1 bytes in 1 blocks\n\
            ==1==   total heap usage: 12,034 allocs, 12,000 frees, 1,256,789 bytes allocated\n";
        assert_eq!(heap(report), Some([12_034.0, 1_256_789.0]));
        let report = "==1== Events    : Ir\n==1== Collected : 128705\n==1== \n";
        assert_eq!(instructions(report), Some([128_705.0]));
        assert_eq!(heap("==1== Process terminating"), None);
        assert_eq!(instructions("==1== Process terminating"), None);
    }
}
