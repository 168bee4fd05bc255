//! The published traces, whole and harmed, and records that nobody sent.

use proptest::prelude::*;

use super::negotiation::{CLIENT, SERVER};
use super::{Facts, Keys, Phase, Sealed, Suite, Tls, Version};
use crate::limits::Limits;
use crate::origin::{Run, Unit};
use crate::stream::{End, Stream};
use crate::time::Time;

mod rfc8448;

use rfc8448::{RESUMED, RESUMED_LOG, SIMPLE, SIMPLE_LOG};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// A connection, and the text that came of it: stretches without a gap.
struct Wire {
    tls: Tls,
    cipher: [Stream; 2],
    plain: [Stream; 2],
    text: [Vec<Vec<u8>>; 2],
    now: i64,
}

impl Wire {
    fn new(log: &str) -> Wire {
        let keys = Keys::new(&Limits::default());
        keys.add_log(log.as_bytes());
        let mut cipher: [Stream; 2] = Default::default();
        cipher.iter_mut().for_each(|stream| (stream.from_start, stream.seen) = (true, true));
        let text = [vec![Vec::new()], vec![Vec::new()]];
        Wire { tls: Tls::new(keys, true), cipher, plain: Default::default(), text, now: 0 }
    }

    fn send(&mut self, side: usize, bytes: &[u8]) {
        self.now += 1;
        let run = Run { at: 0, unit: Unit::Frame(1), offset: 0, time: Some(Time(self.now)), exact: true };
        self.cipher[side].append(bytes, run);
        self.read(Phase::Running);
    }

    fn lose(&mut self, side: usize, len: Option<u64>) {
        self.cipher[side].gap(len);
        self.read(Phase::Running);
    }

    fn read(&mut self, phase: Phase) {
        while self.tls.step(&mut self.cipher, &mut self.plain, phase) {}
        for (plain, text) in self.plain.iter_mut().zip(&mut self.text) {
            loop {
                text.last_mut().unwrap().extend_from_slice(plain.bytes());
                plain.consume(plain.bytes().len());
                if plain.skip_gap().is_none() {
                    break;
                }
                text.push(Vec::new());
            }
        }
    }

    /// The text of both sides, and what is known of the connection.
    fn finish(mut self) -> ([Vec<Vec<u8>>; 2], Facts) {
        self.cipher.iter_mut().for_each(|stream| stream.close(End::Closed));
        self.read(Phase::Final);
        self.tls.finish(&self.cipher, &mut self.plain);
        self.text.iter_mut().for_each(|text| text.retain(|part| !part.is_empty()));
        (self.text, self.tls.facts().facts())
    }
}

/// What the sides of the traces say to each other.
fn said() -> Vec<u8> {
    (0..50).collect()
}

fn trace(records: &[(usize, &str)], log: &str, piece: usize) -> ([Vec<Vec<u8>>; 2], Facts) {
    let mut wire = Wire::new(log);
    for (side, record) in records {
        hex(record).chunks(piece).for_each(|part| wire.send(*side, part));
    }
    wire.finish()
}

#[test]
fn the_simple_handshake_of_rfc_8448_opens() {
    for piece in [1, 7, 1000] {
        let (text, facts) = trace(SIMPLE, SIMPLE_LOG, piece);
        assert_eq!(text, [vec![said()], vec![said()]]);
        assert_eq!((facts.version, facts.suite), (Some(Version::TLS13), Some(Suite(0x1301))));
        assert_eq!((facts.server_name.as_deref(), facts.server_certificates.len()), (Some("server"), 1));
        assert!(facts.completed && facts.decrypted && !facts.resumed && facts.client_visible);
    }
}

#[test]
fn the_resumed_handshake_of_rfc_8448_opens_with_its_early_data() {
    for piece in [1, 7, 1000] {
        let (text, facts) = trace(RESUMED, RESUMED_LOG, piece);
        assert_eq!(text, [vec![[b"ABCDEF", &said()[..]].concat()], vec![said()]]);
        assert!(facts.completed && facts.resumed && facts.server_certificates.is_empty());
    }
}

/// The secrets that a server logs late, or a client alone, open what they can.
#[test]
fn each_secret_opens_what_is_sealed_with_it() {
    let with = |labels: &[&str]| {
        let lines = RESUMED_LOG.lines().filter(|line| labels.iter().any(|label| line.starts_with(label)));
        trace(RESUMED, &lines.collect::<Vec<_>>().join("\n"), 1000).0.map(|text| text.concat())
    };
    assert_eq!(with(&["CLIENT_EARLY_"]), [b"ABCDEF".to_vec(), Vec::new()]);
    assert_eq!(with(&["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"]), [said(), said()]);
    assert_eq!(with(&["SERVER_TRAFFIC_SECRET_0"]), [Vec::new(), said()]);
}

#[test]
fn what_does_not_open_says_why() {
    let why = |records: &[(usize, &str)], log: &str| trace(records, log, 1000).1.sealed;
    assert_eq!(why(SIMPLE, ""), Some(Sealed::NoKeys));
    assert_eq!(why(SIMPLE, RESUMED_LOG), Some(Sealed::NotLogged));
    let wrong: String = SIMPLE_LOG.lines().map(|line| format!("{}00000000\n", &line[..line.len() - 8])).collect();
    assert_eq!(why(SIMPLE, &wrong), Some(Sealed::WrongKeys));
    assert_eq!(why(&SIMPLE[..1], SIMPLE_LOG), Some(Sealed::Failed));
    assert_eq!(why(&SIMPLE[5..], SIMPLE_LOG), Some(Sealed::NoStart));
    let (_, facts) = trace(&SIMPLE[..2], SIMPLE_LOG, 1000);
    assert!(matches!(facts.sealed, Some(Sealed::Failed | Sealed::Incomplete)), "{facts:?}");
}

/// Something done to a stretch of what a side sent.
#[derive(Clone, Debug)]
enum Harm {
    Flip(u8),
    Drop,
    Lose(bool),
    Noise(Vec<u8>),
    Twice,
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        (1u8..).prop_map(Harm::Flip),
        Just(Harm::Drop),
        any::<bool>().prop_map(Harm::Lose),
        prop::collection::vec(any::<u8>(), 1..60).prop_map(Harm::Noise),
        Just(Harm::Twice),
    ]
}

/// Records of any kind, with any content.
fn records() -> impl Strategy<Value = Vec<(usize, Vec<u8>)>> {
    let record = (0..2usize, 20u8..25, 0u8..5, prop::collection::vec(any::<u8>(), 0..200), any::<bool>());
    let made = record.prop_map(|(side, kind, minor, content, true_length)| {
        let length = if true_length {
            content.len() as u16
        } else {
            content.first().map_or(9000, |byte| u16::from(*byte) * 250)
        };
        (side, [&[kind, 3, minor][..], &length.to_be_bytes(), &content].concat())
    });
    prop::collection::vec(made, 0..20)
}

fn is_within(part: &[u8], text: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Whatever is done to the traces, no text comes out that was not sent.
    #[test]
    fn harmed_traces_give_nothing_that_was_not_said(
        early: bool,
        harms in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..40usize, harm()), 0..4),
        piece in prop_oneof![1..30usize, 30..700usize],
    ) {
        let (records, log) = if early { (RESUMED, RESUMED_LOG) } else { (SIMPLE, SIMPLE_LOG) };
        let mut wire = Wire::new(log);
        for (number, (side, record)) in records.iter().enumerate() {
            let mut bytes = hex(record);
            let mut lost = None;
            for (which, at, len, harm) in harms.iter().filter(|harm| harm.0.index(records.len()) == number) {
                let _ = which;
                if bytes.is_empty() {
                    continue;
                }
                let at = at.index(bytes.len());
                let end = (at + len).min(bytes.len());
                match harm {
                    Harm::Flip(bits) => bytes[at] ^= bits,
                    Harm::Drop => drop(bytes.drain(at..end)),
                    Harm::Lose(known) => lost = Some((at, end, *known)),
                    Harm::Noise(noise) => drop(bytes.splice(at..at, noise.iter().copied())),
                    Harm::Twice => bytes.extend_from_within(at..end),
                }
            }
            let (at, end, known) = lost.unwrap_or((bytes.len(), bytes.len(), true));
            let (at, end) = (at.min(bytes.len()), end.min(bytes.len()));
            bytes[..at].chunks(piece).for_each(|part| wire.send(*side, part));
            if at < end {
                wire.lose(*side, known.then_some((end - at) as u64));
            }
            bytes[end..].chunks(piece).for_each(|part| wire.send(*side, part));
        }
        let (text, _) = wire.finish();
        let whole = [[b"ABCDEF", &said()[..]].concat(), said()];
        for side in [CLIENT, SERVER] {
            for part in &text[side] {
                prop_assert!(is_within(part, &whole[side]), "{:?}", part);
            }
        }
    }

    /// Records that nobody sent end in a reason, with or without a handshake before them.
    #[test]
    fn records_of_noise_give_no_text(noise in records(), begun in 0..4usize) {
        let mut wire = Wire::new(SIMPLE_LOG);
        SIMPLE[..begun].iter().for_each(|(side, record)| wire.send(*side, &hex(record)));
        noise.iter().for_each(|(side, record)| wire.send(*side, record));
        prop_assert!(wire.tls.held() < 1 << 20);
        let (text, facts) = wire.finish();
        prop_assert!(text.iter().all(Vec::is_empty));
        prop_assert!(facts.sealed.is_some());
    }
}
