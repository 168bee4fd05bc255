//! Exchanges as two streams show them, and what is made of them; one line for each event.

use std::net::SocketAddr;

use super::h1::{CLIENT, SERVER};
use super::*;
use crate::anomaly::Kind;
use crate::limits::Limits;
use crate::origin::{Run, Unit};
use crate::stream::{End, Stream};
use crate::tcp::{Consumer, Opening};

pub(super) struct Wire {
    conn: Conn,
    streams: [Stream; 2],
    events: Vec<Event>,
    frame: u32,
}

impl Wire {
    pub(super) fn new() -> Wire {
        Wire::opened(true, &Limits::default())
    }

    pub(super) fn opened(from_start: bool, limits: &Limits) -> Wire {
        let address = |port| SocketAddr::from(([10, 0, 0, 1], port));
        let opening = Opening { number: 0, client: address(50_000), server: address(80), from_start };
        let conn = Conn::open(&InputId(0).into(), opening, &Arc::new(limits.clone()));
        let mut streams: [Stream; 2] = Default::default();
        streams.iter_mut().for_each(|stream| (stream.from_start, stream.seen) = (from_start, true));
        Wire { conn, streams, events: Vec::new(), frame: 0 }
    }

    pub(super) fn send(mut self, side: usize, bytes: &[u8]) -> Wire {
        self.frame += 1;
        let time = Some(Time(i64::from(self.frame)));
        let run = Run { at: 0, unit: Unit::Frame(self.frame), offset: 0, time, exact: true };
        self.streams[side].append(bytes, run);
        self.advance()
    }

    fn client(self, text: &str) -> Wire {
        self.send(CLIENT, text.as_bytes())
    }

    fn server(self, text: &str) -> Wire {
        self.send(SERVER, text.as_bytes())
    }

    /// A gap of unknown length.
    pub(super) fn hole(mut self, side: usize) -> Wire {
        self.streams[side].gap(None);
        self.advance()
    }

    pub(super) fn held(&self) -> usize {
        self.conn.held() + self.streams.iter().map(Stream::held).sum::<usize>()
    }

    /// Ends both streams; then the events.
    pub(super) fn events(self) -> Vec<Event> {
        self.end(End::Closed)
    }

    pub(super) fn gap(mut self, side: usize, len: u64) -> Wire {
        self.streams[side].gap(Some(len));
        self.advance()
    }

    fn advance(mut self) -> Wire {
        self.conn.advance(&mut self.streams, &mut |event| self.events.push(event));
        self
    }

    /// Ends both streams; then the events, one a line.
    pub(super) fn close(self) -> Vec<String> {
        self.end(End::Closed).iter().map(line).collect()
    }

    fn end(mut self, end: End) -> Vec<Event> {
        self.streams.iter_mut().for_each(|stream| stream.close(end));
        self.conn.close(&mut self.streams, None, &mut |event| self.events.push(event));
        self.events
    }
}

fn arrow(half: Half) -> char {
    if half == Half::Request { '>' } else { '<' }
}

/// `> 0 POST /a [body]`, `< 0 200 [body] to POST partly, http.body-incomplete`, `< 1 missing`, `tls`, `closed`.
pub(super) fn line(event: &Event) -> String {
    match event {
        Event::Message(message) => {
            let Message { exchange, half, head, request, body, notes, .. } = message;
            let start = match half {
                Half::Request => format!("{} {}", head.method, head.target),
                Half::Response => head.status.to_string(),
            };
            let answered = request.as_ref().map(|request| format!(" to {}", request.method)).unwrap_or_default();
            let captured = match body.captured {
                Captured::Whole => "",
                Captured::Partly(_) => " partly",
                Captured::Refused(_) => " refused",
            };
            let notes: String = notes.iter().map(|note| format!(", {}", note.kind.code())).collect();
            let text = String::from_utf8_lossy(&body.bytes);
            format!("{} {exchange} {start} [{text}]{answered}{captured}{notes}", arrow(*half))
        }
        Event::Missing { exchange, half, .. } => format!("{} {exchange} missing", arrow(*half)),
        Event::Encrypted { .. } => "tls".to_owned(),
        Event::Closed { .. } => "closed".to_owned(),
    }
}

fn post(target: &str, body: &str) -> String {
    format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn a_body_without_length_ends_with_the_connection() {
    let wire =
        Wire::new().client("GET http://a/b HTTP/1.0\r\n\r\n").server("HTTP/1.0 200 OK\r\n\r\nall ").server("of it");
    assert_eq!(wire.close(), ["> 0 GET http://a/b []", "< 0 200 [all of it] to GET", "closed"]);

    let wire = Wire::new().client("GET / HTTP/1.0\r\n\r\n").server("HTTP/1.0 200 OK\r\n\r\nall ");
    let events = wire.end(End::Unknown);
    assert_eq!(line(&events[1]), "< 0 200 [all ] to GET partly, http.body-incomplete");
}

#[test]
fn a_response_does_not_come_before_the_end_of_its_request() {
    let (head, body) = ("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", "body");
    let continued = Wire::new().client(head).server("HTTP/1.1 100 Continue\r\n\r\n").client(body).server(&ok(""));
    assert_eq!(continued.close(), ["> 0 POST / [body]", "< 0 100 [] to POST", "< 0 200 [] to POST", "closed"]);

    let refused = Wire::new().client(head).server("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n").client(body);
    let refused = refused.client(&post("/b", "")).server(&ok("x"));
    let expected = ["> 0 POST / [body]", "< 0 413 [] to POST", "> 1 POST /b []", "< 1 200 [x] to POST", "closed"];
    assert_eq!(refused.close(), expected);
}

#[test]
fn a_tunnel_is_looked_at_anew() {
    let open = || Wire::new().client("CONNECT a:443 HTTP/1.1\r\n\r\n").server("HTTP/1.1 200 OK\r\n\r\n");
    let inner = open().client(&post("/", "in")).server(&ok("out"));
    let start = ["> 0 CONNECT a:443 []", "< 0 200 [] to CONNECT"];
    assert_eq!(inner.close()[..4], [start[0], start[1], "> 1 POST / [in]", "< 1 200 [out] to POST"]);
    let hello = open().send(CLIENT, &[22, 3, 1, 0, 200, 1]);
    assert!(hello.conn.wants_more(), "the rest of the hello, for the server's name");
    assert_eq!(hello.close(), [start[0], start[1], "tls", "closed"]);
    let tls = open().send(CLIENT, &[22, 3, 1, 0, 4, 2, 0, 0, 0]);
    assert_eq!(tls.close(), [start[0], start[1], "tls", "closed"]);

    // What the client sends before the answer is not looked at before it.
    let eager = Wire::new().client("CONNECT a:443 HTTP/1.1\r\n\r\n").send(CLIENT, &[22, 3, 1, 0]);
    assert_eq!(eager.server("HTTP/1.1 200 OK\r\n\r\n").close()[2], "tls");
    let refused =
        Wire::new().client("CONNECT a:443 HTTP/1.1\r\n\r\n").server("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(refused.client(&post("/", "")).close()[2], "> 1 POST / []");
}

#[test]
fn an_upgrade_ends_http() {
    let wire =
        Wire::new().client("GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n").server("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    let wire = wire.send(SERVER, &[0, 0, 4, 8]);
    assert!(!wire.conn.wants_more());
    assert_eq!(wire.close(), ["> 0 GET / []", "< 0 101 [] to GET", "closed"]);
}

#[test]
fn http2_ends_http1_even_when_the_upgrade_was_not_seen() {
    let wire = Wire::new().client(&post("/", "")).gap(SERVER, 70).client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(wire.close(), ["> 0 POST / []", "< 0 missing", "closed"]);
}

#[test]
fn other_protocols_are_dropped_at_once() {
    assert!(!Wire::new().server("220 mail ESMTP\r\n").conn.wants_more());
    assert!(!Wire::new().client("SSH-2.0-x\r\n").conn.wants_more());
    assert!(Wire::new().client("PO").conn.wants_more());
    assert_eq!(Wire::new().send(CLIENT, &[22, 3, 1, 2, 0, 1]).close(), ["tls"]);
}

#[test]
fn a_lost_half_is_missing_and_the_others_stay_paired() {
    let all = [post("/a", "1"), ok("2"), post("/b", "3"), ok("4")];
    for lost in 0..4 {
        let mut wire = Wire::new();
        for (number, bytes) in all.iter().enumerate() {
            let side = number % 2;
            wire = if number == lost { wire.gap(side, bytes.len() as u64) } else { wire.send(side, bytes.as_bytes()) };
        }
        let mut expected =
            ["> 0 POST /a [1]", "< 0 200 [2] to POST", "> 1 POST /b [3]", "< 1 200 [4] to POST", "closed"];
        expected[lost] = ["> 0 missing", "< 0 missing", "> 1 missing", "< 1 missing"][lost];
        if lost == 0 || lost == 2 {
            expected[lost + 1] = ["< 0 200 [2]", "", "< 1 200 [4]"][lost];
        }
        assert_eq!(wire.close(), expected);
    }
}

/// What was lost of a handshake is a gap of unknown length where the first message begins.
#[test]
fn a_gap_of_unknown_length_before_all_messages_need_not_be_one() {
    let all = [post("/a", "1"), ok("2"), post("/b", "3"), ok("4")];
    let expected = ["> 0 POST /a [1]", "< 0 200 [2] to POST", "> 1 POST /b [3]", "< 1 200 [4] to POST", "closed"];
    let talk = |wire: Wire, from: usize| {
        let all = all.iter().enumerate().skip(from);
        all.fold(wire, |wire, (number, bytes)| wire.send(number % 2, bytes.as_bytes())).close()
    };
    assert_eq!(talk(Wire::new().hole(CLIENT), 0), expected);
    assert_eq!(talk(Wire::new().hole(SERVER), 0), expected);
    let lost = talk(Wire::new().hole(CLIENT), 1);
    assert_eq!(lost[..2], ["> 0 missing", "< 0 200 [2]"]);
    assert_eq!(lost[2..], expected[2..]);
}

#[test]
fn a_gap_in_a_body_of_known_length_is_skipped_exactly() {
    let head = "POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\n";
    let wire = Wire::new().client(&format!("{head}0123")).gap(CLIENT, 10).client(&format!("456789{}", post("/b", "")));
    assert_eq!(wire.close()[..2], ["> 0 POST / [0123] partly, tcp.gap", "> 1 POST /b []"]);
    // The gap ends with the body.
    let wire = Wire::new().client(head).gap(CLIENT, 20).client(&post("/b", ""));
    assert_eq!(wire.close()[..2], ["> 0 POST / [] partly, tcp.gap", "> 1 POST /b []"]);
    // It reaches into the next message.
    let wire = Wire::new().client(&format!("{head}0123")).gap(CLIENT, 60).client(&format!("rest{}", post("/c", "")));
    assert_eq!(wire.close()[..3], ["> 0 POST / [0123] partly, tcp.gap", "> 1 missing", "> 2 POST /c []"]);
}

#[test]
fn a_gap_in_a_chunk_is_skipped_and_another_loses_the_place() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let start = || Wire::new().client(&post("/", "")).server(&format!("{head}a\r\n012"));
    let wire = start().gap(SERVER, 7).server("\r\n3\r\nabc\r\n0\r\n\r\n").client(&post("/b", "")).server(&ok("x"));
    assert_eq!(wire.close()[1], "< 0 200 [012] to POST partly, tcp.gap");
    let wire = start().gap(SERVER, 12).server("\nabc\r\n0\r\n\r\n").client(&post("/b", "")).server(&ok("x"));
    let seen = wire.close();
    assert_eq!(seen[1..4], ["< 0 200 [012] to POST partly, tcp.gap", "> 1 POST /b []", "< 1 200 [x] to POST"]);
}

#[test]
fn a_head_cut_by_a_gap_gives_what_was_captured_of_it() {
    let wire = Wire::new().client("POST /a HTTP/1.1\r\nHost: a\r\nConte").gap(CLIENT, 30).client(&post("/b", "x"));
    let seen = wire.close();
    assert_eq!(seen[..2], ["> 0 POST /a [] partly, http.body-incomplete", "> 1 POST /b [x]"]);
    let wire = Wire::new().client("POST /a").gap(CLIENT, 30).client("rest").server(&ok("1")).client(&post("/b", "x"));
    assert_eq!(wire.close()[..3], ["> 0 missing", "< 0 200 [1]", "> 1 POST /b [x]"]);
}

#[test]
fn a_capture_that_begins_later_begins_with_the_next_message() {
    let wire = Wire::opened(false, &Limits::default());
    let wire =
        wire.server("tail of a body").server(&format!("</x>{}", ok("1"))).client(&post("/b", "2")).server(&ok("3"));
    assert_eq!(wire.close(), ["> 0 missing", "< 0 200 [1]", "> 1 POST /b [2]", "< 1 200 [3] to POST", "closed"]);
}

#[test]
fn a_response_to_nothing_known_may_be_one_to_head() {
    let mut wire = Wire::new();
    wire.streams[CLIENT].seen = false;
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let wire = wire.server(head).server(&ok("12345")).server(&format!("{head}HTTP/"));
    assert_eq!(wire.close(), ["< 0 200 []", "< 1 200 [12345]", "< 2 200 [HTTP/]", "closed"]);
}

#[test]
fn faults_are_noted() {
    for (request, expected) in [
        ("POST / HTTP/1.1\r\nBad Name: x\r\n\r\n", "> 0 POST / [], http.lenient"),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "> 0 POST / [x], http.length-conflict"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "> 0 POST / [] refused, http.chunk-invalid"),
        ("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", "> 0 POST / [abc] partly, http.body-incomplete"),
        (
            "POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n<a>",
            "> 0 POST / [<a>], http.coding-invalid",
        ),
    ] {
        assert_eq!(Wire::new().client(request).close()[0], expected);
    }
    let junk = Wire::new().client(&post("/", "")).client("\0junk\r\n").client(&post("/b", ""));
    assert_eq!(junk.close()[1], "> 1 POST /b [], http.unparsable");
}

#[test]
fn limits_refuse_and_the_next_message_is_read() {
    let limits = Limits { body: 8, http_head: 60, ..Limits::default() };
    let wire = Wire::opened(true, &limits).client(&post("/", "0123456789")).client(&post("/b", "x"));
    assert_eq!(wire.close()[..2], ["> 0 POST / [01234567] refused, limit.body", "> 1 POST /b [x]"]);
    let long = format!("GET / HTTP/1.1\r\nX: {}", "y".repeat(60));
    let wire = Wire::opened(true, &limits).client(&long).client("\r\n\r\n").client(&post("/b", "x"));
    assert_eq!(wire.close()[..2], ["> 0 GET / [] refused, limit.stream", "> 1 POST /b [x]"]);
}

#[test]
fn times_and_places_are_those_of_the_bytes() {
    let wire =
        Wire::new().client("POST / HTTP/1.1\r\nContent-").client("Length: 6\r\n\r\nabc").client("def").client("G");
    let Some(Event::Message(message)) = wire.events.first().cloned() else { panic!("{:?}", wire.events) };
    assert_eq!((message.first, message.last), (Some(Time(1)), Some(Time(3))));
    let body = message.body.origin.locate(Span::new(2, 5)).unwrap();
    assert_eq!((body.first, body.last, body.offset, body.exact), (Unit::Frame(2), Unit::Frame(3), 15, true));
    let head = message.head.origin.locate(Span::new(0, 30)).unwrap();
    assert_eq!((head.first, head.last, head.offset), (Unit::Frame(1), Unit::Frame(2), 0));
}

#[test]
fn notes_of_the_stream_go_with_the_message() {
    let mut wire = Wire::new();
    wire.streams[CLIENT].note(Anomaly::new(Kind::TcpOverlapDiffers, Span::default(), "x"));
    assert_eq!(wire.client(&post("/", "x")).close()[0], "> 0 POST / [x], tcp.overlap-differs");
}

#[test]
fn what_is_kept_is_counted() {
    let wire = Wire::new().client("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n0123456789");
    assert!(wire.streams[CLIENT].held() == 0 && wire.conn.held() >= 10, "{:?}", wire.conn);
    let wire = wire.client("x".repeat(245).as_str()).client("\r\n0\r\n\r\n").server(&ok("1"));
    assert_eq!(wire.conn.held(), 0);
}

#[test]
fn a_large_early_response_is_not_kept_back() {
    let wire = Wire::new().client("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n").server(&ok(&"<".repeat(70_000)));
    assert_eq!(wire.events.len(), 1);
    assert_eq!(wire.client("body").close()[1], "> 0 POST / [body]");
}

#[test]
fn a_download_passes_by_and_a_document_of_its_size_does_not() {
    let limits = Limits::default();
    let size = 4 * limits.other_body;
    let document = format!("<SyncML>{}", " ".repeat(size));
    for (body, kept) in [(vec![0x89; size], limits.other_body), (document.into_bytes(), size + "<SyncML>".len())] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut wire = Wire::new().client("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").server(&head);
        let mut most = 0;
        for piece in body.chunks(1460) {
            wire = wire.send(SERVER, piece);
            most = most.max(wire.held());
        }
        assert_eq!(most < 3 * limits.other_body, kept == limits.other_body, "{most} bytes were held");
        let events = wire.client(&post("/b", "next")).server(&ok("answer")).events();
        let Event::Message(message) = &events[1] else { panic!("{events:?}") };
        assert_eq!((message.body.bytes.len(), message.body.wire_len), (kept, Some(body.len() as u64)));
        assert_eq!(line(&events[3]), "< 1 200 [answer] to POST");
    }
}
