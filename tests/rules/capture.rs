//! The messages of an example on the wire: HTTP heads, TCP connections, packets, a pcap file; and the same over TLS.

use std::collections::BTreeMap;
use std::ops::Range;

use dmscope::syncml::Side;

use super::compose::{self, HOST, Sent, Wire as _};
use super::enroll;
use super::page::{Block, End};
use super::{handshake, push};
use crate::build::tls::Secure;
use crate::build::tls12::{From, Handshake, Sealer};
use crate::build::{Conversation, ETHERNET, Packet, PcapNg, pcap};

const MILLISECOND: i64 = 1_000_000;

/// One connection as it grows.
struct Line {
    conversation: Conversation,
    /// What seals its data.
    secure: Option<Secure>,
    end: Option<End>,
    /// What seals the data of both sides, the client's first, over TLS.
    sealers: Option<[Sealer; 2]>,
    /// Packets that the capture does not have.
    missed: Vec<Range<usize>>,
}

/// The pcap file in which the messages were captured.
pub(crate) fn file(sent: &[Sent<'_>]) -> Vec<u8> {
    written(&packets(sent), sent)
}

/// The same of these packets of theirs: a pcapng file with the secrets where there is TLS.
pub(crate) fn written(packets: &[Packet], sent: &[Sent<'_>]) -> Vec<u8> {
    let handshakes = sent.iter().filter_map(|sent| handshake_of(sent.block));
    let key_log: std::collections::BTreeSet<String> = handshakes.map(|handshake| handshake.key_log()).collect();
    if key_log.is_empty() {
        return pcap(packets);
    }
    let secrets = key_log.into_iter().collect::<String>();
    let file = PcapNg::new().section(false).interface(ETHERNET, 9).secrets(secrets.as_bytes());
    packets.iter().fold(file, |file, packet| file.packet(0, packet, &[])).bytes
}

/// The same over TLS, as a pcapng file with the secrets; `None` where it matters that there is none (a server far away, or
/// an example of TLS without keys).
pub(crate) fn file_over_tls(sent: &[Sent<'_>]) -> Option<Vec<u8>> {
    if sent.iter().any(|sent| sent.block.tls || sent.block.client.is_some() || sent.block.handshake.is_some()) {
        return None;
    }
    let lines = lines(sent, |line, number| line.over_tls(number));
    let log: String = lines.values().flat_map(|line| &line.secure).map(Secure::key_log).collect();
    let file = PcapNg::new().section(false).interface(ETHERNET, 9).secrets(log.as_bytes());
    Some(in_order(lines, sent).iter().fold(file, |file, packet| file.packet(0, packet, &[])).bytes)
}

/// The packets of the messages, in order of time.
pub(crate) fn packets(sent: &[Sent<'_>]) -> Vec<Packet> {
    in_order(lines(sent, |line, _| line), sent)
}

/// The connections of the messages; `begun` is told of each when it is open.
fn lines(sent: &[Sent<'_>], begun: impl Fn(Line, u32) -> Line) -> BTreeMap<u32, Line> {
    let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
    for message in sent.iter().filter(|sent| !sent.block.push) {
        let number = message.block.connection.unwrap_or(1);
        let line = lines.remove(&number).unwrap_or_else(|| begun(open(number, message, sent), number));
        lines.insert(number, line.send(message));
    }
    lines
}

/// The packets of the connections and of the pushes.
fn in_order(lines: BTreeMap<u32, Line>, sent: &[Sent<'_>]) -> Vec<Packet> {
    let mut packets: Vec<Packet> = lines.into_values().flat_map(Line::finish).chain(push::packets(sent)).collect();
    packets.sort_by_key(|packet| packet.at);
    packets
}

fn open(number: u32, first: &Sent<'_>, sent: &[Sent<'_>]) -> Line {
    let here = sent.iter().filter(|sent| sent.block.connection.unwrap_or(1) == number);
    let end = here.filter_map(|sent| sent.block.end).next_back();
    let mut line =
        Line { conversation: conversation(number, first, sent), secure: None, end, sealers: None, missed: Vec::new() };
    if let Some(handshake) = handshake_of(first.block) {
        line = line.shake_hands(&handshake, first.at - 4 * MILLISECOND);
    }
    line
}

/// A connection of the example, opened just before its first message.
pub(crate) fn conversation(number: u32, first: &Sent<'_>, sent: &[Sent<'_>]) -> Conversation {
    let here = sent.iter().filter(|sent| sent.block.connection.unwrap_or(1) == number);
    let mut here = here.filter(|sent| !sent.block.push);
    let device = here.find_map(|sent| sent.block.client.clone()).unwrap_or_else(|| "127.0.0.1".into());
    let server = if device.starts_with("127.") { "127.0.0.1:80" } else { "10.0.0.1:80" };
    let conversation = Conversation::new(&format!("{device}:{}", 50_000 + number), server);
    conversation.at(first.at - 5 * MILLISECOND).open()
}

/// The packets of a connection that ends so.
pub(crate) fn finished(conversation: Conversation, end: Option<End>) -> Vec<Packet> {
    match end {
        None => conversation.close(),
        Some(End::Open) => conversation.unfinished(),
        Some(End::Reset) => conversation.reset(),
    }
}

impl Line {
    /// The same after a handshake.
    fn over_tls(mut self, number: u32) -> Line {
        let mut secure = Secure::new(number);
        let [hello, answer, finished] = secure.handshake("mdm.example.test");
        let conversation = self.conversation.step(1000).client(&hello).server(&answer).client(&finished);
        (self.conversation, self.secure) = (conversation.step(MILLISECOND), Some(secure));
        self
    }

    fn send(mut self, message: &Sent<'_>) -> Line {
        if let Some(handshake) = told_handshake(message) {
            return self.shake_hands(&handshake, message.at);
        }
        let bytes = on_the_wire(message);
        let head = bytes.len().saturating_sub(message.wire().len());
        let kept = match (message.lost, message.cut) {
            (true, _) => 0,
            (_, Some(cut)) => (head + cut).min(bytes.len()),
            _ => bytes.len(),
        };
        let side = usize::from(message.side == Side::Server);
        let bytes = self.sealers.as_mut().map_or(bytes.clone(), |sealers| sealers[side].data(&bytes));
        let kept = if kept < bytes.len() && message.cut.is_none() && !message.lost { bytes.len() } else { kept };
        let (captured, missed) = bytes.split_at(kept.min(bytes.len()));
        let mut data = |conversation: Conversation, bytes: &[u8]| match (message.side, &mut self.secure) {
            (Side::Client, None) => conversation.client(bytes),
            (Side::Server, None) => conversation.server(bytes),
            (Side::Client, Some(secure)) => conversation.client(&secure.client(bytes)),
            (Side::Server, Some(secure)) => conversation.server(&secure.server(bytes)),
        };
        let conversation = data(self.conversation.at(message.at), captured);
        let from = conversation.clone().unfinished().len();
        self.conversation = data(conversation, missed);
        if !missed.is_empty() {
            // The acknowledgement at its end was captured: it shows that there was something.
            self.missed.push(from..self.len() - 1);
        }
        self
    }

    /// What is sent before there is data.
    fn shake_hands(mut self, handshake: &Handshake, at: i64) -> Line {
        let (flights, sealers) = handshake.flights();
        self.conversation = self.conversation.at(at).step(1000);
        for (from, bytes) in flights {
            self.conversation = match from {
                From::Client => self.conversation.client(&bytes),
                From::Server => self.conversation.server(&bytes),
            };
        }
        self.conversation = self.conversation.step(MILLISECOND);
        self.sealers = Some(sealers);
        self
    }

    fn len(&self) -> usize {
        self.conversation.clone().unfinished().len()
    }

    fn finish(self) -> Vec<Packet> {
        let packets = finished(self.conversation, self.end);
        let missed = |at: &usize| self.missed.iter().any(|range| range.contains(at));
        packets.into_iter().enumerate().filter(|(at, _)| !missed(at)).map(|(_, packet)| packet).collect()
    }
}

/// The head that a message travels with, its lines ended by line feeds alone.
pub(crate) fn head_of(message: &Sent<'_>) -> String {
    match &message.head {
        None if enroll::is_enrollment(message.block) => {
            enroll::head(message.block, message.side, &message.body).unwrap_or_default()
        }
        _ => compose::head_of(message),
    }
}

/// What a client sends over TLS to the server of that name: its hello (RFC 8446 §4.1.2, RFC 6066 §3), and data or an alert.
fn client_hello(name: &[u8], alert: Option<u8>) -> Vec<u8> {
    fn block(len_bytes: usize, content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32).to_be_bytes()[4 - len_bytes..], content].concat()
    }
    let server_name = [&[0, 0][..], &block(2, &block(2, &[&[0][..], &block(2, name)].concat()))].concat();
    let fields = [block(1, &[]), block(2, &[0x13, 0x01]), block(1, &[0]), block(2, &server_name)].concat();
    let hello = [&[1][..], &block(3, &[&[3, 3][..], &[7; 32], &fields].concat())].concat();
    let next = match alert {
        Some(alert) => [&[21, 3, 3][..], &block(2, &[2, alert])].concat(),
        None => [&[23, 3, 3][..], &block(2, &[0xa5; 100])].concat(),
    };
    [&[22, 3, 1][..], &block(2, &hello), &next].concat()
}

/// How the TLS of a block's connection begins, where it runs over TLS.
fn handshake_of(block: &Block) -> Option<Handshake> {
    let told = block.handshake.as_ref()?;
    let read = handshake::read(told, HOST, block.connection.unwrap_or(1));
    Some(read.unwrap_or_else(|error| panic!("line {}: {error}", block.line)))
}

/// The handshake that a block tells behind the name of its server.
fn told_handshake(message: &Sent<'_>) -> Option<Handshake> {
    let text = std::str::from_utf8(&message.body).ok().filter(|_| message.block.tls)?;
    let (name, rest) = text.split_once('\n')?;
    let number = message.block.connection.unwrap_or(1);
    Some(
        handshake::read(rest, name.trim(), number)
            .unwrap_or_else(|error| panic!("line {}: {error}", message.block.line)),
    )
}

fn on_the_wire(message: &Sent<'_>) -> Vec<u8> {
    if message.block.tls {
        return client_hello(&message.body, message.block.alert);
    }
    compose::over_http(&head_of(message), &message.wire())
}
