//! HTTP/2 of real programs over loopback: nginx and curl, and curl's upgrade from HTTP/1.1. What was exchanged is known,
//! and tshark says what it sees.
//!
//! Needs nginx, curl, tcpdump and tshark, and the right to capture; without them it is skipped, loudly, unless
//! `DMSCOPE_PEERS` is set.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use dmscope::capture::{self, Source, map};
use dmscope::http::{Captured, Conn, Event, Half, InputId, Message};
use dmscope::limits::Limits;
use dmscope::link::{Carried, Decoder};
use dmscope::origin::Unit;
use dmscope::tcp::Table;

mod build;
mod peers;

use build::http2::{Blocks, DATA, END_STREAM, HEADERS, PREFACE, SETTINGS, WINDOW_UPDATE, data, frame, settings};
use peers::{Running, are_here, free_port, record, stop, wait_for};

fn read(file: &Path) -> (Vec<Message>, Vec<Vec<u8>>) {
    let data = map::Data::open(file, true).unwrap();
    // To the byte, downloads too.
    let limits = Limits { other_body: Limits::default().body, ..Limits::default() };
    let (mut decoder, mut table) = (Decoder::new(&limits), Table::<Conn>::new(InputId(0), &limits));
    let (mut messages, mut frames) = (Vec::new(), Vec::new());
    let mut each = |event: Event| match event {
        Event::Message(message) => messages.push(message),
        Event::Closed { .. } => {}
        other => panic!("{other:?}"),
    };
    capture::read(Source::Bytes(&data), &limits, &mut |frame| {
        frames.push(frame.bytes.to_vec());
        if let Some(segment) = decoder.frame(&frame).and_then(Carried::segment) {
            table.segment(&segment, &mut each);
        }
        ControlFlow::Continue(())
    });
    table.finish(&mut each);
    (messages, frames)
}

/// What tshark says of a field, one value for each head that has it.
fn by_tshark(file: &Path, port: u16, field: &str) -> Vec<String> {
    let decode = format!("tcp.port=={port},http2");
    let output =
        Command::new("tshark").args(["-d", &decode, "-T", "fields", "-e", field, "-r"]).arg(file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut values: Vec<String> =
        text.split(['\n', ',']).map(str::to_owned).filter(|value| !value.is_empty()).collect();
    values.sort();
    values
}

fn sorted(messages: &[Message], half: Half, value: impl Fn(&Message) -> String) -> Vec<String> {
    let mut values: Vec<String> = messages.iter().filter(|message| message.half == half).map(value).collect();
    values.sort();
    values
}

/// Bytes that do not repeat soon.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 12_345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b' ' + (state >> 24) as u8 % 90
    };
    (0..length).map(|_| next()).collect()
}

fn nginx(folder: &Path, port: u16) -> Running {
    let at = folder.display();
    let inner = free_port();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {at}/{kind};"))
        .concat();
    let config = format!(
        "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log; events {{}} http {{ access_log off; {temporary} \
         server {{ listen 127.0.0.1:{port} http2; root {at}; client_max_body_size 9m; gzip on; gzip_types text/plain; \
         types {{ text/plain txt; application/octet-stream bin; }} location /post {{ proxy_pass http://127.0.0.1:{inner}; }} }} \
         server {{ listen 127.0.0.1:{inner}; client_max_body_size 9m; location / {{ return 200 taken; }} }} }}"
    );
    fs::write(folder.join("nginx.conf"), config).unwrap();
    let child = Command::new("nginx").arg("-c").arg(folder.join("nginx.conf")).stderr(Stdio::null()).spawn().unwrap();
    let running = Running(child);
    wait_for("127.0.0.1", port);
    running
}

/// Asks for all paths on streams of one connection before the first answer, and reads until each stream is over.
fn all_at_once(port: u16, paths: &[&str]) {
    const WINDOW: [u8; 4] = [0, 0x20, 0, 0];
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    server.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let window = frame(SETTINGS, 0, 0, &[&[0, 4][..], &WINDOW].concat());
    let mut asked = [PREFACE, &window, &frame(WINDOW_UPDATE, 0, 0, &WINDOW)].concat();
    let mut client = Blocks::default();
    for (stream, path) in (1..).step_by(2).zip(paths) {
        let fields = [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "localhost")];
        asked.extend(client.head(stream, &fields, true));
    }
    server.write_all(&asked).unwrap();
    let mut open = paths.len();
    while open > 0 {
        let mut head = [0; 9];
        server.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        server.read_exact(&mut vec![0; length as usize]).unwrap();
        open -= usize::from(matches!(head[3], DATA | HEADERS) && head[4] & END_STREAM != 0);
    }
}

#[test]
fn what_nginx_and_curl_say_is_read_to_the_byte() {
    if !are_here(&["nginx", "curl", "tcpdump", "tshark"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, port) = (folder.path(), free_port());
    let (large, text) = (noise(700_000), noise(30_000));
    fs::write(path.join("large.bin"), &large).unwrap();
    fs::write(path.join("text.txt"), &text).unwrap();
    let _server = nginx(path, port);
    let file = path.join("recorded.pcap");
    let Some(recorder) = record(&file, &format!("tcp port {port}")) else { return };
    let url = |name: &str| format!("http://127.0.0.1:{port}/{name}");
    let curl = |arguments: &[&str]| {
        let done = Command::new("curl").args(["-s", "--http2-prior-knowledge"]).args(arguments).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let upload = format!("@{}", path.join("large.bin").display());
    let get = |arguments: &[&str]| curl(&[arguments, &["-o", "/dev/null"]].concat());
    get(&[&url("large.bin")]);
    get(&["--compressed", &url("text.txt")]);
    get(&["-I", &url("text.txt")]);
    get(&["--data-binary", &upload, "-H", "Content-Type: text/plain", &url("post")]);
    all_at_once(port, &["/large.bin", "/text.txt", "/none"]);
    stop(recorder, &file);

    let (messages, frames) = read(&file);
    for message in &messages {
        let is_whole = message.head.version == "HTTP/2" && message.body.captured == Captured::Whole;
        assert!(is_whole, "{:?}, {:?}, {:?}", message.head, message.body.captured, message.notes);
    }
    assert_eq!(
        sorted(&messages, Half::Request, |message| message.head.target.clone()),
        by_tshark(&file, port, "http2.headers.path")
    );
    assert_eq!(
        sorted(&messages, Half::Request, |message| message.head.method.clone()),
        by_tshark(&file, port, "http2.headers.method")
    );
    assert_eq!(
        sorted(&messages, Half::Response, |message| message.head.status.to_string()),
        by_tshark(&file, port, "http2.headers.status")
    );
    let mut seen = Vec::new();
    for message in &messages {
        let asked = message.request.as_ref().map_or("", |request| &request.target);
        let (coded, length) = (message.body.codings.join(","), message.body.bytes.len());
        let expected: Option<&[u8]> = match (message.half, message.head.method.as_str(), asked) {
            (Half::Request, "POST", _) => Some(&large),
            (Half::Response, _, "/large.bin") => Some(&large),
            (Half::Response, _, "/text.txt") if message.request.as_ref().unwrap().method == "GET" => Some(&text),
            (Half::Response, _, "/post") => Some(b"taken"),
            _ => None,
        };
        if let Some(expected) = expected {
            assert!(&*message.body.bytes == expected, "{asked} {coded}: {length} bytes");
            seen.push(format!("{} {length} {coded}", message.head.status));
            places(message, &frames);
        }
    }
    seen.sort();
    let expected = ["0 700000 ", "200 30000 ", "200 30000 gzip", "200 5 ", "200 700000 ", "200 700000 "];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

/// Each byte of a body stands where its origin says; no place is exact once a coding was removed.
fn places(message: &Message, frames: &[Vec<u8>]) {
    let body = &message.body;
    for (at, byte) in body.bytes.iter().enumerate().step_by(97) {
        let run = body.origin.run_at(at as u64).unwrap();
        let Unit::Frame(frame) = run.unit else { panic!("{run:?}") };
        assert_eq!(run.exact, body.codings.is_empty());
        if run.exact {
            let offset = (run.offset + at as u64 - run.at) as usize;
            assert_eq!(frames[frame as usize - 1].get(offset), Some(byte), "byte {at}: {run:?}");
        }
    }
}

/// A server that agrees to HTTP/2 and answers the first request on stream 1.
fn upgrading(listener: &TcpListener) {
    let (mut client, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    assert!(request.windows(12).any(|window| window == b"Upgrade: h2c"));
    let agreed = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let mut server = Blocks::default();
    let head = server.head(1, &[(":status", "200"), ("content-type", "text/plain")], false);
    client.write_all(&[&agreed[..], &settings(), &head, &data(1, b"by frames", 4)].concat()).unwrap();
    let _ = client.read_to_end(&mut request);
}

#[test]
fn an_upgrade_of_curl_is_followed() {
    if !are_here(&["curl", "tcpdump"]) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recorded.pcap");
    let Some(recorder) = record(&file, &format!("tcp port {port}")) else { return };
    let server = std::thread::spawn(move || upgrading(&listener));
    let url = format!("http://127.0.0.1:{port}/a");
    let output = Command::new("curl").args(["-s", "--http2", &url]).output().unwrap();
    assert_eq!(output.stdout, b"by frames", "{output:?}");
    server.join().unwrap();
    stop(recorder, &file);
    let (messages, frames) = read(&file);
    let told: Vec<String> = messages
        .iter()
        .map(|message| {
            let head = &message.head;
            let text = String::from_utf8_lossy(&message.body.bytes);
            format!("{} {} {}{} [{text}]", message.exchange, head.version, head.target, head.status)
        })
        .collect();
    assert_eq!(told, ["0 HTTP/1.1 /a0 []", "0 HTTP/1.1 101 []", "0 HTTP/2 200 [by frames]"]);
    places(&messages[2], &frames);
}
