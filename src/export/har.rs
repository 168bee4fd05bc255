//! An HTTP archive (HAR 1.2): one entry an exchange, in the order of their sessions.
//!
//! Documents of logs become entries too: a message of the client with the server's behind it. What the format has no word
//! for stands in fields that begin with an underscore, as it allows: `_captured` says what was not captured, `_session`
//! which session it is, `_http` that there was no HTTP, `_side` that
//! nobody knows who sent it, `_bytes` how long a body was before its secrets were masked. Bound: one session at a time.

use std::collections::VecDeque;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Scope;
use crate::http::{Body, Captured, Head};
use crate::session::Session;
use crate::syncml::message::Envelope;
use crate::syncml::{Kind, Message, Side, redact};
use crate::time::Time;

/// Writes exchanges to an archive.
pub struct Har<W> {
    out: W,
    entries: usize,
}

impl<W: Write> Har<W> {
    /// An archive without entries.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(mut out: W) -> io::Result<Har<W>> {
        let creator = json!({"name": "dmscope", "version": env!("CARGO_PKG_VERSION")});
        write!(out, "{{\"log\": {{\"version\": \"1.2\", \"creator\": {creator}, \"pages\": [], \"entries\": [")?;
        Ok(Har { out, entries: 0 })
    }

    /// Writes the exchanges of a session; says how many messages they have.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn session(&mut self, scope: Scope<'_>) -> io::Result<usize> {
        let mut written = 0;
        for pair in pairs(scope) {
            written += pair.iter().flatten().filter(|message| message.kind != Kind::Missing).count();
            let comma = if self.entries > 0 { "," } else { "" };
            write!(self.out, "{comma}\n{}", entry(scope, pair))?;
            self.entries += 1;
        }
        Ok(written)
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n]}}\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

type Pair<'a> = [Option<&'a Message>; 2];

/// The messages, each request with its response: by the exchange that HTTP had, else by their order.
fn pairs(scope: Scope<'_>) -> Vec<Pair<'_>> {
    let mut open: VecDeque<usize> = VecDeque::new();
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    // A push is no exchange of HTTP: there is no place for it.
    for (_, message) in scope.messages().filter(|(_, message)| message.kind != Kind::Push) {
        if message.side != Some(Side::Server) {
            open.push_back(pairs.len());
            pairs.push([Some(message), None]);
            continue;
        }
        let place = open.iter().position(|at| {
            match (exchange(pairs.get(*at).and_then(|pair| pair[0])), exchange(Some(message))) {
                (Some(request), Some(response)) => request == response,
                (None, None) => *at + 1 == pairs.len(),
                _ => false,
            }
        });
        match place.and_then(|place| open.remove(place)).and_then(|at| pairs.get_mut(at)) {
            Some(pair) => pair[1] = Some(message),
            None => pairs.push([None, Some(message)]),
        }
    }
    pairs
}

fn exchange(message: Option<&Message>) -> Option<(u32, u32, u32)> {
    let message = message?;
    let http = message.http.as_ref()?;
    Some((message.input.0, http.connection.number, http.exchange))
}

fn entry(scope: Scope<'_>, [request, response]: Pair<'_>) -> Value {
    let started = request.and_then(|message| message.first).or(response.and_then(|message| message.first));
    let milliseconds = |from: Option<Time>, to: Option<Time>| {
        from.zip(to).map_or(0.0, |(from, to)| to.since(from).as_secs_f64() * 1e3)
    };
    let (first, last) = (response.and_then(|message| message.first), response.and_then(|message| message.last));
    let (wait, receive) = (milliseconds(started, first), milliseconds(first, last));
    let http = request.or(response).and_then(|message| message.http.as_ref());
    let mut entry = json!({
        "startedDateTime": started.unwrap_or_default().exact().to_string(),
        "time": wait + receive,
        "request": request_of(scope, request, response),
        "response": response_of(scope, request, response),
        "cache": {},
        "timings": {"send": 0, "wait": wait, "receive": receive},
        "_session": scope.session.key(),
    });
    if let (Some(http), Value::Object(fields)) = (http, &mut entry) {
        let input = request.or(response).map_or(0, |message| message.input.0);
        fields.insert("connection".into(), format!("{input}:{}", http.connection.number).into());
        if let Some(server) = http.connection.server {
            fields.insert("serverIPAddress".into(), server.ip().to_string().into());
        }
    } else if let Value::Object(fields) = &mut entry {
        fields.insert("_http".into(), "not recorded".into());
    }
    if let Value::Object(fields) = &mut entry
        && started.is_none()
    {
        fields.insert("_time".into(), "not recorded".into());
    }
    entry
}

fn request_of(scope: Scope<'_>, request: Option<&Message>, response: Option<&Message>) -> Value {
    let known = request.and_then(|message| message.http.as_ref()).map(|http| &http.head);
    let known = known.filter(|head| !head.method.is_empty());
    let asked = response.and_then(|message| message.http.as_ref()).and_then(|http| http.request.as_ref());
    let head = known.or(asked).map(|head| masked(scope, head)).unwrap_or_default();
    let envelope = request.or(response).and_then(|message| message.http.as_ref());
    let body = request.filter(|message| message.kind != Kind::Missing).map(|message| scope.body(message));
    let mut fields = json!({
        "method": if head.method.is_empty() { "POST" } else { &head.method },
        "url": url(scope, &head, envelope),
        "httpVersion": if head.version.is_empty() { "HTTP/1.1" } else { &head.version },
        "cookies": [],
        "headers": headers(&head),
        "queryString": [],
        "headersSize": -1,
        "bodySize": body.as_ref().map_or(-1, |body| i64::try_from(body.bytes.len()).unwrap_or(-1)),
    });
    if let (Some(body), Value::Object(fields)) = (&body, &mut fields) {
        if !body.bytes.is_empty() {
            fields.insert("postData".into(), content(&head, request, body));
        }
        if request.is_some_and(|message| message.side.is_none()) {
            fields.insert("_side".into(), "unknown".into());
        }
        note(fields, body);
    } else if let Value::Object(fields) = &mut fields {
        fields.insert("_captured".into(), "missing".into());
    }
    fields
}

fn response_of(scope: Scope<'_>, request: Option<&Message>, response: Option<&Message>) -> Value {
    let captured = response.filter(|message| message.kind != Kind::Missing);
    let http = captured.and_then(|message| message.http.as_ref());
    let document = http.is_none() && captured.is_some();
    let head = http.map(|http| masked(scope, &http.head)).unwrap_or_default();
    let body = captured.map(|message| scope.body(message));
    let status = if document { 200 } else { head.status };
    let mut fields = json!({
        "status": status,
        "statusText": head.reason,
        "httpVersion": if head.version.is_empty() { "HTTP/1.1" } else { &head.version },
        "cookies": [],
        "headers": headers(&head),
        "content": body.as_ref().map_or_else(|| json!({"size": 0, "mimeType": "x-unknown"}), |body| content(&head, captured, body)),
        "redirectURL": head.header("location").unwrap_or_default(),
        "headersSize": -1,
        "bodySize": body.as_ref().and_then(|body| body.wire_len).and_then(|len| i64::try_from(len).ok()).unwrap_or(-1),
    });
    if let Value::Object(fields) = &mut fields {
        match &body {
            Some(body) => note(fields, body),
            None if response.is_some() || !was_left_alone(scope.session, request) => {
                drop(fields.insert("_captured".into(), "missing".into()));
            }
            None => drop(fields.insert("_error".into(), "no answer came".into())),
        }
    }
    fields
}

/// Whether the capture shows that no answer came to a request: it is the last message of a session that was seen to its end.
fn was_left_alone(session: &Session, request: Option<&Message>) -> bool {
    let last = session.messages.last();
    last.zip(request).is_some_and(|(last, request)| std::ptr::eq(last, request))
        && session.end == crate::session::Edge::Seen
}

fn note(fields: &mut Map<String, Value>, body: &Body) {
    match &body.captured {
        Captured::Whole => {}
        Captured::Partly(why) => drop(fields.insert("_captured".into(), format!("partly: {why}").into())),
        Captured::Refused(why) => drop(fields.insert("_captured".into(), format!("refused: {why}").into())),
    }
    if let Some(bytes) = body.redacted {
        fields.insert("_bytes".into(), bytes.into());
    }
}

fn content(head: &Head, message: Option<&Message>, body: &Body) -> Value {
    let given = head.header("content-type");
    let guessed = message.map_or("application/octet-stream", |message| match message.doc.form() {
        crate::syncml::doc::Form::Wbxml => "application/vnd.syncml.dm+wbxml",
        crate::syncml::doc::Form::Xml => "application/vnd.syncml.dm+xml",
    });
    let mut fields = json!({"mimeType": given.unwrap_or(guessed), "size": body.bytes.len()});
    if let Value::Object(fields) = &mut fields {
        match body.bytes.text() {
            Some(text) => drop(fields.insert("text".into(), text.into())),
            None => {
                fields.insert("text".into(), STANDARD.encode(&body.bytes).into());
                fields.insert("encoding".into(), "base64".into());
            }
        }
    }
    fields
}

fn headers(head: &Head) -> Vec<Value> {
    head.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn masked(scope: Scope<'_>, head: &Head) -> Head {
    if scope.show_secrets { head.clone() } else { redact::head(head) }
}

/// The absolute address of a request, from what is known of it.
fn url(scope: Scope<'_>, head: &Head, envelope: Option<&Envelope>) -> String {
    if head.target.contains("://") {
        return head.target.clone();
    }
    let Some(envelope) = envelope else {
        return scope
            .session
            .server
            .as_deref()
            .map_or_else(|| "http://unknown.invalid/".into(), |url| scope.url(url).into_owned());
    };
    let scheme = if envelope.connection.tls == Some(true) { "https" } else { "http" };
    let address = || envelope.connection.server.map(|server| server.to_string());
    let host = head.header("host").map(str::to_owned).or_else(address).unwrap_or_else(|| "unknown.invalid".to_owned());
    let path = if head.target.starts_with('/') { &head.target } else { "/" };
    format!("{scheme}://{host}{path}")
}
