//! What a TCP connection speaks, told by its first bytes, and who reads it.
//!
//! In: two streams. Out: the events of HTTP/1.x and HTTP/2, also over TLS. A connection that speaks anything else is
//! dropped at once. After CONNECT or an upgrade the rest of the streams is looked at anew.

use std::sync::Arc;

use super::h1::{CLIENT, Http1, Pending, SERVER};
use super::h2::{self, Http2};
use super::reader::Begin;
use super::secure::{Secure, Source};
use super::start::{self, Sign};
use super::{Connection, Event};
use crate::limits::Limits;
use crate::stream::{End, Gap, Stream};
use crate::tcp::{Consumer, Opening, Role};
use crate::time::Time;
use crate::tls::Phase;

/// How deep TLS may lie in TLS: a proxy that is spoken to by TLS, and what is behind it.
const MAX_DEPTH: u32 = 2;

/// A connection, as far as it is known what it speaks.
#[derive(Debug)]
pub struct Conn {
    connection: Arc<Connection>,
    source: Source,
    limits: Arc<Limits>,
    protocol: Protocol,
    exchanges: u32,
    /// How many layers of TLS are around it.
    depth: u32,
}

#[derive(Debug)]
enum Protocol {
    Probing(Probe),
    Http1(Box<Http1>),
    Http2(Box<Http2>),
    Tls(Box<Secure>),
    Ignored,
}

/// What the first bytes of the two streams told so far.
#[derive(Debug)]
struct Probe {
    begin: [Begin; 2],
    passed: usize,
    /// What HTTP/1 ended with, when it gave way to another protocol.
    upgraded: Option<Pending>,
}

/// What one stream tells.
enum Told {
    Http1,
    Http2,
    Tls,
    Other,
    Nothing,
}

impl Probe {
    /// A stream that does not begin with its first byte may begin within a message.
    fn new(from_start: [bool; 2]) -> Probe {
        let begin = from_start.map(|from_start| if from_start { Begin::Start } else { Begin::Within });
        Probe { begin, passed: 0, upgraded: None }
    }

    /// Looks at what one stream begins with; drops what is not the beginning of anything.
    fn look(&mut self, side: usize, stream: &mut Stream, limits: &Limits) -> Told {
        loop {
            let bytes = stream.bytes();
            match start::tls(bytes) {
                Sign::Yes => return Told::Tls,
                Sign::Maybe if !bytes.is_empty() && stream.next_gap().is_none() => return Told::Nothing,
                _ => {}
            }
            if side == CLIENT && start::preface(bytes) == Sign::Yes {
                self.begin[side] = Begin::Start;
                return Told::Http2;
            }
            if self.begin[side] == Begin::Start {
                let other = if side == CLIENT { start::preface(bytes) } else { start::settings(bytes) };
                match other {
                    Sign::Yes => return Told::Http2,
                    Sign::Maybe if !bytes.is_empty() && stream.next_gap().is_none() => return Told::Nothing,
                    _ => {}
                }
                let sign = if side == CLIENT { start::request(bytes) } else { start::response(bytes) };
                match sign {
                    _ if other == Sign::Maybe && !bytes.is_empty() => self.begin[side] = Begin::Lost,
                    Sign::Yes => return Told::Http1,
                    Sign::No if !bytes.is_empty() => return Told::Other,
                    _ => match stream.next_gap() {
                        None => return Told::Nothing,
                        // Behind lost records of a handshake: whether a message was among them, the other side's tell.
                        Some(Gap { len: None, .. }) if bytes.is_empty() => self.begin[side] = Begin::Within,
                        Some(_) => self.begin[side] = Begin::Lost,
                    },
                }
            }
            let found = if side == CLIENT { start::find_request(bytes) } else { start::find_response(bytes) };
            if found.is_some() {
                return Told::Http1;
            }
            if let Some(at) = h2::is_within(bytes) {
                stream.consume(at);
                return Told::Http2;
            }
            let tail = if stream.next_gap().is_some() { 0 } else { start::MAX_LINE };
            let count = bytes.len().saturating_sub(tail);
            self.passed = self.passed.saturating_add(count);
            stream.consume(count);
            if self.passed > limits.body {
                return Told::Other;
            }
            if stream.skip_gap().is_none() {
                return Told::Nothing;
            }
        }
    }
}

impl Conn {
    /// Finds out what the streams speak; false when more bytes are needed.
    fn probe(&mut self, streams: &mut [Stream; 2]) -> bool {
        let Protocol::Probing(probe) = &mut self.protocol else { return false };
        let told = [CLIENT, SERVER].map(|side| probe.look(side, &mut streams[side], &self.limits));
        let begin = probe.begin;
        self.protocol = match told {
            [Told::Http2, _] | [_, Told::Http2] => {
                let begin =
                    if begin[CLIENT] == Begin::Start && !streams[SERVER].seen { [Begin::Start; 2] } else { begin };
                let (connection, upgraded) = (self.connection.clone(), probe.upgraded.take());
                Protocol::Http2(Box::new(Http2::new(connection, begin, self.exchanges, upgraded, &self.limits)))
            }
            [Told::Http1, _] | [_, Told::Http1] => {
                Protocol::Http1(Box::new(Http1::new(self.connection.clone(), begin, self.exchanges)))
            }
            [Told::Tls, _] | [_, Told::Tls] if self.depth < MAX_DEPTH => {
                let (from_start, depth) = (begin == [Begin::Start; 2], self.depth + 1);
                let (outer, limits) = (&self.connection, &self.limits);
                let tls = Secure::new(outer, &self.source, self.exchanges, from_start, streams, limits, depth);
                Protocol::Tls(Box::new(tls))
            }
            [Told::Tls, _] | [_, Told::Tls] => Protocol::Ignored,
            [Told::Other, _] | [_, Told::Other] => Protocol::Ignored,
            [Told::Nothing, Told::Nothing] => return false,
        };
        true
    }

    /// What is spoken inside TLS.
    pub(super) fn inside(
        connection: Arc<Connection>,
        source: Source,
        exchanges: u32,
        from_start: bool,
        limits: Arc<Limits>,
        depth: u32,
    ) -> Conn {
        let protocol = Protocol::Probing(Probe::new([from_start; 2]));
        Conn { connection, source, limits, protocol, exchanges, depth }
    }
}

impl Consumer for Conn {
    type Context = Source;
    type Event = Event;

    fn open(source: &Source, opening: Opening, limits: &Arc<Limits>) -> Conn {
        let Opening { number, client, server, from_start } = opening;
        let (client, server) = (Some(client), Some(server));
        let (input, tls) = (source.input, Some(false));
        let connection = Connection { input, number, client, server, tls, handshake: None, from_start };
        let conn = Conn::inside(Arc::new(connection), source.clone(), 0, from_start, limits.clone(), 0);
        // Where one was under way when the capture began, it is by how it is read that TCP tells where the next begins.
        match from_start && !source.wants(number) {
            true => Conn { protocol: Protocol::Ignored, ..conn },
            false => conn,
        }
    }

    fn speaker(first: &[u8]) -> Option<Role> {
        if start::response(first) == Sign::Yes || matches!(first, [22, 3, _, _, _, 2, ..]) {
            Some(Role::Server)
        } else if start::request(first) == Sign::Yes
            || start::preface(first) == Sign::Yes
            || matches!(first, [22, 3, _, _, _, 1, ..])
        {
            Some(Role::Client)
        } else {
            None
        }
    }

    fn advance(&mut self, streams: &mut [Stream; 2], out: &mut dyn FnMut(Event)) {
        let mut left_at = None;
        loop {
            match &mut self.protocol {
                Protocol::Probing(_) => {
                    if !self.probe(streams) {
                        return;
                    }
                }
                Protocol::Http1(http) => {
                    if !http.advance(streams, &self.limits, out) {
                        return;
                    }
                    self.exchanges = http.next_exchange();
                    let at = streams.each_ref().map(Stream::offset);
                    if left_at.replace(at) == Some(at) {
                        // It gives way where it was taken up.
                        self.protocol = Protocol::Ignored;
                        return;
                    }
                    let upgraded = http.take_upgraded();
                    self.protocol = Protocol::Probing(Probe { upgraded, ..Probe::new([true; 2]) });
                }
                Protocol::Http2(http) => return http.advance(streams, &self.limits, out),
                Protocol::Tls(tls) => {
                    if !tls.advance(streams, Phase::Running, out) {
                        tls.close(streams, None, Phase::Final, out);
                        self.protocol = Protocol::Ignored;
                    }
                    return;
                }
                Protocol::Ignored => return,
            }
        }
    }

    fn close(&mut self, streams: &mut [Stream; 2], at: Option<Time>, out: &mut dyn FnMut(Event)) {
        self.advance(streams, out);
        if matches!(self.protocol, Protocol::Tls(_)) {
            let protocol = std::mem::replace(&mut self.protocol, Protocol::Ignored);
            let Protocol::Tls(tls) = protocol else { return };
            return tls.end(streams, at, &self.source, &self.limits, out);
        }
        let ends = streams.each_ref().map(|stream| stream.end().unwrap_or(End::Unknown));
        if let Protocol::Http2(http) = &mut self.protocol {
            http.close(ends, &self.limits, out);
        }
        if self.exchanges > 0 || matches!(self.protocol, Protocol::Http1(_) | Protocol::Http2(_)) {
            // What was lost last may have been an answer.
            let lost = streams.iter().any(Stream::ends_in_gap);
            let end = match ends {
                _ if lost => End::Unknown,
                [End::Reset, _] | [_, End::Reset] => End::Reset,
                [End::Closed, End::Closed] => End::Closed,
                _ => End::Unknown,
            };
            out(Event::Closed { connection: self.connection.clone(), end, at });
        }
    }

    fn held(&self) -> usize {
        match &self.protocol {
            Protocol::Http1(http) => http.held(),
            Protocol::Http2(http) => http.held(),
            Protocol::Tls(tls) => tls.held(),
            Protocol::Probing(_) | Protocol::Ignored => 0,
        }
    }

    fn wants_more(&self) -> bool {
        !matches!(self.protocol, Protocol::Ignored)
    }
}
