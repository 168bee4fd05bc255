//! Capture files of all kinds, whole and broken, down to the TCP segments in them.

#![allow(clippy::unwrap_used)]

mod build;

use std::io::Write;
use std::ops::ControlFlow;

use build::{
    ACK, Conversation, ETHERNET, PSH, Packet, PcapNg, START, Tcp, ethernet, fragment, pcap, pcap_as, pcapng, vlan,
};
use dmscope::anomaly::{Anomaly, Kind};
use dmscope::capture::{self, Format, Source, Summary};
use dmscope::limits::Limits;
use dmscope::link::{Carried, Decoder};
use dmscope::origin::{Origin, Unit};
use dmscope::tcp::SegmentOrigin;
use proptest::prelude::*;

/// A frame, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    no: u32,
    at: Option<i64>,
    link: u16,
    wire_len: u32,
    bytes: Vec<u8>,
    comment: Option<String>,
}

fn read(source: Source<'_>) -> (Vec<Seen>, Summary) {
    let mut seen = Vec::new();
    let summary = capture::read(source, &Limits::default(), &mut |frame| {
        seen.push(Seen {
            no: frame.no,
            at: frame.at.map(|time| time.0),
            link: frame.link,
            wire_len: frame.wire_len,
            bytes: frame.bytes.to_vec(),
            comment: frame.comment.map(str::to_owned),
        });
        ControlFlow::Continue(())
    });
    (seen, summary)
}

/// Reads it mapped and as a stream, which must agree.
fn both(file: &[u8]) -> (Vec<Seen>, Summary) {
    let (whole, summary) = read(Source::Bytes(file));
    let (streamed, other) = read(Source::Stream(Box::new(file)));
    assert_eq!(whole, streamed);
    assert_eq!(format!("{summary:?}"), format!("{other:?}"));
    (whole, summary)
}

fn kinds(notes: &[Anomaly]) -> Vec<Kind> {
    notes.iter().map(|note| note.kind).collect()
}

fn sample() -> Vec<Packet> {
    Conversation::new("10.0.0.2:50000", "10.0.0.1:80").client(b"hello").server(b"world!").close()
}

fn same(seen: &[Seen], packets: &[Packet], unit: i64) {
    assert_eq!(seen.len(), packets.len());
    for (no, (seen, packet)) in seen.iter().zip(packets).enumerate() {
        assert_eq!((seen.no, seen.at), (no as u32 + 1, Some(packet.at / unit * unit)));
        assert_eq!((&seen.bytes, seen.wire_len as usize), (&packet.bytes, packet.wire_len));
    }
}

#[test]
fn all_kinds_of_pcap_give_the_same_packets() {
    let mut packets = sample();
    packets[2].at += 123_456_789;
    for (magic, unit) in [(0xa1b2_c3d4, 1_000), (0xa1b2_3c4d, 1), (0xa1b2_cd34, 1_000)] {
        for big in [false, true] {
            let (seen, summary) = both(&pcap_as(magic, big, ETHERNET, &packets));
            same(&seen, &packets, unit);
            assert_eq!((summary.format, summary.packets), (Some(Format::Pcap), packets.len() as u64));
            assert_eq!(kinds(&summary.notes), []);
        }
    }
}

#[test]
fn pcapng_times_are_read_in_every_resolution() {
    // Picoseconds of our days do not fit into the 64 bits that the format has.
    let packets = Conversation::new("10.0.0.2:50000", "10.0.0.1:80").at(5_000_000_001).client(b"hello").close();
    for resolution in [6, 9, 3, 12, 0x80 | 20, 0x80 | 30] {
        for big in [false, true] {
            let file =
                packets.iter().fold(PcapNg::new().section(big).interface(ETHERNET, resolution), |file, packet| {
                    file.packet(0, packet, &[])
                });
            let (seen, summary) = both(&file.bytes);
            assert_eq!(kinds(&summary.notes), []);
            for (seen, packet) in seen.iter().zip(&packets) {
                let off = (seen.at.unwrap() - packet.at).abs();
                assert!(off <= 1_000, "resolution {resolution}: {off} ns off");
            }
        }
    }
}

#[test]
fn a_section_begins_anew_and_numbers_go_on() {
    let packets = sample();
    let file = PcapNg::new()
        .section(false)
        .interface(ETHERNET, 6)
        .interface_with(101, 9, &[(2, b"lo"), (14, &3600i64.to_le_bytes())])
        .packet(1, &packets[0], &[(1, b"look here"), (1, b"and here")])
        .secrets(b"CLIENT_RANDOM 00 11")
        .block(4, &[0, 0, 0, 0])
        .simple(&packets[1])
        .block(0x0bad, &[0, 0, 0x7e, 0xd9, 1, 2, 3, 4])
        .block(0x7777, b"not known to anyone")
        .section(true)
        .interface(113, 6)
        .packet(0, &packets[2], &[])
        .secrets(b"second");
    let (seen, summary) = both(&file.bytes);
    let got: Vec<_> = seen.iter().map(|frame| (frame.no, frame.link, frame.at, frame.comment.as_deref())).collect();
    let expected = [
        (1, 101, Some(packets[0].at + 3_600_000_000_000), Some("look here")),
        (2, ETHERNET, None, None),
        (4, 113, Some(packets[2].at), None),
    ];
    assert_eq!(got, expected);
    assert_eq!(summary.secrets, [&b"CLIENT_RANDOM 00 11"[..], b"second"]);
    assert_eq!((summary.packets, kinds(&summary.notes)), (3, vec![]));
}

#[test]
fn the_old_packet_block_is_read() {
    let packet = &sample()[3];
    let units = (packet.at / 1_000) as u64;
    let mut body = [0u16.to_le_bytes(), 7u16.to_le_bytes()].concat();
    for value in [(units >> 32) as u32, units as u32, packet.bytes.len() as u32, packet.wire_len as u32] {
        body.extend(value.to_le_bytes());
    }
    body.extend(&packet.bytes);
    let (seen, _) = both(&PcapNg::new().section(false).interface(ETHERNET, 6).block(2, &body).bytes);
    same(&seen, std::slice::from_ref(packet), 1_000);
}

#[test]
fn drop_counts_of_all_interfaces_are_summed() {
    let counts = |interface: u32, seen: u64, os: u64| {
        let option =
            |code: u16, value: u64| [&code.to_le_bytes()[..], &8u16.to_le_bytes(), &value.to_le_bytes()].concat();
        [&interface.to_le_bytes()[..], &[0; 8], &option(4, 99), &option(5, seen), &option(7, os), &[0; 4]].concat()
    };
    let file = PcapNg::new()
        .section(false)
        .interface(ETHERNET, 6)
        .interface(ETHERNET, 6)
        .block(5, &counts(0, 1, 2))
        .block(5, &counts(0, 4, 2))
        .block(5, &counts(1, 10, 0));
    assert_eq!(both(&file.bytes).1.dropped, 16);
}

#[test]
fn a_broken_block_is_told_and_what_follows_is_read() {
    let packets = sample();
    let before = PcapNg::new().section(false).interface(ETHERNET, 6).packet(0, &packets[0], &[]);
    let at = before.bytes.len();
    let damaged = before.packet(0, &packets[1], &[]).packet(0, &packets[2], &[]);
    let broken: [(&str, usize, u32); 4] = [
        ("length", at + 4, 0xffff_fff0),
        ("small length", at + 4, 4),
        ("captured length", at + 20, 5_000),
        ("interface", at + 8, 9),
    ];
    for (what, place, value) in broken {
        let mut file = damaged.bytes.clone();
        file[place..place + 4].copy_from_slice(&value.to_le_bytes());
        let (seen, summary) = both(&file);
        let got: Vec<_> = seen.iter().map(|frame| &frame.bytes).collect();
        assert_eq!(got, [&packets[0].bytes, &packets[2].bytes], "{what}");
        assert_eq!(kinds(&summary.notes), [Kind::CaptureMalformed], "{what}");
    }
}

#[test]
fn an_impossible_record_ends_a_pcap() {
    let packets = sample();
    let mut file = pcap(&packets);
    let second = 24 + 16 + packets[0].bytes.len();
    file[second + 8..second + 12].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    let (seen, summary) = both(&file);
    assert_eq!((seen.len(), kinds(&summary.notes)), (1, vec![Kind::CaptureMalformed]));
}

#[test]
fn cutting_a_file_anywhere_keeps_the_whole_packets_before() {
    let packets = sample();
    for (file, most) in [(pcap(&packets), 24), (pcapng(&packets), 60)] {
        let (all, _) = both(&file);
        let mut counts = Vec::new();
        for cut in 0..file.len() {
            let (seen, summary) = both(&file[..cut]);
            assert_eq!(seen, all[..seen.len()]);
            assert!(kinds(&summary.notes).iter().all(|kind| *kind == Kind::CaptureTruncated), "{cut}: {summary:?}");
            assert!(cut > most || seen.is_empty());
            counts.push(seen.len());
        }
        assert!(counts.is_sorted() && counts.last() == Some(&(packets.len() - 1)));
    }
}

#[test]
fn a_record_longer_than_a_slab_is_read_from_a_stream() {
    let big = Packet::new(START, vec![7; 3 * 1024 * 1024]);
    let file = PcapNg::new().section(false).interface(ETHERNET, 9).packet(0, &big, &[]).packet(0, &big, &[]);
    same(&both(&file.bytes).0, &[big.clone(), big], 1);
}

#[test]
fn a_packed_capture_is_the_capture() {
    let packets = sample();
    for file in [pcap(&packets), pcapng(&packets)] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&file).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(&file[..], ruzstd::encoding::CompressionLevel::Fastest);
        for (packed, format) in [(gzip, Format::Gzip), (zstd, Format::Zstd)] {
            let (seen, summary) = both(&packed);
            same(&seen, &packets, 1_000);
            assert_eq!((summary.packed, kinds(&summary.notes)), (Some(format), vec![]));

            let (seen, summary) = both(&packed[..packed.len() / 2]);
            assert!(seen.len() < packets.len());
            assert_eq!(kinds(&summary.notes), [Kind::CaptureTruncated]);
        }
    }
}

#[test]
fn what_is_no_capture_is_told_by_its_first_bytes() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"{\"log\": {}}").unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(capture::sniff(&gzip), Some(Format::Gzip));
    for other in [&gzip[..], b"", b"{", b"\x89PNG\r\n\x1a\n", b"\x0a\x0d\x0d\x0a0000 no section"] {
        let (seen, summary) = both(other);
        assert_eq!((seen.len(), summary.format), (0, None));
    }
    let header = pcap(&[]);
    assert_eq!(both(&header).1.format, Some(Format::Pcap));
}

#[test]
fn what_is_kept_of_a_file_is_bounded() {
    let packet = &sample()[0];
    let limits = Limits { interfaces: 1, key_logs: 10, ..Limits::default() };
    let file = PcapNg::new()
        .section(false)
        .interface(ETHERNET, 9)
        .interface(ETHERNET, 9)
        .packet(1, packet, &[])
        .packet(0, packet, &[])
        .secrets(b"12345678")
        .secrets(b"12345678");
    let mut seen = Vec::new();
    let summary = capture::read(Source::Bytes(&file.bytes), &limits, &mut |frame| {
        seen.push(frame.no);
        ControlFlow::Continue(())
    });
    assert_eq!((seen, summary.secrets.len()), (vec![2], 1));
    assert_eq!(kinds(&summary.notes), [Kind::LimitCapture, Kind::CaptureMalformed]);
}

#[test]
fn reading_stops_when_told() {
    let packets = sample();
    for file in [pcap(&packets), pcapng(&packets)] {
        let mut count = 0;
        let summary = capture::read(Source::Bytes(&file), &Limits::default(), &mut |_| {
            count += 1;
            if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((count, summary.packets), (2, 2));
    }
}

/// A TCP segment, owned: payload, bytes cut, origin.
type Got = (Vec<u8>, u32, Vec<(u64, Unit, u64)>);

fn segments(link: u16, packets: &[Packet]) -> (Vec<Got>, Vec<Kind>) {
    let file = pcap_as(0xa1b2_c3d4, false, link, packets);
    let mut decoder = Decoder::new(&Limits::default());
    let mut got = Vec::new();
    capture::read(Source::Bytes(&file), &Limits::default(), &mut |frame| {
        if let Some(segment) = decoder.frame(&frame).and_then(Carried::segment) {
            let origin = match segment.origin {
                SegmentOrigin::Frame(run) => {
                    let mut origin = Origin::default();
                    origin.push(run);
                    origin
                }
                SegmentOrigin::Fragments(origin) => origin.clone(),
            };
            let runs = origin.runs().iter().map(|run| (run.at, run.unit, run.offset)).collect();
            got.push((segment.payload.to_vec(), segment.cut, runs));
        }
        ControlFlow::Continue(())
    });
    (got, kinds(&decoder.finish()))
}

fn data(payload: &[u8], six: bool) -> Vec<u8> {
    let (client, server) = if six { ("[fd00::2]:1", "[fd00::1]:80") } else { ("10.0.0.2:1", "10.0.0.1:80") };
    let tcp = Tcp { seq: 1, ack: 1, flags: PSH | ACK, payload };
    tcp.datagram(client.parse().unwrap(), server.parse().unwrap())
}

#[test]
fn padding_is_not_payload() {
    let packets = [Packet::new(START, ethernet(&data(b"x", false))), Packet::new(START, ethernet(&data(b"", false)))];
    let expected = [(b"x".to_vec(), 0, vec![(0, Unit::Frame(1), 54)]), (vec![], 0, vec![(0, Unit::Frame(2), 54)])];
    assert_eq!(segments(ETHERNET, &packets), (expected.to_vec(), vec![]));
}

#[test]
fn what_the_snap_length_cut_is_known() {
    for six in [false, true] {
        let packet = Packet::new(START, vlan(&[5], &data(&[b'p'; 100], six)));
        let head = packet.bytes.len() - 100;
        for snap in head - 20..packet.bytes.len() {
            let (got, _) = segments(ETHERNET, &[packet.clone().cut(snap)]);
            if snap < head {
                assert!(got.is_empty(), "less than a TCP header");
                continue;
            }
            let (payload, cut, _) = &got[0];
            assert_eq!((payload.len(), *cut as usize), (snap - head, packet.bytes.len() - snap));
        }
    }
}

#[test]
fn options_cut_by_the_snap_length_are_not_payload() {
    let mut datagram = data(&[b'o'; 32], false);
    datagram[20 + 12] = 8 << 4; // 12 bytes of options
    let packet = Packet::new(START, datagram);
    let (got, _) = segments(101, &[packet.clone().cut(46), packet]);
    assert_eq!((got[0].0.len(), got[0].1), (0, 20));
    assert_eq!((got[1].0.len(), got[1].1), (20, 0));
}

#[test]
fn a_total_length_of_zero_means_what_was_captured() {
    for six in [false, true] {
        let mut datagram = data(&[b't'; 4000], six);
        let length = if six { 4..6 } else { 2..4 };
        datagram[length].fill(0);
        let packet = Packet::new(START, ethernet(&datagram));
        let (got, _) = segments(ETHERNET, &[packet.clone(), packet.cut(1000)]);
        assert_eq!((got[0].0.len(), got[0].1), (4000, 0));
        assert_eq!(got[1].0.len() + got[1].1 as usize, 4000);
    }
}

#[test]
fn what_a_tunnel_carries_is_read() {
    let inner = data(b"inside", true);
    let wrap = |inner: &[u8]| {
        let mut outer = data(&[], false)[..20].to_vec();
        outer[2..4].copy_from_slice(&((20 + inner.len()) as u16).to_be_bytes());
        outer[9] = 41;
        [&outer, inner].concat()
    };
    let packet = Packet::new(START, ethernet(&wrap(&inner)));
    let expected = (b"inside".to_vec(), 0, vec![(0, Unit::Frame(1), 14 + 20 + 60)]);
    assert_eq!(segments(ETHERNET, std::slice::from_ref(&packet)), (vec![expected], vec![]));
    let cut = segments(ETHERNET, &[packet.cut(97)]).0;
    assert_eq!((&cut[0].0[..], cut[0].1), (&b"ins"[..], 3));
    // A bottomless nest is given up.
    let deep = (0..50).fold(inner, |inner, _| wrap(&inner));
    assert_eq!(segments(101, &[Packet::new(START, deep)]), (vec![], vec![]));
}

#[test]
fn fragments_become_one_segment() {
    let payload: Vec<u8> = (0..3000u32).map(|n| n as u8).collect();
    for six in [false, true] {
        let parts = fragment(&data(&payload, six), 1480, 77);
        let mut packets: Vec<_> = parts.iter().map(|part| Packet::new(START, vlan(&[9], part))).collect();
        packets.swap(0, 2);
        packets.insert(1, packets[0].clone());
        let ip = if six { 48 } else { 20 };
        let runs =
            vec![(0, Unit::Frame(4), 18 + ip + 20), (1460, Unit::Frame(3), 18 + ip), (2940, Unit::Frame(1), 18 + ip)];
        assert_eq!(segments(ETHERNET, &packets), (vec![(payload.clone(), 0, runs)], vec![]));
        packets.remove(3);
        assert_eq!(segments(ETHERNET, &packets), (vec![], vec![Kind::FragmentsIncomplete]));
    }
}

/// Reads anything through all layers.
fn decode(file: &[u8]) {
    let mut decoder = Decoder::new(&Limits::default());
    capture::read(Source::Bytes(file), &Limits::default(), &mut |frame| {
        let _ = decoder.frame(&frame).and_then(Carried::segment).map(|segment| segment.payload.len());
        ControlFlow::Continue(())
    });
    decoder.finish();
}

proptest! {
    #[test]
    fn damage_anywhere_does_no_harm(
        kind in 0usize..3,
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let packets = sample();
        let mut file = match kind {
            0 => pcap(&packets),
            1 => pcapng(&packets),
            _ => pcap_as(0xa1b2_cd34, true, ETHERNET, &packets),
        };
        for (place, value) in places {
            let at = place.index(file.len());
            file[at] = value;
        }
        both(&file);
        decode(&file);
    }

    #[test]
    fn any_bytes_behind_any_magic_do_no_harm(
        magic in prop::sample::select(vec![
            [0xa1, 0xb2, 0xc3, 0xd4], [0xd4, 0xc3, 0xb2, 0xa1], [0x0a, 0x0d, 0x0d, 0x0a], [0x1f, 0x8b, 8, 0],
            [0x28, 0xb5, 0x2f, 0xfd], [0x50, 0x2a, 0x4d, 0x18],
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        both(&[&magic[..], &rest].concat());
    }

    #[test]
    fn any_packet_of_any_link_does_no_harm(
        link in prop::sample::select(vec![0u16, 1, 9, 12, 50, 51, 101, 108, 113, 228, 229, 276, 999]),
        start in prop::sample::select(vec![
            vec![], vec![0x45], vec![0x60], vec![0xff; 12], vec![2, 0, 0, 0, 0x45],
            [&[2u8; 12][..], &[0x08, 0x00, 0x4f]].concat(), [&[2u8; 12][..], &[0x86, 0xdd, 0x60]].concat(),
            [&[2u8; 12][..], &[0x81, 0x00]].concat(), [&[2u8; 12][..], &[0x88, 0x64, 0x11, 0]].concat(),
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let packet = Packet::new(START, [start, rest].concat());
        decode(&pcap_as(0xa1b2_c3d4, false, link, &[packet.clone(), packet.cut(40)]));
    }

    #[test]
    fn damaged_datagrams_do_no_harm(
        six in any::<bool>(),
        places in prop::collection::vec((0usize..70, any::<u8>()), 0..8),
    ) {
        let parts = fragment(&data(&[1; 90], six), 24, 3);
        let packets: Vec<_> = parts.into_iter().map(|mut part| {
            for (at, value) in &places {
                let at = at % part.len();
                part[at] = *value;
            }
            Packet::new(START, part)
        }).collect();
        decode(&pcap_as(0xa1b2_c3d4, false, 101, &packets));
    }
}
