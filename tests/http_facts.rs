//! HTTP messages of real captures, against what tshark says of them and what was really exchanged.
//!
//! Modes `nokeys` and `key:` of `facts.tsv`: what travels in clear text, and what keys decrypt. Where tshark is wrong or limited, [`EXCEPTIONS`] says
//! in what and why, so that nothing is passed over in silence.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use dmscope::anomaly::Kind;
use dmscope::http::{Body, Captured, Event, Half, Message};
use dmscope::origin::Unit;
use sha2::{Digest, Sha256};

mod corpus;

use corpus::{Read, captures, keys_beside, read_with};

/// What we read where tshark's facts say another thing: file, what, our value, why.
const EXCEPTIONS: &[(&str, &str, &str, &str)] = &[
    (
        "suricata-verify/http-connect_http-connect-fragmented.pcap",
        "requests",
        "2",
        "tshark does not look into the tunnel when a request in it begins in two segments",
    ),
    ("suricata-verify/http-connect_http-connect-fragmented.pcap", "responses", "2", "the tunnel"),
    (
        "suricata-verify/http-connect_http-connect-fragmented.pcap",
        "request rows",
        "0|CONNECT||abc:443|\n0|GET||/|",
        "the tunnel",
    ),
    (
        "suricata-verify/http-connect_http-connect-fragmented.pcap",
        "response rows",
        "0|200||||\n0|200||||",
        "the tunnel",
    ),
    ("tcpflow/test1.pcap", "streams", "3", "the facts count one more than tcp.stream has values"),
    ("tcpflow/test1-part1.pcap", "streams", "2", "the facts count one more than tcp.stream has values"),
    ("tcpflow/test1-part1.pcap", "responses", "1", "tshark drops a response whose end was not captured"),
    ("tcpflow/test1-part1.pcap", "response rows", "1|200|text/html; charset=UTF-8|gzip||2589", "the same"),
    (
        "tcpflow/test5-lines-randomized.pcap",
        "streams",
        "1",
        "tshark takes the SYN that comes late for a new connection",
    ),
    ("wireshark/tcp-badsegments.pcap", "requests", "1", "tshark drops a head with a hole in it"),
    ("wireshark/tcp-badsegments.pcap", "request rows", "0|GET|localhost|/|", "the same"),
];

/// The same where keys were given.
const DECRYPTED: &[(&str, &str, &str, &str)] = &[
    (
        "wireshark/dhe1.pcapng.gz with dhe1_keylog.dat",
        "requests",
        "1",
        "tshark joins the records, of one byte each, only when asked to; upstream asserts the request then",
    ),
    ("wireshark/dhe1.pcapng.gz with dhe1_keylog.dat", "request rows", "0|GET||/test|", "the same"),
    (
        "wireshark/rsa-p-lt-q.pcap with rsa-p-lt-q.der",
        "responses",
        "1",
        "tshark does not show a response that ends with its connection",
    ),
    ("wireshark/rsa-p-lt-q.pcap with rsa-p-lt-q.der", "response rows", "0|200|text/plain|||", "the same"),
    ("wireshark/rsa-p-lt-q.pcap with rsa-p-lt-q.p8.der", "responses", "1", "the same"),
    ("wireshark/rsa-p-lt-q.pcap with rsa-p-lt-q.p8.der", "response rows", "0|200|text/plain|||", "the same"),
    ("wireshark/tls12-chacha20poly1305.pcap with tls12-chacha20poly1305.keys", "responses", "7", "the same"),
    (
        "wireshark/tls12-chacha20poly1305.pcap with tls12-chacha20poly1305.keys",
        "response rows",
        "0|200|text/html|||\n1|200|text/html|||\n2|200|text/html|||\n3|200|text/html|||\n4|200|text/html|||\n5|200|text/html|||\n6|200|text/html|||",
        "the same",
    ),
    (
        "wireshark/tls13-20-chacha20poly1305.pcap with tls13-20-chacha20poly1305.keys",
        "requests",
        "2",
        "tshark decrypts them, but does not take the port for HTTP",
    ),
    ("wireshark/tls13-20-chacha20poly1305.pcap with tls13-20-chacha20poly1305.keys", "responses", "2", "the same"),
    (
        "wireshark/tls13-20-chacha20poly1305.pcap with tls13-20-chacha20poly1305.keys",
        "request rows",
        "0|GET||/|\n1|GET||/|",
        "the same",
    ),
    (
        "wireshark/tls13-20-chacha20poly1305.pcap with tls13-20-chacha20poly1305.keys",
        "response rows",
        "0|200|text/html|||\n1|200|text/html|||",
        "the same",
    ),
];

const HTTP2: &str = "HTTP/2";

fn read(path: &Path) -> Read {
    read_without(path, None, 0)
}

/// Reads a capture with a file of keys beside it, as if frame `lost` (from 1; 0 for none) had not been captured.
fn read_without(path: &Path, keys: Option<&str>, lost: u32) -> Read {
    let folder = path.parent().unwrap();
    read_with(path, keys_beside(folder, keys.as_slice()), lost)
}

/// Facts of one file read with one file of keys, in order: name and value.
type Facts = BTreeMap<(String, Option<String>), Vec<(String, String)>>;

fn facts(captures: &Path) -> Facts {
    let table = fs::read_to_string(captures.join("facts.tsv")).unwrap();
    let mut facts = Facts::new();
    let mut streams = BTreeMap::new();
    for line in table.lines() {
        let columns: Vec<&str> = line.splitn(4, '\t').collect();
        let [file, mode, name, value] = columns[..] else { continue };
        let keys = match (mode, mode.strip_prefix("key:")) {
            (_, Some(keys)) => Some(keys.to_owned()),
            ("nokeys", _) => None,
            _ => {
                if name == "tcp_streams" {
                    streams.insert(file.to_owned(), value.to_owned());
                }
                continue;
            }
        };
        let name = name.split(' ').next().unwrap();
        facts.entry((file.to_owned(), keys)).or_default().push((name.to_owned(), value.to_owned()));
    }
    for ((file, _), facts) in &mut facts {
        facts.push(("tcp_streams".to_owned(), streams[file].clone()));
    }
    facts
}

/// The files of which something was told, each once.
fn files(facts: &Facts) -> BTreeSet<&str> {
    facts.keys().map(|(file, _)| file.as_str()).collect()
}

fn values<'a>(facts: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    facts.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

fn row(columns: &[&str]) -> String {
    columns.join("|")
}

fn request_row(message: &Message) -> String {
    let head = &message.head;
    let header = |name| head.header(name).unwrap_or_default();
    let stream = message.connection.number.to_string();
    row(&[&stream, &head.method, header("host"), &head.target, header("content-length")])
}

fn response_row(message: &Message) -> String {
    let head = &message.head;
    let header = |name| head.header(name).unwrap_or_default();
    let (stream, status) = (message.connection.number.to_string(), head.status.to_string());
    let coding: Vec<&str> = head.all("content-encoding").collect();
    let coding = coding.join(", ");
    row(&[&stream, &status, header("content-type"), &coding, header("transfer-encoding"), header("content-length")])
}

/// Connection, method, authority and path of the HTTP/2 requests, or connection, status, type and coding of responses.
fn http2_rows(read: &Read, half: Half) -> Vec<String> {
    let row_of = |message: &Message| {
        let (head, stream) = (&message.head, message.connection.number.to_string());
        let header = |name| head.header(name).unwrap_or_default();
        match half {
            Half::Request => row(&[&stream, &head.method, header("host"), &head.target]),
            Half::Response => {
                row(&[&stream, &head.status.to_string(), header("content-type"), header("content-encoding")])
            }
        }
    };
    read.messages(half).filter(|message| message.head.version == HTTP2).map(row_of).collect()
}

/// The same of tshark, which puts all heads of a packet in one row.
fn http2_facts(facts: &[(String, String)], name: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for fact in values(facts, name) {
        let columns: Vec<Vec<&str>> = fact.split('|').map(|column| column.split(',').collect()).collect();
        let [stream, _, first, second, third] = &columns[..] else { panic!("{fact}") };
        for (at, first) in first.iter().enumerate() {
            let cell = |column: &[&str]| column.get(at).copied().unwrap_or_default().to_owned();
            rows.push(row(&[stream[0], first, &cell(second), &cell(third)]));
        }
    }
    rows
}

/// Differences between what was read and the facts; marks the exceptions that were needed.
fn compare(file: &str, read: &Read, facts: &[(String, String)], used: &mut BTreeSet<usize>) -> Vec<String> {
    let one = |name: &str| values(facts, name).first().copied().unwrap_or("0").to_owned();
    let http1 = |half| read.messages(half).filter(|message| message.head.version != HTTP2);
    let requests: Vec<String> = http1(Half::Request).map(request_row).collect();
    let responses: Vec<String> = http1(Half::Response).map(response_row).collect();
    let [asked, answered] = [Half::Request, Half::Response].map(|half| http2_rows(read, half).join("\n"));
    let rows = |name: &str| values(facts, name).join("\n");
    let mut wrong = Vec::new();
    for (what, ours, theirs) in [
        ("streams", read.streams.to_string(), one("tcp_streams")),
        ("requests", requests.len().to_string(), one("http1_requests")),
        ("responses", responses.len().to_string(), one("http1_responses")),
        ("request rows", requests.join("\n"), rows("req")),
        ("response rows", responses.join("\n"), rows("resp")),
        ("HTTP/2 requests", asked, http2_facts(facts, "h2req").join("\n")),
        ("HTTP/2 responses", answered, http2_facts(facts, "h2resp").join("\n")),
    ] {
        let mut exceptions = EXCEPTIONS.iter().chain(DECRYPTED);
        let exception = exceptions.clone().position(|(known, fact, ..)| *known == file && *fact == what);
        let expected = exception.and_then(|at| exceptions.nth(at)).map_or(theirs.as_str(), |exception| exception.2);
        if ours != expected {
            wrong.push(format!("{file}: {what}\n--- ours\n{ours}\n--- expected\n{expected}\n"));
        }
        used.extend(exception.filter(|_| ours != theirs));
    }
    wrong
}

#[test]
fn messages_are_those_that_tshark_sees() {
    let Some(captures) = captures() else { return };
    let facts = facts(&captures);
    assert!(facts.len() >= 75, "facts.tsv names {} readings", facts.len());
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for ((file, keys), facts) in &facts {
        let read = read_without(&captures.join(file), keys.as_deref(), 0);
        let name = keys.as_ref().map_or(file.clone(), |keys| format!("{file} with {keys}"));
        wrong.extend(compare(&name, &read, facts, &mut used));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(used.len(), EXCEPTIONS.len() + DECRYPTED.len(), "an exception is not needed any more: {used:?}");
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Captures with what was really exchanged, and the file that decrypts them.
const LAB: &[(&str, &str, Option<&str>)] = &[
    ("dm-clear-http11", "pcap", None),
    ("dm-tls12-ecdhe-rsa-aes256gcm-h1", "pcap", Some("keylog")),
    ("dm-tls12-ecdhe-sll2", "pcap", Some("keylog")),
    ("dm-tls12-rsa-aes128cbcsha-rsakey", "pcap", Some("server.der")),
    ("dm-tls13-aes128gcm-h2", "pcap", Some("keylog")),
    ("dm-tls13-chacha-gzip-chunked-dsb", "pcapng", None),
    ("dm-tls13-wbxml-h1", "pcap", Some("keylog")),
    ("enroll-tls12-ecdhe-ecdsa-aes128gcm-h1", "pcap", Some("keylog")),
];

#[test]
fn bodies_are_those_that_were_exchanged() {
    let Some(captures) = captures() else { return };
    for (name, ending, keys) in LAB {
        let expected = fs::read_to_string(captures.join(format!("lab/{name}.expected.json"))).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
        let keys = keys.map(|ending| format!("{name}.{ending}"));
        let read = read_without(&captures.join(format!("lab/{name}.{ending}")), keys.as_deref(), 0);
        let exchanges = expected["exchanges"].as_array().unwrap();
        for (half, key) in [(Half::Request, "req_sha256"), (Half::Response, "resp_sha256")] {
            assert_eq!(read.messages(half).count(), exchanges.len(), "{name}");
            for (message, exchange) in read.messages(half).zip(exchanges) {
                let body = (!message.body.bytes.is_empty()).then(|| sha256(&message.body.bytes));
                assert_eq!(body.as_deref(), exchange[key].as_str(), "{name}");
                assert_eq!(message.body.captured, Captured::Whole);
                assert_eq!(message.connection.tls, Some(*name != "dm-clear-http11"));
            }
        }
    }
}

/// Without one frame of its data a TLS connection loses the messages whose records it carried, and no others; nothing is
/// invented.
#[test]
fn a_lost_frame_of_tls_harms_what_its_records_carried() {
    let Some(captures) = captures() else { return };
    let mut tried = 0;
    for (name, ending, keys) in LAB.iter().filter(|(name, ..)| name.contains("tls")) {
        let keys = keys.map(|ending| format!("{name}.{ending}"));
        let path = captures.join(format!("lab/{name}.{ending}"));
        let straight = read_without(&path, keys.as_deref(), 0);
        let all: Vec<_> = straight.events.iter().filter_map(whole).collect();
        let begun = all.iter().map(|message| frames_of(message).0).min().unwrap();
        // Which exchange it is cannot be told when earlier ones were lost.
        let key = |message: &Message| (message.half, message.head.status, message.body.bytes.clone());
        let known: Vec<_> = all.iter().map(|message| key(message)).collect();
        for lost in straight.data.iter().copied() {
            let harmed = read_without(&path, keys.as_deref(), lost);
            let found: Vec<_> = harmed.events.iter().filter_map(whole).map(key).collect();
            let invented = found.iter().find(|message| !known.contains(message));
            assert!(invented.is_none(), "{name} without {lost}: {invented:?}");
            for message in all.iter().filter(|_| lost > begun && !name.starts_with("enroll")) {
                // A record may begin in the frame before its first byte of text, and end in the one after its last.
                let (first, last) = frames_of(message);
                let untouched = !(first.saturating_sub(1)..=last + 1).contains(&lost);
                assert!(!untouched || found.contains(&key(message)), "{name} without {lost}: {message:?}");
            }
            tried += 1;
        }
    }
    assert!(tried > 50, "only {tried} losses were tried");
}

#[test]
fn codings_are_removed_and_false_ones_told() {
    let Some(captures) = captures() else { return };
    let one = |file: &str| read(&captures.join(file)).messages(Half::Response).next().unwrap().clone();

    let brotli = one("wireshark/http-brotli.pcapng").body;
    assert_eq!((brotli.codings, brotli.captured), (vec!["br".to_owned()], Captured::Whole));
    let text = String::from_utf8(brotli.bytes.to_vec()).unwrap();
    assert!(text.chars().all(|char| char.is_ascii_graphic() || char.is_ascii_whitespace()), "{text}");

    let gzip = one("tcpflow/test-gzip.pcap").body;
    assert!(serde_json::from_slice::<serde_json::Value>(&gzip.bytes).is_ok());

    let stacked = one("suricata-verify/bug-2511_response_identity_identity_gzip_identity_gzip_gzip.pcap").body;
    assert_eq!((stacked.codings.len(), stacked.captured), (3, Captured::Whole));
    assert!(stacked.bytes.starts_with(b"Hi "));

    let plain = read(&captures.join("suricata-verify/http-encoding-gzip-uncompressed.pcap"));
    let plain = plain.messages(Half::Request).next().unwrap();
    assert_eq!((plain.body.bytes.len(), &plain.body.captured), (106, &Captured::Whole));
    assert_eq!(plain.notes.iter().map(|note| note.kind).collect::<Vec<_>>(), [Kind::CodingInvalid]);
}

#[test]
fn every_byte_leads_back_to_its_frame() {
    let Some(captures) = captures() else { return };
    let mut checked = 0;
    for file in files(&facts(&captures)) {
        let read = read(&captures.join(file));
        for message in [Half::Request, Half::Response].into_iter().flat_map(|half| read.messages(half)) {
            let Body { bytes, origin, .. } = &message.body;
            for (at, byte) in bytes.iter().enumerate() {
                let run = origin.run_at(at as u64).unwrap();
                let Unit::Frame(frame) = run.unit else { panic!("{file}: {run:?}") };
                if run.exact {
                    let offset = (run.offset + at as u64 - run.at) as usize;
                    assert_eq!(read.frames[frame as usize - 1].get(offset), Some(byte), "{file}: byte {at}, {run:?}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 40_000, "only {checked} bytes were checked");
}

#[test]
fn bytes_sent_again_otherwise_are_noted() {
    let Some(captures) = captures() else { return };
    let read = read(&captures.join("wireshark/tcp-badsegments.pcap"));
    let notes: Vec<Kind> =
        read.messages(Half::Request).flat_map(|message| &message.notes).map(|note| note.kind).collect();
    assert!(notes.contains(&Kind::TcpOverlapDiffers), "{notes:?}");
}

/// What makes a message the same in two readings. What came before a connection that began unseen is not counted, nor
/// are streams of HTTP/2 whose beginning was lost.
fn identity(message: &Message) -> (u32, Half, Option<u32>, String, u16, Vec<u8>) {
    let Message { connection, exchange, half, head, body, .. } = message;
    let exchange = (connection.from_start && head.version != HTTP2).then_some(*exchange);
    (connection.number, *half, exchange, head.target.clone(), head.status, body.bytes.to_vec())
}

/// Whether a message of the straight reading is `found` when a frame is lost. What a head of HTTP/2 says by reference to
/// lost ones is not known then, and never something else.
fn is_same(straight: &Message, found: &Message) -> bool {
    let (told, mut known) = (identity(straight), identity(found));
    if found.head.unknown > 0 && found.head.target.is_empty() {
        known.3.clone_from(&told.3);
    }
    let is_known = |field| straight.head.headers.contains(field);
    told == known && (found.head.version != HTTP2 || found.head.headers.iter().all(is_known))
}

/// First and last frame that hold bytes of a message.
fn frames_of(message: &Message) -> (u32, u32) {
    let runs = message.head.origin.runs().iter().chain(message.body.origin.runs());
    let frames: Vec<u32> = runs.map(|run| if let Unit::Frame(frame) = run.unit { frame } else { 0 }).collect();
    (*frames.iter().min().unwrap(), *frames.iter().max().unwrap())
}

#[test]
fn a_lost_frame_harms_only_the_messages_it_touched() {
    let Some(captures) = captures() else { return };
    let mut tried = 0;
    for ((file, keys), facts) in facts(&captures) {
        let empty = values(&facts, "req").is_empty() && values(&facts, "h2req").is_empty();
        if empty || keys.is_some() || file.contains("dsb") {
            continue;
        }
        let path = captures.join(&file);
        let straight = read(&path);
        let all: Vec<&Message> =
            [Half::Request, Half::Response].into_iter().flat_map(|half| straight.messages(half)).collect();
        // How an answer to HEAD or CONNECT ends cannot be told without the request.
        let decisive = |lost: &u32| {
            let asks = |message: &&Message| ["HEAD", "CONNECT"].contains(&message.head.method.as_str());
            straight
                .messages(Half::Request)
                .filter(asks)
                .any(|message| (frames_of(message).0..=frames_of(message).1).contains(lost))
        };
        for lost in straight.data.iter().copied().filter(|lost| !decisive(lost)).take(150) {
            let harmed = read_without(&path, None, lost);
            let found: Vec<_> = harmed.events.iter().filter_map(whole).collect();
            for message in all.iter().filter(|message| message.body.captured == Captured::Whole) {
                let (first, last) = frames_of(message);
                let untouched = !(first..=last).contains(&lost);
                assert!(
                    !untouched || found.iter().any(|found| is_same(message, found)),
                    "{file} without {lost}: {message:?}"
                );
            }
            let invented = found.iter().find(|found| !all.iter().any(|message| is_same(message, found)));
            assert!(invented.is_none(), "{file} without {lost}: {invented:?}");
            tried += 1;
        }
    }
    assert!(tried > 140, "only {tried} losses were tried");
}

fn whole(event: &Event) -> Option<&Message> {
    match event {
        Event::Message(message) if message.body.captured == Captured::Whole => Some(message),
        _ => None,
    }
}
