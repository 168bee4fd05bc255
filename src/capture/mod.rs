//! Packets of a capture file, one after the other, borrowed from the mapped file or the current slab.
//!
//! In: bytes of a pcap or pcapng file, also inside gzip or zstd. Out: [`Frame`]s, and a [`Summary`] that says what was
//! wrong with the file. Nothing here looks into a packet.

#[cfg(feature = "live")]
pub mod live;
pub mod map;
mod pcap;
mod pcapng;
mod slab;
mod unpack;

use std::io::{self, Read};
use std::ops::ControlFlow;

use crate::anomaly::{Anomaly, Kind, Tally};
use crate::limits::Limits;
use crate::origin::Run;
use crate::time::Time;
use slab::{Input, Slab, Whole};
use unpack::Unpack;

/// Number of a packet in its capture, from 1, as Wireshark counts.
pub type FrameNo = u32;

/// One captured packet.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its number.
    pub no: FrameNo,
    /// When it was captured. Packets without a time stamp (pcapng simple packets) have none.
    pub at: Option<Time>,
    /// The link type (`LINKTYPE_*`) of its interface.
    pub link: u16,
    /// Its length on the wire; more than `bytes.len()` when the snap length cut it.
    pub wire_len: u32,
    /// Where `bytes` begin in the file, once it is unpacked; 0 of an interface.
    pub position: u64,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// The packet's comment (pcapng `opt_comment`), if it has one.
    pub comment: Option<&'a str>,
}

impl Frame<'_> {
    /// The run of bytes that begins at `offset` of this frame.
    pub fn run(&self, offset: usize) -> Run {
        Run { at: 0, unit: crate::origin::Unit::Frame(self.no), offset: offset as u64, time: self.at, exact: true }
    }
}

/// Where a capture is read from.
pub enum Source<'a> {
    /// All of it, in memory or mapped.
    Bytes(&'a [u8]),
    /// A pipe or a device, read as it comes.
    Stream(Box<dyn Read + 'a>),
}

/// A format this module reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Classic pcap, any of its kinds.
    Pcap,
    /// pcapng.
    PcapNg,
    /// gzip around one of these, or around anything else.
    Gzip,
    /// zstd around one of these, or around anything else.
    Zstd,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Summary {
    /// Format of the capture itself; `None` when there was none.
    pub format: Option<Format>,
    /// What it was packed with: gzip or zstd.
    pub packed: Option<Format>,
    /// Packets. The last frame number may be higher: some other blocks of a pcapng file are numbered with them.
    pub packets: u64,
    /// Captured bytes of the packets.
    pub bytes: u64,
    /// Packets that the recorder says it lost (pcapng interface statistics).
    pub dropped: u64,
    /// What was wrong with the file; one note of a kind.
    pub notes: Vec<Anomaly>,
    /// TLS key logs found in the capture (pcapng Decryption Secrets Blocks), in order.
    pub secrets: Vec<Vec<u8>>,
    /// The error that ended the reading of a stream. What came before it was used.
    pub failed: Option<io::Error>,
}

/// Bytes from which [`sniff`] can tell.
pub const SNIFF: usize = 12;

/// Tells by the first bytes of an input what it is; packed data need not hold a capture.
pub fn sniff(first: &[u8]) -> Option<Format> {
    match first {
        [0x1f, 0x8b, 8, ..] => Some(Format::Gzip),
        // A frame, or a skippable frame before it.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Format::Zstd),
        _ => sniff_unpacked(first),
    }
}

fn sniff_unpacked(first: &[u8]) -> Option<Format> {
    if pcapng::sniff(first) {
        return Some(Format::PcapNg);
    }
    pcap::sniff(first).map(|_| Format::Pcap)
}

/// Reads a capture and hands on its packets in the order of the file, until `on_frame` breaks or the input ends.
///
/// Memory is bounded by `limits.record` for streams and packed captures, besides the key logs in the summary.
pub fn read(source: Source<'_>, limits: &Limits, on_frame: &mut dyn FnMut(Frame<'_>) -> ControlFlow<()>) -> Summary {
    read_with_keys(source, limits, on_frame, None)
}

/// What takes the text of a key log.
pub type OnKeyLog<'a> = &'a mut dyn FnMut(&[u8]);

/// The same; key logs go to `on_key_log` as they come, and not into the summary.
pub fn read_with_keys<'s>(
    source: Source<'_>,
    limits: &'s Limits,
    on_frame: &'s mut dyn FnMut(Frame<'_>) -> ControlFlow<()>,
    on_key_log: Option<OnKeyLog<'s>>,
) -> Summary {
    let mut out = Delivery { on_key_log, ..Delivery::new(limits, on_frame) };
    let packed = match source {
        Source::Bytes(bytes) => match sniff(bytes) {
            Some(format @ (Format::Gzip | Format::Zstd)) => Some(unpacked(format, bytes, &mut out)),
            _ => {
                packets(&mut Whole::new(bytes), &mut out);
                None
            }
        },
        Source::Stream(reader) => {
            let mut slab = Slab::new(reader);
            match sniff(slab.peek(SNIFF)) {
                Some(format @ (Format::Gzip | Format::Zstd)) => Some(unpacked(format, slab, &mut out)),
                _ => {
                    packets(&mut slab, &mut out);
                    out.summary.failed = slab.into_parts().1;
                    None
                }
            }
        }
    };
    let mut summary = out.finish();
    if let Some(packed) = packed {
        summary.packed = Some(packed.format);
        summary.failed = packed.failed;
        if let Some(damage) = packed.damage {
            // The same fact once more, seen from inside.
            summary.notes.retain(|note| note.kind != Kind::CaptureTruncated);
            summary.notes.insert(0, damage);
        }
    }
    summary
}

struct Packing {
    format: Format,
    failed: Option<io::Error>,
    damage: Option<Anomaly>,
}

fn unpacked(format: Format, reader: impl Read, out: &mut Delivery<'_>) -> Packing {
    let mut slab = Slab::new(Unpack::new(format, reader, out.limits));
    packets(&mut slab, out);
    let (unpack, _) = slab.into_parts();
    let (failed, damage) = unpack.finish();
    Packing { format, failed, damage }
}

fn packets(input: &mut impl Input, out: &mut Delivery<'_>) {
    out.summary.format = sniff_unpacked(input.peek(SNIFF));
    let _stopped = match out.summary.format {
        Some(Format::Pcap) => pcap::read(input, out),
        Some(Format::PcapNg) => pcapng::read(input, out),
        _ => ControlFlow::Continue(()),
    };
}

/// Where the readers put what they find.
struct Delivery<'s> {
    limits: &'s Limits,
    on_frame: &'s mut dyn FnMut(Frame<'_>) -> ControlFlow<()>,
    on_key_log: Option<OnKeyLog<'s>>,
    summary: Summary,
    tally: Tally,
    numbered: FrameNo,
    key_log_bytes: usize,
}

impl<'s> Delivery<'s> {
    fn new(limits: &'s Limits, on_frame: &'s mut dyn FnMut(Frame<'_>) -> ControlFlow<()>) -> Delivery<'s> {
        Delivery {
            limits,
            on_frame,
            on_key_log: None,
            summary: Summary::default(),
            tally: Tally::default(),
            numbered: 0,
            key_log_bytes: 0,
        }
    }

    fn note(&mut self, kind: Kind, detail: impl FnOnce() -> String) {
        self.tally.note(kind, detail);
    }

    /// Gives out the next frame number.
    fn number(&mut self) -> FrameNo {
        self.numbered = self.numbered.saturating_add(1);
        self.numbered
    }

    fn frame(
        &mut self,
        at: Option<Time>,
        link: u16,
        wire_len: u32,
        position: u64,
        bytes: &[u8],
        comment: Option<&str>,
    ) -> ControlFlow<()> {
        let no = self.number();
        self.summary.packets += 1;
        self.summary.bytes += bytes.len() as u64;
        if bytes.len() < wire_len as usize {
            let what = || format!("frame {no} has {} of its {wire_len} bytes", bytes.len());
            self.tally.note(Kind::PacketCut, what);
        }
        (self.on_frame)(Frame { no, at, link, wire_len, position, bytes, comment })
    }

    fn key_log(&mut self, text: &[u8]) {
        let bytes = self.key_log_bytes.saturating_add(text.len());
        if bytes > self.limits.key_logs {
            let limit = self.limits.key_logs;
            self.note(Kind::LimitCapture, || format!("more than {limit} bytes of key logs; the rest was left out"));
            return;
        }
        self.key_log_bytes = bytes;
        match &mut self.on_key_log {
            Some(on_key_log) => on_key_log(text),
            None => self.summary.secrets.push(text.to_vec()),
        }
    }

    fn finish(mut self) -> Summary {
        self.summary.notes = self.tally.finish();
        self.summary
    }
}

/// Byte order of a file or section. Reads give `None` past the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Order::Big { u16::from_be_bytes(raw) } else { u16::from_le_bytes(raw) })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Order::Big { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) })
    }

    fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Order::Big { u64::from_be_bytes(raw) } else { u64::from_le_bytes(raw) })
    }
}
