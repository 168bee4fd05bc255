//! What each stage costs in instructions: `cargo bench --bench stages`, with valgrind installed.
//!
//! Instructions are counted, so that a busy machine does not change them: each stage runs once and three times under
//! valgrind, and half of the difference is what it costs by itself. Prints them for each byte of a body, beside the least
//! that reading XML can cost (the events of quick-xml and nothing else), and fails when one takes more than [`MOST`] says.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::process::Command;

use dmscope::engine::{self, Settings};
use dmscope::limits::Limits;
use dmscope::octets::Octets;
use dmscope::rules::Profile;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::Selection;
use dmscope::{input, xml};
use quick_xml::Reader;
use quick_xml::events::Event;

#[path = "../build/mod.rs"]
mod build;
#[allow(dead_code, reason = "each benchmark makes its own part of the traffic")]
mod traffic;

const SESSIONS: usize = 10;
/// Instructions for each byte of a body at most. A new rule adds to those of all rules; give reasons for more.
const MOST: [(&str, f64); 4] = [("events", f64::MAX), ("documents", 36.0), ("rules", 27.0), ("sessions", 54.0)];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.as_slice() {
        [stage, times] => stage_of(stage, times.parse().unwrap()),
        _ => compare(),
    }
}

fn compare() {
    let bytes: usize = (0..SESSIONS).flat_map(traffic::session).map(|body| body.len()).sum();
    let mut events = 0.0;
    for (stage, most) in MOST {
        let count = (instructions(stage, 3) - instructions(stage, 1)) / 2;
        let each = count as f64 / bytes as f64;
        if stage == "events" {
            events = each;
        }
        println!("{stage:<10} {each:>8.1} instructions a byte, {:>5.2} times the events", each / events);
        assert!(each <= most, "{stage}: more than {most} instructions a byte");
    }
}

/// Instructions of this program doing a stage so many times.
fn instructions(stage: &str, times: u32) -> u64 {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program).args([stage, &times.to_string()]);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = told.lines().find_map(|line| line.split_once("Collected : ")).unwrap_or_else(|| panic!("{told}"));
    line.1.trim().parse().unwrap()
}

fn stage_of(stage: &str, times: u32) {
    let bodies: Vec<Octets> = (0..SESSIONS).flat_map(traffic::session).map(|body| body.into_bytes().into()).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dense.pcap");
    traffic::dense(1, SESSIONS, traffic::XML, &mut std::fs::File::create(&path).unwrap()).unwrap();
    let (inputs, limits) = (input::collect(&[path], None).unwrap(), Limits::default());
    let sessions = || {
        let mut sessions = Vec::new();
        engine::read(&inputs, &Settings::default(), &mut |session| sessions.push(session), &mut |_| {}).unwrap();
        sessions
    };
    let read = if stage == "rules" { sessions() } else { Vec::new() };
    let runner = Runner::new(&Selection::of(Profile::Windows), &limits);
    for _ in 0..times {
        match stage {
            "events" => bodies.iter().for_each(|body| events(std::str::from_utf8(body).unwrap())),
            "documents" => bodies.iter().for_each(|body| drop(std::hint::black_box(xml::parse(body, &limits)))),
            "sessions" => drop(std::hint::black_box(sessions())),
            _ => read.iter().for_each(|session| drop(std::hint::black_box(runner.run(session)))),
        }
    }
}

fn events(body: &str) {
    let mut reader = Reader::from_str(body);
    while !matches!(std::hint::black_box(reader.read_event().unwrap()), Event::Eof) {}
}
