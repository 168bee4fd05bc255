//! Synthetic captures for tests: TCP conversations as packets, packets as pcap or pcapng files.
//!
//! Everything between the two steps is plain data: drop, reorder or double packets by changing the `Vec`.
//! Checksums and lengths are right, so the files can be opened with other tools too.
//!
//! ```ignore
//! let packets = Conversation::new("10.0.0.2:50000", "10.0.0.1:80").client(b"GET / HTTP/1.1\r\n\r\n").close();
//! std::fs::write("one.pcap", pcap(&packets))?;
//! ```

// Each test binary uses its own part of this module.
#![allow(dead_code, unreachable_pub, unused_imports)]

mod files;
pub mod http2;
mod ip;
pub mod push;
pub mod tls;
pub mod tls12;
pub mod x509;

use std::net::SocketAddr;

pub use files::{PcapNg, pcap, pcap_as, pcapng};
pub use ip::{ACK, FIN, PSH, RST, SYN, Tcp, ethernet, fragment, udp, vlan};

/// 2026-01-02T03:04:05Z, when conversations begin unless told otherwise. Nanoseconds since the epoch.
pub const START: i64 = 1_767_323_045_000_000_000;

/// `LINKTYPE_ETHERNET`.
pub const ETHERNET: u16 = 1;

/// One packet to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds since the epoch.
    pub at: i64,
    /// The captured bytes, link header included.
    pub bytes: Vec<u8>,
    /// Length on the wire.
    pub wire_len: usize,
}

impl Packet {
    /// A packet captured whole.
    pub fn new(at: i64, bytes: Vec<u8>) -> Packet {
        Packet { at, wire_len: bytes.len(), bytes }
    }

    /// The same packet as a capture with this snap length has it.
    pub fn cut(mut self, snap: usize) -> Packet {
        self.bytes.truncate(snap);
        self
    }
}

/// One TCP connection over Ethernet, told in order. IPv4 or IPv6 as the addresses are.
#[derive(Clone, Debug)]
pub struct Conversation {
    ends: [SocketAddr; 2],
    next: [u32; 2],
    mss: usize,
    at: i64,
    step: i64,
    opened: bool,
    packets: Vec<Packet>,
}

const CLIENT: usize = 0;
const SERVER: usize = 1;

impl Conversation {
    /// A connection from `client` to `server`, both as `"address:port"`. The handshake comes with the first data.
    pub fn new(client: &str, server: &str) -> Conversation {
        let end = |text: &str| text.parse().unwrap_or_else(|_| panic!("not an address and port: {text}"));
        Conversation {
            ends: [end(client), end(server)],
            next: [1_000, 5_000_000],
            mss: 1460,
            at: START,
            step: 1_000_000,
            opened: false,
            packets: Vec::new(),
        }
    }

    /// Time of the next packet, nanoseconds since the epoch.
    pub fn at(mut self, time: i64) -> Conversation {
        self.at = time;
        self
    }

    /// Time between packets in nanoseconds; 1 ms at first.
    pub fn step(mut self, nanoseconds: i64) -> Conversation {
        self.step = nanoseconds;
        self
    }

    /// Lets time pass.
    pub fn wait(mut self, nanoseconds: i64) -> Conversation {
        self.at += nanoseconds;
        self
    }

    /// Payload bytes of one segment at most; 1460 at first.
    pub fn mss(mut self, bytes: usize) -> Conversation {
        self.mss = bytes.max(1);
        self
    }

    /// The next sequence numbers of client and server (initial ones when called first).
    pub fn seq(mut self, client: u32, server: u32) -> Conversation {
        self.next = [client, server];
        self
    }

    /// Leaves out the handshake, as in a capture that began later.
    pub fn midstream(mut self) -> Conversation {
        self.opened = true;
        self
    }

    /// Writes the handshake now.
    pub fn open(mut self) -> Conversation {
        if !self.opened {
            self.opened = true;
            self.segment(CLIENT, SYN, b"");
            self.segment(SERVER, SYN | ACK, b"");
            self.segment(CLIENT, ACK, b"");
        }
        self
    }

    /// The client sends `bytes`, in as many segments as it takes, and the server acknowledges them.
    pub fn client(self, bytes: &[u8]) -> Conversation {
        self.data(CLIENT, bytes)
    }

    /// The server sends `bytes`, in as many segments as it takes, and the client acknowledges them.
    pub fn server(self, bytes: &[u8]) -> Conversation {
        self.data(SERVER, bytes)
    }

    /// Both sides send FIN, the client first.
    pub fn close(self) -> Vec<Packet> {
        let mut open = self.open();
        open.segment(CLIENT, FIN | ACK, b"");
        open.segment(SERVER, FIN | ACK, b"");
        open.segment(CLIENT, ACK, b"");
        open.packets
    }

    /// The server resets the connection.
    pub fn reset(self) -> Vec<Packet> {
        let mut open = self.open();
        open.segment(SERVER, RST | ACK, b"");
        open.packets
    }

    /// The packets so far; the capture ends while the connection is open.
    pub fn unfinished(self) -> Vec<Packet> {
        self.packets
    }

    fn data(self, from: usize, bytes: &[u8]) -> Conversation {
        let mut open = self.open();
        for part in bytes.chunks(open.mss) {
            open.segment(from, PSH | ACK, part);
        }
        if !bytes.is_empty() {
            open.segment(1 - from, ACK, b"");
        }
        open
    }

    fn segment(&mut self, from: usize, flags: u8, payload: &[u8]) {
        let to = 1 - from;
        let acknowledges = if flags & ACK == 0 { 0 } else { self.next[to] };
        let tcp = Tcp { seq: self.next[from], ack: acknowledges, flags, payload };
        let bytes = ethernet(&tcp.datagram(self.ends[from], self.ends[to]));
        self.packets.push(Packet::new(self.at, bytes));
        let counted = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.next[from] = self.next[from].wrapping_add(counted);
        self.at += self.step;
    }
}
