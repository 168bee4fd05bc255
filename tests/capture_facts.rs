//! Packet counts and link types of real captures, against what capinfos says of them.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use dmscope::capture::{self, Source, map};
use dmscope::limits::Limits;

/// The folder with `captures/`, or a loud word that the test did not run.
fn corpus() -> Option<PathBuf> {
    let found = std::env::var_os("DMSCOPE_CORPUS").map(PathBuf::from);
    if found.is_none() {
        eprintln!("SKIPPED: DMSCOPE_CORPUS is not set, real captures were not read");
    }
    found
}

/// `file`, and its facts of mode `file` by name.
fn facts(captures: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let table = fs::read_to_string(captures.join("facts.tsv")).unwrap();
    let mut facts: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for line in table.lines() {
        if let [file, "file", fact, value] = line.split('\t').collect::<Vec<_>>()[..] {
            facts.entry(file.to_owned()).or_default().insert(fact.to_owned(), value.to_owned());
        }
    }
    facts
}

/// capinfos' names of the link types of a file.
fn link_name(links: &BTreeSet<u16>) -> String {
    let name = |link: &u16| match link {
        0 => "null".to_owned(),
        1 => "ether".to_owned(),
        12 | 101 => "rawip".to_owned(),
        228 => "rawip4".to_owned(),
        276 => "linux-sll2".to_owned(),
        other => other.to_string(),
    };
    links.iter().map(name).collect::<Vec<_>>().join(",")
}

#[test]
fn packet_counts_and_link_types_are_those_of_capinfos() {
    let Some(corpus) = corpus() else { return };
    let captures = corpus.join("captures");
    let facts = facts(&captures);
    assert!(facts.len() >= 60, "facts.tsv names {} files", facts.len());
    let mut wrong = Vec::new();
    for (file, facts) in &facts {
        let data = map::Data::open(&captures.join(file), true).unwrap();
        let mut links = BTreeSet::new();
        let mut seen = Vec::new();
        let whole = capture::read(Source::Bytes(&data), &Limits::default(), &mut |frame| {
            links.insert(frame.link);
            seen.push((frame.no, frame.at, frame.bytes.to_vec()));
            ControlFlow::Continue(())
        });
        if facts["packets"] != whole.packets.to_string() {
            wrong.push(format!("{file}: {} packets, not {}; {:?}", whole.packets, facts["packets"], whole.notes));
        }
        // capinfos gives the type of the header where there is no packet.
        if !links.is_empty() && facts["linktype"] != "per-packet" && facts["linktype"] != link_name(&links) {
            wrong.push(format!("{file}: link types {links:?}, not {}", facts["linktype"]));
        }

        let mut slabs = seen.iter();
        let stream = capture::read(Source::Stream(Box::new(&data[..])), &Limits::default(), &mut |frame| {
            let (no, at, bytes) = slabs.next().unwrap();
            assert_eq!((frame.no, frame.at, frame.bytes), (*no, *at, &bytes[..]));
            ControlFlow::Continue(())
        });
        assert_eq!((stream.packets, stream.notes), (whole.packets, whole.notes), "{file} read as a stream");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
