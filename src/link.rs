//! From a frame to its TCP segment: link headers off, IP read, fragments put together.
//!
//! Tunnels are followed. In: [`Frame`]s. Out: at most one [`Segment`] each, borrowed from the frame or from the datagram that it completed;
//! or a UDP datagram of the ports of WAP push or DNS. What carries neither over IPv4 or IPv6 is passed over without a word; a link type that is not known is told once.

mod ip;
mod tunnel;
mod udp;

use crate::anomaly::{Anomaly, Kind};
use crate::capture::{Frame, FrameNo};
use crate::defrag::{Defrag, Key, Piece};
use crate::limits::Limits;
use crate::origin::{Origin, Span};
use crate::tcp::{Segment, SegmentOrigin};
use ip::{Extensions, Tcp};
use udp::{Found, Secured, Udp};

pub use udp::{DNS, Datagram};

/// The link types that others are made of.
const ETHERNET: u16 = 1;
const PPP: u16 = 9;
const RAW: u16 = 101;

/// Tunnels within each other that are followed.
const TUNNELS: usize = 4;

/// Link types that are told by number; what a hostile file adds to them is only counted.
const TOLD: usize = 16;

/// What a frame carries.
#[derive(Clone, Debug)]
pub enum Carried<'a> {
    /// A TCP segment.
    Segment(Segment<'a>),
    /// A UDP datagram that may be a push, or is of DNS.
    Datagram(Datagram<'a>),
}

impl<'a> Carried<'a> {
    /// The segment, if it is one.
    pub fn segment(self) -> Option<Segment<'a>> {
        match self {
            Carried::Segment(segment) => Some(segment),
            Carried::Datagram(_) => None,
        }
    }
}

/// Turns the frames of one capture into TCP segments.
#[derive(Debug)]
pub struct Decoder {
    defrag: Defrag,
    origin: Origin,
    secured: Secured,
    unknown: Vec<Unknown>,
    untold: u64,
}

/// A link header and what is behind it: that of the frame, or of what a tunnel in it carries.
struct Layer<'a> {
    link: u16,
    bytes: &'a [u8],
    /// Offset of `bytes` in the frame.
    at: usize,
    wire_len: usize,
}

#[derive(Debug)]
struct Unknown {
    link: u16,
    first: FrameNo,
    frames: u64,
}

impl Decoder {
    /// A decoder for one capture. What it keeps is bounded as [`Defrag`] says.
    pub fn new(limits: &Limits) -> Decoder {
        Decoder {
            defrag: Defrag::new(limits),
            origin: Origin::default(),
            secured: Secured::default(),
            unknown: Vec::new(),
            untold: 0,
        }
    }

    /// What this frame carries, or its fragment completes.
    pub fn frame<'a>(&'a mut self, frame: &Frame<'a>) -> Option<Carried<'a>> {
        let mut layer = Layer {
            link: frame.link,
            bytes: frame.bytes,
            at: 0,
            wire_len: (frame.wire_len as usize).max(frame.bytes.len()),
        };
        for _ in 0..=TUNNELS {
            let Some(network) = network(layer.link, layer.bytes) else {
                self.unknown(frame);
                return None;
            };
            let Network::Ip(ip_at) = network else { return None };
            let packet = layer.bytes.get(ip_at..)?;
            let datagram = ip::Datagram::parse(packet, layer.wire_len.saturating_sub(ip_at))?;
            let at = layer.at + ip_at + datagram.payload_at;
            if datagram.fragment.is_some() {
                return self.fragment(frame, at, &datagram);
            }
            if datagram.protocol == ip::TCP {
                let tcp = Tcp::parse(datagram.payload, datagram.cut)?;
                let origin = SegmentOrigin::Frame(frame.run(at + tcp.payload_at));
                return Some(Carried::Segment(tcp.segment(datagram.ends, origin, frame.at)));
            }
            if datagram.protocol == udp::UDP
                && let Some(push) = self.datagram(frame, at, &datagram)
            {
                return Some(Carried::Datagram(push));
            }
            let (link, header) = tunnel::inside(datagram.protocol, datagram.payload)?;
            let bytes = datagram.payload.get(header..)?;
            layer = Layer { link, bytes, at: at + header, wire_len: bytes.len() + datagram.cut };
        }
        None
    }

    /// What was noticed, once all frames were given.
    pub fn finish(self) -> Vec<Anomaly> {
        let mut notes: Vec<Anomaly> = self.unknown.iter().map(Unknown::note).collect();
        if self.untold > 0 {
            let detail = format!("{} frames of yet other link types are not read", self.untold);
            notes.push(Anomaly::new(Kind::LinkUnknown, Span::default(), detail));
        }
        notes.extend(self.secured.told().map(|detail| Anomaly::new(Kind::PushSecured, Span::default(), detail)));
        notes.extend(self.defrag.finish());
        notes
    }

    /// A datagram that may be a push.
    fn datagram<'a>(&mut self, frame: &Frame<'a>, at: usize, datagram: &ip::Datagram<'a>) -> Option<Datagram<'a>> {
        match Udp::find(datagram) {
            Found::Push(udp) => {
                let run = frame.run(at + udp.payload_at);
                Some(udp.datagram(datagram, run, frame.at))
            }
            Found::Secured => {
                self.secured.add(frame.no);
                None
            }
            Found::Other => None,
        }
    }

    fn fragment<'a>(&'a mut self, frame: &Frame<'a>, at: usize, datagram: &ip::Datagram<'a>) -> Option<Carried<'a>> {
        let fragment = datagram.fragment?;
        if datagram.protocol == udp::UDP && fragment.offset == 0 {
            return self.datagram(frame, at, datagram).map(Carried::Datagram);
        }
        if !ip::may_hold_tcp(datagram.protocol) {
            return None;
        }
        let (source, destination) = datagram.ends;
        let whole = self.defrag.add(Piece {
            key: Key { source, destination, protocol: datagram.protocol, id: fragment.id },
            offset: fragment.offset,
            more: fragment.more,
            bytes: datagram.payload,
            cut: datagram.cut,
            run: frame.run(at),
        })?;
        let inner = Extensions::walk(datagram.protocol, whole.bytes);
        if inner.protocol != ip::TCP || inner.fragment.is_some() {
            return None;
        }
        let tcp = Tcp::parse(whole.bytes.get(inner.at..)?, 0)?;
        self.origin = whole.origin.sub((inner.at + tcp.payload_at) as u64, whole.bytes.len() as u64);
        Some(Carried::Segment(tcp.segment(datagram.ends, SegmentOrigin::Fragments(&self.origin), frame.at)))
    }

    fn unknown(&mut self, frame: &Frame<'_>) {
        if let Some(known) = self.unknown.iter_mut().find(|unknown| unknown.link == frame.link) {
            known.frames += 1;
        } else if self.unknown.len() < TOLD {
            self.unknown.push(Unknown { link: frame.link, first: frame.no, frames: 1 });
        } else {
            self.untold += 1;
        }
    }
}

impl Unknown {
    fn note(&self) -> Anomaly {
        let Unknown { link, first, frames } = self;
        let detail = format!("link type {link} is not read: {frames} frames, the first is frame {first}");
        Anomaly::new(Kind::LinkUnknown, Span::default(), detail)
    }
}

/// What a frame holds behind its link headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    /// An IP header, here.
    Ip(usize),
    /// Nothing that may hold TCP, or too little of it.
    Other,
}

/// Finds the IP header; `None` when the link type is not known. Link types are those of the `LINKTYPE_` registry of
/// the Tcpdump Group.
fn network(link: u16, bytes: &[u8]) -> Option<Network> {
    let found = match link {
        ETHERNET => be16(bytes, 12).and_then(|kind| ethertype(bytes, kind, 14)),
        // Raw IP: as in files, and as some systems number it.
        RAW | 12 | 14 | 228 | 229 => Some(0),
        // NULL and LOOP: an address family in either byte order.
        0 | 108 => family(bytes),
        // Linux "any", versions 1 and 2.
        113 => be16(bytes, 14).and_then(|kind| ethertype(bytes, kind, 16)),
        276 => be16(bytes, 0).and_then(|kind| ethertype(bytes, kind, 20)),
        PPP | 50 => ppp(bytes, 0),
        51 => pppoe(bytes, 0),
        _ => return None,
    };
    Some(found.filter(|at| *at < bytes.len()).map_or(Network::Other, Network::Ip))
}

/// Follows an EtherType whose data begin at `at`, through any VLAN tags.
fn ethertype(bytes: &[u8], kind: u16, at: usize) -> Option<usize> {
    let (mut kind, mut at) = (kind, at);
    // 802.1Q, 802.1ad, and what was used before that.
    while matches!(kind, 0x8100 | 0x88a8 | 0x9100) {
        kind = be16(bytes, at + 2)?;
        at += 4;
    }
    match kind {
        0x0800 | 0x86dd => Some(at),
        0x8864 => pppoe(bytes, at),
        _ => None,
    }
}

/// A PPPoE session header (RFC 2516).
fn pppoe(bytes: &[u8], at: usize) -> Option<usize> {
    let session_data = bytes.get(at..at + 2)? == [0x11, 0];
    if session_data { ppp(bytes, at + 6) } else { None }
}

/// A PPP header; the HDLC address and control bytes may be there, and the protocol may be one byte (RFC 1661, 1662).
fn ppp(bytes: &[u8], at: usize) -> Option<usize> {
    let at = if bytes.get(at..at + 2)? == [0xff, 3] { at + 2 } else { at };
    let first = *bytes.get(at)?;
    let (protocol, at) = if first & 1 == 1 { (u16::from(first), at + 1) } else { (be16(bytes, at)?, at + 2) };
    matches!(protocol, 0x21 | 0x57).then_some(at)
}

/// The BSD loopback header: `AF_INET`, or `AF_INET6` as the systems number it.
fn family(bytes: &[u8]) -> Option<usize> {
    let raw = *bytes.first_chunk()?;
    let family = u32::from_be_bytes(raw).min(u32::from_le_bytes(raw));
    matches!(family, 2 | 10 | 23 | 24 | 28 | 30).then_some(4)
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(link: u16, header: &[u8]) -> Network {
        network(link, &[header, &[0x45, 0, 0, 20]].concat()).unwrap()
    }

    const MACS: [u8; 12] = [2; 12];

    #[test]
    fn every_link_header_leads_to_ip() {
        let ethernet = |rest: &[u8]| [&MACS[..], rest].concat();
        let session = [0x11, 0, 0, 1, 0, 30];
        let cases: &[(u16, Vec<u8>)] = &[
            (1, ethernet(&[0x08, 0x00])),
            (1, ethernet(&[0x86, 0xdd])),
            (1, ethernet(&[0x81, 0x00, 0, 5, 0x08, 0x00])),
            (1, ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 6, 0x86, 0xdd])),
            (1, ethernet(&[&[0x88, 0x64][..], &session, &[0, 0x21]].concat())),
            (1, ethernet(&[&[0x81, 0, 0, 9, 0x88, 0x64][..], &session, &[0, 0x57]].concat())),
            (113, [&[0; 14][..], &[0x08, 0x00]].concat()),
            (276, [&[0x08, 0x00][..], &[0; 18]].concat()),
            (276, [&[0x81, 0x00][..], &[0; 18], &[0, 5, 0x08, 0x00]].concat()),
            (0, vec![2, 0, 0, 0]),
            (0, vec![30, 0, 0, 0]),
            (108, vec![0, 0, 0, 2]),
            (108, vec![0, 0, 0, 24]),
            (9, vec![0x00, 0x21]),
            (50, vec![0xff, 0x03, 0x00, 0x57]),
            (50, vec![0xff, 0x03, 0x21]),
            (51, [&session[..], &[0, 0x21]].concat()),
            (12, vec![]),
            (101, vec![]),
            (228, vec![]),
            (229, vec![]),
        ];
        for (link, header) in cases {
            assert_eq!(found(*link, header), Network::Ip(header.len()), "link {link}, header {header:02x?}");
            for cut in 0..header.len() {
                assert_eq!(network(*link, &header[..cut]), Some(Network::Other), "link {link} cut at {cut}");
            }
        }
    }

    #[test]
    fn what_is_not_ip_is_passed_over() {
        assert_eq!(found(1, &[&MACS[..], &[0x08, 0x06]].concat()), Network::Other);
        assert_eq!(found(1, &[&MACS[..], &[0x88, 0x63, 0x11, 9, 0, 0, 0, 0]].concat()), Network::Other);
        assert_eq!(found(9, &[0xc0, 0x21]), Network::Other);
        assert_eq!(found(0, &[7, 0, 0, 0]), Network::Other);
    }

    #[test]
    fn an_unknown_link_type_is_told_once_and_a_flood_of_them_is_bounded() {
        let mut decoder = Decoder::new(&Limits::default());
        for link in (1000..1100).chain([1000]) {
            let frame = Frame { no: 1, at: None, link, wire_len: 3, position: 0, bytes: b"abc", comment: None };
            assert!(decoder.frame(&frame).is_none());
        }
        let notes = decoder.finish();
        assert_eq!(notes.len(), TOLD + 1);
        assert!(notes.iter().all(|note| note.kind == Kind::LinkUnknown));
        assert_eq!(notes[0].detail, "link type 1000 is not read: 2 frames, the first is frame 1");
        assert_eq!(notes[TOLD].detail, "84 frames of yet other link types are not read");
    }
}
