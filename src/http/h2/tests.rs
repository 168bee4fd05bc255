//! Connections of frames as two streams show them, and what is made of them; one line for each event.

use proptest::prelude::*;

use crate::http::peer::{
    self, Blocks, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, frame, padded,
};

use super::super::tests::{Wire, line};
use super::{CLIENT, SERVER};
use crate::http::{Captured, Event};
use crate::limits::Limits;
use crate::origin::{Origin, Span, Unit};

const POST: [(&str, &str); 3] = [(":method", "POST"), (":path", "/dm"), (":authority", "mdm.example.test")];
const OK: [(&str, &str); 2] = [(":status", "200"), ("content-type", "text/plain")];

fn opened() -> Wire {
    let client = [peer::PREFACE, &peer::settings()].concat();
    Wire::new().send(CLIENT, &client).send(SERVER, &peer::settings())
}

/// Two peers and their tables.
#[derive(Default)]
struct Peers {
    client: Blocks,
    server: Blocks,
}

impl Peers {
    fn ask(&mut self, stream: u32, body: &str) -> Vec<u8> {
        [self.client.head(stream, &POST, false), peer::data(stream, body.as_bytes(), 16_384)].concat()
    }

    fn answer(&mut self, stream: u32, body: &str) -> Vec<u8> {
        [self.server.head(stream, &OK, false), peer::data(stream, body.as_bytes(), 16_384)].concat()
    }
}

#[test]
fn exchanges_follow_each_other() {
    let mut peers = Peers::default();
    let mut wire = opened();
    for (stream, body) in [(1, "a"), (3, "b")] {
        wire = wire.send(CLIENT, &peers.ask(stream, body)).send(SERVER, &peers.answer(stream, "x"));
    }
    let expected = ["> 0 POST /dm [a]", "< 0 200 [x] to POST", "> 1 POST /dm [b]", "< 1 200 [x] to POST", "closed"];
    assert_eq!(wire.close(), expected);
}

#[test]
fn streams_interleave_and_frames_come_in_pieces() {
    let mut peers = Peers::default();
    let one = peers.ask(1, "first");
    let three = peers.ask(3, "second");
    let heads = [peers.server.head(3, &OK, false), peers.server.head(1, &OK, false)].concat();
    let bodies = [
        frame(DATA, 0, 1, b"on"),
        frame(PING, 0, 0, &[0; 8]),
        padded(DATA, END_STREAM, 3, b"two", 7),
        frame(DATA, 0, 1, b""),
        frame(0x42, 3, 1, b"an extension"),
        frame(DATA, END_STREAM, 1, b"e"),
    ]
    .concat();
    let mut wire = opened();
    for bytes in [one, three].concat().chunks(3) {
        wire = wire.send(CLIENT, bytes);
    }
    for bytes in [heads, bodies].concat().chunks(5) {
        wire = wire.send(SERVER, bytes);
    }
    let expected =
        ["> 0 POST /dm [first]", "> 1 POST /dm [second]", "< 1 200 [two] to POST", "< 0 200 [one] to POST", "closed"];
    assert_eq!(wire.close(), expected);
}

#[test]
fn heads_go_on_and_trailers_follow() {
    let mut peers = Peers::default();
    let block = peers.client.block(&POST);
    let (one, rest) = block.split_at(9);
    let (two, three) = rest.split_at(4);
    let head = [
        padded(HEADERS, 0, 1, one, 3),
        frame(CONTINUATION, 0, 1, two),
        frame(CONTINUATION, END_HEADERS, 1, three),
        frame(DATA, END_STREAM, 1, b"a"),
    ];
    let interim = peers.server.head(1, &[(":status", "103"), ("link", "x")], false);
    let answer = [interim, peers.server.head(1, &OK, false), frame(DATA, 0, 1, b"b")].concat();
    let trailers = peers.server.head(1, &[("grpc-status", "0")], true);
    let wire = opened().send(CLIENT, &head.concat()).send(SERVER, &answer).send(SERVER, &trailers);
    let expected = ["> 0 POST /dm [a]", "< 0 103 [] to POST", "< 0 200 [b] to POST", "closed"];
    assert_eq!(wire.close(), expected);
}

#[test]
fn a_request_is_told_before_what_answers_it() {
    let mut peers = Peers::default();
    let wire = opened().send(CLIENT, &peers.client.head(1, &POST, false)).send(SERVER, &peers.answer(1, "no"));
    let wire = wire.send(CLIENT, &frame(DATA, END_STREAM, 1, b"a"));
    assert_eq!(wire.close(), ["> 0 POST /dm [a]", "< 0 200 [no] to POST", "closed"]);
}

#[test]
fn a_reset_cuts_what_is_not_over() {
    let mut peers = Peers::default();
    let answer = [peers.server.head(1, &OK, false), frame(DATA, 0, 1, b"so far")].concat();
    let reset = [frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]), frame(DATA, END_STREAM, 1, b"late")].concat();
    let goaway = frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    let wire = opened().send(CLIENT, &peers.ask(1, "a")).send(SERVER, &answer).send(SERVER, &reset);
    let events = wire.send(SERVER, &goaway).events();
    assert_eq!(line(&events[1]), "< 0 200 [so far] to POST partly, http.body-incomplete");
    let Event::Message(message) = &events[1] else { panic!() };
    assert_eq!(message.body.captured, Captured::Partly("the stream was reset (CANCEL)".to_owned()));
}

/// As curl does: it has what it waited for, and ends the stream before the server does.
#[test]
fn a_reset_behind_the_announced_length_cuts_nothing() {
    let mut peers = Peers::default();
    let fields = [&OK[..], &[("content-length", "3")]].concat();
    let answer = [peers.server.head(1, &fields, false), frame(DATA, 0, 1, b"all")].concat();
    let wire = opened().send(CLIENT, &peers.ask(1, "a")).send(SERVER, &answer);
    let next = [frame(RST_STREAM, 0, 1, &[0, 0, 0, 5]), peers.ask(3, "b")].concat();
    let wire = wire.send(CLIENT, &next).send(SERVER, &frame(DATA, END_STREAM, 1, b""));
    let wire = wire.send(SERVER, &peers.answer(3, "x"));
    let expected = ["> 0 POST /dm [a]", "< 0 200 [all] to POST", "> 1 POST /dm [b]", "< 1 200 [x] to POST", "closed"];
    assert_eq!(wire.close(), expected);
}

#[test]
fn a_gap_within_a_body_harms_only_that_body() {
    let mut peers = Peers::default();
    let answer = peers.answer(1, "0123456789");
    let (head, rest) = answer.split_at(answer.len() - 6);
    let mut wire = opened().send(CLIENT, &peers.ask(1, "a")).send(SERVER, head).gap(SERVER, 3).send(SERVER, &rest[3..]);
    wire = wire.send(CLIENT, &peers.ask(3, "b")).send(SERVER, &peers.answer(3, "x"));
    let expected = [
        "> 0 POST /dm [a]",
        "< 0 200 [0123] to POST partly, tcp.gap",
        "> 1 POST /dm [b]",
        "< 1 200 [x] to POST",
        "closed",
    ];
    assert_eq!(wire.close(), expected);
}

#[test]
fn behind_a_gap_over_frames_the_next_certain_frame_is_found_and_old_fields_are_unknown() {
    let mut peers = Peers::default();
    let mut wire = opened().send(CLIENT, &peers.ask(1, "a")).send(SERVER, &peers.answer(1, "x"));
    let lost = peers.answer(3, "lost");
    wire = wire.send(CLIENT, &peers.ask(3, "b")).gap(SERVER, lost.len() as u64);
    wire = wire.send(CLIENT, &peers.ask(5, "c")).send(SERVER, &peers.answer(5, "<x/>"));
    let expected = [
        "> 0 POST /dm [a]",
        "< 0 200 [x] to POST",
        "> 1 POST /dm [b]",
        "< 1 missing",
        "> 2 POST /dm [c]",
        "< 2 0 [<x/>] to POST, http2.unknown-field",
        "closed",
    ];
    assert_eq!(wire.close(), expected);
}

#[test]
fn a_lost_request_is_missing() {
    let mut peers = Peers::default();
    let lost = peers.ask(1, "a").len() as u64;
    let wire = opened().gap(CLIENT, lost).send(SERVER, &peers.answer(1, "x"));
    let wire = wire.send(CLIENT, &peers.ask(3, "<b/>")).send(SERVER, &peers.answer(3, "y"));
    let expected = ["> 0 missing", "< 0 200 [x]", "> 1   [<b/>], http2.unknown-field", "< 1 200 [y] to ", "closed"];
    assert_eq!(wire.close(), expected);
}

#[test]
fn a_connection_whose_beginning_was_not_captured_is_known_by_its_frames() {
    let mut peers = Peers::default();
    let _ = (peers.ask(1, "a"), peers.answer(1, "x"));
    let wire = Wire::opened(false, &Limits::default());
    let wire = wire.send(CLIENT, &peers.ask(3, "<b/>")).send(SERVER, &peers.answer(3, "<y/>"));
    let expected = ["> 0   [<b/>], http2.unknown-field", "< 0 0 [<y/>] to , http2.unknown-field", "closed"];
    assert_eq!(wire.close(), expected);
}

#[test]
fn an_upgraded_request_is_answered_on_stream_1() {
    let mut peers = Peers::default();
    let request = "GET /a HTTP/1.1\r\nHost: b\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n";
    let agreed = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let wire = Wire::new().send(CLIENT, request.as_bytes()).send(SERVER, agreed.as_bytes());
    let wire = wire.send(SERVER, &[peer::settings(), peers.answer(1, "x")].concat());
    let wire = wire.send(CLIENT, &[peer::PREFACE, &peer::settings(), &peers.ask(3, "b")].concat());
    let expected = ["> 0 GET /a []", "< 0 101 [] to GET", "< 0 200 [x] to GET", "> 1 POST /dm [b]", "closed"];
    assert_eq!(wire.close(), expected);
}

#[test]
fn a_length_that_is_not_that_of_the_body_is_noted() {
    let mut peers = Peers::default();
    let mut fields = POST.to_vec();
    fields.push(("content-length", "5"));
    let request = [peers.client.head(1, &fields, false), frame(DATA, END_STREAM, 1, b"abcd")].concat();
    assert_eq!(opened().send(CLIENT, &request).close()[0], "> 0 POST /dm [abcd], http.length-conflict");
}

#[test]
fn a_body_that_may_be_coded_is_refused_when_its_head_is_not_known() {
    let mut peers = Peers::default();
    let _ = peers.server.head(1, &[("content-encoding", "br")], false);
    let fields = [(":status", "200"), ("content-encoding", "br")];
    let answer = [peers.server.head(3, &fields, false), frame(DATA, END_STREAM, 3, b"\x8b\x01\x80")].concat();
    let wire = Wire::opened(false, &Limits::default()).send(SERVER, &answer);
    assert_eq!(wire.close()[1].split("] ").last(), Some("refused, http2.unknown-field"));
}

#[test]
fn bodies_above_the_limit_are_refused_and_streams_above_it_given_up() {
    let limits = Limits { body: 4, pipelined: 2, ..Limits::default() };
    let client = [peer::PREFACE, &peer::settings()].concat();
    let mut peers = Peers::default();
    let mut wire = Wire::opened(true, &limits).send(CLIENT, &client).send(SERVER, &peer::settings());
    wire = wire.send(CLIENT, &peers.ask(1, "12345"));
    for stream in [3, 5, 7] {
        wire = wire.send(CLIENT, &peers.client.head(stream, &POST, false));
    }
    let told = wire.close();
    assert_eq!(told[0], "> 0 POST /dm [1234] refused, limit.body");
    assert!(told[1].starts_with("> 1 POST /dm [] partly"), "{told:?}");
}

#[test]
fn each_byte_of_a_body_leads_to_the_frame_and_offset_that_held_it() {
    let mut peers = Peers::default();
    let wire = opened().send(CLIENT, &peers.ask(1, "a"));
    let head = peers.server.head(1, &OK, false);
    let one = [head.clone(), padded(DATA, 0, 1, b"abc", 2), frame(DATA, 0, 1, b"de")].concat();
    let two = frame(DATA, END_STREAM, 1, b"fg");
    // Packets 4 and 5; the first three opened the connection and asked.
    let events = wire.send(SERVER, &one).send(SERVER, &two).events();
    let Event::Message(message) = &events[1] else { panic!() };
    let place = |origin: &Origin, at| {
        origin.locate(Span::new(at, at + 1)).map(|found| (found.first, found.offset, found.exact))
    };
    let head = head.len() as u64;
    for (at, frame, offset) in [(0, 4, head + 10), (2, 4, head + 12), (3, 4, head + 24), (5, 5, 9), (6, 5, 10)] {
        assert_eq!(place(&message.body.origin, at), Some((Unit::Frame(frame), offset, true)), "byte {at}");
    }
    let whole = message.body.origin.locate(Span::new(0, 7)).unwrap();
    assert_eq!((whole.first, whole.last, whole.exact), (Unit::Frame(4), Unit::Frame(5), true));
    assert_eq!(place(&message.head.origin, 0), Some((Unit::Frame(4), 9, true)));
}

/// A session of several exchanges on both sides, in turns: who speaks, and what.
fn turns() -> Vec<(usize, Vec<u8>)> {
    let mut peers = Peers::default();
    let mut turns = vec![(CLIENT, [peer::PREFACE, &peer::settings()].concat()), (SERVER, peer::settings())];
    for number in 0..4 {
        let stream = number * 2 + 1;
        turns.push((CLIENT, peers.ask(stream, &format!("<request{number}/>").repeat(9))));
        turns.push((SERVER, peers.answer(stream, &format!("<response{number}/>").repeat(9))));
    }
    turns
}

fn bodies(wire: Wire) -> Vec<String> {
    let whole = |event: Event| match event {
        Event::Message(message) if message.body.captured == Captured::Whole => {
            Some(String::from_utf8_lossy(&message.body.bytes).into_owned())
        }
        _ => None,
    };
    wire.events().into_iter().filter_map(whole).collect()
}

proptest! {
    /// A stretch of bytes is lost or turned over: what is still told as whole was sent, but for turned bytes themselves.
    #[test]
    fn what_is_lost_is_never_made_up(turn in 0..10usize, from in 0.0..1.0f64, len in 1..80usize, size in 1..60usize, known: bool) {
        let turns = turns();
        let sent: Vec<String> = bodies(turns.iter().fold(Wire::new(), |wire, (side, bytes)| wire.send(*side, bytes)));
        prop_assert_eq!(sent.len(), 8);
        let mut wire = Wire::new();
        for (number, (side, bytes)) in turns.iter().enumerate() {
            let start = if number == turn { (bytes.len() as f64 * from) as usize } else { bytes.len() };
            for part in bytes[..start].chunks(size) {
                wire = wire.send(*side, part);
            }
            if number == turn {
                let lost = len.min(bytes.len() - start);
                wire = if known { wire.gap(*side, lost as u64) } else { wire.hole(*side) };
                for part in bytes[start + lost..].chunks(size) {
                    wire = wire.send(*side, part);
                }
            }
        }
        let told = bodies(wire);
        for body in &told {
            prop_assert!(body.is_empty() || sent.contains(body), "{body}");
        }
        let others = sent.len() - 1;
        prop_assert!(told.iter().filter(|body| !body.is_empty()).count() + usize::from(turn < 2) + 2 >= others, "{told:?}");
    }

    /// Any byte may be another one: nothing panics, and memory stays within bounds.
    #[test]
    fn any_bytes_are_stood(turn in 0..10usize, at: prop::sample::Index, byte: u8, end: prop::sample::Index) {
        let mut wire = Wire::new();
        for (number, (side, mut bytes)) in turns().into_iter().enumerate() {
            if number == turn {
                let place = at.index(bytes.len());
                bytes[place] = byte;
            }
            if number == turn + 1 {
                bytes.truncate(end.index(bytes.len() + 1));
            }
            wire = wire.send(side, &bytes);
        }
        prop_assert!(wire.held() < 1 << 20);
        wire.close();
    }
}
