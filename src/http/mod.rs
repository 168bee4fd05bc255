//! HTTP messages, wherever they were read: from TCP by `h1` and `h2`, from a HAR by `transcript`.
//!
//! In: two streams of a connection, or a recorded exchange. Out: [`Message`]s with decoded bodies and their
//! origin, requests paired with responses. Bounds: `limits.http_*`, `limits.body`, `limits.decoded_body`.
//! It does not know what the bodies mean.

pub mod body;
mod chunked;
mod conn;
mod framing;
pub(crate) mod front;
mod h1;
mod h2;
mod head;
pub mod hpack;
mod open;
#[cfg(test)]
#[path = "../../tests/build/http2.rs"]
mod peer;
mod reader;
mod recorded;
mod secure;
mod start;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::anomaly::Anomaly;
use crate::octets::Octets;
use crate::origin::{Origin, Span};
use crate::time::Time;
use crate::tls::{Facts, Handshake};

pub use conn::Conn;
pub use recorded::Recorded;
pub use secure::Source;

/// Which input of the run, in the order they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InputId(pub u32);

/// What is known of the connection that carried a message.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The input it was read from.
    pub input: InputId,
    /// Number of the connection in its input, from 0; for captures the number tshark calls `tcp.stream`.
    pub number: u32,
    /// The side that opened it (or sent the first request).
    pub client: Option<SocketAddr>,
    /// The other side.
    pub server: Option<SocketAddr>,
    /// True over TLS, `None` when the recording does not say.
    pub tls: Option<bool>,
    /// What TLS tells of itself, where its records were captured.
    pub handshake: Option<Handshake>,
    /// Whether the connection's start was captured, so that nothing came before its first message.
    pub from_start: bool,
}

/// Which half of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Half {
    /// Request.
    Request,
    /// Response.
    Response,
}

/// A start line and its headers.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// Method; empty for a response.
    pub method: String,
    /// Request target as sent, or the absolute URL that the recording tool gives; empty for a response.
    pub target: String,
    /// Status code; 0 for a request, or when the recording tool saw no answer.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// `HTTP/1.1`, `HTTP/2` … as recorded.
    pub version: String,
    /// Headers in order; names as sent, values with invalid UTF-8 replaced.
    pub headers: Vec<(String, String)>,
    /// Fields that were sent but cannot be known: HTTP/2 refers to what an earlier head said, and that was not captured; or a log
    /// ends inside the head. Where it is not 0, a header that is not here may have been sent.
    pub unknown: u32,
    /// Where the head was captured.
    pub origin: Origin,
}

impl Head {
    /// First header of that name, without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// All headers of that name, without case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Memory that it takes in bytes, about.
    pub fn memory(&self) -> usize {
        let text = |(name, value): &(String, String)| name.len() + value.len() + size_of::<(String, String)>();
        size_of::<Head>() + self.target.len() + self.origin.memory() + self.headers.iter().map(text).sum::<usize>()
    }

    /// The media type of `Content-Type`, lower case, without parameters; empty when there is none.
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// How much of a body was captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Captured {
    /// All of it.
    Whole,
    /// Bytes are missing (lost or cut packets, an end that was not recorded, a tool's truncation); says which.
    Partly(String),
    /// A limit or an undecodable coding: the bytes that stand here are not what was sent.
    Refused(String),
}

/// A body with its content codings removed.
#[derive(Clone, Debug)]
pub struct Body {
    /// The bytes.
    pub bytes: Octets,
    /// Where they were captured. Not exact once a content coding was removed.
    pub origin: Origin,
    /// Content codings that were removed, outermost last, lower case.
    pub codings: Vec<String>,
    /// Size before that, without the chunked framing; `None` when the recording does not say.
    pub wire_len: Option<u64>,
    /// Whether the bytes are all there.
    pub captured: Captured,
    /// How many bytes it had before an export took secrets out of it; `None` when nothing was taken out.
    pub redacted: Option<u64>,
}

impl Body {
    /// A whole body without codings.
    pub fn whole(bytes: impl Into<Octets>, origin: Origin) -> Body {
        let bytes = bytes.into();
        Body {
            wire_len: Some(bytes.len() as u64),
            bytes,
            origin,
            codings: Vec::new(),
            captured: Captured::Whole,
            redacted: None,
        }
    }

    /// Memory that it takes besides itself, in bytes.
    pub fn memory(&self) -> usize {
        self.bytes.len() + self.origin.memory()
    }

    /// How many bytes were sent, as far as they were captured.
    pub fn size(&self) -> u64 {
        self.redacted.unwrap_or(self.bytes.len() as u64)
    }
}

/// One HTTP message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The connection it ran on.
    pub connection: Arc<Connection>,
    /// Number of the exchange on its connection, from 0; request and response share it.
    pub exchange: u32,
    /// Request or response.
    pub half: Half,
    /// Its head.
    pub head: Arc<Head>,
    /// For a response, the head of the request it answers, when that was captured.
    pub request: Option<Arc<Head>>,
    /// Its body.
    pub body: Body,
    /// When its first byte was captured.
    pub first: Option<Time>,
    /// When its last byte was captured.
    pub last: Option<Time>,
    /// Line and column (from 1, in characters) of the body's first byte in its file, where that is a text.
    pub position: Option<(u32, u32)>,
    /// What was noticed in reading it; spans are in `body.bytes` (empty span: the head or the whole).
    pub notes: Vec<Anomaly>,
}

/// A connection that speaks TLS and cannot be decrypted.
#[derive(Clone, Debug)]
pub struct Encrypted {
    /// The connection.
    pub connection: Arc<Connection>,
    /// The host that the client asked for, lower case, where the capture shows it.
    pub server_name: Option<String>,
    /// Where its first byte was captured.
    pub origin: Origin,
    /// How many connections it stands for: itself, and later ones to the same host.
    pub connections: u64,
}

impl Encrypted {
    /// What the handshake told.
    pub fn facts(&self) -> Facts {
        self.connection.handshake.as_ref().map(Handshake::facts).unwrap_or_default()
    }

    /// The host that the client asked for, else the address that it connected to.
    pub fn host(&self) -> Option<String> {
        self.server_name.clone().or_else(|| Some(self.connection.server?.ip().to_string()))
    }
}

/// What an HTTP source hands on, in the order it happened on each connection.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message that was read to its end, or as far as it was captured.
    Message(Message),
    /// A half of an exchange that must have been sent but was not captured at all.
    Missing {
        /// The connection.
        connection: Arc<Connection>,
        /// The exchange that it belongs to.
        exchange: u32,
        /// Which half is missing.
        half: Half,
        /// The captured half's request head, where there is one.
        request: Option<Arc<Head>>,
        /// About when.
        at: Option<Time>,
    },
    /// The connection speaks TLS and cannot be decrypted.
    Encrypted(Encrypted),
    /// The connection ended.
    Closed {
        /// The connection.
        connection: Arc<Connection>,
        /// How.
        end: crate::stream::End,
        /// When.
        at: Option<Time>,
    },
}

impl Event {
    /// Memory that it takes besides itself, in bytes, about.
    pub fn size(&self) -> usize {
        match self {
            Event::Message(message) => message.body.memory() + message.head.memory(),
            _ => 0,
        }
    }
}

/// A place in a head: nothing finer than the whole is kept.
pub const WHOLE: Span = Span { start: 0, end: 0 };
