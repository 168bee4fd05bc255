//! How an example runs: its messages as bare documents, and as HTTP exchanges that a tool recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compose::{Sent, head_of, over_http};
use super::page::End;
use crate::http::{Body, Captured, Connection, Event, Half, Head, InputId, Recorded};
use crate::limits::Limits;
use crate::origin::{Origin, Unit};
use crate::push::{Bearer, Framing};
use crate::session::{Assembler, Session};
use crate::stream;
use crate::syncml::{Message, Side};
use crate::time::Time;
use crate::transcript::{Document, Pushed};

/// The messages as documents without HTTP, put together to sessions.
pub fn as_documents(sent: &[Sent<'_>]) -> Vec<Session> {
    let mut sessions = Vec::new();
    let mut assembler = Assembler::new(&Limits::default());
    let each = &mut |session| sessions.push(session);
    for sent in sent.iter().filter(|sent| !sent.lost) {
        match sent.block.push {
            true => assembler.pushed(message(sent), each),
            false => assembler.document(message(sent), each),
        }
    }
    assembler.finish(&mut |session| sessions.push(session));
    sessions
}

fn message(sent: &Sent<'_>) -> Message {
    let mut body = Body::whole(sent.body.clone(), Origin::file(0));
    cut(sent, &mut body);
    if sent.block.push {
        let bearer = Bearer::of_file(Framing::Wsp);
        return Message::from_push(Pushed { body, bearer, at: Some(Time(sent.at)) }, InputId(0));
    }
    let document = Document { body, side: Some(sent.side), at: Some(Time(sent.at)), position: None };
    Message::from_document(document, InputId(0), &Limits::default())
}

/// Leaves of a body what was captured.
fn cut(sent: &Sent<'_>, body: &mut Body) {
    if let Some(bytes) = sent.cut.and_then(|cut| body.bytes.get(..cut)).filter(|bytes| bytes.len() < body.bytes.len()) {
        body.captured = Captured::Partly(format!("{} of {} bytes were captured", bytes.len(), body.bytes.len()));
        body.bytes = bytes.into();
    }
}

/// A connection of an example, as far as it has gone.
struct Line {
    connection: Arc<Connection>,
    exchange: u32,
    /// The request that was sent last, and whether it was captured.
    request: (Vec<u8>, bool),
}

/// The messages as HTTP exchanges, put together to sessions.
pub fn as_http(sent: &[Sent<'_>]) -> Vec<Session> {
    let mut sessions = Vec::new();
    let mut assembler = Assembler::new(&Limits::default());
    let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
    for message in sent {
        let number = message.block.connection.unwrap_or(1);
        let line = lines.entry(number).or_insert_with(|| line(number, sent));
        for event in line.events(message) {
            assembler.http(event, &mut |session| sessions.push(session));
        }
    }
    let at = sent.last().map(|message| Time(message.at));
    for (number, line) in lines {
        let here = sent.iter().filter(|sent| sent.block.connection.unwrap_or(1) == number);
        let end = match here.filter_map(|sent| sent.block.end).next_back() {
            None => stream::End::Closed,
            Some(End::Reset) => stream::End::Reset,
            Some(End::Open) => continue,
        };
        let closed = Event::Closed { connection: line.connection, end, at };
        assembler.http(closed, &mut |session| sessions.push(session));
    }
    assembler.finish(&mut |session| sessions.push(session));
    sessions
}

fn line(number: u32, sent: &[Sent<'_>]) -> Line {
    let mut here = sent.iter().filter(|sent| sent.block.connection.unwrap_or(1) == number);
    let device = here.find_map(|sent| sent.block.client.as_deref()).unwrap_or("127.0.0.1");
    let server = if device.starts_with("127.") { "127.0.0.1" } else { "10.0.0.1" };
    let address = |ip: &str, port| ip.parse().ok().map(|ip: std::net::IpAddr| (ip, port).into());
    let connection = Connection {
        input: InputId(0),
        number: number.saturating_sub(1),
        client: address(device, 50_000),
        server: address(server, 80),
        tls: Some(false),
        handshake: None,
        from_start: true,
    };
    Line { connection: Arc::new(connection), exchange: 0, request: (Vec::new(), false) }
}

impl Line {
    /// What a source of HTTP says of a message.
    fn events(&mut self, message: &Sent<'_>) -> Vec<Event> {
        let bytes = over_http(&head_of(message), &message.body);
        let half = match message.side {
            Side::Client => Half::Request,
            Side::Server => Half::Response,
        };
        if half == Half::Request {
            self.exchange += u32::from(!self.request.0.is_empty());
            self.request = (bytes.clone(), !message.lost);
        }
        let mut events = Vec::new();
        let recorded = Recorded {
            connection: self.connection.clone(),
            exchange: self.exchange,
            unit: Unit::Entry(self.exchange),
            request: (&self.request.0, Some(Time(message.at))),
            response: (half == Half::Response).then_some((bytes.as_slice(), Some(Time(message.at)))),
        };
        recorded.read(&Limits::default(), &mut |event| events.push(event));
        let is_it = |event: &Event| matches!(event, Event::Message(read) if read.half == half);
        let (mut of_it, others): (Vec<Event>, Vec<Event>) = events.into_iter().partition(is_it);
        if message.lost {
            let asked = others.into_iter().find_map(|event| match event {
                Event::Message(read) => Some(read.head),
                _ => None,
            });
            return vec![self.missing(half, asked, message)];
        }
        for event in &mut of_it {
            if let Event::Message(read) = event {
                cut(message, &mut read.body);
                read.request = read.request.take().filter(|_| self.request.1);
            }
        }
        of_it
    }

    fn missing(&self, half: Half, asked: Option<Arc<Head>>, message: &Sent<'_>) -> Event {
        Event::Missing {
            connection: self.connection.clone(),
            exchange: self.exchange,
            half,
            request: asked.filter(|_| half == Half::Response && self.request.1),
            at: Some(Time(message.at)),
        }
    }
}
