//! Reading again: a session that is put together from its outline and its messages, read a second time, is what it was.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

#[path = "build/mod.rs"]
mod build;
#[path = "bench/traffic.rs"]
#[allow(dead_code, reason = "the benches use more of it")]
mod traffic;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use dmscope::engine::{self, Settings, again};
use dmscope::http::InputId;
use dmscope::input::{self, Input};
use dmscope::limits::Limits;
use dmscope::session::Session;
use dmscope::session::outline::{Found, Outline};
use dmscope::tls::{self, Keys};
use proptest::prelude::*;

use build::{Conversation, Packet, pcap, pcapng};

/// Everything of a session that is looked at.
fn told(session: &Session) -> Vec<String> {
    let Session { number, flavor, session_id, device, server, exchanges, objects, start, end, outcome, .. } = session;
    let mut told: Vec<String> = session.messages.iter().map(|message| format!("{message:?}")).collect();
    told.push(format!("{:?}", (number, flavor, session_id, device, server, outcome)));
    told.push(format!("{exchanges:?} {objects:?} {start:?} {end:?}"));
    told
}

/// Reads all, then each session again, a few at a time. Returns how many there are.
fn check(paths: &[PathBuf], settings: &Settings) -> usize {
    let inputs = match input::collect(paths, None) {
        Ok(inputs) => inputs,
        Err(error) => {
            eprintln!("not read: {error}");
            return 0;
        }
    };
    let mut sessions = Vec::new();
    let read = engine::read(&inputs, settings, &mut |session| sessions.push(session), &mut |_| {});
    if let Err(error) = read {
        eprintln!("not read: {error}");
        return 0;
    }
    for group in sessions.chunks(5) {
        let outlines: Vec<Outline> = group.iter().map(Outline::of).collect();
        let found = read_again(&inputs, settings, &outlines);
        for (session, outline) in group.iter().zip(&outlines) {
            let again = outline.session(&found);
            let again = again.unwrap_or_else(|| panic!("{} of {paths:?} is not there any more", session.key()));
            for (one, other) in told(session).iter().zip(told(&again)) {
                assert!(*one == other, "{} of {paths:?}:\n{one}\n\n{other}", session.key());
            }
        }
    }
    sessions.len()
}

fn read_again(inputs: &[Input], settings: &Settings, outlines: &[Outline]) -> Found {
    again(inputs, settings, &outlines.iter().collect::<Vec<_>>(), &AtomicBool::new(false)).unwrap()
}

fn settings() -> Settings {
    Settings { threads: 2, ..Settings::default() }
}

#[test]
fn samples_are_the_same_again() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut sessions = 0;
    for file in std::fs::read_dir(samples).unwrap() {
        for mmap in [true, false] {
            sessions += check(&[file.as_ref().unwrap().path()], &Settings { mmap, ..settings() });
        }
    }
    assert!(sessions > 20, "{sessions}");
}

/// Recordings of others, with the keys that lie beside them.
#[test]
fn recordings_of_others_are_the_same_again() {
    let Some(corpus) = std::env::var_os("DMSCOPE_CORPUS") else {
        assert!(std::env::var_os("DMSCOPE_PEERS").is_none(), "no DMSCOPE_CORPUS");
        eprintln!("SKIPPED: no DMSCOPE_CORPUS, no recordings of others were read again");
        return;
    };
    let mut folders = vec![Path::new(&corpus).join("captures"), Path::new(&corpus).join("corpus")];
    let (mut files, mut keys) = (Vec::new(), Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().to_lowercase();
            match path.is_dir() {
                true => folders.push(path),
                false if name.contains("key") => keys.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    let known = Keys::new(&Limits::default());
    keys.iter().for_each(|path| drop(tls::load_key_log(&known, path, false)));
    let settings = Settings { keys: known, ..settings() };
    let sessions: usize = files.iter().map(|path| check(std::slice::from_ref(path), &settings)).sum();
    eprintln!("{sessions} sessions of {} files", files.len());
    assert!(sessions > 100, "{sessions}");
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn post(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /dm HTTP/1.1\r\nHost: a\r\nContent-Type: application/vnd.syncml.dm+xml\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn answer(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.syncml.dm+xml\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A session of a device, all on one connection.
fn talk(device: usize, client: &str, at: i64) -> Conversation {
    let mut conversation = Conversation::new(client, "10.0.0.1:80").at(at).step(3_000_000);
    for pair in traffic::session(device).chunks(2) {
        conversation = conversation.client(post(&pair[0]).as_bytes()).server(answer(&pair[1]).as_bytes());
    }
    conversation
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Connections side by side, some on the same ports as others before them, some begun before the capture; with
    /// packets lost, and packets late.
    #[test]
    fn harmed_captures_are_the_same_again(
        talks in prop::collection::vec((0usize..4, 0usize..3, 0i64..400_000_000, any::<bool>()), 1..7),
        harm in prop::collection::vec((0usize..10_000, 0u8..3), 0..6),
        form in 0u8..2,
    ) {
        let mut packets: Vec<Packet> = Vec::new();
        for (number, (device, port, at, begun)) in talks.iter().enumerate() {
            let at = build::START + at + number as i64 * 150_000_000;
            let client = format!("10.0.1.{}:{}", device + 1, 50_000 + port);
            let seq = 1000 * (number as u32 + 1);
            let conversation = talk(*device, &client, at).seq(seq, seq * 7);
            packets.extend(conversation.close().into_iter().skip(if *begun { 4 } else { 0 }));
        }
        packets.sort_by_key(|packet| packet.at);
        for (place, how) in harm {
            let place = place % packets.len();
            match how {
                0 => drop(packets.remove(place)),
                1 => {
                    let other = (place + 3) % packets.len();
                    packets.swap(place, other);
                }
                _ => packets[place].at += 2_000_000_000,
            }
            if packets.is_empty() {
                return Ok(());
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let bytes = if form == 0 { pcap(&packets) } else { pcapng(&packets) };
        check(&[write(folder.path(), "capture", &bytes)], &settings());
    }
}

#[test]
fn a_file_that_changed_is_not_taken_for_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let capture = |device: usize| pcap(&talk(device, "10.0.1.1:50000", build::START).close());
    let path = write(folder.path(), "a.pcap", &capture(1));
    let inputs = input::collect(&[path], None).unwrap();
    let mut outlines = Vec::new();
    engine::read(&inputs, &settings(), &mut |session| outlines.push(Outline::of(&session)), &mut |_| {}).unwrap();
    assert_eq!(outlines.len(), 1);
    write(folder.path(), "a.pcap", &capture(2));
    let found = read_again(&inputs, &settings(), &outlines);
    assert!(!found.is_empty() && outlines[0].session(&found).is_none());
    assert!(found.keys().all(|key| key.input == InputId(0)));
}
