//! Captures made for a test: one TCP connection in raw IP packets.

use std::net::Ipv4Addr;

const CLIENT: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 1), 49152);
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 2), 80);

/// Who sends what, and how many milliseconds after the first packet.
pub(super) type Sent<'a> = (u64, From, &'a [u8]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Client,
    Server,
}

/// The file: a handshake, then the bytes, each in one packet.
pub(super) fn pcap(sent: &[Sent<'_>]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
    let mut next = [1u32, 1u32];
    let mut packet = |at: u64, from: From, flags: u8, payload: &[u8]| {
        let (mine, theirs) = if from == From::Client { (0, 1) } else { (1, 0) };
        let (source, target) = if from == From::Client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        let mut bytes = vec![0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6, 0, 0];
        bytes.extend(source.0.octets());
        bytes.extend(target.0.octets());
        bytes.extend(source.1.to_be_bytes());
        bytes.extend(target.1.to_be_bytes());
        bytes.extend(next[mine].to_be_bytes());
        bytes.extend(next[theirs].to_be_bytes());
        bytes.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        bytes.extend(payload);
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        bytes[2..4].copy_from_slice(&length);
        next[mine] += u32::try_from(payload.len()).unwrap() + u32::from(flags & 2 == 2);
        file.extend(u32::try_from(1_700_000_000 + at / 1000).unwrap().to_le_bytes());
        file.extend(u32::try_from(at % 1000 * 1000).unwrap().to_le_bytes());
        let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        file.extend(length);
        file.extend(length);
        file.extend(bytes);
    };
    packet(0, From::Client, 2, &[]);
    packet(0, From::Server, 0x12, &[]);
    packet(0, From::Client, 0x10, &[]);
    for (at, from, payload) in sent {
        packet(*at, *from, 0x18, payload);
    }
    file
}

/// A request or an answer with a body.
pub(super) fn http(start: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{start}\r\nContent-Type: application/vnd.syncml.dm+xml\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}
