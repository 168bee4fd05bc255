//! Where a message begins: by its first bytes, or somewhere in bytes whose beginning was lost.

use memchr::memmem;

use crate::tls::is_old_hello;

use super::h2;

/// Methods that are taken for HTTP where nothing else says that it is HTTP: RFC 9110, PATCH, WebDAV and its kin.
const METHODS: &[&str] = &[
    "GET",
    "POST",
    "PUT",
    "HEAD",
    "OPTIONS",
    "DELETE",
    "CONNECT",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "SEARCH",
    "REPORT",
    "SUBSCRIBE",
    "NOTIFY",
];
/// How a client begins HTTP/2 (RFC 9113 section 3.4).
pub(super) const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";
const VERSION: &[u8] = b"HTTP/1.";
/// `HTTP/1.1 200`.
pub(super) const STATUS_LEN: usize = 12;
/// The longest line that is searched for the start of a request.
pub(super) const MAX_LINE: usize = 8 * 1024;

/// Answer to "does this begin so?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It does.
    Yes,
    /// It may: there are too few bytes.
    Maybe,
    /// It does not.
    No,
}

/// Whether `bytes` begin with a known method and a target.
pub(super) fn request(bytes: &[u8]) -> Sign {
    let mut sign = Sign::No;
    for method in METHODS.iter().map(|method| method.as_bytes()) {
        if let Some(rest) = bytes.strip_prefix(method) {
            match rest {
                [b' ', target, ..] if target.is_ascii_graphic() => return Sign::Yes,
                [] | [b' '] => sign = Sign::Maybe,
                _ => {}
            }
        } else if method.starts_with(bytes) {
            sign = Sign::Maybe;
        }
    }
    sign
}

/// Whether `bytes` begin with a version of HTTP/1 and a status code.
pub(super) fn response(bytes: &[u8]) -> Sign {
    let head = bytes.get(..STATUS_LEN).unwrap_or(bytes);
    let fits = head.iter().enumerate().all(|(at, byte)| match at {
        0..7 => VERSION.get(at) == Some(byte),
        7 => byte.is_ascii_digit(),
        8 => *byte == b' ',
        _ => byte.is_ascii_digit(),
    });
    match fits {
        true if head.len() == STATUS_LEN => Sign::Yes,
        true => Sign::Maybe,
        false => Sign::No,
    }
}

/// Whether `bytes` begin as a client begins HTTP/2.
pub(super) fn preface(bytes: &[u8]) -> Sign {
    match bytes {
        bytes if bytes.starts_with(h2::PREFACE) => Sign::Yes,
        bytes if h2::PREFACE.starts_with(bytes) => Sign::Maybe,
        _ => Sign::No,
    }
}

/// Whether `bytes` begin as a server begins HTTP/2.
pub(super) fn settings(bytes: &[u8]) -> Sign {
    match h2::settings(bytes) {
        Some(true) => Sign::Yes,
        Some(false) => Sign::No,
        None => Sign::Maybe,
    }
}

/// Where the first request begins in `bytes`: before the first ` HTTP/1.` that a method and a target stand before.
pub(super) fn find_request(bytes: &[u8]) -> Option<usize> {
    memmem::find_iter(bytes, b" HTTP/1.").find_map(|at| request_before(bytes.get(..at)?))
}

/// Where the request begins whose method and target end `bytes`.
fn request_before(bytes: &[u8]) -> Option<usize> {
    let line = bytes.len().saturating_sub(MAX_LINE);
    let space = line + memchr::memrchr(b' ', bytes.get(line..)?)?;
    let target = bytes.get(space + 1..)?;
    let before = bytes.get(..space)?;
    let method =
        METHODS.iter().filter(|method| before.ends_with(method.as_bytes())).max_by_key(|method| method.len())?;
    let plain = !target.is_empty() && target.iter().all(u8::is_ascii_graphic);
    plain.then_some(space - method.len())
}

/// Where the first response begins in `bytes`.
pub(super) fn find_response(bytes: &[u8]) -> Option<usize> {
    memmem::find_iter(bytes, VERSION).find(|at| bytes.get(*at..).is_some_and(|rest| response(rest) == Sign::Yes))
}

/// Whether `bytes` begin with a TLS (or SSL 3) record, or with a hello in the form of SSL 2.
pub(super) fn tls(bytes: &[u8]) -> Sign {
    match bytes {
        _ if is_old_hello(bytes) => Sign::Yes,
        [0x80..=0xff] | [0x80..=0xff, _] => Sign::Maybe,
        [0x80..=0xff, _, 1, rest @ ..] if rest.len() < 8 && [3].starts_with(rest.get(..1).unwrap_or_default()) => {
            Sign::Maybe
        }
        [] | [20..=23] | [20..=23, 3] => Sign::Maybe,
        [20..=23, 3, 0..=4, ..] => Sign::Yes,
        _ => Sign::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_starts_from_other_bytes() {
        assert_eq!(request(b"POST /x"), Sign::Yes);
        assert_eq!(request(b"PO"), Sign::Maybe);
        assert_eq!(request(b"PROP"), Sign::Maybe);
        assert_eq!(request(b"POSTER"), Sign::No);
        assert_eq!(response(b"HTTP/1.0 404 "), Sign::Yes);
        assert_eq!(response(b"HTTP/1.1 20"), Sign::Maybe);
        assert_eq!(response(b"HTTP/2 200 OK"), Sign::No);
        assert_eq!(tls(&[22, 3, 1, 0]), Sign::Yes);
    }

    #[test]
    fn finds_starts_that_follow_a_body() {
        assert_eq!(find_request(b"</SyncML>POST /a?b HTTP/1.1\r\n"), Some(9));
        assert_eq!(find_request(b"talks of HTTP/1.1 only"), None);
        assert_eq!(find_response(b"HTTP/1.x {}HTTP/1.1 200 OK"), Some(11));
    }
}
