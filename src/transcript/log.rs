//! Plain text and Markdown with documents in it: server logs, `OMADM.log`, pasted traces.
//!
//! In: the text. Out: the documents in it, each with its line and column, and with time and sender where the line says
//! them beyond doubt. Where a server's dump has HTTP heads beside the bodies ([`dump`]), HTTP messages.

mod dump;
mod prefix;

use std::ops::Range;

use super::carve::{Ending, Found, carve};
use super::text::{Position, Text};
use super::{Document, Record, body};
use crate::http::{Captured, InputId};
use crate::limits::Limits;
use crate::origin::Origin;

/// Reads a log.
pub fn read(data: &[u8], input: InputId, limits: &Limits, out: &mut dyn FnMut(Record)) {
    let text = Text::of(data);
    match dump::has_heads(&text.bytes) {
        true => dump::read(&text, input, limits, out),
        false => documents(&text, limits, out),
    }
}

/// Hands on every document of a text.
pub fn documents(text: &Text<'_>, limits: &Limits, out: &mut dyn FnMut(Record)) {
    documents_in(text, 0..text.bytes.len(), &mut Position::default(), limits, out);
}

/// Hands on every document of a part of a text. `position` must not lie behind its start.
fn documents_in(
    text: &Text<'_>,
    part: Range<usize>,
    position: &mut Position,
    limits: &Limits,
    out: &mut dyn FnMut(Record),
) {
    let base = part.start;
    carve(text.bytes.get(part).unwrap_or_default(), &mut |found| {
        let found = Found { start: found.start + base, end: found.end + base, ..found };
        out(Record::Document(document(text, found, position, limits)));
    });
}

fn document(text: &Text<'_>, found: Found, position: &mut Position, limits: &Limits) -> Document {
    let bytes = text.bytes.get(found.start..found.end).unwrap_or_default();
    let captured = match found.ending {
        Ending::Closed => Captured::Whole,
        Ending::Missing => Captured::Partly("the log ends or another message begins before its end".to_owned()),
        Ending::CutByTool => Captured::Partly("cut at 64 KiB by the recording tool".to_owned()),
    };
    let body = match found.escaped {
        true => body(&unescape(bytes), Origin::covering(crate::origin::Unit::File, None), captured, limits),
        false => body(bytes, text.origin(found.start), captured, limits),
    };
    let before = prefix::before(&text.bytes, found.start);
    Document { body, side: before.side, at: before.at, position: Some(position.advance(&text.bytes, found.start)) }
}

/// Undoes the escapes of a JSON or Go string.
fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (decoded, len) = match escape {
            [_, b'n', ..] => (Some('\n'), 2),
            [_, b'r', ..] => (Some('\r'), 2),
            [_, b't', ..] => (Some('\t'), 2),
            [_, b'u', a, b, c, d, ..] => (hex(&[*a, *b, *c, *d]), 6),
            [_, b'x', a, b, ..] => (hex(&[*a, *b]), 4),
            [_, byte, ..] if byte.is_ascii_punctuation() => (Some(char::from(*byte)), 2),
            _ => (None, 1),
        };
        match decoded {
            Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend_from_slice(escape.get(..len).unwrap_or_default()),
        }
        rest = escape.get(len..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

fn hex(digits: &[u8]) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok()?;
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}
