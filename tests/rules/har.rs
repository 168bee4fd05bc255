//! The messages of an example as a HAR.

use dmscope::syncml::Side;
use dmscope::time::Time;
use serde_json::{Value, json};

use super::capture::head_of;
use super::compose::{Sent, Wire as _};

/// The HAR; `None` when it cannot show what the example says.
pub(crate) fn file(sent: &[Sent<'_>]) -> Option<Vec<u8>> {
    let packets_only = |sent: &Sent<'_>| {
        sent.block.tls
            || sent.block.push
            || sent.block.handshake.is_some()
            || sent.block.wbxml
            || sent.lost
            || sent.block.client.is_some()
            || sent.block.end.is_some()
    };
    // A recorder of HTTP does not see how a proxy is asked for the way.
    let asks_proxy = |sent: &Sent<'_>| sent.head.as_ref().is_some_and(|head| head.starts_with("CONNECT "));
    if sent.iter().any(asks_proxy) {
        return None;
    }
    if sent.len() % 2 == 1 || sent.iter().any(packets_only) {
        return None;
    }
    let entries: Option<Vec<Value>> = sent.chunks(2).map(entry).collect();
    let har = json!({"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": entries?}});
    serde_json::to_vec(&har).ok()
}

fn entry(pair: &[Sent<'_>]) -> Option<Value> {
    let [request, response] = pair else { return None };
    if (request.side, response.side) != (Side::Client, Side::Server) {
        return None;
    }
    let (start, headers) = head(request);
    let mut words = start.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (status, answers) = head(response);
    let (code, reason) = status.split_once(' ')?.1.split_once(' ')?;
    let wait = (response.at - request.at) as f64 / 1e6;
    Some(json!({
        "startedDateTime": Time(request.at).to_string(),
        "time": wait,
        "connection": request.block.connection.unwrap_or(1).to_string(),
        "serverIPAddress": "127.0.0.1",
        "request": {
            "method": method,
            "url": format!("http://127.0.0.1{target}"),
            "httpVersion": "HTTP/1.1",
            "headers": headers,
            "bodySize": request.wire().len(),
            "postData": {"mimeType": "", "text": captured(request), "size": request.wire().len()},
        },
        "response": {
            "status": code.parse::<u16>().ok()?,
            "statusText": reason,
            "httpVersion": "HTTP/1.1",
            "headers": answers,
            "bodySize": response.wire().len(),
            "content": {"mimeType": "", "text": captured(response), "size": response.wire().len()},
        },
        "timings": {"send": 0, "wait": wait, "receive": 0},
    }))
}

/// The start line, and the headers.
fn head(sent: &Sent<'_>) -> (String, Vec<Value>) {
    let head = head_of(sent);
    let mut lines = head.lines();
    let start = lines.next().unwrap_or_default().to_owned();
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| json!({"name": name, "value": value}));
    (start, headers.collect())
}

fn captured(sent: &Sent<'_>) -> String {
    let kept = sent.cut.unwrap_or(usize::MAX);
    let body = sent.wire();
    String::from_utf8_lossy(body.get(..kept).unwrap_or(&body)).into_owned()
}
