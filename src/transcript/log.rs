//! Plain text and Markdown with documents in it: server logs, `OMADM.log`, pasted traces.
//!
//! In: the text. Out: the documents in it, each with its line and column, and with time and sender where the line says
//! them beyond doubt. Where a server's dump has HTTP heads beside the bodies (`dump`), HTTP messages.

mod dump;
mod prefix;
mod quoted;

use std::ops::Range;

use super::carve::{Ending, Found, carve};
use super::text::{Position, Text};
use super::{Document, Record, body};
use crate::http::{Captured, InputId};
use crate::limits::Limits;
use crate::origin::{Origin, Unit};

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
    let mut position = Position::default();
    let mut at = 0;
    for string in quoted::Strings::of(&text.bytes) {
        documents_in(text, at..string.start, &mut position, limits, out);
        at = string.end;
        quoted_documents(text, string, &mut position, limits, out);
    }
    documents_in(text, at..text.bytes.len(), &mut position, limits, out);
}

/// Hands on the documents in an escaped string. Where in it they stand is not known after unescaping.
fn quoted_documents(
    text: &Text<'_>,
    string: Range<usize>,
    position: &mut Position,
    limits: &Limits,
    out: &mut dyn FnMut(Record),
) {
    let before = prefix::before(&text.bytes, string.start);
    let position = Some(position.advance(&text.bytes, string.start));
    let content = quoted::unescape(text.bytes.get(string).unwrap_or_default());
    carve(&content, &mut |found| {
        let bytes = content.get(found.start..found.end).unwrap_or_default();
        let body = body(bytes, Origin::covering(Unit::File, None), captured(found.ending), limits);
        out(Record::Document(Document { body, side: None, at: before.at, position }));
    });
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
    let captured = captured(found.ending);
    let body = match found.escaped {
        true => body(&quoted::unescape(bytes), Origin::covering(Unit::File, None), captured, limits),
        false => body(bytes, text.origin(found.start), captured, limits),
    };
    let before = prefix::before(&text.bytes, found.start);
    Document { body, side: before.side, at: before.at, position: Some(position.advance(&text.bytes, found.start)) }
}

fn captured(ending: Ending) -> Captured {
    match ending {
        Ending::Closed => Captured::Whole,
        Ending::Missing => Captured::Partly("the log ends or another message begins before its end".to_owned()),
        Ending::CutByTool => Captured::Partly("cut at 64 KiB by the recording tool".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(log: &str) -> Vec<(String, Option<String>, (u32, u32))> {
        let mut found = Vec::new();
        read(log.as_bytes(), InputId(0), &Limits::default(), &mut |record| match record {
            Record::Document(Document { body, at, position, .. }) => {
                let text = String::from_utf8_lossy(&body.bytes).into_owned();
                found.push((text, at.map(|at| at.to_string()), position.unwrap()));
            }
            other => panic!("{other:?}"),
        });
        found
    }

    #[test]
    fn one_message_a_line_with_tabs_before_it() {
        let head = "2026-03-01T12:00:00.0000000Z\tVERB\tEvent\tcom.microsoft.omadm.syncml.SyncmlSession\t9595\t9\t";
        let message =
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr/></SyncML>";
        let found = read_all(&format!("{head}{message}\n{head}nothing\n{head}{message}\n"));
        let time = Some("2026-03-01T12:00:00.000000Z".to_owned());
        let column = head.len() as u32 + 1;
        assert_eq!(found, [(message.to_owned(), time.clone(), (1, column)), (message.to_owned(), time, (3, column))]);
    }

    #[test]
    fn documents_in_json_strings_are_unescaped() {
        let message = "<SyncML xmlns=\"SYNCML:SYNCML1.2\">\n<SyncHdr/></SyncML>";
        let plain = message.replace('"', "\\\"").replace('\n', "\\n");
        let coded = plain.replace('<', "\\u003c").replace('>', "\\u003e");
        let log = format!(
            "{{\"ts\":\"2026-03-01T12:00:00Z\",\"body\":\"{plain}\"}}\n{{\"ts\":\"2026-03-01T12:00:01Z\",\"body\":\"{coded}\"}}\n{message}"
        );
        let found = read_all(&log);
        assert!(found.iter().all(|(text, ..)| text == message), "{found:?}");
        let lines: Vec<u32> = found.iter().map(|(_, _, (line, _))| *line).collect();
        assert_eq!(lines, [1, 2, 3]);
        assert_eq!(found[1].1.as_deref(), Some("2026-03-01T12:00:01.000000Z"));
    }
}
