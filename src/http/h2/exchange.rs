//! A stream of HTTP/2: the request and the response on it, as far as they have come.

use std::sync::Arc;

use super::reader::Block;
use crate::anomaly::{Anomaly, Kind};
use crate::http::open::Open;
use crate::http::{Event, Half, Head};
use crate::origin::Span;

/// How far one half of an exchange has come.
#[derive(Debug)]
pub(super) enum Side {
    /// Nothing of it was seen.
    Awaited,
    /// Its body is being read.
    Open(Box<Open>),
    /// Its head could not be read: it cannot be judged.
    Lost,
    /// It is over.
    Over,
}

/// A request and its response.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Its number on the connection.
    pub(super) number: u32,
    /// Request and response.
    pub(super) sides: [Side; 2],
    /// Frames of that side, of this stream perhaps, were not captured.
    pub(super) harmed: [bool; 2],
    /// The request's head.
    pub(super) request: Option<Arc<Head>>,
    /// What the server said before the request was over.
    pub(super) early: Vec<Event>,
}

impl Exchange {
    pub(super) fn new(number: u32) -> Exchange {
        let sides = [Side::Awaited, Side::Awaited];
        Exchange { number, sides, harmed: [false; 2], request: None, early: Vec::new() }
    }

    /// Whether nothing more can come.
    pub(super) fn is_over(&self) -> bool {
        self.sides.iter().all(|side| matches!(side, Side::Over))
    }
}

/// A block's fields as the head of a message. Pseudo-header fields become what they stand for; `:authority` becomes
/// `Host`, as for an HTTP/1.1 hop (RFC 9113 section 8.3.1).
pub(super) fn head(block: &mut Block, half: Half) -> (Head, Vec<Anomaly>) {
    let mut head = Head { version: "HTTP/2".to_owned(), unknown: block.unknown, ..Head::default() };
    head.origin = std::mem::take(&mut block.origin);
    head.headers = std::mem::take(&mut block.fields);
    let mut authority = None;
    head.headers.retain_mut(|(name, value)| {
        let Some(pseudo) = name.strip_prefix(':') else { return true };
        match (half, pseudo) {
            (Half::Request, "method") => head.method = std::mem::take(value),
            (Half::Request, "path") => head.target = std::mem::take(value),
            (Half::Request, "authority") => authority = Some(std::mem::take(value)),
            (Half::Response, "status") => head.status = value.parse().unwrap_or_default(),
            _ => {}
        }
        false
    });
    if let Some(authority) = authority {
        if head.target.is_empty() && head.method == "CONNECT" {
            head.target.clone_from(&authority);
        }
        if head.header("host").is_none() {
            head.headers.insert(0, ("host".to_owned(), authority));
        }
    }
    let mut notes = Vec::new();
    let mut note = |kind, what: String| notes.push(Anomaly::new(kind, Span::default(), what));
    if head.unknown > 0 {
        note(Kind::Http2Unknown, format!("{} of its header fields refer to what was not captured", head.unknown));
    }
    if block.left_out > 0 {
        note(Kind::HttpLenient, format!("{} header fields above the limit were left out", block.left_out));
    }
    (head, notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)], half: Half) -> Head {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        head(&mut Block { fields, unknown: 1, ..Block::default() }, half).0
    }

    #[test]
    fn pseudo_fields_become_the_start_line() {
        let fields =
            [(":method", "POST"), (":path", "/omadm?a"), (":authority", "mdm.example.test"), ("accept", "*/*")];
        let head = read(&fields, Half::Request);
        assert_eq!((head.method.as_str(), head.target.as_str(), head.unknown), ("POST", "/omadm?a", 1));
        assert_eq!(head.headers, [("host".to_owned(), "mdm.example.test".to_owned()), ("accept".into(), "*/*".into())]);
        let head = read(&[(":status", "404"), ("server", "x")], Half::Response);
        assert_eq!((head.status, head.headers.len(), head.version.as_str()), (404, 1, "HTTP/2"));
    }
}
