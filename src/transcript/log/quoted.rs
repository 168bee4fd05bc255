//! Documents in strings of JSON logs whose `<` is written `\u003c`, as Go's and .NET's writers do.
//!
//! In: a text. Out: the places of such strings, and their content. Every byte is looked at a bounded number of times.

use std::ops::Range;

use memchr::memmem;

/// The insides of the strings that may hold a document.
pub(super) struct Strings<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Strings<'a> {
    pub(super) fn of(text: &'a [u8]) -> Strings<'a> {
        Strings { text, at: 0 }
    }
}

impl Iterator for Strings<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let rest = self.text.get(self.at..)?;
            let sign = memmem::find(rest, b"\\u003").map(|sign| self.at + sign)?;
            let start = opening(self.text, self.at, sign);
            let end = closing(self.text, sign);
            let inside = self.text.get(start..end).unwrap_or_default();
            self.at = end.max(sign + 1);
            let roots: [&[u8]; 4] = [b"yncML", b"YNCML", b"Envelope", b"wap-provisioningdoc"];
            if roots.iter().any(|root| memmem::find(inside, root).is_some()) {
                return Some(start..end);
            }
        }
    }
}

/// Behind the quote, not itself escaped, that opens the string around `sign`; not before `from` or its line.
fn opening(text: &[u8], from: usize, sign: usize) -> usize {
    let mut end = sign;
    while let Some(at) = text.get(from..end).and_then(|before| memchr::memrchr2(b'"', b'\n', before)) {
        let at = from + at;
        if text.get(at) == Some(&b'\n') || !is_escaped(text, from, at) {
            return at + 1;
        }
        end = at;
    }
    from
}

/// The quote, not itself escaped, or line end that closes the string around `sign`.
fn closing(text: &[u8], sign: usize) -> usize {
    let mut at = sign;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr3(b'"', b'\n', b'\\', rest)) {
        at += found;
        match text.get(at) {
            Some(b'\\') => at += 2,
            _ => return at,
        }
    }
    text.len()
}

fn is_escaped(text: &[u8], from: usize, at: usize) -> bool {
    let before = text.get(from..at).unwrap_or_default();
    before.iter().rev().take(64).take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Undoes the escapes of a JSON or Go string.
pub(super) fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (decoded, len) = match escape {
            [_, b'n', ..] => (Some('\n'), 2),
            [_, b'r', ..] => (Some('\r'), 2),
            [_, b't', ..] => (Some('\t'), 2),
            [_, b'u', a, b, c, d, b'\\', b'u', e, f, g, h, ..] if is_high(&[*a, *b]) => {
                (pair(&[*a, *b, *c, *d], &[*e, *f, *g, *h]), 12)
            }
            [_, b'u', a, b, c, d, ..] => (hex(&[*a, *b, *c, *d]).and_then(char::from_u32), 6),
            [_, b'x', a, b, ..] => (hex(&[*a, *b]).and_then(char::from_u32), 4),
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

fn hex(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn is_high(digits: &[u8]) -> bool {
    hex(digits).is_some_and(|high| (0xD8..=0xDB).contains(&high))
}

fn pair(high: &[u8], low: &[u8]) -> Option<char> {
    let units = [u16::try_from(hex(high)?).ok()?, u16::try_from(hex(low)?).ok()?];
    char::decode_utf16(units).next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_quotes_that_are_not_escaped() {
        let text = br#"{"a":"x","msg":"say \"\\\" \u003cSyncML a=\"b\"\u003e"} \u003c "\u003cSyncML\u003e"#;
        let found: Vec<&[u8]> = Strings::of(text).map(|place| &text[place]).collect();
        assert_eq!(found, [&br#"say \"\\\" \u003cSyncML a=\"b\"\u003e"#[..], br"\u003cSyncML\u003e"]);
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(
            unescape(br#"\u003Ca b=\"c\"\x3e\/\\\n\u00e4\ud83d\ude00\q\"#),
            "<a b=\"c\">/\\\nä\u{1F600}\\q\\".as_bytes()
        );
        assert_eq!(unescape(br"\ud83d x \ud83d\u0041"), br"\ud83d x \ud83d\u0041");
    }
}
