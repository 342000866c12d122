//! What the numbers were measured on, and how far they can be trusted.

use std::fmt::Display;
use std::fs::read_to_string;

/// Prints the machine, how its processors are dealt out, and its caveats: `crowded` says what
/// fewer than three cores lead to.
pub(super) fn print(dealt: impl Display, crowded: &str) {
    let cpuinfo = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim())
    };
    let virtual_machine = field("flags").is_some_and(|flags| flags.contains("hypervisor"));
    let cores = cpuinfo
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    println!(
        "machine: {}, {cores} cores, {}, load {load}; {dealt}",
        field("model name").unwrap_or("unknown processor"),
        if virtual_machine {
            "a virtual machine, so perhaps shared"
        } else {
            "no hypervisor seen"
        },
    );
    if cores < 3 {
        println!("caveat: fewer than 3 cores, so {crowded}");
    }
    println!("caveat: ratios within this run count, absolute times do not");
}
