//! How `dmscope view` copes with a large capture: `cargo bench --bench view [-- MEGABYTES]`.
//!
//! Makes a capture of DM traffic, opens it in a terminal of tmux and prints when the first screen stood, when the first
//! sessions were on it, when all was read, how long the last session took to be shown, and the most private memory
//! the program had (Linux).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../build/mod.rs"]
mod build;
#[allow(dead_code, reason = "the bench of lint uses more of it")]
mod traffic;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

/// Sessions that run side by side.
const OVERLAP: usize = 50;

fn main() {
    let megabytes = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("traffic.pcap");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    traffic::dense(megabytes * 1_000_000, OVERLAP, traffic::XML, &mut file).unwrap();
    file.flush().unwrap();
    println!("{megabytes} MB of DM traffic");
    let terminal = Terminal { socket: format!("dmscope-bench-{}", std::process::id()) };
    let started = Instant::now();
    terminal.open(&format!("exec {} view {}", env!("CARGO_BIN_EXE_dmscope"), path.display()));
    terminal.wait("first screen", started, |screen| screen.contains("Summary"));
    let pid = terminal.run(&["list-panes", "-F", "#{pane_pid}"]).trim().to_owned();
    terminal
        .wait("first sessions", started, |screen| screen.contains(" sessions · ") && !screen.contains(" 0 sessions"));
    let mut most = 0;
    terminal.wait("all read", started, |screen| {
        most = most.max(private(&pid));
        !screen.contains("reading ")
    });
    let asked = Instant::now();
    terminal.run(&["send-keys", "Tab", "Tab", "G", "Tab"]);
    terminal.wait("last session shown, from the key", asked, |screen| {
        most = most.max(private(&pid));
        screen.contains("<SyncML")
    });
    terminal.run(&["send-keys", "/", "nowhere-at-all", "Enter"]);
    terminal.wait("all searched, from the key", asked, |screen| {
        most = most.max(private(&pid));
        screen.contains("is nowhere")
    });
    println!("{:>8} MB  private memory at most", most / 1000);
}

/// Kilobytes of memory that are the program's own, the pages of the mapped capture not counted; 0 where the system does
/// not say.
fn private(pid: &str) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

struct Terminal {
    socket: String,
}

impl Terminal {
    fn open(&self, command: &str) {
        self.run(&["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", command]);
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").args(["-L", &self.socket]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits for a screen, and prints how long that took.
    fn wait(&self, what: &str, since: Instant, mut is_there: impl FnMut(&str) -> bool) {
        loop {
            let screen = self.run(&["capture-pane", "-p"]);
            if is_there(&screen) {
                break println!("{:>8} ms  {what}", since.elapsed().as_millis());
            }
            assert!(since.elapsed() < Duration::from_secs(600), "{what}:\n{screen}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}
