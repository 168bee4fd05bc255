//! Tests of sessions as a whole: events in, sessions out.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::http::{self, Body, Captured, Connection, Event, Half, Head, InputId};
use crate::limits::Limits;
use crate::origin::Origin;
use crate::stream::End;
use crate::syncml::Kind;
use crate::transcript::Document;

const ALERT: &str = "<Alert><CmdID>2</CmdID><Data>1201</Data></Alert>";

/// A SyncML message; `from` and `to` are Source and Target.
fn syncml(session: &str, msg_id: u32, from: &str, to: &str, body: &str) -> String {
    format!(
        "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
         <SessionID>{session}</SessionID><MsgID>{msg_id}</MsgID><Target><LocURI>{to}</LocURI></Target>\
         <Source><LocURI>{from}</LocURI></Source></SyncHdr><SyncBody>{body}</SyncBody></SyncML>"
    )
}

fn status(cmd_id: u32, msg_ref: u32, cmd_ref: u32, cmd: &str, code: u16) -> String {
    format!(
        "<Status><CmdID>{cmd_id}</CmdID><MsgRef>{msg_ref}</MsgRef><CmdRef>{cmd_ref}</CmdRef><Cmd>{cmd}</Cmd>\
         <Data>{code}</Data></Status>"
    )
}

fn get(cmd_id: u32, uri: &str) -> String {
    format!("<Get><CmdID>{cmd_id}</CmdID><Item><Target><LocURI>{uri}</LocURI></Target></Item></Get>")
}

fn results(cmd_id: u32, msg_ref: u32, cmd_ref: u32, uri: &str, data: &str) -> String {
    format!(
        "<Results><CmdID>{cmd_id}</CmdID><MsgRef>{msg_ref}</MsgRef><CmdRef>{cmd_ref}</CmdRef><Item><Source><LocURI>{uri}\
         </LocURI></Source><Data>{data}</Data></Item></Results>"
    )
}

const SERVER: &str = "https://dm.example/omadm";

/// A device that talks to a server over HTTP.
#[derive(Clone)]
struct Line {
    device: &'static str,
    session: &'static str,
    connection: Arc<Connection>,
    exchange: u32,
    events: Vec<Event>,
}

impl Line {
    fn new(number: u32, device: &'static str, session: &'static str) -> Line {
        let connection = Connection {
            input: InputId(0),
            number,
            client: None,
            server: None,
            tls: None,
            handshake: None,
            from_start: true,
        };
        Line { device, session, connection: Arc::new(connection), exchange: 0, events: Vec::new() }
    }

    fn send(mut self, half: Half, status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Line {
        let headers = vec![("Content-Type".to_owned(), media_type.to_owned())];
        let head = Arc::new(Head { status, headers, ..Head::default() });
        self.events.push(Event::Message(http::Message {
            connection: Arc::clone(&self.connection),
            exchange: self.exchange,
            half,
            head,
            request: None,
            body: Body::whole(body.into(), Origin::file(0)),
            first: None,
            last: None,
            position: None,
            notes: Vec::new(),
        }));
        self.exchange += u32::from(half == Half::Response);
        self
    }

    fn client(self, msg_id: u32, body: &str) -> Line {
        let message = syncml(self.session, msg_id, self.device, SERVER, body);
        self.send(Half::Request, 0, "application/vnd.syncml.dm+xml", message)
    }

    fn server(self, msg_id: u32, body: &str) -> Line {
        let message = syncml(self.session, msg_id, SERVER, self.device, body);
        self.send(Half::Response, 200, "application/vnd.syncml.dm+xml", message)
    }

    /// The next exchange without an answer to this one.
    fn skip(mut self) -> Line {
        self.exchange += 1;
        self
    }

    fn missing(mut self, half: Half) -> Line {
        let (connection, exchange) = (Arc::clone(&self.connection), self.exchange);
        self.events.push(Event::Missing { connection, exchange, half, request: None, at: None });
        self.exchange += u32::from(half == Half::Response);
        self
    }

    fn cut_last(mut self, keep: usize) -> Line {
        if let Some(Event::Message(message)) = self.events.last_mut() {
            message.body.bytes = message.body.bytes[..keep].into();
            message.body.captured = Captured::Partly("cut".into());
        }
        self
    }

    fn end(mut self, end: End) -> Line {
        self.events.push(Event::Closed { connection: Arc::clone(&self.connection), end, at: None });
        self
    }

    fn sessions(self) -> Vec<Session> {
        assemble(self.events)
    }
}

fn assemble(events: impl IntoIterator<Item = Event>) -> Vec<Session> {
    run(&Limits::default(), events).0
}

fn run(limits: &Limits, events: impl IntoIterator<Item = Event>) -> (Vec<Session>, Assembler) {
    let mut sessions = Vec::new();
    let mut assembler = Assembler::new(limits);
    for event in events {
        assembler.http(event, &mut |session| sessions.push(session));
    }
    assembler.finish(&mut |session| sessions.push(session));
    sessions.sort_by_key(|session| session.number);
    (sessions, assembler)
}

/// Two round trips: Get answered by Results.
fn whole(line: Line) -> Line {
    let ok = |msg_ref| status(1, msg_ref, 0, "SyncHdr", 200);
    line.client(1, &format!("{ALERT}<Final/>"))
        .server(1, &format!("{}{}{}<Final/>", ok(1), status(2, 1, 2, "Alert", 200), get(3, "./A")))
        .client(2, &format!("{}{}{}<Final/>", ok(1), status(2, 1, 3, "Get", 200), results(3, 1, 3, "./A", "x")))
        .server(2, &format!("{}<Final/>", ok(2)))
}

fn kinds(session: &Session) -> String {
    let letter = |message: &Message| {
        let side = match message.side {
            Some(Side::Client) => "c",
            Some(Side::Server) => "s",
            None => "?",
        };
        let mark = match (message.kind, message.retransmission) {
            (Kind::Missing, _) => "-",
            (_, true) => "=",
            (Kind::SyncMl, _) => "",
            _ => "!",
        };
        format!("{side}{}{mark}", message.msg_id().unwrap_or_default())
    };
    session.messages.iter().map(letter).collect::<Vec<_>>().join(" ")
}

fn answers(session: &Session) -> Vec<(usize, usize, usize)> {
    let all = session.exchanges.iter();
    all.map(|exchange| (exchange.command.message, exchange.statuses.len(), exchange.results.len())).collect()
}

#[test]
fn a_whole_session() {
    let sessions = whole(Line::new(0, "d1", "7")).sessions();
    assert_eq!(sessions.len(), 1);
    let session = &sessions[0];
    assert_eq!(kinds(session), "c1 s1 c2 s2");
    assert_eq!(
        (session.start.clone(), session.end.clone(), session.outcome),
        (Edge::Seen, Edge::Seen, Outcome::Complete)
    );
    let ids = [&session.session_id, &session.device, &session.server].map(|id| id.as_deref().unwrap());
    assert_eq!(ids, ["7", "d1", SERVER]);
    assert_eq!(answers(session), [(0, 1, 0), (1, 1, 1)]);
}

#[test]
fn a_session_goes_over_connections() {
    let mut line = whole(Line::new(0, "d1", "7"));
    for (index, event) in line.events.iter_mut().enumerate() {
        if let Event::Message(message) = event {
            let connection = Connection { number: index as u32 / 2, ..Connection::clone(&line.connection) };
            (message.connection, message.exchange) = (Arc::new(connection), 0);
        }
    }
    assert_eq!(line.sessions().iter().map(kinds).collect::<Vec<_>>(), ["c1 s1 c2 s2"]);
}

#[test]
fn msg_id_1_begins_a_session_even_with_the_same_session_id() {
    let sessions = whole(whole(Line::new(0, "d1", "1"))).sessions();
    assert_eq!(sessions.iter().map(kinds).collect::<Vec<_>>(), ["c1 s1 c2 s2", "c1 s1 c2 s2"]);
    assert!(sessions.iter().all(|session| session.outcome == Outcome::Complete));
}

#[test]
fn a_retry_after_a_challenge_stays_in_its_session() {
    let challenge = status(1, 1, 0, "SyncHdr", 407).replace("<Data>", "<Chal><Meta/></Chal><Data>");
    let line = Line::new(0, "d1", "1")
        .client(1, &format!("{ALERT}<Final/>"))
        .server(1, &format!("{challenge}<Final/>"))
        .client(2, &format!("{}{ALERT}<Final/>", status(1, 1, 0, "SyncHdr", 200)));
    let refused = line.clone().server(2, &format!("{}<Final/>", status(1, 2, 0, "SyncHdr", 401)));
    let accepted = line.server(2, &format!("{}<Final/>", status(1, 2, 0, "SyncHdr", 212)));
    for (line, outcome) in [(refused, Outcome::AuthFailed), (accepted, Outcome::Complete)] {
        let sessions = line.sessions();
        assert_eq!((sessions.len(), kinds(&sessions[0]).as_str()), (1, "c1 s1 c2 s2"));
        assert_eq!(sessions[0].outcome, outcome);
    }
}

#[test]
fn a_session_alert_that_continues_the_numbers_is_no_new_session() {
    let line = Line::new(0, "d1", "1")
        .client(1, &format!("{ALERT}<Final/>"))
        .server(1, &format!("{}<Final/>", get(2, "./A")))
        .client(2, &format!("{ALERT}<Final/>"));
    assert_eq!(line.clone().sessions().len(), 1);
    assert_eq!(line.server(2, "<Final/>").client(7, ALERT).sessions().len(), 2);
}

#[test]
fn a_start_that_was_not_captured_is_told() {
    let mut line = whole(Line::new(0, "d1", "7"));
    line.events.drain(..2);
    let session = &line.sessions()[0];
    assert_eq!(session.start, Edge::NotCaptured("the first client message seen has MsgID 2".into()));
    assert_eq!(session.outcome, Outcome::Incomplete);
    assert_eq!(session.message(Side::Server, "1", 0), Lookup::NotCaptured);
    let status = session.messages[0].doc.statuses().next().unwrap();
    assert_eq!(session.referred(0, status), Lookup::NotCaptured);
}

#[test]
fn an_end_that_was_not_captured_is_told() {
    let mut line = whole(Line::new(0, "d1", "7"));
    line.events.pop();
    let session = &line.clone().sessions()[0];
    assert!(matches!(session.end, Edge::NotCaptured(_)));
    assert_eq!(session.outcome, Outcome::Incomplete);
    let closed = &line.clone().end(End::Closed).sessions()[0];
    assert_eq!((closed.end.clone(), closed.outcome), (Edge::Seen, Outcome::Open));
    let unknown = &line.end(End::Unknown).sessions()[0];
    assert_eq!(unknown.outcome, Outcome::Incomplete);
}

#[test]
fn an_answer_whose_status_cannot_be_known_is_an_answer() {
    let mut line = whole(Line::new(0, "d1", "7"));
    line.events.pop();
    line.exchange -= 1;
    for unknown in [0, 1] {
        let mut line = line.clone().send(Half::Response, 0, "", "");
        let Some(Event::Message(answer)) = line.events.last_mut() else { panic!() };
        answer.head = Arc::new(Head { unknown, ..Head::default() });
        let last = line.sessions()[0].messages.last().unwrap().side;
        assert_eq!(last, Some(if unknown == 0 { Side::Client } else { Side::Server }));
    }
}

#[test]
fn missing_messages_stand_in_their_place() {
    let line = whole(Line::new(0, "d1", "7"));
    let gap = Line { events: Vec::new(), exchange: 0, ..line.clone() }.missing(Half::Response);
    let mut events = line.events.clone();
    events.splice(1..2, gap.events.clone());
    let session = &assemble(events)[0];
    assert_eq!(kinds(session), "c1 s- c2 s2");
    assert_eq!(session.message(Side::Server, "1", 2), Lookup::NotCaptured);
    assert_eq!(session.message(Side::Client, "9", 3), Lookup::Absent);

    let mut events = line.events.clone();
    events.remove(1);
    assert_eq!(kinds(&assemble(events)[0]), "c1 s- c2 s2");

    let mut events = line.events.clone();
    events.remove(2);
    assert_eq!(kinds(&assemble(events)[0]), "c1 s1 c- s2");
}

#[test]
fn an_answer_whose_request_is_missing_is_matched_by_its_header() {
    let line = whole(Line::new(0, "d1", "7"));
    let other = whole(Line::new(1, "d2", "7"));
    let mut events = line.events.clone();
    let gap = Line { exchange: 1, events: Vec::new(), ..line }.missing(Half::Request);
    events.splice(2..3, gap.events);
    events.splice(1..1, other.events);
    let sessions = assemble(events);
    assert_eq!(sessions.iter().map(kinds).collect::<Vec<_>>(), ["c1 s1 c- s2", "c1 s1 c2 s2"]);
}

#[test]
fn a_damaged_message_is_a_hole() {
    let mut line = whole(Line::new(0, "d1", "7"));
    let last = line.events.split_off(2);
    let mut line = line.cut_last(420);
    line.events.extend(last);
    let session = &line.sessions()[0];
    assert_eq!(kinds(session), "c1 s1 c2 s2");
    assert_eq!(session.command(1, "3"), Lookup::NotCaptured);
    assert_eq!(session.command(0, "9"), Lookup::Absent);
    assert_eq!(session.message(Side::Server, "5", 2), Lookup::NotCaptured);
    assert_eq!(session.outcome, Outcome::Incomplete);
}

#[test]
fn retransmissions_are_marked_and_change_nothing() {
    let straight = whole(Line::new(0, "d1", "7")).sessions();
    let ok = |msg_ref| status(1, msg_ref, 0, "SyncHdr", 200);
    let unanswered = Line::new(0, "d1", "7").client(1, &format!("{ALERT}<Final/>")).skip();
    let session = &whole(unanswered).sessions()[0];
    assert_eq!(kinds(session), "c1 c1= s1 c2 s2");
    assert_eq!(answers(session), [(0, 1, 0), (2, 1, 1)]);
    assert_eq!(session.outcome, Outcome::Complete);

    // The answer was lost on the way to the client, not on the way to the capture.
    let twice = Line::new(0, "d1", "7")
        .client(1, &format!("{ALERT}<Final/>"))
        .server(1, &format!("{}{}{}<Final/>", ok(1), status(2, 1, 2, "Alert", 200), get(3, "./A")));
    let session = &whole(twice).sessions()[0];
    assert_eq!(kinds(session), "c1 s1 c1= s1= c2 s2");
    assert_eq!(answers(session).len(), answers(&straight[0]).len());
}

#[test]
fn other_traffic_is_dropped_and_counted() {
    let line = Line::new(0, "d1", "7").send(Half::Request, 0, "", "").send(Half::Response, 200, "text/html", "<html>");
    let line = whole(line).send(Half::Request, 0, "", "{}").send(Half::Response, 200, "application/json", "{}");
    let (sessions, assembler) = run(&Limits::default(), line.events);
    assert_eq!(sessions.iter().map(kinds).collect::<Vec<_>>(), ["c1 s1 c2 s2"]);
    assert_eq!(assembler.counts(), Counts { messages: 4, dropped: 4, sessions: 1, enrollments: 0, pushes: 0 });
}

#[test]
fn an_answer_that_is_no_syncml_belongs_to_the_session() {
    let line = Line::new(0, "d1", "7").client(1, &format!("{ALERT}<Final/>"));
    for (code, body, outcome) in
        [(200, "", Outcome::Complete), (500, "<html>", Outcome::Open), (401, "", Outcome::AuthFailed)]
    {
        let session = &line.clone().send(Half::Response, code, "text/html", body).sessions()[0];
        assert_eq!(kinds(session), "c1 s!");
        assert_eq!((session.end.clone(), session.outcome), (Edge::Seen, outcome));
    }
}

#[test]
fn status_0_is_no_answer() {
    let mut line = Line::new(0, "d1", "7").client(1, ALERT).send(Half::Response, 0, "", "");
    if let Some(Event::Message(message)) = line.events.last_mut() {
        message.body.captured = Captured::Partly("no answer".into());
    }
    let session = &line.sessions()[0];
    assert_eq!((kinds(session).as_str(), session.outcome), ("c1", Outcome::Open));
}

#[test]
fn a_session_id_that_changes_in_the_answer_or_on_the_way_does_not_split_the_session() {
    let mut line = Line::new(0, "d1", "1A").client(1, ALERT);
    line.session = "1a";
    line = line.server(1, &get(3, "./A"));
    line = line.client(2, &status(1, 1, 3, "Get", 200));
    assert_eq!(line.sessions().iter().map(kinds).collect::<Vec<_>>(), ["c1 s1 c2"]);
}

#[test]
fn an_abort_ends_a_session() {
    let abort = "<Alert><CmdID>2</CmdID><Data>1223</Data></Alert><Final/>";
    let line = Line::new(0, "d1", "7").client(1, ALERT).server(1, &get(2, "./A")).client(2, abort);
    assert_eq!(line.clone().sessions()[0].outcome, Outcome::Aborted);
    assert_eq!(whole(line.skip()).sessions().len(), 2);
}

#[test]
fn enrollment_is_handed_on_apart() {
    let soap = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body><Discover \
        xmlns='http://schemas.microsoft.com/windows/management/2012/01/enrollment'/></s:Body></s:Envelope>";
    let line = Line::new(0, "d1", "7")
        .send(Half::Request, 0, "application/soap+xml", soap)
        .send(Half::Response, 200, "application/soap+xml", soap)
        .send(Half::Request, 0, "", "<s:Envelope xmlns:s='urn:x'/>")
        .send(Half::Response, 200, "", "<s:Envelope xmlns:s='urn:x'/>");
    let (sessions, assembler) = run(&Limits::default(), line.events);
    assert_eq!(sessions.len(), 1);
    assert_eq!((sessions[0].flavor, sessions[0].messages.len()), (Flavor::Enrollment, 2));
    assert_eq!(assembler.counts(), Counts { messages: 2, dropped: 2, sessions: 0, enrollments: 1, pushes: 0 });
}

const ENVELOPE: &str = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' \
    xmlns='http://schemas.microsoft.com/windows/management/2012/01/enrollment'><s:Body>";

fn soap(name: &str) -> String {
    format!("{ENVELOPE}<{name}/></s:Body></s:Envelope>")
}

#[test]
fn an_enrollment_goes_over_connections_until_the_next_discovery() {
    let exchange = |number, asked: &str, answer: &str| {
        let line = Line::new(number, "d1", "1").send(Half::Request, 0, "application/soap+xml", soap(asked));
        line.send(Half::Response, 200, "application/soap+xml", soap(answer)).end(End::Closed).events
    };
    let events = [
        exchange(0, "Discover", "DiscoverResponse"),
        exchange(1, "Discover", "DiscoverResponse"),
        exchange(2, "GetPolicies", "GetPoliciesResponse"),
        exchange(3, "RequestSecurityToken", "RequestSecurityTokenResponseCollection"),
        exchange(4, "Discover", "DiscoverResponse"),
        exchange(5, "GetPolicies", "Fault"),
    ];
    let sessions = assemble(events.concat());
    let seen: Vec<(usize, Outcome)> =
        sessions.iter().map(|session| (session.messages.len(), session.outcome)).collect();
    // A response without a provisioning document has not provisioned anything.
    assert_eq!(seen, [(8, Outcome::Incomplete), (4, Outcome::Aborted)]);
}

/// The same events, `seconds` apart.
fn timed(events: Vec<Event>, start: i64, seconds: i64) -> Vec<Event> {
    let set = |(index, event): (usize, Event)| match event {
        Event::Message(mut message) => {
            message.first = Some(Time((start + index as i64 * seconds) * 1_000_000_000));
            message.last = message.first;
            Event::Message(message)
        }
        other => other,
    };
    events.into_iter().enumerate().map(set).collect()
}

#[test]
fn a_capture_that_goes_on_has_seen_the_end() {
    let half = |number, device| Line::new(number, device, "1").client(1, ALERT).events;
    for (pause, outcome) in [(60, Outcome::Incomplete), (600, Outcome::Open)] {
        let events = [timed(half(0, "d1"), 0, 1), timed(half(1, "d2"), pause, 1)].concat();
        assert_eq!(assemble(events)[0].outcome, outcome);
    }
}

#[test]
fn a_session_that_is_over_is_handed_on_before_the_capture_ends() {
    let mut assembler = Assembler::new(&Limits::default());
    let mut sessions = Vec::new();
    for number in 0..100u32 {
        let line = whole(Line::new(number, ["a", "b", "c"][number as usize % 3], "7"));
        for event in timed(line.end(End::Closed).events, i64::from(number) * 300, 1) {
            assembler.http(event, &mut |session| sessions.push(session));
        }
    }
    assert!(sessions.len() > 90);
    assembler.finish(&mut |session| sessions.push(session));
    assert_eq!(sessions.len(), 100);
    assert!(sessions.iter().all(|session| session.outcome == Outcome::Complete));
    assert!(assembler.is_clear());
}

#[test]
fn limits_close_sessions_as_they_stand() {
    let limits = Limits { sessions: 2, ..Limits::default() };
    let half = |number, device| Line::new(number, device, "1").client(1, ALERT).events;
    let events = [half(0, "a"), half(1, "b"), half(2, "c")].concat();
    let (sessions, mut assembler) = run(&limits, events);
    assert!(matches!(&sessions[0].end, Edge::NotCaptured(why) if why.starts_with("too many sessions")));
    assert_eq!((sessions.len(), assembler.take_notes().len()), (3, 1));

    let limits = Limits { session_messages: 3, ..Limits::default() };
    let (sessions, _) = run(&limits, whole(Line::new(0, "a", "1")).events);
    assert_eq!(sessions.iter().map(kinds).collect::<Vec<_>>(), ["c1 s1 c2", "c- s2"]);

    let limits = Limits { session_bytes: 1, ..Limits::default() };
    let (sessions, _) = run(&limits, half(0, "a"));
    assert!(matches!(&sessions[0].end, Edge::NotCaptured(why) if why.starts_with("too many bytes")));
}

fn document(text: &str, side: Option<Side>, input: u32) -> Message {
    let body = Body::whole(text.as_bytes(), Origin::file(0));
    let document = Document { body, side, at: None, position: None };
    Message::from_document(document, InputId(input), &Limits::default())
}

fn documents(all: impl IntoIterator<Item = Message>) -> Vec<Session> {
    let mut sessions = Vec::new();
    let mut assembler = Assembler::new(&Limits::default());
    for message in all {
        assembler.document(message, &mut |session| sessions.push(session));
    }
    assembler.finish(&mut |session| sessions.push(session));
    sessions.sort_by_key(|session| session.number);
    sessions
}

/// The bodies of a line's messages.
fn bodies(line: &Line) -> Vec<String> {
    let body = |event: &Event| match event {
        Event::Message(message) => Some(String::from_utf8(message.body.bytes.to_vec()).unwrap()),
        _ => None,
    };
    line.events.iter().filter_map(body).collect()
}

#[test]
fn documents_make_the_same_sessions_as_http() {
    let line = whole(Line::new(0, "d1", "7"));
    for device in ["d1", "http://device.example/1"] {
        let texts = bodies(&line).into_iter().map(|text| text.replace("d1", device));
        let one_log = documents(texts.clone().map(|text| document(&text, None, 0)));
        let files = documents(texts.enumerate().map(|(input, text)| document(&text, None, input as u32)));
        for sessions in [one_log, files] {
            assert_eq!(sessions.iter().map(kinds).collect::<Vec<_>>(), ["c1 s1 c2 s2"], "{device}");
            assert_eq!(answers(&sessions[0]), [(0, 1, 0), (1, 1, 1)]);
            assert_eq!(sessions[0].outcome, Outcome::Complete);
        }
    }
}

#[test]
fn files_sorted_by_sender_make_the_same_session() {
    let texts = bodies(&whole(Line::new(0, "d1", "7")));
    let order = [0, 2, 1, 3].map(|index: usize| &texts[index]);
    let files = order.iter().enumerate().map(|(input, text)| document(text, None, input as u32));
    assert_eq!(documents(files).iter().map(kinds).collect::<Vec<_>>(), ["c1 s1 c2 s2"]);
    // A log has an order of its own.
    let log = order.iter().map(|text| document(text, None, 0));
    assert_eq!(documents(log).iter().map(kinds).collect::<Vec<_>>(), ["c1 s- c2 s1 c- s2"]);
}

#[test]
fn a_lone_answer_is_not_put_into_a_session_of_another_file() {
    let answer = syncml("7", 1, SERVER, "d1", &get(2, "./A"));
    let changed = answer.replace("./A", "./B");
    let sessions = documents([document(&answer, None, 0), document(&changed, None, 1)]);
    assert_eq!(sessions.iter().map(kinds).collect::<Vec<_>>(), ["s1", "s1"]);
    assert!(sessions.iter().all(|session| session.start != Edge::Seen));
}

#[test]
fn pieces_of_documents_stand_alone() {
    let sessions = documents([document("<Get><CmdID>1</CmdID></Get>", None, 0), document("<SyncBody/>", None, 0)]);
    assert_eq!(sessions.len(), 2);
}

#[test]
fn large_objects_are_put_together() {
    let chunk = |id: u32, data: &str, more: &str| {
        let item = format!("<Item><Target><LocURI>./A</LocURI></Target><Data>{data}</Data>{more}</Item>");
        format!("<Replace><CmdID>{id}</CmdID>{item}</Replace>")
    };
    let next = |n: u32| format!("{}<Alert><CmdID>9</CmdID><Data>1222</Data></Alert>", status(1, n, 2, "Replace", 213));
    let line = Line::new(0, "d1", "7")
        .client(1, &format!("{ALERT}<Final/>"))
        .server(1, &chunk(2, "ab", "<MoreData/>"))
        .client(2, &next(1))
        .server(2, &chunk(2, "&lt;c", "<MoreData/>"))
        .client(3, &next(2))
        .server(3, &chunk(2, "d", ""));
    let session = &line.clone().sessions()[0];
    let object = &session.objects[0];
    assert_eq!((object.data.as_str(), object.chunks.len(), object.complete, object.whole), ("ab<cd", 3, true, true));
    let mut events = line.events;
    events.remove(3);
    let session = &assemble(events)[0];
    let object = &session.objects[0];
    assert_eq!((object.data.as_str(), object.complete, object.whole), ("abd", true, false));
}

#[test]
fn answers_to_commands_in_containers_and_with_several_items_are_found() {
    let items = "<Item><Target><LocURI>./A</LocURI></Target></Item><Item><Target><LocURI>./B</LocURI></Target></Item>";
    let commands = format!(
        "<Atomic><CmdID>2</CmdID><Sequence><CmdID>3</CmdID><Replace><CmdID>4</CmdID>{items}</Replace></Sequence></Atomic>\
         <Get><CmdID>5</CmdID>{items}</Get>"
    );
    let answers_to = [(2, "Atomic"), (3, "Sequence"), (4, "Replace"), (5, "Get"), (5, "Get")];
    let statuses: String = answers_to.iter().map(|(id, name)| status(*id, 1, *id, name, 200)).collect();
    let line = Line::new(0, "d1", "7")
        .client(1, ALERT)
        .server(1, &commands)
        .client(2, &format!("{statuses}<Results><CmdID>8</CmdID><CmdRef>5</CmdRef><Item/></Results>"));
    let session = &line.sessions()[0];
    assert_eq!(answers(session), [(0, 0, 0), (1, 1, 0), (1, 1, 0), (1, 1, 0), (1, 2, 1)]);
    assert!(session.exchanges.is_sorted_by_key(|exchange| exchange.command));
    assert!(session.exchange(session.exchanges[3].command).is_some());
}

#[test]
fn an_exchange_that_ran_elsewhere_is_missing_and_not_wrong() {
    let ok = |msg_ref| status(1, msg_ref, 0, "SyncHdr", 200);
    let line = |answered| {
        Line::new(0, "urn:a", "1")
            .client(1, &format!("{ALERT}<Final/>"))
            .server(1, &format!("{}{}<Final/>", ok(1), get(2, "./A")))
            .client(3, &format!("{}<Final/>", ok(answered)))
            .server(3, &format!("{}<Final/>", ok(3)))
    };
    let kinds = |line: Line| -> Vec<Kind> { line.sessions()[0].messages.iter().map(|message| message.kind).collect() };
    let (seen, missing) = (Kind::SyncMl, Kind::Missing);
    assert_eq!(kinds(line(2)), [seen, seen, missing, missing, seen, seen]);
    // A client that merely counts wrongly answers what was sent.
    assert_eq!(kinds(line(1)), [seen; 4]);
}

#[test]
fn the_highest_number_has_no_next() {
    let highest = syncml("1", 1, "urn:a", SERVER, ALERT).replace("<MsgID>1<", "<MsgID>18446744073709551615<");
    let line = Line::new(0, "urn:a", "1").send(Half::Request, 0, "application/vnd.syncml.dm+xml", highest).skip();
    assert_eq!(line.client(2, "<Final/>").sessions().len(), 1);
}

proptest! {
    #[test]
    fn interleaved_sessions_come_apart(order in prop::collection::vec(any::<bool>(), 16)) {
        let first = whole(whole(Line::new(0, "d1", "7"))).events;
        let second = whole(whole(Line::new(1, "d2", "7"))).events;
        let straight = [assemble(first.clone()), assemble(second.clone())].concat_kinds();
        let (mut first, mut second) = (first.into_iter(), second.into_iter());
        let mut mixed = Vec::new();
        for turn in order {
            mixed.extend(if turn { first.next() } else { second.next() });
        }
        mixed.extend(first);
        mixed.extend(second);
        let mut sessions = assemble(mixed);
        sessions.sort_by(|a, b| a.device.cmp(&b.device));
        let found: Vec<String> = sessions.iter().map(describe).collect();
        prop_assert_eq!(found, straight);
    }

    #[test]
    fn lost_messages_are_never_absent(lost in prop::collection::vec(any::<bool>(), 4)) {
        let line = whole(Line::new(0, "d1", "7"));
        let kept = line.events.into_iter().zip(&lost).filter(|(_, lost)| !**lost).map(|(event, _)| event);
        for session in assemble(kept) {
            for (index, message) in session.messages.iter().enumerate() {
                for answer in message.doc.statuses().filter(|status| !status.is_for_header()) {
                    prop_assert!(!session.referred(index, answer).is_absent(), "{}", describe(&session));
                }
            }
        }
    }

    #[test]
    fn a_damaged_message_costs_itself_and_no_more(index in 0usize..4, keep in 0usize..700) {
        let line = whole(Line::new(0, "d1", "7"));
        let straight = assemble(line.events.clone());
        let mut events = line.events;
        if let Event::Message(message) = &mut events[index] {
            let keep = keep.min(message.body.bytes.len() - 1);
            message.body.bytes = message.body.bytes[..keep].into();
            message.body.captured = Captured::Partly("cut".into());
        }
        let sessions = assemble(events);
        prop_assert_eq!(sessions.len(), 1, "{:?}", sessions.iter().map(describe).collect::<Vec<_>>());
        let session = &sessions[0];
        prop_assert_eq!(session.messages.iter().filter(|message| message.judged().is_err()).count(), 1);
        prop_assert_eq!(session.messages.len(), 4);
        prop_assert_eq!(session.outcome, Outcome::Incomplete);
        prop_assert_eq!(&session.device, &straight[0].device);
        for (at, message) in session.messages.iter().enumerate().filter(|(at, _)| *at != index) {
            for answer in message.doc.commands().filter(|command| !command.tag().is_command() && !command.is_for_header()) {
                prop_assert!(!session.referred(at, answer).is_absent(), "{}", describe(session));
            }
        }
    }

    #[test]
    fn repeating_any_client_message_changes_no_exchange(index in 0usize..2, answered in any::<bool>()) {
        let line = whole(Line::new(0, "d1", "7"));
        let straight = assemble(line.events.clone());
        let mut events = line.events;
        let again: Vec<Event> = events[2 * index..2 * index + 1 + usize::from(answered)].to_vec();
        for event in events.iter_mut().skip(2 * index) {
            if let Event::Message(message) = event {
                message.exchange += 10;
            }
        }
        events.splice(2 * index..2 * index, again);
        let sessions = assemble(events);
        prop_assert_eq!(sessions.len(), 1);
        let counted = |session: &Session| session.exchanges.iter().map(|exchange| (exchange.statuses.len(), exchange.results.len())).collect::<Vec<_>>();
        prop_assert_eq!(counted(&sessions[0]), counted(&straight[0]));
        prop_assert_eq!(sessions[0].outcome, straight[0].outcome);
    }
}

fn describe(session: &Session) -> String {
    format!("{:?} {} {:?} {:?}", session.device, kinds(session), answers(session), session.outcome)
}

trait Describe {
    fn concat_kinds(&self) -> Vec<String>;
}

impl<const N: usize> Describe for [Vec<Session>; N] {
    fn concat_kinds(&self) -> Vec<String> {
        self.iter().flatten().map(describe).collect()
    }
}

#[test]
fn sessions_that_are_over_make_room_without_a_word() {
    let limits = Limits { session_bytes: 50_000, ..Limits::default() };
    let devices = ["urn:a", "urn:b", "urn:c", "urn:d", "urn:e", "urn:f", "urn:g", "urn:h", "urn:i", "urn:j"];
    let lines = devices.iter().zip(1..).map(|(device, number)| whole(Line::new(number, device, "1")));
    let (sessions, mut assembler) = run(&limits, lines.flat_map(|line| line.events));
    assert_eq!(sessions.len(), devices.len());
    assert!(sessions.iter().all(|session| session.end == Edge::Seen && session.outcome == Outcome::Complete));
    assert_eq!(assembler.take_notes(), []);
}
