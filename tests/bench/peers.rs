//! dmscope beside other programs on the same captures: `cargo bench --bench peers [-- MEGABYTES [RUNS]]`.
//!
//! Makes captures of that size (100 MB unless given), then runs each program five times in turn, or as often as told, and prints the median
//! of the processor time that it took, all threads together, how many times that of dmscope it is, the time that passed,
//! and the most memory that it had for itself. The last row of each capture is the least that reading its documents can
//! cost: the events of quick-xml over the same bodies and nothing else. A program that is not installed is left out.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a benchmark")]

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dmscope::limits::Limits;
use dmscope::octets::Octets;
use quick_xml::Reader;
use quick_xml::events::Event;

#[path = "../build/mod.rs"]
mod build;
mod traffic;

use traffic::{Coding, XML};

/// How often each program runs unless told otherwise.
const RUNS: usize = 5;
/// Sessions at a time: what one second of a busy server holds.
const OVERLAP: usize = 50;
/// Between two looks at a program's memory.
const LOOK: Duration = Duration::from_millis(2);
const WBXML: Coding = Coding("application/vnd.syncml.dm+wbxml", |body| {
    let body: Octets = body.as_bytes().into();
    dmscope::wbxml::encode::encode(&dmscope::xml::parse(&body, &Limits::default())).0
});

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    match words.next() {
        Some(word) if word == "events" => events(Path::new(&words.next().unwrap())),
        word => {
            let number = |word: Option<String>, usual| word.and_then(|word| word.parse().ok()).unwrap_or(usual);
            run(number(word, 100) * 1_000_000, number(words.next(), RUNS));
        }
    }
}

/// Does what it runs of itself: reads events of the documents in a file, and drops them.
fn events(path: &Path) {
    let file = fs::read_to_string(path).unwrap();
    let mut count = 0u64;
    for body in file.split('\0') {
        let mut reader = Reader::from_str(body);
        while !matches!(reader.read_event().unwrap(), Event::Eof) {
            count += 1;
        }
    }
    println!("{count}");
}

fn run(bytes: usize, runs: usize) {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, write: &dyn Fn(&mut dyn Write)| {
        let path = folder.path().join(name);
        let mut file = BufWriter::new(File::create(&path).unwrap());
        write(&mut file);
        file.flush().unwrap();
        path
    };
    let bodies = make("bodies", &|out| bodies(bytes, out));
    let tenth = make("tenth.pcap", &|out| traffic::dense(bytes / 10, OVERLAP, XML, out).unwrap());
    let dense = make("dense.pcap", &|out| traffic::dense(bytes, OVERLAP, XML, out).unwrap());
    let small = table(runs, "a tenth of it", (&tenth, None), &[]);
    let large = table(
        runs,
        "DM alone",
        (&dense, None),
        &[("quick-xml events", own(&["events", &bodies.display().to_string()]))],
    );
    println!("ten times the input takes {:.1} times as long\n", large.as_secs_f64() / small.as_secs_f64());
    fs::remove_file(&dense).unwrap();
    let mixed = make("mixed.pcap", &|out| traffic::mixed(bytes, OVERLAP, out).unwrap());
    table(runs, "one part DM in eleven", (&mixed, None), &[]);
    fs::remove_file(&mixed).unwrap();
    let keys = RefCell::new(Vec::new());
    let secure = make("tls.pcap", &|out| traffic::tls(bytes, OVERLAP, out, &keys).unwrap());
    let log = make("keys.txt", &|out| out.write_all(&keys.borrow()).unwrap());
    table(runs, "TLS 1.3", (&secure, Some(&log)), &[]);
    fs::remove_file(&secure).unwrap();
    let wbxml = make("wbxml.pcap", &|out| traffic::dense(bytes, OVERLAP, WBXML, out).unwrap());
    table(runs, "WBXML", (&wbxml, None), &[]);
    fs::remove_file(&wbxml).unwrap();
    let har = make("traffic.har", &|out| traffic::har(bytes, out).unwrap());
    table(runs, "HAR", (&har, None), &[]);
}

/// The bodies of a capture of that size.
fn bodies(bytes: usize, out: &mut dyn Write) {
    let mut capture = Vec::new();
    traffic::dense(OVERLAP, OVERLAP, XML, &mut capture).unwrap();
    let groups = bytes.div_ceil(capture.len());
    for body in (0..groups * OVERLAP).flat_map(traffic::session) {
        write!(out, "{body}\0").unwrap();
    }
}

type Program = (PathBuf, Vec<String>);

fn program(name: &str, words: &[&str]) -> Program {
    (name.into(), words.iter().map(|word| (*word).to_owned()).collect())
}

fn own(words: &[&str]) -> Program {
    (std::env::current_exe().unwrap(), words.iter().map(|word| (*word).to_owned()).collect())
}

/// What one run took.
#[derive(Clone, Copy, Default)]
struct Cost {
    processor: Duration,
    passed: Duration,
    kilobytes: u64,
}

/// Prints what the programs take for a capture, with its key log if it has one; gives dmscope's time on one core.
fn table(runs: usize, what: &str, (path, log): (&Path, Option<&Path>), more: &[(&str, Program)]) -> Duration {
    let file = path.to_str().unwrap();
    let dmscope = env!("CARGO_BIN_EXE_dmscope");
    let log = log.map(|log| log.to_str().unwrap());
    let mut lint = vec!["lint", "--quiet"];
    lint.extend(log.iter().flat_map(|log| ["--keylog", log]));
    lint.push(file);
    let mut programs = vec![
        ("dmscope, one thread", program(dmscope, &[&lint[..], &["--jobs", "1"]].concat())),
        ("dmscope", program(dmscope, &lint)),
    ];
    if path.extension().is_some_and(|ext| ext == "pcap") {
        let fields = ["-r", file, "-Y", "http", "-T", "fields", "-e", "frame.number", "-e", "http.request.method"];
        let keys = log.map(|log| format!("tls.keylog_file:{log}"));
        let keys = keys.as_ref().map_or(vec![], |keys| vec!["-o", keys]);
        programs.push(("tshark -Y http", program("tshark", &[&keys[..], &fields].concat())));
        programs.push(("tcpdump -w", program("tcpdump", &["-r", file, "-w", "/dev/null"])));
    }
    programs.extend(more.iter().cloned());
    let mut costs = vec![Vec::new(); programs.len()];
    for _ in 0..runs {
        for ((_, program), costs) in programs.iter().zip(&mut costs) {
            costs.extend(measure(program));
        }
    }
    let size = fs::metadata(path).unwrap().len();
    println!("{what}, {:.0} MB       processor    times    passed    private memory", size as f64 / 1e6);
    let first = median(&costs[0]);
    for ((name, _), costs) in programs.iter().zip(&costs).filter(|(_, costs)| !costs.is_empty()) {
        let Cost { processor, passed, kilobytes } = median(costs);
        let times = processor.as_secs_f64() / first.processor.as_secs_f64();
        let (processor, passed) = (processor.as_secs_f64(), passed.as_secs_f64());
        let memory = (kilobytes * 1024) as f64 / 1e6;
        println!("  {name:<22} {processor:>8.2} s {times:>8.2} {passed:>8.2} s {memory:>8.0} MB");
    }
    println!();
    first.processor
}

fn median(costs: &[Cost]) -> Cost {
    let middle = |of: &dyn Fn(&Cost) -> u64| {
        let mut all: Vec<u64> = costs.iter().map(of).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    Cost {
        processor: Duration::from_millis(middle(&|cost| cost.processor.as_millis() as u64)),
        passed: Duration::from_millis(middle(&|cost| cost.passed.as_millis() as u64)),
        kilobytes: middle(&|cost| cost.kilobytes),
    }
}

/// Runs a program; `None` when it is not installed.
fn measure((name, words): &Program) -> Option<Cost> {
    let (before, start) = (of_children(), Instant::now());
    let mut command = Command::new(name);
    let mut child = command.args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let mut kilobytes = 0;
    let status = loop {
        kilobytes = private(child.id()).max(kilobytes);
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(LOOK),
        }
    };
    assert!(status.success(), "{} {words:?}: {status}", name.display());
    Some(Cost { processor: of_children() - before, passed: start.elapsed(), kilobytes })
}

/// Memory that a process has for itself alone, without files it mapped, in kilobytes of 1024.
fn private(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Processor time of all children that ended (proc(5): fields 16 and 17, in hundredths of a second).
fn of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(13).take(2);
    Duration::from_millis(fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * 10)
}
