//! Dumps of a server's traffic: HTTP heads and bodies under titles between dashes.
//!
//! ```text
//! ----------- Input Header -----------
//!  POST /ManagementServer/MDM.svc HTTP/1.1
//! Host: mdm.example
//!
//! ----------- Input Body -----------
//!  <SyncML>…</SyncML>
//! =====================================
//! ```
//!
//! Servers written after the Windows MDM proof of concept print these, re-indenting the bodies, so that a body's size
//! on the wire is not known. In: a text with such titles. Out: its HTTP messages, and the documents between them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::text::{Position, Text};
use super::super::{Record, body};
use crate::http::{Captured, Connection, Event, Half, Head, InputId, Message};
use crate::limits::Limits;

/// Requests waiting for their answers at once; past it the oldest is taken as unanswered.
const MAX_OPEN: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Title {
    Head(Half),
    Body,
    EmptyBody,
    /// A line of equals signs, with or without words.
    Rule,
}

/// A head and a body as they stand in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    half: Half,
    head: Place,
    body: Place,
    /// Where the block, its body included, ends.
    end: usize,
    cut: Cut,
}

/// Where the text ends in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Behind it.
    No,
    /// Inside the head: more lines may have been to come.
    Head,
    /// Inside the body.
    Body,
}

type Place = std::ops::Range<usize>;

/// Whether a text has HTTP heads under titles.
pub(super) fn has_heads(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"Header --").any(|at| {
        let start = memchr::memrchr(b'\n', text.get(..at).unwrap_or_default()).map_or(0, |end| end + 1);
        let line = text.get(start..).unwrap_or_default().split(|byte| *byte == b'\n').next().unwrap_or_default();
        matches!(title(line), Some(Title::Head(_)))
    })
}

/// Reads a dump.
pub(super) fn read(text: &Text<'_>, input: InputId, limits: &Limits, out: &mut dyn FnMut(Record)) {
    let mut exchanges = Exchanges { input, open: VecDeque::new(), unclear: 0, connections: 0 };
    let mut position = Position::default();
    let mut at = 0;
    while let Some((start, block)) = next_block(&text.bytes, at) {
        super::documents_in(text, at..start, &mut position, limits, out);
        exchanges.read(text, &block, &mut position, limits, out);
        at = block.end;
    }
    super::documents_in(text, at..text.bytes.len(), &mut position, limits, out);
    exchanges.finish(out);
}

/// The next head at or behind `from`, and where its title starts.
fn next_block(text: &[u8], from: usize) -> Option<(usize, Block)> {
    let mut lines = Lines { text, at: from };
    let (start, half) = lines.find_map(|(line, span)| match title(line) {
        Some(Title::Head(half)) => Some((span.start, half)),
        _ => None,
    })?;
    let head_start = lines.at;
    let mut head_end = None;
    loop {
        let before = lines.at;
        let Some((line, span)) = lines.next() else { break };
        match title(line) {
            Some(Title::Body) => {
                let (end, is_cut) = body_end(&mut lines, span.end);
                let cut = if is_cut { Cut::Body } else { Cut::No };
                let head = head_start..head_end.unwrap_or(before);
                return Some((start, Block { half, head, body: span.end..end, end, cut }));
            }
            Some(Title::EmptyBody) => {
                let head = head_start..head_end.unwrap_or(before);
                return Some((start, Block { half, head, body: 0..0, end: span.end, cut: Cut::No }));
            }
            Some(Title::Head(_) | Title::Rule) => {
                lines.at = before;
                break;
            }
            None if line.ends_with(b"\n") && line.trim_ascii().is_empty() => head_end = head_end.or(Some(before)),
            None => {}
        }
    }
    let end = lines.at;
    let cut = match head_end {
        _ if end < text.len() => Cut::No,
        Some(_) => Cut::Body,
        None => Cut::Head,
    };
    Some((start, Block { half, head: head_start..head_end.unwrap_or(end), body: 0..0, end, cut }))
}

fn body_end(lines: &mut Lines<'_>, start: usize) -> (usize, bool) {
    let end = lines.find_map(|(line, span)| match title(line) {
        Some(Title::Rule | Title::Head(_)) => Some(span.start),
        _ => None,
    });
    (end.unwrap_or(lines.text.len().max(start)), end.is_none())
}

fn title(line: &[u8]) -> Option<Title> {
    let line = line.trim_ascii();
    if line.starts_with(b"==========") {
        return line.ends_with(b"==========").then_some(Title::Rule);
    }
    let inner = line.strip_prefix(b"-----")?.strip_suffix(b"-----")?;
    let words = std::str::from_utf8(inner).ok()?.trim_matches(['-', ' ']).to_ascii_lowercase();
    match words.as_str() {
        "input header" | "input headers" | "request header" | "request headers" => Some(Title::Head(Half::Request)),
        "output header" | "output headers" | "response header" | "response headers" => {
            Some(Title::Head(Half::Response))
        }
        "input body" | "request body" | "output body" | "response body" => Some(Title::Body),
        "empty input body" | "empty request body" | "empty output body" | "empty response body" => {
            Some(Title::EmptyBody)
        }
        _ => None,
    }
}

/// Lines with their places; a line's place ends behind its line feed.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a [u8], Place);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let span = self.at..self.at + len;
        self.at = span.end;
        Some((rest.get(..len)?, span))
    }
}

/// Which answers belong to which requests.
struct Exchanges {
    input: InputId,
    open: VecDeque<(Arc<Connection>, Arc<Head>)>,
    /// Answers to one of `open`, nobody knows which.
    unclear: usize,
    connections: u32,
}

impl Exchanges {
    fn read(
        &mut self,
        text: &Text<'_>,
        block: &Block,
        position: &mut Position,
        limits: &Limits,
        out: &mut dyn FnMut(Record),
    ) {
        let Some(head) = head(text, block).map(Arc::new) else { return };
        let (connection, request) = match block.half {
            Half::Request => self.asked(&head, out),
            Half::Response => self.answered(),
        };
        let all = text.bytes.get(block.body.clone()).unwrap_or_default();
        let start = block.body.start + (all.len() - all.trim_ascii_start().len());
        let captured = match block.cut {
            Cut::Head | Cut::Body => Captured::Partly("the log ends inside it".to_owned()),
            Cut::No => Captured::Whole,
        };
        out(Record::Http(Event::Message(Message {
            connection,
            exchange: 0,
            half: block.half,
            head,
            request,
            body: body(all.trim_ascii(), text.origin(start), captured, limits),
            first: None,
            last: None,
            position: Some(position.advance(&text.bytes, start)),
            notes: Vec::new(),
        })));
    }

    /// The log does not say which requests share a connection, so each has its own.
    fn asked(&mut self, head: &Arc<Head>, out: &mut dyn FnMut(Record)) -> (Arc<Connection>, Option<Arc<Head>>) {
        if self.open.len() >= MAX_OPEN {
            self.unanswered(out);
        }
        let secure = head.header("x-forwarded-proto").map(|scheme| scheme.eq_ignore_ascii_case("https"));
        let connection = self.connection(secure);
        self.open.push_back((Arc::clone(&connection), Arc::clone(head)));
        (connection, None)
    }

    /// While several requests wait, an answer may be to any of them: then it stands alone, until there are as many
    /// answers as requests.
    fn answered(&mut self) -> (Arc<Connection>, Option<Arc<Head>>) {
        if self.open.len() == 1
            && let Some((connection, request)) = self.open.pop_front()
        {
            return (connection, Some(request));
        }
        self.unclear += usize::from(!self.open.is_empty());
        if self.unclear == self.open.len() {
            self.open.clear();
            self.unclear = 0;
        }
        (self.connection(None), None)
    }

    fn connection(&mut self, tls: Option<bool>) -> Arc<Connection> {
        let number = self.connections;
        self.connections = number.saturating_add(1);
        Arc::new(Connection {
            input: self.input,
            number,
            client: None,
            server: None,
            tls,
            handshake: None,
            from_start: false,
        })
    }

    /// Gives up the request that waits longest. Its answer is missing, unless it is one of those that stood alone.
    fn unanswered(&mut self, out: &mut dyn FnMut(Record)) {
        let Some((connection, request)) = self.open.pop_front() else { return };
        if self.unclear == 0 {
            let (half, request) = (Half::Response, Some(request));
            out(Record::Http(Event::Missing { connection, exchange: 0, half, request, at: None }));
        }
    }

    fn finish(&mut self, out: &mut dyn FnMut(Record)) {
        while !self.open.is_empty() {
            self.unanswered(out);
        }
    }
}

/// A head as printed: indented or not, first line first. Where the log ends inside it, of its whole lines; `None` where it
/// ends before the first, so that nothing is known of the message, not even that it was sent.
fn head(text: &Text<'_>, block: &Block) -> Option<Head> {
    let (place, is_cut) = (block.head.clone(), block.cut == Cut::Head);
    let mut bytes = text.bytes.get(place.clone()).unwrap_or_default();
    if is_cut {
        bytes = bytes.get(..memchr::memrchr(b'\n', bytes)?).unwrap_or_default();
    }
    let printed = String::from_utf8_lossy(bytes);
    let mut lines = printed.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    let headers = lines.filter_map(pair).collect();
    let unknown = u32::from(is_cut);
    let mut head = Head { headers, unknown, origin: text.origin(place.start), ..Head::default() };
    let mut words = first.split_ascii_whitespace();
    match block.half {
        Half::Request => {
            head.method = words.next().unwrap_or_default().to_owned();
            head.target = words.next().unwrap_or_default().to_owned();
            head.version = words.next().unwrap_or_default().to_owned();
        }
        Half::Response => {
            head.version = words.next().unwrap_or_default().to_owned();
            head.status = words.next().and_then(|status| status.parse().ok()).unwrap_or(0);
            head.reason = words.collect::<Vec<_>>().join(" ");
        }
    }
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "starting\n\
        ========= Input Request =========\n\
        ----------- Input Header -----------\n POST /mdm?mode=Maintenance HTTP/1.1\r\n\
        Host: mdm.example\r\nX-Forwarded-Proto: https\r\nContent-Length: 9\r\n\r\n\n\
        ----------- Input Body -----------\n  \n <SyncML>\n   <SyncHdr/>\n </SyncML>\n\
        =================================\n\n\
        <SyncML><SyncBody/></SyncML>\n\
        ========= Output Response =========\n\
        ----------- Response Header -----------\n HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\n\
        ----------- Empty Response Body -----------\n=================================\n";

    fn read_all(dump: &str) -> Vec<Record> {
        let mut records = Vec::new();
        super::super::read(dump.as_bytes(), InputId(0), &Limits::default(), &mut |record| records.push(record));
        records
    }

    fn message(record: &Record) -> &Message {
        match record {
            Record::Http(Event::Message(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn heads_and_bodies_become_messages() {
        for dump in [DUMP.to_owned(), DUMP.lines().map(|line| format!("    {line}\n")).collect()] {
            let records = read_all(&dump);
            assert_eq!(records.len(), 3);
            let (request, response) = (message(&records[0]), message(&records[2]));
            assert!(
                matches!(&records[1], Record::Document(document) if document.body.bytes.starts_with(b"<SyncML><SyncBody/>"))
            );
            assert_eq!((&*request.head.method, &*request.head.target), ("POST", "/mdm?mode=Maintenance"));
            assert_eq!(request.head.header("host"), Some("mdm.example"));
            assert_eq!(request.connection.tls, Some(true));
            assert!(request.body.bytes.starts_with(b"<SyncML>") && request.body.bytes.ends_with(b"</SyncML>"));
            assert_eq!((&request.body.captured, request.body.wire_len), (&Captured::Whole, None));
            let at = request.body.origin.runs()[0].offset as usize;
            assert!(dump[at..].starts_with("<SyncML>"));
            let line = dump[..at].matches('\n').count() as u32 + 1;
            assert_eq!(request.position.map(|(found, _)| found), Some(line));
            assert_eq!((response.head.status, &*response.head.reason), (500, "Internal Server Error"));
            assert_eq!(response.request.as_ref().unwrap().target, request.head.target);
            assert!(response.body.bytes.is_empty() && response.body.captured == Captured::Whole);
        }
    }

    #[test]
    fn a_dump_that_ends_early_has_a_part_of_a_body_and_no_answer() {
        let end = DUMP.find("</SyncML>").unwrap();
        let records = read_all(&DUMP[..end]);
        assert!(matches!(message(&records[0]).body.captured, Captured::Partly(_)));
        assert!(matches!(&records[1], Record::Http(Event::Missing { half: Half::Response, .. })));
        assert_eq!(records.len(), 2);
    }

    #[test]
    fn a_dump_that_ends_in_the_head_of_an_answer_tells_what_it_has() {
        let status = DUMP.find("HTTP/1.1 500").unwrap();
        for end in [status, status + "HTTP/1.1 500 Inter".len()] {
            let records = read_all(&DUMP[..end]);
            assert!(matches!(&records[2], Record::Http(Event::Missing { half: Half::Response, .. })), "{records:?}");
        }
        let records = read_all(&DUMP[..DUMP.find("ection: close").unwrap()]);
        let answer = message(&records[2]);
        assert_eq!((answer.head.status, answer.head.unknown, answer.head.headers.len()), (500, 1, 0));
        assert!(matches!(answer.body.captured, Captured::Partly(_)));
    }

    #[test]
    fn answers_to_one_of_several_requests_stand_alone() {
        let request = &DUMP[DUMP.find("----------- Input").unwrap()..DUMP.find("<SyncML><SyncBody").unwrap()];
        let response = &DUMP[DUMP.find("----------- Response").unwrap()..];
        let records = read_all(&[request, request, response, response, request, response].concat());
        let answers: Vec<bool> = records.iter().map(|record| message(record).request.is_some()).collect();
        assert_eq!(answers, [false, false, false, false, false, true]);
    }
}
