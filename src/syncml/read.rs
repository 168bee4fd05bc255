//! From a body to a [`Message`]: what kind of content it is, and its document where it is one.
//!
//! In: an HTTP message, a bare document, or the fact that a message was not captured. The content decides, not what
//! `Content-Type` says: both are kept, so that a rule can compare them.

use std::sync::Arc;

use super::doc::Doc;
use super::message::{Envelope, Kind, Message, Side};
use super::tag::Tag;
use crate::enroll;
use crate::http::front::{front, may_be_xml};
use crate::http::{self, Body, Captured, Connection, Half, Head, InputId};
use crate::limits::Limits;
use crate::origin::Origin;
use crate::time::Time;
use crate::transcript::{Document, Pushed};
use crate::{wbxml, xml};

impl Message {
    /// A message that travelled over HTTP.
    pub fn from_http(message: http::Message, limits: &Limits) -> Message {
        let http::Message { connection, exchange, half, head, request, body, first, last, position, notes } = message;
        let (kind, doc, body) = read(body, &head.media_type(), limits);
        Message {
            input: connection.input,
            kind,
            doc,
            body,
            side: Some(side(half)),
            http: Some(Envelope { connection, exchange, half, head, request }),
            position,
            first,
            last,
            notes,
            retransmission: false,
            in_token: false,
            bearer: None,
        }
    }

    /// A message that must have been sent over HTTP, but was not captured.
    pub fn missing(
        connection: Arc<Connection>,
        exchange: u32,
        half: Half,
        request: Option<Arc<Head>>,
        at: Option<Time>,
    ) -> Message {
        let input = connection.input;
        let envelope = Envelope { connection, exchange, half, head: Arc::default(), request };
        Message { http: Some(envelope), ..Message::not_captured(input, side(half), at) }
    }

    /// A message that a side must have sent somehow, but that was not captured.
    pub fn not_captured(input: InputId, side: Side, at: Option<Time>) -> Message {
        let mut body = Body::whole(Vec::new(), Origin::default());
        body.wire_len = None;
        body.captured = Captured::Partly("the message was not captured".into());
        Message {
            input,
            kind: Kind::Missing,
            doc: Doc::empty(),
            body,
            side: Some(side),
            http: None,
            position: None,
            first: at,
            last: at,
            notes: Vec::new(),
            retransmission: false,
            in_token: false,
            bearer: None,
        }
    }

    /// The provisioning document in the token of an enrollment response, as a message of its own; its bytes cover the
    /// token's. `None` when there is none: what the token holds instead is for a rule to say.
    pub fn in_token(message: &Message, limits: &Limits) -> Option<Message> {
        if message.kind != Kind::Soap || message.side != Some(Side::Server) || message.judged().is_err() {
            return None;
        }
        let token = enroll::Envelope::of(&message.doc)?.token()?;
        let inner = token.0.inner();
        let origin = match message.doc.is_exact() {
            true => message.body.origin.sub(u64::from(inner.start), u64::from(inner.end)).inexact(),
            false => message.body.origin.inexact(),
        };
        let (kind, doc, body) = read(Body::whole(token.decoded()?, origin), "", limits);
        (kind == Kind::Provisioning).then(|| Message {
            input: message.input,
            kind,
            doc,
            body,
            side: message.side,
            http: message.http.clone(),
            position: message.position,
            first: message.first,
            last: message.last,
            notes: Vec::new(),
            retransmission: false,
            in_token: true,
            bearer: None,
        })
    }

    /// A document without HTTP around it.
    pub fn from_document(document: Document, input: InputId, limits: &Limits) -> Message {
        let Document { body, side, at, position } = document;
        let (kind, doc, body) = read(body, "", limits);
        Message {
            input,
            kind,
            doc,
            body,
            side,
            http: None,
            position,
            first: at,
            last: at,
            notes: Vec::new(),
            retransmission: false,
            in_token: false,
            bearer: None,
        }
    }

    /// A push of a server.
    pub fn from_push(pushed: Pushed, input: InputId) -> Message {
        let Pushed { body, bearer, at } = pushed;
        Message { kind: Kind::Push, body, bearer: Some(bearer), ..Message::not_captured(input, Side::Server, at) }
    }

    /// The media type of its HTTP head, lower case; empty without one.
    pub fn media_type(&self) -> String {
        self.http.as_ref().map(|http| http.head.media_type()).unwrap_or_default()
    }
}

fn side(half: Half) -> Side {
    match half {
        Half::Request => Side::Client,
        Half::Response => Side::Server,
    }
}

fn read(body: Body, media_type: &str, limits: &Limits) -> (Kind, Doc, Body) {
    match &body.captured {
        Captured::Refused(_) => return (Kind::Other, Doc::empty(), body),
        Captured::Whole if body.bytes.is_empty() => return (Kind::Empty, Doc::empty(), body),
        _ => {}
    }
    if let Some(known) = wbxml_type(&body.bytes) {
        let doc = wbxml::parse(&body.bytes, limits);
        let kind = doc.root().map_or(known, |root| kind(root.tag(), root.name()));
        return (kind, doc, body);
    }
    if is_html(&body.bytes) {
        return (Kind::Html, Doc::empty(), body);
    }
    if !may_be_xml(&body.bytes) {
        return (Kind::Other, Doc::empty(), body);
    }
    let doc = xml::parse(&body.bytes, limits);
    let kind = match doc.root() {
        Some(root) => kind(root.tag(), root.name()),
        None if is_syncml_type(media_type) => Kind::SyncMl,
        None => Kind::Other,
    };
    (kind, doc, body)
}

fn kind(tag: Tag, name: &str) -> Kind {
    match tag {
        Tag::SyncML => Kind::SyncMl,
        Tag::SyncHdr | Tag::SyncBody => Kind::Fragment,
        tag if tag.has_cmd_id() => Kind::Fragment,
        _ if name.eq_ignore_ascii_case("SyncML") => Kind::SyncMl,
        _ if name.eq_ignore_ascii_case("Envelope") => Kind::Soap,
        _ if name.eq_ignore_ascii_case("wap-provisioningdoc") => Kind::Provisioning,
        _ if name.eq_ignore_ascii_case("html") => Kind::Html,
        _ => Kind::OtherXml,
    }
}

/// Whether a media type (lower case, without parameters) is one of SyncML.
pub fn is_syncml_type(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.syncml")
}

fn is_html(bytes: &[u8]) -> bool {
    let front = front(bytes);
    let starts = |word: &[u8]| front.get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word));
    starts(b"<!doctype html") || starts(b"<html")
}

/// What a WBXML body holds: WBXML with a public identifier of SyncML (0FD1, 0FD3, 1201 and so on, as a number or as a string) or of a
/// provisioning document (0B). Other versions than 1.1 to 1.3 count when all else is SyncML's.
fn wbxml_type(bytes: &[u8]) -> Option<Kind> {
    match bytes {
        [0..=0x0F, 0, 0, _, rest @ ..] => {
            rest.get(1..).is_some_and(|table| table.starts_with(b"-//SYNCML//")).then_some(Kind::SyncMl)
        }
        [0..=0x0F, 0x9F, 0x51..=0x54, ..] | [0..=0x0F, 0xA4, 1..=3, ..] => Some(Kind::SyncMl),
        [1..=3, 0x0B, 0x6A, ..] => Some(Kind::Provisioning),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(bytes: &[u8]) -> Message {
        let body = Body::whole(bytes, Origin::file(0));
        let document = Document { body, side: None, at: None, position: None };
        Message::from_document(document, InputId(0), &Limits::default())
    }

    #[test]
    fn content_tells_the_kind() {
        let kinds: [(&[u8], Kind); 16] = [
            (b"", Kind::Empty),
            (b" <?xml version='1.0'?>\n<SyncML/>", Kind::SyncMl),
            (b"<syncml/>", Kind::SyncMl),
            (b"<s:SyncML xmlns:s='SYNCML:SYNCML1.2'/>", Kind::SyncMl),
            (b"<SyncBody/>", Kind::Fragment),
            (b"<Status/>", Kind::Fragment),
            (b"<s:Envelope/>", Kind::Soap),
            (b"<wap-provisioningdoc/>", Kind::Provisioning),
            (b"<!DOCTYPE html><p>", Kind::Html),
            (b"\xEF\xBB\xBF<HTML>", Kind::Html),
            (b"<feed/>", Kind::OtherXml),
            (b"{\"a\": 1}", Kind::Other),
            (b"log line\n<SyncML/>", Kind::SyncMl),
            (b"<\0S\0y\0n\0c\0M\0L\0/\0>\0", Kind::SyncMl),
            (b"\x02\xA4\x01\x6A\x00\x2D", Kind::SyncMl),
            (b"just <text", Kind::Other),
        ];
        for (bytes, kind) in kinds {
            assert_eq!(document(bytes).kind, kind, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn wbxml_is_read_as_the_document_it_encodes() {
        let named = b"\x02\x00\x00\x6A\x1D-//SYNCML//DTD SyncML 1.2//EN\x6D\x6C\x01\x01";
        for bytes in [named.as_slice(), b"\x02\xA4\x01\x6A\x00\x6D\x6C\x01\x01"] {
            let message = document(bytes);
            assert!(message.is_readable() && message.header().is_some(), "{:?}", message.doc.notes);
        }
        assert!(!document(b"\x02\xA4\x01\x6A\x00\x6D").is_readable());
        let provisioning = document(b"\x03\x0B\x6A\x00\xC5\x46\x01\xC6\x55\x01\x87\x15\x06\x03P\x00\x01\x01\x01");
        assert_eq!((provisioning.kind, provisioning.is_well_formed()), (Kind::Provisioning, true));
    }

    #[test]
    fn a_missing_message_is_never_judged() {
        let message = Message::not_captured(InputId(0), Side::Server, None);
        assert_eq!(message.judged(), Err("the message was not captured"));
        assert!(!message.is_readable());
    }
}
