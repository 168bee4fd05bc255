//! One direction of a connection: segments in any order in, what comes next in order out.
//!
//! Offsets are 64 bits wide and count every byte sent, captured or not, so wrapping sequence numbers and gaps do
//! not matter to the comparison of two of them. The first copy of a byte wins. What waits for a missing byte is
//! copied; what comes in order is not. `flow` bounds what waits and decides when a missing byte is given up.

use std::collections::VecDeque;

use super::SegmentOrigin;
use crate::anomaly::{Anomaly, Kind};
use crate::origin::{Origin, Run, Span, Unit};
use crate::stream::{End, Stream};

/// Offset of the byte whose sequence number was seen first: there is room below for those that come late.
const MIDDLE: u64 = 1 << 32;

/// How the place of the stream's first byte is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// Not at all.
    Unknown,
    /// The lowest number seen so far; a lower one may come yet.
    Guessed,
    /// By a SYN, or because waiting for a lower number was given up.
    Settled,
}

/// Captured bytes of one segment, or a part of them.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    bytes: &'a [u8],
    origin: &'a SegmentOrigin<'a>,
    skipped: usize,
    /// Bytes after these that were sent but cut off by the snap length.
    cut: u64,
}

impl<'a> Part<'a> {
    pub(super) fn new(bytes: &'a [u8], origin: &'a SegmentOrigin<'a>, cut: u32) -> Part<'a> {
        Part { bytes, origin, skipped: 0, cut: u64::from(cut) }
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn skip(&mut self, count: u64) {
        let here = usize::try_from(count).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes = self.bytes.get(here..).unwrap_or_default();
        self.skipped += here;
        self.cut = self.cut.saturating_sub(count - here as u64);
    }

    /// Bytes `from..to` of it without what was cut.
    fn slice(&self, from: u64, to: u64) -> Part<'a> {
        let range = usize::try_from(from).unwrap_or(usize::MAX)..usize::try_from(to).unwrap_or(usize::MAX);
        Part { bytes: self.bytes.get(range).unwrap_or_default(), skipped: self.skipped + from as usize, ..*self }
    }

    fn append_to(&self, stream: &mut Stream) {
        match self.origin {
            SegmentOrigin::Frame(run) => stream.append(self.bytes, shifted(run, self.skipped)),
            SegmentOrigin::Fragments(_) => stream.append_mapped(self.bytes, &self.origin()),
        }
    }

    fn origin(&self) -> Origin {
        let mut origin = Origin::default();
        match self.origin {
            SegmentOrigin::Frame(run) => origin.push(Run { at: 0, ..shifted(run, self.skipped) }),
            SegmentOrigin::Fragments(of) => {
                origin = of.sub(self.skipped as u64, (self.skipped + self.bytes.len()) as u64);
            }
        }
        origin
    }

    fn unit(&self) -> Option<Unit> {
        match self.origin {
            SegmentOrigin::Frame(run) => Some(run.unit),
            SegmentOrigin::Fragments(of) => of.runs().first().map(|run| run.unit),
        }
    }
}

fn shifted(run: &Run, by: usize) -> Run {
    Run { offset: run.offset + by as u64, ..*run }
}

/// Bytes that wait for earlier ones.
#[derive(Debug)]
struct Piece {
    at: u64,
    bytes: Box<[u8]>,
    cut: u64,
    origin: Origin,
    /// Offset of the other direction that the sender had acknowledged.
    needs: u64,
    differs: Option<Unit>,
}

impl Piece {
    fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }
}

/// One direction. See the module's head.
#[derive(Debug)]
pub(super) struct Half {
    start: Start,
    next: u64,
    next_seq: u32,
    acked: u64,
    fin: Option<u64>,
    waiting: VecDeque<Piece>,
    waiting_bytes: usize,
}

impl Half {
    pub(super) fn new() -> Half {
        Half {
            start: Start::Unknown,
            next: MIDDLE,
            next_seq: 0,
            acked: 0,
            fin: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// A SYN (or its acknowledgement) says that `seq` is the number of the first byte.
    pub(super) fn begin(&mut self, seq: u32) {
        if self.start == Start::Settled {
            return;
        }
        if self.start == Start::Guessed {
            self.next = self.offset(seq);
        }
        self.next_seq = seq;
        self.start = Start::Settled;
        self.drop_before_next();
    }

    /// A segment with this number came.
    pub(super) fn place(&mut self, seq: u32) {
        if self.start == Start::Unknown {
            self.next_seq = seq;
            self.start = Start::Guessed;
        }
    }

    /// Takes the lowest number seen as that of the first byte.
    pub(super) fn settle(&mut self) {
        if let Some(first) = self.waiting.front().filter(|first| first.at < self.next) {
            self.next_seq = self.next_seq.wrapping_sub((self.next - first.at) as u32);
            self.next = first.at;
        }
        self.start = Start::Settled;
    }

    pub(super) fn is_settled(&self) -> bool {
        self.start == Start::Settled
    }

    /// Whether `seq`, as the number before the first byte, fits what was seen of a direction that began unseen.
    pub(super) fn may_begin_after(&self, seq: u32, within: u64) -> bool {
        let first = self.waiting.front().map_or(self.next, |first| first.at.min(self.next));
        let begin = self.offset(seq.wrapping_add(1));
        self.start == Start::Guessed && begin <= first && first - begin <= within
    }

    /// Offset of a sequence number, the one nearest to what comes next.
    fn offset(&self, seq: u32) -> u64 {
        let ahead = seq.wrapping_sub(self.next_seq).cast_signed();
        self.next.saturating_add_signed(i64::from(ahead))
    }

    /// The other side acknowledged all before `ack`: its offset, or 0 when that cannot be (no byte of the last
    /// `plausible` was seen).
    pub(super) fn acknowledge(&mut self, ack: u32, plausible: u64) -> u64 {
        self.place(ack);
        let at = self.offset(ack);
        let last = self.waiting.back().map_or(self.next, |last| last.end().max(self.next));
        if at > last.saturating_add(plausible) {
            return 0;
        }
        self.acked = self.acked.max(at);
        at
    }

    /// The sender closed after the byte before `seq`.
    pub(super) fn finish(&mut self, seq: u32) {
        let at = self.offset(seq);
        if self.fin.is_none() && (at >= self.next || !self.is_settled()) {
            self.fin = Some(at);
        }
    }

    /// Whether what was sent up to `offset` is known to be in the stream.
    pub(super) fn satisfies(&self, offset: u64) -> bool {
        offset == 0 || (self.is_settled() && self.next >= offset)
    }

    /// Whether all that the receiver got was delivered. A byte is allowed for a FIN that was not captured.
    fn is_acked(&self) -> bool {
        self.next.saturating_add(1) >= self.acked
    }

    /// Takes a segment's bytes. Those that come next and need not wait go to `stream`; true when some did.
    pub(super) fn take(&mut self, mut part: Part<'_>, seq: u32, needs: u64, ready: bool, stream: &mut Stream) -> bool {
        let mut at = self.offset(seq);
        if self.is_settled() && at < self.next {
            let past = self.next - at;
            let keep_alive = past == 1 && part.len() <= 1 && part.cut == 0;
            if !keep_alive {
                compare_with_stream(&part, past, stream);
            }
            if past >= part.len() + part.cut {
                return false;
            }
            part.skip(past);
            at = self.next;
        }
        let end = at + part.len() + part.cut;
        let alone = self.waiting.front().is_none_or(|first| first.at >= end);
        if self.is_settled() && at == self.next && ready && alone {
            part.append_to(stream);
            self.advance(part.len());
            self.skip_cut(part.cut, stream);
            return true;
        }
        self.insert(&part, at, needs);
        false
    }

    /// Moves the next waiting piece to `stream`, when it comes next; `ready` tells whether it may.
    pub(super) fn release(&mut self, ready: impl Fn(u64) -> bool, stream: &mut Stream) -> bool {
        let comes_next = |first: &Piece| first.at <= self.next && ready(first.needs);
        if !self.is_settled() || !self.waiting.front().is_some_and(comes_next) {
            return false;
        }
        let Some(piece) = self.waiting.pop_front() else { return false };
        self.waiting_bytes -= piece.bytes.len();
        stream.append_mapped(&piece.bytes, &piece.origin);
        if let Some(unit) = piece.differs {
            stream.note(differs(unit));
        }
        self.advance(piece.bytes.len() as u64);
        self.skip_cut(piece.cut, stream);
        true
    }

    /// Ends the stream once the FIN is reached; true when it did so now.
    pub(super) fn close_if_finished(&self, stream: &mut Stream) -> bool {
        let finished = self.is_settled() && self.fin.is_some_and(|fin| self.next >= fin) && stream.end().is_none();
        if finished {
            stream.close(End::Closed);
        }
        finished
    }

    /// The first missing byte that something known to have been sent lies behind: where the hole ends at the latest.
    /// `wanted` is what the other direction's next bytes need of this one.
    pub(super) fn hole(&self, wanted: u64) -> Option<u64> {
        if !self.is_settled() || self.waiting.front().is_some_and(|first| first.at <= self.next) {
            return None;
        }
        let first = self.waiting.front().map(|first| first.at);
        let fin = self.fin.filter(|fin| *fin > self.next);
        let wanted = Some(wanted).filter(|wanted| *wanted > self.next);
        let acked = (!self.is_acked()).then_some(self.acked);
        [first, fin, wanted, acked].into_iter().flatten().min()
    }

    /// Offset of the first byte not delivered, and of what the receiver had got. What is missing before the latter was
    /// lost in capturing, and will not be sent again.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.next, self.acked)
    }

    /// Declares what is missing before `offset` as not captured.
    pub(super) fn skip_to(&mut self, offset: u64, stream: &mut Stream) {
        let len = offset.saturating_sub(self.next);
        if len > 0 {
            stream.gap(Some(len));
            self.advance(len);
        }
    }

    /// Whether all that is known to have been sent was delivered.
    pub(super) fn is_in_order(&self) -> bool {
        self.is_settled() && self.waiting.is_empty() && self.is_acked()
    }

    /// What the next waiting bytes need of the other direction, when it is only that which they wait for.
    pub(super) fn wants(&self) -> u64 {
        self.waiting.front().filter(|first| first.at <= self.next).map_or(0, |first| first.needs)
    }

    /// Segments and bytes that wait.
    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.waiting.len(), self.waiting_bytes)
    }

    /// Memory of what waits.
    pub(super) fn held(&self) -> usize {
        self.waiting_bytes + self.waiting.len() * size_of::<Piece>()
    }

    fn advance(&mut self, count: u64) {
        self.next += count;
        self.next_seq = self.next_seq.wrapping_add(count as u32);
    }

    fn skip_cut(&mut self, cut: u64, stream: &mut Stream) {
        let next_held = self.waiting.front().map_or(u64::MAX, |first| first.at);
        self.skip_to((self.next + cut).min(next_held), stream);
    }

    fn drop_before_next(&mut self) {
        while self.waiting.front().is_some_and(|first| first.at < self.next) {
            let dropped = self.waiting.pop_front();
            self.waiting_bytes -= dropped.map_or(0, |piece| piece.bytes.len());
        }
    }

    /// Keeps the bytes that no waiting piece holds, and compares the others.
    fn insert(&mut self, part: &Part<'_>, at: u64, needs: u64) {
        let end = at + part.len();
        let mut cursor = at;
        let mut index = self.waiting.partition_point(|piece| piece.end() <= at);
        while let Some(piece) = self.waiting.get_mut(index).filter(|piece| piece.at < end) {
            let (from, to, piece_end) = (cursor.max(piece.at), end.min(piece.end()), piece.end());
            let known = piece.bytes.get((from - piece.at) as usize..(to - piece.at) as usize);
            if known != Some(part.slice(from - at, to - at).bytes) {
                piece.differs = piece.differs.or(part.unit());
            }
            if piece.at > cursor {
                let before = part.slice(cursor - at, piece.at - at);
                self.keep(index, cursor, &before, 0, needs);
                index += 1;
            }
            cursor = piece_end.max(cursor);
            index += 1;
        }
        if cursor < end || (part.bytes.is_empty() && part.cut > 0) {
            self.keep(index, cursor, &part.slice(cursor - at, end - at), part.cut, needs);
        }
    }

    fn keep(&mut self, index: usize, at: u64, part: &Part<'_>, cut: u64, needs: u64) {
        self.waiting_bytes += part.bytes.len();
        let piece = Piece { at, bytes: part.bytes.into(), cut, origin: part.origin(), needs, differs: None };
        self.waiting.insert(index, piece);
    }
}

/// Notes when bytes that are sent again differ from those in the stream, as far as these are still held.
fn compare_with_stream(part: &Part<'_>, past: u64, stream: &mut Stream) {
    let known = stream.recent(usize::try_from(past).unwrap_or(usize::MAX));
    let skip = past - known.len() as u64;
    let again = part.slice(skip, part.len()).bytes;
    let both = known.len().min(again.len());
    if known.get(..both) != again.get(..both)
        && let Some(unit) = part.unit()
    {
        stream.note(differs(unit));
    }
}

fn differs(unit: Unit) -> Anomaly {
    let place = match unit {
        Unit::Frame(frame) => format!("frame {frame}"),
        _ => "a segment".to_owned(),
    };
    Anomaly::new(Kind::TcpOverlapDiffers, Span::default(), format!("{place} sends bytes again, but not the same bytes"))
}
