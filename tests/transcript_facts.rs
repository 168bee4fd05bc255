//! Recordings without packets against what is known of them. Needs the folder that `DMSCOPE_CORPUS` names.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dmscope::http::{Captured, Event, Half, InputId, Message};
use dmscope::input::{self, Kind};
use dmscope::limits::Limits;
use dmscope::syncml::Side;
use dmscope::transcript::{self, Document, Record};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("DMSCOPE_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: DMSCOPE_CORPUS is not set, nothing was compared with real recordings");
    }
    folder
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn records(kind: transcript::Kind, data: &[u8]) -> (Vec<Record>, transcript::Summary) {
    let mut records = Vec::new();
    let summary = transcript::read(kind, data, InputId(0), &Limits::default(), &mut |record| records.push(record));
    (records, summary)
}

fn messages(kind: transcript::Kind, data: &[u8]) -> Vec<Message> {
    let message = |record| match record {
        Record::Http(Event::Message(message)) => message,
        other => panic!("{other:?}"),
    };
    records(kind, data).0.into_iter().map(message).collect()
}

fn documents(kind: transcript::Kind, data: &[u8]) -> Vec<Document> {
    let document = |record| match record {
        Record::Document(document) => document,
        other => panic!("{other:?}"),
    };
    records(kind, data).0.into_iter().map(document).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn hars_and_flows_of_known_exchanges_have_every_byte() {
    for kind in [transcript::Kind::Har, transcript::Kind::Mitm] {
        every_byte(kind);
    }
}

fn every_byte(kind: transcript::Kind) {
    let Some(corpus) = corpus() else { return };
    let mut compared = 0;
    for name in ["dm-wbxml", "dm-xml", "enroll"] {
        let folder = corpus.join("captures/mitm-lab");
        let expected = json(&folder.join(format!("{name}.expected.json")));
        let messages = messages(kind, &fs::read(folder.join(format!("{name}.{}", kind.name()))).unwrap());
        let exchanges = expected["exchanges"].as_array().unwrap();
        assert_eq!(messages.len(), 2 * exchanges.len());
        for (pair, exchange) in messages.chunks(2).zip(exchanges) {
            let (request, response) = (&pair[0], &pair[1]);
            assert_eq!((request.half, response.half), (Half::Request, Half::Response));
            assert_eq!(request.head.method, exchange["method"].as_str().unwrap());
            assert!(request.head.target.ends_with(exchange["path"].as_str().unwrap()));
            assert_eq!(u64::from(response.head.status), exchange["status"].as_u64().unwrap());
            assert_eq!(request.connection.tls, Some(true));
            for (half, side) in [(request, "req"), (response, "resp")] {
                let fact = |what: &str| &exchange[format!("{side}_{what}")];
                assert_eq!(half.body.captured, Captured::Whole);
                assert_eq!(half.body.bytes.len() as u64, fact("len").as_u64().unwrap());
                if let Some(hash) = fact("sha256").as_str() {
                    assert_eq!(sha256(&half.body.bytes), hash);
                    compared += 1;
                }
                assert_eq!(half.head.header("content-type"), fact("type").as_str());
            }
            let wire = exchange["resp_wire_len"].as_u64();
            assert_eq!(response.body.wire_len, wire);
            assert_eq!(response.body.codings.first().map(String::as_str), exchange["resp_encoding"].as_str());
            assert!(request.first <= response.first && response.first <= response.last);
        }
    }
    assert_eq!(compared, 18);
}

/// Flow files of all versions, and those of which mitmproxy made a HAR too.
#[test]
fn flows_are_those_that_mitmproxy_shows() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("captures/mitm");
    let flows = |name: &str| records(transcript::Kind::Mitm, &fs::read(folder.join(name)).unwrap());
    for (name, exchanges) in [("dumpfile-011.mitm", 1), ("dumpfile-018.mitm", 1), ("dumpfile-7.mitm", 1)] {
        let (records, summary) = flows(name);
        assert!(summary.notes.is_empty(), "{name}: {:?}", summary.notes);
        let halves: Vec<Half> = records.iter().map(half).collect();
        assert!(halves.len() >= 2 * exchanges && halves[..2] == [Half::Request, Half::Response], "{name}: {halves:?}");
    }
    for name in ["successful_log", "error_log", "incomplete_log"] {
        let (ours, _) = flows(&format!("{name}.mitm"));
        let (theirs, _) = records(transcript::Kind::Har, &fs::read(folder.join(format!("{name}.har"))).unwrap());
        let shown = |records: &[Record]| {
            let request = |record: &Record| match record {
                Record::Http(Event::Message(message)) if message.half == Half::Request => {
                    Some((message.head.method.clone(), message.head.target.clone()))
                }
                _ => None,
            };
            let mut all: Vec<_> = records.iter().filter_map(request).collect();
            all.sort();
            all
        };
        assert_eq!(shown(&ours), shown(&theirs), "{name}");
        let bodies = |records: &[Record]| {
            let whole = |record: &Record| match record {
                Record::Http(Event::Message(message)) if message.body.captured == Captured::Whole => {
                    Some(sha256(&message.body.bytes))
                }
                _ => None,
            };
            let mut all: Vec<String> = records.iter().filter_map(whole).collect();
            all.sort();
            all
        };
        // The HAR has text in one encoding: only what both have whole can be the same.
        let (ours, theirs) = (bodies(&ours), bodies(&theirs));
        assert!(theirs.iter().filter(|hash| ours.contains(hash)).count() * 2 > theirs.len(), "{name}");
    }
}

fn half(record: &Record) -> Half {
    match record {
        Record::Http(Event::Message(message)) => message.half,
        Record::Http(Event::Missing { half, .. }) => *half,
        other => panic!("{other:?}"),
    }
}

#[test]
fn archives_of_fiddler_have_every_byte() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("captures/saz");
    let messages = messages(transcript::Kind::Saz, &fs::read(folder.join("dm-two-step.saz")).unwrap());
    let expected = json(&folder.join("dm-two-step.expected.json"));
    let exchanges = expected["exchanges"].as_array().unwrap();
    let of_dm: Vec<&[Message]> = messages.chunks(2).filter(|pair| pair[0].head.method != "CONNECT").collect();
    assert_eq!((of_dm.len(), messages.len()), (exchanges.len(), 2 * exchanges.len() + 2));
    for (pair, exchange) in of_dm.into_iter().zip(exchanges) {
        assert_eq!(sha256(&pair[0].body.bytes), exchange["req_sha256"].as_str().unwrap());
        assert_eq!(sha256(&pair[1].body.bytes), exchange["resp_sha256"].as_str().unwrap());
        assert_eq!(pair[0].connection.tls, Some(true));
        assert!(pair[0].first.is_some() && pair[0].first < pair[1].first);
    }
    let (records, summary) = records(transcript::Kind::Saz, &fs::read(folder.join("sample.saz")).unwrap());
    assert_eq!((records.len(), summary.notes), (8, Vec::new()));
}

#[test]
fn items_of_burp_are_read() {
    let Some(corpus) = corpus() else { return };
    let messages = messages(transcript::Kind::Burp, &fs::read(corpus.join("captures/burp/burp-dm.xml")).unwrap());
    assert_eq!(messages.len(), 6);
    for message in &messages {
        assert_eq!((&message.body.captured, message.connection.tls), (&Captured::Whole, Some(true)));
        assert!(message.body.bytes.starts_with(b"<SyncML"), "{:?}", message.head);
    }
}

/// The HARs of browsers and proxies against the flows that mitmproxy expects of them.
#[test]
fn hars_of_browsers_are_read_as_others_read_them() {
    let Some(corpus) = corpus() else { return };
    for name in ["chrome", "firefox", "charles", "with-bom"] {
        let folder = corpus.join("captures/har");
        let expected = json(&folder.join(format!("{name}.json")));
        let flows = expected.as_array().unwrap();
        let messages = messages(transcript::Kind::Har, &fs::read(folder.join(format!("{name}.har"))).unwrap());
        assert_eq!(messages.len(), 2 * flows.len(), "{name}");
        for pair in messages.chunks(2) {
            let (request, response) = (&pair[0], &pair[1]);
            let found = flows.iter().any(|flow| {
                let host = flow["request"]["host"].as_str().unwrap();
                flow["request"]["method"] == request.head.method.as_str()
                    && request.head.target.contains(host)
                    && request.head.target.ends_with(flow["request"]["path"].as_str().unwrap())
                    && flow["response"]["status_code"].as_u64().unwrap() == u64::from(response.head.status)
            });
            assert!(found, "{name}: {} {}", request.head.method, request.head.target);
        }
    }
}

#[test]
fn bodies_that_a_har_lacks_are_not_taken_for_empty() {
    let Some(corpus) = corpus() else { return };
    let read = |name: &str| messages(transcript::Kind::Har, &fs::read(corpus.join("captures").join(name)).unwrap());
    let partly =
        |messages: &[Message]| messages.iter().filter(|message| message.body.captured != Captured::Whole).count();
    // One request of Chrome was not answered; Firefox left the bodies of its cached images out.
    assert_eq!(partly(&read("har/chrome.har")), 1);
    assert_eq!(partly(&read("har/firefox.har")), 5);
    assert_eq!(partly(&read("har/charles.har")), 0);
    assert_eq!(partly(&read("mitm/incomplete_log.har")), 4);
    assert_eq!(partly(&read("mitm/successful_log.har")), 0);
}

#[test]
fn viewer_streams_have_their_messages() {
    let Some(corpus) = corpus() else { return };
    for path in files(&corpus.join("captures/syncmlviewer")) {
        if path.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        let data = fs::read(&path).unwrap();
        assert_eq!(input::sniff(&data), Some(Kind::Transcript(transcript::Kind::SyncmlViewer)));
        let documents = documents(transcript::Kind::SyncmlViewer, &data);
        let expected = json(&path.with_extension("expected.json"));
        assert_eq!(documents.len() as u64, expected["messages"].as_u64().unwrap(), "{}", path.display());
        for (number, document) in (0u64..).zip(&documents) {
            let cut = expected["truncated"].as_u64() == Some(number);
            assert_eq!(document.body.captured != Captured::Whole, cut, "{} message {number}", path.display());
            assert!(document.body.bytes.starts_with(b"<SyncML") && !document.body.bytes.ends_with(b"-->"));
            let at = document.body.origin.runs()[0].offset as usize;
            assert_eq!(&data[at..at + document.body.bytes.len()], &*document.body.bytes);
            assert_eq!(document.position.unwrap().1, 1);
        }
    }
}

/// What the manifest calls a file, as the kind it must be recognised as.
fn kind_of(name: &str, label: &str) -> &'static str {
    match label {
        // Mail notifications and chat in WBXML 1.0, which names no character set: nothing that SyncML sends.
        _ if ["061.wbxml", "062.wbxml", "072.wbxml"].iter().any(|odd| name.ends_with(odd)) => "an error",
        label if label.starts_with("WBXML") => "wbxml",
        label if label.starts_with("LOG") => "log",
        _ => "xml",
    }
}

#[test]
fn every_document_of_the_corpus_is_recognised() {
    let Some(corpus) = corpus() else { return };
    let manifest = fs::read_to_string(corpus.join("corpus/manifest.tsv")).unwrap();
    let mut wrong = Vec::new();
    for line in manifest.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (name, label) = (columns[0], columns[6]);
        let found = input::collect(&[corpus.join("corpus").join(name)], None);
        let kind = found.map(|inputs| inputs[0].kind.unwrap().name()).unwrap_or("an error");
        if kind_of(name, label) != kind {
            wrong.push(format!("{name} ({label}): {kind}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_capture_is_recognised() {
    let Some(corpus) = corpus() else { return };
    for path in files(&corpus.join("captures")) {
        let name = path.to_string_lossy().into_owned();
        let expected = match path.extension().unwrap_or_default().to_string_lossy().as_ref() {
            "har" | "saz" | "mitm" => path.extension().unwrap().to_string_lossy().into_owned(),
            "xml" if name.contains("burp") => "burp".to_owned(),
            "xml" => "syncml-viewer".to_owned(),
            _ if name.contains(".pcapng") => "pcapng".to_owned(),
            _ if name.contains(".pcap") => "pcap".to_owned(),
            _ => continue,
        };
        let data = fs::read(&path).unwrap();
        let kind = input::sniff(&data[..data.len().min(16 * 1024)]);
        // One of the files named .pcap is a pcapng file.
        let same = kind.is_some_and(|kind| kind.name() == expected || expected == "pcap" && kind == Kind::Pcapng);
        assert!(same, "{name}: {kind:?}");
    }
}

#[test]
fn every_file_is_read_in_a_moment() {
    let Some(corpus) = corpus() else { return };
    for path in files(&corpus) {
        let data = fs::read(&path).unwrap();
        for kind in transcript::Kind::ALL {
            let start = Instant::now();
            records(*kind, &data);
            assert!(start.elapsed() < Duration::from_secs(1), "{} as {kind:?}", path.display());
        }
    }
}

/// The manifest's documents that are not well-formed are one malformed document, not pieces.
#[test]
fn every_document_of_the_corpus_is_one() {
    let Some(corpus) = corpus() else { return };
    for path in files(&corpus.join("corpus")) {
        if path.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        let data = fs::read(&path).unwrap();
        let documents = documents(transcript::Kind::Xml, &data);
        // One example of the documentation has two messages.
        if path.ends_with("ms-docs/027.xml") {
            assert_eq!(documents.len(), 2);
            continue;
        }
        assert_eq!(documents.len(), 1, "{}", path.display());
        assert_eq!(*documents[0].body.bytes, *data);
    }
}

#[test]
fn logs_have_the_documents_that_their_tags_enclose() {
    let Some(corpus) = corpus() else { return };
    for (name, count) in [("002", 12), ("016", 8), ("025", 4), ("030", 6)] {
        let data = fs::read(corpus.join(format!("corpus/syncmldotnet/{name}.txt"))).unwrap();
        let documents = documents(transcript::Kind::Log, &data);
        assert_eq!(documents.len(), count, "{name}");
        for document in &documents {
            assert_eq!(document.body.captured, Captured::Whole, "{name}");
            assert!(document.body.bytes.ends_with(b"</SyncML>") && document.at.is_none());
            let (line, column) = document.position.unwrap();
            let text: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
            let from = &text[line as usize - 1][column as usize - 1..];
            assert!(from.starts_with(b"<?xml") || from.starts_with(b"<SyncML>"), "{name} {line}:{column}");
        }
    }
    let data = fs::read(corpus.join("corpus/syncmldotnet/002.txt")).unwrap();
    let sides: Vec<_> = documents(transcript::Kind::Log, &data).iter().map(|document| document.side).collect();
    assert!(sides.chunks(2).all(|pair| pair == [Some(Side::Client), Some(Side::Server)]), "{sides:?}");
}
