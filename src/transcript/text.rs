//! A text file as bytes in an ASCII superset, whatever encoding it was saved in.
//!
//! In: the file. Out: [`Text`], borrowed from it unless it was UTF-16. It does not check UTF-8: a log may hold
//! bytes of any code page around its messages, and what is wrong inside a message is for the XML reader to note.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::origin::Origin;

/// A text and its way back to the file.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    /// The bytes, without a byte order mark.
    pub bytes: Cow<'a, [u8]>,
    /// Where `bytes` starts in the file; `None` when they were transcoded.
    base: Option<u64>,
}

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

impl<'a> Text<'a> {
    /// Reads UTF-8 and other ASCII supersets as they are, UTF-16 by its byte order mark or its zero bytes.
    pub fn of(data: &'a [u8]) -> Text<'a> {
        if let Some(encoding) = utf16(data) {
            let (decoded, _) = encoding.decode_with_bom_removal(data);
            return Text { bytes: Cow::Owned(decoded.into_owned().into_bytes()), base: None };
        }
        match data.strip_prefix(UTF8_MARK) {
            Some(rest) => Text { bytes: Cow::Borrowed(rest), base: Some(UTF8_MARK.len() as u64) },
            None => Text { bytes: Cow::Borrowed(data), base: Some(0) },
        }
    }

    /// Where the bytes from `start` on stand in the file.
    pub fn origin(&self, start: usize) -> Origin {
        match self.base {
            Some(base) => Origin::file(base + start as u64),
            None => Origin::covering(crate::origin::Unit::File, None),
        }
    }
}

/// The UTF-16 encoding of a text, by its mark, or by an ASCII character in its first two code units.
pub fn utf16(data: &[u8]) -> Option<&'static Encoding> {
    match data {
        [0xFF, 0xFE, ..] => Some(UTF_16LE),
        [0xFE, 0xFF, ..] => Some(UTF_16BE),
        [a, 0, b, 0, ..] if is_text(*a) && is_text(*b) => Some(UTF_16LE),
        [0, a, 0, b, ..] if is_text(*a) && is_text(*b) => Some(UTF_16BE),
        _ => None,
    }
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}

/// Counts lines and columns as it moves forward through a text, each byte once.
#[derive(Clone, Debug)]
pub struct Position {
    at: usize,
    line: u32,
    column: u32,
}

impl Default for Position {
    fn default() -> Position {
        Position { at: 0, line: 1, column: 1 }
    }
}

impl Position {
    /// Line and column (from 1, in characters) of byte `to`, which must not lie before the last one asked for.
    pub fn advance(&mut self, text: &[u8], to: usize) -> (u32, u32) {
        let mut passed = text.get(self.at..to).unwrap_or_default();
        if let Some(last) = memchr::memrchr(b'\n', passed) {
            let lines = memchr::memchr_iter(b'\n', passed).count();
            self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
            self.column = 1;
            passed = passed.get(last + 1..).unwrap_or_default();
        }
        let characters = passed.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        self.column = self.column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX));
        self.at = self.at.max(to);
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Span;

    #[test]
    fn utf16_is_read_with_and_without_a_mark() {
        for mark in ["\u{FEFF}", ""] {
            let text = format!("{mark}<a>ü</a>");
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for data in [little, big] {
                let text = Text::of(&data);
                assert_eq!(&*text.bytes, "<a>ü</a>".as_bytes());
                assert!(!text.origin(3).locate(Span::new(0, 1)).unwrap().exact);
            }
        }
    }

    #[test]
    fn offsets_count_the_byte_order_mark() {
        let text = Text::of(b"\xEF\xBB\xBFab");
        assert_eq!(&*text.bytes, b"ab");
        assert_eq!(text.origin(1).locate(Span::new(0, 1)).unwrap().offset, 4);
    }

    #[test]
    fn columns_are_characters() {
        let text = "eins\r\nzwölf <a>\n".as_bytes();
        let mut position = Position::default();
        let at = |what: &str| memchr::memmem::find(text, what.as_bytes()).unwrap();
        assert_eq!(position.advance(text, at("ins")), (1, 2));
        assert_eq!(position.advance(text, at("<a>")), (2, 7));
        assert_eq!(position.advance(text, at("a>")), (2, 8));
    }
}
