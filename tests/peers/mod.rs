//! Programs that talk over loopback while a test records them, and the recorder.

// Each test binary uses its own part of this module.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// Whether all these programs are here; says so when not, and fails where they are required.
pub fn are_here(programs: &[&str]) -> bool {
    let missing: Vec<&&str> =
        programs.iter().filter(|program| Command::new(program).arg("--version").output().is_err()).collect();
    assert!(missing.is_empty() || std::env::var_os("DMSCOPE_PEERS").is_none(), "not here: {missing:?}");
    missing.iter().for_each(|program| eprintln!("SKIPPED: no {program}, nothing was recorded of real peers"));
    missing.is_empty()
}

/// A file that `.ci/run` puts below `target/peers`; `None`, told, without it, and a failure where it is required.
pub fn installed(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("DMSCOPE_PEERS").is_none(), "not here: {name}");
    eprintln!("SKIPPED: no target/peers/{name}, .ci/run installs it");
    None
}

/// Whether a document is as a JSON schema says, by check-jsonschema; what is wrong with it else.
pub fn validate(schema: &[&str], document: &Path) -> Option<()> {
    let validator = installed("checks/bin/check-jsonschema")?;
    let output = Command::new(validator).arg("--color=never").args(schema).arg(document).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}: {}", document.display(), String::from_utf8_lossy(&said));
    Some(())
}

/// A program that ends with the test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nothing listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A loopback address that no other test of this machine uses at the time: its ports are all free.
pub fn own_address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    format!("127.{}.{high}.{}", 64 + low % 128, NEXT.fetch_add(1, Ordering::Relaxed) + (low & 128))
}

/// Waits until something listens there.
pub fn wait_for(address: &str, port: u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect((address, port)).is_err() {
        assert!(Instant::now() < deadline, "nothing listens on {address}:{port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Records what passes loopback through this filter until [`stop`]; `None`, told, without the right to.
pub fn record(file: &Path, filter: &str) -> Option<Running> {
    let child = Command::new("tcpdump")
        .args(["-i", "lo", "-U", "-s", "0", "--immediate-mode", "-B", "65536", "-w"])
        .arg(file)
        .arg(filter)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut recorder = Running(child);
    let mut line = String::new();
    BufReader::new(recorder.0.stderr.take().unwrap()).read_line(&mut line).unwrap();
    if line.contains("listening") {
        return Some(recorder);
    }
    assert!(std::env::var_os("DMSCOPE_PEERS").is_none(), "tcpdump: {line}");
    eprintln!("SKIPPED: tcpdump cannot capture: {line}");
    None
}

/// Waits until the recording has not grown for a moment, and ends it.
pub fn stop(recorder: Running, file: &Path) {
    let (mut size, mut since) = (0, Instant::now());
    while since.elapsed() < Duration::from_millis(400) {
        let now = fs::metadata(file).map_or(0, |meta| meta.len());
        if now != size {
            (size, since) = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(recorder);
}
