//! Every kept fuzzing input, and every sample, through every fuzz target.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

#[path = "fuzz/targets.rs"]
mod targets;

/// Does something with each target, on all cores.
fn for_each_target(each: impl Fn(&str, targets::Target) + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((name, target)) = targets::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            each(name, *target);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            scope.spawn(work);
        }
    });
}

/// Gives bytes to a target; says which they were where it fails.
fn stands(name: &str, target: targets::Target, path: &Path, bytes: &[u8]) {
    let stood = panic::catch_unwind(AssertUnwindSafe(|| target(bytes)));
    assert!(stood.is_ok(), "target {name}: {}, {} bytes: {}", path.display(), bytes.len(), bytes.escape_ascii());
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

#[test]
fn what_was_found_stays_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let samples = files(&root.join("samples"));
    assert!(samples.len() >= 7, "the samples are not there");
    for_each_target(|name, target| {
        for path in files(&root.join("tests/fuzz/corpus").join(name)).iter().chain(&samples) {
            stands(name, target, path, &fs::read(path).unwrap());
        }
    });
}

/// Bytes of changed inputs given to each target, and how many of them at most.
const BYTES: usize = 300_000;
const INPUTS: usize = 600;

/// Every kept input with some of its bytes changed, left out or doubled.
#[test]
fn kept_inputs_with_faults_are_stood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for_each_target(|name, target| {
        let mut chance = Chance(1);
        let kept = files(&root.join(name));
        for path in &kept {
            let data = fs::read(path).unwrap();
            for _ in 0..(BYTES / kept.len() / data.len().max(1)).min(INPUTS / kept.len()).max(1) {
                stands(name, target, path, &chance.damaged(&data));
            }
        }
    });
}

/// A generator that is the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }

    fn damaged(&mut self, data: &[u8]) -> Vec<u8> {
        let mut bytes = data.to_vec();
        for _ in 0..=self.below(3) {
            let (at, len) = (self.below(bytes.len()), self.below(9));
            let end = (at + len).min(bytes.len());
            match self.below(4) {
                0 => bytes[at..end].iter_mut().for_each(|byte| *byte ^= 1 << self.below(8)),
                1 => drop(bytes.drain(at..end)),
                2 => bytes.extend_from_within(at..end),
                _ => bytes[at..end].fill([0, 0xff][self.below(2)]),
            }
            if bytes.is_empty() {
                break;
            }
        }
        bytes
    }
}
