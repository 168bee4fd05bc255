//! The kinds of input, and how a file's is told.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use crate::capture::{self, Format};
pub use crate::transcript::sniff::is_text;
use crate::transcript::{self, carve, unpack};

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Classic pcap, also inside gzip or zstd.
    Pcap,
    /// pcapng, also inside gzip or zstd.
    Pcapng,
    /// A recording without packets.
    Transcript(transcript::Kind),
}

impl Kind {
    /// All kinds, in the order that help shows them.
    pub fn all() -> impl Iterator<Item = Kind> {
        [Kind::Pcap, Kind::Pcapng].into_iter().chain(transcript::Kind::ALL.iter().copied().map(Kind::Transcript))
    }

    /// Its name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Pcap => "pcap",
            Kind::Pcapng => "pcapng",
            Kind::Transcript(kind) => kind.name(),
        }
    }

    /// Whether it holds packets.
    pub fn is_capture(self) -> bool {
        matches!(self, Kind::Pcap | Kind::Pcapng)
    }

    /// Why this version cannot read it, and what to do instead; `None` when it can.
    pub fn unsupported(self) -> Option<&'static str> {
        match self {
            Kind::Pcap | Kind::Pcapng => None,
            Kind::Transcript(kind) => kind.unsupported(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no kind has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such kind of input: {name} (there are {})", names())]
pub struct UnknownKind {
    /// The name.
    pub name: String,
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Kind, UnknownKind> {
        Kind::all()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownKind { name: name.to_owned() })
    }
}

/// The names of all kinds that can be read, for messages.
pub(super) fn names() -> String {
    let names: Vec<&str> = Kind::all().filter(|kind| kind.unsupported().is_none()).map(Kind::name).collect();
    names.join(", ")
}

/// The kind of an input that begins with `head`, a few KiB of it. `None` for a text without a message in these, too.
pub fn sniff(head: &[u8]) -> Option<Kind> {
    sniff_capture(head).or_else(|| transcript::sniff::sniff(head).map(Kind::Transcript))
}

fn sniff_capture(head: &[u8]) -> Option<Kind> {
    match capture::sniff(head)? {
        Format::Pcap => Some(Kind::Pcap),
        Format::PcapNg => Some(Kind::Pcapng),
        Format::Gzip | Format::Zstd => sniff_capture(&unpack::peek(head, capture::SNIFF)?),
    }
}

/// Of a zstd file nothing shows before a window of it was read; with the usual settings that is 8 MiB.
const WINDOW: usize = 9 * 1024 * 1024;

/// The same for a file, of which more is read where its head is not enough: a log may have its first message anywhere.
pub(super) fn sniff_file(path: &Path, head: &[u8]) -> io::Result<Option<Kind>> {
    match sniff(head) {
        None if is_text(head) && holds_document(path)? => Ok(Some(Kind::Transcript(transcript::Kind::Log))),
        None if capture::sniff(head) == Some(Format::Zstd) => Ok(sniff(&super::head(path, WINDOW)?)),
        kind => Ok(kind),
    }
}

fn holds_document(path: &Path) -> io::Result<bool> {
    const CHUNK: usize = 256 * 1024;
    /// A root's start tag may stand across two chunks.
    const OVERLAP: usize = 1024;
    let mut file = File::open(path)?;
    let mut chunk = Vec::with_capacity(CHUNK + OVERLAP);
    loop {
        let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
        if carve::holds_document(&transcript::text::Text::of(&chunk).bytes) {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        chunk.drain(..chunk.len().saturating_sub(OVERLAP));
    }
}

/// What a file of no known kind seems to be.
pub(super) fn looks(head: &[u8]) -> &'static str {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"\x89PNG", "a PNG image"),
        (b"\xFF\xD8\xFF", "a JPEG image"),
        (b"GIF8", "a GIF image"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a zip archive without Fiddler sessions: unpack it and name what is in it"),
        (b"MSCF", "a cabinet archive: unpack it and name what is in it"),
        (b"\x1F\x8B", "compressed with gzip, and what is inside is of no known kind"),
        (b"\x28\xB5\x2F\xFD", "compressed with zstd, and what is inside is of no known kind"),
        (b"\x7FELF", "a program"),
        (b"MZ", "a program"),
        (b"SQLite format 3", "a database"),
    ];
    KNOWN.iter().find(|(magic, _)| head.starts_with(magic)).map_or("binary data of no known kind", |(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for kind in Kind::all() {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!(
            "gif".parse::<Kind>().unwrap_err().to_string().starts_with("no such kind of input: gif (there are pcap, ")
        );
    }

    fn header(magic: [u8; 4]) -> Vec<u8> {
        let version = if magic[0] == 0xA1 { [0, 2, 0, 4] } else { [2, 0, 4, 0] };
        [&magic[..], &version, &[0; 16]].concat()
    }

    #[test]
    fn captures_are_told_by_their_magic() {
        for magic in [0xA1B2_C3D4u32, 0xA1B2_3C4D, 0xA1B2_CD34] {
            assert_eq!(sniff(&header(magic.to_le_bytes())), Some(Kind::Pcap));
            assert_eq!(sniff(&header(magic.to_be_bytes())), Some(Kind::Pcap));
        }
        assert_eq!(sniff(b"\x0A\x0D\x0D\x0A\x1C\0\0\0\x4D\x3C\x2B\x1A"), Some(Kind::Pcapng));
    }

    #[test]
    fn a_compressed_input_is_what_is_inside() {
        use std::io::Write;
        let pack = |content: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(sniff(&pack(&header(0xA1B2_C3D4u32.to_le_bytes()))), Some(Kind::Pcap));
        assert_eq!(sniff(&pack(b"{\"log\": {}}")), Some(Kind::Transcript(transcript::Kind::Har)));
        assert_eq!(sniff(&pack(b"\x89PNG\0")), None);
    }
}
