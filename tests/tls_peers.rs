//! TLS of real libraries and programs over loopback: OpenSSL, GnuTLS, nginx, curl and mitmproxy, in all versions and kinds of
//! suites that they still speak. One DM session with faults is held over each; whatever the TLS, the same messages must be
//! read and the same be said as of the session in clear text.
//!
//! Needs openssl, gnutls-cli (for its library), python3, nginx, curl, mitmdump, tcpdump, and the right to capture. What is
//! absent is skipped, loudly, unless `DMSCOPE_PEERS` is set. `tests/peers` has both ends of the talks.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use dmscope::capture::{self, Source, map};
use dmscope::engine::{self, Settings};
use dmscope::input;
use dmscope::limits::Limits;
use dmscope::rules::Profile;
use dmscope::rules::location::Locator;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::Selection;
use dmscope::time::Time;
use dmscope::tls::{Facts, Keys, load_key_log, read_key};
use serde_json::{Value, json};

mod build;
mod peers;
#[path = "bench/traffic.rs"]
#[allow(dead_code, reason = "the bench uses more of it")]
mod traffic;

use build::{Packet, PcapNg};
use peers::{Running, are_here, free_port, own_address, record, stop, wait_for};

/// The session: a MsgID skipped and so used twice, a Status code that does not exist.
fn bodies() -> Vec<String> {
    let mut messages = traffic::session(1);
    messages[3] = messages[3].replace("<MsgID>2</MsgID>", "<MsgID>3</MsgID>");
    messages[4] = messages[4].replace("<MsgRef>2</MsgRef>", "<MsgRef>3</MsgRef>");
    messages[2] = messages[2].replacen("<Cmd>Replace</Cmd><Data>200</Data>", "<Cmd>Replace</Cmd><Data>299</Data>", 1);
    messages
}

const TYPE: &str = "Content-Type: application/vnd.syncml.dm+xml";
const FIELDS: [&str; 3] =
    ["User-Agent: MSFT OMA DM Client/1.2.0.1", "Accept: application/vnd.syncml.dm+xml", "Accept-Charset: UTF-8"];

/// What client and server say in turn, over HTTP/1.1, as pairs.
fn exchanges() -> Value {
    let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let message =
        |start: &str, body: &str| encode(format!("{start}\r\n{TYPE}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    let request = format!("POST /omadm HTTP/1.1\r\nHost: mdm.example.test\r\n{}", FIELDS.join("\r\n"));
    bodies().chunks(2).map(|pair| json!([message(&request, &pair[0]), message("HTTP/1.1 200 OK", &pair[1])])).collect()
}

/// Certificates and keys of the servers and of the client.
fn certificates(folder: &Path) {
    let openssl = |arguments: &[&str]| {
        let done = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let elliptic = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    for (name, kind) in [("rsa", &["-newkey", "rsa:2048"][..]), ("ecdsa", &elliptic), ("client", &elliptic)] {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
        let names = ["-subj", "/CN=mdm.example.test", "-keyout", &key, "-out", &certificate];
        openssl(&[&["req", "-x509", "-nodes", "-days", "90"], kind, &names].concat());
    }
    openssl(&["genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", "dh.pem"]);
}

/// What was read of a recording.
#[derive(Debug, Default)]
struct Read {
    /// Rule, path and words of the findings, but for those on TLS itself and on what was not captured.
    said: Vec<(String, String, String)>,
    bodies: Vec<String>,
    /// What TLS says of the connections of the messages, each once.
    facts: BTreeMap<u32, Facts>,
    /// Why connections could not be read.
    sealed: Vec<String>,
}

fn read(file: &Path, keys: Keys) -> Read {
    let inputs = input::collect(&[file.to_owned()], None).unwrap();
    let settings = Settings { keys, ..Settings::default() };
    let runner = Runner::new(&Selection::of(Profile::Windows), &Limits::default());
    let mut read = Read::default();
    let mut each = |session: dmscope::session::Session| {
        let mut locator = Locator::new(&session, false);
        for finding in runner.run(&session).drafts.into_iter().map(|draft| locator.finding(draft)) {
            if !["DM-SEC", "DM-CAP", "DM-ENR"].iter().any(|family| finding.rule.id.starts_with(family)) {
                read.said.push((
                    finding.rule.id.to_owned(),
                    finding.location.path.unwrap_or_default().into(),
                    finding.message.to_string(),
                ));
            }
        }
        for message in &session.messages {
            read.bodies.push(String::from_utf8_lossy(&message.body.bytes).into_owned());
            let connection = &message.http.as_ref().unwrap().connection;
            read.facts.extend(connection.handshake.as_ref().map(|handshake| (connection.number, handshake.facts())));
        }
    };
    let reading = engine::read(&inputs, &settings, &mut each, &mut |_| {}).unwrap();
    read.sealed = reading.encrypted.iter().map(|connection| connection.facts().why_sealed()).collect();
    read.said.sort();
    read
}

/// The packets of a recording.
fn packets(file: &Path) -> Vec<Packet> {
    let data = map::Data::open(file, true).unwrap();
    let mut packets = Vec::new();
    capture::read(Source::Bytes(&data), &Limits::default(), &mut |frame| {
        packets.push(Packet::new(frame.at.map_or(0, |Time(at)| at), frame.bytes.to_vec()));
        ControlFlow::Continue(())
    });
    packets
}

/// Offset of the TCP header behind Ethernet and IPv4.
const TCP: usize = 34;

fn ports(packet: &Packet) -> [u16; 2] {
    [TCP, TCP + 2].map(|at| u16::from_be_bytes([packet.bytes[at], packet.bytes[at + 1]]))
}

fn payload(packet: &Packet) -> &[u8] {
    packet.bytes.get(TCP + usize::from(packet.bytes[TCP + 12] >> 4) * 4..).unwrap_or_default()
}

fn of_port(packets: &[Packet], port: u16) -> Vec<Packet> {
    packets.iter().filter(|packet| ports(packet).contains(&port)).cloned().collect()
}

/// The same bytes in segments of at most so many: on loopback they are larger than on any other wire.
fn cut(packet: &Packet, most: usize) -> Vec<Packet> {
    let data = payload(packet);
    if data.len() <= most {
        return vec![packet.clone()];
    }
    let number = |at| u32::from_be_bytes(packet.bytes[at..at + 4].try_into().unwrap());
    let end =
        |at: usize, port| std::net::SocketAddr::from((<[u8; 4]>::try_from(&packet.bytes[at..at + 4]).unwrap(), port));
    let [from, to] = ports(packet);
    let parts = data.chunks(most).enumerate().map(|(part, payload)| {
        let seq = number(TCP + 4).wrapping_add((part * most) as u32);
        let tcp = build::Tcp { seq, ack: number(TCP + 8), flags: packet.bytes[TCP + 13], payload };
        Packet::new(packet.at, build::ethernet(&tcp.datagram(end(TCP - 8, from), end(TCP - 4, to))))
    });
    parts.collect()
}

fn key_logs(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|ending| ending == "log")).collect()
}

fn logged(folder: &Path) -> Keys {
    let keys = Keys::new(&Limits::default());
    for log in key_logs(folder) {
        assert!(load_key_log(&keys, &log, false).unwrap().secrets > 0);
    }
    keys
}

fn rsa(folder: &Path) -> Keys {
    let keys = Keys::new(&Limits::default());
    read_key(&fs::read(folder.join("rsa.key")).unwrap()).unwrap().into_iter().for_each(|key| keys.add_rsa(key));
    keys
}

/// A talk: what `talk.py` is told, and the suite that must come of it.
struct Talk {
    plan: Value,
    suite: &'static str,
}

impl Talk {
    fn name(&self) -> &str {
        self.plan["name"].as_str().unwrap()
    }

    fn port(&self) -> u16 {
        self.plan["port"].as_u64().unwrap() as u16
    }

    fn has(&self, what: &str) -> bool {
        !self.plan[what].is_null()
    }

    /// Whether an option, or the priority, says this.
    fn says(&self, option: &str, priority: &str) -> bool {
        let options = self.plan["options"].as_array();
        options.is_some_and(|options| options.iter().any(|one| one == option))
            || self.plan["priority"].as_str().is_some_and(|text| text.contains(priority))
    }
}

/// All talks, each with the port of its number.
fn talks() -> Vec<Talk> {
    let mut talks = Vec::new();
    let mut add = |name: &str, library: &str, version: &str, suite: &'static str, more: Value| {
        let mut plan = json!({ "name": name, "library": library, "version": version, "port": 4000 + talks.len() });
        plan.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        talks.push(Talk { plan, suite });
    };
    add("clear text", "plain", "", "", json!({}));

    const OLD: &[&str] = &["no-ems", "no-etm"];
    for (name, version, cipher, suite) in [
        ("1.0, ECDHE", "1.0", "ECDHE-RSA-AES128-SHA", "ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        ("1.0, RSA", "1.0", "AES256-SHA", "RSA_WITH_AES_256_CBC_SHA"),
        ("1.1, ECDHE", "1.1", "ECDHE-RSA-AES256-SHA", "ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        ("1.1, RSA", "1.1", "AES128-SHA", "RSA_WITH_AES_128_CBC_SHA"),
        ("1.2, CBC and SHA-1", "1.2", "AES128-SHA", "RSA_WITH_AES_128_CBC_SHA"),
        ("1.2, CBC and SHA-256", "1.2", "AES256-SHA256", "RSA_WITH_AES_256_CBC_SHA256"),
        ("1.2, CBC and SHA-384", "1.2", "ECDHE-RSA-AES256-SHA384", "ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
        ("1.2, GCM with RSA", "1.2", "AES256-GCM-SHA384", "RSA_WITH_AES_256_GCM_SHA384"),
        ("1.2, GCM", "1.2", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("1.2, ChaCha20", "1.2", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("1.2, CCM", "1.2", "AES256-CCM", "RSA_WITH_AES_256_CCM"),
        ("1.2, CCM-8", "1.2", "AES128-CCM8", "RSA_WITH_AES_128_CCM_8"),
    ] {
        add(name, "openssl", version, suite, json!({ "cipher": cipher }));
        add(&format!("{name}, as of old"), "openssl", version, suite, json!({ "cipher": cipher, "options": OLD }));
    }
    let gcm = "AES128-GCM-SHA256";
    for (name, version, suite, more) in [
        (
            "1.2, ECDSA",
            "1.2",
            "ECDHE_ECDSA_WITH_AES_128_CCM_8",
            json!({ "cipher": "ECDHE-ECDSA-AES128-CCM8", "certificate": "ecdsa" }),
        ),
        (
            "1.2, DHE",
            "1.2",
            "DHE_RSA_WITH_AES_256_GCM_SHA384",
            json!({ "cipher": "DHE-RSA-AES256-GCM-SHA384", "dh": 1 }),
        ),
        (
            "1.2, session id",
            "1.2",
            "RSA_WITH_AES_128_GCM_SHA256",
            json!({ "cipher": gcm, "options": ["no-ticket"], "connections": 2 }),
        ),
        ("1.2, ticket", "1.2", "RSA_WITH_AES_128_GCM_SHA256", json!({ "cipher": gcm, "connections": 3 })),
        ("1.0, ticket", "1.0", "RSA_WITH_AES_128_CBC_SHA", json!({ "cipher": "AES128-SHA", "connections": 2 })),
        ("1.2, client", "1.2", "RSA_WITH_AES_128_GCM_SHA256", json!({ "cipher": gcm, "client_certificate": 1 })),
        ("1.2, segments", "1.2", "RSA_WITH_AES_128_GCM_SHA256", json!({ "cipher": gcm, "segments": 200 })),
        ("1.3", "1.3", "AES_256_GCM_SHA384", json!({})),
        ("1.3, ALPN", "1.3", "AES_256_GCM_SHA384", json!({ "alpn": "http/1.1" })),
        ("1.3, segments", "1.3", "AES_256_GCM_SHA384", json!({ "segments": 200 })),
        ("1.3, small records", "1.3", "AES_256_GCM_SHA384", json!({ "write": 70, "segments": 500 })),
        ("1.3, resumed", "1.3", "AES_256_GCM_SHA384", json!({ "connections": 3 })),
        ("1.3, retry", "1.3", "AES_256_GCM_SHA384", json!({ "retry": 1 })),
        ("1.3, client, proxy", "1.3", "AES_256_GCM_SHA384", json!({ "client_certificate": 1, "proxy": 1 })),
    ] {
        add(&format!("OpenSSL {name}"), "openssl", version, suite, more);
    }

    // What OpenSSL gave up.
    for (version, cipher, mac, suite) in [
        ("1.0", "ARCFOUR-128", "MD5", "RSA_WITH_RC4_128_MD5"),
        ("1.1", "ARCFOUR-128", "SHA1", "RSA_WITH_RC4_128_SHA"),
        ("1.2", "ARCFOUR-128", "SHA1", "RSA_WITH_RC4_128_SHA"),
        ("1.0", "3DES-CBC", "SHA1", "RSA_WITH_3DES_EDE_CBC_SHA"),
        ("1.1", "3DES-CBC", "SHA1", "RSA_WITH_3DES_EDE_CBC_SHA"),
        ("1.2", "3DES-CBC", "SHA1", "RSA_WITH_3DES_EDE_CBC_SHA"),
    ] {
        let base = format!("NONE:+VERS-TLS{version}:+{cipher}:+{mac}:+RSA:+SIGN-ALL:+COMP-NULL");
        for old in ["", ":%NO_SESSION_HASH:%NO_ETM"] {
            let name = format!("GnuTLS {version} {cipher} {mac}{old}");
            add(&name, "gnutls", version, suite, json!({ "priority": format!("{base}{old}") }));
        }
    }
    for (cipher, newest, older) in [
        ("AES-128-GCM", "AES_128_GCM_SHA256", "DHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("AES-256-GCM", "AES_256_GCM_SHA384", "DHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("CHACHA20-POLY1305", "CHACHA20_POLY1305_SHA256", "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("AES-128-CCM", "AES_128_CCM_SHA256", "DHE_RSA_WITH_AES_128_CCM"),
        ("AES-128-CCM-8", "AES_128_CCM_8_SHA256", "DHE_RSA_WITH_AES_128_CCM_8"),
    ] {
        let priority = |version: &str| format!("NORMAL:-VERS-ALL:+VERS-TLS{version}:-CIPHER-ALL:+{cipher}");
        add(&format!("GnuTLS 1.3 {cipher}"), "gnutls", "1.3", newest, json!({ "priority": priority("1.3") }));
        let older_priority = priority("1.2") + ":-KX-ALL:+DHE-RSA";
        add(&format!("GnuTLS 1.2 {cipher}"), "gnutls", "1.2", older, json!({ "priority": older_priority }));
    }
    let newest = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
    let [first, other] =
        ["SECP256R1:+GROUP-SECP384R1", "SECP384R1"].map(|group| format!("{newest}:-GROUP-ALL:+GROUP-{group}"));
    let ticket = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:-MAC-ALL:+SHA1:-KX-ALL:+ECDHE-RSA";
    let cbc = |version: &str| {
        json!({ "priority": format!("NONE:+VERS-TLS{version}:+AES-128-CBC:+SHA1:+RSA:+SIGN-ALL:+COMP-NULL"),
            "change": ["renegotiate"] })
    };
    for (name, version, suite, more) in [
        ("key updates", "1.3", "AES_256_GCM_SHA384", json!({ "priority": newest, "change": ["update", "update"] })),
        ("retry", "1.3", "AES_256_GCM_SHA384", json!({ "priority": first, "server": other })),
        ("resumed", "1.3", "AES_256_GCM_SHA384", json!({ "priority": newest, "connections": 2 })),
        ("client", "1.3", "AES_256_GCM_SHA384", json!({ "priority": newest, "client_certificate": 1 })),
        (
            "ticket, small records",
            "1.2",
            "ECDHE_RSA_WITH_AES_128_CBC_SHA",
            json!({ "priority": ticket, "connections": 2, "record": 600 }),
        ),
        ("renegotiation", "1.0", "RSA_WITH_AES_128_CBC_SHA", cbc("1.0")),
        ("renegotiation", "1.1", "RSA_WITH_AES_128_CBC_SHA", cbc("1.1")),
        ("renegotiation", "1.2", "RSA_WITH_AES_128_CBC_SHA", cbc("1.2")),
        (
            "renegotiation, RC4",
            "1.2",
            "RSA_WITH_RC4_128_SHA",
            json!({ "priority": "NONE:+VERS-TLS1.2:+ARCFOUR-128:+SHA1:+RSA:+SIGN-ALL:+COMP-NULL", "change": ["renegotiate"] }),
        ),
    ] {
        add(&format!("GnuTLS {version} {name}"), "gnutls", version, suite, more);
    }

    let with = |option, value, more: &[&'static str]| [more, &[option, value]].concat();
    let psk = ["-nocert", "-psk", "00112233445566778899aabbccddeeff"];
    for (name, version, suite, more) in [
        ("key updates", "1.3", "AES_256_GCM_SHA384", json!({ "change": ["k", "K"] })),
        (
            "early data, key updates",
            "1.3",
            "AES_256_GCM_SHA384",
            json!({ "connections": 2, "early": ["accepted"], "server": ["-early_data"], "change": ["K"] }),
        ),
        (
            "early data refused",
            "1.3",
            "AES_256_GCM_SHA384",
            json!({ "connections": 3, "early": ["accepted", "refused"], "server": ["-early_data"] }),
        ),
        (
            "renegotiation",
            "1.2",
            "ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            json!({ "change": ["R"], "server": ["-client_renegotiation"] }),
        ),
        (
            "shared key",
            "1.3",
            "AES_128_GCM_SHA256",
            json!({ "server": with("-ciphersuites", "TLS_AES_128_GCM_SHA256", &psk), "client": &psk[1..] }),
        ),
        (
            "shared key",
            "1.2",
            "PSK_WITH_AES_128_CBC_SHA256",
            json!({ "server": psk, "client": with("-cipher", "PSK-AES128-CBC-SHA256", &psk[1..]) }),
        ),
    ] {
        add(&format!("s_client {version} {name}"), "programs", version, suite, more);
    }
    talks
}

#[test]
fn every_version_and_suite_reads_as_in_clear_text() {
    if !are_here(&["openssl", "gnutls-cli", "python3", "tcpdump"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (folder, address) = (folder.path(), own_address());
    certificates(folder);
    let file = folder.join("recorded.pcap");
    let Some(recorder) = record(&file, &format!("tcp and host {address}")) else { return };
    let talks = talks();
    let told = hold(&talks, &address, folder);
    stop(recorder, &file);

    let recorded = packets(&file);
    let of = |talk: &Talk| of_port(&recorded, talk.port());
    let one = folder.join("one.pcap");
    let write = |packets: &[Packet]| fs::write(&one, build::pcap(packets)).unwrap();
    write(&of(&talks[0]));
    let clear = read(&one, Keys::default());
    assert!(clear.bodies == bodies());
    let rules: Vec<&str> = clear.said.iter().map(|(rule, ..)| rule.as_str()).collect();
    assert!(rules.contains(&"DM-MSG-003") && rules.contains(&"DM-STA-006"), "{rules:?}");

    let (log, key) = (logged(folder), rsa(folder));
    let mut wrong = Vec::new();
    for talk in &talks[1..] {
        let packets = of(talk);
        let packets = match talk.plan["segments"].as_u64() {
            Some(most) => packets.iter().flat_map(|packet| cut(packet, most as usize)).collect(),
            None => packets,
        };
        write(&packets);
        let by_key = (talk.suite.starts_with("RSA_")).then_some(("RSA key", &key));
        for (with, keys) in [("key log", &log)].into_iter().chain(by_key) {
            let read = read(&one, keys.clone());
            let name = format!("{} with the {with}", talk.name());
            if read.bodies != clear.bodies || read.said != clear.said {
                let (found, said) = (read.bodies.len(), &read.said);
                wrong.push(format!("{name}: {found} messages, {said:?}, {:?}", read.sealed));
                continue;
            }
            wrong
                .extend(differences(talk, &told[talk.name()], &read).into_iter().map(|what| format!("{name}: {what}")));
        }
        wrong.extend(on_the_wire(talk, &packets).into_iter().map(|what| format!("{}: {what}", talk.name())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Holds the talks; what the libraries say of each.
fn hold(talks: &[Talk], address: &str, folder: &Path) -> Value {
    let plan =
        json!({ "scenarios": talks.iter().map(|talk| &talk.plan).collect::<Vec<_>>(), "exchanges": exchanges() });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/talk.py");
    let mut python = Command::new("python3")
        .args([script.as_path(), Path::new(address), folder])
        .env("SSLKEYLOGFILE", folder.join("gnutls.log"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(&serde_json::to_vec(&plan).unwrap()).unwrap();
    let done = python.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// What of a talk's connections is not as it was held.
fn differences(talk: &Talk, told: &Value, read: &Read) -> Vec<String> {
    let connections = talk.plan["connections"].as_u64().unwrap_or(1) as usize;
    let mut wrong = Vec::new();
    let mut check = |what: &str, ours: String, expected: String| {
        if ours != expected {
            wrong.push(format!("{what} is {ours}, not {expected}"));
        }
    };
    check("number of connections", read.facts.len().to_string(), connections.to_string());
    let facts: Vec<&Facts> = read.facts.values().collect();
    for (number, facts) in facts.iter().enumerate() {
        let suite = facts.suite.map(|suite| suite.to_string()).unwrap_or_default();
        check("suite", suite, format!("TLS_{}", talk.suite));
        let version = facts.version.map(|version| version.to_string()).unwrap_or_default();
        check("version", version, format!("TLS {}", talk.plan["version"].as_str().unwrap()));
        // A ticket for early data is good for one connection.
        let resumed = number > 0 && talk.plan["early"][number - 1] != "refused";
        let shared = talk.name() == "s_client 1.3 shared key";
        check("resumed", facts.resumed.to_string(), (resumed || shared).to_string());
        check("name", facts.server_name.clone().unwrap_or_default(), "mdm.example.test".to_owned());
        check("protocol", facts.alpn.clone().unwrap_or_default(), talk.plan["alpn"].as_str().unwrap_or("").to_owned());
        let shown = !facts.client_certificates.is_empty();
        check("client's certificate", shown.to_string(), talk.has("client_certificate").to_string());
    }
    if let Some(resumed) = told["resumed"].as_bool() {
        check("resumption", resumed.to_string(), (connections > 1).to_string());
    }
    wrong
}

/// What of a talk's packets is not as it should be: whether the case that is meant is there at all.
fn on_the_wire(talk: &Talk, packets: &[Packet]) -> Vec<String> {
    const EXTENDED_MASTER_SECRET: [u8; 4] = [0, 23, 0, 0];
    const ENCRYPT_THEN_MAC: [u8; 4] = [0, 22, 0, 0];
    /// The first bytes of the random of a HelloRetryRequest.
    const RETRY: [u8; 4] = [0xcf, 0x21, 0xad, 0x74];
    let port = talk.port();
    let from_server: Vec<u8> =
        packets.iter().filter(|packet| ports(packet)[0] == port).flat_map(|packet| payload(packet).to_vec()).collect();
    let hello = &from_server[..from_server.len().min(200)];
    let holds = |sign: &[u8]| hello.windows(sign.len()).any(|window| window == sign);
    let before_13 = talk.plan["version"] != "1.3";
    let mut wrong = Vec::new();
    for (what, is, should) in [
        (
            "extended master secret",
            holds(&EXTENDED_MASTER_SECRET),
            before_13 && !talk.says("no-ems", "%NO_SESSION_HASH"),
        ),
        ("encrypt-then-MAC", holds(&ENCRYPT_THEN_MAC), talk.suite.contains("_CBC_") && !talk.says("no-etm", "%NO_ETM")),
        ("retry", holds(&RETRY), talk.name().contains("retry")),
    ] {
        if is != should {
            wrong.push(format!("{what}: {is}"));
        }
    }
    wrong
}

const CLIENT: &[&str] = &["--cert", "client.pem", "--key", "client.key"];
/// A connection for each request: later ones resume the first.
const APART: &[&str] = &["-H", "Connection: close"];

/// How nginx listens, what curl is told, and the suite, protocol and connections that come of it.
type Visit = (&'static str, &'static [&'static str], &'static str, Option<&'static str>, usize);

const VISITS: &[Visit] = &[
    ("", &[], "", None, 0),
    ("", APART, "", None, 0),
    ("ssl; ssl_protocols TLSv1.2", &[], "ECDHE_RSA_WITH_AES_256_GCM_SHA384", Some("http/1.1"), 1),
    ("ssl; ssl_protocols TLSv1.2", APART, "ECDHE_RSA_WITH_AES_256_GCM_SHA384", Some("http/1.1"), 4),
    ("ssl; ssl_protocols TLSv1.2; ssl_ciphers AES128-SHA256", &[], "RSA_WITH_AES_128_CBC_SHA256", Some("http/1.1"), 1),
    (
        "ssl; ssl_protocols TLSv1.2; ssl_ciphers AES128-SHA256",
        APART,
        "RSA_WITH_AES_128_CBC_SHA256",
        Some("http/1.1"),
        4,
    ),
    ("ssl; ssl_protocols TLSv1.3", &[], "AES_256_GCM_SHA384", Some("http/1.1"), 1),
    ("ssl; ssl_protocols TLSv1.3", APART, "AES_256_GCM_SHA384", Some("http/1.1"), 4),
    (
        "ssl; ssl_protocols TLSv1.3",
        &["--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256"],
        "CHACHA20_POLY1305_SHA256",
        Some("http/1.1"),
        1,
    ),
    (
        "ssl; ssl_protocols TLSv1.3; ssl_verify_client on; ssl_client_certificate client.pem",
        CLIENT,
        "AES_256_GCM_SHA384",
        Some("http/1.1"),
        1,
    ),
    ("ssl http2; ssl_protocols TLSv1.2", &["--http2"], "ECDHE_RSA_WITH_AES_256_GCM_SHA384", Some("h2"), 1),
    ("ssl http2; ssl_protocols TLSv1.3; ssl_buffer_size 700", &["--http2"], "AES_256_GCM_SHA384", Some("h2"), 1),
];
/// nginx's port for the first visit; the others follow.
const FIRST: u16 = 4400;

/// nginx, with the answers of the session as files of a second server behind it.
fn nginx(folder: &Path, address: &str) -> Running {
    for (number, body) in bodies().iter().enumerate() {
        let name = format!("{}{}", if number % 2 == 0 { "request" } else { "" }, number / 2);
        fs::write(folder.join(name), body).unwrap();
    }
    let (at, inner) = (folder.display(), free_port());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {at}/{kind};"))
        .concat();
    let server = |(port, (how, ..)): (u16, &Visit)| {
        format!(
            "server {{ listen {address}:{port} {how}; ssl_certificate rsa.pem; ssl_certificate_key rsa.key; \
             location / {{ proxy_pass http://127.0.0.1:{inner}; }} }}\n"
        )
    };
    // A file cannot be posted to; the error page is the file.
    let config = format!(
        "daemon off; master_process off; pid {at}/pid; error_log {at}/errors; events {{}} http {{ access_log off; {temporary} \
         default_type application/vnd.syncml.dm+xml; ssl_session_cache shared:a:1m;\n{} \
         server {{ listen 127.0.0.1:{inner}; root {at}; error_page 405 =200 $uri; }} }}",
        (FIRST..).zip(VISITS).map(server).collect::<String>()
    );
    fs::write(folder.join("nginx.conf"), config).unwrap();
    let running =
        Running(Command::new("nginx").arg("-c").arg(folder.join("nginx.conf")).stderr(Stdio::null()).spawn().unwrap());
    wait_for(address, FIRST);
    running
}

/// curl holds the session with the server at this URL, on one connection unless told otherwise.
fn curl(folder: &Path, url: &str, more: &[&str]) {
    let mut curl = Command::new("curl");
    curl.current_dir(folder).env("SSLKEYLOGFILE", folder.join("curl.log"));
    for number in 0..bodies().len() / 2 {
        let (url, body) = (format!("{url}/{number}"), format!("@request{number}"));
        curl.args(if number > 0 { &["--next"][..] } else { &[] }).args(["-sk", "-o", "/dev/null", "-H", TYPE]);
        curl.args(FIELDS.iter().flat_map(|field| ["-H", field])).args(more).args(["--data-binary", &body, &url]);
    }
    let done = curl.output().unwrap();
    assert!(done.status.success(), "{url} {more:?}: {done:?}");
}

/// The URL of a visit.
fn url(address: &str, number: usize) -> String {
    let scheme = if VISITS[number].0.is_empty() { "http" } else { "https" };
    format!("{scheme}://{address}:{}", FIRST + number as u16)
}

#[test]
fn nginx_and_curl_over_tls_read_as_in_clear_text() {
    if !are_here(&["openssl", "nginx", "curl", "tcpdump"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (folder, address) = (folder.path(), own_address());
    certificates(folder);
    let _nginx = nginx(folder, &address);
    let file = folder.join("recorded.pcap");
    let Some(recorder) = record(&file, &format!("tcp and host {address}")) else { return };
    for (number, (_, more, ..)) in VISITS.iter().enumerate() {
        curl(folder, &url(&address, number), more);
    }
    stop(recorder, &file);

    let (recorded, log, key) = (packets(&file), logged(folder), rsa(folder));
    let one = folder.join("one.pcap");
    let (mut wrong, mut clear) = (Vec::new(), BTreeMap::new());
    for (number, &(_, more, suite, alpn, connections)) in VISITS.iter().enumerate() {
        fs::write(&one, build::pcap(&of_port(&recorded, FIRST + number as u16))).unwrap();
        let by_key = suite.starts_with("RSA_").then_some(&key);
        for keys in [&log].into_iter().chain(by_key) {
            let read = read(&one, keys.clone());
            let expected = clear.entry(more == APART).or_insert_with(|| read.said.clone());
            let shown = |facts: &Facts| (facts.suite.unwrap().to_string(), facts.alpn.clone());
            let found: Vec<_> = read.facts.values().map(shown).collect();
            let right = vec![(format!("TLS_{suite}"), alpn.map(str::to_owned)); connections];
            if read.bodies != bodies() || read.said != *expected || found != right {
                let lengths: Vec<usize> = read.bodies.iter().map(String::len).collect();
                wrong.push(format!("{number}: {lengths:?}, {:?}, {found:?}, {:?}", read.said, read.sealed));
            }
            let certificates = read.facts.values().filter(|facts| !facts.client_certificates.is_empty()).count();
            let resumed = read.facts.values().filter(|facts| facts.resumed).count();
            assert_eq!(
                (certificates, resumed),
                (usize::from(more == CLIENT), connections.saturating_sub(1)),
                "{number}"
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The program of this name: where `.ci/run` puts it, or else installed.
fn mitmdump() -> String {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin/mitmdump");
    if beside.exists() { beside.display().to_string() } else { "mitmdump".to_owned() }
}

#[test]
fn what_passes_mitmproxy_reads_as_in_clear_text() {
    let mitmdump = mitmdump();
    if !are_here(&["openssl", "nginx", "curl", "tcpdump", &mitmdump]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (folder, proxy, server) = (folder.path(), own_address(), own_address());
    certificates(folder);
    let _nginx = nginx(folder, &server);
    // In clear text, over TLS, and over TLS with HTTP/2; the proxy has a port for each.
    let visits =
        [(0, 8800, &[][..]), (6, 8801, &["--proxytunnel", "--http1.1"]), (11, 8802, &["--proxytunnel", "--http2"])];
    let mut start = Command::new(&mitmdump);
    start.args(["--ssl-insecure", "-q", "--set", &format!("confdir={}", folder.display())]);
    start.args(visits.iter().flat_map(|(_, port, _)| ["--mode".to_owned(), format!("regular@{proxy}:{port}")]));
    let _mitmdump = Running(start.env("SSLKEYLOGFILE", folder.join("mitm.log")).stdout(Stdio::null()).spawn().unwrap());
    wait_for(&proxy, 8802);
    let file = folder.join("recorded.pcap");
    let Some(recorder) = record(&file, &format!("tcp and (host {proxy} or host {server})")) else { return };
    for (number, port, more) in visits {
        let through = format!("http://{proxy}:{port}");
        curl(folder, &url(&server, number), &[more, &["--proxy", &through]].concat());
    }
    stop(recorder, &file);

    let (recorded, log) = (packets(&file), logged(folder));
    let one = folder.join("one.pcap");
    let mut clear = None;
    for (number, port, _) in visits {
        // The side of the client, behind CONNECT; then the side of the server.
        for port in [port, FIRST + number as u16] {
            fs::write(&one, build::pcap(&of_port(&recorded, port))).unwrap();
            let read = read(&one, log.clone());
            assert!(read.bodies == bodies(), "port {port}: {} bodies, {:?}", read.bodies.len(), read.sealed);
            assert_eq!(read.facts.is_empty(), number == 0, "port {port}");
            let clear = clear.get_or_insert_with(|| read.said.clone());
            assert_eq!(&read.said, clear, "port {port}");
        }
    }
}

/// What the program says of a recording that it is given through a pipe; `late` is written to `log` after the packets.
fn piped(parts: &[&[u8]], log: Option<(&Path, &[u8])>) -> Vec<(String, String, String)> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    program.args(["lint", "-", "--format", "json"]).env_remove("SSLKEYLOGFILE");
    program.args(log.iter().flat_map(|(path, _)| [Path::new("--keylog"), path]));
    let mut running = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut to = running.stdin.take().unwrap();
    parts.iter().for_each(|part| to.write_all(part).unwrap());
    if let Some((path, late)) = log {
        // The packets are read before the keys are there.
        std::thread::sleep(Duration::from_millis(300));
        fs::OpenOptions::new().append(true).open(path).unwrap().write_all(late).unwrap();
    }
    drop(to);
    let output = running.wait_with_output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = json["findings"].as_array().unwrap().iter();
    let of_messages = findings.filter(|finding| {
        !["DM-SEC", "DM-CAP", "DM-ENR"].iter().any(|family| word(&finding["rule"]).starts_with(family))
    });
    let mut said: Vec<_> = of_messages
        .map(|finding| (word(&finding["rule"]), word(&finding["location"]["path"]), word(&finding["message"])))
        .collect();
    said.sort();
    said
}

#[test]
fn keys_that_come_after_their_traffic_are_used() {
    if !are_here(&["openssl", "python3", "tcpdump"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (folder, address) = (folder.path(), own_address());
    certificates(folder);
    let file = folder.join("recorded.pcap");
    let Some(recorder) = record(&file, &format!("tcp and host {address}")) else { return };
    let named = ["clear text", "1.2, GCM", "OpenSSL 1.3, resumed", "1.2, CBC and SHA-384"];
    let held: Vec<Talk> = talks().into_iter().filter(|talk| named.contains(&talk.name())).collect();
    assert_eq!(held.len(), named.len());
    hold(&held, &address, folder);
    stop(recorder, &file);

    let log = fs::read(folder.join("openssl.log")).unwrap();
    let recorded = packets(&file);
    let mut clear = Vec::new();
    for talk in &held {
        let packets = of_port(&recorded, talk.port());
        if clear.is_empty() {
            clear = piped(&[&build::pcap(&packets)], None);
            assert!(clear.len() >= 4, "{clear:?}");
            continue;
        }
        let blocks = |early: bool| {
            let mut file = PcapNg::new().section(false).interface(build::ETHERNET, 9);
            file = if early { file.secrets(&log) } else { file };
            file = packets.iter().fold(file, |file, packet| file.packet(0, packet, &[]));
            if early { file.bytes } else { file.secrets(&log).bytes }
        };
        let one = folder.join("one.pcapng");
        for early in [true, false] {
            assert_eq!(piped(&[&blocks(early)], None), clear, "{}, secrets first: {early}", talk.name());
            fs::write(&one, blocks(early)).unwrap();
            assert!(read(&one, Keys::default()).bodies == bodies(), "{}, secrets first: {early}", talk.name());
        }
        let late = folder.join("late");
        fs::write(&late, "# begun\n").unwrap();
        assert_eq!(
            piped(&[&build::pcap(&packets)], Some((&late, &log))),
            clear,
            "{}, a key log that grows",
            talk.name()
        );
    }
}
