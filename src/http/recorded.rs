//! Exchanges that a tool recorded as bytes, each half on its own: Fiddler's and Burp's files.
//!
//! In: the bytes of a request and of its response. Out: their messages, read as HTTP/1 is read from a connection that
//! carried nothing else. Such tools write HTTP/2 in the text form of HTTP/1. Bounds: those of `reader`.

use std::sync::Arc;

use super::h1::Http1;
use super::reader::Begin;
use super::{Connection, Event, Half, Message};
use crate::anomaly::Kind;
use crate::limits::Limits;
use crate::origin::{Run, Unit};
use crate::stream::{End, Stream};
use crate::time::Time;

/// A recorded exchange.
#[derive(Debug)]
pub struct Recorded<'a> {
    /// The connection it ran on.
    pub connection: Arc<Connection>,
    /// Its number on it.
    pub exchange: u32,
    /// What the recording counts in.
    pub unit: Unit,
    /// The request, and when it was sent.
    pub request: (&'a [u8], Option<Time>),
    /// The response, and when it came; `None` when the tool saw none.
    pub response: Option<(&'a [u8], Option<Time>)>,
}

impl Recorded<'_> {
    /// Hands on its messages. False when not even the request could be read.
    pub fn read(self, limits: &Limits, out: &mut dyn FnMut(Event)) -> bool {
        let Recorded { connection, exchange, unit, request, response } = self;
        let mut streams: [Stream; 2] = Default::default();
        for (stream, half) in streams.iter_mut().zip([Some(request), response]) {
            let (bytes, time) = half.unwrap_or_default();
            stream.append(bytes, Run { at: 0, unit, offset: 0, time, exact: false });
            (stream.from_start, stream.seen) = (true, half.is_some());
            stream.close(End::Closed);
        }
        let (mut asked, mut answered) = (None, false);
        let mut each = |event: Event| {
            let Event::Message(mut message) = event else { return };
            if message.exchange == exchange {
                match message.half {
                    Half::Request => asked = Some(message.head.clone()),
                    Half::Response => answered = true,
                }
                settle(&mut message);
                out(Event::Message(message));
            }
        };
        let mut reader = Http1::new(connection.clone(), [Begin::Start; 2], exchange);
        reader.advance(&mut streams, limits, &mut each);
        if let (Some(_), false) = (&asked, answered) {
            out(Event::Missing { connection, exchange, half: Half::Response, request: asked.clone(), at: request.1 });
        }
        asked.is_some()
    }
}

/// The text form of HTTP/2 is the tool's, and no fault of the sender.
fn settle(message: &mut Message) {
    if !message.head.version.starts_with("HTTP/1") {
        message.notes.retain(|note| note.kind != Kind::HttpLenient);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::line;
    use super::super::{InputId, Origin};
    use super::*;

    fn read(request: &str, response: Option<&str>) -> Vec<String> {
        let connection = Connection {
            input: InputId(0),
            number: 0,
            client: None,
            server: None,
            tls: None,
            handshake: None,
            from_start: false,
        };
        let mut told = Vec::new();
        let recorded = Recorded {
            connection: Arc::new(connection),
            exchange: 7,
            unit: Unit::Entry(3),
            request: (request.as_bytes(), None),
            response: response.map(|text| (text.as_bytes(), None)),
        };
        recorded.read(&Limits::default(), &mut |event| {
            if let Event::Message(message) = &event {
                assert_eq!(message.body.origin, Origin::covering(Unit::Entry(3), None));
            }
            told.push(line(&event));
        });
        told
    }

    #[test]
    fn halves_are_read_as_they_were_recorded() {
        let request = "POST https://a/b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi";
        let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        assert_eq!(read(request, Some(response)), ["> 7 POST https://a/b [hi]", "< 7 200 [ok] to POST"]);
        assert_eq!(read(request, None), ["> 7 POST https://a/b [hi]", "< 7 missing"]);
        assert_eq!(read("\0\0", Some(response)), ["< 7 200 [ok]"]);
    }

    #[test]
    fn http2_in_text_form_has_its_body_to_the_end() {
        let request = "POST /b HTTP/2\r\nHost: a\r\n\r\nhi";
        let response = "HTTP/2 200 OK\r\nContent-Type: text/plain\r\n\r\nok";
        assert_eq!(read(request, Some(response)), ["> 7 POST /b [hi]", "< 7 200 [ok] to POST"]);
    }
}
