//! How long `dmscope lint` takes on DM traffic: `cargo bench --bench lint [-- MEGABYTES]`.
//!
//! Makes a capture of sessions that run side by side, lints it three times and prints the best time; then once more
//! with `--stats`, and fails when a rule takes more than its share. The same with ten rules of one's own beside the others.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
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
/// The same of ten own rules together.
const SHARE_OF_OWN: f64 = 10.0;
/// The ten own rules.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/rules");
/// What is changed in their conditions, so that they have as little to say of the traffic as the others: what is measured
/// is looking, not telling.
const KEPT: [(&str, &str); 3] = [
    ("size() > 4", "size() > 40"),
    ("X-Request-Id\") == null", "X-Request-Id\") == \"\""),
    ("DevDetail/SwV", "Device/Vendor/MSFT/Policy/Config/Area0/Setting0"),
];
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
    let own = own_rules(&folder.path().join("rules"));
    let own = ["--rules", own.to_str().unwrap()];
    for (name, more) in [("lint", &[][..]), ("with own rules", &own)] {
        let best = (0..RUNS).map(|_| lint(&path, more)).min().unwrap().as_secs_f64();
        println!("{name}: {best:.3} s, {:.0} MB/s (best of {RUNS})", size as f64 / 1e6 / best);
    }
    let own: f64 =
        shares(&path, &own).iter().filter(|(_, rule)| rule.starts_with("ACME-")).map(|(share, _)| share).sum();
    println!("{own:>6.1} %  ten own rules together");
    assert!(own < SHARE_OF_OWN, "ten own rules take more than {SHARE_OF_OWN} % of a lint");
    let shares = shares(&path, &[]);
    shares.iter().take(SHOWN).for_each(|(share, rule)| println!("{share:>6.1} %  {rule}"));
    let above: Vec<_> = shares.iter().filter(|(share, _)| *share > SHARE).collect();
    assert!(above.is_empty(), "rules that take more than {SHARE} % of a lint: {above:?}");
}

/// The own rules with the changes of [`KEPT`], in a folder of their own.
fn own_rules(folder: &Path) -> PathBuf {
    std::fs::create_dir(folder).unwrap();
    for page in std::fs::read_dir(OWN).unwrap() {
        let page = page.unwrap();
        let text = std::fs::read_to_string(page.path()).unwrap();
        let kept = KEPT.iter().fold(text, |text, (from, to)| text.replace(from, to));
        std::fs::write(folder.join(page.file_name()), kept).unwrap();
    }
    folder.to_owned()
}

/// The share of each rule in percent, the largest first.
fn shares(path: &Path, more: &[&str]) -> Vec<(f64, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    let output = command.args(["lint", "--quiet", "--stats"]).args(more).arg(path).output().unwrap();
    let stats = String::from_utf8(output.stderr).unwrap();
    let share = |line: &str| {
        let (share, rule) = line.split_once(" %) in ")?;
        Some((share.rsplit('(').next()?.parse().ok()?, rule.to_owned()))
    };
    let shares: Vec<_> = stats.lines().filter_map(share).collect();
    assert!(shares.len() > 100, "{stats}");
    shares
}

fn lint(path: &Path, more: &[&str]) -> Duration {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    let status = command.arg("lint").arg("--quiet").args(more).arg(path).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "a clean capture must lint clean: {status}");
    start.elapsed()
}
