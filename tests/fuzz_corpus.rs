//! Every kept fuzzing input, and every sample, through every fuzz target.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "fuzz/targets.rs"]
mod targets;

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

#[test]
fn what_was_found_stays_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let samples = files(&root.join("samples"));
    assert!(samples.len() >= 7, "the samples are not there");
    for (name, target) in targets::ALL {
        for path in files(&root.join("tests/fuzz/corpus").join(name)).iter().chain(&samples) {
            target(&fs::read(path).unwrap());
        }
    }
}

/// Each sample, cut at every length, through the target that reads it.
#[test]
fn samples_cut_anywhere_are_read_as_far_as_they_go() {
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")) {
        let data = fs::read(&path).unwrap();
        let target = match path.extension().and_then(|ending| ending.to_str()) {
            Some("pcap") => targets::capture,
            Some("har") => targets::har,
            Some("log") => targets::log,
            _ => continue,
        };
        (0..data.len()).step_by(31).for_each(|length| target(&data[..length]));
    }
}
