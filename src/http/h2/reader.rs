//! One direction of HTTP/2: a stream of bytes in, header blocks and stretches of bodies out.
//!
//! A gap within a frame is skipped exactly; after any other one the next certain boundary is searched, and what the
//! header table had learned is forgotten. Bodies pass as they come: a frame is not waited for. Bounds: `limits.http_head`
//! for a header block, `limits.http2_table` for what blocks teach.

use super::frame::{self, CONTINUATION, DATA, Found, Frame, GOAWAY, HEADER, HEADERS, PUSH_PROMISE, RST_STREAM};
use crate::http::hpack::{Decoder, Field};
use crate::limits::Limits;
use crate::origin::{Origin, Span};
use crate::stream::{Gap, Stream};
use crate::time::Time;

/// Bytes in a gap that hides no frame (a FIN that was not captured looks like one byte).
const NO_FRAME: u64 = 1;
/// How far beyond the highest stream seen a stream may be where boundaries are searched.
const AHEAD: u32 = 256;

/// What a step came to.
#[derive(Debug)]
pub(super) enum Piece {
    /// Nothing: more bytes are needed.
    Wait,
    /// A header block was read whole.
    Head(Box<Block>),
    /// A head was sent, but cannot be read: its stream, and whether it ends it.
    NoHead(u32, bool, &'static str),
    /// The next `count` bytes, which the caller takes, are body.
    Data {
        /// Of which stream.
        stream: u32,
        /// How many.
        count: usize,
        /// Whether the stream ends with them.
        end: bool,
    },
    /// So many bytes of a body were not captured.
    Hole(u32, u64),
    /// A stream ends, its last bytes missing.
    EndInHole(u32),
    /// A stream was given up, with this code.
    Reset(u32, u32),
    /// Streams beyond this one are not served.
    GoAway(u32),
    /// Frames were not captured, nobody knows how many, or of what streams.
    Lost,
}

/// A header block.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// The stream it came on.
    pub(super) stream: u32,
    /// The stream whose request it is, when the server promises to answer it unasked.
    pub(super) promised: Option<u32>,
    /// Whether the stream ends with it.
    pub(super) end: bool,
    /// Names and values.
    pub(super) fields: Vec<(String, String)>,
    /// Fields that cannot be known.
    pub(super) unknown: u32,
    /// Fields left out for the limits.
    pub(super) left_out: u32,
    /// Where its octets were captured.
    pub(super) origin: Origin,
    /// When.
    pub(super) first: Option<Time>,
    /// And its last.
    pub(super) last: Option<Time>,
    /// Its octets, until it is whole.
    pub(super) coded: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Preface,
    Boundary,
    Data { stream: u32, left: u32, padding: u32, end: bool },
    Skip(u64),
    Lost,
    Seek,
}

/// Reader of one direction. See the module's head.
#[derive(Debug)]
pub(super) struct Reader {
    state: State,
    decoder: Decoder,
    block: Option<Box<Block>>,
    /// No frame was seen yet.
    fresh: bool,
    /// The highest stream seen.
    streams: u32,
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At the client's preface.
    Preface,
    /// At the first frame.
    Frame,
    /// Anywhere.
    Within,
}

impl Reader {
    pub(super) fn new(start: Start, limits: &Limits) -> Reader {
        let state = match start {
            Start::Preface => State::Preface,
            Start::Frame => State::Boundary,
            Start::Within => State::Seek,
        };
        let decoder = Decoder::new(start != Start::Within, limits.http2_table);
        Reader { state, decoder, block: None, fresh: true, streams: 0 }
    }

    /// Bytes kept of a header block.
    pub(super) fn held(&self) -> usize {
        self.block.as_ref().map_or(0, |block| block.coded.capacity())
    }

    /// Goes on until something can be told.
    pub(super) fn step(&mut self, stream: &mut Stream, limits: &Limits) -> Piece {
        loop {
            let piece = match self.state {
                State::Preface => self.preface(stream),
                State::Boundary => self.boundary(stream, limits),
                State::Data { stream: number, left, padding, end } => self.data(number, left, padding, end, stream),
                State::Skip(left) => self.skip(left, stream),
                State::Lost => {
                    self.decoder.lose();
                    self.block = None;
                    self.state = State::Seek;
                    Some(Piece::Lost)
                }
                State::Seek => self.seek(stream),
            };
            if let Some(piece) = piece {
                return piece;
            }
        }
    }

    fn preface(&mut self, stream: &mut Stream) -> Option<Piece> {
        let bytes = stream.bytes();
        if bytes.starts_with(frame::PREFACE) {
            stream.consume(frame::PREFACE.len());
            self.state = State::Boundary;
        } else if !frame::PREFACE.starts_with(bytes) || stream.next_gap().is_some() {
            self.state = State::Lost;
        } else {
            return Some(Piece::Wait);
        }
        None
    }

    fn boundary(&mut self, stream: &mut Stream, limits: &Limits) -> Option<Piece> {
        let bytes = stream.bytes();
        let Some(frame) = Frame::read(bytes) else { return self.between(stream) };
        let continues = frame.kind == CONTINUATION;
        match self.block.take_if(|block| !continues || block.stream != frame.stream) {
            Some(block) => {
                self.no_block();
                return Some(Piece::NoHead(block.stream, block.end, "its head does not go on"));
            }
            None if continues && self.block.is_none() => {
                self.no_block();
                self.pass(frame, stream);
                return None;
            }
            None => {}
        }
        if !frame.is_sound() {
            stream.consume(1);
            self.state = State::Lost;
            return None;
        }
        if std::mem::take(&mut self.fresh) && frame.begins_connection() {
            self.decoder = Decoder::new(true, limits.http2_table);
        }
        match frame.kind {
            DATA => self.begin_data(frame, stream),
            HEADERS | PUSH_PROMISE | CONTINUATION => self.begin_block(frame, stream, limits),
            RST_STREAM | GOAWAY if stream.bytes().len() >= HEADER + 8.min(frame.length as usize) => {
                let word = |at: usize| {
                    let octets = stream.bytes().get(HEADER + at..).and_then(|rest| rest.first_chunk());
                    octets.copied().map(u32::from_be_bytes).unwrap_or_default()
                };
                let piece = match frame.kind {
                    GOAWAY => Piece::GoAway(word(0) & 0x7fff_ffff),
                    _ => Piece::Reset(frame.stream, word(0)),
                };
                self.pass(frame, stream);
                Some(piece)
            }
            RST_STREAM | GOAWAY if !is_last(stream) => Some(Piece::Wait),
            _ => {
                self.pass(frame, stream);
                None
            }
        }
    }

    /// Skips a whole frame.
    fn pass(&mut self, frame: Frame, stream: &mut Stream) {
        stream.consume(HEADER);
        self.state = State::Skip(u64::from(frame.length));
    }

    /// No whole frame header is here.
    fn between(&mut self, stream: &mut Stream) -> Option<Piece> {
        let held = stream.bytes().len();
        let Some(gap) = stream.skip_gap() else { return Some(Piece::Wait) };
        if held > 0 || gap.len.is_none_or(|len| len > NO_FRAME) {
            self.state = State::Lost;
        }
        None
    }

    fn begin_data(&mut self, frame: Frame, stream: &mut Stream) -> Option<Piece> {
        let padded = usize::from(frame.is_padded());
        let bytes = stream.bytes();
        if bytes.len() < HEADER + padded {
            if stream.next_gap().is_none() {
                return Some(Piece::Wait);
            }
            self.pass(frame, stream);
            let (number, end) = (frame.stream, frame.ends_stream());
            return Some(if end { Piece::EndInHole(number) } else { Piece::Hole(number, u64::from(frame.length)) });
        }
        let padding = if padded > 0 { bytes.get(HEADER).copied().map_or(0, u32::from) } else { 0 };
        let length = frame.length.saturating_sub(padded as u32);
        stream.consume(HEADER + padded.min(frame.length as usize));
        self.streams = self.streams.max(frame.stream);
        let padding = padding.min(length);
        self.state = State::Data { stream: frame.stream, left: length - padding, padding, end: frame.ends_stream() };
        if length == padding {
            return Some(self.after_data(frame.stream, 0, padding, frame.ends_stream()));
        }
        None
    }

    fn after_data(&mut self, stream: u32, count: usize, padding: u32, end: bool) -> Piece {
        self.state = State::Skip(u64::from(padding));
        Piece::Data { stream, count, end }
    }

    fn data(&mut self, number: u32, left: u32, padding: u32, end: bool, stream: &mut Stream) -> Option<Piece> {
        let here = stream.bytes().len();
        if here >= left as usize {
            return Some(self.after_data(number, left as usize, padding, end));
        }
        if here > 0 {
            self.state = State::Data { stream: number, left: left - here as u32, padding, end };
            return Some(Piece::Data { stream: number, count: here, end: false });
        }
        let Some(gap) = stream.skip_gap() else { return Some(Piece::Wait) };
        let missing = gap.len.unwrap_or(u64::MAX);
        if missing < u64::from(left) {
            self.state = State::Data { stream: number, left: left - missing as u32, padding, end };
            return Some(Piece::Hole(number, missing));
        }
        let behind = missing - u64::from(left);
        self.state = match u64::from(padding).checked_sub(behind) {
            Some(padding) => State::Skip(padding),
            None if behind - u64::from(padding) <= NO_FRAME => State::Boundary,
            None => State::Lost,
        };
        Some(if end { Piece::EndInHole(number) } else { Piece::Hole(number, u64::from(left)) })
    }

    fn skip(&mut self, left: u64, stream: &mut Stream) -> Option<Piece> {
        let here = stream.bytes().len();
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(here);
        stream.consume(count);
        let left = left - count as u64;
        if left == 0 {
            self.state = State::Boundary;
            return None;
        }
        self.state = State::Skip(left);
        let Some(Gap { len, .. }) = stream.skip_gap() else { return Some(Piece::Wait) };
        self.state = match len.and_then(|len| left.checked_sub(len)) {
            Some(left) => State::Skip(left),
            None => State::Lost,
        };
        None
    }

    fn begin_block(&mut self, frame: Frame, stream: &mut Stream, limits: &Limits) -> Option<Piece> {
        let (number, end) = match &self.block {
            Some(block) => (block.stream, block.end),
            None => (frame.stream, frame.ends_stream()),
        };
        let promises = frame.kind == PUSH_PROMISE;
        let held = self.block.as_ref().map_or(0, |block| block.coded.len());
        let length = frame.length as usize;
        let too_long = held.saturating_add(length) > limits.http_head;
        if !too_long && stream.bytes().len() < frame.octets() {
            if !is_last(stream) {
                return Some(Piece::Wait);
            }
            self.no_block();
            self.pass(frame, stream);
            return Some(Piece::NoHead(number, end, "its head was not captured whole"));
        }
        self.streams = self.streams.max(number);
        if too_long {
            self.no_block();
            self.pass(frame, stream);
            return Some(Piece::NoHead(number, end, "its head is too long"));
        }
        let payload = stream.bytes().get(HEADER..frame.octets()).unwrap_or_default();
        let padded = usize::from(frame.is_padded());
        let padding = if padded > 0 { payload.first().copied().map_or(0, usize::from) } else { 0 };
        let from = (padded + frame.priority() + if promises { 4 } else { 0 }).min(length);
        let to = length.saturating_sub(padding).max(from);
        let fragment = payload.get(from..to).unwrap_or_default();
        let block = self.block.get_or_insert_with(|| {
            let promised = payload.get(padded..).and_then(|rest| rest.first_chunk()).filter(|_| promises);
            let promised = promised.map(|octets| u32::from_be_bytes(*octets) & 0x7fff_ffff);
            Box::new(Block { stream: number, end, promised, first: stream.time_at(0), ..Block::default() })
        });
        block.origin.append(block.coded.len() as u64, &stream.origin_of(Span::new(HEADER + from, HEADER + to)));
        block.coded.extend_from_slice(fragment);
        block.last = stream.time_at(frame.octets().saturating_sub(1)).or(block.last);
        stream.consume(frame.octets());
        self.state = State::Boundary;
        if frame.ends_block() { self.end_block(limits) } else { None }
    }

    fn no_block(&mut self) {
        self.block = None;
        self.decoder.lose();
    }

    fn end_block(&mut self, limits: &Limits) -> Option<Piece> {
        let mut block = self.block.take()?;
        let coded = std::mem::take(&mut block.coded);
        let mut octets = 0;
        let mut each = |field: Field<'_>| match (field.name, field.value) {
            (Some(name), Some(value)) => {
                octets += name.len() + value.len();
                if block.fields.len() < limits.http_headers && octets <= limits.http_head {
                    block.fields.push((name.to_owned(), value.to_owned()));
                } else {
                    block.left_out += 1;
                }
            }
            _ => block.unknown += 1,
        };
        match self.decoder.decode(&coded, &mut each) {
            Ok(()) => Some(Piece::Head(block)),
            Err(fault) => Some(Piece::NoHead(block.stream, block.end, fault.what())),
        }
    }

    fn seek(&mut self, stream: &mut Stream) -> Option<Piece> {
        let streams = if self.streams == 0 { frame::ANY_STREAM } else { self.streams.saturating_add(AHEAD) };
        let is_last = is_last(stream);
        match frame::find(stream.bytes(), streams, is_last) {
            Found::At(at) => {
                stream.consume(at);
                self.state = State::Boundary;
                None
            }
            Found::NotBefore(at) => {
                stream.consume(if is_last { stream.bytes().len() } else { at });
                if stream.skip_gap().is_some() { None } else { Some(Piece::Wait) }
            }
        }
    }
}

/// Whether no byte comes right behind those that there are.
fn is_last(stream: &Stream) -> bool {
    stream.next_gap().is_some() || stream.end().is_some()
}
