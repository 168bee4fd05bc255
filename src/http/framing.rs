//! How long a body is, by the head it follows (RFC 9112 section 6.3).

use super::chunked::Chunked;
use super::{Half, Head};
use crate::anomaly::{Anomaly, Kind};
use crate::origin::Span;

/// How the end of a body is told.
#[derive(Debug)]
pub(super) enum Framing {
    /// There is no body.
    None,
    /// So many bytes are left.
    Length(u64),
    /// By the chunked coding.
    Chunked(Chunked),
    /// By the end of the stream.
    UntilClose,
}

/// The framing of the body after `head`; for a response, `request` is what it answers, where that is known.
pub(super) fn of(head: &Head, half: Half, request: Option<&Head>, notes: &mut Vec<Anomaly>) -> Framing {
    if half == Half::Response && is_bodiless(head.status, request) {
        return Framing::None;
    }
    let length = length(head, notes);
    match transfer_codings(head).next_back() {
        Some(last) => {
            if head.header("content-length").is_some() {
                conflict(notes, "Content-Length stands beside Transfer-Encoding, which counts".to_owned());
            }
            if last.eq_ignore_ascii_case("chunked") { Framing::Chunked(Chunked::new()) } else { Framing::UntilClose }
        }
        None => match (length, half) {
            (Some(length), _) => Framing::Length(length),
            // A tool's record of HTTP/2 in text form: there, frames told the length.
            (None, Half::Request) if !head.version.starts_with("HTTP/1") => Framing::UntilClose,
            (None, Half::Request) => Framing::None,
            (None, Half::Response) => Framing::UntilClose,
        },
    }
}

/// The transfer codings of a head, in order.
pub(super) fn transfer_codings(head: &Head) -> impl DoubleEndedIterator<Item = &str> {
    let values: Vec<&str> = head.all("transfer-encoding").collect();
    super::body::names(values.into_iter()).filter(|name| !name.eq_ignore_ascii_case("identity"))
}

/// Whether a response has no body whatever its headers say.
fn is_bodiless(status: u16, request: Option<&Head>) -> bool {
    let method = request.map(|request| request.method.as_str());
    let tunnel = method == Some("CONNECT") && (200..300).contains(&status);
    matches!(status, 100..=199 | 204 | 304) || method == Some("HEAD") || tunnel
}

/// `Content-Length`: the first value that is a number.
fn length(head: &Head, notes: &mut Vec<Anomaly>) -> Option<u64> {
    let values: Vec<&str> = head.all("content-length").flat_map(|value| value.split(',')).map(str::trim).collect();
    let number = |value: &&str| value.parse().ok().filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()));
    let found: Option<u64> = values.iter().find_map(number);
    let shown = |value: &str| value.chars().filter(char::is_ascii_graphic).take(24).collect::<String>();
    match values.as_slice() {
        [] => {}
        [one] if found.is_none() => conflict(notes, format!("Content-Length `{}` is not a number", shown(one))),
        [_] => {}
        [first, rest @ ..] => {
            let kind =
                if rest.iter().all(|value| value == first) { "is given more than once" } else { "values differ" };
            let list: Vec<String> = values.iter().take(4).map(|value| shown(value)).collect();
            conflict(notes, format!("Content-Length {kind}: {}", list.join(", ")));
        }
    }
    found
}

fn conflict(notes: &mut Vec<Anomaly>, detail: String) {
    notes.push(Anomaly::new(Kind::HttpLengthConflict, Span::default(), detail));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(&str, &str)]) -> Head {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Head { status, headers, version: "HTTP/1.1".to_owned(), ..Head::default() }
    }

    fn framing(head: &Head, half: Half, method: Option<&str>) -> (String, usize) {
        let request = method.map(|method| Head { method: method.to_owned(), ..Head::default() });
        let mut notes = Vec::new();
        let framing = of(head, half, request.as_ref(), &mut notes);
        (format!("{framing:?}").split(' ').next().unwrap().to_owned(), notes.len())
    }

    #[test]
    fn follows_the_order_of_rfc_9112() {
        let length = [("Content-Length", "5")];
        let both = [("Content-Length", "5"), ("Transfer-Encoding", "gzip, Chunked")];
        for (head, half, method, expected, notes) in [
            (head(200, &length), Half::Response, Some("GET"), "Length(5)", 0),
            (head(200, &length), Half::Response, Some("HEAD"), "None", 0),
            (head(200, &length), Half::Response, Some("CONNECT"), "None", 0),
            (head(407, &length), Half::Response, Some("CONNECT"), "Length(5)", 0),
            (head(304, &length), Half::Response, None, "None", 0),
            (head(200, &both), Half::Response, None, "Chunked(Chunked", 1),
            (head(200, &[]), Half::Response, None, "UntilClose", 0),
            (head(0, &[]), Half::Request, None, "None", 0),
            (head(0, &[("Transfer-Encoding", "gzip")]), Half::Request, None, "UntilClose", 0),
            (head(0, &[("Content-Length", "5, 5")]), Half::Request, None, "Length(5)", 1),
            (head(0, &[("Content-Length", "+5")]), Half::Request, None, "None", 1),
            (head(0, &[("Content-Length", "5"), ("content-length", "6")]), Half::Request, None, "Length(5)", 1),
        ] {
            assert_eq!(framing(&head, half, method), (expected.to_owned(), notes), "{head:?}");
        }
    }
}
