//! A message whose body is being read: bytes are taken until the framing says that it is over.
//!
//! A body of known length stays in the stream until it is whole, so that it is copied once. Gaps within it are skipped
//! exactly. At most `limits.body` bytes are kept, and `limits.other_body` of one that begins as no document: a download passes by.

use std::sync::Arc;

use super::chunked::Next;
use super::framing::{self, Framing};
use super::front::{PREAMBLE, may_be_xml};
use super::reader::{NO_MESSAGE, Raw, ended};
use super::start::{self, Sign};
use super::{Body, Captured, Head, body};
use crate::anomaly::{Anomaly, Kind};
use crate::limits::Limits;
use crate::origin::{Origin, Span};
use crate::stream::{End, Gap, Stream};
use crate::time::Time;

/// A message whose body is being read.
#[derive(Debug)]
pub(super) struct Open {
    head: Arc<Head>,
    framing: Framing,
    /// A response of which the request is not known: it may answer a HEAD.
    pub(super) unasked: bool,
    kept: Vec<u8>,
    origin: Origin,
    length: u64,
    /// How many bytes are kept at most, once its beginning has told.
    most: Option<usize>,
    captured: Captured,
    first: Option<Time>,
    last: Option<Time>,
    pub(super) notes: Vec<Anomaly>,
}

/// What comes after a message.
#[derive(Debug)]
pub(super) enum After {
    /// The next message.
    Start,
    /// Bytes among which the next message begins.
    Seek,
    /// Bytes of a message whose head is lost.
    Lost,
}

/// What reading on in a body came to.
pub(super) enum Done {
    /// Nothing: more bytes are needed.
    More,
    /// It is over, and all of it was taken.
    At(After),
    /// It is over with the next so many bytes, none of which were taken.
    InPlace(usize),
}

impl Open {
    /// A message whose head is the next `length` bytes.
    pub(super) fn new(
        head: Arc<Head>,
        framing: Framing,
        notes: Vec<Anomaly>,
        stream: &mut Stream,
        length: usize,
    ) -> Open {
        let (first, last) = (stream.time_at(0), stream.time_at(length.saturating_sub(1)));
        stream.consume(length);
        Open::begun(head, framing, notes, first, last)
    }

    /// A message whose head was taken, captured from `first` to `last`.
    pub(super) fn begun(
        head: Arc<Head>,
        framing: Framing,
        notes: Vec<Anomaly>,
        first: Option<Time>,
        last: Option<Time>,
    ) -> Open {
        Open {
            head,
            framing,
            unasked: false,
            kept: Vec::new(),
            origin: Origin::default(),
            length: 0,
            most: None,
            captured: Captured::Whole,
            first,
            last,
            notes,
        }
    }

    /// How many bytes are kept at most. `next` are the next ones of the body.
    fn most(&mut self, next: &[u8], limits: &Limits) -> usize {
        let front = if self.kept.is_empty() { next } else { &self.kept };
        if self.most.is_none() && front.len() >= PREAMBLE {
            let keeps = codings(&self.head).next().is_some() || self.head.unknown > 0 || may_be_document(front);
            self.most = Some(if keeps { limits.body } else { limits.other_body.min(limits.body) });
        }
        self.most.unwrap_or(limits.body)
    }

    /// Bytes kept so far.
    pub(super) fn held(&self) -> usize {
        self.kept.capacity() + self.origin.memory()
    }

    pub(super) fn read(&mut self, stream: &mut Stream, limits: &Limits) -> Done {
        if self.unasked && !self.settle_unasked(stream) {
            return Done::More;
        }
        match self.framing {
            Framing::None => Done::At(After::Start),
            Framing::Length(left) => self.read_length(left, stream, limits),
            Framing::Chunked(_) => self.read_chunked(stream, limits),
            Framing::UntilClose => self.read_until_close(stream, limits),
        }
    }

    /// When the next response follows at once, this one answered a HEAD. False when it cannot be told yet.
    fn settle_unasked(&mut self, stream: &Stream) -> bool {
        let bytes = stream.bytes();
        let enough = matches!(self.framing, Framing::None)
            || matches!(self.framing, Framing::Length(left) if bytes.len() as u64 >= left);
        match start::response(bytes) {
            Sign::Yes => self.framing = Framing::None,
            Sign::Maybe if !enough && stream.next_gap().is_none() && stream.end().is_none() => return false,
            _ => {}
        }
        self.unasked = false;
        true
    }

    fn read_length(&mut self, mut left: u64, stream: &mut Stream, limits: &Limits) -> Done {
        loop {
            let here = stream.bytes().len() as u64;
            let untouched = self.is_untouched() && left <= self.most(stream.bytes(), limits) as u64;
            if here >= left {
                if untouched {
                    return Done::InPlace(left as usize);
                }
                self.take(left as usize, stream, limits);
                return Done::At(After::Start);
            }
            let is_last = stream.next_gap().is_some() || stream.end().is_some();
            if untouched && !is_last {
                return Done::More;
            }
            self.take(here as usize, stream, limits);
            left -= here;
            self.framing = Framing::Length(left);
            let Some(gap) = stream.skip_gap() else { return self.end_of_stream(left, stream) };
            self.note_gap(gap);
            match gap.len {
                Some(len) if len <= left => {
                    left -= len;
                    self.length += len;
                    self.framing = Framing::Length(left);
                }
                Some(len) if len - left <= NO_MESSAGE => return Done::At(After::Start),
                Some(_) => return Done::At(After::Lost),
                // Whether the gap took more than this body, the other side's messages tell.
                None => return Done::At(After::Seek),
            }
        }
    }

    fn end_of_stream(&mut self, left: u64, stream: &Stream) -> Done {
        let Some(end) = stream.end() else { return Done::More };
        self.cut_short(format!("{left} bytes of the body are missing: {}", ended(end)));
        Done::At(After::Start)
    }

    fn read_chunked(&mut self, stream: &mut Stream, limits: &Limits) -> Done {
        loop {
            let Framing::Chunked(chunked) = &mut self.framing else { return Done::More };
            let here = stream.bytes().len();
            match chunked.next(stream.bytes(), limits, &mut self.notes) {
                Next::Framing(count) => self.pass(count, stream),
                Next::Data(left) if here > 0 => {
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(here);
                    chunked.took(count as u64);
                    self.take(count, stream, limits);
                }
                Next::End(count) => {
                    self.pass(count, stream);
                    return Done::At(After::Start);
                }
                Next::Broken => {
                    self.captured = Captured::Refused("the chunked coding is broken".to_owned());
                    return Done::At(After::Seek);
                }
                Next::Data(_) | Next::More => {
                    let Some(end) = self.gap_in_chunks(stream) else { continue };
                    return end;
                }
            }
        }
    }

    /// More is needed of a chunked body. `None` when a gap in a chunk was skipped.
    fn gap_in_chunks(&mut self, stream: &mut Stream) -> Option<Done> {
        let Some(gap) = stream.next_gap() else {
            let Some(end) = stream.end() else { return Some(Done::More) };
            self.cut_short(format!("the last chunk is missing: {}", ended(end)));
            return Some(Done::At(After::Start));
        };
        stream.skip_gap();
        self.note_gap(gap);
        if let (Framing::Chunked(chunked), Some(len)) = (&mut self.framing, gap.len)
            && len <= chunked.left()
        {
            chunked.took(len);
            self.length += len;
            return None;
        }
        Some(Done::At(After::Seek))
    }

    fn read_until_close(&mut self, stream: &mut Stream, limits: &Limits) -> Done {
        loop {
            let here = stream.bytes().len();
            if self.is_untouched() && here <= self.most(stream.bytes(), limits) {
                match (stream.next_gap(), stream.end()) {
                    (None, None) => return Done::More,
                    (None, Some(End::Closed)) => return Done::InPlace(here),
                    _ => {}
                }
            }
            self.take(here, stream, limits);
            match (stream.skip_gap(), stream.end()) {
                (Some(gap), _) => self.note_gap(gap),
                (None, None) => return Done::More,
                (None, Some(End::Closed)) => return Done::At(After::Start),
                (None, Some(end)) => {
                    self.cut_short(format!("the body's end is missing: {}", ended(end)));
                    return Done::At(After::Start);
                }
            }
        }
    }

    /// Whether no byte of the body was taken or skipped.
    fn is_untouched(&self) -> bool {
        self.length == 0 && self.captured == Captured::Whole
    }

    /// Takes the next bytes of the body; keeps them while nothing before them is missing and the limit allows.
    pub(super) fn take(&mut self, count: usize, stream: &mut Stream, limits: &Limits) {
        self.last = count.checked_sub(1).and_then(|last| stream.time_at(last)).or(self.last);
        if self.captured == Captured::Whole && count > 0 {
            let most = self.most(stream.bytes(), limits);
            let keep = count.min(most.saturating_sub(self.kept.len()));
            self.origin.append(self.kept.len() as u64, &stream.origin_of(Span::new(0, keep)));
            self.kept.extend_from_slice(stream.bytes().get(..keep).unwrap_or_default());
            if keep < count {
                let what = if most < limits.body { "the body is no document and" } else { "the body" };
                let why = format!("{what} is larger than {most} bytes");
                self.notes.push(Anomaly::new(Kind::LimitBody, Span::default(), why.clone()));
                self.captured = Captured::Refused(why);
            }
        }
        self.length += count as u64;
        stream.consume(count);
    }

    /// Drops framing.
    fn pass(&mut self, count: usize, stream: &mut Stream) {
        self.last = count.checked_sub(1).and_then(|last| stream.time_at(last)).or(self.last);
        stream.consume(count);
    }

    fn note_gap(&mut self, gap: Gap) {
        let why = match gap.len {
            Some(len) => format!("{len} bytes were not captured"),
            None => "bytes were not captured".to_owned(),
        };
        if self.captured == Captured::Whole {
            let at = Span::new(self.kept.len(), self.kept.len());
            self.notes.push(Anomaly::new(Kind::TcpGap, at, why.clone()));
            self.captured = Captured::Partly(why);
        }
    }

    pub(super) fn cut_short(&mut self, why: String) {
        if self.captured == Captured::Whole {
            let at = Span::new(self.kept.len(), self.kept.len());
            self.notes.push(Anomaly::new(Kind::HttpBodyIncomplete, at, why.clone()));
            self.captured = Captured::Partly(why);
        }
    }

    /// So many bytes of the body were not captured.
    pub(super) fn hole(&mut self, gap: Gap) {
        self.note_gap(gap);
        self.length = self.length.saturating_add(gap.len.unwrap_or_default());
    }

    /// Keeps no more of the body.
    pub(super) fn refuse(&mut self, why: String) {
        if self.captured == Captured::Whole {
            self.notes.push(Anomaly::new(Kind::LimitBody, Span::default(), why.clone()));
            self.captured = Captured::Refused(why);
        }
    }

    /// Something of the message that is not kept came as late as `last`.
    pub(super) fn until(&mut self, last: Option<Time>) {
        self.last = last.or(self.last);
    }

    fn said_length(&self) -> Option<u64> {
        self.head.header("content-length").and_then(|value| value.parse().ok())
    }

    /// Whether all bytes came that the head announces, where the framing does not follow the head.
    pub(super) fn is_as_long_as_said(&self) -> bool {
        self.said_length() == Some(self.length)
    }

    /// Whether the body is as long as its head says, where the framing does not follow the head. `request` is what a
    /// response answers.
    pub(super) fn compare_length(&mut self, request: Option<&Head>) {
        let said = self.said_length();
        let asks_for_none = request.is_none_or(|request| request.method == "HEAD") || self.head.status == 304;
        let may_be_none = self.length == 0 && self.head.method.is_empty() && asks_for_none;
        if let Some(said) = said.filter(|said| *said != self.length && !may_be_none)
            && self.captured == Captured::Whole
        {
            let what = format!("Content-Length says {said} bytes, the body has {}", self.length);
            self.notes.push(Anomaly::new(Kind::HttpLengthConflict, Span::default(), what));
        }
    }

    /// The message with the bytes that were kept.
    pub(super) fn close(self, limits: &Limits, notes: Vec<Anomaly>) -> Raw {
        let Open { head, kept, origin, length, captured, first, last, notes: mut all, .. } = self;
        all.extend(notes);
        let body = decoded(&kept, origin, &head, captured, limits, &mut all);
        Raw { head, body: Body { wire_len: Some(length), ..body }, first, last, notes: all }
    }

    /// The message with the next `count` bytes of the stream as its body.
    pub(super) fn close_in_place(mut self, count: usize, stream: &mut Stream, limits: &Limits) -> Raw {
        let bytes = stream.bytes().get(..count).unwrap_or_default();
        let origin = stream.origin_of(Span::new(0, count));
        let body = decoded(bytes, origin, &self.head, Captured::Whole, limits, &mut self.notes);
        self.pass(count, stream);
        self.notes.extend(stream.take_notes());
        Raw { head: self.head, body, first: self.first, last: self.last, notes: self.notes }
    }
}

fn decoded(
    bytes: &[u8],
    origin: Origin,
    head: &Head,
    captured: Captured,
    limits: &Limits,
    notes: &mut Vec<Anomaly>,
) -> Body {
    let mut all: Vec<&str> = codings(head).collect();
    if head.status == 206 && head.header("content-encoding").is_some() {
        let whole = Body::whole(bytes, origin);
        return Body { captured: Captured::Refused("it is a range of a coded body".to_owned()), ..whole };
    }
    let mut captured = captured;
    if head.unknown > 0 && all.is_empty() {
        match bytes {
            [0x1f, 0x8b, 8, ..] => all.push("gzip"),
            bytes if captured == Captured::Whole && !is_plain(bytes) => {
                captured = Captured::Refused("whether it is coded stands in a header that was not captured".to_owned());
            }
            _ => {}
        }
    }
    let origin = if bytes.is_empty() { head.origin.inexact() } else { origin };
    body::decode(bytes, origin, all.into_iter(), captured, limits, notes)
}

/// The codings of a body, outermost last.
fn codings(head: &Head) -> impl Iterator<Item = &str> {
    let content = body::names(head.all("content-encoding").collect::<Vec<_>>().into_iter());
    content.chain(framing::transfer_codings(head).filter(|name| !name.eq_ignore_ascii_case("chunked")))
}

/// Whether a body may be XML or WBXML by its beginning.
fn may_be_document(front: &[u8]) -> bool {
    may_be_xml(front) || matches!(front, [..=0x0F, _, _, ..])
}

/// Whether a body without a known coding is none that a coding gives: XML or WBXML, by their first bytes.
fn is_plain(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    matches!(text, [] | [b'<', ..]) || matches!(bytes, [1..=3, 0 | 1, ..])
}
