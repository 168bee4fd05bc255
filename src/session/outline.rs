//! What is kept of a session whose messages are not: enough to find these in the inputs again, and to put the session
//! together as it was.
//!
//! In: a session. Out: its [`Outline`], some 60 bytes a message; and the session once more, from the messages read
//! again. A message counts as the same when its body is, byte for byte as far as a sum tells.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::{Edge, Flavor, Outcome, Session, chunk, exchange};
use crate::http::{Event, Half, InputId};
use crate::origin::{Origin, Unit};
use crate::syncml::{Kind, Message, Side};
use crate::time::Time;

/// Where in the inputs a message stands. Only in a file of exported messages several may have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The input.
    pub input: InputId,
    /// Where in it.
    pub place: Place,
}

/// Where in an input a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// In this exchange of this connection.
    Exchange(u32, u32, Half),
    /// In this line and column.
    Text(u32, u32),
    /// In this frame, without a connection.
    Frame(u32),
    /// It is the input.
    Whole,
}

impl Key {
    /// Of a message.
    pub fn of(message: &Message) -> Key {
        let place = match (&message.http, message.position) {
            (Some(http), _) => Place::Exchange(http.connection.number, http.exchange, http.half),
            (None, _) if message.kind == Kind::Push => Place::of_push(&message.body.origin),
            (None, position) => Place::of(position),
        };
        Key { input: message.input, place }
    }

    /// Of what an HTTP source hands on, where that is a message.
    pub fn of_event(event: &Event) -> Option<Key> {
        let (connection, exchange, half) = match event {
            Event::Message(message) => (&message.connection, message.exchange, message.half),
            Event::Missing { connection, exchange, half, .. } => (connection, *exchange, *half),
            Event::Encrypted(_) | Event::Closed { .. } => return None,
        };
        Some(Key { input: connection.input, place: Place::Exchange(connection.number, exchange, half) })
    }
}

impl Place {
    /// Of a push.
    pub fn of_push(origin: &Origin) -> Place {
        match origin.runs().first().map(|run| run.unit) {
            Some(Unit::Frame(frame)) => Place::Frame(frame),
            _ => Place::Whole,
        }
    }

    /// Of a document without HTTP.
    pub fn of(position: Option<(u32, u32)>) -> Place {
        position.map_or(Place::Whole, |(line, column)| Place::Text(line, column))
    }
}

/// A message of an outline.
#[derive(Clone, Debug)]
struct Part {
    key: Key,
    kind: Kind,
    side: Option<Side>,
    retransmission: bool,
    at: Option<Time>,
    /// A sum of its body.
    sum: u32,
}

/// Messages that were read again.
pub type Found = HashMap<Key, Vec<Message>>;

/// See the module's head.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The session's number.
    pub number: u32,
    /// Whether its first message was captured.
    pub start: Edge,
    /// Whether its end was captured.
    pub end: Edge,
    flavor: Flavor,
    session_id: Option<String>,
    device: Option<String>,
    server: Option<String>,
    outcome: Outcome,
    watched_until: Option<Time>,
    sealed: bool,
    parts: Box<[Part]>,
}

impl Outline {
    /// Of a session.
    pub fn of(session: &Session) -> Outline {
        let part = |message: &Message| Part {
            key: Key::of(message),
            kind: message.kind,
            side: message.side,
            retransmission: message.retransmission,
            at: message.first,
            sum: sum(message),
        };
        Outline {
            number: session.number,
            start: session.start.clone(),
            end: session.end.clone(),
            flavor: session.flavor,
            session_id: session.session_id.clone(),
            device: session.device.clone(),
            server: session.server.clone(),
            outcome: session.outcome,
            watched_until: session.watched_until,
            sealed: session.sealed,
            parts: session.messages.iter().map(part).collect(),
        }
    }

    /// Where the messages stand that have to be read again.
    pub fn wanted(&self) -> impl Iterator<Item = Key> {
        self.parts.iter().filter(|part| part.kind != Kind::Missing).map(|part| part.key)
    }

    /// Where something may be told of those that were not captured.
    pub fn missing(&self) -> impl Iterator<Item = Key> {
        self.parts.iter().filter(|part| part.kind == Kind::Missing).map(|part| part.key)
    }

    /// The session, from its messages; `None` when one is not there or is not what it was.
    pub fn session(&self, found: &Found) -> Option<Session> {
        let messages: Option<Vec<Message>> = self.parts.iter().map(|part| part.message(found)).collect();
        let mut session = Session::new(self.number, messages?);
        session.flavor = self.flavor;
        session.session_id.clone_from(&self.session_id);
        session.device.clone_from(&self.device);
        session.server.clone_from(&self.server);
        session.start.clone_from(&self.start);
        session.end.clone_from(&self.end);
        session.outcome = self.outcome;
        session.watched_until = self.watched_until;
        session.sealed = self.sealed;
        session.pair();
        Some(session)
    }
}

impl Part {
    fn message(&self, found: &Found) -> Option<Message> {
        let here = found.get(&self.key).map(Vec::as_slice).unwrap_or_default();
        let same = here.iter().find(|message| message.kind == self.kind && sum(message) == self.sum).cloned();
        let message = match self.kind {
            Kind::Missing => same.unwrap_or_else(|| self.missing(found)),
            _ => same?,
        };
        Some(Message { side: self.side, retransmission: self.retransmission, ..message })
    }

    /// One that was not captured: of its exchange the other half was.
    fn missing(&self, found: &Found) -> Message {
        let other = match self.key.place {
            Place::Exchange(connection, exchange, half) => {
                let other = if half == Half::Request { Half::Response } else { Half::Request };
                let key = Key { place: Place::Exchange(connection, exchange, other), ..self.key };
                let http = found.get(&key).and_then(|messages| messages.first()?.http.as_ref());
                http.map(|http| (http, exchange, half))
            }
            _ => None,
        };
        match (other, self.side) {
            (Some((http, exchange, half)), _) => {
                let request = (half == Half::Response).then(|| Arc::clone(&http.head));
                Message::missing(Arc::clone(&http.connection), exchange, half, request, self.at)
            }
            (None, Some(side)) => Message::not_captured(self.key.input, side, self.at),
            (None, None) => Message::left_out(self.key.input),
        }
    }
}

impl Session {
    /// Pairs commands with their answers and puts large objects together.
    pub(super) fn pair(&mut self) {
        if self.flavor == Flavor::Dm {
            self.index.remember(exchange::references(self));
            self.exchanges = exchange::pair(self);
            self.objects = chunk::large_objects(self);
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a part of the sum does")]
fn sum(message: &Message) -> u32 {
    FixedState::default().hash_one(&*message.body.bytes) as u32
}
