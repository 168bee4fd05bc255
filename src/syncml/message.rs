//! One message of a DM exchange: its document, how it travelled, and how much of it was captured.

use std::sync::Arc;

use super::doc::Doc;
use super::view::Header;
use crate::anomaly::{self, Anomaly};
use crate::http::{Body, Captured, Connection, Half, Head, InputId};
use crate::push::{Bearer, Push};
use crate::time::Time;

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The device.
    Client,
    /// The management server.
    Server,
}

impl Side {
    /// The other one.
    pub fn peer(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }

    /// `client` or `server`, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Side::Client => "client",
            Side::Server => "server",
        }
    }
}

/// What a body turned out to be, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A document with root `SyncML`, in any case of letters.
    SyncMl,
    /// A piece of one: `SyncHdr`, `SyncBody` or a command as root.
    Fragment,
    /// A SOAP envelope.
    Soap,
    /// `wap-provisioningdoc`.
    Provisioning,
    /// A WAP push.
    Push,
    /// A web page.
    Html,
    /// Other XML.
    OtherXml,
    /// No byte at all.
    Empty,
    /// Anything else.
    Other,
    /// It must have been sent, but was not captured.
    Missing,
}

/// The HTTP side of a message.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The connection.
    pub connection: Arc<Connection>,
    /// Number of the exchange on it.
    pub exchange: u32,
    /// Request or response.
    pub half: Half,
    /// Its head; for a [`Kind::Missing`] message an empty one.
    pub head: Arc<Head>,
    /// For a response, its request's head.
    pub request: Option<Arc<Head>>,
}

impl Envelope {
    /// The head of the request of this exchange.
    pub fn request_head(&self) -> Option<&Head> {
        match self.half {
            Half::Request => Some(&self.head),
            Half::Response => self.request.as_deref(),
        }
    }
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The input it was read from.
    pub input: InputId,
    /// What its body is.
    pub kind: Kind,
    /// Its document; empty when the body is none.
    pub doc: Doc,
    /// Its body.
    pub body: Body,
    /// Who sent it, as far as HTTP or (once it lies in a session) its content tells.
    pub side: Option<Side>,
    /// How it travelled; `None` for text logs and single files.
    pub http: Option<Envelope>,
    /// Line and column (from 1, in characters) of the body's first byte in its file, for text inputs.
    pub position: Option<(u32, u32)>,
    /// First byte's time.
    pub first: Option<Time>,
    /// Last byte's time.
    pub last: Option<Time>,
    /// What the layers below the document noticed; spans are in `body.bytes`.
    pub notes: Vec<Anomaly>,
    /// Whether it is the message before it of the same side once more, byte for byte, because no answer came through.
    /// It stays where it was sent, but commands and references are counted on the first copy alone.
    pub retransmission: bool,
    /// Whether it did not travel by itself: it was decoded out of the token of the message before it.
    pub in_token: bool,
    /// How it travelled, when it is a push.
    pub bearer: Option<Bearer>,
}

impl Message {
    /// Its header, when it is a SyncML document that has one.
    pub fn header(&self) -> Option<Header<'_>> {
        self.doc.header()
    }

    /// What it says, when it is a push.
    pub fn push(&self) -> Option<Push<'_>> {
        Some(Push::read(&self.body.bytes, self.bearer?.framing))
    }

    /// Memory that it takes in bytes, about.
    pub fn size(&self) -> usize {
        let head = self.http.as_ref().map_or(0, |http| http.head.memory());
        size_of::<Message>().saturating_add(head).saturating_add(self.body.memory()).saturating_add(self.doc.size())
    }

    /// `SyncHdr/MsgID`.
    pub fn msg_id(&self) -> Option<&str> {
        self.header()?.msg_id()
    }

    /// Whether it speaks data synchronization (`VerProto` SyncML/1.x) and not device management.
    pub fn is_data_sync(&self) -> bool {
        self.header().and_then(Header::ver_proto).is_some_and(|version| version.starts_with("SyncML/"))
    }

    /// Whether the bytes are those that were sent, so that their content can be judged; else why not.
    pub fn judged(&self) -> Result<(), &str> {
        match (&self.kind, &self.body.captured) {
            (_, Captured::Partly(why) | Captured::Refused(why)) => Err(why),
            (Kind::Missing, _) => Err("the message was not captured"),
            _ => Ok(()),
        }
    }

    /// Judged and a readable SyncML document: what the rules on content look at.
    pub fn is_readable(&self) -> bool {
        matches!(self.kind, Kind::SyncMl | Kind::Fragment) && self.judged().is_ok() && self.is_well_formed()
    }

    /// Whether its document was read to the end as its sender meant it.
    pub fn is_well_formed(&self) -> bool {
        !self.doc.notes.iter().any(|note| note.kind.stops_decoding() && !self.allows(note.kind))
    }

    /// Several commands side by side are a fragment, as in policy templates, not a broken document.
    pub fn allows(&self, kind: anomaly::Kind) -> bool {
        self.kind == Kind::Fragment && kind == anomaly::Kind::XmlSecondRoot
    }
}
