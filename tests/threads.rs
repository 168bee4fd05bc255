//! Output is the same with any number of threads: on the samples, and on made captures with many sessions side by side that lost packets.

use std::path::Path;
use std::process::{Command, Output};

#[path = "build/mod.rs"]
mod build;
#[allow(dead_code, reason = "each user makes its own part of the traffic")]
#[path = "bench/traffic.rs"]
mod traffic;

use traffic::XML;

const SESSIONS: usize = 30;
const SIZE: usize = 2_000_000;

fn lint(path: &str, format: &str, jobs: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    command.args(["lint", "--quiet", "--format", format, "--jobs", jobs, path]);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("it runs")
}

fn is_the_same(path: &str) {
    for format in ["text", "json"] {
        let one = lint(path, format, "1");
        assert!(!one.stdout.is_empty(), "{path}: {}", String::from_utf8_lossy(&one.stderr));
        for jobs in ["2", "8"] {
            let more = lint(path, format, jobs);
            assert!((more.stdout, more.status) == (one.stdout.clone(), one.status), "{path}, {format}, {jobs} threads");
        }
    }
}

#[test]
fn on_samples() {
    is_the_same("samples");
}

#[test]
fn on_made_captures() {
    let folder = tempfile::tempdir().expect("a folder");
    let (dense, mixed) = (folder.path().join("dense.pcap"), folder.path().join("mixed.pcap"));
    let write = |path: &Path, make: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut capture = Vec::new();
        make(&mut capture).expect("it is kept in memory");
        std::fs::write(path, with_losses(&capture)).expect("a file");
    };
    write(&dense, &|out| traffic::dense(SIZE, SESSIONS, XML, out));
    write(&mixed, &|out| traffic::mixed(SIZE, SESSIONS, out));
    for path in [dense, mixed] {
        is_the_same(path.to_str().expect("a name in UTF-8"));
    }
}

/// A capture without every 97th packet, and with a byte changed in every 101st.
fn with_losses(capture: &[u8]) -> Vec<u8> {
    const FILE_HEADER: usize = 24;
    const HEADER: usize = 16;
    let (head, mut rest) = capture.split_at(FILE_HEADER);
    let mut out = head.to_vec();
    for number in 1.. {
        let Some(length) = rest.get(8..12).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes) else {
            break;
        };
        let (packet, behind) = rest.split_at(HEADER + length as usize);
        rest = behind;
        if number % 97 != 0 {
            out.extend(packet);
        }
        if number % 101 == 0
            && let Some(last) = out.last_mut()
        {
            *last ^= 1;
        }
    }
    out
}
