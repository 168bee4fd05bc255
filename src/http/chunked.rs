//! The chunked coding (RFC 9112 section 7.1), read piece by piece: it tells what the next bytes of a stream are.

use memchr::memchr;

use crate::anomaly::{Anomaly, Kind};
use crate::limits::Limits;
use crate::origin::Span;

/// The longest line with a chunk's size and extensions.
const MAX_LINE: usize = 4 * 1024;
const MAX_NOTES: usize = 8;

/// Where in the coding the stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    AfterData,
    /// So many bytes of trailers were read.
    Trailers(usize),
}

/// What the next bytes of the stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// So many bytes of framing, to be dropped.
    Framing(usize),
    /// Data, as many bytes as the chunk has left.
    Data(u64),
    /// So many bytes of framing, and then the body is over.
    End(usize),
    /// Too few bytes to tell.
    More,
    /// Not the chunked coding any more.
    Broken,
}

/// Reader of the chunked coding.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
}

impl Chunked {
    pub(super) fn new() -> Chunked {
        Chunked { state: State::Size }
    }

    /// Tells what `bytes` begin with. Of data, the caller says with [`Chunked::took`] how much it took.
    pub(super) fn next(&mut self, bytes: &[u8], limits: &Limits, notes: &mut Vec<Anomaly>) -> Next {
        match self.state {
            State::Size => self.size(bytes, notes),
            State::Data(left) => Next::Data(left),
            State::AfterData => self.after_data(bytes, notes),
            State::Trailers(read) => self.trailer(bytes, read, limits, notes),
        }
    }

    /// So many bytes of the chunk's data were taken, or were skipped in a gap.
    pub(super) fn took(&mut self, count: u64) {
        if let State::Data(left) = self.state {
            let left = left.saturating_sub(count);
            self.state = if left == 0 { State::AfterData } else { State::Data(left) };
        }
    }

    /// Bytes that the current chunk has left: a gap within them does not lose the place.
    pub(super) fn left(&self) -> u64 {
        if let State::Data(left) = self.state { left } else { 0 }
    }

    fn size(&mut self, bytes: &[u8], notes: &mut Vec<Anomaly>) -> Next {
        let Some((line, length)) = line(bytes, notes) else {
            return if bytes.len() > MAX_LINE { broken(notes, "a chunk's size line does not end") } else { Next::More };
        };
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (size, rest) = line.split_at(digits);
        let rest = rest.trim_ascii_start();
        let size = std::str::from_utf8(size).ok().and_then(|size| u64::from_str_radix(size, 16).ok());
        match size {
            Some(_) if !rest.is_empty() && !rest.starts_with(b";") => broken(notes, "a chunk's size is not a number"),
            Some(0) => {
                self.state = State::Trailers(0);
                Next::Framing(length)
            }
            Some(size) => {
                self.state = State::Data(size);
                Next::Framing(length)
            }
            None => broken(notes, "a chunk's size is not a number"),
        }
    }

    fn after_data(&mut self, bytes: &[u8], notes: &mut Vec<Anomaly>) -> Next {
        let framing = match bytes {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => {
                note(notes, "a line ends without CR");
                1
            }
            [] | [b'\r'] => return Next::More,
            _ => {
                note(notes, "a chunk is longer than its size");
                match line(bytes, notes) {
                    Some((_, length)) => length,
                    None if bytes.len() > MAX_LINE => return Next::Broken,
                    None => return Next::More,
                }
            }
        };
        self.state = State::Size;
        Next::Framing(framing)
    }

    fn trailer(&mut self, bytes: &[u8], read: usize, limits: &Limits, notes: &mut Vec<Anomaly>) -> Next {
        match line(bytes, notes) {
            Some(([], length)) => Next::End(length),
            Some((_, length)) if read + length <= limits.http_head => {
                self.state = State::Trailers(read + length);
                Next::Framing(length)
            }
            None if read + bytes.len() <= limits.http_head => Next::More,
            _ => broken(notes, "the trailers do not end"),
        }
    }
}

/// The first line without its end, and its length with it.
fn line<'a>(bytes: &'a [u8], notes: &mut Vec<Anomaly>) -> Option<(&'a [u8], usize)> {
    let at = memchr(b'\n', bytes)?;
    let line = bytes.get(..at)?;
    let Some(line) = line.strip_suffix(b"\r") else {
        note(notes, "a line ends without CR");
        return Some((line, at + 1));
    };
    Some((line, at + 1))
}

fn broken(notes: &mut Vec<Anomaly>, what: &str) -> Next {
    note(notes, what);
    Next::Broken
}

fn note(notes: &mut Vec<Anomaly>, what: &str) {
    let known = notes.iter().any(|note| note.detail == what);
    if !known && notes.len() < MAX_NOTES {
        notes.push(Anomaly::new(Kind::HttpChunkInvalid, Span::default(), what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data, whether it ended, and the number of notes; given `step` more bytes at a time.
    fn read(bytes: &[u8], step: usize) -> (Vec<u8>, bool, usize) {
        let (mut chunked, mut notes, mut data) = (Chunked::new(), Vec::new(), Vec::new());
        let (mut at, mut seen) = (0, 0);
        loop {
            match chunked.next(&bytes[at..seen], &Limits::default(), &mut notes) {
                Next::Framing(count) => at += count,
                Next::Data(left) if at < seen => {
                    let count = (seen - at).min(left as usize);
                    data.extend_from_slice(&bytes[at..at + count]);
                    chunked.took(count as u64);
                    at += count;
                }
                Next::End(_) => return (data, true, notes.len()),
                Next::Broken => return (data, false, notes.len()),
                Next::Data(_) | Next::More if seen == bytes.len() => return (data, false, notes.len()),
                Next::Data(_) | Next::More => seen = (seen + step).min(bytes.len()),
            }
        }
    }

    #[test]
    fn reads_sizes_extensions_and_trailers_however_cut() {
        let bytes = b"5;name=\"v\"\r\nhello\r\n6 \r\n world\r\n0\r\nTrailer: x\r\n\r\n";
        for step in 1..bytes.len() {
            assert_eq!(read(bytes, step), (b"hello world".to_vec(), true, 0));
        }
    }

    #[test]
    fn notes_what_is_broken() {
        assert_eq!(read(b"5\nhello\n0\n\n", 1), (b"hello".to_vec(), true, 1));
        assert_eq!(read(b"3\r\nhello\r\n0\r\n\r\n", 9), (b"hel".to_vec(), true, 1));
        assert_eq!(read(b"xyz\r\nhello", 3), (Vec::new(), false, 1));
        assert_eq!(read(b"5,\r\nhello", 3), (Vec::new(), false, 1));
        assert_eq!(read(b"fffffffffffffffff\r\n", 3), (Vec::new(), false, 1));
    }
}
