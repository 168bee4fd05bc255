//! HTTP/2 as a peer writes it: frames, and header blocks with a table of their own.

// Each user takes its own part of this.
#![allow(dead_code, unreachable_pub)]

/// What a client says first; SETTINGS follow.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;

/// One frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u32;
    [&length.to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A SETTINGS frame without settings, as both peers send it first.
pub fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[])
}

/// A frame with padding behind its payload.
pub fn padded(kind: u8, flags: u8, stream: u32, payload: &[u8], padding: u8) -> Vec<u8> {
    frame(kind, flags | PADDED, stream, &[&[padding], payload, &vec![0; usize::from(padding)]].concat())
}

/// The header blocks of one direction.
#[derive(Clone, Default)]
pub struct Blocks {
    /// What was said, newest first.
    rows: Vec<(String, String)>,
}

impl Blocks {
    /// The next block: what was said before by its index, anything else as it is and to be kept.
    pub fn block(&mut self, fields: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in fields {
            let known = self.rows.iter().position(|(same, also)| same == name && also == value);
            if let Some(at) = known {
                number(0x80, 7, 62 + at, &mut out);
                continue;
            }
            out.push(0x40);
            for text in [name, value] {
                number(0, 7, text.len(), &mut out);
                out.extend(text.as_bytes());
            }
            self.rows.insert(0, ((*name).to_owned(), (*value).to_owned()));
        }
        out
    }

    /// A head in one HEADERS frame.
    pub fn head(&mut self, stream: u32, fields: &[(&str, &str)], end: bool) -> Vec<u8> {
        let flags = END_HEADERS | if end { END_STREAM } else { 0 };
        frame(HEADERS, flags, stream, &self.block(fields))
    }
}

/// A number in the low bits of its first octet and as many more as it takes.
pub fn number(first: u8, bits: u32, number: usize, out: &mut Vec<u8>) {
    let mask = (1usize << bits) - 1;
    if number < mask {
        return out.push(first | number as u8);
    }
    out.push(first | mask as u8);
    let mut rest = number - mask;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// A body in DATA frames of at most `size` octets; the last ends the stream.
pub fn data(stream: u32, body: &[u8], size: usize) -> Vec<u8> {
    let count = body.chunks(size).count();
    let part = |(at, part): (usize, &[u8])| frame(DATA, u8::from(at + 1 == count), stream, part);
    match count {
        0 => frame(DATA, END_STREAM, stream, &[]),
        _ => body.chunks(size).enumerate().flat_map(part).collect(),
    }
}
