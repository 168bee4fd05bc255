//! HTTP/1.x on one connection: two readers, and which response answers which request.
//!
//! In: two streams. Out: messages in the order they happened, a request before its response, and the halves that a
//! gap swallowed. Bounds: `limits.pipelined`, and those of `reader`.

use std::collections::VecDeque;
use std::sync::Arc;

use super::reader::{Begin, Raw, Reader, Step};
use super::{Connection, Event, Half, Head, Message};
use crate::limits::Limits;
use crate::stream::Stream;
use crate::time::Time;

pub(super) const CLIENT: usize = 0;
pub(super) const SERVER: usize = 1;

/// Responses kept back until the request that is still being sent ends (100 Continue, an early refusal), and the bytes
/// of their bodies. Beyond that they are handed on before their request.
const MAX_EARLY: usize = 8;
const MAX_EARLY_BYTES: usize = 64 * 1024;

type Out<'a> = dyn FnMut(Event) + 'a;

/// A request that waits for its response.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) exchange: u32,
    pub(super) head: Option<Arc<Head>>,
}

/// Whether the connection becomes a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tunnel {
    No,
    /// CONNECT waits for its response.
    Asked,
    Open,
}

fn asks_for_http2(head: &Head) -> bool {
    head.all("upgrade").any(|value| value.eq_ignore_ascii_case("h2c"))
}

fn weight(head: Option<&Head>) -> usize {
    head.map_or(0, Head::memory)
}

/// Reader of a connection. See the module's head.
#[derive(Debug)]
pub(super) struct Http1 {
    connection: Arc<Connection>,
    readers: [Reader; 2],
    pending: VecDeque<Pending>,
    /// The exchange whose request is being read.
    reading: Option<u32>,
    early: Vec<Event>,
    early_bytes: usize,
    pending_bytes: usize,
    next: u32,
    pipelines: bool,
    tunnel: Tunnel,
    /// The request that asked for another protocol, once the server agreed.
    upgraded: Option<Pending>,
    at: Option<Time>,
}

impl Http1 {
    /// Begins with exchange `next`; `begin` tells where each stream stands.
    pub(super) fn new(connection: Arc<Connection>, begin: [Begin; 2], next: u32) -> Http1 {
        let [client, server] = begin;
        Http1 {
            connection,
            readers: [Reader::new(Half::Request, client), Reader::new(Half::Response, server)],
            pending: VecDeque::new(),
            reading: None,
            early: Vec::new(),
            early_bytes: 0,
            pending_bytes: 0,
            next,
            pipelines: false,
            tunnel: Tunnel::No,
            upgraded: None,
            at: None,
        }
    }

    /// Reads what there is. True when from here on the streams are those of a tunnel or another protocol.
    pub(super) fn advance(&mut self, streams: &mut [Stream; 2], limits: &Limits, out: &mut Out<'_>) -> bool {
        loop {
            let mut moved = false;
            for side in [CLIENT, SERVER] {
                moved |= self.step(side, streams, limits, out);
                if self.tunnel == Tunnel::Open {
                    return true;
                }
            }
            if !moved {
                return false;
            }
        }
    }

    /// Bytes kept: of bodies, of responses that came early, of requests that wait.
    pub(super) fn held(&self) -> usize {
        self.readers.iter().map(Reader::held).sum::<usize>() + self.early_bytes + self.pending_bytes
    }

    /// The number of the next exchange.
    pub(super) fn next_exchange(&self) -> u32 {
        self.next
    }

    /// The request that asked for the protocol that follows.
    pub(super) fn take_upgraded(&mut self) -> Option<Pending> {
        self.upgraded.take()
    }

    fn step(&mut self, side: usize, streams: &mut [Stream; 2], limits: &Limits, out: &mut Out<'_>) -> bool {
        if side == CLIENT && self.tunnel == Tunnel::Asked {
            if streams[CLIENT].held() > limits.http_head {
                self.tunnel = Tunnel::Open;
            }
            return false;
        }
        let seen = [CLIENT, SERVER].map(|side| streams[side].seen);
        let request = self.pending.front().and_then(|pending| pending.head.as_deref());
        match self.readers[side].step(&mut streams[side], request.filter(|_| side == SERVER), limits) {
            Step::Wait => return false,
            Step::Head(head) if side == CLIENT => self.begin_request(Some(head), seen, limits, out),
            Step::Head(_) => {}
            Step::Message(raw) if side == CLIENT => self.request(*raw, seen, limits, out),
            Step::Message(raw) => self.response(*raw, seen, out),
            Step::Switched => {
                self.tunnel = Tunnel::Open;
                let asked =
                    self.pending.front().and_then(|pending| pending.head.as_deref()).is_some_and(asks_for_http2);
                self.upgraded = if asked { self.pop() } else { None };
            }
            Step::Lost if side == CLIENT => self.lost_request(seen, limits, out),
            Step::Lost => self.lost_response(seen, out),
        }
        true
    }

    fn begin_request(&mut self, head: Option<Arc<Head>>, seen: [bool; 2], limits: &Limits, out: &mut Out<'_>) {
        if self.readers[SERVER].is_lost() && seen[SERVER] && !self.pipelines {
            // A client that does not pipeline has its answers: they passed while the server's place was lost.
            while let Some(pending) = self.pop() {
                out(self.missing(pending.exchange, Half::Response, pending.head));
            }
        }
        self.pipelines |= !self.pending.is_empty();
        let exchange = self.number();
        self.reading = Some(exchange);
        self.pending_bytes += weight(head.as_deref());
        self.pending.push_back(Pending { exchange, head });
        if self.pending.len() > limits.pipelined {
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<Pending> {
        let pending = self.pending.pop_front()?;
        self.pending_bytes -= weight(pending.head.as_deref());
        Some(pending)
    }

    fn request(&mut self, raw: Raw, seen: [bool; 2], limits: &Limits, out: &mut Out<'_>) {
        if self.reading.is_none() {
            self.begin_request(Some(raw.head.clone()), seen, limits, out);
        }
        if raw.head.method == "CONNECT" {
            self.tunnel = Tunnel::Asked;
        }
        let exchange = self.reading.take().unwrap_or_default();
        let message = self.message(raw, exchange, Half::Request, None);
        out(Event::Message(message));
        self.early_bytes = 0;
        self.early.drain(..).for_each(out);
    }

    fn response(&mut self, raw: Raw, seen: [bool; 2], out: &mut Out<'_>) {
        let status = raw.head.status;
        let is_final = !(100..200).contains(&status) || status == 101;
        let Pending { exchange, head } = self.answered(seen, out);
        let message = self.message(raw, exchange, Half::Response, head.clone());
        self.emit(exchange, Event::Message(message), out);
        if !is_final {
            self.pending_bytes += weight(head.as_deref());
            self.pending.push_front(Pending { exchange, head });
            return;
        }
        let connected = self.tunnel == Tunnel::Asked && (200..300).contains(&status);
        if head.as_ref().is_none_or(|head| head.method == "CONNECT") && self.tunnel == Tunnel::Asked {
            self.tunnel = Tunnel::No;
        }
        if status == 101 {
            self.upgraded = Some(Pending { exchange, head });
        }
        if connected || status == 101 {
            self.tunnel = Tunnel::Open;
        }
    }

    fn lost_request(&mut self, seen: [bool; 2], limits: &Limits, out: &mut Out<'_>) {
        self.begin_request(None, seen, limits, out);
        let exchange = self.reading.take().unwrap_or_default();
        out(self.missing(exchange, Half::Request, None));
    }

    fn lost_response(&mut self, seen: [bool; 2], out: &mut Out<'_>) {
        if self.pending.front().and_then(|pending| pending.head.as_deref()).is_some_and(asks_for_http2) {
            // Perhaps it agreed: then the answer comes by HTTP/2, and else the next request tells.
            return;
        }
        let Pending { exchange, head } = self.answered(seen, out);
        let missing = self.missing(exchange, Half::Response, head);
        self.emit(exchange, missing, out);
        if self.tunnel == Tunnel::Asked {
            self.tunnel = Tunnel::Open;
        }
    }

    /// The request that the next response answers. When none is known, one was lost, or the client was not captured.
    fn answered(&mut self, seen: [bool; 2], out: &mut Out<'_>) -> Pending {
        self.pop().unwrap_or_else(|| {
            let exchange = self.number();
            if self.readers[CLIENT].is_lost() && seen[CLIENT] {
                out(self.missing(exchange, Half::Request, None));
            }
            Pending { exchange, head: None }
        })
    }

    /// Hands on something of the server's, but not before its request.
    fn emit(&mut self, exchange: u32, event: Event, out: &mut Out<'_>) {
        let bytes = if let Event::Message(message) = &event { message.body.bytes.len() } else { 0 };
        let fits = self.early.len() < MAX_EARLY && self.early_bytes + bytes <= MAX_EARLY_BYTES;
        if self.reading == Some(exchange) && fits {
            self.early_bytes += bytes;
            self.early.push(event);
        } else {
            out(event);
        }
    }

    fn number(&mut self) -> u32 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        number
    }

    fn message(&mut self, raw: Raw, exchange: u32, half: Half, request: Option<Arc<Head>>) -> Message {
        let Raw { head, body, first, last, notes } = raw;
        self.at = last.or(self.at);
        Message {
            connection: self.connection.clone(),
            exchange,
            half,
            head,
            request,
            body,
            first,
            last,
            position: None,
            notes,
        }
    }

    fn missing(&self, exchange: u32, half: Half, request: Option<Arc<Head>>) -> Event {
        Event::Missing { connection: self.connection.clone(), exchange, half, request, at: self.at }
    }
}
