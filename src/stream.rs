//! The one type between TCP, TLS and HTTP: ordered bytes, the way back to the frames, and the holes.
//!
//! A producer appends at the end ([`Stream::append`], [`Stream::gap`], [`Stream::close`]); a consumer looks at
//! [`Stream::bytes`] and takes from the front ([`Stream::consume`]). Offsets are absolute in the stream's life.

use serde::{Deserialize, Serialize};

use crate::anomaly::Anomaly;
use crate::origin::{Origin, Run, Span};
use crate::time::Time;

/// Bytes that were sent but not captured, at an absolute offset of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Absolute offset at which bytes are missing. The stream holds no byte for them: the next byte held comes after the gap.
    pub at: u64,
    /// How many are missing; `None` when not even that is known (the stream was picked up again later).
    pub len: Option<u64>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// FIN (or the end of the recording tool's entry): all was sent.
    Closed,
    /// RST.
    Reset,
    /// The capture ended, or the flow was given up: more may have been sent.
    Unknown,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Stream {
    bytes: Vec<u8>,
    taken: usize,
    base: u64,
    origin: Origin,
    gaps: Vec<Gap>,
    end: Option<End>,
    whole_from: u64,
    ends_in_gap: bool,
    notes: Vec<Anomaly>,
    /// Whether the first byte is known to be the first that was sent (the SYN was captured).
    pub from_start: bool,
    /// Whether anything of this direction was captured. False for the other side of a one-sided capture.
    pub seen: bool,
}

/// Consumed bytes are dropped from the buffer once they are this many, and no fewer than those behind them: then moving those costs
/// less than reading did.
const COMPACT_AT: usize = 4 * 1024;
/// The first bytes of a message make room for so many: most DM messages fit.
const FIRST_CAPACITY: usize = 4 * 1024;
/// Notes not yet taken; one message has no use for more.
const MAX_NOTES: usize = 8;

impl Stream {
    /// Appends bytes that came from `run.unit`; `run.at` is set here.
    pub fn append(&mut self, bytes: &[u8], run: Run) {
        if bytes.is_empty() {
            return;
        }
        self.origin.push(Run { at: self.end_offset(), ..run });
        self.extend(bytes);
    }

    /// Appends bytes that came from several units; `origin` counts from the first of them.
    pub fn append_mapped(&mut self, bytes: &[u8], origin: &Origin) {
        if bytes.is_empty() {
            return;
        }
        self.origin.append(self.end_offset(), origin);
        self.extend(bytes);
    }

    /// Emptied buffers are given back (see [`Stream::consume`]), as idle connections are many.
    fn extend(&mut self, bytes: &[u8]) {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(bytes.len().max(FIRST_CAPACITY));
        }
        self.bytes.extend_from_slice(bytes);
        self.ends_in_gap = false;
    }

    /// Declares that bytes are missing here. Gaps that touch are one.
    pub fn gap(&mut self, len: Option<u64>) {
        let at = self.end_offset();
        self.whole_from = at;
        self.ends_in_gap = true;
        match self.gaps.last_mut() {
            Some(last) if last.at == at => last.len = last.len.zip(len).map(|(one, other)| one.saturating_add(other)),
            _ => self.gaps.push(Gap { at, len }),
        }
    }

    /// Notes something about the bytes at the end, for the message that will hold them. Beyond a few, notes are dropped.
    pub fn note(&mut self, note: Anomaly) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(note);
        }
    }

    /// Takes the notes made since the last call.
    pub fn take_notes(&mut self) -> Vec<Anomaly> {
        std::mem::take(&mut self.notes)
    }

    /// Declares the end. The first declaration stands.
    pub fn close(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    /// The bytes not yet consumed, up to the first gap. What comes after a gap shows once [`Stream::skip_gap`] was called.
    pub fn bytes(&self) -> &[u8] {
        let all = self.bytes.get(self.taken..).unwrap_or_default();
        match self.gaps.first() {
            Some(gap) => {
                let until = usize::try_from(gap.at - self.offset()).unwrap_or(usize::MAX);
                all.get(..until).unwrap_or(all)
            }
            None => all,
        }
    }

    /// Absolute offset of the first byte of [`Stream::bytes`].
    pub fn offset(&self) -> u64 {
        self.base + self.taken as u64
    }

    /// Absolute offset one past the last byte held.
    pub fn end_offset(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Memory of what is held, those bytes behind a gap included: what counts against the limits.
    pub fn held(&self) -> usize {
        match self.bytes.len() - self.taken {
            0 => 0,
            bytes => bytes + self.origin.memory(),
        }
    }

    /// The last bytes appended, at most `count`, as far as they are still held and no gap lies between; consumed or not.
    pub fn recent(&self, count: usize) -> &[u8] {
        let held = self.end_offset() - self.base.max(self.whole_from);
        let count = count.min(usize::try_from(held).unwrap_or(usize::MAX)).min(self.bytes.len());
        self.bytes.get(self.bytes.len() - count..).unwrap_or_default()
    }

    /// When the byte at `index` of [`Stream::bytes`] was captured.
    pub fn time_at(&self, index: usize) -> Option<Time> {
        self.origin.run_at(self.offset() + index as u64)?.time
    }

    /// The gap that ends [`Stream::bytes`], if one does.
    pub fn next_gap(&self) -> Option<Gap> {
        self.gaps.first().copied()
    }

    /// Drops the bytes before the first gap and the gap itself, and returns it.
    pub fn skip_gap(&mut self) -> Option<Gap> {
        let before = self.bytes().len();
        let gap = *self.gaps.first()?;
        self.consume(before);
        self.gaps.remove(0);
        Some(gap)
    }

    /// How the stream ended, when it has and nothing but what is held is to come.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Whether the last bytes of it were not captured.
    pub fn ends_in_gap(&self) -> bool {
        self.ends_in_gap
    }

    /// Where `span` of [`Stream::bytes`] came from, `at` counted from the span's start.
    pub fn origin_of(&self, span: Span) -> Origin {
        let base = self.offset();
        self.origin.sub(base + u64::from(span.start), base + u64::from(span.end))
    }

    /// Takes `count` bytes from the front of [`Stream::bytes`].
    pub fn consume(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.bytes.len());
        if self.taken == self.bytes.len() || (self.taken >= COMPACT_AT && self.taken >= self.bytes.len() / 2) {
            self.base += self.taken as u64;
            if self.taken == self.bytes.len() {
                self.bytes = Vec::new();
            } else {
                self.bytes.drain(..self.taken);
            }
            self.taken = 0;
            self.origin.drop_before(self.base);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Unit;

    #[test]
    fn where_bytes_came_from_counts_as_held() {
        let mut stream = Stream::default();
        (0..100).for_each(|frame| stream.append(b"x", run(frame)));
        assert_eq!(stream.held(), 100 * (1 + size_of::<Run>()));
        stream.consume(100);
        assert_eq!(stream.held(), 0);
    }

    fn run(frame: u32) -> Run {
        Run { at: 0, unit: Unit::Frame(frame), offset: 54, time: None, exact: true }
    }

    #[test]
    fn bytes_behind_a_gap_show_once_it_is_skipped() {
        let mut stream = Stream::default();
        stream.append(b"before", run(1));
        stream.gap(Some(10));
        stream.append(b"after", run(2));
        assert_eq!(stream.bytes(), b"before");
        assert_eq!(stream.skip_gap(), Some(Gap { at: 6, len: Some(10) }));
        assert_eq!(stream.bytes(), b"after");
        let origin = stream.origin_of(Span::new(1, 3));
        assert_eq!(origin.locate(Span::new(0, 2)).unwrap().first, Unit::Frame(2));
        assert_eq!(origin.locate(Span::new(0, 2)).unwrap().offset, 55);
    }

    #[test]
    fn touching_gaps_are_one_and_end_what_is_recent() {
        let mut stream = Stream::default();
        stream.append(b"before", run(1));
        stream.gap(Some(10));
        stream.gap(Some(5));
        stream.append(b"after", run(2));
        assert_eq!(stream.next_gap(), Some(Gap { at: 6, len: Some(15) }));
        assert_eq!(stream.recent(100), b"after");
        assert_eq!(stream.recent(2), b"er");
    }

    #[test]
    fn consuming_keeps_absolute_offsets() {
        let mut stream = Stream::default();
        stream.append(b"abc", run(1));
        stream.consume(3);
        stream.append(b"de", run(2));
        assert_eq!((stream.offset(), stream.end_offset(), stream.held()), (3, 5, 2 + 2 * size_of::<Run>()));
        assert_eq!(stream.origin_of(Span::new(0, 1)).runs()[0].unit, Unit::Frame(2));
    }
}
