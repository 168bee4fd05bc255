//! What a recording says does not depend on its form, nor on the order in which its packets were captured; and what a
//! lost packet touched, and only that, is not judged.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use dmscope::engine::{self, Settings};
use dmscope::input;
use dmscope::limits::Limits;
use dmscope::rules::location::Locator;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::Selection;
use dmscope::rules::{Profile, Severity};
use dmscope::session::Session;
use dmscope::syncml::Side;

#[path = "build/mod.rs"]
mod build;
#[path = "bench/traffic.rs"]
#[allow(dead_code, reason = "the bench uses more of it")]
mod traffic;

use build::{Conversation, Packet, http2};

/// What is said of a recording: errors and warnings without their places in the recording, and messages that were not judged.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    findings: Vec<(String, String, String)>,
    not_judged: Vec<usize>,
}

fn sessions(path: &Path) -> Vec<Session> {
    let inputs = input::collect(&[path.to_owned()], None).unwrap();
    let settings = Settings { threads: 2, ..Settings::default() };
    let mut sessions = Vec::new();
    engine::read(&inputs, &settings, &mut |session| sessions.push(session), &mut |_| {}).unwrap();
    sessions
}

fn said(path: &Path) -> Said {
    let runner = Runner::new(&Selection::of(Profile::Windows), &Limits::default());
    let mut said = Said::default();
    for session in sessions(path) {
        let outcome = runner.run(&session);
        said.not_judged.extend(outcome.not_judged.iter().map(|(message, _)| message));
        let mut locator = Locator::new(&session, false);
        let faults = outcome.drafts.into_iter().filter(|draft| draft.severity > Severity::Info);
        for finding in faults.map(|draft| locator.finding(draft)) {
            let place = finding.location.path.unwrap_or_default().into();
            said.findings.push((finding.rule.id.to_owned(), place, finding.message.to_string()));
        }
    }
    said.findings.sort();
    said
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// A session with faults: a MsgID skipped and so used twice, a Status code that does not exist, a command answered twice.
fn faulty(device: usize) -> Vec<String> {
    let mut messages = traffic::session(device);
    messages[3] = messages[3].replace("<MsgID>2</MsgID>", "<MsgID>3</MsgID>");
    messages[4] = messages[4].replace("<MsgRef>2</MsgRef>", "<MsgRef>3</MsgRef>");
    messages[2] = messages[2].replacen("<Cmd>Replace</Cmd><Data>200</Data>", "<Cmd>Replace</Cmd><Data>299</Data>", 1);
    let status = messages[4].find("<Status><CmdID>2<").unwrap();
    let end = messages[4][status..].find("</Status>").unwrap() + status + "</Status>".len();
    let again = messages[4][status..end].replace("<CmdID>2<", "<CmdID>999<");
    messages[4].insert_str(end, &again);
    messages
}

fn head(client: bool, length: usize) -> String {
    let start = match client {
        true => {
            "POST /omadm HTTP/1.1\r\nHost: mdm.example.test\r\nUser-Agent: MSFT OMA DM Client/1.2.0.1\r\n\
                 Accept: application/vnd.syncml.dm+xml\r\nAccept-Charset: UTF-8\r\n"
        }
        false => "HTTP/1.1 200 OK\r\n",
    };
    format!("{start}Content-Type: application/vnd.syncml.dm+xml\r\nContent-Length: {length}\r\n\r\n")
}

const MSS: usize = 700;

/// The packets of a session; for each with data, the number of its message.
fn packets(device: usize, messages: &[String]) -> (Vec<Packet>, Vec<Option<usize>>) {
    let client = format!("127.0.0.1:{}", 50_000 + device);
    let mut conversation = Conversation::new(&client, "127.0.0.1:80").mss(MSS).open();
    let mut of_message = Vec::new();
    for (number, body) in messages.iter().enumerate() {
        let whole = head(number % 2 == 0, body.len()) + body;
        of_message.extend(std::iter::repeat_n(number, whole.len().div_ceil(MSS)));
        let side = if number % 2 == 0 { Conversation::client } else { Conversation::server };
        conversation = side(conversation, whole.as_bytes());
    }
    let packets = conversation.close();
    let numbers = numbered(&packets, of_message.into_iter().map(Some).collect());
    (packets, numbers)
}

/// The same with a connection for each exchange.
fn packets_apart(device: usize, messages: &[String]) -> (Vec<Packet>, Vec<Option<usize>>) {
    let mut all = (Vec::new(), Vec::new());
    for (exchange, pair) in messages.chunks(2).enumerate() {
        let client = format!("127.0.0.1:{}", 50_000 + device * 100 + exchange);
        let start = build::START + exchange as i64 * 1_000_000_000;
        let mut conversation = Conversation::new(&client, "127.0.0.1:80").at(start).mss(MSS);
        let mut of_data = Vec::new();
        for (half, body) in pair.iter().enumerate() {
            let whole = head(half == 0, body.len()) + body;
            of_data.extend(std::iter::repeat_n(Some(exchange * 2 + half), whole.len().div_ceil(MSS)));
            let side = if half == 0 { Conversation::client } else { Conversation::server };
            conversation = side(conversation, whole.as_bytes());
        }
        let packets = conversation.close();
        all.1.extend(numbered(&packets, of_data));
        all.0.extend(packets);
    }
    all
}

/// The message of each packet, given those of the packets with data.
fn numbered(packets: &[Packet], of_data: Vec<Option<usize>>) -> Vec<Option<usize>> {
    let mut data = of_data.into_iter();
    // The IP length at byte 16 (frames are padded to 60 bytes) less 20 bytes of IPv4 and the TCP header's own length.
    let has_data = |packet: &Packet| {
        let ip = u16::from_be_bytes([packet.bytes[16], packet.bytes[17]]);
        ip > 20 + u16::from(packet.bytes[46] >> 4) * 4
    };
    let numbers = packets.iter().map(|packet| if has_data(packet) { data.next().flatten() } else { None }).collect();
    assert_eq!(data.next(), None);
    numbers
}

/// The same over HTTP/2, each exchange on its stream, bodies in frames of 500 bytes.
fn http2_packets(device: usize, messages: &[String]) -> (Vec<Packet>, Vec<Option<usize>>) {
    let client = format!("127.0.0.1:{}", 50_000 + device);
    let start = [http2::PREFACE, &http2::settings()].concat();
    let mut conversation =
        Conversation::new(&client, "127.0.0.1:80").mss(MSS).client(&start).server(&http2::settings());
    let mut of_data = vec![None, None];
    let mut tables: [http2::Blocks; 2] = Default::default();
    for (number, body) in messages.iter().enumerate() {
        let stream = number as u32 / 2 * 2 + 1;
        let text = head(number.is_multiple_of(2), body.len());
        let mut fields = match number.is_multiple_of(2) {
            true => vec![(":method", "POST"), (":scheme", "http"), (":path", "/omadm")],
            false => vec![(":status", "200")],
        };
        let lines: Vec<(String, &str)> = text
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| {
                (if name == "Host" { ":authority".to_owned() } else { name.to_ascii_lowercase() }, value)
            })
            .collect();
        fields.extend(lines.iter().map(|(name, value)| (name.as_str(), *value)));
        let bytes =
            [tables[number % 2].head(stream, &fields, false), http2::data(stream, body.as_bytes(), 500)].concat();
        of_data.extend(std::iter::repeat_n(Some(number), bytes.len().div_ceil(MSS)));
        let side = if number.is_multiple_of(2) { Conversation::client } else { Conversation::server };
        conversation = side(conversation, &bytes);
    }
    let packets = conversation.close();
    let numbers = numbered(&packets, of_data);
    (packets, numbers)
}

const FIELDS: &str = "Content-Type: application/vnd.syncml.dm+xml\r\nAccept: application/vnd.syncml.dm+xml";

/// A request or response as a tool keeps its bytes.
fn bytes_of(number: usize, body: &str) -> Vec<u8> {
    let start =
        if number.is_multiple_of(2) { "POST https://mdm.example.test/omadm HTTP/1.1" } else { "HTTP/1.1 200 OK" };
    format!("{start}\r\n{FIELDS}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn saz(messages: &[String]) -> Vec<u8> {
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    for (number, body) in messages.iter().enumerate() {
        let name = format!("raw/{}_{}.txt", number / 2 + 1, if number.is_multiple_of(2) { 'c' } else { 's' });
        let (mut entry, config) =
            archive.new_file(&name).compression_method(rawzip::CompressionMethod::DEFLATE).start().unwrap();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
        let mut writer = config.wrap(encoder);
        writer.write_all(&bytes_of(number, body)).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

fn burp(messages: &[String]) -> Vec<u8> {
    let half = |name: &str, number: usize, body: &str| {
        let text = base64::engine::general_purpose::STANDARD.encode(bytes_of(number, body));
        format!("<{name} base64=\"true\"><![CDATA[{text}]]></{name}>")
    };
    let item = |pair: &[String]| {
        let halves = [half("request", 0, &pair[0]), half("response", 1, &pair[1])].concat();
        format!("<item><host>mdm.example.test</host><port>443</port><protocol>https</protocol>{halves}</item>")
    };
    let items: String = messages.chunks(2).map(item).collect();
    format!("<?xml version=\"1.0\"?><items burpVersion=\"1\">{items}</items>").into_bytes()
}

fn flows(messages: &[String]) -> Vec<u8> {
    fn string(bytes: &[u8], kind: char) -> Vec<u8> {
        [format!("{}:", bytes.len()).as_bytes(), bytes, kind.to_string().as_bytes()].concat()
    }
    let list = |values: &[Vec<u8>]| string(&values.concat(), ']');
    let dict = |pairs: &[(&str, Vec<u8>)]| {
        let pairs: Vec<Vec<u8>> =
            pairs.iter().map(|(key, value)| [string(key.as_bytes(), ';'), value.clone()].concat()).collect();
        string(&pairs.concat(), '}')
    };
    let text = |text: &str| string(text.as_bytes(), ',');
    let headers: Vec<Vec<u8>> = FIELDS
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| list(&[text(name), text(value)]))
        .collect();
    let headers = list(&headers);
    let flow = |(number, pair): (usize, &[String])| {
        let started = string(format!("{}.5", 1_767_323_045 + number).as_bytes(), '^');
        let common =
            |body: &str| [("headers", headers.clone()), ("content", text(body)), ("timestamp_start", started.clone())];
        let request = [
            ("method", text("POST")),
            ("scheme", text("https")),
            ("host", text("mdm.example.test")),
            ("port", string(b"443", '#')),
            ("path", text("/omadm")),
            ("http_version", text("HTTP/1.1")),
        ];
        let response =
            [("status_code", string(b"200", '#')), ("reason", text("OK")), ("http_version", text("HTTP/1.1"))];
        dict(&[
            ("type", text("http")),
            ("request", dict(&[&request[..], &common(&pair[0])].concat())),
            ("response", dict(&[&response[..], &common(&pair[1])].concat())),
        ])
    };
    messages.chunks(2).enumerate().flat_map(flow).collect()
}

fn har(messages: &[String]) -> Vec<u8> {
    let body = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let entry = |pair: &[String]| {
        serde_json::json!({
            "startedDateTime": "2026-01-02T03:04:05.000Z", "time": 1,
            "request": { "method": "POST", "url": "https://mdm.example.test/omadm", "httpVersion": "HTTP/1.1",
                "headers": [{ "name": "Content-Type", "value": "application/vnd.syncml.dm+xml" },
                    { "name": "Accept", "value": "application/vnd.syncml.dm+xml" }],
                "postData": { "mimeType": "application/vnd.syncml.dm+xml", "text": pair[0] } },
            "response": { "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1",
                "headers": [{ "name": "Content-Type", "value": "application/vnd.syncml.dm+xml" }],
                "content": { "mimeType": "application/vnd.syncml.dm+xml", "size": pair[1].len(),
                    "text": body(&pair[1]), "encoding": "base64" } },
        })
    };
    let entries: Vec<_> = messages.chunks(2).map(entry).collect();
    let log = serde_json::json!({ "log": { "version": "1.2", "creator": { "name": "t", "version": "1" }, "entries": entries } });
    serde_json::to_vec(&log).unwrap()
}

#[test]
fn the_form_of_a_recording_does_not_change_what_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let messages = faulty(1);
    let (packets, _) = packets(1, &messages);
    let straight = said(&write(folder.path(), "a.pcap", &build::pcap(&packets)));
    let rules: Vec<&str> = straight.findings.iter().map(|(rule, ..)| rule.as_str()).collect();
    assert_eq!(rules, ["DM-MSG-003", "DM-MSG-004", "DM-STA-005", "DM-STA-006"], "{straight:#?}");

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&build::pcapng(&packets)).unwrap();
    let text: String = messages.iter().map(|message| format!("2026 message:\n{message}\n\n")).collect();
    let single = folder.path().join("messages");
    fs::create_dir(&single).unwrap();
    for (number, message) in messages.iter().enumerate() {
        write(&single, &format!("{number}.xml"), message.as_bytes());
    }
    let binaries = folder.path().join("binaries");
    fs::create_dir(&binaries).unwrap();
    for (number, message) in messages.iter().enumerate() {
        let doc = dmscope::xml::parse(&message.as_bytes().into(), &Limits::default());
        write(&binaries, &format!("{number}.wbxml"), &dmscope::wbxml::encode::encode(&doc).0);
    }
    for path in [
        write(folder.path(), "a.pcapng", &build::pcapng(&packets)),
        write(folder.path(), "a.pcapng.gz", &gzip.finish().unwrap()),
        write(folder.path(), "http2.pcap", &build::pcap(&http2_packets(1, &messages).0)),
        write(folder.path(), "a.har", &har(&messages)),
        write(folder.path(), "a.saz", &saz(&messages)),
        write(folder.path(), "a.xml", &burp(&messages)),
        write(folder.path(), "a.mitm", &flows(&messages)),
        write(folder.path(), "a.log", text.as_bytes()),
        single,
        binaries,
    ] {
        assert_eq!(said(&path), straight, "{}", path.display());
    }
}

/// A server's dump: heads and bodies under titles.
fn dump(messages: &[String]) -> Vec<u8> {
    let block = |(number, body): (usize, &String)| {
        let [half, what] = if number.is_multiple_of(2) { ["Input", "Request"] } else { ["Output", "Response"] };
        let start = if number.is_multiple_of(2) { "POST /omadm?mode=Maintenance HTTP/1.1" } else { "HTTP/1.1 200 OK" };
        let head = format!("{start}\r\nHost: mdm.example.test\r\n{FIELDS}\r\nContent-Length: {}\r\n", body.len());
        format!(
            "========== {half} {what} ==========\n----------- {half} Header -----------\n {head}\n\
             ----------- {half} Body -----------\n {body}\n==========\n\n"
        )
    };
    messages.iter().enumerate().map(block).collect::<String>().into_bytes()
}

/// As this program exports it.
fn lines(folder: &Path, messages: &[String]) -> Vec<u8> {
    let capture = write(folder, "exported.pcap", &build::pcap(&packets(1, messages).0));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dmscope"));
    let output = command.arg("export").arg(capture).args(["--to", "jsonl", "--show-secrets"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// With `DMSCOPE_DAMAGE=all` it ends behind each byte, else behind each thousandth or so.
#[test]
fn a_recording_without_packets_that_ends_anywhere_invents_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let all = std::env::var_os("DMSCOPE_DAMAGE").is_some_and(|wanted| wanted == "all");
    for messages in [faulty(1), traffic::session(2)] {
        let text: String = messages.iter().map(|message| format!("2026 message:\n{message}\n\n")).collect();
        for (name, bytes) in [
            ("a.log", text.into_bytes()),
            ("dump.log", dump(&messages)),
            ("a.har", har(&messages)),
            ("a.xml", burp(&messages)),
            ("a.mitm", flows(&messages)),
            ("a.saz", saz(&messages)),
            ("a.jsonl", lines(folder.path(), &messages)),
        ] {
            let whole = said(&write(folder.path(), name, &bytes));
            for end in (0..bytes.len()).step_by(if all { 1 } else { 997 }) {
                let path = write(folder.path(), name, &bytes[..end]);
                // The first bytes do not tell what it is.
                if input::collect(std::slice::from_ref(&path), None).is_err() {
                    continue;
                }
                let said = said(&path);
                let invented: Vec<_> = said.findings.iter().filter(|found| !whole.findings.contains(found)).collect();
                let told = invented.iter().all(|(rule, ..)| rule.starts_with("DM-CAP"));
                assert!(told, "{name} cut at byte {end} of {}: {invented:?}", bytes.len());
            }
        }
    }
}

/// A generator that is the same in every run.
struct Chance(u64);

impl Chance {
    fn one_in(&mut self, n: u64) -> bool {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).is_multiple_of(n)
    }
}

#[test]
fn packets_out_of_order_and_doubled_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let straight: Vec<Packet> = (1..6).flat_map(|device| packets(device, &faulty(device)).0).collect();
    let expected = said(&write(folder.path(), "straight.pcap", &build::pcap(&straight)));
    assert!(expected.findings.len() >= 20, "{expected:#?}");
    for seed in 0..8 {
        let mut chance = Chance(seed);
        let mut mixed = Vec::new();
        for packet in &straight {
            mixed.push(packet.clone());
            if chance.one_in(20) {
                mixed.push(packet.clone());
            }
        }
        for at in 1..mixed.len() {
            if chance.one_in(20) {
                mixed.swap(at - 1, at);
            }
        }
        assert_eq!(said(&write(folder.path(), "mixed.pcap", &build::pcap(&mixed))), expected, "seed {seed}");
    }
}

#[test]
fn a_lost_packet_leaves_unjudged_exactly_the_message_it_was_of() {
    let messages = faulty(1);
    for (all, of_message) in [packets(1, &messages), packets_apart(1, &messages), http2_packets(1, &messages)] {
        each_packet_lost(&all, &of_message);
    }
}

fn each_packet_lost(all: &[Packet], of_message: &[Option<usize>]) {
    let folder = tempfile::tempdir().unwrap();
    let whole = said(&write(folder.path(), "all.pcap", &build::pcap(all)));
    for (lost, message) in of_message.iter().enumerate() {
        let kept: Vec<Packet> =
            all.iter().enumerate().filter(|(at, _)| *at != lost).map(|(_, packet)| packet.clone()).collect();
        let path = write(folder.path(), "lost.pcap", &build::pcap(&kept));
        let said = said(&path);
        let Some(message) = message else {
            assert_eq!(said, whole, "packet {lost}, without data");
            continue;
        };
        assert_eq!(said.not_judged, [*message], "packet {lost} of message {message}");
        let invented: Vec<_> = said.findings.iter().filter(|found| !whole.findings.contains(found)).collect();
        assert!(
            invented.iter().all(|(rule, ..)| rule.starts_with("DM-CAP")),
            "packet {lost} of message {message}: {invented:?}"
        );
    }
}

#[test]
fn sessions_have_their_messages_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let (packets, _) = packets(1, &faulty(1));
    let sessions = sessions(&write(folder.path(), "a.pcap", &build::pcap(&packets)));
    assert_eq!(sessions.len(), 1);
    let sides: Vec<_> = sessions[0].messages.iter().map(|message| message.side.unwrap()).collect();
    assert!(sides.chunks(2).all(|pair| pair == [Side::Client, Side::Server]), "{sides:?}");
}
