//! IP fragments put together, with the way back to their frames.
//!
//! In: pieces of datagrams in the order of capture. Out: whole datagrams. A byte that came twice is taken from the
//! first piece that had it, and a difference is noted; datagrams that stay incomplete are noted. Bounds: datagrams by
//! `limits.fragmented_datagrams`, pieces of one by `limits.fragments`, its bytes by the 16 bits of an IP length, and
//! all by a minute of capture time.
//!
//! A datagram that is done stays for as long, so that a capture which holds each packet twice (two interfaces, a
//! mirror port) does not make half a datagram of the second copy.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use crate::anomaly::{Anomaly, Kind, Tally};
use crate::limits::Limits;
use crate::origin::{Origin, Run, Unit};

/// Which datagram a fragment belongs to (RFC 791; RFC 8200 leaves the protocol out, where it is the same anyway).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Sender.
    pub source: IpAddr,
    /// Receiver.
    pub destination: IpAddr,
    /// The protocol of the datagram.
    pub protocol: u8,
    /// Identification field.
    pub id: u32,
}

/// One fragment.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Its datagram.
    pub key: Key,
    /// Where it belongs, in bytes.
    pub offset: usize,
    /// Whether others follow it.
    pub more: bool,
    /// Its captured payload.
    pub bytes: &'a [u8],
    /// Payload bytes behind it that were not captured.
    pub cut: usize,
    /// Where its first byte was captured, and when.
    pub run: Run,
}

impl Piece<'_> {
    /// Offset behind the last byte that was sent.
    fn end(&self) -> usize {
        self.offset.saturating_add(self.bytes.len()).saturating_add(self.cut)
    }

    fn is_possible(&self) -> bool {
        self.end() <= LONGEST && (!self.more || self.end().is_multiple_of(8))
    }
}

/// A datagram that is complete.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    /// Its payload.
    pub bytes: &'a [u8],
    /// Where the payload was captured.
    pub origin: &'a Origin,
}

/// How long the fragments of one datagram may take: what RFC 8200 gives the receiver.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Longest payload of a datagram: lengths and offsets have 16 bits.
const LONGEST: usize = 65_535;

/// Datagrams being put together, oldest first. A linear search over the few there are costs less than hashing.
#[derive(Debug)]
pub struct Defrag {
    datagrams: VecDeque<Datagram>,
    most: usize,
    most_parts: usize,
    tally: Tally,
}

impl Defrag {
    /// Holds nothing yet.
    pub fn new(limits: &Limits) -> Defrag {
        let most = limits.fragmented_datagrams.max(1);
        Defrag { datagrams: VecDeque::new(), most, most_parts: limits.fragments, tally: Tally::default() }
    }

    /// Takes a fragment; gives the datagram that it completes.
    pub fn add(&mut self, piece: Piece<'_>) -> Option<Whole<'_>> {
        self.expire(&piece.run);
        let index = self.find(&piece)?;
        let datagram = self.datagrams.get_mut(index)?;
        // A piece too many or beyond the end is left out; its datagram stays incomplete and is told for that.
        if datagram.parts.len() >= self.most_parts || !piece.is_possible() {
            return None;
        }
        if datagram.insert(&piece) {
            self.tally.note(Kind::FragmentsOverlap, || datagram.describe());
        }
        if !datagram.finish() {
            return None;
        }
        Some(Whole { bytes: &datagram.bytes, origin: &datagram.origin })
    }

    /// What was noticed, once all frames were given.
    pub fn finish(mut self) -> Vec<Anomaly> {
        while !self.datagrams.is_empty() {
            self.drop_oldest();
        }
        self.tally.finish()
    }

    /// The datagram of this piece, a new one if need be; `None` when the piece only repeats one that is done.
    fn find(&mut self, piece: &Piece<'_>) -> Option<usize> {
        if let Some(index) = self.datagrams.iter().position(|datagram| datagram.key == piece.key) {
            let datagram = self.datagrams.get(index)?;
            if !datagram.done {
                return Some(index);
            }
            if datagram.bytes.get(piece.offset..).is_some_and(|rest| rest.starts_with(piece.bytes)) {
                return None;
            }
            // The identification came round again.
            self.datagrams.remove(index);
        }
        if self.datagrams.len() >= self.most {
            self.drop_oldest();
        }
        self.datagrams.push_back(Datagram::new(piece));
        Some(self.datagrams.len() - 1)
    }

    fn expire(&mut self, now: &Run) {
        let old = |datagram: &Datagram| match (now.time, datagram.first.time) {
            (Some(now), Some(first)) => now.since(first) > TIMEOUT,
            _ => false,
        };
        while self.datagrams.front().is_some_and(old) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(datagram) = self.datagrams.pop_front().filter(|datagram| !datagram.done) {
            self.tally.note(Kind::FragmentsIncomplete, || datagram.describe());
        }
    }
}

#[derive(Debug)]
struct Datagram {
    key: Key,
    /// Where its first piece was captured.
    first: Run,
    /// The payload so far; zeros where bytes are missing.
    bytes: Vec<u8>,
    /// What is there, sorted and disjoint.
    parts: Vec<Part>,
    /// Length of the payload, known from the last fragment.
    total: Option<usize>,
    done: bool,
    origin: Origin,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    start: usize,
    end: usize,
    run: Run,
}

impl Datagram {
    fn new(piece: &Piece<'_>) -> Datagram {
        Datagram {
            key: piece.key,
            first: piece.run,
            bytes: Vec::new(),
            parts: Vec::new(),
            total: None,
            done: false,
            origin: Origin::default(),
        }
    }

    /// Takes what the piece has and the datagram has not. True when they contradict each other.
    fn insert(&mut self, piece: &Piece<'_>) -> bool {
        let (start, end) = (piece.offset, piece.offset + piece.bytes.len());
        let fits = match self.total {
            Some(total) if piece.more => piece.end() <= total,
            Some(total) => piece.end() == total,
            None => piece.more || piece.end() >= self.bytes.len(),
        };
        if !fits {
            return true;
        }
        if !piece.more {
            self.total = Some(piece.end());
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let mut differs = false;
        let mut at = start;
        let mut index = self.parts.partition_point(|part| part.end <= start);
        while at < end {
            let next = self.parts.get(index).copied();
            let to = match next {
                Some(part) if part.start <= at => {
                    let to = part.end.min(end);
                    differs |= self.bytes.get(at..to) != piece.bytes.get(at - start..to - start);
                    to
                }
                next => {
                    let to = next.map_or(end, |part| part.start.min(end));
                    self.copy(index, at, to, piece);
                    to
                }
            };
            (at, index) = (to, index + 1);
        }
        differs
    }

    fn copy(&mut self, index: usize, start: usize, end: usize, piece: &Piece<'_>) {
        let skipped = start - piece.offset;
        let from = piece.bytes.get(skipped..end - piece.offset);
        if let (Some(to), Some(from)) = (self.bytes.get_mut(start..end), from) {
            to.copy_from_slice(from);
        }
        let run = Run { at: start as u64, offset: piece.run.offset + skipped as u64, ..piece.run };
        self.parts.insert(index, Part { start, end, run });
    }

    /// Whether the datagram has just become complete; its origin is made then.
    fn finish(&mut self) -> bool {
        let Some(total) = self.total else { return false };
        let there: usize = self.parts.iter().map(|part| part.end - part.start).sum();
        if self.done || there < total {
            return false;
        }
        self.done = true;
        self.parts.iter().for_each(|part| self.origin.push(part.run));
        self.parts = Vec::new();
        true
    }

    fn describe(&self) -> String {
        let Key { source, destination, id, .. } = self.key;
        let first = match self.first.unit {
            Unit::Frame(no) => format!(", begun in frame {no}"),
            _ => String::new(),
        };
        format!("datagram {id:#06x} from {source} to {destination}{first}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Time;

    const SECOND: i64 = 1_000_000_000;

    fn piece(frame: u32, offset: usize, bytes: &[u8], more: bool) -> Piece<'_> {
        let key = Key { source: [10, 0, 0, 1].into(), destination: [10, 0, 0, 2].into(), protocol: 6, id: 7 };
        let time = Some(Time(i64::from(frame) * SECOND));
        let run = Run { at: 0, unit: Unit::Frame(frame), offset: 34, time, exact: true };
        Piece { key, offset, more, bytes, cut: 0, run }
    }

    fn defrag() -> Defrag {
        Defrag::new(&Limits::default())
    }

    fn kinds(defrag: Defrag) -> Vec<Kind> {
        defrag.finish().iter().map(|note| note.kind).collect()
    }

    #[test]
    fn bytes_and_origin_follow_the_pieces() {
        let mut defrag = defrag();
        assert!(defrag.add(piece(1, 8, b"89abcdef", true)).is_none());
        assert!(defrag.add(piece(2, 16, b"tail", false)).is_none());
        let whole = defrag.add(piece(3, 0, b"01234567", true)).unwrap();
        assert_eq!(whole.bytes, b"0123456789abcdeftail");
        let units: Vec<_> = whole.origin.runs().iter().map(|run| (run.at, run.unit, run.offset)).collect();
        assert_eq!(units, [(0, Unit::Frame(3), 34), (8, Unit::Frame(1), 34), (16, Unit::Frame(2), 34)]);
        assert_eq!(kinds(defrag), []);
    }

    #[test]
    fn the_first_copy_wins_and_a_difference_is_told() {
        let mut defrag = defrag();
        assert!(defrag.add(piece(1, 8, b"AAAAAAAA", true)).is_none());
        assert!(defrag.add(piece(2, 0, b"bbbbbbbbBBBBBBBB", true)).is_none());
        let whole = defrag.add(piece(3, 8, b"CCCCCCCCCCcc", false)).unwrap();
        assert_eq!(whole.bytes, b"bbbbbbbbAAAAAAAACCcc");
        let last = whole.origin.runs()[2];
        assert_eq!((last.at, last.unit, last.offset), (16, Unit::Frame(3), 42));
        assert_eq!(kinds(defrag), [Kind::FragmentsOverlap]);
    }

    #[test]
    fn a_second_copy_of_all_makes_no_second_datagram() {
        let mut defrag = defrag();
        let pieces = [piece(1, 0, b"01234567", true), piece(2, 8, b"end", false)];
        let twice = [pieces[0], pieces[0], pieces[1], pieces[1]];
        assert_eq!(twice.into_iter().filter(|piece| defrag.add(*piece).is_some()).count(), 1);
        assert_eq!(kinds(defrag), []);
    }

    #[test]
    fn an_identification_may_come_round_again() {
        let mut defrag = defrag();
        for (first, last) in [(b"01234567", b"end"), (b"76543210", b"fin")] {
            assert!(defrag.add(piece(1, 0, first, true)).is_none());
            assert_eq!(defrag.add(piece(2, 8, last, false)).unwrap().bytes, [&first[..], last].concat());
        }
        assert_eq!(kinds(defrag), []);
    }

    #[test]
    fn what_never_completes_is_told_once_it_is_old_evicted_or_left() {
        let mut old = defrag();
        old.add(piece(1, 0, b"01234567", true));
        assert!(old.add(piece(100, 8, b"end", false)).is_none());
        assert_eq!(old.datagrams.len(), 1);
        let notes = old.finish();
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].detail, "datagram 0x0007 from 10.0.0.1 to 10.0.0.2, begun in frame 1; 1 more like this");

        let mut full = Defrag::new(&Limits { fragmented_datagrams: 2, ..Limits::default() });
        for id in 0..5 {
            let part = piece(1, 0, b"01234567", true);
            full.add(Piece { key: Key { id, ..part.key }, ..part });
        }
        assert_eq!(full.datagrams.len(), 2);
        assert_eq!(kinds(full), [Kind::FragmentsIncomplete]);
    }

    #[test]
    fn a_piece_cut_by_the_snap_length_leaves_a_hole() {
        let mut defrag = defrag();
        defrag.add(Piece { cut: 4, ..piece(1, 0, b"0123", true) });
        assert!(defrag.add(piece(2, 8, b"end", false)).is_none());
        assert_eq!(kinds(defrag), [Kind::FragmentsIncomplete]);
    }

    proptest! {
        #[test]
        fn any_cover_of_the_payload_gives_the_payload(
            payload in prop::collection::vec(any::<u8>(), 1..2000),
            cuts in prop::collection::vec((0usize..260, 1usize..40), 0..40),
        ) {
            let mut defrag = defrag();
            let mut done = None;
            let units = payload.len().div_ceil(8);
            let all = cuts.into_iter().chain((0..units).rev().map(|unit| (unit, 1)));
            for (frame, (first, count)) in all.enumerate() {
                let (start, end) = (first % units * 8, ((first % units + count) * 8).min(payload.len()));
                let part = piece(frame as u32, start, &payload[start..end], end < payload.len());
                let part = Piece { run: Run { time: None, ..part.run }, ..part };
                if let Some(whole) = defrag.add(part) {
                    prop_assert!(done.replace(whole.bytes.to_vec()).is_none());
                }
            }
            prop_assert_eq!(done, Some(payload));
            prop_assert_eq!(kinds(defrag), []);
        }

        #[test]
        fn no_pieces_can_do_harm(
            pieces in prop::collection::vec((0usize..70_000, 0usize..3000, any::<bool>(), 0usize..70_000, 0u32..3), 0..60),
        ) {
            let mut defrag = Defrag::new(&Limits { fragmented_datagrams: 2, fragments: 16, ..Limits::default() });
            let bytes = [1; 3000];
            for (offset, len, more, cut, id) in pieces {
                let part = piece(1, offset, &bytes[..len], more);
                if let Some(whole) = defrag.add(Piece { cut, key: Key { id, ..part.key }, ..part }) {
                    prop_assert!(whole.bytes.iter().all(|byte| *byte == 1));
                }
            }
            defrag.finish();
        }
    }
}
