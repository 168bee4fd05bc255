//! Content codings: the bytes of a body as they were sent in, the bytes that were meant out.
//!
//! gzip, deflate (zlib or raw), br, zstd and stacks of them. Bounds: `limits.codings`, `limits.decoded_body`,
//! `limits.decode_ratio` past the first MiB. What cannot be decoded stays as it is, and a note says so.

use std::borrow::Cow;
use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::StreamingDecoder;

use super::{Body, Captured};
use crate::anomaly::{Anomaly, Kind};
use crate::limits::Limits;
use crate::origin::{Origin, Span};

const FREE_OUTPUT: usize = 1024 * 1024;
const BUFFER: usize = 16 * 1024;

/// What became of one coding.
enum Removed {
    /// All was decoded.
    Whole(Vec<u8>),
    /// Decoding stopped; what came before is good.
    Broken(Vec<u8>, &'static str),
    /// A limit was reached.
    Limited(Vec<u8>),
    /// The bytes are not coded so at all.
    NotCoded,
    /// No decoder for it.
    Unknown,
}

/// Removes the codings that `names` gives (as headers have them, outermost last) from the body `coded`, which holds
/// the bytes as they were sent.
pub fn decode<'a>(
    coded: &[u8],
    origin: Origin,
    names: impl DoubleEndedIterator<Item = &'a str>,
    captured: Captured,
    limits: &Limits,
    notes: &mut Vec<Anomaly>,
) -> Body {
    let wire_len = Some(coded.len() as u64);
    let mut decoder = Decoder { limits, notes, captured, removed: Vec::new() };
    let bytes = decoder.remove_all(coded, names);
    let Decoder { captured, mut removed, .. } = decoder;
    removed.reverse();
    let origin = if removed.is_empty() { origin } else { origin.inexact() };
    Body { bytes: bytes.into(), origin, codings: removed, wire_len, captured, redacted: None }
}

/// The codings that header values name, in order.
pub fn names<'a>(values: impl DoubleEndedIterator<Item = &'a str>) -> impl DoubleEndedIterator<Item = &'a str> {
    values.flat_map(|value| value.split(',').collect::<Vec<_>>()).map(str::trim).filter(|name| !name.is_empty())
}

struct Decoder<'a> {
    limits: &'a Limits,
    notes: &'a mut Vec<Anomaly>,
    captured: Captured,
    removed: Vec<String>,
}

impl Decoder<'_> {
    fn remove_all<'a, 'b>(
        &mut self,
        coded: &'b [u8],
        names: impl DoubleEndedIterator<Item = &'a str>,
    ) -> Cow<'b, [u8]> {
        let mut bytes = Cow::Borrowed(coded);
        for (depth, name) in names.rev().filter(|name| !name.eq_ignore_ascii_case("identity")).enumerate() {
            if bytes.is_empty() {
                break;
            }
            if depth >= self.limits.codings {
                self.refuse(
                    Kind::LimitDecoded,
                    format!("more than {} content codings are stacked", self.limits.codings),
                );
                break;
            }
            let name = name.to_ascii_lowercase();
            match remove(&name, &bytes, self.limits) {
                Removed::Whole(plain) => bytes = Cow::Owned(plain),
                Removed::Limited(plain) => {
                    let count = plain.len();
                    bytes = Cow::Owned(plain);
                    self.refuse(Kind::LimitDecoded, format!("decoding {name} was stopped after {count} bytes"));
                }
                Removed::Broken(plain, why) => {
                    self.broken(&name, plain.len(), why);
                    bytes = Cow::Owned(plain);
                }
                Removed::NotCoded => {
                    self.notes.push(note(Kind::CodingInvalid, format!("the bytes are not {name}, as the head says")));
                    continue;
                }
                Removed::Unknown => {
                    let shown: String = name.chars().filter(|c| c.is_ascii_graphic()).take(32).collect();
                    self.refuse(Kind::CodingInvalid, format!("the content coding {shown} is not known"));
                    break;
                }
            }
            self.removed.push(name);
        }
        bytes
    }

    fn refuse(&mut self, kind: Kind, why: String) {
        self.notes.push(note(kind, why.clone()));
        self.captured = Captured::Refused(why);
    }

    /// A body that was not captured whole cannot be decoded whole: that needs no other word.
    fn broken(&mut self, name: &str, count: usize, why: &str) {
        if self.captured == Captured::Whole {
            self.refuse(Kind::CodingInvalid, format!("decoding {name} failed after {count} bytes: {why}"));
        }
    }
}

fn note(kind: Kind, detail: String) -> Anomaly {
    Anomaly::new(kind, Span::default(), detail)
}

fn remove(name: &str, bytes: &[u8], limits: &Limits) -> Removed {
    let cap = limits.decoded_body.min(FREE_OUTPUT.max(bytes.len().saturating_mul(limits.decode_ratio)));
    match name {
        "gzip" | "x-gzip" => gzip(bytes, cap),
        "deflate" => deflate(bytes, cap),
        "br" => brotli(bytes, cap),
        "zstd" => zstd(bytes, cap),
        _ => Removed::Unknown,
    }
}

const GZIP: &[u8] = &[0x1f, 0x8b];

fn gzip(bytes: &[u8], cap: usize) -> Removed {
    if !bytes.starts_with(GZIP) {
        return Removed::NotCoded;
    }
    let (mut rest, mut out) = (bytes, Vec::new());
    while rest.starts_with(GZIP) {
        let mut member = flate2::bufread::GzDecoder::new(rest);
        match pour(&mut member, cap, &mut out) {
            Poured::Whole => rest = member.into_inner(),
            Poured::Limited => return Removed::Limited(out),
            Poured::Broken => return Removed::Broken(out, "the data is damaged or ends early"),
        }
    }
    match rest {
        [] => Removed::Whole(out),
        _ => Removed::Broken(out, "other bytes follow the end"),
    }
}

/// The name means zlib, but some senders leave the zlib frame out.
fn deflate(bytes: &[u8], cap: usize) -> Removed {
    let has_frame = matches!(bytes, [first, second, ..]
        if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31));
    let framed = has_frame.then(|| inflate(bytes, true, cap));
    match framed {
        Some(Removed::NotCoded) | None => inflate(bytes, false, cap),
        Some(removed) => removed,
    }
}

fn inflate(bytes: &[u8], framed: bool, cap: usize) -> Removed {
    let mut inflater = Decompress::new(framed);
    let mut out = Vec::new();
    loop {
        out.reserve(BUFFER);
        let (taken, made) = (inflater.total_in(), out.len());
        let rest = bytes.get(usize::try_from(taken).unwrap_or(usize::MAX)..).unwrap_or_default();
        match inflater.decompress_vec(rest, &mut out, FlushDecompress::None) {
            Ok(Status::StreamEnd) if inflater.total_in() < bytes.len() as u64 => {
                return Removed::Broken(out, "other bytes follow the end");
            }
            Ok(Status::StreamEnd) => return Removed::Whole(out),
            Ok(_) if inflater.total_in() > taken || out.len() > made => {}
            Ok(_) => return Removed::Broken(out, "the data ends early"),
            Err(_) if out.is_empty() => return Removed::NotCoded,
            Err(_) => return Removed::Broken(out, "the data is damaged"),
        }
        if out.len() > cap {
            out.truncate(cap);
            return Removed::Limited(out);
        }
    }
}

fn brotli(bytes: &[u8], cap: usize) -> Removed {
    let mut out = Vec::new();
    match pour(brotli_decompressor::Decompressor::new(bytes, BUFFER), cap, &mut out) {
        Poured::Whole => Removed::Whole(out),
        Poured::Limited => Removed::Limited(out),
        Poured::Broken if out.is_empty() => Removed::NotCoded,
        Poured::Broken => Removed::Broken(out, "the data is damaged or ends early"),
    }
}

const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

fn zstd(bytes: &[u8], cap: usize) -> Removed {
    if !bytes.starts_with(ZSTD) {
        return Removed::NotCoded;
    }
    let (mut rest, mut out) = (bytes, Vec::new());
    while rest.starts_with(ZSTD) {
        let Ok(mut frame) = StreamingDecoder::new_with_max_window_size(&mut rest, cap as u64) else {
            return Removed::Broken(out, "a frame cannot be decoded");
        };
        match pour(&mut frame, cap, &mut out) {
            Poured::Whole => {}
            Poured::Limited => return Removed::Limited(out),
            Poured::Broken => return Removed::Broken(out, "the data is damaged or ends early"),
        }
    }
    match rest {
        [] => Removed::Whole(out),
        _ => Removed::Broken(out, "other bytes follow the end"),
    }
}

enum Poured {
    Whole,
    Limited,
    Broken,
}

/// Reads on until `out` holds `cap` bytes.
fn pour(reader: impl Read, cap: usize, out: &mut Vec<u8>) -> Poured {
    let room = cap.saturating_sub(out.len()) as u64;
    let read = reader.take(room + 1).read_to_end(out);
    if out.len() > cap {
        out.truncate(cap);
        return Poured::Limited;
    }
    if read.is_ok() { Poured::Whole } else { Poured::Broken }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zst(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn read(bytes: &[u8], coding: &str) -> (Body, Vec<Anomaly>) {
        let mut notes = Vec::new();
        let origin = Origin::file(0);
        let body = decode(bytes, origin, names([coding].into_iter()), Captured::Whole, &Limits::default(), &mut notes);
        (body, notes)
    }

    const TEXT: &[u8] = b"<SyncML xmlns=\"SYNCML:SYNCML1.2\"></SyncML>";

    #[test]
    fn removes_each_coding() {
        let brotli = [&[0x0b, 0x02, 0x80][..], b"hello", &[0x03]].concat();
        let two_members = [gz(b"one"), gz(b"two")].concat();
        for (bytes, coding, plain) in [
            (gz(TEXT), "gzip", TEXT),
            (gz(TEXT), "X-GZip", TEXT),
            (zlib(TEXT), "deflate", TEXT),
            (raw(TEXT), "deflate", TEXT),
            (zst(TEXT), "zstd", TEXT),
            (brotli, "br", b"hello"),
            (two_members, "gzip", b"onetwo"),
            (gz(&zlib(TEXT)), "deflate, identity, gzip", TEXT),
        ] {
            let (body, notes) = read(&bytes, coding);
            assert_eq!((&*body.bytes, &body.captured), (plain, &Captured::Whole), "{coding}");
            assert!(notes.is_empty(), "{notes:?}");
            assert_eq!(body.wire_len, Some(bytes.len() as u64));
            assert!(!body.origin.runs()[0].exact);
        }
        assert_eq!(read(&gz(&zlib(TEXT)), "deflate, gzip").0.codings, ["deflate", "gzip"]);
    }

    #[test]
    fn bytes_that_are_not_coded_stay() {
        for coding in ["gzip", "deflate", "zstd", "br"] {
            let (body, notes) = read(TEXT, coding);
            assert_eq!((&*body.bytes, &body.captured), (TEXT, &Captured::Whole), "{coding}");
            assert_eq!(notes[0].kind, Kind::CodingInvalid);
            assert!(body.codings.is_empty() && body.origin.runs()[0].exact);
        }
    }

    #[test]
    fn an_unknown_coding_is_refused() {
        let (body, notes) = read(TEXT, "aes128gcm");
        assert!(matches!(body.captured, Captured::Refused(_)));
        assert_eq!((&*body.bytes, notes.len()), (TEXT, 1));
    }

    #[test]
    fn what_was_decoded_before_the_damage_stays() {
        let text: Vec<u8> = (0..40_000u32).flat_map(|n| n.to_le_bytes()).collect();
        for (bytes, coding) in [(gz(&text), "gzip"), (zlib(&text), "deflate"), (zst(&text), "zstd")] {
            let (body, notes) = read(&bytes[..bytes.len() / 2], coding);
            assert!(matches!(body.captured, Captured::Refused(_)), "{coding}");
            assert!(text.starts_with(&body.bytes), "{coding}");
            assert_eq!(notes[0].kind, Kind::CodingInvalid);
        }
    }

    #[test]
    fn a_bomb_is_stopped() {
        let zeros = vec![0; 3 * FREE_OUTPUT];
        // A frame of blocks that each are one byte, 128 KiB times.
        let block = |last: u32| ((128 * 1024) << 3 | 1 << 1 | last).to_le_bytes().into_iter().take(3).chain([0]);
        let blocks = (0..24).flat_map(|number| block(u32::from(number == 23)));
        let zstd: Vec<u8> = ZSTD.iter().copied().chain([0, 0x38]).chain(blocks).collect();
        for (bytes, coding) in [(gz(&zeros), "gzip"), (zlib(&zeros), "deflate"), (zstd, "zstd")] {
            let (body, notes) = read(&bytes, coding);
            assert!(matches!(body.captured, Captured::Refused(_)), "{coding}");
            assert!(body.bytes.len() <= FREE_OUTPUT.max(bytes.len() * 200));
            assert_eq!(notes[0].kind, Kind::LimitDecoded);
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), magic in 0..4usize) {
            let start: &[u8] = [GZIP, ZSTD, &[0x78, 0x9c], &[]][magic];
            let bytes = [start, &bytes].concat();
            for coding in ["gzip", "deflate", "br", "zstd", "gzip, gzip, zstd"] {
                read(&bytes, coding);
            }
        }
    }
}
