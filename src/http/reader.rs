//! One direction of HTTP/1.x: a stream in, one message after the other out.
//!
//! A body of known length stays in the stream until it is whole, so that it is copied once. A gap inside a body of
//! known length (or inside one chunk) is skipped exactly; after any other one the next message start is searched.
//! Bounds: `limits.http_head`, `limits.http_headers`, `limits.body`.

use std::sync::Arc;

use super::chunked::Next;
use super::framing::{self, Framing};
use super::start::{self, Sign};
use super::{Body, Captured, Half, Head, body, head};
use crate::anomaly::{Anomaly, Kind};
use crate::limits::Limits;
use crate::origin::{Origin, Span};
use crate::stream::{End, Gap, Stream};
use crate::time::Time;

/// No message fits into a gap of so few bytes (a FIN that was not captured looks like one byte).
const NO_MESSAGE: u64 = 1;

/// A message as its direction alone shows it.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) head: Arc<Head>,
    pub(super) body: Body,
    pub(super) first: Option<Time>,
    pub(super) last: Option<Time>,
    pub(super) notes: Vec<Anomaly>,
}

/// What a step came to.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing: more bytes are needed.
    Wait,
    /// A head was read whole; its body follows.
    Head(Arc<Head>),
    /// A message ended.
    Message(Box<Raw>),
    /// A message's head was sent but not captured.
    Lost,
}

#[derive(Debug)]
enum State {
    /// A message begins here.
    Start,
    /// A message's head was lost before the first byte.
    Lost,
    /// The next message begins somewhere ahead.
    Seek,
    Body(Box<Open>),
}

/// Reader of one direction. See the module's head.
#[derive(Debug)]
pub(super) struct Reader {
    half: Half,
    state: State,
    searched: usize,
    /// The start was searched for: it may be a mere likeness, so its head must be without fault.
    sought: bool,
    junk: u64,
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// At a message.
    Start,
    /// Somewhere in a message.
    Within,
    /// Behind a gap that swallowed the first message.
    Lost,
}

impl Reader {
    pub(super) fn new(half: Half, begin: Begin) -> Reader {
        let state = match begin {
            Begin::Start => State::Start,
            Begin::Within => State::Seek,
            Begin::Lost => State::Lost,
        };
        Reader { half, state, searched: 0, sought: false, junk: 0 }
    }

    /// Whether it searches the next message, not knowing how many it missed.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.state, State::Seek)
    }

    /// Goes on until something can be told. `request` is what the next response answers.
    pub(super) fn step(&mut self, stream: &mut Stream, request: Option<&Head>, limits: &Limits) -> Step {
        loop {
            let step = match &mut self.state {
                State::Start => self.start(stream, request, limits),
                State::Seek => self.seek(stream),
                State::Lost => {
                    self.state = State::Seek;
                    Some(Step::Lost)
                }
                State::Body(open) => match open.read(stream, limits) {
                    Done::More => Some(Step::Wait),
                    Done::At(after) => {
                        let state = std::mem::replace(&mut self.state, after.state());
                        let State::Body(open) = state else { return Step::Wait };
                        Some(Step::Message(Box::new(open.close(limits, stream.take_notes()))))
                    }
                    Done::InPlace(count) => {
                        let state = std::mem::replace(&mut self.state, State::Start);
                        let State::Body(open) = state else { return Step::Wait };
                        Some(Step::Message(Box::new(open.close_in_place(count, stream, limits))))
                    }
                },
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// At a message's start. `None`: look at the new state.
    fn start(&mut self, stream: &mut Stream, request: Option<&Head>, limits: &Limits) -> Option<Step> {
        let blank = stream.bytes().iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        stream.consume(blank);
        let bytes = stream.bytes();
        if bytes.is_empty() {
            return match stream.skip_gap() {
                Some(gap) => self.behind(gap),
                None => Some(Step::Wait),
            };
        }
        if !may_begin(bytes, self.half) {
            return self.give_up(stream, 0);
        }
        if let Some(length) = head::end(bytes, self.searched) {
            return self.head(stream, length, request, limits);
        }
        self.searched = bytes.len();
        match (bytes.len() > limits.http_head, stream.next_gap(), stream.end()) {
            (true, _, _) => self.partial(stream, Captured::Refused("the head is too long".to_owned()), limits),
            (_, Some(_), _) => self.partial(stream, missing("part of the head was not captured"), limits),
            (_, _, Some(end)) => self.partial(stream, missing(&format!("the head is cut: {}", ended(end))), limits),
            _ => Some(Step::Wait),
        }
    }

    /// A gap where a message should begin.
    fn behind(&mut self, gap: Gap) -> Option<Step> {
        if gap.len.is_some_and(|len| len <= NO_MESSAGE) {
            return None;
        }
        self.go(State::Seek);
        Some(Step::Lost)
    }

    /// What stands here is not HTTP: at least the first `skip` bytes are not.
    fn give_up(&mut self, stream: &mut Stream, skip: usize) -> Option<Step> {
        self.junk += skip.max(1) as u64;
        stream.consume(skip.max(1));
        self.go(State::Seek);
        None
    }

    fn go(&mut self, state: State) {
        self.state = state;
        self.searched = 0;
        self.sought = false;
    }

    /// Reads a whole head of `length` bytes.
    fn head(&mut self, stream: &mut Stream, length: usize, request: Option<&Head>, limits: &Limits) -> Option<Step> {
        let bytes = stream.bytes().get(..length).unwrap_or_default();
        let parsed = head::parse(bytes, self.half, limits).filter(|(_, notes)| notes.is_empty() || !self.sought);
        let Some((mut head, mut notes)) = parsed else {
            let line = memchr::memchr(b'\n', bytes).map_or(length, |at| at + 1);
            return self.give_up(stream, line);
        };
        head.origin = stream.origin_of(Span::new(0, length));
        let framing = framing::of(&head, self.half, request, &mut notes);
        let head = Arc::new(head);
        let mut open = Open::new(head.clone(), framing, notes, stream, length);
        open.unasked = self.half == Half::Response && request.is_none();
        self.tell_junk(&mut open.notes);
        self.go(State::Body(Box::new(open)));
        Some(Step::Head(head))
    }

    /// Reads as much as there is of a head whose end is missing.
    fn partial(&mut self, stream: &mut Stream, captured: Captured, limits: &Limits) -> Option<Step> {
        let bytes = stream.bytes();
        let length = bytes.len();
        let read = Some(bytes).filter(|bytes| head::has_start_line(bytes));
        let Some((mut head, _)) = read.and_then(|bytes| head::lenient(bytes, self.half, limits)) else {
            stream.consume(length);
            return match stream.skip_gap() {
                Some(gap) => self.behind(gap),
                None => self.give_up(stream, 0),
            };
        };
        head.origin = stream.origin_of(Span::new(0, length));
        let mut notes = vec![incomplete(&captured)];
        self.tell_junk(&mut notes);
        notes.extend(stream.take_notes());
        let (first, last) = (stream.time_at(0), stream.time_at(length.saturating_sub(1)));
        stream.consume(length);
        self.go(State::Seek);
        let body = Body { captured, wire_len: None, ..Body::whole(Vec::new(), head.origin.inexact()) };
        Some(Step::Message(Box::new(Raw { head: Arc::new(head), body, first, last, notes })))
    }

    /// Searches the next start. `None`: one was found.
    fn seek(&mut self, stream: &mut Stream) -> Option<Step> {
        loop {
            let bytes = stream.bytes();
            let (found, tail) = match self.half {
                Half::Request => (start::find_request(bytes), start::MAX_LINE),
                Half::Response => (start::find_response(bytes), start::STATUS_LEN),
            };
            if let Some(at) = found {
                stream.consume(at);
                self.go(State::Start);
                self.sought = true;
                return None;
            }
            let is_last = stream.next_gap().is_some() || stream.end().is_some();
            let passed = if is_last { bytes.len() } else { bytes.len().saturating_sub(tail) };
            stream.consume(passed);
            if stream.skip_gap().is_none() {
                return Some(Step::Wait);
            }
        }
    }

    fn tell_junk(&mut self, notes: &mut Vec<Anomaly>) {
        if std::mem::take(&mut self.junk) > 0 {
            let what = "bytes that are not HTTP stand before this message";
            notes.push(Anomaly::new(Kind::HttpUnparsable, Span::default(), what));
        }
    }
}

/// Whether a message, perhaps of an unknown method, can begin so.
fn may_begin(bytes: &[u8], half: Half) -> bool {
    const LONGEST: usize = 32;
    match half {
        Half::Response => start::response(bytes) != Sign::No || bytes.starts_with(b"HTTP/"),
        Half::Request => {
            let method = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
            let next = bytes.get(method);
            (method > 0 && next == Some(&b' ') || next.is_none()) && method <= LONGEST
        }
    }
}

fn missing(why: &str) -> Captured {
    Captured::Partly(why.to_owned())
}

fn ended(end: End) -> &'static str {
    match end {
        End::Closed => "the sender closed the connection",
        End::Reset => "the connection was reset",
        End::Unknown => "the capture ends, or its packets were not captured",
    }
}

fn incomplete(captured: &Captured) -> Anomaly {
    let (kind, why) = match captured {
        Captured::Refused(why) => (Kind::LimitStream, why.as_str()),
        Captured::Partly(why) => (Kind::HttpBodyIncomplete, why.as_str()),
        Captured::Whole => (Kind::HttpBodyIncomplete, ""),
    };
    Anomaly::new(kind, Span::default(), why)
}

/// A message whose body is being read.
#[derive(Debug)]
struct Open {
    head: Arc<Head>,
    framing: Framing,
    /// A response of which the request is not known: it may answer a HEAD.
    unasked: bool,
    kept: Vec<u8>,
    origin: Origin,
    length: u64,
    captured: Captured,
    first: Option<Time>,
    last: Option<Time>,
    notes: Vec<Anomaly>,
}

/// What comes after a message.
#[derive(Debug)]
enum After {
    Start,
    Seek,
    Lost,
}

impl After {
    fn state(self) -> State {
        match self {
            After::Start => State::Start,
            After::Seek => State::Seek,
            After::Lost => State::Lost,
        }
    }
}

/// What reading on in a body came to.
enum Done {
    More,
    /// It is over, and all of it was taken.
    At(After),
    /// It is over with the next so many bytes, none of which were taken.
    InPlace(usize),
}

impl Open {
    /// A message whose head is the next `length` bytes.
    fn new(head: Arc<Head>, framing: Framing, notes: Vec<Anomaly>, stream: &mut Stream, length: usize) -> Open {
        let (first, last) = (stream.time_at(0), stream.time_at(length.saturating_sub(1)));
        stream.consume(length);
        Open {
            head,
            framing,
            unasked: false,
            kept: Vec::new(),
            origin: Origin::default(),
            length: 0,
            captured: Captured::Whole,
            first,
            last,
            notes,
        }
    }

    fn read(&mut self, stream: &mut Stream, limits: &Limits) -> Done {
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
            let untouched = self.is_untouched() && left <= limits.body as u64;
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
                _ => return Done::At(After::Lost),
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
            if self.is_untouched() && here <= limits.body {
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
    fn take(&mut self, count: usize, stream: &mut Stream, limits: &Limits) {
        self.last = count.checked_sub(1).and_then(|last| stream.time_at(last)).or(self.last);
        if self.captured == Captured::Whole && count > 0 {
            let keep = count.min(limits.body.saturating_sub(self.kept.len()));
            self.origin.append(self.kept.len() as u64, &stream.origin_of(Span::new(0, keep)));
            self.kept.extend_from_slice(stream.bytes().get(..keep).unwrap_or_default());
            if keep < count {
                let why = format!("the body is larger than {} bytes", limits.body);
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

    fn cut_short(&mut self, why: String) {
        if self.captured == Captured::Whole {
            let at = Span::new(self.kept.len(), self.kept.len());
            self.notes.push(Anomaly::new(Kind::HttpBodyIncomplete, at, why.clone()));
            self.captured = Captured::Partly(why);
        }
    }

    /// The message with the bytes that were kept.
    fn close(self, limits: &Limits, notes: Vec<Anomaly>) -> Raw {
        let Open { head, kept, origin, length, captured, first, last, notes: mut all, .. } = self;
        all.extend(notes);
        let body = decoded(&kept, origin, &head, captured, limits, &mut all);
        Raw { head, body: Body { wire_len: Some(length), ..body }, first, last, notes: all }
    }

    /// The message with the next `count` bytes of the stream as its body.
    fn close_in_place(mut self, count: usize, stream: &mut Stream, limits: &Limits) -> Raw {
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
    let codings: Vec<&str> = body::names(head.all("content-encoding").collect::<Vec<_>>().into_iter()).collect();
    if head.status == 206 && !codings.is_empty() {
        let whole = Body::whole(bytes, origin);
        return Body { captured: Captured::Refused("it is a range of a coded body".to_owned()), ..whole };
    }
    let transfer = framing::transfer_codings(head).filter(|name| !name.eq_ignore_ascii_case("chunked"));
    let all: Vec<&str> = codings.into_iter().chain(transfer).collect();
    let origin = if bytes.is_empty() { head.origin.inexact() } else { origin };
    body::decode(bytes, origin, all.into_iter(), captured, limits, notes)
}
