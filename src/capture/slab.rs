//! The bytes of a capture as its readers see them: a position, and as many bytes after it as are asked for.
//!
//! A mapped file is one slice ([`Whole`]); a pipe or an unpacked file goes through one reused buffer ([`Slab`])
//! that grows to twice the longest record, which the readers bound by `limits.record`.

use std::io::{self, ErrorKind, Read};

/// Bytes that are read from front to back.
pub(super) trait Input {
    /// The bytes from the position on: `want` or more, and fewer only where the input ends.
    fn peek(&mut self, want: usize) -> &[u8];

    /// Moves the position past `count` bytes that were peeked at.
    fn consume(&mut self, count: usize);

    /// Bytes before the position.
    fn position(&self) -> u64;
}

/// An input that is in memory as a whole.
pub(super) struct Whole<'a> {
    rest: &'a [u8],
    position: u64,
}

impl<'a> Whole<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Whole<'a> {
        Whole { rest: bytes, position: 0 }
    }
}

impl Input for Whole<'_> {
    #[inline]
    fn peek(&mut self, _want: usize) -> &[u8] {
        self.rest
    }

    #[inline]
    fn consume(&mut self, count: usize) {
        self.position += count.min(self.rest.len()) as u64;
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn position(&self) -> u64 {
        self.position
    }
}

/// Bytes that a slab holds at first.
const SLAB: usize = 1024 * 1024;

/// An input that arrives bit by bit.
pub(super) struct Slab<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    position: u64,
    ended: bool,
    failed: Option<io::Error>,
}

impl<R: Read> Slab<R> {
    pub(super) fn new(reader: R) -> Slab<R> {
        Slab { reader, buffer: Vec::new(), start: 0, end: 0, position: 0, ended: false, failed: None }
    }

    /// The reader, and the error that ended it early.
    pub(super) fn into_parts(self) -> (R, Option<io::Error>) {
        (self.reader, self.failed)
    }

    fn held(&self) -> usize {
        self.end - self.start
    }

    /// Makes room for `want` bytes after `start`. The room is twice that, so that what is held moves seldom.
    fn make_room(&mut self, want: usize) {
        if self.buffer.len() - self.start >= want {
            return;
        }
        let room = want.saturating_mul(2).max(SLAB);
        if self.buffer.len() < room {
            let mut larger = vec![0; room];
            let held = self.buffer.get(self.start..self.end).unwrap_or_default();
            if let Some(to) = larger.get_mut(..held.len()) {
                to.copy_from_slice(held);
            }
            self.buffer = larger;
        } else {
            self.buffer.copy_within(self.start..self.end, 0);
        }
        self.end -= self.start;
        self.start = 0;
    }

    /// One read into the free end of the buffer; a pipe gives what it has.
    fn fill(&mut self) {
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        match self.reader.read(free) {
            Ok(0) => self.ended = true,
            Ok(count) => self.end = (self.end + count).min(self.buffer.len()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                self.ended = true;
                self.failed = Some(error);
            }
        }
    }
}

impl<R: Read> Input for Slab<R> {
    fn peek(&mut self, want: usize) -> &[u8] {
        if self.held() < want && !self.ended {
            self.make_room(want);
            while self.held() < want && !self.ended {
                self.fill();
            }
        }
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(self.held());
        self.start += count;
        self.position += count as u64;
    }

    fn position(&self) -> u64 {
        self.position
    }
}

/// What is held comes first, so that a slab whose first bytes were looked at can be handed on as a reader.
impl<R: Read> Read for Slab<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.peek(1).is_empty() {
            return self.failed.take().map_or(Ok(0), Err);
        }
        let held = self.buffer.get(self.start..self.end).unwrap_or_default();
        let count = held.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), held.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte more with each read, as a slow pipe does.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            let count = self.1.min(out.len()).min(self.0.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn a_slab_gives_what_the_whole_gives() {
        let bytes: Vec<u8> = (0..3 * SLAB as u32).flat_map(|n| n.to_le_bytes()).collect();
        let mut slab = Slab::new(Trickle(&bytes, 0));
        let mut at = 0;
        for want in [1, 16, 70_000, 3 * SLAB, 5, 2 * SLAB].into_iter().cycle() {
            let seen = slab.peek(want);
            let count = want.min(bytes.len() - at);
            assert_eq!(seen[..count], bytes[at..at + count]);
            assert!(seen.len() >= count);
            slab.consume(count);
            at += count;
            assert_eq!(slab.position(), at as u64);
            if at == bytes.len() {
                break;
            }
        }
        assert!(slab.peek(1).is_empty());
        assert!(slab.buffer.len() <= 6 * SLAB);
    }

    #[test]
    fn a_failed_read_ends_the_input_and_is_kept() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let mut slab = Slab::new((&b"abc"[..]).chain(Broken));
        assert_eq!(slab.peek(10), b"abc");
        assert_eq!(slab.into_parts().1.unwrap().to_string(), "gone");
    }
}
