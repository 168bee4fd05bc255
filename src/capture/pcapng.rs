//! pcapng files: sections of blocks, each block with its length at both ends.
//!
//! Packets of all three kinds are handed on, key logs of secrets blocks are kept, drop counts are summed, all else is
//! passed over. A block that cannot be right is told, and reading goes on at the next one that can: in the known kinds
//! of block, with both lengths equal. `limits.record` bounds a block, `limits.interfaces` a section.
//! Format: draft-ietf-opsawg-pcapng.

use std::ops::ControlFlow;

use super::slab::Input;
use super::{Delivery, Order};
use crate::anomaly::Kind;
use crate::time::Time;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const JOURNAL: u32 = 9;
const SECRETS: u32 = 10;
const CUSTOM: u32 = 0xbad;
const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;

/// `Secrets Type` of a TLS key log (NSS key log format).
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// Kind, and length at both ends.
const FRAMING: usize = 12;
/// Of it, what stands before the body.
const HEAD: usize = 8;
/// Fields of a simple packet before its bytes.
const SIMPLE_FIELDS: usize = 4;
/// Fields of the other kinds of packets.
const FIELDS: usize = 20;

/// Tells a pcapng file by its first bytes: 12 for certain, 4 at least.
pub(super) fn sniff(first: &[u8]) -> bool {
    first.starts_with(&SECTION.to_be_bytes()) && (first.len() < FRAMING || section_order(first).is_some())
}

/// The byte order of the section whose header block begins here.
fn section_order(bytes: &[u8]) -> Option<Order> {
    match bytes.get(8..12)? {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        _ => None,
    }
}

/// Reads the file; the input stands at its first byte.
pub(super) fn read(input: &mut impl Input, out: &mut Delivery<'_>) -> ControlFlow<()> {
    let mut section = Section { order: Order::Little, interfaces: Vec::new() };
    loop {
        let at = input.position();
        match Block::next(input, section.order, out.limits.record) {
            Ok(None) => return ControlFlow::Continue(()),
            Ok(Some((block, order))) => {
                let length = block.length;
                section.order = order;
                section.block(block, at, out)?;
                input.consume(length);
            }
            Err(Broken::Cut) => {
                out.note(Kind::CaptureTruncated, || format!("the file ends inside the block at byte {at}"));
                return ControlFlow::Continue(());
            }
            Err(Broken::Lengths(first, last)) => {
                let lengths = format!("the block at byte {at} has lengths {first} and {last} at its ends");
                out.note(Kind::CaptureMalformed, || lengths);
                resynchronize(input, section.order, out.limits.record);
            }
            Err(Broken::Length(length)) => {
                let impossible = format!("the block at byte {at} has the impossible length {length}");
                out.note(Kind::CaptureMalformed, || impossible);
                resynchronize(input, section.order, out.limits.record);
            }
            Err(Broken::Order) => {
                out.note(Kind::CaptureMalformed, || format!("the section at byte {at} has no byte order"));
                resynchronize(input, section.order, out.limits.record);
            }
        }
    }
}

/// Moves on to the next place where a block of a known kind can begin, or to the end.
fn resynchronize(input: &mut impl Input, order: Order, longest: usize) {
    loop {
        input.consume(1);
        let head = input.peek(FRAMING);
        if head.len() < FRAMING {
            let rest = head.len();
            input.consume(rest);
            return;
        }
        let known = matches!(
            order.u32(head, 0),
            Some(SECTION | INTERFACE..=ENHANCED_PACKET | JOURNAL | SECRETS | CUSTOM | CUSTOM_NOT_COPIED)
        );
        if known && matches!(Block::next(input, order, longest), Ok(Some(_))) {
            return;
        }
    }
}

/// One block with its framing checked.
struct Block<'a> {
    kind: u32,
    body: &'a [u8],
    /// Bytes in the file.
    length: usize,
}

enum Broken {
    Cut,
    Length(u32),
    Lengths(u32, u32),
    Order,
}

impl Block<'_> {
    /// The block at the position, which stays, and the byte order from here on; `None` at the end of the input.
    fn next(input: &mut impl Input, order: Order, longest: usize) -> Result<Option<(Block<'_>, Order)>, Broken> {
        let head = input.peek(FRAMING);
        if head.is_empty() {
            return Ok(None);
        }
        let kind = order.u32(head, 0).ok_or(Broken::Cut)?;
        if head.len() < FRAMING {
            return Err(Broken::Cut);
        }
        let order = if kind == SECTION { section_order(head).ok_or(Broken::Order)? } else { order };
        let claimed = order.u32(head, 4).ok_or(Broken::Cut)?;
        // Some writers leave the padding out of the length.
        let length = (claimed as usize).next_multiple_of(4);
        if length < FRAMING || length > longest {
            return Err(Broken::Length(claimed));
        }
        let bytes = input.peek(length).get(..length).ok_or(Broken::Cut)?;
        let last = order.u32(bytes, length - 4).ok_or(Broken::Cut)?;
        if last != claimed {
            return Err(Broken::Lengths(claimed, last));
        }
        let body = bytes.get(HEAD..length - 4).unwrap_or_default();
        Ok(Some((Block { kind, body, length }, order)))
    }
}

struct Section {
    order: Order,
    interfaces: Vec<Interface>,
}

struct Interface {
    link: u16,
    /// 0 for none.
    snap: u32,
    clock: Clock,
    dropped: u64,
}

impl Section {
    fn block(&mut self, block: Block<'_>, at: u64, out: &mut Delivery<'_>) -> ControlFlow<()> {
        let body = block.body;
        let read = match block.kind {
            SECTION => {
                self.interfaces.clear();
                Some(())
            }
            INTERFACE => self.interface(body, out),
            STATISTICS => self.statistics(body, out),
            SECRETS => self.secrets(body, out),
            // Wireshark gives these a frame number too.
            JOURNAL | CUSTOM | CUSTOM_NOT_COPIED => {
                out.number();
                Some(())
            }
            ENHANCED_PACKET | PACKET | SIMPLE_PACKET => match self.packet(block.kind, body) {
                Some(packet) => {
                    let position = at + (HEAD + packet.start) as u64;
                    out.frame(packet.at, packet.link, packet.wire_len, position, packet.bytes, packet.comment)?;
                    Some(())
                }
                None => {
                    out.number();
                    None
                }
            },
            _ => Some(()),
        };
        if read.is_none() {
            let what = || {
                format!("the block at byte {at}, of kind {}, is shorter than it says or names no interface", block.kind)
            };
            out.note(Kind::CaptureMalformed, what);
        }
        ControlFlow::Continue(())
    }

    fn interface(&mut self, body: &[u8], out: &mut Delivery<'_>) -> Option<()> {
        if self.interfaces.len() >= out.limits.interfaces {
            let limit = out.limits.interfaces;
            out.note(Kind::LimitCapture, || {
                format!("more than {limit} interfaces; packets of the others were left out")
            });
            return Some(());
        }
        let (link, snap) = (self.order.u16(body, 0)?, self.order.u32(body, 4)?);
        let mut clock = Clock::default();
        for (code, value) in self.options(body, 8) {
            match code {
                9 => clock.resolution = value.first().copied().unwrap_or(clock.resolution),
                14 => clock.offset = self.order.u64(value, 0).map_or(0, u64::cast_signed),
                _ => {}
            }
        }
        self.interfaces.push(Interface { link, snap, clock, dropped: 0 });
        Some(())
    }

    fn packet<'a>(&self, kind: u32, body: &'a [u8]) -> Option<Packet<'a>> {
        let order = self.order;
        if kind == SIMPLE_PACKET {
            let interface = self.interfaces.first()?;
            let wire_len = order.u32(body, 0)?;
            let limit = if interface.snap == 0 { wire_len } else { wire_len.min(interface.snap) };
            let bytes = body.get(SIMPLE_FIELDS..)?.get(..limit as usize)?;
            let link = interface.link;
            return Some(Packet { at: None, link, wire_len, start: SIMPLE_FIELDS, bytes, comment: None });
        }
        let id = if kind == PACKET { u32::from(order.u16(body, 0)?) } else { order.u32(body, 0)? };
        let interface = self.interfaces.get(id as usize)?;
        let units = u64::from(order.u32(body, 4)?) << 32 | u64::from(order.u32(body, 8)?);
        let (captured, wire_len) = (order.u32(body, 12)? as usize, order.u32(body, 16)?);
        let bytes = body.get(FIELDS..)?.get(..captured)?;
        let comment = self.options(body, FIELDS + captured.next_multiple_of(4)).find(|(code, _)| *code == 1);
        let comment = comment.and_then(|(_, text)| std::str::from_utf8(text).ok());
        let (at, link) = (Some(interface.clock.time(units)), interface.link);
        Some(Packet { at, link, wire_len, start: FIELDS, bytes, comment })
    }

    /// Adds what the recorder says it lost; the counts of one interface are running totals.
    fn statistics(&mut self, body: &[u8], out: &mut Delivery<'_>) -> Option<()> {
        let id = self.order.u32(body, 0)? as usize;
        let counts = self.options(body, 12).filter(|(code, _)| matches!(code, 5 | 7));
        let dropped = counts.filter_map(|(_, value)| self.order.u64(value, 0)).fold(0, u64::saturating_add);
        let interface = self.interfaces.get_mut(id)?;
        let more = dropped.saturating_sub(interface.dropped);
        interface.dropped = interface.dropped.max(dropped);
        out.summary.dropped = out.summary.dropped.saturating_add(more);
        Some(())
    }

    fn secrets(&self, body: &[u8], out: &mut Delivery<'_>) -> Option<()> {
        let (kind, length) = (self.order.u32(body, 0)?, self.order.u32(body, 4)? as usize);
        let secret = body.get(8..)?.get(..length)?;
        if kind == TLS_KEY_LOG {
            out.key_log(secret);
        }
        Some(())
    }

    /// The options of a block body from `at` on: code and value.
    fn options<'a>(&self, body: &'a [u8], at: usize) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let order = self.order;
        let mut rest = body.get(at..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (code, length) = (order.u16(rest, 0)?, usize::from(order.u16(rest, 2)?));
            let value = rest.get(4..)?.get(..length)?;
            rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
            (code != 0).then_some((code, value))
        })
    }
}

struct Packet<'a> {
    at: Option<Time>,
    link: u16,
    wire_len: u32,
    /// Where `bytes` begin in the block's body.
    start: usize,
    bytes: &'a [u8],
    comment: Option<&'a str>,
}

/// How an interface counts time.
#[derive(Clone, Copy)]
struct Clock {
    /// `if_tsresol`: units per second as a negative power of 10, or of 2 when the high bit is set.
    resolution: u8,
    /// `if_tsoffset`: seconds to add.
    offset: i64,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { resolution: 6, offset: 0 }
    }
}

impl Clock {
    /// `units` since the interface's epoch. Times that 64 bits of nanoseconds cannot hold (after the year 2262) are clamped.
    fn time(self, units: u64) -> Time {
        const SECOND: u128 = 1_000_000_000;
        let power = u32::from(self.resolution & 0x7f);
        let units = u128::from(units);
        let nanos = match self.resolution {
            6 => units * 1_000,
            0x80.. => (units * SECOND) >> power,
            _ if power <= 9 => units * 10u128.pow(9 - power),
            _ => 10u128.checked_pow(power - 9).map_or(0, |parts| units / parts),
        };
        let offset = i128::from(self.offset) * SECOND.cast_signed();
        let nanos = nanos.cast_signed().saturating_add(offset);
        Time(nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_of_all_resolutions_agree() {
        let at = |resolution, offset, units| Clock { resolution, offset }.time(units).0;
        assert_eq!(at(6, 0, 1_500_000), 1_500_000_000);
        assert_eq!(at(0, 0, 2), 2_000_000_000);
        assert_eq!(at(9, 0, 1_500_000_000), 1_500_000_000);
        assert_eq!(at(12, 0, 1_500_000_000_000), 1_500_000_000);
        assert_eq!(at(0x80 | 10, 0, 1536), 1_500_000_000);
        assert_eq!(at(6, -1, 1_500_000), 500_000_000);
        assert_eq!(at(0, 0, u64::MAX), i64::MAX);
        for resolution in 0..=255 {
            at(resolution, i64::MIN, u64::MAX);
            at(resolution, i64::MAX, u64::MAX);
        }
    }
}
