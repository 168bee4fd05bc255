//! Inputs without packets: recordings that already are HTTP messages or SyncML documents.
//!
//! In: a file's bytes and what kind it is. Out: [`Record`]s in the order they were recorded, and what was noticed on
//! the way. Bounds: `limits.body`, `limits.entries`, `limits.unpack_ratio`. It does not know sessions or rules.

mod burp;
pub mod carve;
pub mod har;
pub mod log;
pub mod messages;
mod mitm;
mod roads;
mod saz;
pub mod scan;
pub mod single;
pub mod sniff;
pub mod text;
pub mod unpack;
pub mod viewer;

use std::borrow::Cow;

use crate::anomaly::{self, Anomaly};
use crate::http::{Body, Captured, Event, InputId};
use crate::limits::Limits;
use crate::origin::{Origin, Span, Unit};
use crate::push::Bearer;
use crate::syncml::Side;
use crate::time::Time;

/// What such an input holds, in the order it was recorded.
#[derive(Clone, Debug)]
pub enum Record {
    /// One half of an HTTP exchange (or the end of a connection).
    Http(Event),
    /// A document without HTTP around it.
    Document(Document),
    /// A WAP push.
    Push(Pushed),
    /// A message of a session that was exported.
    Told(Box<messages::Told>),
    /// A comment for this program on an entry, before what the entry holds.
    Remark(Unit, String),
}

/// A WAP push: of a capture, or alone in a file.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// Its bytes, what stands around its content included.
    pub body: Body,
    /// How it travelled.
    pub bearer: Bearer,
    /// When.
    pub at: Option<Time>,
}

/// A SyncML, SOAP or provisioning document cut out of a text, or standing alone in a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its bytes; `captured` says when the recording tool cut them.
    pub body: Body,
    /// Who sent it, when the recording says so.
    pub side: Option<Side>,
    /// When, when the recording says so with a zone.
    pub at: Option<Time>,
    /// Line and column of its first byte in the file, from 1, column in characters.
    pub position: Option<(u32, u32)>,
}

/// A kind of recording without packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// HTTP archive 1.2, also inside zlib (`.zhar`).
    Har,
    /// Fiddler's archive of sessions.
    Saz,
    /// mitmproxy's flow file.
    Mitm,
    /// Burp's "Save items" XML.
    Burp,
    /// Messages as this program exports them, one JSON object a line.
    Messages,
    /// A Windows event log.
    Evtx,
    /// The stream that SyncML Viewer saves.
    SyncmlViewer,
    /// Text or Markdown with documents in it.
    Log,
    /// One SyncML, SOAP or provisioning document.
    Xml,
    /// One SyncML message in WAP Binary XML.
    Wbxml,
    /// One WAP push, or a notification alone; also in hexadecimal.
    Push,
}

impl Kind {
    /// All kinds.
    pub const ALL: &'static [Kind] = &[
        Kind::Har,
        Kind::Saz,
        Kind::Mitm,
        Kind::Burp,
        Kind::Messages,
        Kind::Evtx,
        Kind::SyncmlViewer,
        Kind::Log,
        Kind::Xml,
        Kind::Wbxml,
        Kind::Push,
    ];

    /// Its name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Har => "har",
            Kind::Saz => "saz",
            Kind::Mitm => "mitm",
            Kind::Burp => "burp",
            Kind::Messages => "jsonl",
            Kind::Evtx => "evtx",
            Kind::SyncmlViewer => "syncml-viewer",
            Kind::Log => "log",
            Kind::Xml => "xml",
            Kind::Wbxml => "wbxml",
            Kind::Push => "push",
        }
    }

    /// Whether a file of this kind is one message, so that the files of a directory are messages of one recording.
    pub fn is_single(self) -> bool {
        matches!(self, Kind::Xml | Kind::Wbxml | Kind::Push)
    }

    /// Why this version cannot read it, and what to do instead; `None` when it can.
    pub fn unsupported(self) -> Option<&'static str> {
        match self {
            Kind::Evtx => {
                Some("event logs are not read yet (the MDM log holds no messages): record with SyncML Viewer")
            }
            _ => None,
        }
    }
}

/// What was noticed about a recording as a whole.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Whether it was compressed.
    pub packed: bool,
    /// Notes; spans are in the file, unpacked when it was compressed.
    pub notes: Vec<Anomaly>,
}

impl Summary {
    fn note(&mut self, kind: anomaly::Kind, at: usize, detail: impl Into<String>) {
        self.notes.push(Anomaly::new(kind, Span::new(at, at), detail));
    }
}

/// Reads a recording and hands its records to `out`, in order.
pub fn read(kind: Kind, data: &[u8], input: InputId, limits: &Limits, out: &mut dyn FnMut(Record)) -> Summary {
    let mut summary = Summary::default();
    let data = match unpack::unpack(data, limits, &mut summary) {
        Some(unpacked) => Cow::Owned(unpacked),
        None => Cow::Borrowed(data),
    };
    summary.packed = matches!(data, Cow::Owned(_));
    match kind {
        Kind::Har => har::read(&data, input, limits, &mut summary, out),
        Kind::SyncmlViewer => viewer::read(&data, limits, out),
        Kind::Log => log::read(&data, input, limits, out),
        Kind::Xml => single::read(&data, limits, out),
        Kind::Wbxml => single::binary(&data, limits, out),
        Kind::Push => single::push(&data, limits, out),
        Kind::Saz => saz::read(&data, input, limits, &mut summary, out),
        Kind::Mitm => mitm::read(&data, input, limits, &mut summary, out),
        Kind::Messages => messages::read(&data, input, limits, &mut summary, out),
        Kind::Burp => burp::read(&data, input, limits, &mut summary, out),
        Kind::Evtx => {
            let why = kind.unsupported().unwrap_or_default();
            summary.note(anomaly::Kind::SourceUnsupported, 0, why);
        }
    }
    summary
}

/// A body of text that may have been rewritten by the recording tool; refused when it is over the limit.
fn body(bytes: &[u8], origin: Origin, captured: Captured, limits: &Limits) -> Body {
    let kept = bytes.get(..limits.body).unwrap_or(bytes);
    let captured = match bytes.len() > kept.len() {
        true => Captured::Refused(format!("it has {} bytes, over the limit of {}", bytes.len(), limits.body)),
        false => captured,
    };
    Body { bytes: kept.into(), origin, codings: Vec::new(), wire_len: None, captured, redacted: None }
}
