//! Every sample, damaged in every way that a recording is: cut off, bits turned over, packets lost, doubled, exchanged, mixed with
//! those of another. Nothing panics, no fault is found that the undamaged sample has not, and faults of messages that are whole
//! are still found.
//!
//! A part of all places is tried; `DMSCOPE_DAMAGE=all` tries them all.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use dmscope::engine::{self, Settings};
use dmscope::input;
use dmscope::limits::Limits;
use dmscope::rules::location::Locator;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::Selection;
use dmscope::rules::{Profile, Severity};
use dmscope::tls::Keys;

/// A sample in parts: what stands before, between and behind packets, and the packets.
struct Sample {
    name: String,
    bytes: Vec<u8>,
    /// Where its packets stand; none of what is no capture.
    packets: Vec<Range<usize>>,
}

/// A warning or error.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fault {
    rule: &'static str,
    /// In the document.
    place: String,
    message: String,
}

type Faults = Vec<Fault>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn samples() -> Vec<Sample> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let recordings = paths.into_iter().filter_map(|path| {
        let ending = path.extension()?.to_str()?.to_owned();
        let bytes = fs::read(&path).unwrap();
        let packets = match ending.as_str() {
            "pcap" => packets(&bytes, 24, &|head| 16 + four(head, 8), &|_| true),
            "pcapng" => packets(&bytes, 0, &|head| four(head, 4), &|head| four(head, 0) == 6),
            "har" | "log" => Vec::new(),
            _ => return None,
        };
        Some(Sample { name: path.file_name()?.to_str()?.to_owned(), bytes, packets })
    });
    let samples: Vec<Sample> = recordings.collect();
    assert!(samples.len() >= 14, "the samples are not there");
    assert!(samples.iter().filter(|sample| sample.packets.len() > 5).count() >= 12, "their packets are not found");
    samples
}

/// A little-endian number: our samples were all made on one kind of machine.
fn four(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// Records from `start` on, each as long as its head says; those that are packets.
fn packets(
    bytes: &[u8],
    start: usize,
    length: &dyn Fn(&[u8]) -> usize,
    is_packet: &dyn Fn(&[u8]) -> bool,
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = start;
    while at < bytes.len() {
        let end = at + length(&bytes[at..]);
        found.extend(is_packet(&bytes[at..]).then_some(at..end));
        at = end;
    }
    found
}

/// A packet of a pcap file so many seconds later.
fn moved(packet: &[u8], seconds: usize) -> Vec<u8> {
    let at = four(packet, 0).wrapping_add(seconds) as u32;
    [&at.to_le_bytes(), &packet[4..]].concat()
}

impl Sample {
    /// The sample with other packets where its own stand.
    fn with(&self, packets: &[&[u8]]) -> Vec<u8> {
        let (Some(first), Some(last)) = (self.packets.first(), self.packets.last()) else { return self.bytes.clone() };
        [&self.bytes[..first.start], &packets.concat(), &self.bytes[last.end..]].concat()
    }

    fn all(&self) -> Vec<&[u8]> {
        self.packets.iter().map(|range| &self.bytes[range.clone()]).collect()
    }
}

/// What is said of recordings, each kept in the same file.
struct Lint {
    _folder: tempfile::TempDir,
    path: PathBuf,
    runner: Runner,
}

impl Lint {
    fn new() -> Lint {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged");
        Lint { _folder: folder, path, runner: Runner::new(&Selection::of(Profile::Windows), &Limits::default()) }
    }

    fn of(&self, bytes: &[u8]) -> Faults {
        fs::write(&self.path, bytes).unwrap();
        let Ok(inputs) = input::collect(std::slice::from_ref(&self.path), None) else { return Faults::new() };
        let keys = Keys::new(&Limits::default());
        keys.add_log(&fs::read(folder().join("mutual-tls.keylog")).unwrap());
        let settings = Settings { mmap: false, keys, ..Settings::default() };
        let mut faults = Faults::new();
        let mut each = |session| {
            let outcome = self.runner.run(&session);
            assert!(outcome.bugs.is_empty(), "{:?}", outcome.bugs);
            let mut locator = Locator::new(&session, false);
            for draft in outcome.drafts.into_iter().filter(|draft| draft.severity > Severity::Info) {
                let finding = locator.finding(draft);
                let place = finding.location.path.unwrap_or_default().into();
                faults.push(Fault { rule: finding.rule.id, place, message: finding.message.to_string() });
            }
        };
        engine::read(&inputs, &settings, &mut each, &mut |_| {}).unwrap();
        faults.sort();
        faults
    }
}

/// Each so many-th place of `count` is tried, unless all are wanted.
fn step(usual: usize) -> usize {
    if std::env::var_os("DMSCOPE_DAMAGE").is_some_and(|wanted| wanted == "all") { 1 } else { usual }
}

/// Faults that the whole sample has not; what is said of damage is none.
fn invented(found: &Faults, whole: &Faults) -> Faults {
    found.iter().filter(|fault| !whole.contains(fault) && !fault.rule.starts_with("DM-CAP")).cloned().collect()
}

#[test]
fn cut_off_anywhere() {
    let lint = Lint::new();
    for sample in samples() {
        let whole = lint.of(&sample.bytes);
        for length in (0..sample.bytes.len()).step_by(step(211)) {
            let found = lint.of(&sample.bytes[..length]);
            assert_eq!(invented(&found, &whole), [], "{} cut at byte {length}", sample.name);
        }
    }
}

#[test]
fn a_bit_turned_over_anywhere() {
    let lint = Lint::new();
    for sample in samples() {
        for at in (0..sample.bytes.len()).step_by(step(211)) {
            let mut bytes = sample.bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            lint.of(&bytes);
        }
    }
}

#[test]
fn a_packet_lost() {
    let lint = Lint::new();
    for sample in samples() {
        let whole = lint.of(&sample.bytes);
        for lost in 0..sample.packets.len() {
            let mut packets = sample.all();
            packets.remove(lost);
            let found = lint.of(&sample.with(&packets));
            assert_eq!(invented(&found, &whole), [], "{} without packet {lost}", sample.name);
        }
    }
}

#[test]
fn a_packet_doubled_or_late() {
    let lint = Lint::new();
    for sample in samples() {
        let whole = lint.of(&sample.bytes);
        for at in (1..sample.packets.len()).step_by(step(2)) {
            let mut packets = sample.all();
            packets.insert(at, packets[at]);
            assert_eq!(lint.of(&sample.with(&packets)), whole, "{} with packet {at} twice", sample.name);
            packets.remove(at);
            packets.swap(at - 1, at);
            assert_eq!(lint.of(&sample.with(&packets)), whole, "{} with packet {at} early", sample.name);
        }
    }
}

#[test]
fn packets_of_two_mixed() {
    let lint = Lint::new();
    let samples = samples();
    let captures: Vec<&Sample> = samples.iter().filter(|sample| sample.name.ends_with(".pcap")).collect();
    for pair in captures.windows(2) {
        let mut whole = [lint.of(&pair[0].bytes), lint.of(&pair[1].bytes)].concat();
        whole.sort();
        let (first, second) = (pair[0].all(), pair[1].all());
        // At one time: what comes long after tells that something else never came.
        let later = four(first[0], 0).wrapping_sub(four(second[0], 0));
        let second: Vec<Vec<u8>> = second.into_iter().map(|packet| moved(packet, later)).collect();
        let longest = first.len().max(second.len());
        let of_both = |at: usize| first.get(at).copied().into_iter().chain(second.get(at).map(Vec::as_slice));
        let mixed: Vec<&[u8]> = (0..longest).flat_map(of_both).collect();
        assert_eq!(lint.of(&pair[0].with(&mixed)), whole, "{} and {}", pair[0].name, pair[1].name);
    }
}
