//! Packets that carry packets: what a mirror port, a tunnel broker or an access network wraps around the traffic.
//!
//! IP in IP (RFC 2003, 4213), GRE (RFC 2784, 2890) with Ethernet and ERSPAN, VXLAN (RFC 7348), L2TP version 2 (RFC 2661).

use etherparse::{IpNumber, ip_number};

use super::{ETHERNET, PPP, RAW, be16};

const VXLAN_PORT: u16 = 4789;
const L2TP_PORT: u16 = 1701;

/// The link type of what an IP payload wraps, and where it begins.
pub(super) fn inside(protocol: u8, payload: &[u8]) -> Option<(u16, usize)> {
    match IpNumber(protocol) {
        ip_number::IPV4 | ip_number::IPV6 => Some((RAW, 0)),
        ip_number::GRE => gre(payload),
        ip_number::UDP => {
            let (source, destination) = (be16(payload, 0)?, be16(payload, 2)?);
            match destination {
                VXLAN_PORT => Some((ETHERNET, 8 + 8)),
                _ if source == L2TP_PORT || destination == L2TP_PORT => l2tp(payload, 8),
                _ => None,
            }
        }
        _ => None,
    }
}

fn gre(payload: &[u8]) -> Option<(u16, usize)> {
    let (flags, kind) = (be16(payload, 0)?, be16(payload, 2)?);
    let fields = [0x8000, 0x2000, 0x1000].iter().filter(|bit| flags & **bit != 0).count();
    let at = 4 + 4 * fields;
    let sequence = flags & 0x1000 != 0;
    match kind {
        0x0800 | 0x86dd => Some((RAW, at)),
        0x6558 => Some((ETHERNET, at)),
        // ERSPAN: type II has a sequence number and a header of 8 bytes, type I neither.
        0x88be => Some((ETHERNET, if sequence { at + 8 } else { at })),
        _ => None,
    }
}

fn l2tp(payload: &[u8], start: usize) -> Option<(u16, usize)> {
    let flags = be16(payload, start)?;
    let (control, version) = (flags & 0x8000 != 0, flags & 0xf);
    if control || version != 2 {
        return None;
    }
    let length = if flags & 0x4000 != 0 { 2 } else { 0 };
    let sequence = if flags & 0x0800 != 0 { 4 } else { 0 };
    let at = start + 2 + length + 4 + sequence;
    let offset = if flags & 0x0200 != 0 { 2 + usize::from(be16(payload, at)?) } else { 0 };
    Some((PPP, at + offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrapping_is_taken_off() {
        let udp =
            |from: u16, to: u16, rest: &[u8]| [&from.to_be_bytes()[..], &to.to_be_bytes(), &[0; 4], rest].concat();
        let cases: &[(u8, Vec<u8>, (u16, usize))] = &[
            (4, vec![], (RAW, 0)),
            (41, vec![], (RAW, 0)),
            (47, vec![0, 0, 0x08, 0], (RAW, 4)),
            (47, vec![0x30, 0, 0x65, 0x58], (ETHERNET, 12)),
            (47, vec![0x10, 0, 0x88, 0xbe], (ETHERNET, 16)),
            (47, vec![0, 0, 0x88, 0xbe], (ETHERNET, 4)),
            (17, udp(5, VXLAN_PORT, &[]), (ETHERNET, 16)),
            (17, udp(L2TP_PORT, 5, &[0, 2, 0, 1, 0, 1]), (PPP, 14)),
            (17, udp(5, L2TP_PORT, &[0x4a, 2, 0, 9, 0, 1, 0, 1, 0, 0, 0, 0, 0, 3]), (PPP, 8 + 2 + 2 + 4 + 4 + 2 + 3)),
        ];
        for (protocol, payload, expected) in cases {
            assert_eq!(inside(*protocol, payload), Some(*expected), "{protocol} {payload:02x?}");
        }
        assert_eq!(inside(17, &udp(VXLAN_PORT, 53, &[])), None);
        assert_eq!(inside(17, &udp(5, L2TP_PORT, &[0xc8, 2])), None);
        assert_eq!(inside(1, &[]), None);
    }
}
