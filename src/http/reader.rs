//! One direction of HTTP/1.x: a stream in, one message after the other out.
//!
//! Here heads are read and message starts searched; `open` reads the bodies. A gap inside a body of known length (or
//! inside one chunk) is skipped exactly; after any other one the next message start is searched. Bounds:
//! `limits.http_head`, `limits.http_headers`, `limits.body`.

use std::sync::Arc;

use super::framing;
use super::open::{After, Done, Open};
use super::start::{self, Sign};
use super::{Body, Captured, Half, Head, head};
use crate::anomaly::{Anomaly, Kind};
use crate::limits::Limits;
use crate::origin::Span;
use crate::stream::{End, Gap, Stream};
use crate::time::Time;

/// No message fits into a gap of so few bytes (a FIN that was not captured looks like one byte).
pub(super) const NO_MESSAGE: u64 = 1;

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
    /// HTTP/2 begins here: the response that agreed to it was not seen.
    Switched,
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

impl State {
    fn after(after: After) -> State {
        match after {
            After::Start => State::Start,
            After::Seek => State::Seek,
            After::Lost => State::Lost,
        }
    }
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

    /// Bytes kept of a body.
    pub(super) fn held(&self) -> usize {
        if let State::Body(open) = &self.state { open.held() } else { 0 }
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
                        let state = std::mem::replace(&mut self.state, State::after(after));
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
        if self.half == Half::Request && bytes.starts_with(start::HTTP2) {
            match start::preface(stream.bytes()) {
                Sign::Yes => return Some(Step::Switched),
                Sign::Maybe if stream.next_gap().is_none() && stream.end().is_none() => return Some(Step::Wait),
                // A request of that name, or damage.
                _ => {}
            }
        }
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

pub(super) fn ended(end: End) -> &'static str {
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
