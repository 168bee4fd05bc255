//! gzip and zstd around a capture: packed bytes in, the capture's bytes out, piece by piece.
//!
//! Damage and truncation end the output, as the end of a file would, and are told by [`Unpack::finish`]; what was
//! unpacked before stands. `limits.unpack_ratio` bounds the output; zstd windows are bounded by ruzstd (128 MiB).

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::Format;
use crate::anomaly::{Anomaly, Kind};
use crate::limits::{Limits, UNPACK_FREE};
use crate::origin::Span;

/// Reads the unpacked bytes. It never returns an error: see [`Unpack::finish`].
pub(super) struct Unpack<R: Read> {
    coding: Coding<Packed<R>>,
    free: u64,
    ratio: u64,
    given: u64,
    damage: Option<Anomaly>,
}

enum Coding<P: BufRead> {
    Gzip(Box<MultiGzDecoder<P>>),
    Zstd { packed: P, frame: Box<FrameDecoder>, open: bool },
}

impl<R: Read> Unpack<R> {
    /// Unpacks `reader`, which is `format`; what is not packed counts as gzip, and is damaged.
    pub(super) fn new(format: Format, reader: R, limits: &Limits) -> Unpack<R> {
        let packed = Packed { reader: BufReader::new(reader), taken: 0, failed: None };
        let coding = match format {
            Format::Zstd => Coding::Zstd { packed, frame: Box::default(), open: false },
            _ => Coding::Gzip(Box::new(MultiGzDecoder::new(packed))),
        };
        Unpack { coding, free: UNPACK_FREE, ratio: limits.unpack_ratio as u64, given: 0, damage: None }
    }

    /// What ended the output early: the reader's own error, or what is wrong with the packed bytes.
    pub(super) fn finish(self) -> (Option<io::Error>, Option<Anomaly>) {
        let packed = match self.coding {
            Coding::Gzip(decoder) => decoder.into_inner(),
            Coding::Zstd { packed, .. } => packed,
        };
        match packed.failed {
            Some(error) => (Some(error), None),
            None => (None, self.damage),
        }
    }

    fn taken(&self) -> u64 {
        match &self.coding {
            Coding::Gzip(decoder) => decoder.get_ref().taken,
            Coding::Zstd { packed, .. } => packed.taken,
        }
    }

    fn damaged(&mut self, kind: Kind, what: &str) -> usize {
        let detail = format!("{what} after {} packed and {} unpacked bytes", self.taken(), self.given);
        self.damage = Some(Anomaly::new(kind, Span::default(), detail));
        0
    }
}

impl<R: Read> Read for Unpack<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.damage.is_some() {
            return Ok(0);
        }
        let step = match &mut self.coding {
            Coding::Gzip(decoder) => decoder.read(out),
            Coding::Zstd { packed, frame, open } => read_frames(packed, frame, open, out),
        };
        let count = match step {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                self.damaged(Kind::CaptureTruncated, "the packed data ends too early,")
            }
            Err(error) => self.damaged(Kind::CaptureMalformed, &format!("the packed data is damaged ({error})")),
        };
        self.given += count as u64;
        if self.given > self.free.saturating_add(self.taken().saturating_mul(self.ratio)) {
            return Ok(self.damaged(Kind::LimitDecoded, "unpacking was given up: the ratio is above the limit"));
        }
        Ok(count)
    }
}

/// Fills `out` from the zstd frames that follow each other in `packed`.
fn read_frames(
    packed: &mut impl BufRead,
    frame: &mut FrameDecoder,
    open: &mut bool,
    out: &mut [u8],
) -> io::Result<usize> {
    loop {
        if *open {
            let count = frame.read(out)?;
            if count > 0 || out.is_empty() {
                return Ok(count);
            }
            *open = !frame.is_finished();
            if *open {
                frame
                    .decode_blocks(&mut *packed, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|e| because(e, packed))?;
            } else if frame.get_checksum_from_data().is_some_and(|sum| Some(sum) != frame.get_calculated_checksum()) {
                return Err(io::Error::other("wrong checksum"));
            }
            continue;
        }
        if packed.fill_buf()?.is_empty() {
            return Ok(0);
        }
        match frame.reset(&mut *packed) {
            Ok(()) => *open = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let skipped = io::copy(&mut packed.take(u64::from(length)), &mut io::sink())?;
                if skipped < u64::from(length) {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            }
            Err(error) => return Err(because(error, packed)),
        }
    }
}

/// ruzstd wraps the reader's errors many times over; whether the input has ended tells truncation from damage.
fn because(error: FrameDecoderError, packed: &mut impl BufRead) -> io::Error {
    match packed.fill_buf() {
        Ok([]) => ErrorKind::UnexpectedEof.into(),
        _ => io::Error::other(error.to_string()),
    }
}

/// The packed bytes, counted. An error of the reader is kept and shows as the end, so that decoders cannot hide it.
struct Packed<R> {
    reader: BufReader<R>,
    taken: u64,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Packed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.failed.is_none() && self.reader.buffer().is_empty() {
            match self.reader.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.failed = Some(error),
            }
        }
        Ok(self.reader.buffer())
    }

    fn consume(&mut self, count: usize) {
        self.taken += count as u64;
        self.reader.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    fn unpack(format: Format, packed: &[u8]) -> (Vec<u8>, Option<Kind>) {
        let mut unpack = Unpack::new(format, packed, &Limits::default());
        let mut out = Vec::new();
        unpack.read_to_end(&mut out).unwrap();
        let (failed, damage) = unpack.finish();
        assert!(failed.is_none());
        (out, damage.map(|note| note.kind))
    }

    fn sample() -> Vec<u8> {
        (0..8_000u32).flat_map(|n| (n * n / 7).to_le_bytes()).collect()
    }

    #[test]
    fn members_and_frames_follow_each_other() {
        let (one, two) = (sample(), b"the second".to_vec());
        let both = [one.clone(), two.clone()].concat();
        assert_eq!(unpack(Format::Gzip, &[gzip(&one), gzip(&two)].concat()), (both.clone(), None));
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3].to_vec();
        let frames = [skippable.clone(), zstd(&one), skippable, zstd(&two)].concat();
        assert_eq!(unpack(Format::Zstd, &frames), (both, None));
    }

    #[test]
    fn a_cut_file_gives_its_beginning() {
        let bytes = sample();
        for (format, packed) in [(Format::Gzip, gzip(&bytes)), (Format::Zstd, zstd(&bytes))] {
            for cut in (5..packed.len()).step_by(499) {
                let (out, kind) = unpack(format, &packed[..cut]);
                assert!(bytes.starts_with(&out));
                assert_eq!(kind, Some(Kind::CaptureTruncated), "{format:?} cut at {cut} of {}", packed.len());
            }
        }
    }

    #[test]
    fn damage_is_told_and_what_came_before_stands() {
        for (format, packed) in [(Format::Gzip, gzip(&sample())), (Format::Zstd, zstd(&sample()))] {
            let (out, kind) = unpack(format, &[&packed[..], b"garbage behind it"].concat());
            assert_eq!((out, kind), (sample(), Some(Kind::CaptureMalformed)), "{format:?}");
        }
    }

    #[test]
    fn a_bomb_is_given_up() {
        let packed = gzip(&vec![0; 4 * 1024 * 1024]);
        let mut unpack = Unpack::new(Format::Gzip, &packed[..], &Limits::default());
        unpack.free = 1024 * 1024;
        let given = io::copy(&mut unpack, &mut io::sink()).unwrap();
        assert_eq!(unpack.finish().1.unwrap().kind, Kind::LimitDecoded);
        assert!((1024 * 1024..2 * 1024 * 1024 + 200 * packed.len() as u64).contains(&given));
    }

    #[test]
    fn the_readers_own_error_is_not_damage() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let packed = gzip(&sample());
        let mut unpack = Unpack::new(Format::Gzip, (&packed[..100]).chain(Broken), &Limits::default());
        unpack.read_to_end(&mut Vec::new()).unwrap();
        let (failed, damage) = unpack.finish();
        assert_eq!((failed.unwrap().to_string(), damage), ("gone".to_owned(), None));
    }
}
