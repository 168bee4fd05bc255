//! Packets as capture files.

use super::{ETHERNET, Packet};

/// A classic pcap file: Ethernet, microseconds, little endian.
pub fn pcap(packets: &[Packet]) -> Vec<u8> {
    pcap_as(0xa1b2_c3d4, false, ETHERNET, packets)
}

/// A classic pcap file with this magic number (`a1b2c3d4`, `a1b23c4d` or `a1b2cd34`), byte order and link type.
pub fn pcap_as(magic: u32, big: bool, link: u16, packets: &[Packet]) -> Vec<u8> {
    let order = Order { big };
    let mut out = Vec::new();
    out.extend(order.four(magic));
    out.extend(order.two(2));
    out.extend(order.two(4));
    for value in [0, 0, 262_144, u32::from(link)] {
        out.extend(order.four(value));
    }
    let unit = if magic == 0xa1b2_3c4d { 1 } else { 1_000 };
    for packet in packets {
        let (seconds, rest) = (packet.at.div_euclid(1_000_000_000), packet.at.rem_euclid(1_000_000_000) / unit);
        for value in [seconds as u32, rest as u32, packet.bytes.len() as u32, packet.wire_len as u32] {
            out.extend(order.four(value));
        }
        if magic == 0xa1b2_cd34 {
            out.extend([0; 8]);
        }
        out.extend(&packet.bytes);
    }
    out
}

/// A pcapng file: one section, one Ethernet interface, nanoseconds, little endian.
pub fn pcapng(packets: &[Packet]) -> Vec<u8> {
    let mut file = PcapNg::new().section(false).interface(ETHERNET, 9);
    for packet in packets {
        file = file.packet(0, packet, &[]);
    }
    file.bytes
}

/// A pcapng file written block by block.
#[derive(Clone, Debug, Default)]
pub struct PcapNg {
    /// The file so far.
    pub bytes: Vec<u8>,
    order: Order,
    resolutions: Vec<u8>,
}

impl PcapNg {
    /// An empty file; it wants a section first.
    pub fn new() -> PcapNg {
        PcapNg::default()
    }

    /// A section header; what follows is in this byte order and counts interfaces anew.
    pub fn section(mut self, big: bool) -> PcapNg {
        self.order = Order { big };
        self.resolutions.clear();
        let o = self.order;
        let body = [&o.four(0x1a2b_3c4d)[..], &o.two(1), &o.two(0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    /// An interface with a link type and `if_tsresol` (6 is microseconds; the high bit makes it a power of 2).
    pub fn interface(self, link: u16, resolution: u8) -> PcapNg {
        self.interface_with(link, resolution, &[])
    }

    /// The same with more options (`(code, value)`).
    pub fn interface_with(mut self, link: u16, resolution: u8, options: &[(u16, &[u8])]) -> PcapNg {
        self.resolutions.push(resolution);
        let o = self.order;
        let mut all: Vec<(u16, &[u8])> = options.to_vec();
        let value = [resolution];
        all.push((9, &value));
        let body = [&o.two(link)[..], &o.two(0), &o.four(0), &self.options(&all)].concat();
        self.block(1, &body)
    }

    /// An Enhanced Packet Block.
    pub fn packet(self, interface: u32, packet: &Packet, options: &[(u16, &[u8])]) -> PcapNg {
        let o = self.order;
        let resolution = self.resolutions.get(interface as usize).copied().unwrap_or(6);
        let units = match resolution {
            power if power & 0x80 != 0 => (i128::from(packet.at) << (power & 0x7f)) / 1_000_000_000,
            power => i128::from(packet.at) * 10i128.pow(u32::from(power)) / 1_000_000_000,
        } as u64;
        let mut body = Vec::new();
        for value in [interface, (units >> 32) as u32, units as u32, packet.bytes.len() as u32, packet.wire_len as u32]
        {
            body.extend(o.four(value));
        }
        body.extend(padded(&packet.bytes));
        body.extend(self.options(options));
        self.block(6, &body)
    }

    /// A Simple Packet Block, which has no time.
    pub fn simple(self, packet: &Packet) -> PcapNg {
        let body = [&self.order.four(packet.wire_len as u32)[..], &padded(&packet.bytes)].concat();
        self.block(3, &body)
    }

    /// A Decryption Secrets Block with a TLS key log.
    pub fn secrets(self, key_log: &[u8]) -> PcapNg {
        let o = self.order;
        let body = [&o.four(0x544c_534b)[..], &o.four(key_log.len() as u32), &padded(key_log)].concat();
        self.block(10, &body)
    }

    /// Any block: `body` is padded, both lengths are written.
    pub fn block(mut self, kind: u32, body: &[u8]) -> PcapNg {
        let body = padded(body);
        let total = self.order.four(12 + body.len() as u32);
        self.bytes.extend(self.order.four(kind));
        self.bytes.extend(total);
        self.bytes.extend(body);
        self.bytes.extend(total);
        self
    }

    fn options(&self, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (code, value) in options {
            out.extend(self.order.two(*code));
            out.extend(self.order.two(value.len() as u16));
            out.extend(padded(value));
        }
        if !options.is_empty() {
            out.extend([0; 4]);
        }
        out
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Order {
    big: bool,
}

impl Order {
    fn two(self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn four(self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.resize(bytes.len().next_multiple_of(4), 0);
    out
}
