//! Recordings that want memory or time without end: each is read to its end within the memory that is given, what was given up is
//! told, and a session behind it is judged as if it stood alone.
//!
//! `DMSCOPE_DAMAGE=all` makes each several times as large, a million where it can be; what it took is printed.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;

use build::{ACK, Conversation, Packet, SYN, Tcp, http2};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

mod build;
#[path = "bench/traffic.rs"]
#[allow(dead_code, reason = "the benchmarks use more of it")]
mod traffic;

const MEMORY_MB: f64 = 64.0;
/// What the program takes before it reads, and what the allocator has not given back.
const OVERHEAD_MB: f64 = 48.0;

/// How many there are: `usual`, or `all` where all damage is wanted.
fn many(usual: u32, all: u32) -> u32 {
    if std::env::var_os("DMSCOPE_DAMAGE").is_some_and(|wanted| wanted == "all") { all } else { usual }
}

/// A session with one fault, an hour after whatever came before.
fn known() -> Vec<Packet> {
    let mut conversation =
        Conversation::new("10.9.9.9:50000", "10.9.9.1:80").at(build::START + 3600 * 1_000_000_000).open();
    for (number, body) in traffic::session(0).iter().enumerate() {
        // The server's second message skips a number.
        let body = if number == 3 { body.replace("<MsgID>2</MsgID>", "<MsgID>4</MsgID>") } else { body.clone() };
        let whole = head(number.is_multiple_of(2), &format!("Content-Length: {}", body.len())) + &body;
        let side = if number.is_multiple_of(2) { Conversation::client } else { Conversation::server };
        conversation = side(conversation, whole.as_bytes());
    }
    conversation.close()
}

fn head(client: bool, length: &str) -> String {
    let start = if client { "POST /omadm HTTP/1.1\r\nHost: mdm.example.test" } else { "HTTP/1.1 200 OK" };
    format!("{start}\r\nContent-Type: application/vnd.syncml.dm+xml\r\n{length}\r\n\r\n")
}

/// A client's request, and the answer `head` and `body`.
fn answered(head: &str, body: &[u8]) -> Vec<Packet> {
    let request = "GET / HTTP/1.1\r\nHost: mdm.example.test\r\n\r\n";
    let conversation = Conversation::new("10.0.0.1:40000", "10.0.0.2:80").open().client(request.as_bytes());
    conversation.server(&[head.as_bytes(), body].concat()).close()
}

/// What lint says of the packets with the known session behind them: its report, and the memory it took in MB.
fn lint(packets: &[Packet]) -> (Value, f64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damage.pcap");
    std::fs::write(&path, build::pcap(&[packets, &known()].concat())).unwrap();
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_dmscope"))
        .args([
            "lint",
            "--no-mmap",
            "--max-memory",
            "64M",
            "--format",
            "json",
            "--stats",
            "--fail-on",
            "never",
            "--jobs",
            "2",
        ])
        .arg(&path)
        .output()
        .unwrap();
    let stats = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{stats}");
    let (took, size) = (begun.elapsed().as_secs_f64(), std::fs::metadata(&path).unwrap().len() as f64 / 1e6);
    let test = std::thread::current();
    let name = test.name().unwrap_or_default();
    let peak = stats.lines().find_map(|line| line.trim().strip_suffix("MB peak memory")).unwrap();
    println!("{name}: {} packets, {size:.0} MB, {took:.1} s, {} MB", packets.len(), peak.trim());
    (serde_json::from_slice(&output.stdout).unwrap(), peak.trim().parse().unwrap())
}

/// Reads them in bounds, finds the fault of the session behind them, and says something of what it gave up.
fn stands(packets: &[Packet], told: &[&str]) {
    let (report, peak) = lint(packets);
    assert!(peak <= MEMORY_MB + OVERHEAD_MB, "{peak} MB");
    let behind = |finding: &&Value| finding["rule"] == "DM-MSG-003";
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| behind(&finding)), "{:#}", report["findings"]);
    let said = [&report["inputs"], &report["not_judged"], &report["findings"]].map(Value::to_string).concat();
    for told in told {
        assert!(said.contains(told), "{told:?}: {}", said.get(..4000).unwrap_or(&said));
    }
}

#[test]
fn a_flood_of_connections() {
    let server: SocketAddr = "10.0.0.2:443".parse().unwrap();
    let syn = |number: u32| {
        let client = SocketAddr::from(([10, 1, (number >> 8) as u8, number as u8], 1024 + (number >> 16) as u16));
        let datagram = Tcp { seq: number, ack: 0, flags: SYN, payload: &[] }.datagram(client, server);
        Packet::new(build::START + i64::from(number) * 1000, build::ethernet(&datagram))
    };
    stands(
        &(0..many(150_000, 1_000_000)).map(syn).collect::<Vec<_>>(),
        &["connections were given up for want of room"],
    );
}

#[test]
fn segments_that_wait_for_one_that_never_comes() {
    let [client, server]: [SocketAddr; 2] = ["10.0.0.1:40000", "10.0.0.2:80"].map(|end| end.parse().unwrap());
    let segment = |number: u32| {
        let tcp = Tcp { seq: 10_000 + number * 2, ack: 1, flags: ACK, payload: b"x" };
        Packet::new(build::START + i64::from(number) * 1000, build::ethernet(&tcp.datagram(client, server)))
    };
    // Every second byte is missing.
    stands(&(0..many(100_000, 1_000_000)).map(segment).collect::<Vec<_>>(), &[]);
}

#[test]
fn a_message_in_segments_of_one_byte() {
    let body = format!("<!-- {} -->", "x".repeat(many(60_000, 1_000_000) as usize));
    let head = head(false, &format!("Content-Length: {}", body.len()));
    let conversation = Conversation::new("10.0.0.1:40000", "10.0.0.2:80").mss(1).open();
    stands(&conversation.client(b"GET / HTTP/1.1\r\n\r\n").server((head + &body).as_bytes()).close(), &[]);
}

#[test]
fn chunks_without_end() {
    let chunk = [b"4000\r\n".as_slice(), &[b'<'; 0x4000], b"\r\n"].concat();
    stands(
        &answered(&head(false, "Transfer-Encoding: chunked"), &chunk.repeat(many(1_500, 15_000) as usize)),
        &["the body is larger than 1048576 bytes"],
    );
}

#[test]
fn a_bomb_of_gzip() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    (0..many(8, 1024)).for_each(|_| gzip.write_all(&zeros).unwrap());
    let body = gzip.finish().unwrap();
    let length = format!("Content-Encoding: gzip\r\nContent-Length: {}", body.len());
    stands(&answered(&head(false, &length), &body), &["decoding gzip was stopped after"]);
}

#[test]
fn elements_without_end() {
    for (body, told) in [
        ("<SyncML xmlns=\"SYNCML:SYNCML1.2\">".to_owned() + &"<Atomic>".repeat(100_000), "deeper than 64"),
        (
            format!("<SyncML xmlns=\"SYNCML:SYNCML1.2\">{}</SyncML>", "<Get/>".repeat(150_000)),
            "more than 62500 elements",
        ),
        (
            format!("<SyncML {}/>", (0..50_000).map(|number| format!("a{number}=\"\" ")).collect::<String>()),
            "64 attributes",
        ),
    ] {
        stands(&answered(&head(false, &format!("Content-Length: {}", body.len())), body.as_bytes()), &[told]);
    }
}

#[test]
fn entities_that_hold_each_other() {
    let define = |number: u32| format!("<!ENTITY e{} \"{}\">", number + 1, format!("&e{number};").repeat(10));
    let entities: String = (0..12).map(define).collect();
    let body = format!("<!DOCTYPE SyncML [<!ENTITY e0 \"x\">{entities}]><SyncML><SyncHdr>&e12;</SyncHdr></SyncML>");
    stands(&answered(&head(false, &format!("Content-Length: {}", body.len())), body.as_bytes()), &["DOCTYPE"]);
}

#[test]
fn header_tables_that_are_filled_without_end() {
    let mut blocks = http2::Blocks::default();
    let value = "v".repeat(2000);
    let frames: Vec<u8> = (0..many(2_000, 20_000))
        .flat_map(|number| {
            let name = format!("x-{number}");
            blocks.head(
                number * 2 + 1,
                &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (&name, &value)],
                true,
            )
        })
        .collect();
    let start = [http2::PREFACE, &http2::settings()].concat();
    let conversation = Conversation::new("10.0.0.1:40000", "10.0.0.2:80").open().client(&start);
    stands(&conversation.server(&http2::settings()).client(&frames).close(), &[]);
}

#[test]
fn requests_that_nobody_answers() {
    let requests = "GET / HTTP/1.1\r\nHost: mdm.example.test\r\n\r\n".repeat(many(70_000, 1_000_000) as usize);
    stands(&Conversation::new("10.0.0.1:40000", "10.0.0.2:80").open().client(requests.as_bytes()).close(), &[]);
}

#[test]
fn a_session_that_never_ends() {
    let mut conversation = Conversation::new("10.0.0.1:40000", "10.0.0.2:80").open();
    let bodies = traffic::session(1);
    for number in 0..6_000 {
        let body = &bodies[2 + number % 2];
        let whole = head(number.is_multiple_of(2), &format!("Content-Length: {}", body.len())) + body;
        let side = if number.is_multiple_of(2) { Conversation::client } else { Conversation::server };
        conversation = side(conversation, whole.as_bytes());
    }
    stands(&conversation.close(), &["open sessions hold more than 3145728 bytes"]);
}

#[test]
fn fragments_that_are_never_whole() {
    let [client, server]: [SocketAddr; 2] = ["10.0.0.1:40000", "10.0.0.2:80"].map(|end| end.parse().unwrap());
    let datagram = Tcp { seq: 1, ack: 1, flags: ACK, payload: &[b'x'; 1200] }.datagram(client, server);
    let count = many(60_000, 1_000_000);
    let first = |number: u32| {
        let fragment = build::fragment(&datagram, 600, number as u16).swap_remove(0);
        Packet::new(build::START + i64::from(number) * 1000, build::ethernet(&fragment))
    };
    stands(&(0..count).map(first).collect::<Vec<_>>(), &[&format!("{} more like this", count - 1)]);
}
