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

/// Bytes of changed inputs made of each kept one.
const BYTES: usize = 200_000;

/// Every kept input with some of its bytes changed, left out or doubled.
#[test]
fn kept_inputs_with_faults_are_stood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut state = 1u64;
    let mut chance = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    for (name, target) in targets::ALL {
        for path in files(&root.join(name)) {
            let data = fs::read(path).unwrap();
            for _ in 0..(BYTES / data.len().max(1)).min(400) {
                let mut bytes = data.clone();
                for _ in 0..=chance(3) {
                    let (at, len) = (chance(bytes.len()), chance(9));
                    let end = (at + len).min(bytes.len());
                    match chance(4) {
                        0 => bytes[at..end].iter_mut().for_each(|byte| *byte ^= 1 << chance(8)),
                        1 => drop(bytes.drain(at..end)),
                        2 => bytes.extend_from_within(at..end),
                        _ => bytes[at..end].fill([0, 0xff][chance(2)]),
                    }
                    if bytes.is_empty() {
                        break;
                    }
                }
                target(&bytes);
            }
        }
    }
}
