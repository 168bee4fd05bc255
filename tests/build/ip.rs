//! TCP segments and UDP datagrams inside IP datagrams inside Ethernet frames.

use std::net::{IpAddr, SocketAddr};

/// TCP flag.
pub const FIN: u8 = 1;
/// TCP flag.
pub const SYN: u8 = 2;
/// TCP flag.
pub const RST: u8 = 4;
/// TCP flag.
pub const PSH: u8 = 8;
/// TCP flag.
pub const ACK: u8 = 16;

/// Protocol numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// One TCP segment.
pub struct Tcp<'a> {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// The flags byte.
    pub flags: u8,
    /// The payload.
    pub payload: &'a [u8],
}

impl Tcp<'_> {
    /// The IP datagram that carries it; both addresses are of one family.
    pub fn datagram(&self, source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
        let mut tcp = Vec::with_capacity(20 + self.payload.len());
        tcp.extend(source.port().to_be_bytes());
        tcp.extend(destination.port().to_be_bytes());
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.extend([5 << 4, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(self.payload);
        let pseudo = [address(source.ip()), address(destination.ip()), pseudo_tail(TCP, tcp.len())].concat();
        let sum = checksum(&[&pseudo, &tcp]);
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        match (source.ip(), destination.ip()) {
            (IpAddr::V4(_), IpAddr::V4(_)) => ipv4(TCP, source.ip(), destination.ip(), &tcp),
            _ => ipv6(TCP, source.ip(), destination.ip(), &tcp),
        }
    }
}

/// The IP datagram that carries a payload over UDP; both addresses are of one family.
pub fn udp(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    let ports = [source.port(), destination.port(), length, 0].map(u16::to_be_bytes).concat();
    let mut udp = [&ports, payload].concat();
    let pseudo = [address(source.ip()), address(destination.ip()), pseudo_tail(UDP, udp.len())].concat();
    let sum = checksum(&[&pseudo, &udp]);
    udp[6..8].copy_from_slice(&if sum == 0 { 0xffff } else { sum }.to_be_bytes());
    match source.ip() {
        IpAddr::V4(_) => ipv4(UDP, source.ip(), destination.ip(), &udp),
        IpAddr::V6(_) => ipv6(UDP, source.ip(), destination.ip(), &udp),
    }
}

fn address(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(four) => four.octets().to_vec(),
        IpAddr::V6(six) => six.octets().to_vec(),
    }
}

fn pseudo_tail(protocol: u8, length: usize) -> Vec<u8> {
    [u32::from(protocol).to_be_bytes(), (length as u32).to_be_bytes()].concat()
}

fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn ipv4(protocol: u8, source: IpAddr, destination: IpAddr, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let mut head = vec![0x45, 0];
    head.extend(total.to_be_bytes());
    head.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
    head.extend(address(source));
    head.extend(address(destination));
    seal_ipv4(&mut head);
    head.extend(payload);
    head
}

fn seal_ipv4(head: &mut [u8]) {
    head[10..12].fill(0);
    let sum = checksum(&[&head[..20]]);
    head[10..12].copy_from_slice(&sum.to_be_bytes());
}

fn ipv6(protocol: u8, source: IpAddr, destination: IpAddr, payload: &[u8]) -> Vec<u8> {
    let mut head = vec![0x60, 0, 0, 0];
    head.extend((payload.len() as u16).to_be_bytes());
    head.extend([protocol, 64]);
    head.extend(address(source));
    head.extend(address(destination));
    head.extend(payload);
    head
}

/// The datagram in fragments that carry `size` payload bytes each (a multiple of 8), with identification `id`.
pub fn fragment(datagram: &[u8], size: usize, id: u16) -> Vec<Vec<u8>> {
    assert!(size > 0 && size.is_multiple_of(8), "fragments are counted in units of 8 bytes");
    let four = datagram[0] >> 4 == 4;
    let (head, payload) = datagram.split_at(if four { 20 } else { 40 });
    let last = payload.len().div_ceil(size).saturating_sub(1);
    let piece = |(number, part): (usize, &[u8])| {
        let offset = number * size;
        if four {
            fragment4(head, part, offset, number < last, id)
        } else {
            fragment6(head, part, offset, number < last, id)
        }
    };
    payload.chunks(size).enumerate().map(piece).collect()
}

fn fragment4(head: &[u8], part: &[u8], offset: usize, more: bool, id: u16) -> Vec<u8> {
    let mut out = head.to_vec();
    out[2..4].copy_from_slice(&((20 + part.len()) as u16).to_be_bytes());
    out[4..6].copy_from_slice(&id.to_be_bytes());
    out[6..8].copy_from_slice(&((offset / 8) as u16 | u16::from(more) << 13).to_be_bytes());
    seal_ipv4(&mut out);
    out.extend(part);
    out
}

fn fragment6(head: &[u8], part: &[u8], offset: usize, more: bool, id: u16) -> Vec<u8> {
    let mut out = head.to_vec();
    let next = std::mem::replace(&mut out[6], 44);
    out[4..6].copy_from_slice(&((8 + part.len()) as u16).to_be_bytes());
    out.extend([next, 0]);
    out.extend((offset as u16 | u16::from(more)).to_be_bytes());
    out.extend(u32::from(id).to_be_bytes());
    out.extend(part);
    out
}

/// An Ethernet frame around an IP datagram, padded to 60 bytes as adapters do.
pub fn ethernet(datagram: &[u8]) -> Vec<u8> {
    vlan(&[], datagram)
}

/// An Ethernet frame with VLAN tags, outermost first; with two, the outer one is a service tag (QinQ).
pub fn vlan(tags: &[u16], datagram: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for (at, tag) in tags.iter().enumerate() {
        let kind: u16 = if at + 1 < tags.len() { 0x88a8 } else { 0x8100 };
        frame.extend(kind.to_be_bytes());
        frame.extend(tag.to_be_bytes());
    }
    frame.extend(if datagram[0] >> 4 == 4 { [0x08, 0x00] } else { [0x86, 0xdd] });
    frame.extend(datagram);
    frame.resize(frame.len().max(60), 0);
    frame
}
