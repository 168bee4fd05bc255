//! The way back from a byte to where it was captured.
//!
//! Every layer hands its bytes on together with an [`Origin`]: a list of runs that say from which unit of
//! the input (frame, HAR entry, file) each stretch of bytes came. A layer that rewrites bytes (a content
//! coding, a cipher) keeps the covering runs and marks them as not exact.

use crate::time::Time;

/// A half-open range of byte offsets `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from byte offsets; offsets beyond 4 GiB are clamped (bodies are capped far below by `limits`).
    #[inline]
    pub fn new(start: usize, end: usize) -> Span {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { start: clamp(start), end: clamp(end.max(start)) }
    }

    /// Length in bytes.
    #[inline]
    pub fn len(self) -> usize {
        (self.end.saturating_sub(self.start)) as usize
    }

    /// True when the span holds no byte.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// The same as a `usize` range, for slicing.
    #[inline]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.end.max(self.start)) as usize
    }

    /// The bytes of `of` in this span; empty where the span lies outside.
    #[inline]
    pub fn slice(self, of: &[u8]) -> &[u8] {
        of.get(self.range()).unwrap_or_default()
    }

    /// True when both share a byte.
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// What an input counts in: the thing a finding points at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A packet of a capture, numbered from 1 as Wireshark does.
    Frame(u32),
    /// An entry of a HAR or another list of exchanges, numbered from 1.
    Entry(u32),
    /// The input file itself; offsets are offsets in the file.
    File,
}

/// One stretch of bytes that came from one unit, up to the next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Offset of the stretch in the bytes that the origin describes.
    pub at: u64,
    /// Where it came from.
    pub unit: Unit,
    /// Offset of its first byte in that unit (in the frame's captured bytes, in the file).
    pub offset: u64,
    /// When that unit was captured, where known.
    pub time: Option<Time>,
    /// Whether byte `at + n` is byte `offset + n` of the unit. When false the unit covers the bytes, no more.
    pub exact: bool,
}

/// Where a sequence of bytes came from: runs sorted by `at`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    runs: Vec<Run>,
}

/// Answer of [`Origin::locate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Unit that holds the first byte; where an earlier one holds others of them, since segments came in another order than their
    /// bytes, the earliest of all.
    pub first: Unit,
    /// The last unit that holds any of the bytes, as the input counts.
    pub last: Unit,
    /// Offset of the first byte in `first`, when `exact`.
    pub offset: u64,
    /// Time of the first unit.
    pub time: Option<Time>,
    /// Whether `offset` is the byte itself, or `first..=last` merely cover the span.
    pub exact: bool,
    /// Whether all bytes stand in `first` in one piece, from `offset` on.
    pub whole: bool,
}

impl Origin {
    /// Bytes that are a stretch of a file, from `offset` on.
    pub fn file(offset: u64) -> Origin {
        Origin { runs: vec![Run { at: 0, unit: Unit::File, offset, time: None, exact: true }] }
    }

    /// Bytes rewritten from one unit: an unescaped JSON string, a decoded body.
    pub fn covering(unit: Unit, time: Option<Time>) -> Origin {
        Origin { runs: vec![Run { at: 0, unit, offset: 0, time, exact: false }] }
    }

    /// The runs, sorted by `at`.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Memory that it takes besides itself, in bytes: tiny segments make more of it than of what they hold.
    pub fn memory(&self) -> usize {
        self.runs.len() * size_of::<Run>()
    }

    /// True when nothing is known.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The run that holds byte `at`.
    pub fn run_at(&self, at: u64) -> Option<&Run> {
        self.runs.get(self.runs.partition_point(|run| run.at <= at).checked_sub(1)?)
    }

    /// Adds a run at the end; one that merely continues the last is merged into it.
    pub fn push(&mut self, run: Run) {
        if let Some(last) = self.runs.last() {
            let continues = last.exact
                && run.exact
                && last.unit == run.unit
                && run.at >= last.at
                && run.at - last.at == run.offset.wrapping_sub(last.offset);
            let covered = !last.exact && !run.exact && last.unit == run.unit;
            if continues || covered {
                return;
            }
        }
        self.runs.push(run);
    }

    /// Forgets all before byte `at`; offsets stay absolute.
    pub fn drop_before(&mut self, at: u64) {
        let keep = self.runs.partition_point(|run| run.at <= at).saturating_sub(1);
        self.runs.drain(..keep);
    }

    /// The origin of bytes `[start, end)`, with `at` counted from `start`.
    pub fn sub(&self, start: u64, end: u64) -> Origin {
        let first = self.runs.partition_point(|run| run.at <= start).saturating_sub(1);
        let runs = self.runs.get(first..).unwrap_or_default().iter().take_while(|run| run.at < end.max(start + 1));
        let shift = |run: &Run| {
            let skipped = start.saturating_sub(run.at);
            let offset = if run.exact { run.offset + skipped } else { run.offset };
            Run { at: run.at.saturating_sub(start), offset, ..*run }
        };
        Origin { runs: runs.map(shift).collect() }
    }

    /// Appends `other`, whose byte 0 becomes byte `at` of this.
    pub fn append(&mut self, at: u64, other: &Origin) {
        for run in &other.runs {
            self.push(Run { at: run.at + at, ..*run });
        }
    }

    /// The same units for bytes that were rewritten as a whole (decompressed, transcoded).
    pub fn inexact(&self) -> Origin {
        let mut out = Origin::default();
        for run in &self.runs {
            out.push(Run { at: 0, offset: 0, exact: false, ..*run });
        }
        out
    }

    /// The same for bytes that were rewritten one by one, each in its place (decrypted): the unit of each byte is still known.
    pub fn in_place(&self) -> Origin {
        let mut out = Origin::default();
        for run in &self.runs {
            out.push(Run { offset: 0, exact: false, ..*run });
        }
        out
    }

    /// Where the bytes of `span` were captured; `None` when nothing is known.
    pub fn locate(&self, span: Span) -> Option<Located> {
        let covering = self.runs.iter().any(|run| !run.exact);
        if covering && self.runs.iter().all(|run| run.at == 0) {
            let first = self.runs.iter().min_by_key(|run| run.unit)?;
            let last = self.runs.iter().map(|run| run.unit).max()?;
            return Some(Located { first: first.unit, last, offset: 0, time: first.time, exact: false, whole: false });
        }
        let index = |at: u64| self.runs.partition_point(|run| run.at <= at).saturating_sub(1);
        let (from, to) =
            (index(u64::from(span.start)), index(u64::from(span.end.max(span.start.saturating_add(1)) - 1)));
        let runs = self.runs.get(from..=to)?;
        let begins = runs.first()?;
        let (first, last) = (runs.iter().min_by_key(|run| run.unit)?, runs.iter().max_by_key(|run| run.unit)?);
        let exact = first.unit == begins.unit && runs.iter().all(|run| run.exact);
        Some(Located {
            first: first.unit,
            last: last.unit,
            offset: if exact { begins.offset + u64::from(span.start).saturating_sub(begins.at) } else { 0 },
            time: first.time,
            exact,
            whole: exact && runs.len() == 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(at: u64, frame: u32, offset: u64) -> Run {
        Run { at, unit: Unit::Frame(frame), offset, time: None, exact: true }
    }

    fn two_frames() -> Origin {
        let mut origin = Origin::default();
        origin.push(run(100, 1, 54));
        origin.push(run(150, 2, 66));
        origin
    }

    #[test]
    fn a_span_over_two_frames_names_both() {
        let body = two_frames().sub(110, 190);
        let found = body.locate(Span::new(30, 50)).unwrap();
        assert_eq!((found.first, found.last, found.offset, found.exact), (Unit::Frame(1), Unit::Frame(2), 94, true));
    }

    #[test]
    fn a_span_over_segments_that_came_out_of_order_names_the_earliest_and_the_latest() {
        let mut origin = Origin::default();
        [(0, 7), (10, 12), (20, 8)].into_iter().for_each(|(at, frame)| origin.push(run(at, frame, 54)));
        let found = |start, end| {
            let found = origin.locate(Span::new(start, end)).unwrap();
            (found.first, found.last, found.exact.then_some(found.offset))
        };
        assert_eq!(found(5, 25), (Unit::Frame(7), Unit::Frame(12), Some(59)));
        assert_eq!(found(15, 25), (Unit::Frame(8), Unit::Frame(12), None));
        assert_eq!(found(15, 20), (Unit::Frame(12), Unit::Frame(12), Some(59)));
    }

    #[test]
    fn a_rewritten_body_is_covered_by_all_its_frames() {
        let found = two_frames().sub(110, 190).inexact().locate(Span::new(1, 2)).unwrap();
        assert_eq!((found.first, found.last, found.exact), (Unit::Frame(1), Unit::Frame(2), false));
    }

    #[test]
    fn bytes_rewritten_in_place_keep_each_its_frame() {
        let plain = two_frames().sub(110, 190).in_place();
        let found = |start| plain.locate(Span::new(start, start + 1)).unwrap();
        assert_eq!((found(39).first, found(40).first, found(40).exact), (Unit::Frame(1), Unit::Frame(2), false));
    }

    #[test]
    fn runs_that_continue_are_one() {
        let mut origin = two_frames();
        origin.push(run(160, 2, 76));
        assert_eq!(origin.runs().len(), 2);
    }

    #[test]
    fn dropping_keeps_the_run_that_covers_the_rest() {
        let mut origin = two_frames();
        origin.drop_before(149);
        assert_eq!(origin.runs().len(), 2);
        origin.drop_before(150);
        assert_eq!(origin.runs(), &[run(150, 2, 66)]);
    }
}
