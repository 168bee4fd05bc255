//! How long `dmscope lint` takes on DM traffic: `cargo bench --bench lint [-- MEGABYTES]`.
//!
//! Makes a capture of sessions that run side by side, lints it three times and prints the best time; then once more
//! with `--stats`, and fails when a rule takes more than its share.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "../build/mod.rs"]
mod build;
#[allow(dead_code, reason = "each benchmark makes its own part of the traffic")]
mod traffic;

const SHOWN: usize = 12;
const RUNS: usize = 3;
/// The largest share of a lint that one rule may take, in percent.
const SHARE: f64 = 5.0;
/// Sessions at a time: what one second of a busy server holds.
const OVERLAP: usize = 50;

fn main() {
    let megabytes = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(100usize);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dense.pcap");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    traffic::dense(megabytes * 1_000_000, OVERLAP, traffic::XML, &mut file).unwrap();
    file.flush().unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    let best = (0..RUNS).map(|_| lint(&path)).min().unwrap();
    println!("lint: {:.3} s, {:.0} MB/s (best of {RUNS})", best.as_secs_f64(), size as f64 / 1e6 / best.as_secs_f64());
    let shares = shares(&path);
    shares.iter().take(SHOWN).for_each(|(share, rule)| println!("{share:>6.1} %  {rule}"));
    let above: Vec<_> = shares.iter().filter(|(share, _)| *share > SHARE).collect();
    assert!(above.is_empty(), "rules that take more than {SHARE} % of a lint: {above:?}");
}

/// The share of each rule in percent, the largest first.
fn shares(path: &std::path::Path) -> Vec<(f64, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    let output = command.args(["lint", "--quiet", "--stats"]).arg(path).output().unwrap();
    let stats = String::from_utf8(output.stderr).unwrap();
    let share = |line: &str| {
        let (share, rule) = line.split_once(" %) in ")?;
        Some((share.rsplit('(').next()?.parse().ok()?, rule.to_owned()))
    };
    let shares: Vec<_> = stats.lines().filter_map(share).collect();
    assert!(shares.len() > 100, "{stats}");
    shares
}

fn lint(path: &std::path::Path) -> Duration {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    let status = command.arg("lint").arg("--quiet").arg(path).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "a clean capture must lint clean: {status}");
    start.elapsed()
}
