//! The messages of an example over HTTP/2 on clear TCP: the same heads as fields, bodies in several frames.

use std::collections::BTreeMap;

use dmscope::syncml::Side;

use super::capture::{conversation, finished, head_of};
use super::compose::{Sent, Wire as _};
use crate::build::http2::{Blocks, PREFACE, data, settings};
use crate::build::{Conversation, Packet, pcap};

/// Octets of a body in one frame.
const FRAME: usize = 400;

/// A connection as it grows.
struct Line {
    conversation: Conversation,
    tables: [Blocks; 2],
    next: u32,
    /// The stream that waits for its response.
    asked: Option<u32>,
}

/// The pcap file in which the messages were captured; `None` when HTTP/2 cannot carry them as they are.
pub(crate) fn file(sent: &[Sent<'_>]) -> Option<Vec<u8>> {
    let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
    for message in sent {
        let asks_proxy = message.head.as_ref().is_some_and(|head| head.starts_with("CONNECT "));
        let seals = message.block.push || message.block.tls || message.block.handshake.is_some();
        if asks_proxy || seals || message.lost || message.cut.is_some() {
            return None;
        }
        let number = message.block.connection.unwrap_or(1);
        let line = lines.remove(&number).unwrap_or_else(|| open(conversation(number, message, sent)));
        lines.insert(number, line.send(message)?);
    }
    let end = |number: u32| {
        let here = sent.iter().filter(move |sent| sent.block.connection.unwrap_or(1) == number);
        here.filter_map(|sent| sent.block.end).next_back()
    };
    let finish = |(number, line): (u32, Line)| finished(line.conversation, end(number));
    let mut packets: Vec<Packet> = lines.into_iter().flat_map(finish).collect();
    packets.sort_by_key(|packet| packet.at);
    Some(pcap(&packets))
}

fn open(conversation: Conversation) -> Line {
    let conversation = conversation.step(1000).client(&[PREFACE, &settings()].concat()).server(&settings());
    Line { conversation: conversation.step(1_000_000), tables: Default::default(), next: 1, asked: None }
}

impl Line {
    fn send(mut self, message: &Sent<'_>) -> Option<Line> {
        let fields = fields(message)?;
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let (stream, table) = match message.side {
            Side::Client => {
                self.asked = Some(self.next);
                self.next += 2;
                (self.asked?, 0)
            }
            Side::Server => (self.asked.take()?, 1),
        };
        let end = message.wire().is_empty();
        let mut bytes = self.tables[table].head(stream, &fields, end);
        if !end {
            bytes.extend(data(stream, &message.wire(), FRAME));
        }
        let conversation = self.conversation.at(message.at);
        self.conversation = match message.side {
            Side::Client => conversation.client(&bytes),
            Side::Server => conversation.server(&bytes),
        };
        Some(self)
    }
}

/// The fields of a message's head; `None` when it is no head that HTTP/2 can say.
fn fields(message: &Sent<'_>) -> Option<Vec<(String, String)>> {
    let head = head_of(message);
    let mut lines = head.trim_end().lines();
    let start: Vec<&str> = lines.next()?.splitn(3, ' ').collect();
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut fields = match (message.side, start.as_slice()) {
        (Side::Client, [method, path, _]) => {
            vec![field(":method", method), field(":scheme", "http"), field(":path", path)]
        }
        (Side::Server, [_, status, ..]) => vec![field(":status", status)],
        _ => return None,
    };
    for line in lines {
        let (name, value) = line.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "host" => fields.push(field(":authority", value.trim())),
            "transfer-encoding" => return None,
            "connection" | "keep-alive" | "upgrade" => {}
            name => fields.push(field(name, value.trim())),
        }
    }
    if !fields.iter().any(|(name, _)| name == "content-length") {
        fields.push(field("content-length", &message.wire().len().to_string()));
    }
    Some(fields)
}
