//! HTTP/2 on one connection: frames of both directions put together to messages, each stream an exchange.
//!
//! In: two streams of bytes. Out: messages as HTTP/1 has them, a request before its response. Where frames were not
//! captured, the bodies that they may have belonged to are not taken for whole. Bounds: `limits.pipelined` streams,
//! `limits.stream_bytes` of bodies at once, and those of `reader`.

mod exchange;
mod frame;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use exchange::{Exchange, Side};
use reader::{Block, Piece, Reader, Start};

pub(super) use frame::{PREFACE, is_within, settings};

use super::framing::Framing;
use super::h1::{CLIENT, Pending, SERVER};
use super::open::Open;
use super::reader::{Begin, ended};
use super::{Connection, Event, Half, Head, Message};
use crate::anomaly::{Anomaly, Kind};
use crate::limits::Limits;
use crate::origin::Span;
use crate::stream::{End, Gap, Stream};
use crate::time::Time;

/// Streams of which it is remembered that they are over: what was still under way on them is no news.
const REMEMBERED: usize = 64;
/// Bytes of responses kept back until their request is over. Beyond that they are handed on before it.
const MAX_EARLY: usize = 64 * 1024;
/// And how many of them.
const EARLY: usize = 4;
/// Notes of TCP kept for the next message.
const MAX_NOTES: usize = 8;

type Out<'a> = dyn FnMut(Event) + 'a;

/// Reader of a connection. See the module's head.
#[derive(Debug)]
pub(super) struct Http2 {
    connection: Arc<Connection>,
    readers: [Reader; 2],
    exchanges: BTreeMap<u32, Exchange>,
    over: VecDeque<u32>,
    /// Bytes kept of bodies.
    held: usize,
    next: u32,
    /// Anything of that side was captured.
    seen: [bool; 2],
    /// Frames of that side were lost.
    lost: [bool; 2],
    /// What TCP noted of that side, for its next message.
    notes: [Vec<Anomaly>; 2],
    /// The highest stream that the server serves.
    last: Option<u32>,
    /// The client asks for more before it has its answers.
    multiplexes: bool,
    at: Option<Time>,
}

impl Http2 {
    /// Begins with exchange `next`; `begin` tells where each stream stands. The request that HTTP/1 was left with is
    /// answered on stream 1.
    pub(super) fn new(
        connection: Arc<Connection>,
        begin: [Begin; 2],
        next: u32,
        upgraded: Option<Pending>,
        limits: &Limits,
    ) -> Http2 {
        let [client, server] = [(begin[CLIENT], Start::Preface), (begin[SERVER], Start::Frame)]
            .map(|(begin, start)| Reader::new(if begin == Begin::Start { start } else { Start::Within }, limits));
        let mut exchanges = BTreeMap::new();
        if let Some(Pending { exchange, head }) = upgraded {
            let sides = [Side::Over, Side::Awaited];
            exchanges.insert(1, Exchange { sides, request: head, ..Exchange::new(exchange) });
        }
        Http2 {
            connection,
            readers: [client, server],
            exchanges,
            over: VecDeque::new(),
            held: 0,
            next,
            seen: [false; 2],
            notes: [Vec::new(), Vec::new()],
            lost: begin.map(|begin| begin != Begin::Start),
            last: None,
            multiplexes: false,
            at: None,
        }
    }

    /// Reads what there is.
    pub(super) fn advance(&mut self, streams: &mut [Stream; 2], limits: &Limits, out: &mut Out<'_>) {
        self.seen = streams.each_ref().map(|stream| stream.seen);
        for side in [CLIENT, SERVER] {
            let stream = &mut streams[side];
            self.notes[side].extend(stream.take_notes());
            self.notes[side].truncate(MAX_NOTES);
            loop {
                match self.readers[side].step(stream, limits) {
                    Piece::Wait => break,
                    Piece::Head(block) => self.head(side, *block, limits, out),
                    Piece::NoHead(number, end, why) => self.no_head(side, number, end, why, limits, out),
                    Piece::Data { stream: number, count, end } => {
                        self.data(side, number, count, stream, limits, out);
                        if end {
                            self.finish(side, number, limits, out);
                        }
                    }
                    Piece::Hole(number, len) => self.hole(side, number, Some(len)),
                    Piece::EndInHole(number) => {
                        self.hole(side, number, None);
                        self.finish(side, number, limits, out);
                    }
                    Piece::Reset(number, code) => self.reset(number, code, limits, out),
                    Piece::GoAway(last) => self.last = if side == SERVER { Some(last) } else { self.last },
                    Piece::Lost => self.lose(side),
                }
            }
        }
    }

    /// Hands on what is not over, as far as it came.
    pub(super) fn close(&mut self, ends: [End; 2], limits: &Limits, out: &mut Out<'_>) {
        while let Some((number, _)) = self.exchanges.first_key_value() {
            let why = ends.map(|end| format!("the end of the stream is missing: {}", ended(end)));
            self.settle(*number, &why, limits, out);
        }
    }

    /// Bytes kept.
    pub(super) fn held(&self) -> usize {
        self.held + self.readers.iter().map(Reader::held).sum::<usize>()
    }

    fn head(&mut self, side: usize, mut block: Block, limits: &Limits, out: &mut Out<'_>) {
        let half = [Half::Request, Half::Response][side];
        if let Some(promised) = block.promised {
            let (head, _) = exchange::head(&mut block, Half::Request);
            if let Some(exchange) = self.exchange(promised, side, limits, out) {
                exchange.sides[CLIENT] = Side::Over;
                exchange.request = Some(Arc::new(head));
            }
            return;
        }
        let (number, end) = (block.stream, block.end);
        let (first, last) = (block.first, block.last);
        let Some(exchange) = self.exchange(number, side, limits, out) else { return };
        match &mut exchange.sides[side] {
            Side::Awaited => {
                exchange.harmed[side] = false;
                let (head, notes) = exchange::head(&mut block, half);
                let interim = (100..200).contains(&head.status) && !end;
                let head = Arc::new(head);
                if side == CLIENT {
                    exchange.request = Some(head.clone());
                }
                let open = Open::begun(head, Framing::None, notes, first, last);
                if interim {
                    let message = self.message(open, number, side, limits);
                    self.emit(number, side, message, out);
                } else {
                    exchange.sides[side] = Side::Open(Box::new(open));
                }
            }
            // Trailers. What they say is not part of the head.
            Side::Open(open) => open.until(last),
            Side::Lost | Side::Over => {}
        }
        if end {
            self.finish(side, number, limits, out);
        }
    }

    fn no_head(&mut self, side: usize, number: u32, end: bool, why: &str, limits: &Limits, out: &mut Out<'_>) {
        let Some(exchange) = self.exchange(number, side, limits, out) else { return };
        match &mut exchange.sides[side] {
            Side::Awaited => {
                exchange.sides[side] = Side::Lost;
                self.missing(number, side, out);
            }
            Side::Open(open) => open.notes.push(Anomaly::new(Kind::Http2Frame, Span::default(), why)),
            Side::Lost | Side::Over => {}
        }
        if end {
            self.finish(side, number, limits, out);
        }
    }

    fn data(
        &mut self,
        side: usize,
        number: u32,
        count: usize,
        stream: &mut Stream,
        limits: &Limits,
        out: &mut Out<'_>,
    ) {
        let is_open = |exchange: &Exchange| matches!(exchange.sides[side], Side::Open(_) | Side::Lost | Side::Over);
        if !self.exchanges.get(&number).is_some_and(is_open) {
            self.no_head(side, number, false, "", limits, out);
        }
        let room = self.held <= limits.stream_bytes;
        match self.exchanges.get_mut(&number).map(|exchange| &mut exchange.sides[side]) {
            Some(Side::Open(open)) => {
                let before = open.held();
                if !room {
                    open.refuse(format!("bodies of more than {} bytes are under way at once", limits.stream_bytes));
                }
                open.take(count, stream, limits);
                self.held = (self.held + open.held()).saturating_sub(before);
            }
            _ => stream.consume(count),
        }
    }

    fn hole(&mut self, side: usize, number: u32, len: Option<u64>) {
        if let Some(Side::Open(open)) = self.exchanges.get_mut(&number).map(|exchange| &mut exchange.sides[side]) {
            open.hole(Gap { at: 0, len });
        }
    }

    fn lose(&mut self, side: usize) {
        self.lost[side] = true;
        for exchange in self.exchanges.values_mut() {
            exchange.harmed[side] |= !matches!(exchange.sides[side], Side::Over);
            if let Side::Open(open) = &mut exchange.sides[side] {
                open.hole(Gap { at: 0, len: None });
            }
        }
    }

    fn reset(&mut self, number: u32, code: u32, limits: &Limits, out: &mut Out<'_>) {
        if self.exchanges.contains_key(&number) {
            let why = format!("the stream was reset ({})", code_name(code));
            self.settle(number, &[why.clone(), why], limits, out);
        }
    }

    /// The exchange of a stream that `side` sends on; begins it when it is new, `None` when it is over.
    fn exchange(&mut self, number: u32, side: usize, limits: &Limits, out: &mut Out<'_>) -> Option<&mut Exchange> {
        if self.over.contains(&number) {
            return None;
        }
        if !self.exchanges.contains_key(&number) {
            if side == CLIENT {
                self.answered_unseen(limits, out);
            }
            if self.exchanges.len() >= limits.pipelined.max(1)
                && let Some((oldest, _)) = self.exchanges.first_key_value()
            {
                let why = format!("more than {} streams are open", limits.pipelined);
                self.settle(*oldest, &[why.clone(), why], limits, out);
            }
            let mut exchange = Exchange::new(self.next);
            self.next = self.next.saturating_add(1);
            let pushed = number.is_multiple_of(2);
            if side == SERVER && !pushed && self.lost[CLIENT] && self.seen[CLIENT] {
                exchange.sides[CLIENT] = Side::Over;
                out(self.missing_event(exchange.number, Half::Request, None));
            }
            self.exchanges.insert(number, exchange);
        }
        self.exchanges.get_mut(&number)
    }

    /// A client that asks one thing after the other begins a new stream: it has the answers to what it asked before, even
    /// where they were not captured.
    fn answered_unseen(&mut self, limits: &Limits, out: &mut Out<'_>) {
        let is_answered = |exchange: &Exchange| exchange.harmed[SERVER] || matches!(exchange.sides[SERVER], Side::Over);
        self.multiplexes |= self.exchanges.values().any(|exchange| !is_answered(exchange));
        if !self.multiplexes {
            while let Some((number, _)) = self.exchanges.first_key_value() {
                let why = [(); 2].map(|()| "frames were not captured".to_owned());
                self.settle(*number, &why, limits, out);
            }
        }
    }

    /// Ends an exchange as it stands.
    fn settle(&mut self, number: u32, why: &[String; 2], limits: &Limits, out: &mut Out<'_>) {
        for side in [CLIENT, SERVER] {
            let Some(exchange) = self.exchanges.get_mut(&number) else { return };
            let refused = self.last.is_some_and(|last| number > last);
            match &mut exchange.sides[side] {
                // A client that knows the length does not wait for the end of the stream.
                Side::Open(open) if !open.is_as_long_as_said() => open.cut_short(why[side].clone()),
                Side::Awaited if side == SERVER && exchange.harmed[side] && !refused => self.missing(number, side, out),
                _ => {}
            }
            self.finish(side, number, limits, out);
        }
    }

    /// Ends one half of an exchange.
    fn finish(&mut self, side: usize, number: u32, limits: &Limits, out: &mut Out<'_>) {
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        if side == SERVER && exchange.harmed[CLIENT] && matches!(exchange.sides[CLIENT], Side::Open(_)) {
            // The end of the request passed unseen: the server would not have answered else.
            self.finish(CLIENT, number, limits, out);
        }
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        if let Side::Open(open) = std::mem::replace(&mut exchange.sides[side], Side::Over) {
            self.held = self.held.saturating_sub(open.held());
            let message = self.message(*open, number, side, limits);
            self.emit(number, side, message, out);
        }
        if side == CLIENT {
            self.late(number, out);
        }
        let (lost, seen) = (self.lost[CLIENT], self.seen[CLIENT]);
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        match exchange.sides[CLIENT] {
            Side::Lost => exchange.sides[CLIENT] = Side::Over,
            Side::Awaited if side == SERVER && (lost || !seen) => exchange.sides[CLIENT] = Side::Over,
            _ => {}
        }
        if exchange.is_over() {
            self.exchanges.remove(&number);
            self.over.push_back(number);
            if self.over.len() > REMEMBERED {
                self.over.pop_front();
            }
        }
    }

    fn message(&mut self, mut open: Open, number: u32, side: usize, limits: &Limits) -> Option<Event> {
        let exchange = self.exchanges.get(&number)?;
        let (exchange_number, request) = (exchange.number, exchange.request.clone().filter(|_| side == SERVER));
        open.compare_length(request.as_deref());
        let raw = open.close(limits, std::mem::take(&mut self.notes[side]));
        self.at = raw.last.or(self.at);
        Some(Event::Message(Message {
            connection: self.connection.clone(),
            exchange: exchange_number,
            half: [Half::Request, Half::Response][side],
            head: raw.head,
            request,
            body: raw.body,
            first: raw.first,
            last: raw.last,
            position: None,
            notes: raw.notes,
        }))
    }

    /// Hands on something of one side's, but the server's not before its request.
    fn emit(&mut self, number: u32, side: usize, event: Option<Event>, out: &mut Out<'_>) {
        let Some(event) = event else { return };
        let asking = |exchange: &&mut Exchange| side == SERVER && matches!(exchange.sides[CLIENT], Side::Open(_));
        let bytes = weight(&event);
        let Some(exchange) = self.exchanges.get_mut(&number).filter(asking) else { return out(event) };
        if exchange.early.len() < EARLY && bytes <= MAX_EARLY {
            self.held += bytes;
            exchange.early.push(event);
        } else {
            self.late(number, out);
            out(event);
        }
    }

    /// Hands on what was kept back.
    fn late(&mut self, number: u32, out: &mut Out<'_>) {
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        self.held = self.held.saturating_sub(exchange.early.iter().map(weight).sum());
        exchange.early.drain(..).for_each(out);
    }

    /// Says that a half was sent but not captured.
    fn missing(&mut self, number: u32, side: usize, out: &mut Out<'_>) {
        let Some(exchange) = self.exchanges.get(&number) else { return };
        let request = exchange.request.clone().filter(|_| side == SERVER);
        let event = self.missing_event(exchange.number, [Half::Request, Half::Response][side], request);
        self.emit(number, side, Some(event), out);
    }

    fn missing_event(&self, exchange: u32, half: Half, request: Option<Arc<Head>>) -> Event {
        Event::Missing { connection: self.connection.clone(), exchange, half, request, at: self.at }
    }
}

fn weight(event: &Event) -> usize {
    if let Event::Message(message) = event { message.body.bytes.len() } else { 0 }
}

/// The name of an error code (RFC 9113 section 7).
fn code_name(code: u32) -> String {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
    name.map_or_else(|| format!("code {code}"), |name| (*name).to_owned())
}
