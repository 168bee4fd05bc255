//! IP and TCP headers, read leniently: etherparse names the fields, the lengths are judged here.
//!
//! A capture may hold less of a packet than its headers promise (snap length) or more (Ethernet padding), and a total
//! length of 0 where the adapter was to split the packet; all three are told apart.

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice, ip_number,
};

use crate::tcp::{Flags, Segment, SegmentOrigin};
use crate::time::Time;

/// The protocol number of TCP.
pub(super) const TCP: u8 = ip_number::TCP.0;

/// An IP datagram, or a fragment of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Datagram<'a> {
    /// Source and destination.
    pub(super) ends: (IpAddr, IpAddr),
    /// What the payload is; that of a fragment's datagram says what begins it.
    pub(super) protocol: u8,
    /// The captured payload, behind all headers up to the fragment header.
    pub(super) payload: &'a [u8],
    /// Offset of the payload in the packet.
    pub(super) payload_at: usize,
    /// Payload bytes that were sent but not captured.
    pub(super) cut: usize,
    /// Which part of a datagram it is, when it is not a whole one.
    pub(super) fragment: Option<Fragment>,
}

/// The place of a fragment in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) id: u32,
    /// In bytes.
    pub(super) offset: usize,
    pub(super) more: bool,
}

impl<'a> Datagram<'a> {
    /// Reads the datagram that `packet` begins with, of which `wire_len` bytes were sent.
    pub(super) fn parse(packet: &'a [u8], wire_len: usize) -> Option<Datagram<'a>> {
        match packet.first()? >> 4 {
            4 => Datagram::version4(packet, wire_len),
            6 => Datagram::version6(packet, wire_len),
            _ => None,
        }
    }

    fn version4(packet: &'a [u8], wire_len: usize) -> Option<Datagram<'a>> {
        let header = Ipv4HeaderSlice::from_slice(packet).ok()?;
        let payload_at = header.slice().len();
        let promised = match usize::from(header.total_len()) {
            length if length < payload_at => wire_len,
            length => length,
        };
        let fragment = header.is_fragmenting_payload().then(|| Fragment {
            id: u32::from(header.identification()),
            offset: usize::from(header.fragments_offset().byte_offset()),
            more: header.more_fragments(),
        });
        Some(Datagram {
            ends: (header.source_addr().into(), header.destination_addr().into()),
            protocol: header.protocol().0,
            payload: packet.get(payload_at..packet.len().min(promised))?,
            payload_at,
            cut: promised.saturating_sub(packet.len()),
            fragment,
        })
    }

    fn version6(packet: &'a [u8], wire_len: usize) -> Option<Datagram<'a>> {
        let header = Ipv6HeaderSlice::from_slice(packet).ok()?;
        let header_len = header.slice().len();
        let promised = match usize::from(header.payload_length()) {
            0 => wire_len,
            length => header_len + length,
        };
        let behind = packet.get(header_len..packet.len().min(promised))?;
        let extensions = Extensions::walk(header.next_header().0, behind);
        Some(Datagram {
            ends: (header.source_addr().into(), header.destination_addr().into()),
            protocol: extensions.protocol,
            payload: behind.get(extensions.at..)?,
            payload_at: header_len + extensions.at,
            cut: promised.saturating_sub(packet.len()),
            fragment: extensions.fragment,
        })
    }
}

/// Where a chain of IPv6 extension headers ends: at another protocol, a fragment, or where bytes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) protocol: u8,
    /// Offset behind the chain.
    pub(super) at: usize,
    pub(super) fragment: Option<Fragment>,
}

impl Extensions {
    /// Follows the chain that begins with `protocol` in `bytes`. For a protocol that is none, the chain is empty.
    pub(super) fn walk(protocol: u8, bytes: &[u8]) -> Extensions {
        let mut chain = Extensions { protocol, at: 0, fragment: None };
        while let Some((next, length, fragment)) = Extensions::header(chain.protocol, bytes, chain.at) {
            chain = Extensions { protocol: next.0, at: chain.at + length, fragment };
            if fragment.is_some() {
                break;
            }
        }
        chain
    }

    fn header(protocol: u8, bytes: &[u8], at: usize) -> Option<(IpNumber, usize, Option<Fragment>)> {
        let rest = bytes.get(at..)?;
        if is_options(protocol) {
            let header = Ipv6RawExtHeaderSlice::from_slice(rest).ok()?;
            return Some((header.next_header(), header.slice().len(), None));
        }
        if IpNumber(protocol) != ip_number::IPV6_FRAG {
            return None;
        }
        let header = Ipv6FragmentHeaderSlice::from_slice(rest).ok()?;
        let fragment = header.is_fragmenting_payload().then(|| Fragment {
            id: header.identification(),
            offset: usize::from(header.fragment_offset().byte_offset()),
            more: header.more_fragments(),
        });
        Some((header.next_header(), header.slice().len(), fragment))
    }
}

fn is_options(protocol: u8) -> bool {
    use ip_number::{IPV6_DEST_OPTIONS, IPV6_HOP_BY_HOP, IPV6_ROUTE};
    matches!(IpNumber(protocol), IPV6_HOP_BY_HOP | IPV6_ROUTE | IPV6_DEST_OPTIONS)
}

/// Whether a datagram that begins with `protocol` may hold TCP: fragments of others need not be kept.
pub(super) fn may_hold_tcp(protocol: u8) -> bool {
    protocol == TCP || is_options(protocol)
}

/// A TCP segment before its addresses are known. Read by hand, because the captured bytes may end inside the options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tcp<'a> {
    ports: (u16, u16),
    seq: u32,
    ack: u32,
    flags: Flags,
    payload: &'a [u8],
    cut: usize,
    /// Offset of the payload in the segment.
    pub(super) payload_at: usize,
}

impl<'a> Tcp<'a> {
    /// Reads the segment in `bytes`, behind which `cut` bytes were not captured (RFC 9293, section 3.1).
    pub(super) fn parse(bytes: &'a [u8], cut: usize) -> Option<Tcp<'a>> {
        let head: &[u8; 20] = bytes.first_chunk()?;
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, bits, ..] = *head;
        let payload_at = usize::from(offset >> 4) * 4;
        if payload_at < head.len() {
            return None;
        }
        let options_cut = payload_at.saturating_sub(bytes.len());
        if options_cut > cut {
            return None;
        }
        Some(Tcp {
            ports: (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])),
            seq: u32::from_be_bytes([q0, q1, q2, q3]),
            ack: u32::from_be_bytes([a0, a1, a2, a3]),
            flags: Flags { fin: bits & 1 != 0, syn: bits & 2 != 0, rst: bits & 4 != 0, ack: bits & 16 != 0 },
            payload: bytes.get(payload_at..).unwrap_or_default(),
            cut: cut - options_cut,
            payload_at,
        })
    }

    pub(super) fn segment(
        self,
        (source, destination): (IpAddr, IpAddr),
        origin: SegmentOrigin<'a>,
        at: Option<Time>,
    ) -> Segment<'a> {
        Segment {
            source: SocketAddr::new(source, self.ports.0),
            destination: SocketAddr::new(destination, self.ports.1),
            seq: self.seq,
            ack: self.ack,
            flags: self.flags,
            payload: self.payload,
            cut: u32::try_from(self.cut).unwrap_or(u32::MAX),
            origin,
            at,
        }
    }
}
