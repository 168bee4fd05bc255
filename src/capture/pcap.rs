//! Classic pcap files: a header of 24 bytes, then records.
//!
//! Both byte orders; micro- and nanoseconds; the "modified" kind of old Linux libpcap whose records have 8 bytes more.
//! Nothing marks where a record begins, so a record that cannot be right ends the reading. `limits.record` bounds one.

use std::ops::ControlFlow;

use super::slab::Input;
use super::{Delivery, Order};
use crate::anomaly::Kind;
use crate::time::Time;

const HEADER: usize = 24;

/// Longer packets than this exist in no capture, unless its header announces them: libpcap's `MAXIMUM_SNAPLEN`.
const LONGEST: usize = 262_144;

/// What a magic number says about the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    order: Order,
    /// Nanoseconds in one unit of the second time field.
    unit: i64,
    /// Bytes of a record before the packet.
    head: usize,
}

/// Tells a pcap file by its first four bytes.
pub(super) fn sniff(first: &[u8]) -> Option<Variant> {
    let magic = first.first_chunk::<4>()?;
    let order = match magic {
        [0xa1, 0xb2, ..] => Order::Big,
        _ => Order::Little,
    };
    let (unit, head) = match order.u32(magic, 0)? {
        0xa1b2_c3d4 => (1_000, 16),
        0xa1b2_3c4d => (1, 16),
        0xa1b2_cd34 => (1_000, 24),
        _ => return None,
    };
    Some(Variant { order, unit, head })
}

/// Reads the file; the input stands at its first byte.
pub(super) fn read(input: &mut impl Input, out: &mut Delivery<'_>) -> ControlFlow<()> {
    let header = input.peek(HEADER);
    let Some(variant) = sniff(header) else { return ControlFlow::Continue(()) };
    let (Some(snap), Some(link)) = (variant.order.u32(header, 16), variant.order.u32(header, 20)) else {
        out.note(Kind::CaptureTruncated, || "the file ends inside its header".to_owned());
        return ControlFlow::Continue(());
    };
    let longest = (snap as usize).max(LONGEST).min(out.limits.record);
    // The upper half holds the length of the frame check sequence and reserved bits.
    let link = (link & 0xffff) as u16;
    input.consume(HEADER);
    while record(input, out, variant, link, longest)? {}
    ControlFlow::Continue(())
}

/// Hands one record on; false at the end of what can be read.
fn record(
    input: &mut impl Input,
    out: &mut Delivery<'_>,
    variant: Variant,
    link: u16,
    longest: usize,
) -> ControlFlow<(), bool> {
    let Variant { order, unit, head } = variant;
    let at = input.position();
    let bytes = input.peek(head);
    if bytes.is_empty() {
        return ControlFlow::Continue(false);
    }
    let fields = bytes.get(..head).and_then(|head| {
        Some((order.u32(head, 0)?, order.u32(head, 4)?, order.u32(head, 8)? as usize, order.u32(head, 12)?))
    });
    let Some((seconds, fraction, captured, wire_len)) = fields else {
        out.note(Kind::CaptureTruncated, || format!("the file ends inside a packet header, at byte {at}"));
        return ControlFlow::Continue(false);
    };
    if captured > longest {
        let what =
            || format!("the packet at byte {at} claims {captured} bytes, {longest} are possible; reading stopped");
        out.note(Kind::CaptureMalformed, what);
        return ControlFlow::Continue(false);
    }
    let whole = head + captured;
    let Some(packet) = input.peek(whole).get(head..whole) else {
        out.note(Kind::CaptureTruncated, || format!("the file ends inside the packet at byte {at}"));
        return ControlFlow::Continue(false);
    };
    let time = Time(i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * unit);
    out.frame(Some(time), link, wire_len, at + head as u64, packet, None)?;
    input.consume(whole);
    ControlFlow::Continue(true)
}
