//! What a run cost: how much was read, how fast, how much memory, how long each rule took. For `--stats`.

use std::io::{self, Write};
use std::time::Duration;

use super::Lint;
use crate::rules::Rule;

/// What was measured.
#[derive(Debug, Default)]
pub struct Stats {
    /// Bytes read.
    pub bytes: u64,
    /// From the first byte to the last finding.
    pub elapsed: Duration,
    /// Threads that judged.
    pub threads: usize,
    /// Time taken by measuring the rules, on all threads.
    pub clock: Duration,
    /// Time of each rule, summed over all sessions.
    pub rules: Vec<(&'static Rule, Duration)>,
}

/// Writes the table.
pub fn write(lint: &Lint, stats: &Stats, out: &mut dyn Write) -> io::Result<()> {
    let packets: u64 = lint.inputs.iter().filter_map(|input| input.packets).sum();
    let streams: u64 = lint.inputs.iter().filter_map(|input| input.tcp_streams).sum();
    let mib = stats.bytes as f64 / 1e6;
    writeln!(out, "{:>12}  inputs", lint.inputs.len())?;
    writeln!(out, "{:>12}  bytes", stats.bytes)?;
    writeln!(out, "{packets:>12}  packets")?;
    writeln!(out, "{streams:>12}  TCP streams")?;
    writeln!(out, "{:>12}  sessions", lint.totals.sessions)?;
    writeln!(out, "{:>12}  messages", lint.totals.messages)?;
    writeln!(out, "{:>12.3}  seconds", stats.elapsed.as_secs_f64())?;
    writeln!(out, "{:>12.1}  MB/s", mib / stats.elapsed.as_secs_f64().max(1e-9))?;
    if let Some(peak) = peak_memory() {
        writeln!(out, "{:>12.1}  MB peak memory", peak as f64 / 1e6)?;
    }
    let mut rules: Vec<_> = stats.rules.iter().filter(|(_, time)| !time.is_zero()).collect();
    rules.sort_by_key(|(rule, time)| (std::cmp::Reverse(*time), rule.id));
    writeln!(out, "{:>12.3}  seconds for measuring the rules, left out of their shares", stats.clock.as_secs_f64())?;
    // Rules run on all threads, so their shares are of the time of all.
    let spent = stats.elapsed.as_secs_f64() * stats.threads.max(1) as f64;
    let all = (spent - stats.clock.as_secs_f64()).max(1e-9);
    for (rule, time) in rules {
        let (seconds, share) = (time.as_secs_f64(), 100.0 * time.as_secs_f64() / all);
        writeln!(out, "{seconds:>12.6}  seconds ({share:.1} %) in {} {}", rule.id, rule.name)?;
    }
    Ok(())
}

/// The most memory the process had, in bytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}
