//! Live capture on loopback, and BPF filters on frames of any origin.

#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod build;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use build::{ACK, Conversation, ETHERNET, Packet, START, Tcp, pcap};
use dmscope::capture::live::{Filter, Live, interfaces};
use dmscope::capture::{self, Frame, Source, map};
use dmscope::limits::Limits;
use dmscope::link::{Carried, Decoder};

fn frame(link: u16, bytes: &[u8]) -> Frame<'_> {
    Frame { no: 1, at: None, link, wire_len: bytes.len() as u32, position: 0, bytes, comment: None }
}

#[test]
fn a_filter_works_on_frames_of_every_link_type() {
    let tcp = Tcp { seq: 1, ack: 1, flags: ACK, payload: b"x" };
    let datagram = |port: u16| {
        let server = format!("10.0.0.1:{port}").parse().unwrap();
        tcp.datagram("10.0.0.2:5000".parse().unwrap(), server)
    };
    let sll = |port| [&[0; 14][..], &[8, 0], &datagram(port)].concat();
    let mut filter = Filter::new("tcp port 80").unwrap();
    for (port, expected) in [(80, true), (8080, false)] {
        assert_eq!(filter.matches(&frame(ETHERNET, &build::ethernet(&datagram(port)))), expected);
        assert_eq!(filter.matches(&frame(101, &datagram(port))), expected);
        assert_eq!(filter.matches(&frame(113, &sll(port))), expected);
        assert!(!filter.matches(&frame(65_000, &datagram(port))));
    }
    assert!(!filter.matches(&frame(ETHERNET, b"")));
    assert!(!Filter::new("ether host 2:0:0:0:0:1").unwrap().matches(&frame(101, &datagram(80))));
    let refused = Filter::new("tcp prot 80").err().unwrap();
    assert!(refused.to_string().starts_with("bad filter \"tcp prot 80\": "), "{refused}");
}

#[test]
fn a_filter_keeps_one_direction_of_a_capture() {
    let packets: Vec<Packet> = Conversation::new("10.0.0.2:5000", "10.0.0.1:80").at(START).client(b"a").close();
    let mut filter = Filter::new("src host 10.0.0.2").unwrap();
    let mut kept = 0;
    capture::read(Source::Bytes(&pcap(&packets)), &Limits::default(), &mut |frame| {
        kept += usize::from(filter.matches(&frame));
        ControlFlow::Continue(())
    });
    assert_eq!((kept, packets.len()), (5, 8));
}

#[test]
fn what_passes_loopback_is_seen_and_saved() {
    let loopback = interfaces().unwrap_or_default().into_iter().find(|interface| interface.loopback && interface.up);
    let Some(loopback) = loopback else {
        eprintln!("SKIPPED: no loopback interface to capture on");
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let saved = dir.path().join("saved.pcap");
    let filter = format!("tcp port {}", address.port());
    let mut live = match Live::open(&loopback.name, Some(&filter), Some(&saved)) {
        Ok(live) => live,
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            return;
        }
    };
    let talk = std::thread::spawn(move || {
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"hello over loopback").unwrap();
        drop(client);
        let mut heard = String::new();
        listener.accept().unwrap().0.read_to_string(&mut heard).unwrap();
        heard
    });
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut decoder = Decoder::new(&Limits::default());
    let mut seen = Vec::new();
    let mut payload: Vec<u8> = Vec::new();
    let summary = live.run(&Limits::default(), &mut || Instant::now() < deadline, &mut |frame| {
        seen.push((frame.no, frame.at, frame.link, frame.bytes.to_vec()));
        let segment = decoder.frame(&frame).and_then(Carried::segment);
        payload.extend(segment.iter().flat_map(|segment| segment.payload));
        if payload.len() >= 19 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(talk.join().unwrap(), "hello over loopback");
    assert!(summary.failed.is_none(), "{:?}", summary.failed);
    assert_eq!(payload, b"hello over loopback");
    let mut again = Vec::new();
    capture::read(Source::Bytes(&map::Data::open(&saved, true).unwrap()), &Limits::default(), &mut |frame| {
        again.push((frame.no, frame.at, frame.link, frame.bytes.to_vec()));
        ControlFlow::Continue(())
    });
    assert_eq!(again, seen);
}

#[test]
fn waiting_ends_when_the_caller_has_had_enough() {
    let loopback = interfaces().unwrap_or_default().into_iter().find(|interface| interface.loopback && interface.up);
    // A port that nothing uses: no packet ever comes.
    let Some(Ok(mut live)) = loopback.map(|loopback| Live::open(&loopback.name, Some("tcp port 1"), None)) else {
        eprintln!("SKIPPED: cannot capture on loopback");
        return;
    };
    let begun = Instant::now();
    let mut on_frame = |_: Frame<'_>| ControlFlow::Continue(());
    live.run(&Limits::default(), &mut || begun.elapsed() < Duration::from_millis(300), &mut on_frame);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn an_interface_that_does_not_exist_is_an_error() {
    let refused = Live::open("no-such-interface", None, None).err().unwrap();
    assert!(refused.to_string().starts_with("cannot capture on no-such-interface: "), "{refused}");
}

/// A running capture holds no privilege, although opening the interface took some; but for reading on in a key log.
#[cfg(target_os = "linux")]
#[test]
fn privileges_are_given_up_once_the_interface_is_open() {
    use std::io::BufRead as _;
    use std::process::{Command, Stdio};
    const CAP_DAC_READ_SEARCH: u64 = 1 << 2;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("keys");
    std::fs::write(&log, "").unwrap();
    for (options, kept) in [(vec![], 0), (vec!["--keylog".as_ref(), log.as_os_str()], CAP_DAC_READ_SEARCH)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dmscope"))
            .args(["capture", "-i", "lo", "--duration", "3"])
            .args(options)
            .args(["tcp", "port", "9"])
            .env_remove("SSLKEYLOGFILE")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        std::io::BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
        if !said.starts_with("capturing on") {
            assert!(std::env::var_os("DMSCOPE_PEERS").is_none(), "{said}");
            eprintln!("SKIPPED: no right to capture: {said}");
            child.wait().unwrap();
            return;
        }
        let threads = std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
        for thread in threads {
            let status = std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
            let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
            for set in ["CapEff:", "CapPrm:", "CapInh:"] {
                let held = u64::from_str_radix(value(set), 16).unwrap();
                assert_eq!(held & !kept, 0, "{set} {status}");
            }
            for ids in ["Uid:", "Gid:"] {
                assert!(value(ids).split_whitespace().all(|id| id != "0"), "{status}");
            }
            assert_eq!(value("NoNewPrivs:"), "1", "{status}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
