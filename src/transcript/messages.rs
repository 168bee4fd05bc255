//! Messages as `dmscope export --to jsonl` writes them: one JSON object a line, schema `dmscope/message/1`.
//!
//! In: lines. Out: the messages, each with its place in the session that it was exported from, so that a session is judged
//! as it was. A line without a session is a message like one of any other recording. `docs/messages-jsonl.md` describes the
//! fields; [`Line`] is the one place that has them, for reading and for writing. A line that is broken is told and passed
//! over. Bound: `limits.line`; one line is in memory at a time.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Document, Pushed, Record, Summary};
use crate::anomaly::{self, Anomaly, Tally};
use crate::http::{self, Body, Captured, Connection, Event, Half, Head, InputId};
use crate::limits::Limits;
use crate::origin::{Origin, Run, Span, Unit};
use crate::push::{Bearer, Framing};
use crate::syncml::Side;
use crate::time::Time;
use crate::tls::{Facts, Handshake};

/// The schema that is written, and read.
pub const SCHEMA: &str = "dmscope/message/1";
/// What the name of each version of it begins with.
const FAMILY: &str = "dmscope/message/";

/// A message of a session that was exported.
#[derive(Clone, Debug)]
pub struct Told {
    /// The session, and the message's place in it.
    pub session: Context,
    /// The message; of one that was not captured, only what HTTP tells of it.
    pub record: Box<Record>,
    /// Whether it was not captured.
    pub missing: bool,
    /// Who sent it.
    pub side: Option<Side>,
    /// Whether it was sent before.
    pub retransmission: bool,
}

/// A line.
#[derive(Debug, Deserialize, Serialize)]
pub struct Line<'a> {
    /// [`SCHEMA`].
    #[serde(borrow)]
    pub schema: Cow<'a, str>,
    /// The input that the message was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Context>,
    /// `client` or `server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Sender>,
    /// What it is, as dmscope understood it; told, not read.
    #[serde(default, skip_serializing_if = "str::is_empty", borrow)]
    pub kind: Cow<'a, str>,
    /// `MsgID`; told, not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg_id: Option<String>,
    /// When its first byte was captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Moment>,
    /// When its last byte was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Moment>,
    /// It was sent, but not captured.
    #[serde(default, skip_serializing_if = "is_false")]
    pub missing: bool,
    /// It is the one before it of its side, sent once more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retransmission: bool,
    /// Secrets were masked.
    #[serde(default, skip_serializing_if = "is_false")]
    pub redacted: bool,
    /// How it travelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// How it travelled, when it is a push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushRoad>,
    /// Where its body was captured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<Frame>,
    /// Line and column of the body in a text input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<(u32, u32)>,
    /// Its body.
    #[serde(default, borrow)]
    pub body: Content<'a>,
    /// What was noticed in reading it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// The session of a message.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Context {
    /// Its key in the capture: `s1`.
    pub key: String,
    /// The place of the message in it, from 1.
    pub message: u32,
    /// How many messages it has.
    pub messages: u32,
    /// Whether it is an enrollment.
    #[serde(default, skip_serializing_if = "is_false")]
    pub enrollment: bool,
    /// `SessionID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Why its start was not captured; absent when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_missing: Option<String>,
    /// The same of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_missing: Option<String>,
    /// Until when the recording went on, where that is later than the session's last message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched_until: Option<Moment>,
    /// Whether a connection that could not be decrypted may have held messages of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sealed: bool,
    /// How it went.
    pub outcome: String,
}

/// Who sent a message.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Sender {
    Client,
    Server,
}

/// Which half of an exchange.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Direction {
    Request,
    Response,
}

/// A time: RFC 3339 with nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Time);

/// The HTTP side of a message.
#[derive(Debug, Deserialize, Serialize)]
pub struct Http {
    /// Request or response.
    pub half: Direction,
    /// Number of the exchange on its connection.
    #[serde(default)]
    pub exchange: u32,
    /// Its head.
    #[serde(flatten)]
    pub head: Start,
    /// For a response, the head of its request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Start>,
    /// The connection.
    #[serde(default)]
    pub connection: Road,
}

/// A start line with headers.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Start {
    /// Method.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// Target.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// Status code.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: u16,
    /// Reason phrase.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Fields that cannot be known.
    #[serde(skip_serializing_if = "is_zero_32")]
    pub unknown_fields: u32,
    /// Where it was captured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub head_frames: Vec<Frame>,
}

/// A connection.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Road {
    /// Its number in its input.
    pub number: u32,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<SocketAddr>,
    /// The server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<SocketAddr>,
    /// Whether it ran over TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<bool>,
    /// What TLS told of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Facts>,
    /// Whether its start was captured.
    #[serde(skip_serializing_if = "is_false")]
    pub from_start: bool,
}

/// How a push travelled.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PushRoad {
    /// What stands around its content: `notification` (nothing), `wsp` or `wtp`.
    pub framing: String,
    /// Who sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SocketAddr>,
    /// To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<SocketAddr>,
}

/// A stretch of bytes and where it was captured, up to the next stretch.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Frame {
    /// Its first byte in the body.
    #[serde(skip_serializing_if = "is_zero_64")]
    pub at: u64,
    /// The packet; or
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u32>,
    /// the entry of a list; without either, the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u32>,
    /// Offset of the first byte in it, where the bytes stand there as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// When it was captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Moment>,
}

/// A body.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Content<'a> {
    /// It as text; or
    #[serde(skip_serializing_if = "Option::is_none", borrow)]
    pub text: Option<Cow<'a, str>>,
    /// as base64, when it is none.
    #[serde(skip_serializing_if = "Option::is_none", borrow)]
    pub base64: Option<Cow<'a, str>>,
    /// How many bytes it had before secrets were masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Content codings that were removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codings: Vec<String>,
    /// Size before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wire_bytes: Option<u64>,
    /// What is missing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<String>,
    /// Why it is not what was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// An anomaly.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Note {
    /// Its code.
    pub kind: String,
    /// What was seen.
    pub detail: String,
    /// Where in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<(u32, u32)>,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u16) -> bool {
    *value == 0
}

fn is_zero_32(value: &u32) -> bool {
    *value == 0
}

fn is_zero_64(value: &u64) -> bool {
    *value == 0
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.exact())
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let time = Time::parse(&text);
        time.map(Moment).ok_or_else(|| serde::de::Error::custom("a time that is not RFC 3339"))
    }
}

impl Sender {
    /// The sender of a side.
    pub fn of(side: Side) -> Sender {
        match side {
            Side::Client => Sender::Client,
            Side::Server => Sender::Server,
        }
    }

    fn side(self) -> Side {
        match self {
            Sender::Client => Side::Client,
            Sender::Server => Side::Server,
        }
    }
}

impl PushRoad {
    /// The road of a push.
    pub fn of(bearer: Bearer) -> PushRoad {
        let (source, destination) = bearer.ends.unzip();
        PushRoad { framing: bearer.framing.name().to_owned(), source, destination }
    }

    fn bearer(self) -> Result<Bearer, String> {
        let framing = Framing::ALL.into_iter().find(|framing| framing.name() == self.framing);
        let framing = framing.ok_or_else(|| format!("no such framing of a push: {:?}", self.framing))?;
        Ok(Bearer { framing, ends: self.source.zip(self.destination) })
    }
}

impl Frame {
    /// The stretches of an origin.
    pub fn all(origin: &Origin) -> Vec<Frame> {
        let frame = |run: &Run| {
            let (frame, entry) = match run.unit {
                Unit::Frame(number) => (Some(number), None),
                Unit::Entry(number) => (None, Some(number)),
                Unit::File => (None, None),
            };
            Frame { at: run.at, frame, entry, offset: run.exact.then_some(run.offset), time: run.time.map(Moment) }
        };
        origin.runs().iter().map(frame).collect()
    }

    fn origin(frames: &[Frame]) -> Origin {
        let mut origin = Origin::default();
        let mut last = 0;
        for frame in frames {
            let unit = match (frame.frame, frame.entry) {
                (Some(number), _) => Unit::Frame(number),
                (None, Some(number)) => Unit::Entry(number),
                (None, None) => Unit::File,
            };
            // Runs are sorted; a file may say anything.
            last = frame.at.max(last);
            let (offset, exact) = (frame.offset.unwrap_or(0), frame.offset.is_some());
            origin.push(Run { at: last, unit, offset, time: frame.time.map(|time| time.0), exact });
        }
        origin
    }
}

impl Start {
    /// The start of a head.
    pub fn of(head: &Head) -> Start {
        Start {
            method: head.method.clone(),
            target: head.target.clone(),
            status: head.status,
            reason: head.reason.clone(),
            version: head.version.clone(),
            headers: head.headers.clone(),
            unknown_fields: head.unknown,
            head_frames: Frame::all(&head.origin),
        }
    }

    fn head(self) -> Head {
        Head {
            method: self.method,
            target: self.target,
            status: self.status,
            reason: self.reason,
            version: self.version,
            headers: self.headers,
            unknown: self.unknown_fields,
            origin: Frame::origin(&self.head_frames),
        }
    }
}

impl<'a> Content<'a> {
    /// A body as it is written.
    pub fn of(body: &'a Body) -> Content<'a> {
        let text = body.bytes.text().map(Cow::Borrowed);
        let base64 = text.is_none().then(|| STANDARD.encode(&body.bytes).into());
        let (truncated, refused) = match &body.captured {
            Captured::Whole => (None, None),
            Captured::Partly(why) => (Some(why.clone()), None),
            Captured::Refused(why) => (None, Some(why.clone())),
        };
        let (codings, wire_bytes) = (body.codings.clone(), body.wire_len);
        Content { text, base64, bytes: body.redacted, codings, wire_bytes, truncated, refused }
    }

    fn body(self, origin: Origin, limits: &Limits) -> Result<Body, String> {
        let bytes: Cow<'_, [u8]> = match (&self.text, &self.base64) {
            (Some(text), _) => Cow::Borrowed(text.as_bytes()),
            (None, Some(base64)) => {
                STANDARD.decode(base64.as_bytes()).map_err(|error| format!("base64: {error}"))?.into()
            }
            (None, None) => Cow::Borrowed(&[]),
        };
        let captured = match (self.refused, self.truncated) {
            (Some(why), _) => Captured::Refused(why),
            (None, Some(why)) => Captured::Partly(why),
            (None, None) => Captured::Whole,
        };
        let most = Limits { body: limits.decoded_body.max(limits.body), ..limits.clone() };
        let body = super::body(&bytes, origin, captured, &most);
        Ok(Body { codings: self.codings, wire_len: self.wire_bytes, redacted: self.bytes, ..body })
    }
}

/// Reads lines, and keeps what they share.
pub struct Reader<'l> {
    input: InputId,
    limits: &'l Limits,
    roads: HashMap<u32, Arc<Connection>>,
    line: u64,
    notes: Tally,
}

/// Reads all lines of a file.
pub(super) fn read(data: &[u8], input: InputId, limits: &Limits, summary: &mut Summary, out: &mut dyn FnMut(Record)) {
    let mut reader = Reader::new(input, limits);
    data.split(|byte| *byte == b'\n').for_each(|line| reader.line(line, out));
    summary.notes.extend(reader.finish());
}

impl<'l> Reader<'l> {
    /// A reader before its first line.
    pub fn new(input: InputId, limits: &'l Limits) -> Reader<'l> {
        Reader { input, limits, roads: HashMap::new(), line: 0, notes: Tally::default() }
    }

    /// Reads the next line and hands on its message.
    pub fn line(&mut self, line: &[u8], out: &mut dyn FnMut(Record)) {
        self.line += 1;
        let line = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| self.line == 1).unwrap_or(line).trim_ascii();
        if line.is_empty() {
            return;
        }
        if line.len() > self.limits.line {
            let (number, most) = (self.line, self.limits.line);
            return self.notes.note(anomaly::Kind::LimitBody, || {
                format!("line {number} has more than {most} bytes; it was not read")
            });
        }
        if let Err(why) = self.message(line, out) {
            let number = self.line;
            self.notes.note(anomaly::Kind::SourceDamaged, || format!("line {number} cannot be read: {why}"));
        }
    }

    /// Says that a line was too long to be held.
    pub fn too_long(&mut self) {
        self.line += 1;
        let (number, most) = (self.line, self.limits.line);
        self.notes
            .note(anomaly::Kind::LimitBody, || format!("line {number} has more than {most} bytes; it was not read"));
    }

    /// What was wrong with some lines.
    pub fn finish(self) -> Vec<Anomaly> {
        self.notes.finish()
    }

    fn message(&mut self, line: &[u8], out: &mut dyn FnMut(Record)) -> Result<(), String> {
        let line: Line<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if line.schema != SCHEMA {
            let known = line.schema.starts_with(FAMILY);
            let newer = if known { ", which is newer than this program" } else { "" };
            return Err(format!("its schema is {:?}{newer}; expected {SCHEMA:?}", line.schema));
        }
        let (session, side, missing) = (line.session.clone(), line.side.map(Sender::side), line.missing);
        let retransmission = line.retransmission;
        let record = self.record(line)?;
        match session {
            Some(session) => {
                let record = Box::new(record);
                out(Record::Told(Box::new(Told { session, record, missing, side, retransmission })));
            }
            None => out(record),
        }
        Ok(())
    }

    fn record(&mut self, line: Line<'_>) -> Result<Record, String> {
        let Line { side, time, ended, missing, http, push, frames, position, body, notes, .. } = line;
        let (first, last) = (time.map(|time| time.0), ended.or(time).map(|time| time.0));
        if let Some(push) = push {
            let body = body.body(Frame::origin(&frames), self.limits)?;
            return Ok(Record::Push(Pushed { body, bearer: push.bearer()?, at: first }));
        }
        let Some(http) = http else {
            let body = body.body(Frame::origin(&frames), self.limits)?;
            return Ok(Record::Document(Document { body, side: side.map(Sender::side), at: first, position }));
        };
        let half = match http.half {
            Direction::Request => Half::Request,
            Direction::Response => Half::Response,
        };
        let (connection, exchange) = (self.road(http.connection), http.exchange);
        let request = http.request.map(|request| Arc::new(request.head()));
        if missing {
            return Ok(Record::Http(Event::Missing { connection, exchange, half, request, at: first }));
        }
        Ok(Record::Http(Event::Message(http::Message {
            connection,
            exchange,
            half,
            head: Arc::new(http.head.head()),
            request,
            body: body.body(Frame::origin(&frames), self.limits)?,
            first,
            last,
            position,
            notes: notes.into_iter().filter_map(Note::anomaly).collect(),
        })))
    }

    /// The connection of that number. A later line may know more of it: rules look at one message's own.
    fn road(&mut self, road: Road) -> Arc<Connection> {
        let number = road.number;
        if let Some(known) = self.roads.get(&number).filter(|known| is_same(known, &road)) {
            return Arc::clone(known);
        }
        let Road { number, client, server, tls, handshake, from_start } = road;
        let handshake = handshake.map(|facts| {
            let handshake = Handshake::default();
            handshake.set(|known| *known = facts);
            handshake
        });
        let connection = Arc::new(Connection { input: self.input, number, client, server, tls, handshake, from_start });
        if self.roads.len() < self.limits.entries {
            self.roads.insert(number, Arc::clone(&connection));
        }
        connection
    }
}

fn is_same(known: &Connection, road: &Road) -> bool {
    (known.client, known.server, known.tls, known.from_start) == (road.client, road.server, road.tls, road.from_start)
        && known.handshake.is_some() == road.handshake.is_some()
}

impl Note {
    /// What was noticed.
    pub fn of(note: &Anomaly) -> Note {
        let span = (!note.span.is_empty()).then_some((note.span.start, note.span.end));
        Note { kind: note.kind.code().to_owned(), detail: note.detail.clone(), span }
    }

    /// A kind that is not known is of a later version: nothing here asks for it.
    fn anomaly(self) -> Option<Anomaly> {
        let kind = anomaly::Kind::ALL.iter().find(|kind| kind.code() == self.kind)?;
        let span = self.span.map_or(Span::default(), |(start, end)| Span { start, end: end.max(start) });
        Some(Anomaly::new(*kind, span, self.detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(text: &str) -> (Vec<Record>, Vec<String>) {
        let (mut records, limits) = (Vec::new(), Limits { line: 2000, ..Limits::default() });
        let mut reader = Reader::new(InputId(0), &limits);
        text.as_bytes()
            .split(|byte| *byte == b'\n')
            .for_each(|line| reader.line(line, &mut |record| records.push(record)));
        (records, reader.finish().into_iter().map(|note| note.detail).collect())
    }

    #[test]
    fn a_line_without_a_session_is_a_message_like_any_other() {
        let text = r#"{"schema": "dmscope/message/1", "side": "server", "time": "2026-01-02T03:04:05.000000001Z", "body": {"text": "<SyncML/>"}}
            {"body": {"base64": "AgE="}, "http": {"half": "request", "method": "POST", "target": "/a"}, "schema": "dmscope/message/1", "later": 1}"#;
        let (records, notes) = read_all(text);
        assert!(notes.is_empty(), "{notes:?}");
        let Record::Document(document) = &records[0] else { panic!("{records:?}") };
        assert_eq!((&*document.body.bytes, document.side), (&b"<SyncML/>"[..], Some(Side::Server)));
        assert_eq!(document.at.map(|at| at.0 % 1000), Some(1));
        let Record::Http(Event::Message(message)) = &records[1] else { panic!("{records:?}") };
        assert_eq!((&*message.body.bytes, &*message.head.target), (&b"\x02\x01"[..], "/a"));
    }

    #[test]
    fn a_broken_line_is_told_and_the_others_are_read() {
        let good = r#"{"schema": "dmscope/message/1", "body": {"text": "<SyncML/>"}}"#;
        let long = format!(r#"{{"schema": "dmscope/message/1", "input": "{}"}}"#, "x".repeat(2000));
        for (line, why) in [
            ("{", "EOF"),
            ("[]", "invalid length"),
            (r#"{"schema": "dmscope/message/2"}"#, "newer than this program"),
            (r#"{"schema": "dmscope/lint/1"}"#, "expected \"dmscope/message/1\""),
            (r#"{"schema": "dmscope/message/1", "body": {"base64": "*"}}"#, "base64"),
            (r#"{"schema": "dmscope/message/1", "time": "yesterday"}"#, "not RFC 3339"),
            (&long, "more than 2000 bytes"),
        ] {
            let (records, notes) = read_all(&format!("\u{FEFF}{good}\n\n{line}\r\n{good}"));
            assert_eq!(records.len(), 2, "{line}");
            assert!(notes.len() == 1 && notes[0].starts_with("line 3 ") && notes[0].contains(why), "{notes:?}");
        }
    }

    #[test]
    fn facts_of_tls_come_back() {
        let facts = Facts {
            version: Some(crate::tls::Version::TLS12),
            client_random: Some([0xA5; 32]),
            server_certificates: vec![Arc::from([1u8, 2, 3])],
            sealed: Some(crate::tls::Sealed::NotLogged),
            ..Facts::default()
        };
        let text = serde_json::to_string(&facts).unwrap();
        assert!(text.contains(&"a5".repeat(32)) && text.contains("\"AQID\""), "{text}");
        let again: Facts = serde_json::from_str(&text).unwrap();
        assert_eq!(format!("{facts:?}"), format!("{again:?}"));
        assert!(serde_json::from_str::<Facts>(r#"{"client_random": "a\u00e9"}"#).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes(lines in proptest::collection::vec(any::<u8>(), 0..200)) {
            let limits = Limits::default();
            let mut reader = Reader::new(InputId(0), &limits);
            lines.split(|byte| *byte == b'\n').for_each(|line| reader.line(line, &mut |_| {}));
            reader.finish();
        }

        #[test]
        fn origins_come_back(runs in proptest::collection::vec((0u64..1 << 40, 0u32..9, any::<bool>()), 0..8)) {
            let mut origin = Origin::default();
            let mut at = 0;
            for (step, unit, exact) in runs {
                let unit = if unit % 2 == 0 { Unit::Frame(unit) } else { Unit::Entry(unit) };
                let time = Some(Time(step as i64));
                origin.push(Run { at, unit, offset: if exact { step } else { 0 }, time, exact });
                at += step + 1;
            }
            let text = serde_json::to_string(&Frame::all(&origin)).unwrap();
            let frames: Vec<Frame> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(Frame::origin(&frames), origin);
        }
    }
}
