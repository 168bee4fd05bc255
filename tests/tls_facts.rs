//! TLS of real captures: what the handshakes say against tshark's facts, and what Wireshark's own tests assert of the text
//! behind them.
//!
//! Modes `tls`, `psk` and `upstream-test` of `facts.tsv`. What keys decrypt of HTTP is compared in `http_facts.rs`.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use dmscope::http::{Event, Half};
use dmscope::tls::{Facts, Keys, Suite, Version};

mod corpus;

use corpus::{Read, captures, keys_beside, read_with};

/// What the handshakes of a capture say, by connection; also of those that could not be decrypted.
fn handshakes(read: &Read) -> BTreeMap<u32, Facts> {
    let connections = read.events.iter().filter_map(|event| match event {
        Event::Message(message) => Some(&message.connection),
        Event::Encrypted(encrypted) => Some(&encrypted.connection),
        _ => None,
    });
    let known = connections.filter_map(|connection| Some((connection.number, connection.handshake.as_ref()?.facts())));
    known.collect()
}

#[test]
fn handshakes_are_those_that_tshark_sees() {
    let Some(captures) = captures() else { return };
    let table = fs::read_to_string(captures.join("facts.tsv")).unwrap();
    let rows =
        table.lines().map(|line| line.splitn(4, '\t').collect::<Vec<_>>()).filter(|row| row.get(1) == Some(&"tls"));
    let mut of_file: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in rows {
        of_file.entry(row[0].to_owned()).or_default().push((row[2].to_owned(), row[3].to_owned()));
    }
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (file, rows) in &of_file {
        let found = handshakes(&read_with(&captures.join(file), Keys::default(), 0));
        let mut told = BTreeSet::new();
        for (name, value) in rows {
            let columns: Vec<&str> = value.split('|').collect();
            let stream: u32 = columns[0].parse().unwrap();
            let Some(facts) = found.get(&stream) else {
                wrong.push(format!("{file}: nothing of connection {stream}, {name} {value}"));
                continue;
            };
            let number = |text: &str| u16::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
            let same = match columns[..] {
                [_, legacy, newer, suite] if name.starts_with("serverhello") => {
                    let version = Version(number(if newer.is_empty() { legacy } else { newer }));
                    facts.version == Some(version) && facts.suite == Some(Suite(number(suite)))
                }
                [_, name] => facts.server_name.as_deref().unwrap_or_default() == name,
                _ => panic!("{value}"),
            };
            if !same {
                let ours = (facts.version, facts.suite, &facts.server_name);
                wrong.push(format!("{file}: {name} {value}, but {ours:?}"));
            }
            told.insert(stream);
            compared += 1;
        }
        // Of its hundred connections the facts have the first ones.
        let all = !file.contains("fragmented");
        let more: Vec<_> = found.keys().filter(|stream| all && !told.contains(stream)).collect();
        assert!(more.is_empty(), "{file}: tshark sees no handshake in {more:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 80, "only {compared} rows");
}

/// The bodies and targets of all messages, one after the other.
fn text(read: &Read) -> String {
    let messages = [Half::Request, Half::Response].into_iter().flat_map(|half| read.messages(half));
    messages
        .map(|message| format!("{}\n{}\n", message.head.target, String::from_utf8_lossy(&message.body.bytes)))
        .collect()
}

#[test]
fn what_wireshark_asserts_of_its_captures_holds() {
    let Some(captures) = captures() else { return };
    let folder = captures.join("wireshark");
    let read = |file: &str, keys: &[&str]| read_with(&folder.join(file), keys_beside(&folder, keys), 0);

    // RSA keys: PKCS#1 and PKCS#8, SSL 3.0 with AES and 3DES, and a key whose primes stand the other way round.
    let snake_oil = read("rsasnakeoil2.pcap", &["rsasnakeoil2.der"]);
    assert!(text(&snake_oil).contains("favicon.ico"));
    for key in ["rsa-p-lt-q.der", "rsa-p-lt-q.p8.der"] {
        let targets: Vec<_> =
            read("rsa-p-lt-q.pcap", &[key]).messages(Half::Request).map(|one| one.head.target.clone()).collect();
        assert_eq!(targets, ["/"], "{key}");
    }

    // A master secret, and records of one byte each: tshark shows this request only when told not to join records.
    let dhe = read("dhe1.pcapng.gz", &["dhe1_keylog.dat"]);
    let request = dhe.messages(Half::Request).next().unwrap();
    assert_eq!(
        (request.head.method.as_str(), request.head.target.as_str(), request.head.version.as_str()),
        ("GET", "/test", "HTTP/1.0")
    );

    // ChaCha20 with each key exchange.
    let chacha = text(&read("tls12-chacha20poly1305.pcap", &["tls12-chacha20poly1305.keys"]));
    for exchange in ["ECDHE-ECDSA", "ECDHE-RSA", "DHE-RSA", "RSA-PSK", "DHE-PSK", "ECDHE-PSK", "PSK"] {
        assert!(chacha.contains(&format!("Cipher is {exchange}-CHACHA20-POLY1305")), "{exchange}");
    }
    let draft = text(&read("tls13-20-chacha20poly1305.pcap", &["tls13-20-chacha20poly1305.keys"]));
    assert!(draft.contains("TLS13-CHACHA20-POLY1305-SHA256"));

    // Secrets blocks between the packets.
    let blocks = read("tls12-dsb.pcapng", &[]);
    let hosts: Vec<_> = blocks.messages(Half::Request).filter_map(|one| one.head.header("host")).collect();
    assert_eq!(hosts, ["example.com", "example.net"]);
    assert!(blocks.messages(Half::Response).all(|one| one.head.status == 200));
    let lengths: Vec<usize> = blocks.secrets.iter().map(Vec::len).collect();
    assert_eq!(lengths, [184, 176]);

    // A picture in many DATA frames.
    let frames = read("http2-data-reassembly.pcap", &["http2-data-reassembly.keys"]);
    let picture = &frames.messages(Half::Response).next().unwrap().body.bytes;
    assert!(picture.starts_with(b"\x89PNG") && picture[picture.len() - 8..].starts_with(b"IEND"));

    // Hellos in pieces, several to a record and several records to a hello.
    let pieces = read("tls-fragmented-handshakes.pcap.gz", &[]);
    let found = handshakes(&pieces);
    assert_eq!(found.len(), pieces.streams as usize);
    assert!(found.values().all(|facts| facts.client_random.is_some() && facts.offered.is_some()));
}

/// CCM of a real server. The pre-shared key is known; a key log has the premaster secret that follows from it
/// (RFC 4279 §2): as many zeros as the key has bytes, and the key, each behind its length.
#[test]
fn a_premaster_secret_opens_ccm() {
    let Some(captures) = captures() else { return };
    let file = captures.join("wireshark/tls12-aes128ccm.pcap");
    let sealed = handshakes(&read_with(&file, Keys::default(), 0));
    let random: String = sealed[&0].client_random.unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    let keys = Keys::new(&dmscope::limits::Limits::default());
    let zeros = "00".repeat(16);
    keys.add_log(format!("PMS_CLIENT_RANDOM {random} 0010{zeros}0010ca19e028a8a372ad2d325f950fcaceed").as_bytes());
    let read = read_with(&file, keys, 0);
    assert_eq!(read.messages(Half::Request).map(|one| one.head.target.as_str()).collect::<Vec<_>>(), ["/"]);
    // tshark does not show a response that ends with its connection.
    assert_eq!(read.messages(Half::Response).count(), 1);
    assert!(text(&read).contains("http://www.gnu.org/software/gnutls"));
}
