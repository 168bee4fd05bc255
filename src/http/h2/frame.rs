//! Frames of HTTP/2 (RFC 9113 section 4): their headers, and where one begins in bytes whose beginning was lost.
//!
//! A boundary is taken for certain only where two frame headers in a row stand as the RFC allows them, or one whose frame
//! ends with the bytes that there are. Bound: the frame size that the peers may agree on is 16 MiB; nothing is kept here.

/// Octets of a frame's header.
pub(super) const HEADER: usize = 9;
/// How a client begins (RFC 9113 section 3.4).
pub(in crate::http) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The largest frame that is taken for one where boundaries are searched: what peers use unless they say otherwise.
const USUAL: u32 = 16_384;

/// The highest stream that is searched for where none is known.
pub(super) const ANY_STREAM: u32 = 1 << 20;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

const ACK: u8 = 0x1;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITIZED: u8 = 0x20;

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Octets behind the header.
    pub(super) length: u32,
    /// Its type.
    pub(super) kind: u8,
    flags: u8,
    /// The stream it belongs to; 0 for the connection.
    pub(super) stream: u32,
}

impl Frame {
    /// The header that `bytes` begin with.
    pub(super) fn read(bytes: &[u8]) -> Option<Frame> {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3, ..] = *bytes else { return None };
        let length = u32::from_be_bytes([0, l0, l1, l2]);
        let stream = u32::from_be_bytes([s0, s1, s2, s3]) & 0x7fff_ffff;
        Some(Frame { length, kind, flags, stream })
    }

    /// Whether the sender says nothing more on this stream.
    pub(super) fn ends_stream(self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }

    /// Whether it is what both peers say first, and hardly ever again: if it should not be the first frame, fields
    /// of frames before it are refused, none is read wrongly.
    pub(super) fn begins_connection(self) -> bool {
        self.kind == SETTINGS && self.flags & ACK == 0
    }

    /// Whether the header block is whole with this frame.
    pub(super) fn ends_block(self) -> bool {
        self.flags & END_HEADERS != 0
    }

    /// Whether an octet that counts padding comes first.
    pub(super) fn is_padded(self) -> bool {
        matches!(self.kind, DATA | HEADERS | PUSH_PROMISE) && self.flags & PADDED != 0
    }

    /// Octets of a HEADERS frame that say its priority.
    pub(super) fn priority(self) -> usize {
        if self.kind == HEADERS && self.flags & PRIORITIZED != 0 { 5 } else { 0 }
    }

    /// Whether it is as RFC 9113 section 6 has it, for a stream that a peer may use. Extensions have other types.
    pub(super) fn is_sound(self) -> bool {
        let on_stream = self.stream != 0;
        match self.kind {
            DATA | CONTINUATION => on_stream,
            HEADERS => on_stream && self.length as usize >= self.priority() + usize::from(self.is_padded()),
            PRIORITY => on_stream && self.length == 5,
            RST_STREAM => on_stream && self.length == 4,
            SETTINGS => !on_stream && self.length.is_multiple_of(6) && (self.flags & ACK == 0 || self.length == 0),
            PUSH_PROMISE => on_stream && self.length >= 4,
            PING => !on_stream && self.length == 8,
            GOAWAY => !on_stream && self.length >= 8,
            WINDOW_UPDATE => self.length == 4,
            _ => true,
        }
    }

    /// Whether bytes of something else would hardly look like it: the flags are its own, the stream is one of `streams`
    /// numbers or 0, and it is not larger than usual.
    fn is_typical(self, bytes: &[u8], streams: u32) -> bool {
        let flags = match self.kind {
            DATA => END_STREAM | PADDED,
            HEADERS => END_STREAM | END_HEADERS | PADDED | PRIORITIZED,
            SETTINGS | PING => ACK,
            PUSH_PROMISE => END_HEADERS | PADDED,
            CONTINUATION => END_HEADERS,
            _ => 0,
        };
        let reserved = bytes.get(5).is_some_and(|octet| octet & 0x80 != 0);
        let known = self.kind <= CONTINUATION && self.flags & !flags == 0 && !reserved;
        known && self.is_sound() && self.length <= USUAL && self.stream <= streams
    }

    /// Octets of the whole frame.
    pub(super) fn octets(self) -> usize {
        HEADER + self.length as usize
    }
}

/// What the search for a boundary came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A frame begins at this offset.
    At(usize),
    /// None begins before this offset; from there on, more bytes are needed to tell.
    NotBefore(usize),
}

/// Where a frame begins for certain in `bytes`, when streams have numbers up to `streams`. `is_last` says that no byte
/// comes after them.
pub(super) fn find(bytes: &[u8], streams: u32, is_last: bool) -> Found {
    for at in memchr::memchr_iter(0, bytes) {
        let rest = bytes.get(at..).unwrap_or_default();
        match begins(rest, streams, is_last) {
            Some(true) => return Found::At(at),
            Some(false) => {}
            None => return Found::NotBefore(at),
        }
    }
    Found::NotBefore(bytes.len())
}

/// Whether frames begin here; `None` when more bytes are needed.
fn begins(bytes: &[u8], streams: u32, is_last: bool) -> Option<bool> {
    let open = if is_last { Some(false) } else { None };
    let typical = |bytes: &[u8]| Frame::read(bytes).map(|frame| (frame, frame.is_typical(bytes, streams)));
    let Some((first, fits)) = typical(bytes) else {
        return if bytes.iter().take(2).all(|byte| *byte < 0x40) { open } else { Some(false) };
    };
    if !fits {
        return Some(false);
    }
    match bytes.get(first.octets()..) {
        None => open,
        Some([]) => {
            if is_last {
                Some(true)
            } else {
                None
            }
        }
        Some(next) => typical(next).map_or(open, |(_, fits)| Some(fits)),
    }
}

/// Where frames begin for certain in `bytes` of a connection whose beginning was not captured.
pub(in crate::http) fn is_within(bytes: &[u8]) -> Option<usize> {
    match find(bytes, ANY_STREAM, false) {
        Found::At(at) => Some(at),
        Found::NotBefore(_) => None,
    }
}

/// Whether `bytes` begin as a server begins: with SETTINGS. `None` when there are too few.
pub(in crate::http) fn settings(bytes: &[u8]) -> Option<bool> {
    let fits = |(at, byte): (usize, &u8)| match at {
        2 => byte.is_multiple_of(6),
        3 => *byte == SETTINGS,
        _ => *byte == 0,
    };
    match Frame::read(bytes) {
        Some(frame) => Some(frame.kind == SETTINGS && frame.is_sound() && frame.is_typical(bytes, 0)),
        None if !bytes.is_empty() && bytes.iter().enumerate().all(fits) => None,
        None => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = payload.len() as u32;
        [&length.to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    #[test]
    fn finds_frames_behind_the_rest_of_another() {
        let frames = [frame(HEADERS, 4, 3, b"fields"), frame(DATA, 1, 3, b"<SyncML/>")].concat();
        let lost = [b"</Item> \0\0 </Final></SyncBody></SyncML>".as_slice(), &frames].concat();
        let at = lost.len() - frames.len();
        assert_eq!(find(&lost, 9, false), Found::At(at));
        assert_eq!(find(&lost[..at + 12], 9, false), Found::NotBefore(at));
        assert_eq!(find(&lost, 1, false), Found::NotBefore(lost.len()), "no stream has such a number");
    }

    #[test]
    fn one_frame_is_enough_only_where_it_ends_with_the_bytes() {
        let one = frame(DATA, 1, 1, b"abc");
        assert_eq!(find(&one, 1, false), Found::NotBefore(0));
        assert_eq!(find(&one, 1, true), Found::At(0));
        assert_eq!(find(&one[..11], 1, true), Found::NotBefore(11));
    }

    #[test]
    fn a_server_begins_with_settings() {
        assert_eq!(settings(&frame(SETTINGS, 0, 0, &[0; 6])), Some(true));
        assert_eq!(settings(&[0, 0]), None);
        assert_eq!(settings(&frame(SETTINGS, 0, 0, &[0; 5])), Some(false));
        assert_eq!(settings(b"HTTP/1.1 200"), Some(false));
    }
}
