//! mitmproxy's flow files (`mitmdump -w`), of all versions since 0.11.
//!
//! In: the file, flows one behind the other. Out: their requests and responses in the order they started. mitmproxy
//! writes a flow when it ends, so an aborted recording has a cut last one. Bounds: `limits.entries`, `limits.nodes` for a
//! flow, `limits.body`, `limits.http_headers`.

mod tnetstring;

use std::net::SocketAddr;
use std::sync::Arc;

use tnetstring::Value;

use super::roads::Roads;
use super::{Record, Summary};
use crate::anomaly::Kind;
use crate::http::{Body, Captured, Event, Half, Head, InputId, Message, body};
use crate::limits::Limits;
use crate::origin::{Origin, Unit};
use crate::time::Time;

/// Reads a flow file.
pub(super) fn read(data: &[u8], input: InputId, limits: &Limits, summary: &mut Summary, out: &mut dyn FnMut(Record)) {
    let mut places = Vec::new();
    let mut rest = data;
    while !rest.trim_ascii_end().is_empty() {
        let at = data.len() - rest.len();
        if places.len() >= limits.entries {
            let what = format!("the file has more than {} flows; those after it were not read", limits.entries);
            summary.note(Kind::LimitEntries, at, what);
            break;
        }
        let Some((flow, behind)) = Value::read(rest, limits.nodes) else {
            let what = format!("flow {} is cut or damaged; it and what follows was not read", places.len() + 1);
            summary.note(Kind::SourceDamaged, at, what);
            break;
        };
        places.push((start(&flow), at));
        rest = behind;
    }
    let mut numbered: Vec<(usize, (Option<Time>, usize))> = places.into_iter().enumerate().collect();
    numbered.sort_by_key(|(_, (started, _))| *started);
    let mut roads = Roads::new(input);
    for (number, (_, at)) in numbered {
        let flow = data.get(at..).and_then(|bytes| Value::read(bytes, limits.nodes));
        let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        if let Some((flow, _)) = flow.filter(|(flow, _)| is_http(flow)) {
            Flow { flow: &flow, number, limits }.read(&mut roads, out);
        }
    }
}

fn is_http(flow: &Value<'_>) -> bool {
    matches!(&*flow.get("type").text(), "http" | "") && *flow.get("request") != Value::Null
}

fn start(flow: &Value<'_>) -> Option<Time> {
    time(flow.get("request").get("timestamp_start"))
}

fn time(value: &Value<'_>) -> Option<Time> {
    let seconds = value.number().filter(|seconds| (0.0..1e10).contains(seconds))?;
    // A double has microseconds at this size: more digits would be made up.
    Some(Time((seconds * 1e6).round() as i64 * 1000))
}

/// A flow: one exchange.
struct Flow<'v, 'a> {
    flow: &'v Value<'a>,
    number: u32,
    limits: &'v Limits,
}

impl<'a> Flow<'_, 'a> {
    fn read(&self, roads: &mut Roads, out: &mut dyn FnMut(Record)) {
        let (request, response) = (self.flow.get("request"), self.flow.get("response"));
        let head = Arc::new(self.request_head(request));
        let (client, server) = (self.flow.get("client_conn"), self.flow.get("server_conn"));
        let tls = request.get("scheme").text() == "https";
        let named = |end: &Value<'_>, names: [&str; 3]| names.iter().find_map(|name| address(end.get(name)));
        let ends = (
            named(client, ["peername", "address", "ip_address"]),
            named(server, ["ip_address", "peername", "address"]),
        );
        let id = client.get("id").text();
        let key = (!id.is_empty()).then(|| format!("{id} {:?}", ends.1));
        let key = key.or_else(|| ends.0.map(|client| format!("{client} {:?}", ends.1)));
        let (connection, exchange) = roads.of(key, ends.0, ends.1, Some(tls));
        let message = |half, head: &Arc<Head>, answers: Option<&Arc<Head>>, content: &Value<'a>| {
            let (first, last) = (time(content.get("timestamp_start")), time(content.get("timestamp_end")));
            let mut notes = Vec::new();
            let body = self.body(head, content.get("content"), &mut notes);
            Message {
                connection: connection.clone(),
                exchange,
                half,
                head: head.clone(),
                request: answers.cloned(),
                body,
                first,
                last: last.or(first),
                position: None,
                notes,
            }
        };
        out(Record::Http(Event::Message(message(Half::Request, &head, None, request))));
        if *response == Value::Null {
            let (request, at) = (Some(head), time(request.get("timestamp_start")));
            return out(Record::Http(Event::Missing { connection, exchange, half: Half::Response, request, at }));
        }
        let answer = Arc::new(self.response_head(response));
        out(Record::Http(Event::Message(message(Half::Response, &answer, Some(&head), response))));
    }

    fn origin(&self) -> Origin {
        Origin::covering(Unit::Entry(self.number), start(self.flow))
    }

    fn body(&self, head: &Head, content: &Value<'_>, notes: &mut Vec<crate::anomaly::Anomaly>) -> Body {
        let Some(bytes) = content.bytes() else {
            let whole = Body::whole(Vec::new(), self.origin());
            let why = "mitmproxy did not keep the body".to_owned();
            return Body { captured: Captured::Partly(why), wire_len: None, ..whole };
        };
        let kept = bytes.get(..self.limits.body).unwrap_or(bytes);
        let captured = match bytes.len() > kept.len() {
            true => Captured::Refused(format!("the body is larger than {} bytes", self.limits.body)),
            false => Captured::Whole,
        };
        let values: Vec<&str> = head.all("content-encoding").collect();
        let codings: Vec<&str> = body::names(values.into_iter()).collect();
        let decoded = body::decode(kept, self.origin(), codings.into_iter(), captured, self.limits, notes);
        Body { wire_len: Some(bytes.len() as u64), ..decoded }
    }

    fn request_head(&self, request: &Value<'_>) -> Head {
        let mut headers = self.headers(request);
        let text = |key: &str| request.get(key).text().into_owned();
        let port = request.get("port").number().map(|port| port as u16);
        let (scheme, path) = (text("scheme"), text("path"));
        let usual = if scheme == "https" { 443 } else { 80 };
        let known = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")).map(|(_, host)| host.clone());
        let authority = known.clone().or_else(|| Some(text("authority")).filter(|authority| !authority.is_empty()));
        let authority = authority.unwrap_or_else(|| match port.filter(|port| *port != usual) {
            Some(port) => format!("{}:{port}", text("host")),
            None => text("host"),
        });
        if known.is_none() && !authority.is_empty() {
            headers.insert(0, ("host".to_owned(), authority.clone()));
        }
        let method = text("method");
        let target = match method == "CONNECT" || scheme.is_empty() || path.contains("://") {
            true if path.is_empty() => authority,
            true => path,
            false => format!("{scheme}://{authority}{path}"),
        };
        let version = version(request);
        Head { method, target, version, headers, origin: self.origin(), ..Head::default() }
    }

    fn response_head(&self, response: &Value<'_>) -> Head {
        let either = |one: &str, other: &str| match response.get(one) {
            Value::Null => response.get(other).clone(),
            value => value.clone(),
        };
        let status = either("status_code", "code").number().filter(|code| (0.0..1000.0).contains(code));
        Head {
            status: status.unwrap_or_default() as u16,
            reason: either("reason", "msg").text().into_owned(),
            version: version(response),
            headers: self.headers(response),
            origin: self.origin(),
            ..Head::default()
        }
    }

    fn headers(&self, message: &Value<'_>) -> Vec<(String, String)> {
        let pair = |pair: &Value<'_>| match pair.list() {
            [name, value] => Some((name.text().into_owned(), value.text().into_owned())),
            _ => None,
        };
        let all = message.get("headers").list().iter().filter_map(pair);
        all.filter(|(name, _)| !name.starts_with(':')).take(self.limits.http_headers).collect()
    }
}

/// `HTTP/1.1`, which the oldest versions write as a list of two numbers.
fn version(message: &Value<'_>) -> String {
    match (message.get("http_version"), message.get("httpversion").list()) {
        (Value::Bytes(bytes), _) => String::from_utf8_lossy(bytes).into_owned(),
        (_, [Value::Int(major), Value::Int(minor)]) => format!("HTTP/{major}.{minor}"),
        _ => String::new(),
    }
}

/// A list of an address and a port, in some versions within a dictionary.
fn address(value: &Value<'_>) -> Option<SocketAddr> {
    let list = if let Value::Dict(_) = value { value.get("address") } else { value };
    let [host, port, ..] = list.list() else { return None };
    let port = port.number().filter(|port| (0.0..65_536.0).contains(port))?;
    Some(SocketAddr::new(host.text().parse().ok()?, port as u16))
}
