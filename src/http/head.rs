//! Start lines and headers: strictly as RFC 9112 has them (httparse), else leniently with a note.

use std::mem::MaybeUninit;

use httparse::Status;
use memchr::memchr;

use super::{Half, Head};
use crate::anomaly::{Anomaly, Kind};
use crate::limits::Limits;
use crate::origin::Span;

/// Headers that fit on the stack; a higher limit is served by the lenient reader.
const STACK: usize = 128;

/// Length of the head that begins at `bytes`, its empty line included. `searched` bytes were searched before.
pub(super) fn end(bytes: &[u8], searched: usize) -> Option<usize> {
    let from = searched.saturating_sub(3);
    let mut at = from;
    while let Some(found) = memchr(b'\n', bytes.get(at..)?) {
        at += found + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// Reads a whole head. `None` when even its start line is not one.
pub(super) fn parse(bytes: &[u8], half: Half, limits: &Limits) -> Option<(Head, Vec<Anomaly>)> {
    if let Some(head) = strict(bytes, half, limits) {
        return Some((head, Vec::new()));
    }
    lenient(bytes, half, limits)
}

fn strict(bytes: &[u8], half: Half, limits: &Limits) -> Option<Head> {
    let mut fields = [const { MaybeUninit::uninit() }; STACK];
    let fields = fields.get_mut(..limits.http_headers.min(STACK))?;
    match half {
        Half::Request => {
            let mut request = httparse::Request::new(&mut []);
            let Ok(Status::Complete(_)) = request.parse_with_uninit_headers(bytes, fields) else { return None };
            let version = version(request.version?);
            let (method, target) = (request.method?.to_owned(), request.path?.to_owned());
            Some(Head { method, target, version, headers: owned(request.headers), ..Head::default() })
        }
        Half::Response => {
            let mut response = httparse::Response::new(&mut []);
            let parsed =
                httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, fields);
            let Ok(Status::Complete(_)) = parsed else { return None };
            let version = version(response.version?);
            let (status, reason) = (response.code?, response.reason.unwrap_or_default().to_owned());
            Some(Head { status, reason, version, headers: owned(response.headers), ..Head::default() })
        }
    }
}

fn version(minor: u8) -> String {
    format!("HTTP/1.{minor}")
}

fn owned(fields: &[httparse::Header<'_>]) -> Vec<(String, String)> {
    fields.iter().map(|field| (field.name.to_owned(), text(field.value))).collect()
}

fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), str::to_owned)
}

/// Reads what can be read of a head that is not as it should be, or whose end is missing: only whole lines count.
pub(super) fn lenient(bytes: &[u8], half: Half, limits: &Limits) -> Option<(Head, Vec<Anomaly>)> {
    let mut lines = Lines { rest: bytes };
    let start = lines.next()?;
    let mut head = start_line(&text(start), half)?;
    let mut notes = Vec::new();
    let note = |what: String| Anomaly::new(Kind::HttpLenient, Span::default(), what);
    for line in lines {
        if line.is_empty() {
            break;
        }
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        if let Some((_, value)) = head.headers.last_mut().filter(|_| folded) {
            value.push(' ');
            value.push_str(text(line).trim());
            notes.push(note("a header goes on on the next line".to_owned()));
            continue;
        }
        if head.headers.len() >= limits.http_headers {
            notes.push(note(format!("more than {} headers, the rest was left out", limits.http_headers)));
            break;
        }
        let line = text(line);
        let Some((name, value)) = line.split_once(':') else {
            notes.push(note("a header line without a colon".to_owned()));
            continue;
        };
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            notes.push(note("a header name with characters that it must not have".to_owned()));
        }
        head.headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    if notes.is_empty() {
        notes.push(note("the head is not as RFC 9112 has it".to_owned()));
    }
    notes.dedup();
    notes.truncate(8);
    Some((head, notes))
}

fn start_line(line: &str, half: Half) -> Option<Head> {
    match half {
        Half::Request => {
            let (rest, version) = line.trim_end().rsplit_once(' ')?;
            let (method, target) = rest.trim().split_once(' ')?;
            let named = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_graphic());
            (named && version.starts_with("HTTP/")).then(|| Head {
                method: method.to_owned(),
                target: target.trim().to_owned(),
                version: version.to_owned(),
                ..Head::default()
            })
        }
        Half::Response => {
            let (version, rest) = line.split_once(' ')?;
            let rest = rest.trim();
            let status = rest.get(..3)?.parse().ok()?;
            let reason = rest.get(3..).unwrap_or_default().trim().to_owned();
            version.starts_with("HTTP/").then(|| Head {
                status,
                reason,
                version: version.to_owned(),
                ..Head::default()
            })
        }
    }
}

/// Whole lines without their ends.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let at = memchr(b'\n', self.rest)?;
        let (line, rest) = self.rest.split_at_checked(at)?;
        self.rest = rest.get(1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// Whether a start line stands whole at the beginning of `bytes`.
pub(super) fn has_start_line(bytes: &[u8]) -> bool {
    memchr(b'\n', bytes).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], half: Half) -> Option<(Head, Vec<Anomaly>)> {
        parse(bytes, half, &Limits::default())
    }

    #[test]
    fn reads_a_clean_head_without_notes() {
        let (head, notes) = read(b"POST /a HTTP/1.1\r\nHost: b\r\nX:\r\n\r\n", Half::Request).unwrap();
        assert_eq!((head.method.as_str(), head.target.as_str(), head.header("HOST")), ("POST", "/a", Some("b")));
        assert!(notes.is_empty());
    }

    #[test]
    fn notes_what_is_not_as_it_should_be() {
        let bytes = b"HTTP/1.1 200 OK\r\nBad Name : x\r\nno colon\r\nLong: a\r\n b\r\n\r\n";
        let (head, notes) = read(bytes, Half::Response).unwrap();
        assert_eq!(head.status, 200);
        assert_eq!(head.header("long"), Some("a b"));
        assert_eq!(head.header("bad name"), Some("x"));
        assert_eq!(notes.len(), 3);
    }

    #[test]
    fn finds_the_end_wherever_the_search_stopped() {
        let bytes = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody\r\n\r\n";
        for searched in 0..24 {
            assert_eq!(end(bytes, searched), Some(25), "{searched}");
        }
        assert_eq!(end(b"a\nb\n\n", 0), Some(5));
        assert_eq!(end(b"a\r\nb\r\n\r", 0), None);
    }

    #[test]
    fn a_start_line_of_something_else_is_none() {
        assert!(read(b"SSH-2.0-x\r\n\r\n", Half::Request).is_none());
        assert!(read(b"ICY 200 OK\r\n\r\n", Half::Response).is_none());
    }
}
