//! How fast TLS is opened: `cargo bench --bench tls`.
//!
//! Feeds one connection of TLS 1.3 with AES-128-GCM to the decryption, in full records of 16 KiB, and prints how much of
//! it one core opens in a second: once in large pieces, where the cipher is nearly all, and once in segments as they
//! come from a network. Fails below [`ENOUGH`].

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::time::{Duration, Instant};

use dmscope::limits::Limits;
use dmscope::origin::{Run, Unit};
use dmscope::stream::Stream;
use dmscope::time::Time;
use dmscope::tls::{Keys, Phase, Tls};

#[path = "../build/mod.rs"]
mod build;

use build::tls::{RECORD, Secure};

/// Bytes of text in one round: what a cache holds, so that the cipher is measured and not the memory.
const SIZE: usize = 2 << 20;
/// The best of so many counts: other programs may take the core for a while.
const ROUNDS: usize = 200;
/// Bytes in a second.
const ENOUGH: f64 = 1e9;

fn main() {
    let mut secure = Secure::new(1);
    let hello = secure.handshake("mdm.example.test");
    let text = vec![b'x'; RECORD];
    let records: Vec<u8> = (0..SIZE / RECORD).flat_map(|_| secure.server(&text)).collect();
    let mut speeds = Vec::new();
    for (what, piece) in [("records of 16 KiB", 4 * (RECORD + 22)), ("segments of 1460 bytes", 1460)] {
        let best = (0..ROUNDS).map(|_| open(&secure.key_log(), &hello, &records, piece)).min().unwrap();
        let speed = SIZE as f64 / best.as_secs_f64();
        println!("AES-128-GCM, {what}: {:.2} GB/s", speed / 1e9);
        speeds.push(speed);
    }
    assert!(speeds[0] >= ENOUGH, "GCM is opened at {:.0} MB/s", speeds[0] / 1e6);
}

/// How long it takes to open the records when they come in such pieces.
fn open(log: &str, hello: &[Vec<u8>; 3], records: &[u8], piece: usize) -> Duration {
    let keys = Keys::new(&Limits::default());
    keys.add_log(log.as_bytes());
    let mut tls = Tls::new(keys, true);
    let (mut cipher, mut plain): ([Stream; 2], [Stream; 2]) = Default::default();
    let mut frame = 0;
    let mut opened = 0;
    let mut feed = |side: usize, bytes: &[u8]| {
        frame += 1;
        let run = Run { at: 0, unit: Unit::Frame(frame), offset: 54, time: Some(Time(frame.into())), exact: true };
        cipher[side].append(bytes, run);
        while tls.step(&mut cipher, &mut plain, Phase::Running) {}
        let count = plain[side].bytes().len();
        plain[side].consume(count);
        opened += count;
    };
    [0, 1, 0].into_iter().zip(hello).for_each(|(side, bytes)| feed(side, bytes));
    let start = Instant::now();
    records.chunks(piece).for_each(|part| feed(1, part));
    let took = start.elapsed();
    assert_eq!(opened, SIZE);
    took
}
