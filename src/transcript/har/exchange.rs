//! The two HTTP messages of a HAR entry.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::content;
use super::format::{Content, Entry, Header, Request, Response, Scalar};
use crate::http::{Body, Captured, Connection, Event, Half, Head, InputId, Message};
use crate::limits::Limits;
use crate::origin::{Origin, Unit};
use crate::syncml::Side;
use crate::syncml::doc::REMARK;
use crate::time::Time;
use crate::transcript::{Document, Record};

/// Turns entries into messages, and keeps which connection they ran on.
pub(super) struct Exchanges<'l> {
    input: InputId,
    /// mitmproxy adds to an entry's `time` the connection's set-up, which came before the entry's start.
    from_mitmproxy: bool,
    limits: &'l Limits,
    connections: HashMap<String, (Arc<Connection>, u32)>,
    count: u32,
}

/// When an exchange began and ended.
struct Times {
    start: Option<Time>,
    answer: Option<Time>,
    end: Option<Time>,
}

impl<'l> Exchanges<'l> {
    pub(super) fn new(input: InputId, from_mitmproxy: bool, limits: &'l Limits) -> Exchanges<'l> {
        Exchanges { input, from_mitmproxy, limits, connections: HashMap::new(), count: 0 }
    }

    /// Hands on the messages of entry `number`; `cut` when the file ends inside it.
    pub(super) fn read(&mut self, number: u32, entry: Entry<'_>, cut: bool, out: &mut dyn FnMut(Record)) {
        if let Some(comment) = entry.comment.as_text().filter(|comment| comment.contains(REMARK)) {
            out(Record::Remark(Unit::Entry(number), comment.to_owned()));
        }
        let Some(request) = &entry.request else { return };
        let times = self.times(&entry);
        let (connection, exchange) = self.connection(&entry, request);
        let origin = Origin::covering(Unit::Entry(number), times.start);
        let head = Arc::new(request_head(request, &origin));
        let last = cut && entry.response.is_none();
        let body = self.body(&head, request.post_data.as_ref(), &request.body_size, &origin, last);
        let body = exported(body, &request.captured, &request.bytes);
        let message = |half, head: &Arc<Head>, answers: Option<&Arc<Head>>, body, first, last| Message {
            connection: Arc::clone(&connection),
            exchange,
            half,
            head: Arc::clone(head),
            request: answers.map(Arc::clone),
            body,
            first,
            last,
            position: None,
            notes: Vec::new(),
        };
        if entry.http.as_text().is_some() {
            return self.documents(&entry, &origin, body, times, out);
        }
        if is_missing(&request.captured) {
            let connection = Arc::clone(&connection);
            let at = times.start;
            out(Record::Http(Event::Missing { connection, exchange, half: Half::Request, request: None, at }));
        } else {
            let sent = message(Half::Request, &head, None, body, times.start, times.start);
            out(Record::Http(Event::Message(sent)));
        }
        // Where the file ends before the status, nothing tells whether there was an answer.
        let is_told = |response: &&Response<'_>| {
            let ends_before = cut && response.status.count().is_none();
            !ends_before && !is_missing(&response.captured)
        };
        let Some(response) = entry.response.as_ref().filter(is_told) else {
            let (request, at) = (Some(head), times.start);
            return out(Record::Http(Event::Missing { connection, exchange, half: Half::Response, request, at }));
        };
        let answer = Arc::new(response_head(response, &origin));
        let mut body = self.body(&answer, response.content.as_ref(), &response.body_size, &origin, cut);
        if answer.status == 0 {
            body.captured = Captured::Partly(no_answer(response));
        }
        let body = exported(body, &response.captured, &response.bytes);
        let answered = message(Half::Response, &answer, Some(&head), body, times.answer, times.end);
        out(Record::Http(Event::Message(answered)));
    }

    /// Messages that our own export says had no HTTP around them.
    fn documents(&self, entry: &Entry<'_>, origin: &Origin, sent: Body, times: Times, out: &mut dyn FnMut(Record)) {
        let mut document = |body, side, at| out(Record::Document(Document { body, side, at, position: None }));
        let is_there = |captured: Option<&Scalar<'_>>| captured.is_some_and(|captured| !is_missing(captured));
        if let Some(request) = entry.request.as_ref().filter(|request| is_there(Some(&request.captured))) {
            document(sent, request.side.as_text().is_none().then_some(Side::Client), times.start);
        }
        let Some(response) = entry.response.as_ref().filter(|response| is_there(Some(&response.captured))) else {
            return;
        };
        if response.status.count() != Some(0) {
            let body = self.body(&Head::default(), response.content.as_ref(), &response.body_size, origin, false);
            document(exported(body, &response.captured, &response.bytes), Some(Side::Server), times.answer);
        }
    }

    /// The connection of an entry: the one of its id, or one of its own when the recording gives none. Firefox gives
    /// the port for an id, so the addresses belong to it.
    fn connection(&mut self, entry: &Entry<'_>, request: &Request<'_>) -> (Arc<Connection>, u32) {
        let url = request.url.text();
        let id = entry.connection.text();
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let key = format!("{id} {} {scheme} {authority}", entry.server_ip_address.text());
        if !id.is_empty()
            && let Some((connection, exchanges)) = self.connections.get_mut(&key)
        {
            *exchanges += 1;
            return (Arc::clone(connection), *exchanges - 1);
        }
        let tls =
            (!scheme.is_empty()).then(|| scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("wss"));
        let connection = Arc::new(Connection {
            input: self.input,
            number: self.count,
            client: None,
            server: server(&entry.server_ip_address, authority, tls == Some(true)),
            tls,
            handshake: None,
            from_start: false,
        });
        self.count += 1;
        if !id.is_empty() {
            self.connections.insert(key, (Arc::clone(&connection), 1));
        }
        (connection, 0)
    }

    fn times(&self, entry: &Entry<'_>) -> Times {
        let start = entry.started_date_time.as_text().and_then(Time::parse);
        let phase = |value: Option<&Scalar<'_>>| value.and_then(Scalar::number);
        let timings = entry.timings.as_ref();
        let receive = phase(timings.map(|all| &all.receive));
        let total = match self.from_mitmproxy {
            true => Some([phase(timings.map(|all| &all.send)), phase(timings.map(|all| &all.wait)), receive])
                .filter(|phases| phases.iter().any(Option::is_some))
                .map(|phases| phases.into_iter().flatten().sum()),
            false => entry.time.number(),
        };
        let after = |milliseconds: f64| Some(Time(start?.0.saturating_add((milliseconds * 1e6) as i64)));
        let answer = total.map(|total: f64| (total - receive.unwrap_or(0.0)).max(0.0));
        Times { start, answer: answer.and_then(after), end: total.and_then(after) }
    }

    fn body(&self, head: &Head, content: Option<&Content<'_>>, wire: &Scalar<'_>, origin: &Origin, cut: bool) -> Body {
        let codings: Vec<String> = head
            .all("content-encoding")
            .flat_map(|value| value.split(','))
            .map(|coding| coding.trim().to_ascii_lowercase())
            .filter(|coding| !coding.is_empty() && coding != "identity")
            .collect();
        let wire_len = wire.count();
        let given = content.and_then(|content| content.size.count());
        let size = match cut {
            // The text is not all there, so it cannot have the body's size in any encoding.
            true => None,
            false if codings.is_empty() => given.or(wire_len),
            false => given,
        };
        let read = match content {
            Some(content) => content::bytes(content, &head.media_type(), size),
            None => content::bytes(&Content::default(), "", wire_len),
        };
        let mut captured = read.captured;
        if cut {
            captured = Captured::Partly("the HAR ends inside it".to_owned());
        } else if codings.last().is_some_and(|coding| coding.contains("gzip")) && read.bytes.starts_with(&[0x1F, 0x8B])
        {
            captured = Captured::Refused("the HAR has it with its content coding".to_owned());
        }
        let whole = crate::transcript::body(&read.bytes, origin.clone(), captured, self.limits);
        Body { codings, wire_len, ..whole }
    }
}

fn server(address: &Scalar<'_>, authority: &str, tls: bool) -> Option<SocketAddr> {
    let address = address.text();
    let address: IpAddr = address.trim_matches(['[', ']', ' ']).parse().ok()?;
    let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    Some(SocketAddr::new(address, port.unwrap_or(if tls { 443 } else { 80 })))
}

fn request_head(request: &Request<'_>, origin: &Origin) -> Head {
    Head {
        method: request.method.text().into_owned(),
        target: request.url.text().into_owned(),
        version: request.http_version.text().into_owned(),
        headers: headers(&request.headers, request.post_data.as_ref()),
        origin: origin.clone(),
        ..Head::default()
    }
}

fn response_head(response: &Response<'_>, origin: &Origin) -> Head {
    Head {
        status: response.status.count().and_then(|status| u16::try_from(status).ok()).unwrap_or(0),
        reason: response.status_text.text().into_owned(),
        version: response.http_version.text().into_owned(),
        headers: headers(&response.headers, response.content.as_ref()),
        origin: origin.clone(),
        ..Head::default()
    }
}

/// The headers without HTTP/2's pseudo-headers. Producers that leave headers out still give the media type.
fn headers(list: &[Header<'_>], content: Option<&Content<'_>>) -> Vec<(String, String)> {
    let pair = |header: &Header<'_>| (header.name.text().into_owned(), header.value.text().into_owned());
    let mut headers: Vec<_> = list.iter().map(pair).filter(|(name, _)| !name.starts_with(':')).collect();
    let known = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let media_type = content.map(|content| content.mime_type.text()).unwrap_or_default();
    if !known && !media_type.is_empty() && media_type != "x-unknown" {
        headers.push(("Content-Type".to_owned(), media_type.into_owned()));
    }
    headers
}

/// Whether our own export says that a half was not captured at all.
fn is_missing(captured: &Scalar<'_>) -> bool {
    captured.as_text() == Some("missing")
}

/// The body with what our own export says of it.
fn exported(body: Body, captured: &Scalar<'_>, bytes: &Scalar<'_>) -> Body {
    let captured = match captured.as_text().and_then(|text| text.split_once(": ")) {
        Some(("partly", why)) => Captured::Partly(why.to_owned()),
        Some(("refused", why)) => Captured::Refused(why.to_owned()),
        _ => body.captured,
    };
    Body { captured, redacted: bytes.count(), ..body }
}

fn no_answer(response: &Response<'_>) -> String {
    match response.error.as_text() {
        Some(error) if !error.is_empty() => format!("the recording tool saw no answer: {error}"),
        _ => "the recording tool saw no answer".to_owned(),
    }
}
