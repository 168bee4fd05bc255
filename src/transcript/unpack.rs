//! Recordings that were compressed as a whole: zlib (mitmproxy's `.zhar`), gzip and zstd.
//!
//! In: the file. Out: its content, as far as it could be unpacked. Bound: `limits.unpack_ratio`.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;

use super::Summary;
use crate::anomaly::Kind;
use crate::limits::{Limits, UNPACK_FREE};

/// The unpacked content; `None` when the file is not compressed, or nothing can be had of it.
pub fn unpack(data: &[u8], limits: &Limits, summary: &mut Summary) -> Option<Vec<u8>> {
    let reader = reader(data)?;
    let most = UNPACK_FREE.max((data.len() as u64).saturating_mul(limits.unpack_ratio as u64));
    let mut content = Vec::new();
    if let Err(error) = reader.take(most + 1).read_to_end(&mut content) {
        if content.is_empty() {
            return None;
        }
        summary.note(Kind::SourceDamaged, content.len(), format!("the compressed file is damaged: {error}"));
    }
    if content.len() as u64 > most {
        content.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        summary.note(Kind::LimitDecoded, content.len(), "the file unpacks to more than the limit");
    }
    Some(content)
}

/// The first `most` bytes of the content; `None` when the file is not compressed.
pub fn peek(head: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    // The head ends inside the compressed data, which is an error at the end of what is wanted.
    let _ = reader(head)?.take(most as u64).read_to_end(&mut content);
    Some(content)
}

fn reader(data: &[u8]) -> Option<Box<dyn Read + '_>> {
    match data {
        [0x1F, 0x8B, 8, ..] => Some(Box::new(MultiGzDecoder::new(data))),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Box::new(StreamingDecoder::new(data).ok()?)),
        [0x78, flags, ..] if (0x7800 + u16::from(*flags)) % 31 == 0 && flags & 0x20 == 0 => {
            Some(Box::new(ZlibDecoder::new(data)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn zlib_is_unpacked_and_a_truncated_one_as_far_as_it_goes() {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        let content: Vec<u8> = (0..20_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        encoder.write_all(&content).unwrap();
        let packed = encoder.finish().unwrap();
        let mut summary = Summary::default();
        assert_eq!(unpack(&packed, &Limits::default(), &mut summary).as_deref(), Some(&*content));
        assert!(summary.notes.is_empty());
        let half = unpack(&packed[..packed.len() / 2], &Limits::default(), &mut summary).unwrap();
        assert!(content.starts_with(&half) && half.len() > 10_000, "{}", half.len());
        assert_eq!(summary.notes[0].kind, Kind::SourceDamaged);
    }

    #[test]
    fn text_is_not_taken_for_compressed() {
        assert!(peek(b"x<SyncML>", 100).is_none());
    }
}
